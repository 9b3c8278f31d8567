"""Translation of the texts that users read in the page.

`_("…")` looks a text up at the call, so that a catalog set later, or a test's pseudo-language,
applies to every text.
"""

from __future__ import annotations

import gettext

_catalog: gettext.NullTranslations = gettext.NullTranslations()


def set_catalog(catalog: gettext.NullTranslations) -> None:
    """Use `catalog` for every text from now on."""
    global _catalog
    _catalog = catalog


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
