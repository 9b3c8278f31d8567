"""Any module with any data becomes a model, and neither is changed."""

from __future__ import annotations

import copy
import hashlib

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

import workbench as wb
from tests.custom.datasets import Pairs, sequences
from tests.raises import raises
from workbench.custom.model import model_of
from workbench.errors import InputError

SMALLER = wb.Recipe(prune=wb.Prune(0.5), quantize=wb.Quantize(bits=4))


def digest(module):
    sha = hashlib.sha256()
    for name, tensor in module.state_dict().items():
        sha.update(name.encode() + tensor.numpy().tobytes())
    return sha.hexdigest()


class Stream(IterableDataset):
    def __init__(self, inputs, labels):
        self.inputs, self.labels = inputs, labels

    def __iter__(self):
        return iter(zip(self.inputs, self.labels, strict=True))


def batches(inputs, labels, size=7):
    return [(inputs[at : at + size], labels[at : at + size]) for at in range(0, len(labels), size)]


KINDS = {
    "tensors": lambda x, y: (x, y),
    "arrays": lambda x, y: (x.numpy(), y.numpy()),
    "float64 arrays": lambda x, y: (x.numpy().astype(np.float64), y.numpy().astype(np.int32)),
    "dataset": Pairs,
    "tensor dataset": TensorDataset,
    "loader": lambda x, y: DataLoader(Pairs(x, y), batch_size=16),
    "shuffling loader": lambda x, y: DataLoader(Pairs(x, y), batch_size=16, shuffle=True),
    "loader of a stream": lambda x, y: DataLoader(Stream(x, y), batch_size=16),
    "list of examples": lambda x, y: list(zip(x, y.tolist(), strict=True)),
    "list of batches": batches,
    "generator of batches": lambda x, y: iter(batches(x, y)),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_type_of_data_gives_the_same_model(kind, small, points, make_splits):
    reference = wb.from_module(small, **make_splits(*points), name="reference")
    data = {name: KINDS[kind](*pair) for name, pair in make_splits(*points).items()}
    other = wb.from_module(small, **data, name="other")
    assert other.card["accuracy"] == reference.card["accuracy"]
    artifacts = [wb.compress(model, SMALLER) for model in (reference, other)]
    scores = [wb.evaluate(artifact, timed=False) for artifact in artifacts]
    assert scores[0].value == scores[1].value
    assert scores[0].total == scores[1].total == len(points[1]) // 3


@pytest.mark.slow
def test_the_module_and_the_data_are_unchanged(small, points, make_splits):
    before, inputs = digest(small), points[0].clone()
    small.train()
    model = wb.from_module(small, **make_splits(*points), name="small")
    wb.measure(model, SMALLER, timed=False)
    wb.train(model, SMALLER, steps=3)
    assert digest(small) == before
    assert torch.equal(points[0], inputs)
    assert small.training
    assert all(p.grad is None for p in small.parameters())
    assert all(not layer._forward_hooks for layer in small.modules())


def test_the_accuracy_is_that_of_an_evaluation_loop(small_model, small, points, make_splits):
    inputs, labels = make_splits(*points)["test"]
    with torch.no_grad():
        right = (small(inputs).argmax(1) == labels).float().mean()
    assert small_model.metric_value("test") == pytest.approx(float(right))


def test_a_reloaded_file_in_the_module_gives_the_reported_accuracy(
    small_model, small, points, make_splits, tmp_path
):
    report = wb.measure(small_model, SMALLER, timed=False)
    path = wb.compress(small_model, SMALLER).save(tmp_path / "small.safetensors")
    assert path.stat().st_size == report.bytes
    fresh = copy.deepcopy(small)
    fresh.load_state_dict(wb.load(path).weights())
    inputs, labels = make_splits(*points)["validation"]
    with torch.no_grad():
        right = (fresh(inputs).argmax(1) == labels).float().mean()
    assert report.accuracy == pytest.approx(float(right))
    assert wb.evaluate(wb.load(path), timed=False).accuracy == report.accuracy


def test_changed_weights_are_detected(small_model, small):
    with torch.no_grad():
        small[0].weight.add_(1)
    for use in (wb.compress, wb.measure):
        with raises("module.changed", "custom/small"):
            use(small_model, SMALLER)


def test_training_improves_it(small_model):
    trained = wb.train(small_model, steps=200, learning_rate=0.02)
    assert wb.evaluate(trained, timed=False).value > small_model.metric_value("validation") + 0.2


def test_training_from_scratch_keeps_the_width(small_model):
    assert wb.train(small_model, steps=1, start="scratch").recipe.train.start == "scratch"
    with raises("recipe.fixed_architecture", "custom/small"):
        wb.train(small_model, steps=1, start="scratch", width=0.5)


def test_a_session_can_choose_it(small_model):
    session = wb.Session("custom/small")
    try:
        assert session.model is small_model
        assert "custom/small" in wb.models()
        assert "custom/small" in wb.tasks()
    finally:
        session.close()


class Regression(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(8, 1)

    def forward(self, inputs):
        return self.layer(inputs).squeeze(1)


@pytest.mark.slow
def test_numbers_are_measured_by_root_mean_squared_error(points, make_splits):
    inputs = points[0]
    data = make_splits(inputs, inputs[:, 0] * 2 + 1)
    model = wb.from_module(Regression(), **data, name="numbers")
    assert model.task.metric.name == "root mean squared error"
    trained = wb.evaluate(wb.train(model, steps=300, learning_rate=0.05), timed=False)
    assert trained.value < 0.1 < model.metric_value("validation")
    assert trained.figures["r2"] > 0.99
    inputs, numbers = data["validation"]
    module = wb.to_module(wb.compress(model, SMALLER))
    report = wb.measure(model, SMALLER, timed=False)
    with torch.no_grad():
        expected = (module(inputs) - numbers).square().mean().sqrt()
    assert report.value == pytest.approx(float(expected), rel=1e-6)


@pytest.mark.parametrize("metric", ["r2", "root mean squared error"])
def test_a_card_with_an_earlier_name_of_r2_is_read(points, make_splits, metric):
    inputs, labels = points
    data = make_splits(inputs, labels.float().unsqueeze(1))
    module = Regression()
    model = wb.from_module(module, **data, name="numbers", metric=metric)
    earlier = copy.deepcopy(model.card)
    for entry in earlier["accuracy"].values():
        entry["explained variance"] = entry.pop("r2")
    read = model_of(module, model.task, name="custom/numbers", card=earlier)
    assert read.card["accuracy"] == model.card["accuracy"]
    assert read.digest == model.digest


def test_r2_has_a_symbol_in_texts_and_a_name_in_data(points, make_splits):
    inputs, labels = points
    data = make_splits(inputs, labels.float().unsqueeze(1))
    model = wb.from_module(Regression(), **data, name="numbers", metric="r2")
    report = wb.measure(model, wb.Recipe(), timed=False)
    assert report.as_dict()["metric"] == "r2"
    assert report.as_dict()["r2"] == report.r2 == report.value
    shown = report._repr_mimebundle_()
    for text in shown.values():
        assert "R²" in text
        assert "r2" not in text


class Next(nn.Module):
    """A language model with tied weights, a buffer that is not saved, and a fused GRU."""

    def __init__(self):
        super().__init__()
        self.symbols = nn.Embedding(11, 12)
        self.gru = nn.GRU(12, 12, batch_first=True)
        self.norm = nn.LayerNorm(12)
        self.head = nn.Linear(12, 11, bias=False)
        self.head.weight = self.symbols.weight
        self.register_buffer("scale", torch.tensor(0.5), persistent=False)

    def forward(self, symbols):
        outputs, _state = self.gru(self.symbols(symbols))
        return {"logits": self.head(self.norm(outputs)) * self.scale}


@pytest.mark.slow
def test_sequences_are_measured_by_perplexity(make_splits):
    torch.manual_seed(0)
    module = Next()
    model = wb.from_module(module, **make_splits(*sequences()), name="next")
    assert model.task.metric.name == "perplexity"
    assert list(model.card["tensors"]).count("head.weight") == 0  # tied: stored once
    symbols, labels = make_splits(*sequences())["test"]
    with torch.no_grad():
        logits = module(symbols)["logits"].double()
    nats = nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
    assert model.metric_value("test") == pytest.approx(float(nats.exp()), rel=1e-6)
    report = wb.measure(model, SMALLER, timed=False)
    names = [row.name for row in report.ledger.rows]
    assert "head.weight" not in names
    assert {"gru.weight_ih_l0", "gru.weight_hh_l0", "symbols.weight", "norm.weight"} <= set(names)
    trained = wb.evaluate(wb.train(model, SMALLER, steps=150, learning_rate=0.02), timed=False)
    assert trained.value < report.value


@pytest.mark.slow
def test_bits_per_character_do_not_depend_on_the_number_of_threads(make_splits, threads):
    torch.manual_seed(0)
    model = wb.from_module(
        Next(), **make_splits(*sequences()), name="next", metric="bits per character"
    )
    values = []
    for count in (1, 2):
        threads(count)
        values.append(wb.evaluate(wb.compress(model, SMALLER), timed=False).value)
    assert values[0] == values[1]


class Both(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Linear(8, 3)
        self.other = nn.Bilinear(8, 8, 3)

    def forward(self, left, right):
        return self.one(left) + self.other(left, right)


def test_inputs_may_be_several_or_named(points, make_splits):
    inputs, labels = points
    parts = {n: (x, x.flip(1)) for n, (x, _y) in make_splits(inputs, labels).items()}
    named = {n: {"right": b, "left": a} for n, (a, b) in parts.items()}
    labels = {n: y for n, (_x, y) in make_splits(inputs, labels).items()}
    module = Both()
    one = wb.from_module(module, **{n: (parts[n], labels[n]) for n in parts}, name="one")
    other = wb.from_module(module, **{n: (named[n], labels[n]) for n in parts}, name="other")
    assert one.card["accuracy"] == other.card["accuracy"]
    assert (
        wb.measure(other, SMALLER, timed=False).value == wb.measure(one, SMALLER, timed=False).value
    )


def test_a_function_is_a_metric(small, points, make_splits):
    def share_of_first(outputs, targets):
        return float((outputs.argmax(1) == 0).float().mean())

    model = wb.from_module(small, **make_splits(*points), name="own", metric=share_of_first)
    assert model.task.metric.name == "share_of_first"
    inputs = make_splits(*points)["validation"][0]
    expected = float((small(inputs).argmax(1) == 0).float().mean())
    assert model.metric_value("validation") == pytest.approx(expected)
    assert wb.measure(model, SMALLER, timed=False).exact


def test_results_of_different_metrics_are_cached_separately(small, points, make_splits):
    inputs, labels = points
    data = make_splits(inputs, torch.nn.functional.one_hot(labels, 3).float())
    metrics = ["root mean squared error", "r2"]
    reports = [
        wb.measure(wb.from_module(small, **data, name="twice", metric=metric), SMALLER, timed=False)
        for metric in metrics
    ]
    assert [report.metric for report in reports] == metrics


@pytest.mark.slow
def test_results_of_functions_with_the_same_name_are_cached_separately(small, points, make_splits):
    data = make_splits(*points)
    metrics = [lambda outputs, targets, value=value: value for value in (0.25, 0.75)]
    reports = [
        wb.measure(wb.from_module(small, **data, name="twice", metric=metric), SMALLER, timed=False)
        for metric in metrics
    ]
    assert [report.value for report in reports] == [0.25, 0.75]


def test_equal_weights_in_another_module_are_evaluated_again(points, make_splits):
    class Negated(nn.Linear):
        def forward(self, x):
            return -super().forward(x)

    reports = []
    for kind in (nn.Linear, Negated):
        torch.manual_seed(0)
        model = wb.from_module(kind(points[0].shape[1], 3), **make_splits(*points), name="twice")
        reports.append(wb.measure(model, SMALLER, timed=False))
    assert reports[0].size.digest == reports[1].size.digest
    assert reports[0].value != reports[1].value


@pytest.mark.slow
def test_other_training_data_or_another_loss_trains_again(small, points, make_splits):
    inputs, labels = points
    recipe = wb.Recipe(train=wb.Train(3))
    files = []
    for train in ((inputs, labels), (inputs, (labels + 1) % 3)):
        data = {**make_splits(inputs, labels), "train": train}
        files.append(wb.compress(wb.from_module(small, **data, name="twice"), recipe).to_bytes())
    losses = [lambda outputs, targets, by=by: (outputs * by).square().mean() for by in (1, 9)]
    for loss in losses:
        model = wb.from_module(small, **make_splits(inputs, labels), name="twice", loss=loss)
        files.append(wb.compress(model, recipe).to_bytes())
    assert len(set(files)) == 4


class Counting:
    """An object with the interface of torchmetrics."""

    higher_is_better = False

    def __init__(self):
        self.reset()

    def reset(self):
        self.wrong = self.all = 0

    def update(self, outputs, targets):
        self.wrong += int((outputs.argmax(1) != targets).sum())
        self.all += len(targets)

    def __call__(self, outputs, targets):
        raise AssertionError("an object must be updated batch by batch")

    def compute(self):
        return torch.tensor(self.wrong / self.all)


def test_a_torchmetrics_object_is_a_metric(small_model, small, points, make_splits):
    model = wb.from_module(small, **make_splits(*points), name="wrong", metric=Counting())
    assert not model.task.metric.higher_is_better
    assert model.metric_value("test") == pytest.approx(1 - small_model.metric_value("test"))


class WithEmpty(nn.Linear):
    """Has an empty parameter."""

    def __init__(self):
        super().__init__(8, 3)
        self.extra = nn.Parameter(torch.zeros(0, 4))


def test_a_parameter_may_be_empty(points, make_splits):
    model = wb.from_module(WithEmpty(), **make_splits(*points), name="empty")
    assert model.card["layers"]["extra"]["macs"] == 0
    assert wb.measure(model, SMALLER, timed=False).exact


class Bag(nn.Module):
    """Has no multiply-adds."""

    def __init__(self):
        super().__init__()
        self.symbols = nn.Embedding(10, 3)

    def forward(self, symbols):
        return self.symbols(symbols).sum(1)


def test_removing_channels_without_multiply_adds(points, make_splits):
    inputs = (points[0].abs() * 4).long().clamp(max=9)
    model = wb.from_module(Bag(), **make_splits(inputs, points[1]), name="bag")
    recipe = wb.Recipe(structure=wb.Structure(0.3))
    assert wb.measure(model, recipe, timed=False).size.structure["macs_removed"] == 0


def test_a_file_of_a_model_that_is_not_registered(small_model, monkeypatch):
    from workbench.zoo import registry

    artifact = wb.compress(small_model, SMALLER)
    monkeypatch.setattr(registry, "_user_models", registry.UserModels())
    with raises("model.not_registered", "custom/small"):
        wb.evaluate(artifact)


class RefusesZeros(nn.Linear):
    """Raises a Workbench error if most of its weights are zero."""

    def forward(self, x):
        if self.weight.count_nonzero() < 12:
            raise InputError("Most weights are zero: prune fewer.", code="test.zeros")
        return super().forward(x)


def test_a_workbench_error_of_the_module_of_a_file_keeps_its_code(points, make_splits):
    model = wb.from_module(RefusesZeros(8, 3), **make_splits(*points), name="refuses-zeros")
    artifact = wb.compress(model, wb.Recipe(prune=wb.Prune(0.9)))
    with raises("test.zeros"):
        wb.evaluate(artifact)
