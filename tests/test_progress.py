"""Training shows its progress: in a notebook, in a terminal, and nowhere else."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import plotly.graph_objects as go
import pytest

import workbench as wb
from workbench.cache.files import FileCache
from workbench.panels import live
from workbench.plots.picture import MIME

NAME = "fashion/mlp-32"


class Kernel:
    """IPython in a kernel: records what is displayed."""

    def __init__(self, monkeypatch):
        self.shown = []
        shell = SimpleNamespace(kernel=object())
        monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
        display = SimpleNamespace(display=self.display)
        monkeypatch.setitem(sys.modules, "IPython.display", display)

    def display(self, widget, *, display_id):
        assert display_id is True
        self.update(widget)
        return self

    def update(self, output):
        self.shown.append(output)


@pytest.fixture
def kernel(monkeypatch):
    monkeypatch.setattr(live.Live, "_carrier", None)
    return Kernel(monkeypatch)


@pytest.fixture
def model(linear, monkeypatch):
    """A model without cached files."""
    files = FileCache(None)
    monkeypatch.setattr("workbench.training.compress.default_file_cache", lambda: files)
    return linear()


@pytest.fixture
def states(monkeypatch):
    """The states of all figures that move, in order."""
    states = []
    show = live.Live._show

    def record(self, source):
        show(self, source)
        states.append(self.state)

    monkeypatch.setattr(live.Live, "_show", record)
    return states


def course_of(figure):
    """Return the steps and the texts of the points of a figure."""
    go.Figure({key: figure[key] for key in ("data", "layout")})  # rejects unknown properties
    (line,) = (x for x in figure["data"] if x.get("name", "").endswith(" of the file"))
    return line["x"], line["customdata"]


def test_a_notebook_shows_the_course_up_to_the_exact_result(
    kernel, model, states, capsys, monkeypatch
):
    monkeypatch.setattr(live, "monotonic", iter([0.0, 0.0, *[0.1] * 99]).__next__)
    artifact = wb.train(model, steps=8, batch=30)
    (state,) = states  # the others came too soon
    widget, final = kernel.shown
    assert isinstance(widget, live.Live)
    assert state["dark"]["layout"]["font"]["color"] != state["light"]["layout"]["font"]["color"]
    for theme in ("light", "dark"):
        steps, _texts = course_of(state[theme])
        assert steps == [0]
    steps, texts = course_of(final._repr_mimebundle_()[MIME])
    assert (steps[0], steps[-1]) == (0, 8)
    exact = model.task.metric.format(wb.evaluate(artifact, timed=False).value)
    assert f"<b>{exact}</b>, exact" in texts[-1]
    assert "8 steps in" in final._repr_mimebundle_()["text/plain"]
    assert capsys.readouterr().err == ""


def test_figures_are_limited_in_rate_and_not_in_number(kernel, model, states, monkeypatch):
    monkeypatch.setattr(live, "monotonic", iter(range(99)).__next__)
    wb.train(model, steps=8, batch=30)
    assert [state["number"] for state in states] == list(range(1, 10))  # and the exact result
    assert MIME in kernel.shown[-1]._repr_mimebundle_()


def test_with_seconds_the_figure_shows_at_once_that_the_speed_is_measured(
    kernel, model, states, monkeypatch
):
    shown = []

    def steps_for(*_arguments, watched):
        assert watched
        shown.extend(state["light"]["layout"]["title"]["text"] for state in states)
        return 3

    monkeypatch.setattr("workbench.training.budget.steps_for", steps_for)
    assert wb.train(model, seconds=20, batch=30).recipe.train.steps == 3
    assert shown == ["Measuring how many steps fit into 20 s"]


def test_a_cached_file_shows_only_its_result(kernel, model, states, monkeypatch):
    monkeypatch.setattr("workbench.training.budget.steps_for", lambda *_, watched: 3)
    wb.train(model, steps=3, batch=30)
    kernel.shown.clear()
    wb.train(model, steps=3, batch=30)
    assert not kernel.shown
    wb.train(model, seconds=20, batch=30)  # gives the same recipe
    steps, texts = course_of(kernel.shown[-1]._repr_mimebundle_()[MIME])
    assert steps == [3]
    assert "exact" in texts[0]


def test_a_terminal_shows_a_bar_and_removes_it(model, capsys, monkeypatch):
    monkeypatch.setattr("workbench.progress.sys.stderr.isatty", lambda: True)
    wb.train(model, steps=3, batch=30)
    out, err = capsys.readouterr()
    assert "3 of 3" in err
    value = err.split("1 of 3  ")[1].split("\033")[0]  # of the file so far
    assert float(value) > 0
    assert err.endswith("\r\033[K")
    assert out == ""


def test_training_is_silent_elsewhere(model, capsys):
    wb.train(model, steps=3, batch=30)
    assert capsys.readouterr() == ("", "")


def test_a_terminal_of_ipython_is_no_notebook(model, capsys, monkeypatch):
    shell = SimpleNamespace(get_ipython=object)
    monkeypatch.setitem(sys.modules, "IPython", shell)
    wb.train(model, steps=3, batch=30)
    assert capsys.readouterr() == ("", "")


def test_the_callers_function_replaces_the_display(kernel, model):
    steps = []
    wb.train(model, steps=3, batch=30, on_step=lambda event: steps.append(event.step))
    assert steps == [1, 2, 3]
    assert not kernel.shown
