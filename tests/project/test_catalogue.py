"""The translation template holds exactly the texts of the page, and each language all of them."""

from __future__ import annotations

import re
from gettext import GNUTranslations
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from workbench.i18n import LANGUAGES

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


CATALOGS = sorted((ROOT / "workbench" / "locale").glob("*/LC_MESSAGES/workbench.po"))


def read(path):
    with path.open("rb") as stream:
        return [message for message in read_po(stream) if message.id]


def braces(text):
    return sorted(re.findall(r"\{[^{}]*\}", text))


@pytest.mark.check
def test_each_language_but_english_has_a_catalog() -> None:
    assert {path.parts[-3] for path in CATALOGS} == set(LANGUAGES) - {"en"}


@pytest.mark.check
@pytest.mark.parametrize("path", CATALOGS, ids=lambda path: path.parts[-3])
def test_a_catalog_translates_every_text_with_its_placeholders(path) -> None:
    messages = {message.id: message for message in read(path)}
    assert messages.keys() == {message.id for message in read(TEMPLATE)}
    for text, message in messages.items():
        english = text if isinstance(text, str) else text[-1]
        (translated,) = [message.string] if isinstance(message.string, str) else message.string
        assert translated.strip(), english
        assert not message.fuzzy, english
        assert braces(translated) == braces(english), english
        assert translated.count("\n") == english.count("\n"), english


@pytest.mark.check
@pytest.mark.parametrize("path", CATALOGS, ids=lambda path: path.parts[-3])
def test_the_compiled_catalog_is_current(path) -> None:
    with path.with_suffix(".mo").open("rb") as stream:
        compiled = GNUTranslations(stream)
    for message in read(path):
        if isinstance(message.id, str):
            found, expected = compiled.gettext(message.id), message.string
        else:
            found, (expected,) = compiled.ngettext(*message.id, 2), message.string
        assert found == expected, "compile the catalog again: see CONTRIBUTING.md"
