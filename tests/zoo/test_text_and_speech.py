"""The models of words, characters and frames match their cards."""

from __future__ import annotations

import pytest

from workbench import zoo
from workbench.evaluation.scores import reference_score

FLOORS = {
    "reviews/gru": 0.89,
    "reviews/transformer": 0.88,
    "reviews/bag": 0.89,
    "vowels/cnn": 0.97,
    "vowels/gru": 0.97,
}
MOST_BITS = 1.75


@pytest.mark.slow
@pytest.mark.parametrize("name", FLOORS)
@pytest.mark.parametrize("split", ["validation", "test"])
def test_accuracy_matches_the_card_and_its_floor(name, split):
    model = zoo.model(name)
    data = model.task.split(split)
    score = reference_score(model, model.weights(), data)
    correct = sum(row[place] for place, row in enumerate(score.confusion))
    assert {"correct": correct, "examples": len(data)} == model.card["accuracy"][split]
    assert model.metric_value(split) == score.value
    if split == "validation":
        known = model.card["figures"]
        assert (known["recall"], known["f1"]) == (score.figures["recall"], score.figures["f1"])
    if split == "test":
        assert score.value >= FLOORS[name]


@pytest.mark.slow
def test_bits_per_character_match_the_card_and_their_limit():
    model = zoo.model("reviews-lm/gpt")
    score = reference_score(model, model.weights(), model.task.split("validation"))
    scores = model.card["accuracy"]["validation"]
    assert score.value == pytest.approx(
        scores["value"], abs=1e-6
    )  # float32 differs between machines
    assert score.figures["perplexity"] == pytest.approx(2**score.value)
    assert model.metric_value("test") <= MOST_BITS
