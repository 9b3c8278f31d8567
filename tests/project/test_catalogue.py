"""The translation template holds exactly the strings of the page."""

from __future__ import annotations

from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "workbench" / "locale" / "workbench.pot"
KEYWORDS = {"_": None, "mark": None, "N_": None, "plural": (1, 2)}


@pytest.mark.slow
@pytest.mark.check
def test_the_template_is_current() -> None:
    extracted = extract_from_dir(ROOT / "workbench", keywords=KEYWORDS)
    expected = {message for _, _, message, _, _ in extracted}
    with TEMPLATE.open("rb") as stream:
        messages = {message.id for message in read_po(stream) if message.id}
    assert messages == expected, "extract the strings again: see CONTRIBUTING.md"
