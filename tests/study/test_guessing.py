"""Files that are no better than always the most frequent class are named as such."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

import workbench as wb
from tests.raises import raises
from workbench.domain.metric import R2, RMSE
from workbench.recipe import Quantize, Recipe
from workbench.study.choices import choices_of
from workbench.study.goal import Goal
from workbench.study.guessing import guessed_value, guessing_sentence
from workbench.study.optimize import optimize
from workbench.study.trial import EXACT, Trial

pytestmark = pytest.mark.usefixtures("fresh", "processor_time")
EXAMPLES, RARE = 500, 20


@pytest.fixture
def rare():
    """A model of two classes, of which one is rare."""
    torch.manual_seed(0)
    inputs = torch.randn(EXAMPLES, 4)
    labels = torch.zeros(EXAMPLES, dtype=torch.long)
    labels[:RARE] = 1
    data = dict.fromkeys(("train", "validation", "test"), (inputs, labels))
    return wb.from_module(nn.Linear(4, 2), **data, name="rare", classes=["no", "yes"])


def trial(hits, wrong):
    """Return a trial with `hits` rare examples right and `wrong` frequent ones wrong."""
    right = np.ones(EXAMPLES, bool)
    right[hits:RARE] = False
    right[EXAMPLES - wrong :] = False
    value = float(right.mean())
    bits = np.packbits(right).tobytes()
    return Trial(Recipe(), EXACT, 1000, value=value, accuracy=value, correct=bits)


@pytest.mark.parametrize(
    ("hits", "wrong"), [(0, 0), (3, 3), (3, 9), (4, 1), (8, 3), (9, 3), (15, 1), (20, 12)]
)
def test_what_is_no_better_is_named(rare, hits, wrong):
    from scipy.stats import binomtest

    sentence = guessing_sentence(rare, trial(hits, wrong))
    tried = hits + wrong
    chance = binomtest(hits, tried, 0.5, alternative="greater").pvalue if tried else 1.0
    assert (sentence is None) == (chance < 0.05)
    assert sentence is None or "“no” would reach 96.0" in sentence
    if sentence is not None:
        assert ("measurably" in sentence) == (hits > wrong)


def test_the_reasons_of_a_search_name_it(rare):
    result = optimize(rare, min_accuracy=0.01, seconds=1)
    expected = guessing_sentence(rare, result.best)
    assert expected is not None
    assert result.reasons[1] == expected


def test_other_metrics_and_useful_files_have_no_such_sentence(tiny):
    measured = wb.measure(tiny, Recipe(), timed=False)
    useful = Trial(Recipe(), EXACT, measured.bytes, value=measured.value)
    assert guessing_sentence(tiny, useful) is None


def test_a_space_with_a_layer_that_the_model_lacks(tiny):
    with raises("recipe.unknown_layer", "tower.weight"):
        optimize(tiny, space=wb.Space({"quantize.layers.tower.weight": [4, 3]}), seconds=1)


def test_recipes_that_fail_are_named(tiny):
    space = wb.Space({"train.teacher": ["vowels/gru"], "train.steps": [1, 2]})
    result = optimize(tiny, space=space, seconds=1)
    failed = [trial for trial in result.result.trials if trial.sentence]
    assert len(failed) == 2
    (named,) = [text for text in result.reasons if failed[0].sentence in text]
    assert named.startswith("2 recipes could not be computed")


@pytest.fixture
def amounts():
    """A regression whose network knows nothing of its labels."""
    torch.manual_seed(0)
    data = torch.randn(EXAMPLES, 4), torch.randn(EXAMPLES)
    splits = dict.fromkeys(("train", "validation", "test"), data)
    network = nn.Linear(4, 1)
    nn.init.zeros_(network.weight)
    return wb.from_module(network, **splits, name="amounts")


@pytest.mark.parametrize(
    ("explained", "text"),
    [(-0.5, "No better"), (-1e-3, "No better"), (0.001, "Not measurably"), (0.3, None)],
)
@pytest.mark.parametrize("metric", [RMSE, R2], ids=["error", "explained"])
def test_a_regression_is_compared_with_the_mean(amounts, metric, explained, text):
    task = amounts.task
    model = SimpleNamespace(
        task=SimpleNamespace(metric=metric, split=task.split, target=task.target)
    )
    spread = float(np.std(amounts.task.split("validation").labels))
    value = explained if metric == R2 else spread * (1 - explained) ** 0.5
    sentence = guessing_sentence(model, Trial(Recipe(), EXACT, 1000, value=value))
    assert guessed_value(model) == pytest.approx(0 if metric == R2 else spread)
    assert (sentence is None) == (text is None)
    assert text is None or sentence.startswith(text)
    assert text is None or f"the mean would reach {metric.format(guessed_value(model))}" in sentence


def test_a_search_of_a_regression_names_it(amounts):
    result = optimize(amounts, max_bytes=10_000, seconds=1)
    sentence = guessing_sentence(amounts, result.best)
    assert sentence is not None
    assert sentence in result.reasons


@pytest.mark.parametrize(("values", "shown"), [((0.98, 0.97, 0.5), 2), ((0.96, 0.9, 0.5), 2)])
def test_no_alternative_is_worse_than_guessing_if_the_best_is_not(rare, values, shown):
    assert guessed_value(rare) == 0.96
    ranking = [
        Trial(Recipe(Quantize(bits)), EXACT, 100 * bits, value=value, accuracy=value)
        for bits, value in zip((8, 4, 2), values, strict=True)
    ]
    choices = choices_of(rare, Goal.of(rare, 1000, None, None), ranking, {})
    assert choices[0] == ranking[0]
    smallest = ranking[1] if values[0] > 0.96 else ranking[2]
    assert choices[1:] == (smallest,)
    assert len(choices) == shown
