"""Files whose outputs are not finite on some examples: counted, explained, and wrong."""

from __future__ import annotations

import json
from math import isnan

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import weight_norm as older_weight_norm
from torch.nn.utils.parametrizations import weight_norm

import workbench as wb
from workbench.analysis.attribution import explain
from workbench.cache.results import ResultCache
from workbench.errors import WorkbenchError
from workbench.evaluation.counts import PredictionCounts
from workbench.evaluation.fast_path import FastPath
from workbench.evaluation.measure import evaluate
from workbench.evaluation.non_finite import non_finite_tensors
from workbench.evaluation.reference import NO_CLASS, classify, predict, predict_float64
from workbench.evaluation.report import Score

EXAMPLES = 90
PRUNED = wb.Recipe(prune=wb.Prune(0.5))


class Normed(nn.Module):
    """Its first layer divides by the norms of its rows, one of which is nearly nothing."""

    def __init__(self, norm=weight_norm, outputs=3):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last = norm(nn.Linear(6, 8)), nn.Linear(8, outputs)
        with torch.no_grad():
            dict(self.named_parameters())[DIRECTIONS[norm]][2] *= 1e-6

    def forward(self, x):
        return self.last(torch.relu(self.first(x)))


DIRECTIONS = {
    weight_norm: "first.parametrizations.weight.original1",
    older_weight_norm: "first.weight_v",
}


class Rooted(nn.Module):
    """Outputs that are NaN for some examples as soon as the first weight is smaller than it was."""

    def __init__(self, outputs=3):
        super().__init__()
        torch.manual_seed(0)
        self.gate, self.last = nn.Linear(6, 1, bias=False), nn.Linear(6, outputs)
        with torch.no_grad():
            self.gate.weight.fill_(1e-3)
            self.gate.weight[0, 0] = 2.0

    def forward(self, x):
        room = (self.gate(x.abs()) - 2 * x[:, :1].abs() - 1e-4 + (x[:, 1:2] < 0.5)).sqrt()
        return self.last(x) + 0 * room


def inputs():
    lot = torch.Generator().manual_seed(1)
    return torch.randn(EXAMPLES, 6, generator=lot)


def brought(module, targets=None):
    x = inputs()
    targets = torch.arange(EXAMPLES) % 3 if targets is None else targets
    return wb.from_module(module, train=(x, targets), validation=(x, targets), test=(x, targets),
                    name="one")  # fmt: skip


def by_hand(model, recipe):
    """The outputs of the rebuilt module, by PyTorch alone."""
    with torch.no_grad():
        return wb.to_module(wb.compress(model, recipe))(inputs())


@pytest.mark.parametrize("norm", [weight_norm, older_weight_norm])
@pytest.mark.filterwarnings("ignore:.*weight_norm.*")
def test_a_row_without_a_norm_is_named(norm, threads):
    model = brought(Normed(norm))
    outputs = by_hand(model, PRUNED)
    assert bool(outputs.isnan().all())  # every example goes through the row
    report = wb.measure(model, PRUNED, timed=False, store=ResultCache())
    assert (report.not_finite, report.accuracy, report.recall, report.f1) == (EXAMPLES, 0, 0, 0)
    assert sum(map(sum, report.confusion)) == 0
    first, second = report.reasons[:2]
    assert first.text == (
        f"The outputs for {EXAMPLES} of {EXAMPLES} validation examples are NaN or infinite: such "
        "examples have no prediction and count as wrong."
    )
    assert (second.kind, second.layer) == ("zero-norm", DIRECTIONS[norm])
    assert not bool((wb.compress(model, PRUNED).weights()[DIRECTIONS[norm]][2] != 0).any())


def test_some_examples_alone_have_no_prediction(threads):
    model = brought(Rooted())
    recipe = wb.Recipe(prune=wb.Prune(0.84, layers={"last.weight": 0.0}))
    with torch.no_grad():
        module = model.architecture.module
        assert bool(module(inputs()).isfinite().all())
    outputs = by_hand(model, recipe)
    none = ~outputs.isfinite().all(dim=1)
    labels = torch.arange(EXAMPLES) % 3
    right = (outputs.argmax(1) == labels) & ~none
    store = ResultCache()
    report = wb.measure(model, recipe, timed=False, store=store)
    assert 0 < int(none.sum()) < EXAMPLES
    assert report.not_finite == int(none.sum())
    assert report.accuracy == int(right.sum()) / EXAMPLES
    shares = [float(right[labels == one].float().mean()) for one in range(3)]
    assert report.recall == pytest.approx(np.mean(shares))
    assert sum(map(sum, report.confusion)) == EXAMPLES - report.not_finite
    assert report.reasons[0].kind == "not-finite"
    assert report.broken == {}  # the weights are finite
    assert wb.measure(model, recipe, timed=False, store=store) == report
    again = evaluate(wb.compress(model, recipe), timed=False)
    assert (again.accuracy, again.not_finite) == (report.accuracy, report.not_finite)
    assert json.loads(json.dumps(report.as_dict()))["not_finite"] == report.not_finite


