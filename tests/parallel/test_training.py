"""Training on real processes, against one process and against plain PyTorch."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import workbench as wb
from tests.raises import raises
from workbench.parallel.job import initial_weights
from workbench.parallel.plan import Plan
from workbench.plots.parallel import notes

pytestmark = pytest.mark.slow
TOLERANCE = 1e-6
SMALL = {"steps": 4, "batch": 14, "exact": False}
FORMS = [
    {"strategy": "data", "shards": (3, 11)},
    {"strategy": "zero1", "shards": (9, 5)},
    {"strategy": "zero2"},
    {"strategy": "zero3", "shards": (1, 13)},
    {"strategy": "tensor"},
    {"strategy": "pipeline", "schedule": "gpipe", "microbatches": 3},
    {"strategy": "pipeline", "schedule": "1f1b", "microbatches": 5},
    {"strategy": "pipeline", "schedule": "interleaved", "microbatches": 2},
]


def check_equal_to_one_process(result):
    assert result.gradient_difference <= TOLERANCE
    assert result.consistent
    assert result.distance < 1e-3  # Adam enlarges differences of rounding where gradients are tiny
    assert len({rank.digest for rank in result.ranks}) == 1


@pytest.mark.parametrize("form", FORMS, ids=lambda form: "-".join(map(str, form.values())))
def test_a_built_in_model_trains_as_on_one_process(form):
    result = wb.train_in_parallel(wb.model("fashion/lenet5"), **SMALL, **form)
    check_equal_to_one_process(result)
    for rank in result.ranks:
        assert rank.formula is None or rank.formula == rank.held
    if result.communicated_formula is not None:
        assert result.ranks[0].payload == pytest.approx(result.communicated_formula)
    shown = result._repr_mimebundle_()["text/html"]
    assert ("the ranks idle for" in shown) == (form["strategy"] == "pipeline")


@pytest.mark.parametrize(
    "form", FORMS[3:6] + FORMS[7:], ids=lambda form: "-".join(map(str, form.values()))
)
def test_a_user_module_trains_as_on_one_process(form, gated):
    """Its class is in a file that ranks cannot import, like one of a notebook."""
    result = wb.train_in_parallel(gated, **SMALL, **form)
    check_equal_to_one_process(result)


def test_tensor_parallel_splits_a_hidden_layer_that_ranks_do_not_divide():
    result = wb.train_in_parallel(wb.model("fashion/lenet-300-100"), "tensor", 3, **SMALL)
    check_equal_to_one_process(result)  # 100 hidden values between two layers of a pair


def test_a_file_makes_the_module_that_is_sent_otherwise(gated, source):
    digests = [
        wb.train_in_parallel(gated, source=origin, **SMALL).ranks[0].digest
        for origin in (None, f"{source}:make")
    ]
    assert digests[0] == digests[1]


def test_one_process_trains_as_plain_pytorch(gated, source):
    settings = {"steps": 3, "batch": 8, "optimizer": "sgd", "learning_rate": 0.1}
    result = wb.train_in_parallel(
        gated, ranks=1, source=f"{source}:make", **settings, start="trained", exact=False
    )
    module = gated.module().to_empty(device="cpu")
    module.load_state_dict(gated.weights())
    train = gated.task.split("train")
    order = np.random.default_rng(0).permutation(len(train))
    for step in range(3):
        batch = order[8 * step : 8 * step + 8]
        inputs = gated.task.inputs(train.examples[batch])
        loss = functional.cross_entropy(
            module(inputs), torch.as_tensor(np.asarray(train.labels[batch]))
        )
        gradients = torch.autograd.grad(loss, list(module.parameters()))
        with torch.no_grad():
            for parameter, gradient in zip(module.parameters(), gradients, strict=True):
                parameter.sub_(0.1 * gradient)
    sample = gated.task.split("validation")
    last = result.records[-1]
    order = np.random.default_rng(0)
    order.permutation(len(train))
    chosen = order.permutation(len(sample))
    outputs = module(gated.task.inputs(sample.examples[chosen]))
    labels = torch.as_tensor(np.asarray(sample.labels[chosen]))
    assert last.sample_loss == pytest.approx(functional.cross_entropy(outputs, labels).item())


def test_a_mean_of_means_is_another_gradient():
    model = wb.model("fashion/mlp-32")
    uneven = {**SMALL, "shards": (1, 13)}
    wrong = wb.train_in_parallel(model, **uneven, weighting="ranks")
    right = wb.train_in_parallel(model, **uneven, weighting="examples")
    assert wrong.gradient_difference > 0.1
    assert right.gradient_difference <= TOLERANCE
    equal = wb.train_in_parallel(model, **SMALL, weighting="ranks")
    assert equal.gradient_difference <= TOLERANCE


def test_batch_norm_per_rank_is_another_gradient():
    model = wb.model("fashion/resnet")
    settings = {**SMALL, "steps": 1}
    per_rank = wb.train_in_parallel(model, **settings, batch_norm="per_rank")
    fixed = wb.train_in_parallel(model, **settings, batch_norm="fixed")
    assert per_rank.gradient_difference > 0.01
    assert fixed.gradient_difference <= TOLERANCE


def test_synchronized_repeats_are_equal_and_racing_ones_are_not():
    model = wb.model("fashion/mlp-32")
    settings = {"steps": 20, "batch": 32, "exact": False, "repeats": 5}
    synchronized = wb.train_in_parallel(model, **settings)
    assert len(synchronized.digests) == 5
    assert synchronized.reproducible
    racing = wb.train_in_parallel(model, **settings, sync="shared")
    assert len(set(racing.digests)) >= 4
    lost, total = racing.lost_updates
    assert lost > 0.01 * total
    locked = wb.train_in_parallel(model, **{**settings, "repeats": 1}, sync="shared_locked")
    assert locked.lost_updates[0] == 0


def test_replicas_without_synchronization_diverge_and_averaging_unites_them():
    model = wb.model("fashion/mlp-32")
    never = wb.train_in_parallel(model, sync="never", **SMALL)
    assert not never.consistent
    averaged = wb.train_in_parallel(model, sync="every_k", every=2, **SMALL)
    assert averaged.consistent  # the last step averages
    steps = {r.step: r.digest for r in averaged.records if r.rank == 0}
    others = {r.step: r.digest for r in averaged.records if r.rank == 1}
    assert steps[4] == others[4]
    assert steps[3] != others[3]


def test_a_simulated_link_slows_a_step_and_changes_no_bit():
    model = wb.model("fashion/mlp-32")
    fast = wb.train_in_parallel(model, **SMALL)
    slow = wb.train_in_parallel(model, **SMALL, machines=2, latency_ms=20)
    assert slow.ranks[0].digest == fast.ranks[0].digest
    delays = [i for i in slow.timelines[-1].intervals if i.activity == "communicate"]
    assert sum(i.end - i.start for i in delays) >= 2 * 2 * 0.02  # two messages, two ranks


def test_exact_metric_is_that_of_the_reference_evaluation(gated, source):
    result = wb.train_in_parallel(gated, source=f"{source}:make", steps=3, batch=8)
    assert result.accuracy == (result.baseline_accuracy,)


def test_result_displays_itself():
    result = wb.train_in_parallel(wb.model("fashion/mlp-32"), **SMALL, weighting="ranks")
    for picture in ("weights", "timeline", "bytes"):
        assert result.plot(picture=picture).figure["data"]
    assert result.plot(picture="timeline", replayed=True).figure["data"]
    assert result.reason in result._repr_mimebundle_()["text/html"]
    assert len(result.to_frame()["rank"]) == len(result.records)


class Handle:
    """Something that can be shared inside of a process only."""

    def __deepcopy__(self, _memo):
        return self

    def __reduce__(self):
        raise TypeError("a handle of a device")


def test_models_that_ranks_cannot_make_are_refused(gated, source):
    gated.architecture.module.handle = Handle()
    with raises("parallel.not_sendable", "source="):
        wb.train_in_parallel(gated, **SMALL)
    with raises("parallel.invalid_source"):
        wb.train_in_parallel(gated, source="absent.py:make", **SMALL)
    with raises("parallel.source_returns_no_module", "broken"):
        wb.train_in_parallel(gated, source=f"{source}:broken", **SMALL)


REPLICAS = ["data", "zero1", "zero2", "zero3"]


@pytest.mark.parametrize("strategy", [*REPLICAS, "pipeline"])
def test_scalars_and_layers_that_are_never_called_keep_their_values(scaled, source, strategy):
    result = wb.train_in_parallel(scaled, strategy, 2, source=f"{source}:scaled", **SMALL)
    assert result.gradient_difference < 1e-6
    assert max(record.distance for record in result.records if record.rank >= 0) < 1e-6
    held = [dict(rank.held) for rank in result.ranks]
    assert [rank.formula or each for rank, each in zip(result.ranks, held, strict=True)] == held


@pytest.mark.parametrize("sync", ["every_k", "never"])
def test_replicas_hold_what_the_formula_says_of_layers_that_are_never_called(scaled, source, sync):
    result = wb.train_in_parallel(scaled, sync=sync, source=f"{source}:scaled", **SMALL)
    assert all(rank.formula == rank.held for rank in result.ranks)


def test_strategies_that_do_not_fit_are_refused_with_the_reason():
    with raises("parallel.too_few_layers", 2):
        wb.train_in_parallel(wb.model("fashion/mlp-32"), "pipeline", 3, **SMALL)
    with raises("parallel.few_matrices", "%"):
        wb.train_in_parallel(wb.model("fashion/resnet"), "tensor", **SMALL)


@pytest.mark.parametrize("strategy", ["data", "zero3", "tensor", "pipeline"])
def test_numbers_that_are_not_finite_are_said_with_their_step(strategy):
    inputs = torch.randn(96, 6, generator=torch.Generator().manual_seed(0))
    parts = {"train": slice(0, 64), "validation": slice(64, 80), "test": slice(80, None)}
    data = {name: (inputs[part], inputs[part] * 3) for name, part in parts.items()}
    model = wb.from_module(nn.Sequential(nn.Linear(6, 8), nn.Linear(8, 6)), **data, name="linear")
    settings = {**SMALL, "steps": 12, "optimizer": "sgd", "learning_rate": 10.0}
    records = []
    result = wb.train_in_parallel(model, strategy, 2, **settings, on_record=records.append)
    first = min(record.not_finite_step for record in records if record.not_finite_step)
    before = [r for r in records if r.rank < 0 and r.step < first]
    assert before
    assert all(np.isfinite(record.sample_loss) for record in before)
    (after,) = [r for r in records if r.rank < 0 and r.step == 12]
    assert not np.isfinite(after.sample_loss)
    assert {r.not_finite_step for r in records if r.step == 12} <= {first, first + 1}
    sentence = notes(result)[0]
    assert f"step {first} " in sentence
    assert "not finite" in sentence
    assert sentence in result._repr_mimebundle_()["text/html"]
    json.dumps(result.plot(picture="weights").figure, allow_nan=False)


def test_initial_weights_are_those_of_the_seed():
    model = wb.model("fashion/mlp-32")
    first, again, other = (initial_weights(model, Plan(seed=seed)) for seed in (0, 0, 1))
    assert torch.equal(first["fc1.weight"], again["fc1.weight"])
    assert not torch.equal(first["fc1.weight"], other["fc1.weight"])
