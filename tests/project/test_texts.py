"""The figures in texts for users are those that the code computes."""

from __future__ import annotations

import gettext
import importlib.util
import json
import re
from pathlib import Path

import pytest

import workbench as wb
from workbench import i18n
from workbench.panels.controls import LEVELS
from workbench.panels.pages import PAGES
from workbench.panels.tabs import TABS

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT / "notebooks"


def markdown(name):
    """Return the text of a notebook, in one line."""
    cells = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text("utf-8"))["cells"]
    texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    return " ".join(" ".join(texts).split())


def test_the_sizes_in_the_readme():
    model = wb.model("fashion/lenet5")
    recipes = [wb.Recipe(quantize=wb.Quantize(bits)) for bits in (8, 4)]
    eight, four = (model.original_bytes / len(wb.compress(model, r)) for r in recipes)
    readme = " ".join((ROOT / "README.md").read_text("utf-8").split())
    assert f"The file becomes {eight:.1f} times, then {four:.1f} times smaller." in readme


@pytest.mark.slow
def test_the_changes_in_the_notebook_on_comparisons():
    recipe = wb.Recipe(prune=wb.Prune(0.75), quantize=wb.Quantize(bits=4))
    result = wb.compare(wb.model("fashion/lenet5"), recipe)
    before, after = (counts.accuracy for counts in result.prediction_counts)
    assert round(100 * (before - after)) == 10
    text = markdown("what_changed")
    assert "The accuracy falls by ten points" in text
    assert (
        f"{len(result.became_wrong)} of 5,000 images become wrong, {len(result.became_right)} "
        f"become right, and {len(result.stayed_wrong)} stay wrong with another class" in text
    )


LABELS = {
    "tab": {tab.label_id for tab in TABS},
    "page": {page.label_id for page in PAGES},
    "level": {*LEVELS.values()},
}
"""The names that the app shows, by what texts call the thing."""


@pytest.mark.parametrize("kind", LABELS)
def test_texts_call_parts_of_the_app_as_it_does(kind):
    """Also those of notebooks in Chinese, where they are in Chinese."""
    catalog = gettext.translation("workbench", i18n.FOLDER, ["zh"])
    chinese = {"tab": "标签页", "page": "页面", "level": "级别"}[kind]
    found = set()
    for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *NOTEBOOKS.rglob("*.ipynb")]:
        text = " ".join(path.read_text("utf-8").split())
        english = re.findall(rf"\b{kind} \*{{1,2}}([^*]+)\*", text)
        translated = re.findall(
            rf"{chinese} \*{{1,2}}([^*]+)\*|\*([^* ]+)\*{{1,2}} {chinese}", text
        )
        assert set(english) <= LABELS[kind], path
        names = {first or second for first, second in translated}
        assert names <= {catalog.gettext(label) for label in LABELS[kind]}, path
        found |= {*english, *names}
    assert found


def test_the_api_page_holds_every_public_name():
    page = (ROOT / "docs" / "api.md").read_text("utf-8")
    places = re.findall(r"^::: (\S+)$", page, re.MULTILINE)
    assert set(wb.__all__) - {place.rpartition(".")[2] for place in places} == {"WorkbenchError"}
    assert "workbench.errors" in places, "the page of WorkbenchError"
    assert len(places) == len(set(places))
    for place in places:
        module, _, name = place.rpartition(".")
        is_member = hasattr(importlib.import_module(module), name)
        assert is_member or importlib.util.find_spec(place), place
