"""What the page says about its model."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

import workbench as wb
from workbench.domain.metric import ACCURACY, BITS_PER_CHARACTER, R2, metric_named
from workbench.domain.task import UNSCALED, Split, TargetScale
from workbench.domain.user_architecture import UserSplit
from workbench.panels.views.about import about


def text_of(classes=(), metric=ACCURACY, input_type="custom", target=UNSCALED, sizes=()):
    parts = zip(("train", "validation", "test"), sizes, strict=False)
    sources = [UserSplit(Split(name, range(size), range(size), name)) for name, size in parts]
    task = SimpleNamespace(
        title="wine",
        classes=classes,
        metric=metric,
        input_type=input_type,
        target=target,
        sources=sources,
    )
    shown = about(SimpleNamespace(title="wine", task=task))
    assert shown["name"] == "wine"
    return shown["text"]


@pytest.mark.parametrize(
    ("task", "text"),
    [
        (
            {"classes": tuple("abcd")},
            "The model says which of 4 classes an example is, such as a, b or c.",
        ),
        (
            {"classes": tuple("abc")},
            "The model says which of 3 classes an example is: a, b or c.",
        ),
        (
            {"classes": ("bad", "good"), "input_type": "words"},
            "The model says whether a text is bad or good.",
        ),
        (
            {"metric": BITS_PER_CHARACTER, "input_type": "characters"},
            "The model predicts what follows a piece of text.",
        ),
        (
            {"metric": R2, "target": TargetScale("price")},
            "The model predicts “price”, a number, from an example.",
        ),
        ({"metric": R2}, "The model predicts a number from an example."),
        ({"metric": metric_named("overlap")}, "The model is measured by overlap."),
        ({"classes": ("only",)}, "The model is measured by accuracy."),
    ],
)
def test_one_sentence_says_what_a_model_does(task, text):
    assert text_of(**task) == text


def test_a_sentence_says_how_own_examples_are_divided():
    text = text_of(("a", "b"), sizes=(1210, 45, 45))
    assert text.endswith(
        "Of 1,300 examples, 1,210 are for training, 45 for the measurements here, and 45 for the "
        "test of the downloaded file."
    )
    assert "examples" not in text_of(("a", "b"), sizes=(1210, 45))


@pytest.mark.parametrize("name", wb.models())
def test_each_built_in_model_says_what_it_recognizes(name):
    shown = about(wb.model(name))
    assert wb.model(name).task.title in shown["name"]
    assert shown["text"].startswith(("The model says ", "The model predicts "))
