"""What the page shows for tasks of every kind: no view that cannot be, and none is empty."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

import workbench as wb
from tests.untrained import untrained
from workbench.analysis.generation import Generation
from workbench.domain.metric import RMSE
from workbench.errors import WorkbenchError
from workbench.panels import training
from workbench.panels.comparing import tab as comparing
from workbench.panels.comparing import written
from workbench.panels.tabs import tabs, training_tab
from workbench.plots.palette import LIGHT
from workbench.recipe import Recipe, Train
from workbench.session.records import TrainingProgress
from workbench.training.setup import training_setup
from workbench.training.teacher_predictions import teacher_predictions

CLASSES = ["pictures", "recall", "confusion", "attribution", "weights"]
LANGUAGE = wb.task("reviews-lm")
NUMBERS = replace(wb.task("vowels"), name="numbers", metric=RMSE)
MANY = replace(wb.task("fashion"), name="many", classes=tuple(map(str, range(1000))))


@pytest.mark.parametrize(
    ("task", "keys"),
    [
        (wb.task("fashion"), CLASSES),
        (wb.task("reviews"), CLASSES),
        (wb.task("vowels"), CLASSES),
        (LANGUAGE, ["written", "weights"]),
        (NUMBERS, ["weights"]),
        (MANY, ["pictures", "attribution", "weights"]),
    ],
)
def test_views_are_those_that_the_task_can_have(task, keys):
    assert [view.key for view in comparing.views(task)] == keys


def test_examples_are_called_what_they_are():
    names = [comparing.views(wb.task(name))[0].label(wb.task(name)) for name in wb.tasks()[:4]]
    assert names == ["pictures", "texts", "what it writes", "recordings"]


def test_tabs_that_ask_for_classes_are_gone_without_them():
    gone = {"teacher", "temperature"}
    assert {tab.key for tab in tabs(wb.task("reviews"))} >= gone
    for task in (LANGUAGE, NUMBERS):
        assert not gone & {tab.key for tab in tabs(task)}


@pytest.mark.parametrize(("task", "said"), [(LANGUAGE, "1.500\u202fbits"), (NUMBERS, "1.500")])
def test_the_course_of_training_is_told_by_the_metric(task, said):
    progress = TrainingProgress(2, 2, 0.0, 1.0, ((1, 1.0, 1.5), (2, 1.0, 1.5)))
    session = SimpleNamespace(training=progress, model=SimpleNamespace(task=task))
    figure = training_tab(session, LIGHT)["figure"]
    assert figure["layout"]["title"]["text"] == f"2 steps brought the batches to {said}"


def test_only_images_are_shifted_and_mirrored(wire):
    keys = [field["key"] for field in training.section(wire.session)["more"]]
    assert {"shift", "mirror"} <= set(keys)
    model = wb.model("vowels/cnn")
    for settings in (Train(1, shift=1), Train(1, mirror="half")):
        with pytest.raises(WorkbenchError, match=r"^Only images can be shifted or mirrored.*\.$"):
            training_setup(model, Recipe(train=settings))
    wire.session.choose_model(model.name)
    keys = [field["key"] for field in training.section(wire.session)["more"]]
    assert not {"shift", "mirror"} & set(keys)
    wire.act("train", values={**training.section(wire.session)["values"], "shift": 1}, seconds=1)
    assert "shifted" in wire.last("tell")["text"]


def test_recordings_are_tiles_and_open_what_the_network_looks_at(wire):
    wire.session.choose_model("vowels/cnn")
    wire.choose(prune_sparsity=0.9, quantize_bits=3)
    wire.settled()
    wire.act("tab", key="changed", columns=4)
    tab = wire.wait("tab", lambda tab: tab.get("figure"))
    assert "recordings went wrong" in tab["figure"]["layout"]["title"]["text"]
    wire.act("look", key="tile", value={"x": 10, "y": 10})
    tab = wire.wait("tab", lambda tab: tab["controls"][0]["value"] == "attribution")
    tab = wire.wait("tab", lambda tab: tab.get("figure") and "3" in str(len(tab["figure"]["data"])))
    assert tab["figure"]["layout"]["title"]["text"].startswith("Taken for Speaker")
    wire.act("soften", teacher="self", temperature=2.0, example=0)
    wire.act("tab", key="teacher")
    tab = wire.wait("tab", lambda tab: tab["key"] == "teacher" and tab.get("figure"))
    assert len(tab["figure"]["data"]) == 2


def test_nobody_is_asked_about_classes_that_are_not():
    with pytest.raises(WorkbenchError, match="bits per character"):
        teacher_predictions(untrained("reviews-lm/gpt"), "self")


@pytest.mark.parametrize(
    ("after", "said"),
    [
        ("ab cd", "Both write the same 5 characters"),
        ("ab xy", "They write the same for 3 of 5 characters"),
        ("xb cd", "They part at the first character"),
    ],
)
def test_both_texts_and_where_they_part(after, said):
    found = Generation("reviews-lm/gpt", "\nSo", 0, 0.8, "ab cd", after)
    content = written.content(found)
    assert content["title"] == said
    assert content["prompt"] == "So"
    assert [side["same"] + side["rest"] for side in content["sides"]] == ["ab cd", after]
    assert [row["text"] for row in written.rows(found)] == ["ab cd", after]
