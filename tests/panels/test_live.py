"""Figures in notebooks that change, and the figures that remain."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

import workbench as wb
from tests.raises import raises
from workbench.evaluation.training_progress import TrainingProgress
from workbench.panels import live, plotly_script
from workbench.plots import course
from workbench.plots.palette import DARK, LIGHT
from workbench.plots.picture import MIME, Picture
from workbench.recipe import Recipe, Train

WIDGET = "application/vnd.jupyter.widget-view+json"
RECIPE = Recipe(wb.Prune(0.5))


@pytest.fixture
def kernel(monkeypatch):
    """A kernel that displays nothing."""
    monkeypatch.setattr(live.Live, "_carrier", None)
    monkeypatch.setattr(live.Live, "_colors", LIGHT)
    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))


def figure(points, palette=LIGHT):
    steps = tuple((step, 1.0, 0.5) for step in range(points))
    return course.draw(TrainingProgress(Train(9), steps=steps), palette, loss=True)


def drawn(state, theme="light"):
    return len(state[theme]["data"][0]["x"])


@pytest.mark.parametrize(
    ("source", "themes"),
    [
        (figure(3), {"light"}),
        (Picture(figure(3)), {"light"}),
        (lambda palette: figure(3, palette), {"light", "dark"}),
        (RECIPE, {"light", "dark"}),
        (RECIPE.plot(), {"light", "dark"}),
        (RECIPE.plot(palette=DARK), {"light"}),
    ],
)
def test_sources_and_their_colors(source, themes):
    state = live.Live(source).state
    assert set(state) == {"number", *themes}


def test_an_update_replaces_the_figure():
    widget = live.Live(figure(2))
    widget.update(figure(5))
    assert drawn(widget.state) == 5
    assert widget.state["number"] == 2


def test_a_widget_carries_its_figure_for_programs_without_widgets():
    data, _metadata = live.Live(figure(2))._repr_mimebundle_()
    assert WIDGET in data
    assert data["text/plain"] == data[MIME]["layout"]["title"]["text"]


def test_plotly_comes_with_the_first_figure_only(kernel):
    first, second = live.Live(figure(1)), live.Live(figure(1))
    first.update(figure(2))
    assert first.script == plotly_script.compressed_script()
    assert second.script == b""


def test_a_page_can_request_plotly(monkeypatch):
    widget = live.Live(figure(1))
    sent = []
    monkeypatch.setattr(widget, "send", lambda content, buffers: sent.append((content, buffers)))
    widget._handle_custom_msg({"act": "plotly"}, [])
    assert sent == [({"kind": "plotly"}, [plotly_script.compressed_script()])]


def test_watching_returns_the_last_state_and_is_silent_elsewhere(capsys):
    assert wb.watch(iter([RECIPE, Recipe()])) == Recipe()
    assert capsys.readouterr() == ("", "")


def test_watching_nothing_is_an_error():
    with raises("argument.no_states"):
        wb.watch([])


def test_a_picture_has_the_background_of_its_colors():
    for picture in (RECIPE.plot(), RECIPE.plot().in_colors(DARK), RECIPE.plot(palette=DARK)):
        layout = picture._repr_mimebundle_()[MIME]["layout"]
        assert layout["paper_bgcolor"] == picture.palette.panel
        assert layout["title"]["font"]["color"] == picture.palette.ink
    assert RECIPE.plot().in_colors(DARK).palette == DARK


@pytest.mark.parametrize("is_early", [True, False])
def test_the_figure_that_remains_has_the_colors_of_the_notebook(kernel, monkeypatch, is_early):
    remaining = []
    output = SimpleNamespace(update=lambda data, raw=False: raw or remaining.append(data))
    display = SimpleNamespace(display=lambda _widget, display_id: output)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    with live.Live() as widget:
        widget.update(lambda palette: figure(3, palette))
        if is_early:
            widget._handle_custom_msg({"act": "theme", "theme": "dark"}, [])
            assert remaining == []
    if not is_early:
        assert [picture.palette for picture in remaining] == [LIGHT]
        widget._handle_custom_msg({"act": "theme", "theme": "dark"}, [])
        widget._handle_custom_msg({"act": "theme", "theme": "pink"}, [])
    assert remaining[-1].palette == DARK
    assert len(remaining) == 1 + (not is_early)
