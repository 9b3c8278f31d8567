"""Several faults of one input, in one error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from workbench.errors import WorkbenchError
from workbench.i18n import _

SHOWN = 5
"""How many faults an error describes; it counts the others."""


class Faults:
    """Collects the errors of checks that do not depend on each other."""

    def __init__(self) -> None:
        self._errors: list[WorkbenchError] = []

    def __bool__(self) -> bool:
        return bool(self._errors)

    @contextmanager
    def collected(self) -> Iterator[None]:
        """Keep an error of the body for `check`, and go on after the body."""
        try:
            yield
        except WorkbenchError as error:
            self._errors.append(error)

    def check(self) -> None:
        """Raise the only error as it is, or one error that lists all of them.

        Raises
        ------
        WorkbenchError
            Of the type and with the code of the first error, if there is any.
        """
        if not self._errors:
            return
        first, *others = self._errors
        if not others:
            raise first
        items = [f"({n}) {error}" for n, error in enumerate(self._errors[:SHOWN], start=1)]
        if hidden := len(self._errors) - len(items):
            items.append(_("and {count} more.").format(count=hidden))
        text = _("There are {count} faults:\n{faults}")
        message = text.format(count=len(self._errors), faults="\n".join(items))
        raise type(first)(message, code=first.code) from first
