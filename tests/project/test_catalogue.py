"""The template of translations holds every string of the page, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "workbench" / "locale" / "workbench.pot"
KEYWORDS = {"_": None, "mark": None, "N_": None, "plural": (1, 2)}


@pytest.mark.check
def test_the_template_is_current() -> None:
    found = extract_from_dir(ROOT / "workbench", keywords=KEYWORDS)
    wanted = {message for _, _, message, _, _ in found}
    with TEMPLATE.open("rb") as stream:
        kept = {message.id for message in read_po(stream) if message.id}
    assert kept == wanted, "extract the strings again: see CONTRIBUTING.md"
