"""The page for every input type: it has exactly the views that the task supports."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

import workbench as wb
from tests.raises import raises
from tests.untrained import untrained
from workbench.analysis.generation import Generation
from workbench.domain.metric import RMSE
from workbench.evaluation.report import Score
from workbench.evaluation.training_progress import TrainingProgress
from workbench.panels import training
from workbench.panels.comparison import generation, tab as comparison
from workbench.panels.tabs import tabs
from workbench.panels.training_tabs import training_tab
from workbench.plots.palette import LIGHT
from workbench.recipe import Recipe, Train
from workbench.session.records import Focus
from workbench.training.setup import training_setup
from workbench.training.teacher_predictions import teacher_predictions

CLASSIFICATION = ["examples", "recall", "confusion", "attribution", "weights"]
LANGUAGE = wb.task("reviews-lm")
NUMBERS = replace(wb.task("vowels"), name="numbers", metric=RMSE)
MANY = replace(wb.task("fashion"), name="many", classes=tuple(map(str, range(1000))))


@pytest.mark.parametrize(
    ("task", "keys"),
    [
        (wb.task("fashion"), CLASSIFICATION),
        (wb.task("reviews"), CLASSIFICATION),
        (wb.task("vowels"), CLASSIFICATION),
        (LANGUAGE, ["generation", "weights"]),
        (NUMBERS, ["weights"]),
        (MANY, ["examples", "attribution", "weights"]),
    ],
)
def test_views_are_those_that_the_task_supports(task, keys):
    assert [view.key for view in comparison.views(task)] == keys


def test_examples_are_named_by_input_type():
    names = [comparison.views(wb.task(name))[0].label(wb.task(name)) for name in wb.tasks()[:4]]
    assert names == ["images", "texts", "generated text", "recordings"]


def test_tabs_for_classification_are_missing_for_other_tasks():
    classification = {"teacher", "temperature"}
    assert {tab.key for tab in tabs(wb.task("reviews"))} >= classification
    for task in (LANGUAGE, NUMBERS):
        assert not classification & {tab.key for tab in tabs(task)}


@pytest.mark.parametrize(("task", "value"), [(LANGUAGE, "1.500\u202fbits"), (NUMBERS, "1.500")])
def test_the_learning_curve_uses_the_metric(task, value):
    score = Score(task.metric.name, 1.5, 1.4, 1.6, 100, 500, {})
    progress = TrainingProgress(Train(9), step=2, course=((1, score),))
    session = SimpleNamespace(
        student=None,
        training=progress,
        model=SimpleNamespace(task=task, card={"file_bytes": 1}, metric_value=lambda split: 1.2),
        recipe=Recipe(),
        interruption=None,
        sweep_progress=None,
        focus=Focus(),
    )
    tab = training_tab(session, LIGHT)
    title = f"Step 2 of 9: the file of step 1 reaches {value}"
    assert tab["figure"]["layout"]["title"]["text"] == title
    assert f"{task.metric.name} of the file" in str(tab["controls"])


def grouped_keys(client):
    groups = training.section(client.session)["groups"]
    return {field["key"] for group in groups for field in group["fields"]}


@pytest.mark.slow
def test_only_images_can_be_shifted_and_mirrored(client):
    assert {"shift", "mirror"} <= grouped_keys(client)
    model = wb.model("vowels/cnn")
    for settings in (Train(1, shift=1), Train(1, mirror="half")):
        with raises("recipe.augmentation_needs_images", "shift", "mirror"):
            training_setup(model, Recipe(train=settings))
    client.session.choose_model(model.name)
    assert not {"shift", "mirror"} & grouped_keys(client)
    client.act(
        "train", values={**training.section(client.session)["values"], "shift": 1}, seconds=1
    )
    assert "shifted" in client.last("banner")["text"]


@pytest.mark.slow
def test_recordings_are_tiles_and_a_click_opens_the_attribution(client):
    client.session.choose_model("vowels/cnn")
    client.set_values(prune_sparsity=0.9, quantize_bits=3)
    client.wait_until_idle()
    client.act("tab", key="comparison", columns=4)
    tab = client.wait("tab", lambda tab: tab.get("figure"))
    assert "recordings went wrong" in tab["figure"]["layout"]["title"]["text"]
    client.act("focus", key="tile", value={"x": 10, "y": 10})
    tab = client.wait("tab", lambda tab: tab["controls"][0]["value"] == "attribution")
    tab = client.wait(
        "tab", lambda tab: tab.get("figure") and "3" in str(len(tab["figure"]["data"]))
    )
    assert tab["figure"]["layout"]["title"]["text"].startswith("Predicted Speaker")
    client.act("query_teacher", teacher="self", temperature=2.0, example=0)
    client.act("tab", key="teacher")
    tab = client.wait("tab", lambda tab: tab["key"] == "teacher" and tab.get("figure"))
    assert len(tab["figure"]["data"]) == 2


def test_a_teacher_of_another_task_cannot_be_queried_for_classes():
    with raises("training.teacher_without_classes", "bits per character"):
        teacher_predictions(untrained("reviews-lm/gpt"), "self")


@pytest.mark.parametrize(
    ("after", "title"),
    [
        ("ab cd", "Both texts are identical (5 characters)"),
        ("ab xy", "The first 3 of 5 characters are identical"),
        ("xb cd", "The texts differ from the first character"),
    ],
)
def test_generated_texts_and_their_common_prefix(after, title):
    result = Generation("reviews-lm/gpt", "\nSo", 0, 0.8, "ab cd", after)
    content = generation.content(result)
    assert content["title"] == title
    assert content["prompt"] == "So"
    assert [side["common"] + side["rest"] for side in content["sides"]] == ["ab cd", after]
    assert [row["text"] for row in generation.rows(result)] == ["ab cd", after]
