"""Widgets for notebooks: the app, its pages, and parts of a page.

Several widgets of one session show the same state. They can be combined in the boxes of
`ipywidgets`. Each has two traits that follow the session and can be observed: `recipe`, which
selects a recipe when it is set, and `report`, the newest result.

Examples
--------
>>> import workbench as wb
>>> session = wb.Session("fashion/lenet5")
>>> bits = wb.ui.Controls(session, "quantize.bits")
>>> numbers = wb.ui.Card(session)
>>> bits.recipe = wb.Recipe(wb.Quantize(8))
>>> numbers.recipe
Recipe(quantize={'bits': 8})
>>> bits.close(), numbers.close(), session.close()
(None, None, None)

Observers are called from the thread that made the change, which may be a worker of the session.
Closing a widget leaves the session open.
"""

from __future__ import annotations

from collections.abc import Collection

from workbench.errors import UnknownNameError
from workbench.i18n import _
from workbench.panels import controls, distillation
from workbench.panels.pages import Panel
from workbench.panels.tabs import TABS
from workbench.panels.widget import SessionWidget
from workbench.session import Session

__all__ = [
    "App",
    "Card",
    "Choose",
    "Compress",
    "Controls",
    "Deploy",
    "Parallel",
    "Plan",
    "Tab",
    "Tradeoff",
    "Train",
]


class App(SessionWidget):
    """The whole app, with its header and all pages."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)


class Compress(SessionWidget):
    """The page Compress: settings, accuracy against size, numbers and tabs."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, Panel("compress", pages=("compress",)))


class Train(SessionWidget):
    """The page Train: training settings, learning curve, teacher and numbers."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, Panel("train", pages=("train",)))


class Choose(SessionWidget):
    """The page Choose: limits, the recipes that meet them, and all that was measured."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, Panel("choose", pages=("choose",)))


class Deploy(SessionWidget):
    """The page Deploy: the file in inference runtimes, with accuracy, sizes and times there."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, Panel("deploy", pages=("deploy",)))


class Parallel(SessionWidget):
    """The page Parallel: training on several processes, their weights, timeline and bytes."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, Panel("parallel", pages=("parallel",)))


class Plan(SessionWidget):
    """The page Plan: memory, time and energy of a large model on a chip."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, Panel("plan", pages=("plan",)))


class Tradeoff(SessionWidget):
    """The chart of accuracy against file size; a click on a point selects its recipe."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, Panel("tradeoff", chart=True))


class Card(SessionWidget):
    """The numbers: accuracy, file size, and what did not help."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, Panel("card"))


class Controls(SessionWidget):
    """Some of the controls, such as ``Controls(session, "prune.sparsity", "quantize.bits")``.

    Parameters
    ----------
    fields
        Fields of a recipe, as ``part.field``, or ``distillation.temperature``; without any, the
        first field of each part.

    Raises
    ------
    UnknownNameError
        If there is no control for a field.
    """

    def __init__(self, session: Session, *fields: str) -> None:
        parts = [*controls.describe(session.model, session.recipe), distillation.part(session)]
        known = [f for part in parts if part for f in part["fields"] if is_single(f)]
        _check(fields, [field["key"] for field in known], _("There is no control {name}."))
        first = [field["key"] for field in known if field["primary"]]
        super().__init__(session, Panel("controls", fields=fields or tuple(first)))


class Tab(SessionWidget):
    """One tab, such as ``Tab(session, "bytes")``.

    Raises
    ------
    UnknownNameError
        If the session's model has no such tab.
    """

    def __init__(self, session: Session, name: str) -> None:
        names = [tab.key for tab in TABS if tab.supports(session.model.task)]
        _check([name], names, _("There is no tab {name}."))
        super().__init__(session, Panel("tab", tab=name))


def is_single(field: dict[str, object]) -> bool:
    """Return whether a field is one control, and not a row of the layer table."""
    return field["kind"] not in ("layers", "names")


def _check(names: Collection[str], known: Collection[str], message: str) -> None:
    for name in names:
        if name not in known:
            choices = _("Choose one of {names}.").format(names=", ".join(known))
            raise UnknownNameError(
                f"{message.format(name=repr(name))} {choices}", code="name.unknown_panel"
            )
