"""Files whose outputs are not finite for some examples, which count as wrong."""

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
from tests.raises import raises
from workbench.analysis.attribution import explain
from workbench.cache.results import ResultCache
from workbench.evaluation.counts import PredictionCounts
from workbench.evaluation.fast_path import FastPath
from workbench.evaluation.measure import evaluate
from workbench.evaluation.non_finite import non_finite_tensors
from workbench.evaluation.reference import NO_CLASS, classify, predict, predict_float64
from workbench.evaluation.report import Score

EXAMPLES = 90
PRUNED = wb.Recipe(prune=wb.Prune(0.5))


class Normed(nn.Module):
    """Its first layer divides by the norms of its rows, one of which is nearly zero."""

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
    """Its outputs are NaN for some examples as soon as the first weight decreases."""

    def __init__(self, outputs=3):
        super().__init__()
        torch.manual_seed(0)
        self.gate, self.last = nn.Linear(6, 1, bias=False), nn.Linear(6, outputs)
        with torch.no_grad():
            self.gate.weight.fill_(1e-3)
            self.gate.weight[0, 0] = 2.0

    def forward(self, x):
        root = (self.gate(x.abs()) - 2 * x[:, :1].abs() - 1e-4 + (x[:, 1:2] < 0.5)).sqrt()
        return self.last(x) + 0 * root


def inputs():
    return torch.randn(EXAMPLES, 6, generator=torch.Generator().manual_seed(1))


def make_model(module, targets=None):
    x = inputs()
    targets = torch.arange(EXAMPLES) % 3 if targets is None else targets
    return wb.from_module(module, train=(x, targets), validation=(x, targets), test=(x, targets),
                    name="one")  # fmt: skip


def rebuilt_outputs(model, recipe):
    """Return the outputs of the rebuilt module, computed by PyTorch."""
    with torch.no_grad():
        return wb.to_module(wb.compress(model, recipe))(inputs())


@pytest.mark.parametrize("norm", [weight_norm, older_weight_norm])
@pytest.mark.filterwarnings("ignore:.*weight_norm.*")
def test_a_row_of_zero_norm_is_reported(norm, threads):
    model = make_model(Normed(norm))
    outputs = rebuilt_outputs(model, PRUNED)
    assert bool(outputs.isnan().all())  # the row affects every example
    report = wb.measure(model, PRUNED, timed=False, store=ResultCache())
    assert (report.not_finite, report.accuracy, report.recall, report.f1) == (EXAMPLES, 0, 0, 0)
    assert sum(map(sum, report.confusion)) == 0
    first, second = report.reasons[:2]
    assert first.kind == "not_finite"
    assert f"{EXAMPLES} of {EXAMPLES} validation examples" in first.text
    assert (second.kind, second.layer) == ("zero_norm", DIRECTIONS[norm])
    assert not bool((wb.compress(model, PRUNED).weights()[DIRECTIONS[norm]][2] != 0).any())


def test_only_some_examples_have_no_prediction(threads):
    model = make_model(Rooted())
    recipe = wb.Recipe(prune=wb.Prune(0.84, layers={"last.weight": 0.0}))
    with torch.no_grad():
        module = model.architecture.module
        assert bool(module(inputs()).isfinite().all())
    outputs = rebuilt_outputs(model, recipe)
    not_finite = ~outputs.isfinite().all(dim=1)
    labels = torch.arange(EXAMPLES) % 3
    correct = (outputs.argmax(1) == labels) & ~not_finite
    store = ResultCache()
    report = wb.measure(model, recipe, timed=False, store=store)
    assert 0 < int(not_finite.sum()) < EXAMPLES
    assert report.not_finite == int(not_finite.sum())
    assert report.accuracy == int(correct.sum()) / EXAMPLES
    recalls = [float(correct[labels == label].float().mean()) for label in range(3)]
    assert report.recall == pytest.approx(np.mean(recalls))
    assert sum(map(sum, report.confusion)) == EXAMPLES - report.not_finite
    assert report.reasons[0].kind == "not_finite"
    assert report.broken == {}  # the weights are finite
    assert wb.measure(model, recipe, timed=False, store=store) == report
    again = evaluate(wb.compress(model, recipe), timed=False)
    assert (again.accuracy, again.not_finite) == (report.accuracy, report.not_finite)
    assert json.loads(json.dumps(report.as_dict()))["not_finite"] == report.not_finite


@pytest.mark.parametrize("bfloat16", [True, False])
def test_all_ways_to_predict_agree(bfloat16, threads):
    model = make_model(Rooted())
    artifact = wb.compress(model, wb.Recipe(prune=wb.Prune(0.84, layers={"last.weight": 0.0})))
    weights, x = artifact.weights(), inputs().numpy()
    reference = predict(model, weights, x)
    assert NO_CLASS in reference
    fast = FastPath(model, weights, bfloat16=bfloat16)
    first = fast.first(x[:60])
    fast.calibrate()
    assert np.array_equal(np.concatenate([first, fast.predict(x[60:])]), reference)
    assert np.array_equal(predict_float64(model, weights, x), reference)
    batches = [predict(model, weights, x[at : at + 7]) for at in range(0, len(x), 7)]
    assert np.array_equal(np.concatenate(batches), reference)


