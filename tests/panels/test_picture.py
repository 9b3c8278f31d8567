"""The picture belongs to the numbers of the same message."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

import workbench as wb
from workbench.cache.results import ResultCache
from workbench.panels.page import numbers
from workbench.panels.picture import Picture
from workbench.plots.palette import THEMES
from workbench.plots.scales import height
from workbench.session import Session

NAME = "fashion/lenet-300-100"
PRUNED = wb.Recipe(wb.Prune(0.5))


@pytest.fixture
def session():
    session = Session(NAME, store=ResultCache())
    yield session
    session.close()


@pytest.fixture(scope="module")
def report():
    return wb.measure(wb.model(NAME), PRUNED, timed=False, store=ResultCache())


def test_the_point_is_faint_whenever_the_accuracy_is_pending(session, report):
    picture = Picture(session)
    for shown in (None, report, replace(report, score=None), report):
        plane, texts = picture.live(shown), numbers(session, shown)
        assert plane["faint"] == texts["pending"]
        assert json.dumps(plane)


def test_the_point_stays_while_only_a_size_is_known(session, report):
    picture = Picture(session)
    before = picture.live(report)
    after = picture.live(replace(report, score=None))
    assert before["size"] is None
    assert 10 ** after["size"] == pytest.approx(report.bytes)
    assert after["you"] == before["you"]
    assert before["you"]["y"] == height(report.accuracy)
    assert "not measured yet" in after["title"]


def test_the_title_is_not_that_of_the_original_before_the_first_result(session, report):
    picture = Picture(session)
    assert picture.live(None)["title"].startswith("The original model")
    session.set(PRUNED)
    assert picture.live(None)["title"] == "The compressed model is being measured"
    assert "smaller" in picture.live(report)["title"]
    assert "smaller" in picture.live(None)["title"]  # the last result stays


def test_a_student_is_marked_with_the_one_trained_on_labels_alone(session):
    picture = Picture(session)
    chosen = wb.student("fashion/mlp-32.resnet.t4.labels5")
    session.distill(chosen)
    alone, student = picture.live(session.report)["marks"]
    assert (alone["kind"], student["kind"]) == ("alone", "student")
    assert student["y"] == height(chosen.card.value)
    assert alone["y"] == height(chosen.alone.card.value)
    names = [trace.get("name") for trace in picture.figure(THEMES["dark"])["data"]]
    assert {"presets", "visited", "students", "trail", "you"} <= {*names}


def test_another_model_forgets_the_point(session, report):
    picture = Picture(session)
    picture.live(report)
    session.choose_model("fashion/lenet5")
    you = picture.live(None)["you"]
    assert 10 ** you["x"] == pytest.approx(wb.model("fashion/lenet5").card["file_bytes"])
