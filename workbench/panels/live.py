"""A figure that moves in a notebook while a cell runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from time import monotonic
from typing import Any, ClassVar, Self, TypeVar

import anywidget
import traitlets

from workbench.display import Displayable
from workbench.errors import InputError
from workbench.i18n import _
from workbench.panels import plotly_script, sources
from workbench.plots.palette import DARK, LIGHT, THEMES, Palette
from workbench.plots.picture import Picture
from workbench.plots.style import Figure
from workbench.progress import in_kernel
from workbench.recipe.schema import brief

INTERVAL = 0.25
"""The minimum number of seconds between two figures while a cell runs."""

Source = Figure | Picture | Displayable | Callable[[Palette], Figure]
"""What can be shown: a figure, a result that displays itself, or a function that draws a figure in
the colors of a palette."""

State = TypeVar("State", bound=Source)


class Live(anywidget.AnyWidget):
    """A figure that can change: `live = Live(figure)`, then `live.update(figure)`.

    In a ``with`` statement it displays itself at the first update and shows at most four figures a
    second. At the end, the newest figure replaces the widget, so that a saved notebook shows it.

    Parameters
    ----------
    source
        What to show first, as for `update`; nothing by default.
    """

    _esm = sources.script(sources.LIVE_SCRIPTS)
    _css = sources.styles(sources.LIVE_STYLES)

    state = traitlets.Dict(help="number of the figure, and the figure by theme").tag(sync=True)
    script = traitlets.Bytes(help="plotly.js, in the first figure of a kernel").tag(sync=True)
    failure = traitlets.Unicode(help="shown if plotly.js does not load").tag(sync=True)

    _carrier: ClassVar[Live | None] = None
    """The figure that brings plotly.js. It stays open for pages that open later."""

    _colors: ClassVar[Palette] = LIGHT
    """The colors of the notebook that showed a figure last; figures that remain use them."""

    def __init__(self, source: Source | None = None) -> None:
        failure = _("plotly.js did not load: reload the page to try again.")
        super().__init__(state={"number": 0}, script=b"", failure=failure)
        self._source: Source | None = None
        self._in_cell = False  # inside a with statement
        self._output: Any = None  # the handle of what a with statement displays
        self._next_time = 0.0
        self.on_msg(self._on_message)
        if source is not None:
            self.update(source)

    def update(self, source: Source) -> None:
        """Show `source`: a figure, a result that displays itself, or a function that draws one.

        A function draws it in the colors of a palette.
        """
        if not (isinstance(source, Picture | Displayable | dict) or callable(source)):
            raise InputError(
                "Pass a figure, a result that has a plot, or a function that draws a figure, not "
                f"{brief(source)}.",
                code="argument.not_a_figure",
            )
        self._source = source
        if not self._in_cell:
            self._show(source)
        elif in_kernel() and monotonic() >= self._next_time:
            self._show(source)
            if self._output is None:
                self._output = import_module("IPython.display").display(self, display_id=True)
            self._next_time = monotonic() + INTERVAL

    def __enter__(self) -> Self:
        self._in_cell = True
        return self

    def __exit__(self, *_error: object) -> None:
        self._in_cell = False
        self._remain()
        if Live._carrier is not self:
            self.close()

    def _remain(self) -> None:
        """Let the newest figure take the place of a widget whose cell has ended."""
        if self._output is not None and self._source is not None:
            self._output.update(_picture(self._source).in_colors(Live._colors))

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """Return the widget, and its figure for programs that do not show widgets."""
        data, metadata = super()._repr_mimebundle_(**options) or ({}, {})
        if self._source is not None:
            data = {**data, **_picture(self._source)._repr_mimebundle_()}
        return data, metadata

    def _show(self, source: Source) -> None:
        picture = _picture(source)
        state = {"number": self.state["number"] + 1, "light": picture.figure}
        if picture.draw is not None:
            state["dark"] = picture.in_colors(DARK).figure
        if in_kernel() and Live._carrier is None:
            Live._carrier = self
            self.script = plotly_script.compressed_script()
        self.state = state

    def _on_message(self, _widget: Any, content: dict[str, Any], _buffers: Sequence[Any]) -> None:
        if content.get("act") == "plotly":
            self.send({"kind": "plotly"}, buffers=[plotly_script.compressed_script()])
        if content.get("act") == "theme" and content.get("theme") in THEMES:
            Live._colors = THEMES[content["theme"]]
            if self._output is not None and not self._in_cell:  # the kernel answers after a cell
                self._output.update({"text/plain": ""}, raw=True)  # JupyterLab redraws no figure
                self._remain()


def watch(states: Iterable[State]) -> State:
    """Show the states of an experiment as a moving figure in a notebook, and return the last.

    Elsewhere nothing is shown.

    Parameters
    ----------
    states
        Results that display themselves, each of them newer than the previous one, such as an
        experiment yields.

    Returns
    -------
    State
        The last one.

    Raises
    ------
    InputError
        If there is no state.

    Examples
    --------
    >>> import workbench as wb
    >>> from workbench.experiments import race
    >>> trials = {"Adam": wb.Train(4, start="scratch", optimizer="adam")}
    >>> wb.watch(race(wb.model("fashion/mlp-32"), trials)).winner.name
    'Adam'
    """
    if not isinstance(states, Iterable):
        raise InputError(
            f"Pass the states of an experiment, such as race(...), not {brief(states)}.",
            code="argument.not_states",
        )
    last = None
    with Live() as live:
        for last in states:
            live.update(last)
    if last is None:
        raise InputError("There are no states to show.", code="argument.no_states")
    return last


def _picture(source: Source) -> Picture:
    if isinstance(source, Picture):
        return source
    if isinstance(source, Displayable):
        return source.plot()
    if callable(source):
        return Picture(source(LIGHT), draw=source)
    return Picture(source)
