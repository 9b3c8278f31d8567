"""The language of the texts that users read in the page.

`_("…")` looks a text up at the call, so that a language chosen later applies to every text. The
catalog of a language is `locale/CODE/LC_MESSAGES/workbench.mo`; English needs none.
"""

from __future__ import annotations

import gettext
import os
import warnings
from collections.abc import Iterable
from pathlib import Path

LANGUAGES = {"en": ("English", "EN"), "zh": ("中文", "中")}
"""Each language by its code: its own name for itself, and a short form of it."""
VARIABLE = "WORKBENCH_LANG"
"""The environment variable with the code of the first language."""
FOLDER = Path(__file__).with_name("locale")

_catalog: gettext.NullTranslations = gettext.NullTranslations()
_language = "en"
_is_chosen = False


def set_catalog(catalog: gettext.NullTranslations) -> None:
    """Use `catalog` for every text from now on."""
    global _catalog
    _catalog = catalog


def language() -> str:
    """Return the code of the current language."""
    return _language


def choose_language(code: str) -> None:
    """Show every text from now on in another language, and follow no suggestion any more.

    Parameters
    ----------
    code
        A key of `LANGUAGES`.

    Raises
    ------
    FileNotFoundError
        If the language has no catalog.
    """
    global _is_chosen
    _is_chosen = True
    _use(code)


def suggest_languages(tags: Iterable[str]) -> None:
    """Use the first language of a reader that has a catalog, unless another one was chosen.

    Parameters
    ----------
    tags
        Such as "zh-CN", the preferred language first.
    """
    codes = [tag.split("-")[0].lower() for tag in tags]
    known = [code for code in codes if code in LANGUAGES]
    if known and not _is_chosen:
        _use(known[0])


def _use(code: str) -> None:
    global _language
    english = gettext.NullTranslations()
    set_catalog(english if code == "en" else gettext.translation("workbench", FOLDER, [code]))
    _language = code


def _(message: str) -> str:
    """Return `message` in the current language."""
    return _catalog.gettext(message)


def plural(singular: str, plural: str, count: int) -> str:
    """Return the text that fits `count` in the current language."""
    return _catalog.ngettext(singular, plural, count)


def mark(message: str) -> str:
    """Return `message` unchanged, marked for extraction; `_` translates it when it is shown."""
    return message


class Labeled:
    """An object with a label and a description: message ids of the catalog."""

    label_id: str
    help_id: str

    @property
    def label(self) -> str:
        """The label in the user's language."""
        return _(self.label_id)

    @property
    def help(self) -> str:
        """The description, one sentence or empty."""
        return _(self.help_id) if self.help_id else ""


if chosen := os.environ.get(VARIABLE):
    if chosen in LANGUAGES:
        choose_language(chosen)
    else:
        warnings.warn(
            f"{VARIABLE} is {chosen!r}, and the texts are in English: set one of "
            f"{', '.join(LANGUAGES)}.",
            stacklevel=2,
        )
