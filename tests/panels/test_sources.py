"""The script is bundled from several files; colors come from the palette only."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from workbench.panels import sources
from workbench.plots.palette import THEMES

FOLDER = files("workbench.panels")


BUNDLES = {"page": sources.SCRIPTS, "live": sources.LIVE_SCRIPTS}
STYLES = {"page": sources.STYLES, "live": sources.LIVE_STYLES}


def test_every_file_is_in_a_bundle():
    for folder, suffix, bundles in (("js", ".js", BUNDLES), ("css", ".css", STYLES)):
        existing = {x.name for x in (FOLDER / folder).iterdir() if x.name.endswith(suffix)}
        assert existing == {f"{name}{suffix}" for names in bundles.values() for name in names}


@pytest.mark.parametrize("names", BUNDLES.values(), ids=BUNDLES)
def test_a_bundle_has_no_imports_or_types(names):
    script = sources.script(names)
    assert not re.search(r"^(import|export (?!default))", script, re.MULTILINE)
    assert script.count("export default") == 1
    assert not re.search(r"@(ts-check|import|param|typedef)", script)


@pytest.mark.parametrize("names", BUNDLES.values(), ids=BUNDLES)
def test_imports_come_earlier_and_are_exported(names):
    for name in names:
        text = (FOLDER / "js" / f"{name}.js").read_text("utf-8")
        for imports, source in re.findall(
            r'^import \{([^}]*)\} from "\./(\w+)\.js";', text, re.MULTILINE
        ):
            assert names.index(source) < names.index(name)
            exported = (FOLDER / "js" / f"{source}.js").read_text("utf-8")
            for imported in (word.strip() for word in imports.split(",")):
                pattern = rf"^export (async )?(function|class|const|let) {imported}\b"
                assert re.search(pattern, exported, re.MULTILINE), imported
                body = text.replace(f"import {{{imports}}}", "")
                assert re.search(rf"\b{imported}\b", body), f"{imported} is imported and not used"


@pytest.mark.parametrize("bundle", BUNDLES.values(), ids=BUNDLES)
def test_top_level_names_are_unique(bundle):
    pattern = r"^(?:async )?(?:function|class|const|let) (\w+)"
    names = re.findall(pattern, sources.script(bundle), re.MULTILINE)
    assert len(names) == len(set(names))


def test_the_page_knows_every_color_of_figures():
    """A change of the theme recolors figures without a kernel."""
    text = (FOLDER / "js" / "theme_colors.js").read_text("utf-8")
    names = re.search(r'NAMES = "([^"]*)"', text)[1].split()
    numbers = re.search(r"CATEGORIES = \[([^\]]*)\]", text)[1].split(", ")
    for palette in THEMES.values():
        colors = {name.replace("_", "-"): color for name, color in vars(palette).items()}
        categories = colors.pop("categories")
        assert set(names) == set(colors)
        assert len(numbers) == len(categories)
        colors |= {f"category-{number}": color for number, color in enumerate(categories)}
        for names_of_styles in STYLES.values():
            style = sources.styles(names_of_styles)
            assert all(f"  --{name}: {color};" in style for name, color in colors.items())


def test_every_rule_is_above_those_of_jupyterlab():
    """JupyterLab has rules of at most two classes for the contents of outputs."""
    for names in STYLES.values():
        for selector in re.findall(r"[^{};,/]*\.wb(?![\w-])[^{};,]*", sources.styles(names)):
            assert ".wb.wb.wb" in selector


def test_nothing_is_fetched_from_other_servers():
    for text in (sources.script(), sources.styles()):
        assert not re.search(r"https?:|@import|url\(", text)


def test_style_files_contain_no_colors():
    for name in sources.STYLES:
        text = (FOLDER / "css" / f"{name}.css").read_text("utf-8")
        assert not re.search(r"#[0-9a-fA-F]{3,8}\b", text), name