@pytest.mark.parametrize("bfloat16", [True, False])
def test_every_way_to_predict_agrees(bfloat16, threads):
    model = brought(Rooted())
    artifact = wb.compress(model, wb.Recipe(prune=wb.Prune(0.84, layers={"last.weight": 0.0})))
    weights, x = artifact.weights(), inputs().numpy()
    judged = predict(model, weights, x)
    assert NO_CLASS in judged
    sieve = FastPath(model, weights, bfloat16=bfloat16)
    first = sieve.first(x[:60])
    sieve.calibrate()
    assert np.array_equal(np.concatenate([first, sieve.predict(x[60:])]), judged)
    assert np.array_equal(predict_float64(model, weights, x), judged)
    assert np.array_equal(np.concatenate([predict(model, weights, x[at : at + 7]) for at in
                                          range(0, len(x), 7)]), judged)  # fmt: skip


ROWS = {
    "finite": ([1.0, 3.0, 2.0], 1),
    "NaN": ([1.0, float("nan"), 2.0], NO_CLASS),
    "first NaN": ([float("nan"), 3.0, 2.0], NO_CLASS),
    "all NaN": ([float("nan")] * 3, NO_CLASS),
    "infinite": ([1.0, float("inf"), 2.0], NO_CLASS),
    "several infinite": ([float("inf"), float("inf"), 2.0], NO_CLASS),
    "ruled out": ([1.0, 3.0, float("-inf")], 1),
    "all ruled out": ([float("-inf")] * 3, NO_CLASS),
}


@pytest.mark.parametrize("name", ROWS)
def test_what_settles(name):
    row, wanted = ROWS[name]
    classes, certain = classify(torch.tensor([row, [0.0, 0.0, 5.0]]), 1e-3)
    assert classes.tolist() == [wanted, 2]
    assert certain.tolist() == [True, True]


def test_a_tally_without_predictions():
    labels, predicted = np.array([0, 0, 1, 1, 2]), np.array([0, NO_CLASS, 1, 0, NO_CLASS])
    tally = PredictionCounts.of(labels, predicted, 3, 5)
    assert (tally.examples, tally.not_finite, tally.correct, tally.exact) == (5, 2, 2, True)
    assert tally.confusion.tolist() == [[1, 0, 0], [1, 1, 0], [0, 0, 0]]
    assert tally.pairs.tolist() == [[0, 0, 1], [1, 0, 1], [1, 1, 1]]
    assert tally.recall == pytest.approx((1 / 2 + 1 / 2 + 0) / 3)
    # 2·TP / (labels + predictions) of each class
    assert tally.f1 == pytest.approx((2 / (2 + 2) + 2 / (2 + 1) + 0) / 3)


def test_numbers_that_are_none_have_no_figure(threads):
    x = inputs()
    model = brought(Rooted(1), x.sum(1, keepdim=True))
    recipe = wb.Recipe(prune=wb.Prune(0.84, layers={"last.weight": 0.0}))
    without = int((~by_hand(model, recipe).isfinite()).sum())
    report = wb.measure(model, recipe, timed=False, store=ResultCache())
    assert isnan(report.value)
    assert report.not_finite == without > 0
    assert report.reasons[0].text == (
        f"The outputs for {without} of {EXAMPLES} validation examples are NaN or infinite, and so "
        "is the metric."
    )


def test_places_without_a_finite_output_are_no_hits(threads):
    class Tagger(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = Rooted(4)

        def forward(self, x):
            return self.inner(x).unsqueeze(1).expand(-1, 2, -1)

    labels = torch.zeros(EXAMPLES, 2, dtype=torch.long)  # where argmax of NaN points to
    model = brought(Tagger(), labels)
    recipe = wb.Recipe(prune=wb.Prune(0.84, layers={"inner.last.weight": 0.0}))
    outputs = by_hand(model, recipe)
    finite = outputs.isfinite().all(-1)
    hits = (outputs.argmax(-1) == labels) & finite
    report = wb.measure(model, recipe, timed=False, store=ResultCache())
    assert report.accuracy == float(hits.double().mean())
    assert report.not_finite == int((~finite.all(1)).sum()) > 0


def test_weights_that_are_no_numbers_are_named(threads):
    model = brought(Rooted())
    weights = {name: tensor.clone() for name, tensor in model.weights().items()}
    assert non_finite_tensors(model, weights) == {}
    weights["last.bias"][1] = torch.nan
    assert non_finite_tensors(model, weights) == {"last.bias": "not-a-number"}


def test_built_in_models_say_nothing_of_it():
    score = Score("accuracy", 0.5, 0.5, 0.5, 10, 10, {})
    assert not {"not_finite", "broken"} & set(score.as_dict())
    assert Score.from_dict(score.as_dict()) == score


def test_changes_name_no_class_where_there_is_none(threads):
    model = brought(Normed())
    changed = wb.compare(model, PRUNED)
    assert set(changed.after.tolist()) == {NO_CLASS}
    assert {row["after"] for row in changed.rows()} == {"no prediction"}
    assert changed.prediction_counts[1].correct == 0
    assert len(changed.won) == 0


def test_what_has_no_prediction_cannot_be_explained(threads):
    model = brought(Normed())
    weights = wb.compress(model, PRUNED).weights()
    with pytest.raises(WorkbenchError, match="no prediction to explain"):
        explain(model, weights, inputs()[:1].numpy())