ROWS = {
    "finite": ([1.0, 3.0, 2.0], 1),
    "NaN": ([1.0, float("nan"), 2.0], NO_CLASS),
    "first NaN": ([float("nan"), 3.0, 2.0], NO_CLASS),
    "all NaN": ([float("nan")] * 3, NO_CLASS),
    "infinite": ([1.0, float("inf"), 2.0], NO_CLASS),
    "several infinite": ([float("inf"), float("inf"), 2.0], NO_CLASS),
    "masked": ([1.0, 3.0, float("-inf")], 1),
    "all masked": ([float("-inf")] * 3, NO_CLASS),
}


@pytest.mark.parametrize("name", ROWS)
def test_classifying_special_values(name):
    row, expected = ROWS[name]
    classes, certain = classify(torch.tensor([row, [0.0, 0.0, 5.0]]), 1e-3)
    assert classes.tolist() == [expected, 2]
    assert certain.tolist() == [True, True]


def test_counts_of_examples_without_prediction():
    labels, predicted = np.array([0, 0, 1, 1, 2]), np.array([0, NO_CLASS, 1, 0, NO_CLASS])
    counts = PredictionCounts.of(labels, predicted, 3, 5)
    assert (counts.examples, counts.not_finite, counts.correct, counts.exact) == (5, 2, 2, True)
    assert counts.confusion.tolist() == [[1, 0, 0], [1, 1, 0], [0, 0, 0]]
    assert counts.pairs.tolist() == [[0, 0, 1], [1, 0, 1], [1, 1, 1]]
    assert counts.recall == pytest.approx((1 / 2 + 1 / 2 + 0) / 3)
    # 2·TP / (labels + predictions) of each class
    assert counts.f1 == pytest.approx((2 / (2 + 2) + 2 / (2 + 1) + 0) / 3)


def test_regression_with_nan_has_no_metric(threads):
    x = inputs()
    model = make_model(Rooted(1), x.sum(1, keepdim=True))
    recipe = wb.Recipe(prune=wb.Prune(0.84, layers={"last.weight": 0.0}))
    not_finite = int((~rebuilt_outputs(model, recipe).isfinite()).sum())
    report = wb.measure(model, recipe, timed=False, store=ResultCache())
    assert isnan(report.value)
    assert report.not_finite == not_finite > 0
    assert report.reasons[0].kind == "no_figure"
    assert f"{not_finite} of {EXAMPLES} validation examples" in report.reasons[0].text


def test_positions_without_finite_outputs_are_wrong(threads):
    class Tagger(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = Rooted(4)

        def forward(self, x):
            return self.inner(x).unsqueeze(1).expand(-1, 2, -1)

    labels = torch.zeros(EXAMPLES, 2, dtype=torch.long)  # the argmax of NaN
    model = make_model(Tagger(), labels)
    recipe = wb.Recipe(prune=wb.Prune(0.84, layers={"inner.last.weight": 0.0}))
    outputs = rebuilt_outputs(model, recipe)
    finite = outputs.isfinite().all(-1)
    hits = (outputs.argmax(-1) == labels) & finite
    report = wb.measure(model, recipe, timed=False, store=ResultCache())
    assert report.accuracy == float(hits.double().mean())
    assert report.not_finite == int((~finite.all(1)).sum()) > 0


def test_weights_that_are_not_finite_are_named(threads):
    model = make_model(Rooted())
    weights = {name: tensor.clone() for name, tensor in model.weights().items()}
    assert non_finite_tensors(model, weights) == {}
    weights["last.bias"][1] = torch.nan
    assert non_finite_tensors(model, weights) == {"last.bias": "not_a_number"}


def test_finite_scores_do_not_mention_it():
    score = Score("accuracy", 0.5, 0.5, 0.5, 10, 10, {})
    assert not {"not_finite", "broken"} & set(score.as_dict())
    assert Score.from_dict(score.as_dict()) == score


def test_a_comparison_names_no_class_without_prediction(threads):
    model = make_model(Normed())
    comparison = wb.compare(model, PRUNED)
    assert set(comparison.after.tolist()) == {NO_CLASS}
    assert {row["after"] for row in comparison.rows()} == {"no prediction"}
    assert comparison.prediction_counts[1].correct == 0
    assert len(comparison.became_right) == 0


def test_examples_without_prediction_cannot_be_explained(threads):
    model = make_model(Normed())
    weights = wb.compress(model, PRUNED).weights()
    with raises("model.no_prediction"):
        explain(model, weights, inputs()[:1].numpy())
