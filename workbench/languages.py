"""Choose the language of what notebooks and the page show."""

from __future__ import annotations

from workbench.errors import InputError
from workbench.i18n import LANGUAGES, choose_language


def use_language(code: str) -> None:
    """Show cards, figures, sentences and the app in another language from now on.

    Commands and the errors of Python functions stay in English.

    Parameters
    ----------
    code
        "en" (English) or "zh" (Chinese).

    Raises
    ------
    InputError
        If there is no such language.

    Examples
    --------
    >>> import workbench as wb
    >>> wb.use_language("zh")
    >>> wb.task("fashion").metric.label
    '准确率'
    >>> wb.use_language("en")
    """
    if str(code) not in LANGUAGES:
        raise InputError(
            f"There is no language {code!r}: use one of {', '.join(LANGUAGES)}.",
            code="language.unknown",
        )
    choose_language(str(code))
