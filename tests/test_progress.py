"""Training shows its progress: in a notebook, in a terminal, and nowhere else."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from xml.etree.ElementTree import fromstring

import plotly.graph_objects as go
import pytest

import workbench as wb
from workbench.cache.files import FileCache
from workbench.plots import live
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

    def display(self, picture, *, display_id):
        assert display_id is True
        self.update(picture)
        return self

    def update(self, picture):
        self.shown.append(picture)


@pytest.fixture
def kernel(monkeypatch):
    return Kernel(monkeypatch)


@pytest.fixture
def model(linear, monkeypatch):
    """A model without cached files."""
    files = FileCache(None)
    monkeypatch.setattr("workbench.training.compress.default_file_cache", lambda: files)
    return linear()


def test_a_notebook_shows_the_curve_up_to_the_last_step(kernel, model, capsys, monkeypatch):
    monkeypatch.setattr(live, "monotonic", iter([0.0, 0.0, *[0.1] * 99]).__next__)
    wb.train(model, steps=8, batch=30)
    first, last = kernel.shown  # the others came too soon
    shown = first._repr_html_()  # an output that JupyterLab updates
    assert first.figure["layout"]["title"]["text"] in shown
    assert len(fromstring(f"<div>{shown}</div>").findall(".//polyline")) == 2
    for figure, steps in ((first.figure, 1), (last._repr_mimebundle_()[MIME], 8)):
        go.Figure({key: figure[key] for key in ("data", "layout")})
        assert figure["data"][-1]["x"] == list(range(1, steps + 1))
    assert capsys.readouterr().err == ""


def test_figures_are_limited_in_rate_and_not_in_number(kernel, model, monkeypatch):
    monkeypatch.setattr(live, "monotonic", iter(range(99)).__next__)
    wb.train(model, steps=8, batch=30)
    *during, last = kernel.shown
    assert len(during) == 8
    assert MIME in last._repr_mimebundle_()


def test_a_cached_file_shows_nothing(kernel, model):
    with live.live_course(model.task.metric):
        pass
    assert not kernel.shown


def test_a_terminal_shows_a_bar_and_removes_it(model, capsys, monkeypatch):
    monkeypatch.setattr("workbench.progress.sys.stderr.isatty", lambda: True)
    wb.train(model, steps=3, batch=30)
    out, err = capsys.readouterr()
    assert "3 of 3" in err
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
