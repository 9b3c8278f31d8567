"""The notebooks in Chinese: the same cells, each text translated, no translation outdated."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
NAMES = sorted(path.name for path in NOTEBOOKS.glob("*.ipynb"))
FIRST = 'wb.use_language("zh")\n'
CHINESE = re.compile("[\u4e00-\u9fff]")
KEPT = re.compile(r"`[^`]+`|\$\$?[^$]+\$|https?://[^)\s]+|arXiv [\d.]+|\d[\d,.]*\d|\d")
"""What a translation keeps: code, formulas, sources and numbers."""
UI_NAMES = re.compile(r"`(?:adaptive|global|N of M|min–max|least squared error|layer by layer)`")


def cells(path):
    return json.loads(path.read_text("utf-8"))["cells"]


def digest(text):
    """Return the key of an English text that its translation names."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@pytest.fixture(params=NAMES, ids=lambda name: name)
def pairs(request):
    """The cells of a notebook in English, with those in Chinese."""
    english, chinese = cells(NOTEBOOKS / request.param), cells(NOTEBOOKS / "zh" / request.param)
    return zip(english, chinese, strict=True)


@pytest.mark.check
def test_every_notebook_is_translated():
    assert sorted(path.name for path in (NOTEBOOKS / "zh").glob("*.ipynb")) == NAMES


@pytest.mark.check
def test_the_cells_are_the_same(pairs):
    added = 0
    for english, chinese in pairs:
        assert english["id"] == chinese["id"]
        assert english["cell_type"] == chinese["cell_type"]
        if english["cell_type"] == "code":
            code = "".join(chinese["source"])
            added += FIRST in code
            assert code.replace(FIRST, "", 1) == "".join(english["source"])
    assert added == 1


@pytest.mark.check
def test_every_text_is_translated_and_none_is_outdated(pairs):
    for english, chinese in pairs:
        if english["cell_type"] == "code":
            continue
        text, translation = "".join(english["source"]), "".join(chinese["source"])
        assert CHINESE.search(translation), translation
        assert chinese["metadata"]["translates"] == digest(text), (
            f"the English text changed: translate it, and set translates to {digest(text)}: {text}"
        )


@pytest.mark.check
def test_code_formulas_sources_and_numbers_are_kept(pairs):
    for english, chinese in pairs:
        if english["cell_type"] == "code":
            continue
        text = UI_NAMES.sub("", "".join(english["source"]))
        translation = "".join(chinese["source"])
        for kept in set(KEPT.findall(text)):
            assert kept in translation, f"{kept} is missing: {translation}"
