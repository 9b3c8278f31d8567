"""The training loop: results, reproducibility, errors, and absence of side effects."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
import torch
from torch import nn

import workbench as wb
from tests.raises import raises
from workbench.cancel import CancelToken
from workbench.errors import Cancelled
from workbench.evaluation.reference import predict
from workbench.training.forward import MICROBATCH
from workbench.training.run import SNAPSHOT_EVERY
from workbench.training.setup import training_setup

RESNET = "fashion/resnet"
FULL = {
    "prune": {"sparsity": 0.7},
    "quantize": {"bits": 4},
    "rounding": "learned",
    "sparsening": "cubic",
    "shift": 1,
    "dropout": 0.2,
    "teacher": "fashion/lenet-300-100",
    "label_smoothing": 0.1,
    "clip": 1.0,
}


def correct(weights, name, examples=1000):
    model = wb.model(name)
    split = model.task.split("validation")
    classes = predict(model, weights, split.examples[:examples])
    return int((classes == split.labels[:examples]).sum())


@pytest.mark.slow
@pytest.mark.parametrize(("name", "steps"), [("fashion/lenet-300-100", 6), (RESNET, 2)])
@pytest.mark.parametrize("cores", [1, 2])
def test_the_same_seed_and_threads_give_the_same_file(
    name, steps, cores, start_run, make_recipe, finish, artifact_of, threads
):
    recipe = make_recipe(**FULL, steps=steps, threads=cores)
    blobs = set()
    for number in (1, 2):  # whatever the number of threads of the caller
        threads(number)
        run = start_run(recipe, name)
        finish(run)
        blobs.add(artifact_of(run, recipe, name).to_bytes())
    assert len(blobs) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 1},
        {"steps": 5},
        {"shift": 0},
        {"dropout": 0.1},
        {"temperature": 2},
        {"mirror": "half"},
        {"precision": "mixed"},
        {"average": 0.5},
    ],
)
def test_every_setting_changes_the_file(changes, start_run, make_recipe, finish, same):
    ends = []
    for recipe in (make_recipe(**FULL), make_recipe(**FULL | changes)):
        run = start_run(recipe)
        finish(run)
        ends.append(run.trained().weights)
    assert not same(*ends)


def test_initial_weights_depend_on_the_seed(make_recipe, same):
    model = wb.model("fashion/lenet-300-100")
    initial = [
        training_setup(model, make_recipe(start="scratch", seed=s)).weights for s in (0, 0, 1)
    ]
    assert same(initial[0], initial[1])
    assert not same(initial[0], initial[2])
    assert not same(initial[0], model.weights())


@pytest.mark.parametrize("clip", [0.0, 0.5])
@pytest.mark.parametrize("name", ["fashion/lenet-300-100", "fashion/lenet5"])
def test_it_matches_a_plain_pytorch_loop(name, clip, start_run, make_recipe, finish):
    recipe = make_recipe(weight_decay=0.1, label_smoothing=0.1, clip=clip, steps=5)
    batches = []
    model = wb.model(name)

    def inputs(images):
        batches.append(images)
        return model.task.inputs(images)

    run = start_run(recipe, name, inputs=inputs)
    events = finish(run)
    labels = dict(zip((i.tobytes() for i in run.setup.examples), run.setup.labels, strict=True))
    plain = model.architecture.build()
    plain.load_state_dict(model.weights())
    parameters = list(plain.parameters())
    opt = torch.optim.AdamW(
        [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": 0.1},
            {"params": [p for p in parameters if p.ndim == 1], "weight_decay": 0.0},
        ],
        lr=1e-3,
    )
    scheduled = torch.optim.lr_scheduler.CosineAnnealingLR(opt, 5)
    for images, event in zip(batches, events, strict=True):
        targets = torch.tensor([int(labels[image.tobytes()]) for image in images])
        outputs = plain(model.task.inputs(images))
        loss = nn.functional.cross_entropy(outputs, targets, label_smoothing=0.1)
        opt.zero_grad()
        loss.backward()
        if clip:
            nn.utils.clip_grad_norm_(parameters, clip)
        opt.step()
        scheduled.step()
        accuracy = (outputs.argmax(dim=1) == targets).float().mean()
        assert event.loss == pytest.approx(loss.item(), rel=1e-4)
        assert event.value == pytest.approx(accuracy.item())
    for key, weight in plain.state_dict().items():
        torch.testing.assert_close(run.weights[key].detach(), weight, rtol=1e-3, atol=1e-5)


def test_a_batch_of_several_microbatches_is_one_batch(start_run, make_recipe, finish):
    examples = 2 * MICROBATCH + 100
    recipe = make_recipe(batch=20_000, steps=1, optimizer="sgd", learning_rate=0.1)
    run = start_run(recipe, most=examples)
    (event,) = finish(run)
    assert event.examples == examples  # all there are
    model = wb.model("fashion/lenet-300-100")
    plain = model.architecture.build()
    plain.load_state_dict(model.weights())
    outputs = plain(model.task.inputs(run.setup.examples))
    loss = nn.functional.cross_entropy(outputs, torch.from_numpy(run.setup.labels.astype(np.int64)))
    loss.backward()
    assert event.loss == pytest.approx(loss.item(), rel=1e-5)
    for key, parameter in plain.named_parameters():
        expected = parameter.detach() - 0.1 * parameter.grad
        torch.testing.assert_close(run.weights[key].detach(), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("batch", [1, 7, 32, 100, 101, 20_000])
def test_an_epoch_shows_each_example_at_most_once(batch, start_run, make_recipe, finish):
    size = min(batch, 100)
    per_epoch = 100 // size
    shown = []
    task = wb.task("fashion")

    def inputs(images):
        shown.append([image.tobytes() for image in images])
        return task.inputs(images)

    images = task.split("train").examples[:100].copy()
    images[:, 0, 0] = np.arange(100)  # all different
    recipe = make_recipe(batch=batch, steps=2 * per_epoch, optimizer="sgd")
    finish(
        start_run(recipe, examples=images, labels=task.split("train").labels[:100], inputs=inputs)
    )
    epochs = [list(chain(*part)) for part in (shown[:per_epoch], shown[per_epoch:])]
    for epoch in epochs:
        assert len(set(epoch)) == len(epoch) == per_epoch * size
    assert epochs[0] != epochs[1]


def test_events_report_progress(start_run, make_recipe, finish):
    events = finish(start_run(make_recipe(prune={"sparsity": 0.5}, schedule="constant")))
    assert [event.step for event in events] == [1, 2, 3, 4]
    assert {event.steps for event in events} == {4}
    assert [event.examples for event in events] == [32, 64, 96, 128]
    assert {event.learning_rate for event in events} == {1e-3}
    assert all(0 <= event.value <= 1 for event in events)
    assert all(event.sparsity == pytest.approx(0.5, abs=1e-3) for event in events)
    seconds = [event.seconds for event in events]
    assert seconds == sorted(seconds)
    assert events[-1].seconds_left == 0
    assert events[0].seconds_left == pytest.approx(3 * seconds[0])
    assert events[3].examples_per_second == pytest.approx(128 / seconds[3])


@pytest.mark.parametrize("count", [0, 1, 3])
def test_cancelling_stops_between_microbatches(count, start_run, make_recipe, finish, same):
    shown = []
    task = wb.task("fashion")

    def inputs(images):
        shown.append(len(images))
        return task.inputs(images)

    run = start_run(make_recipe(batch=2048), most=2048, inputs=inputs)
    before = run.trained().weights
    with pytest.raises(Cancelled):
        finish(run, cancel=CancelToken(lambda: len(shown) == count))
    assert shown == [MICROBATCH] * count
    assert same(run.trained().weights, before)


@pytest.mark.slow
def test_cancelling_stops_batch_norm_recalibration(start_run, make_recipe, finish, same):
    recipe = make_recipe(steps=2)
    run = start_run(recipe, RESNET)
    calls = iter([False, True])
    with pytest.raises(Cancelled):
        finish(run, cancel=CancelToken(lambda: next(calls)))
    momenta = {m.momentum for m in run.module.modules() if isinstance(m, nn.BatchNorm2d)}
    assert momenta == {0.1}
    finish(run)  # continued, it ends as if it had not been stopped
    undisturbed = start_run(recipe, RESNET)
    finish(undisturbed)
    ours, theirs = run.trained().weights, undisturbed.trained().weights
    counters = [name for name in ours if name.endswith("num_batches_tracked")]
    assert same(*({n: w for n, w in each.items() if n not in counters} for each in (ours, theirs)))


def explode(run, step, name="fc3.bias"):
    """Make the gradient of one tensor infinite in a step whose loss is finite."""
    run.weights[name].register_hook(lambda g: g * float("inf") if run.step == step else g)


def all_finite(trained):
    scales = [qparams.scale for pieces in trained.qparams.values() for qparams in pieces]
    return all(tensor.isfinite().all() for tensor in [*trained.weights.values(), *scales])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "rounding"),
    [
        ("fashion/lenet-300-100", "straight_through"),
        ("fashion/lenet-300-100", "learned"),
        (RESNET, "straight_through"),
    ],
)
def test_a_rate_that_is_too_high_is_reported_with_its_step(name, rounding, start_run, make_recipe):
    recipe = make_recipe(
        quantize={"bits": 4}, rounding=rounding, optimizer="momentum", learning_rate=10,
        schedule="constant", steps=400, batch=8, weight_decay=1.0,
    )  # fmt: skip
    run = start_run(recipe, name, most=64)
    events = []
    with raises("training.diverged") as raised:
        events.extend(run.go())
    assert all(np.isfinite(event.loss) for event in events)
    assert f"at step {len(events) + 1}," in str(raised.value)
    assert all_finite(run.trained())


@pytest.mark.parametrize("step", [0, 3, SNAPSHOT_EVERY - 1, SNAPSHOT_EVERY, SNAPSHOT_EVERY + 4])
def test_the_restored_weights_had_a_finite_loss(step, start_run, make_recipe):
    recipe = make_recipe(steps=SNAPSHOT_EVERY + 10, batch=4, optimizer="sgd", learning_rate=1e-3)
    run = start_run(recipe)
    explode(run, step)
    copies = {0: run.trained().weights}
    with raises("training.diverged", f"step {step + 2},") as raised:
        copies.update((event.step, run.trained().weights) for event in run.go())
    restored = int(str(raised.value).split("weights at step ")[1].split(":")[0])
    assert 0 <= step - restored < SNAPSHOT_EVERY
    weights = run.trained().weights
    assert all_finite(run.trained())
    assert all(torch.equal(weights[n], w) for n, w in copies[restored].items())


def test_the_last_step_is_checked_too(start_run, make_recipe, finish):
    run = start_run(make_recipe(steps=4))
    explode(run, 3)
    with raises("training.diverged", "step 4,"):
        finish(run)
    assert all_finite(run.trained())


def test_learned_scales_are_restored_with_the_weights(start_run, make_recipe, finish):
    run = start_run(make_recipe(quantize={"bits": 4}, rounding="learned", steps=10))
    before = [q.scale.clone() for pieces in run.quantizer.qparams().values() for q in pieces]
    (scale,) = run.quantizer.scales["fc1.weight"]
    scale.register_hook(lambda g: g * float("inf") if run.step == 5 else g)
    with raises("training.diverged"):
        finish(run)
    after = [q.scale for pieces in run.quantizer.qparams().values() for q in pieces]
    assert all(torch.equal(a, b) for a, b in zip(after, before, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fashion/lenet-300-100", RESNET])
def test_training_has_no_side_effects(name, start_run, make_recipe, threads, same):
    threads(2)
    torch.manual_seed(7)
    np.random.seed(7)  # noqa: NPY002
    model = wb.model(name)
    before = {key: weight.clone() for key, weight in model.weights().items()}
    states = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    recipe = make_recipe(**FULL, start="scratch", threads=1)
    run = start_run(recipe, name)
    start = {key: weight.clone() for key, weight in run.setup.weights.items()}
    images, labels = run.setup.examples.copy(), run.setup.labels.copy()
    for _event in run.go():
        assert torch.get_num_threads() == 2
    assert same(model.weights(), before)
    assert same(run.setup.weights, start)
    assert np.array_equal(run.setup.examples, images)
    assert np.array_equal(run.setup.labels, labels)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.array_equal(np.random.get_state()[1], states[1])  # noqa: NPY002
    assert torch.get_num_threads() == 2
    assert not any(weight.requires_grad for weight in model.weights().values())


def test_an_aborted_run_restores_the_number_of_threads(start_run, make_recipe, threads):
    threads(1)
    abandoned = start_run(make_recipe(threads=2)).go()
    next(abandoned)
    assert torch.get_num_threads() == 1
    with pytest.raises(Cancelled):
        next(start_run(make_recipe(threads=2)).go(cancel=CancelToken(lambda: True)))
    assert torch.get_num_threads() == 1


@pytest.mark.slow
def test_interleaved_runs_do_not_affect_each_other(start_run, make_recipe, finish, same):
    recipes = [make_recipe(**FULL, threads=cores) for cores in (1, 2)]
    alone = []
    for recipe in recipes:
        run = start_run(recipe)
        finish(run)
        alone.append(run.trained().weights)
    runs = [start_run(recipe) for recipe in recipes]
    for _both in zip(*(run.go() for run in runs), strict=True):
        pass
    for run, expected in zip(runs, alone, strict=True):
        assert same(run.trained().weights, expected)


def test_results_are_copies(start_run, make_recipe):
    run = start_run(make_recipe())
    going = run.go()
    next(going)
    early = run.trained().weights
    copy = {key: weight.clone() for key, weight in early.items()}
    list(going)
    assert all(torch.equal(early[key], copy[key]) for key in early)
    assert not any(weight.requires_grad for weight in early.values())


def test_zero_steps_only_recalibrate_batch_norm(start_run, make_recipe, finish):
    recipe = make_recipe(prune={"sparsity": 0.8}, steps=0)
    run = start_run(recipe, RESNET)
    assert finish(run) == []
    changed = {
        key
        for key, weight in run.trained().weights.items()
        if not torch.equal(weight, wb.model(RESNET).weights()[key])
    }
    assert changed
    assert all("running" in key or "num_batches" in key for key in changed)
    unchanged = start_run(make_recipe(prune={"sparsity": 0.8}, steps=0, batch_norm="keep"), RESNET)
    finish(unchanged)
    weights = unchanged.trained().weights
    assert all(torch.equal(w, weights[key]) for key, w in wb.model(RESNET).weights().items())


@pytest.mark.slow
def test_batch_norm_recalibration_recovers_accuracy(start_run, make_recipe, finish, artifact_of):
    recipe = make_recipe(prune={"sparsity": 0.8}, steps=0)
    run = start_run(recipe, RESNET, most=4096)
    finish(run)
    recovered = correct(artifact_of(run, recipe, RESNET).weights(), RESNET)
    before = correct(wb.compress(wb.model(RESNET), recipe.untrained).weights(), RESNET)
    assert recovered > before


def test_training_recovers_accuracy(start_run, make_recipe, finish, artifact_of):
    name = "fashion/lenet-300-100"
    recipe = make_recipe(prune={"sparsity": 0.95}, quantize={"bits": 3}, steps=40, batch=64)
    run = start_run(recipe, most=5000)
    finish(run)
    trained = correct(artifact_of(run, recipe).weights(), name)
    assert trained > correct(wb.compress(wb.model(name), recipe.untrained).weights(), name) + 50


def test_dropout_zeroes_the_share_and_preserves_the_mean(start_run, make_recipe):
    run = start_run(make_recipe(dropout=0.25))
    run._forward.generator.manual_seed(0)
    layer = run.module.fc1
    ones = torch.ones(200, layer.in_features)
    weight = torch.full((1, layer.in_features), 1 / layer.in_features)
    with torch.no_grad():
        outputs = torch.func.functional_call(
            layer, {"weight": weight, "bias": torch.zeros(1)}, (ones,)
        )
    assert outputs.mean().item() == pytest.approx(1, abs=0.01)
    assert outputs.std().item() == pytest.approx((0.25 / 0.75 / 784) ** 0.5, rel=0.2)
