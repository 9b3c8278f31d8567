"""The loop: what it learns, repeats, refuses and leaves alone."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
import torch
from torch import nn

import workbench as wb
from workbench.errors import Cancelled, TrainingError
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
    found = predict(model, weights, split.examples[:examples])
    return int((found == split.labels[:examples]).sum())


@pytest.mark.parametrize(("name", "steps"), [("fashion/lenet-300-100", 6), (RESNET, 2)])
@pytest.mark.parametrize("cores", [1, 2])
def test_the_same_seed_and_threads_give_the_same_file(
    name, steps, cores, begun, recipe, finish, filed, threads
):
    asked = recipe(**FULL, steps=steps, threads=cores)
    blobs = set()
    for number in (1, 2):  # however many threads whoever asks has
        threads(number)
        run = begun(asked, name)
        finish(run)
        blobs.add(filed(run, asked, name).to_bytes())
    assert len(blobs) == 1


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
def test_what_the_recipe_changes_changes_the_file(changes, begun, recipe, finish, same):
    ends = []
    for asked in (recipe(**FULL), recipe(**FULL | changes)):
        run = begun(asked)
        finish(run)
        ends.append(run.trained().weights)
    assert not same(*ends)


def test_a_fresh_start_is_drawn_with_the_seed(recipe, same):
    model = wb.model("fashion/lenet-300-100")
    drawn = [training_setup(model, recipe(start="scratch", seed=s)).weights for s in (0, 0, 1)]
    assert same(drawn[0], drawn[1])
    assert not same(drawn[0], drawn[2])
    assert not same(drawn[0], model.weights())


@pytest.mark.parametrize("clip", [0.0, 0.5])
@pytest.mark.parametrize("name", ["fashion/lenet-300-100", "fashion/lenet5"])
def test_it_learns_what_a_plain_loop_learns(name, clip, begun, recipe, finish):
    asked = recipe(weight_decay=0.1, label_smoothing=0.1, clip=clip, steps=5)
    batches = []
    model = wb.model(name)

    def inputs(images):
        batches.append(images)
        return model.task.inputs(images)

    run = begun(asked, name, inputs=inputs)
    moments = finish(run)
    labels = dict(zip((i.tobytes() for i in run.setup.examples), run.setup.labels, strict=True))
    plain = model.architecture.build()
    plain.load_state_dict(model.weights())
    parameters = list(plain.parameters())
    made = torch.optim.AdamW(
        [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": 0.1},
            {"params": [p for p in parameters if p.ndim == 1], "weight_decay": 0.0},
        ],
        lr=1e-3,
    )
    scheduled = torch.optim.lr_scheduler.CosineAnnealingLR(made, 5)
    for images, moment in zip(batches, moments, strict=True):
        targets = torch.tensor([int(labels[image.tobytes()]) for image in images])
        outputs = plain(model.task.inputs(images))
        loss = nn.functional.cross_entropy(outputs, targets, label_smoothing=0.1)
        made.zero_grad()
        loss.backward()
        if clip:
            nn.utils.clip_grad_norm_(parameters, clip)
        made.step()
        scheduled.step()
        right = (outputs.argmax(dim=1) == targets).float().mean()
        assert moment.loss == pytest.approx(loss.item(), rel=1e-4)
        assert moment.value == pytest.approx(right.item())
    for key, weight in plain.state_dict().items():
        torch.testing.assert_close(run.weights[key].detach(), weight, rtol=1e-3, atol=1e-5)


def test_a_large_batch_in_portions_is_one_batch(begun, recipe, finish):
    examples = 2 * MICROBATCH + 100
    asked = recipe(batch=20_000, steps=1, optimizer="sgd", learning_rate=0.1)
    run = begun(asked, most=examples)
    (moment,) = finish(run)
    assert moment.examples == examples  # no more than there are
    model = wb.model("fashion/lenet-300-100")
    plain = model.architecture.build()
    plain.load_state_dict(model.weights())
    outputs = plain(model.task.inputs(run.setup.examples))
    loss = nn.functional.cross_entropy(outputs, torch.from_numpy(run.setup.labels.astype(np.int64)))
    loss.backward()
    assert moment.loss == pytest.approx(loss.item(), rel=1e-5)
    for key, parameter in plain.named_parameters():
        expected = parameter.detach() - 0.1 * parameter.grad
        torch.testing.assert_close(run.weights[key].detach(), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("batch", [1, 7, 32, 100, 101, 20_000])
def test_an_epoch_shows_each_example_at_most_once(batch, begun, recipe, finish):
    size = min(batch, 100)
    per_epoch = 100 // size
    shown = []
    task = wb.task("fashion")

    def inputs(images):
        shown.append([image.tobytes() for image in images])
        return task.inputs(images)

    images = task.split("train").examples[:100].copy()
    images[:, 0, 0] = np.arange(100)  # no two are alike
    asked = recipe(batch=batch, steps=2 * per_epoch, optimizer="sgd")
    finish(begun(asked, examples=images, labels=task.split("train").labels[:100], inputs=inputs))
    epochs = [list(chain(*part)) for part in (shown[:per_epoch], shown[per_epoch:])]
    for epoch in epochs:
        assert len(set(epoch)) == len(epoch) == per_epoch * size
    assert epochs[0] != epochs[1]


def test_moments_say_how_far_it_is(begun, recipe, finish):
    moments = finish(begun(recipe(prune={"sparsity": 0.5}, schedule="constant")))
    assert [moment.step for moment in moments] == [1, 2, 3, 4]
    assert {moment.steps for moment in moments} == {4}
    assert [moment.examples for moment in moments] == [32, 64, 96, 128]
    assert {moment.learning_rate for moment in moments} == {1e-3}
    assert all(0 <= moment.value <= 1 for moment in moments)
    assert all(moment.sparsity == pytest.approx(0.5, abs=1e-3) for moment in moments)
    seconds = [moment.seconds for moment in moments]
    assert seconds == sorted(seconds)
    assert moments[-1].seconds_left == 0
    assert moments[0].seconds_left == pytest.approx(3 * seconds[0])
    assert moments[3].examples_per_second == pytest.approx(128 / seconds[3])


@pytest.mark.parametrize("asked_for", [0, 1, 3])
def test_cancelling_stops_between_portions(asked_for, begun, recipe, finish, same):
    shown = []
    task = wb.task("fashion")

    def inputs(images):
        shown.append(len(images))
        return task.inputs(images)

    run = begun(recipe(batch=2048), most=2048, inputs=inputs)
    before = run.trained().weights
    with pytest.raises(Cancelled):
        finish(run, cancelled=lambda: len(shown) == asked_for)
    assert shown == [MICROBATCH] * asked_for
    assert same(run.trained().weights, before)


def test_cancelling_stops_while_batch_norm_is_measured(begun, recipe, finish, same):
    asked = recipe(steps=2)
    run = begun(asked, RESNET)
    calls = iter([False, True])
    with pytest.raises(Cancelled):
        finish(run, cancelled=lambda: next(calls))
    momenta = {m.momentum for m in run.module.modules() if isinstance(m, nn.BatchNorm2d)}
    assert momenta == {0.1}
    finish(run)  # asked again after all, it ends as if it had never been stopped
    undisturbed = begun(asked, RESNET)
    finish(undisturbed)
    ours, theirs = run.trained().weights, undisturbed.trained().weights
    counters = [name for name in ours if name.endswith("num_batches_tracked")]
    assert same(*({n: w for n, w in one.items() if n not in counters} for one in (ours, theirs)))


def explode(run, step, name="fc3.bias"):
    """Let the gradient of one tensor become infinite in a step whose loss is a number."""
    run.weights[name].register_hook(lambda g: g * float("inf") if run.step == step else g)


def all_finite(trained):
    grids = [grid.scale for found in trained.qparams.values() for grid in found]
    return all(tensor.isfinite().all() for tensor in [*trained.weights.values(), *grids])


@pytest.mark.parametrize(
    ("name", "rounding"),
    [
        ("fashion/lenet-300-100", "straight-through"),
        ("fashion/lenet-300-100", "learned"),
        (RESNET, "straight-through"),
    ],
)
def test_a_rate_much_too_high_is_told_with_its_step(name, rounding, begun, recipe):
    asked = recipe(
        quantize={"bits": 4}, rounding=rounding, optimizer="momentum", learning_rate=10,
        schedule="constant", steps=400, batch=8, weight_decay=1.0,
    )  # fmt: skip
    run = begun(asked, name, most=64)
    moments = []
    with pytest.raises(TrainingError) as raised:
        moments.extend(run.go())
    assert all(np.isfinite(moment.loss) for moment in moments)
    assert f"at step {len(moments) + 1}," in str(raised.value)
    assert all_finite(run.trained())


@pytest.mark.parametrize("step", [0, 3, SNAPSHOT_EVERY - 1, SNAPSHOT_EVERY, SNAPSHOT_EVERY + 4])
def test_the_weights_kept_are_ones_that_gave_a_loss(step, begun, recipe):
    asked = recipe(steps=SNAPSHOT_EVERY + 10, batch=4, optimizer="sgd", learning_rate=1e-3)
    run = begun(asked)
    explode(run, step)
    copies = {0: run.trained().weights}
    with pytest.raises(TrainingError, match=f"step {step + 2},") as raised:
        copies.update((moment.step, run.trained().weights) for moment in run.go())
    kept = int(str(raised.value).split("weights at step ")[1].split(":")[0])
    assert 0 <= step - kept < SNAPSHOT_EVERY
    weights = run.trained().weights
    assert all_finite(run.trained())
    assert all(torch.equal(weights[n], w) for n, w in copies[kept].items())


def test_the_last_step_is_not_taken_on_trust(begun, recipe, finish):
    run = begun(recipe(steps=4))
    explode(run, 3)
    with pytest.raises(TrainingError, match="step 4,"):
        finish(run)
    assert all_finite(run.trained())


def test_learned_scales_go_back_with_the_weights(begun, recipe, finish):
    run = begun(recipe(quantize={"bits": 4}, rounding="learned", steps=10))
    before = [grid.scale.clone() for found in run.view.qparams().values() for grid in found]
    (scale,) = run.view.scales["fc1.weight"]
    scale.register_hook(lambda g: g * float("inf") if run.step == 5 else g)
    with pytest.raises(TrainingError):
        finish(run)
    after = [grid.scale for found in run.view.qparams().values() for grid in found]
    assert all(torch.equal(a, b) for a, b in zip(after, before, strict=True))


@pytest.mark.parametrize("name", ["fashion/lenet-300-100", RESNET])
def test_nothing_outside_is_touched(name, begun, recipe, threads, same):
    threads(2)
    torch.manual_seed(7)
    np.random.seed(7)  # noqa: NPY002
    model = wb.model(name)
    before = {key: weight.clone() for key, weight in model.weights().items()}
    lots = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    asked = recipe(**FULL, start="scratch", threads=1)
    run = begun(asked, name)
    start = {key: weight.clone() for key, weight in run.setup.weights.items()}
    images, labels = run.setup.examples.copy(), run.setup.labels.copy()
    for _moment in run.go():
        assert torch.get_num_threads() == 2
    assert same(model.weights(), before)
    assert same(run.setup.weights, start)
    assert np.array_equal(run.setup.examples, images)
    assert np.array_equal(run.setup.labels, labels)
    assert torch.equal(torch.get_rng_state(), lots[0])
    assert np.array_equal(np.random.get_state()[1], lots[1])  # noqa: NPY002
    assert torch.get_num_threads() == 2
    assert not any(weight.requires_grad for weight in model.weights().values())


def test_a_run_given_up_leaves_the_threads_alone(begun, recipe, threads):
    threads(1)
    abandoned = begun(recipe(threads=2)).go()
    next(abandoned)
    assert torch.get_num_threads() == 1
    with pytest.raises(Cancelled):
        next(begun(recipe(threads=2)).go(cancelled=lambda: True))
    assert torch.get_num_threads() == 1


def test_runs_side_by_side_do_not_disturb_each_other(begun, recipe, finish, same):
    recipes = [recipe(**FULL, threads=cores) for cores in (1, 2)]
    alone = []
    for asked in recipes:
        run = begun(asked)
        finish(run)
        alone.append(run.trained().weights)
    runs = [begun(asked) for asked in recipes]
    for _both in zip(*(run.go() for run in runs), strict=True):
        pass
    for run, expected in zip(runs, alone, strict=True):
        assert same(run.trained().weights, expected)


def test_what_was_learned_is_no_window_on_the_run(begun, recipe):
    run = begun(recipe())
    going = run.go()
    next(going)
    early = run.trained().weights
    copy = {key: weight.clone() for key, weight in early.items()}
    list(going)
    assert all(torch.equal(early[key], copy[key]) for key in early)
    assert not any(weight.requires_grad for weight in early.values())


def test_no_steps_only_measure_batch_norm(begun, recipe, finish):
    asked = recipe(prune={"sparsity": 0.8}, steps=0)
    run = begun(asked, RESNET)
    assert finish(run) == []
    changed = {
        key
        for key, weight in run.trained().weights.items()
        if not torch.equal(weight, wb.model(RESNET).weights()[key])
    }
    assert changed
    assert all("running" in key or "num_batches" in key for key in changed)
    kept = begun(recipe(prune={"sparsity": 0.8}, steps=0, batch_norm="keep"), RESNET)
    finish(kept)
    weights = kept.trained().weights
    assert all(torch.equal(w, weights[key]) for key, w in wb.model(RESNET).weights().items())


def test_measuring_batch_norm_anew_wins_accuracy_back(begun, recipe, finish, filed):
    asked = recipe(prune={"sparsity": 0.8}, steps=0)
    run = begun(asked, RESNET, most=4096)
    finish(run)
    mended = correct(filed(run, asked, RESNET).weights(), RESNET)
    before = correct(wb.compress(wb.model(RESNET), asked.untrained).weights(), RESNET)
    assert mended > before


def test_training_wins_accuracy_back(begun, recipe, finish, filed):
    name = "fashion/lenet-300-100"
    asked = recipe(prune={"sparsity": 0.95}, quantize={"bits": 3}, steps=40, batch=64)
    run = begun(asked, most=5000)
    finish(run)
    trained = correct(filed(run, asked).weights(), name)
    assert trained > correct(wb.compress(wb.model(name), asked.untrained).weights(), name) + 50


def test_dropout_leaves_out_the_share_and_keeps_the_mean(begun, recipe):
    run = begun(recipe(dropout=0.25))
    run._lot.manual_seed(0)
    inside = run.module.fc1
    ones = torch.ones(200, inside.in_features)
    weight = torch.full((1, inside.in_features), 1 / inside.in_features)
    with torch.no_grad():
        found = torch.func.functional_call(
            inside, {"weight": weight, "bias": torch.zeros(1)}, (ones,)
        )
    assert found.mean().item() == pytest.approx(1, abs=0.01)
    assert found.std().item() == pytest.approx((0.25 / 0.75 / 784) ** 0.5, rel=0.2)
