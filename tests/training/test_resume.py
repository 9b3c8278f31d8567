"""A run that is killed and resumed ends with the same bits as one that is not."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import torch

import workbench as wb
from workbench.cache.files import FileCache
from workbench.cancel import CancelToken
from workbench.errors import Cancelled
from workbench.recipe.train import OPTIMIZERS, SCHEDULES
from workbench.training.compress import compress
from workbench.training.run import Run
from workbench.training.setup import training_setup

REPOSITORY = Path(__file__).parents[2]
RESNET = "fashion/resnet"
PRUNED = {"prune": {"sparsity": 0.8}}
LEARNED = {"quantize": {"bits": 3}, "rounding": "learned"}

CASES = {
    "learned scales": LEARNED,
    "affine groups": {
        "quantize": {"bits": 3, "scheme": "affine", "granularity": "group", "group_size": 9},
        "rounding": "learned",
    },
    "stale ranges": {"quantize": {"bits": 2, "range": "mse"}, "steps": 14, "learning_rate": 0.01},
    "shared values": PRUNED | {"share": {"clusters": 8}, "steps": 14, "learning_rate": 0.01},
    "16 bits": {"quantize": {"bits": 16}},
    "linear": PRUNED | {"sparsening": "linear"},
    "cubic": PRUNED | LEARNED | {"sparsening": "cubic"},
    "rewound": PRUNED | {"sparsening": "rewind", "optimizer": "momentum"},
    "rewound, learned": PRUNED | LEARNED | {"sparsening": "rewind", "schedule": "one_cycle"},
    "dropout": {"dropout": 0.3},
    "mixed precision": {"precision": "mixed"},
    "patience": PRUNED | {"patience": 3, "learning_rate": 0.01, "steps": 20},
    "averaged": PRUNED | LEARNED | {"sparsening": "cubic", "average": 0.5},
    "averaged, patient": {"average": 0.5, "patience": 3, "learning_rate": 0.01, "steps": 20},
    "mirror": {"mirror": "half"},
    "shift": {"shift": 2},
    "shift and teacher": {"shift": 2, "teacher": "self"},
    "teacher": {"teacher": "self", "mix": 0.5},
    "from scratch": {"start": "scratch"},
    "second epoch": {"batch": 200},
    "large batch": {"batch": 600},
} | {
    f"{optimizer.value}, {schedule.value}": {
        "optimizer": optimizer.value,
        "schedule": schedule.value,
        "weight_decay": 0.01,
        "clip": 1.0,
    }
    for optimizer, schedule in zip(OPTIMIZERS, [*SCHEDULES, SCHEDULES[0]], strict=True)
}
WITH_BATCH_NORM = {
    "plain": {},
    "everything": PRUNED | LEARNED | {"sparsening": "cubic", "dropout": 0.2, "shift": 1},
    "rewound": PRUNED | {"sparsening": "rewind", "quantize": {"bits": 4}},
}


@pytest.fixture
def interrupt_at(start_run):
    """Return a function that trains until `step` is in a checkpoint, and then aborts."""

    def train(recipe, name, step, path):
        with closing(start_run(recipe, name).go(checkpoint=path, every=0.0)) as events:
            for event in events:
                if event.step == step:
                    break

    return train


def check(recipe, name, steps, tmp_path, start_run, finish, artifact_of, interrupt_at, same):
    whole = start_run(recipe, name)
    finish(whole)
    expected = artifact_of(whole, recipe, name)
    for step in steps:
        path = tmp_path / f"{step}" / "checkpoint"
        interrupt_at(recipe, name, step, path)
        again = start_run(recipe, name)
        events = finish(again, checkpoint=path)
        assert [m.step for m in events] == list(range(step + 1, whole.step + 1))
        assert same(again.trained().weights, whole.trained().weights)
        assert same(again.quantizer.masks, whole.quantizer.masks)
        assert artifact_of(again, recipe, name).to_bytes() == expected.to_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_a_resumed_run_ends_the_same(
    case, tmp_path, start_run, make_recipe, finish, artifact_of, interrupt_at, same
):
    recipe = make_recipe(**{"steps": 8} | CASES[case])
    steps = (1, 2, 5, recipe.train.steps - 1)
    check(
        recipe, "fashion/lenet-300-100", steps[case == "16 bits" :], tmp_path,
        start_run, finish, artifact_of, interrupt_at, same,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("case", WITH_BATCH_NORM)
def test_a_resumed_run_with_batch_norm_ends_the_same(
    case, tmp_path, start_run, make_recipe, finish, artifact_of, interrupt_at, same
):
    recipe = make_recipe(**{"steps": 4, "batch": 16, "threads": 2} | WITH_BATCH_NORM[case])
    check(recipe, RESNET, (1, 3), tmp_path, start_run, finish, artifact_of, interrupt_at, same)


KILLED = """
import sys
from pathlib import Path
import workbench as wb
from workbench.training.setup import training_setup
from workbench.training.run import Run

recipe = wb.Recipe.from_json(sys.argv[1])
run = Run(training_setup(wb.model("fashion/lenet-300-100"), recipe), recipe)
for event in run.go(checkpoint=Path(sys.argv[2]), every=0.0):
    print(event.step, flush=True)
    sys.stdin.readline()  # waits for a line, or to be killed
"""


@pytest.mark.slow
def test_a_killed_process_is_resumed(make_recipe, tmp_path, artifact_of, finish, same):
    recipe = make_recipe(
        prune={"sparsity": 0.9}, quantize={"bits": 4}, rounding="learned",
        sparsening="cubic", dropout=0.1, shift=1, steps=8,
    )  # fmt: skip
    path = tmp_path / "checkpoint"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, recipe.to_json(), str(path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY,
    ) as process:  # fmt: skip
        for step in range(1, 5):
            assert process.stdout.readline().strip() == str(step)
            if step < 4:
                process.stdin.write("\n")
                process.stdin.flush()
        process.kill()
    assert path.exists()
    model = wb.model("fashion/lenet-300-100")
    resumed, whole = (Run(training_setup(model, recipe), recipe) for _ in range(2))
    assert [event.step for event in finish(resumed, checkpoint=path)] == [4, 5, 6, 7, 8]
    finish(whole)
    assert same(resumed.trained().weights, whole.trained().weights)
    assert artifact_of(resumed, recipe).to_bytes() == artifact_of(whole, recipe).to_bytes()
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint"]


def flipped(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


DAMAGE = {
    "missing": None,
    "empty": lambda content: b"",
    "cut short": lambda content: content[: len(content) // 3],
    "a bit flipped": flipped,
    "text": lambda content: b"hello world",
    "zeros": lambda content: bytes(len(content)),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_checkpoint_is_ignored(
    damage, tmp_path, start_run, make_recipe, finish, interrupt_at, same
):
    recipe = make_recipe(prune={"sparsity": 0.5}, optimizer="momentum")
    path = tmp_path / "checkpoint"
    interrupt_at(recipe, "fashion/lenet-300-100", 2, path)
    change = DAMAGE[damage]
    path.write_bytes(change(path.read_bytes())) if change else path.unlink()
    again, whole = start_run(recipe), start_run(recipe)
    assert [event.step for event in finish(again, checkpoint=path)] == [1, 2, 3, 4]
    finish(whole)
    assert same(again.trained().weights, whole.trained().weights)


def test_a_run_completes_if_the_disk_is_not_writable(tmp_path, start_run, make_recipe, finish):
    (tmp_path / "blocked").write_text("a file, not a folder")
    path = tmp_path / "blocked" / "checkpoint"
    run = start_run(make_recipe())
    assert len(finish(run, checkpoint=path, every=0.0)) == 4


def test_a_full_disk_keeps_the_previous_checkpoint(
    tmp_path, start_run, make_recipe, interrupt_at, finish, monkeypatch
):
    recipe = make_recipe()
    path = tmp_path / "checkpoint"
    interrupt_at(recipe, "fashion/lenet-300-100", 2, path)
    before = path.read_bytes()

    def full(_self, _target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    assert len(finish(start_run(recipe), checkpoint=path, every=0.0)) == 2
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint"]


@pytest.mark.parametrize("last", [1, 4])
def test_a_cancelled_run_resumes_where_it_stopped(
    last, tmp_path, start_run, make_recipe, finish, same
):
    recipe = make_recipe(steps=6, quantize={"bits": 4}, rounding="learned")
    path = tmp_path / "checkpoint"
    stopped = start_run(recipe)
    with pytest.raises(Cancelled):
        for _event in stopped.go(
            cancel=CancelToken(lambda: stopped.step == last), checkpoint=path, every=1e9
        ):
            pass
    resumed = start_run(recipe)
    before = stopped.energy
    assert [event.step for event in resumed.go(checkpoint=path)] == list(range(last + 1, 7))
    assert resumed.energy.joules > before.joules  # of all six steps
    undisturbed = start_run(recipe)
    finish(undisturbed)
    assert same(resumed.trained().weights, undisturbed.trained().weights)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fashion/lenet-300-100", RESNET])
@pytest.mark.parametrize("sparsening", ["cubic", "rewind"])
def test_a_run_cancelled_within_a_batch_resumes_where_it_stopped(
    sparsening, name, tmp_path, start_run, make_recipe, finish, same
):
    recipe = make_recipe(prune={"sparsity": 0.8}, sparsening=sparsening, steps=6, batch=300)
    path = tmp_path / "checkpoint"
    stopped = start_run(recipe, name)
    calls = 0

    def cancelled():
        nonlocal calls
        calls += stopped.step == 3
        return calls == 3  # the third poll in the fourth batch

    with pytest.raises(Cancelled):
        finish(stopped, cancel=CancelToken(cancelled), checkpoint=path, every=1e9)
    resumed = start_run(recipe, name)
    assert [event.step for event in resumed.go(checkpoint=path)] == [4, 5, 6]
    undisturbed = start_run(recipe, name)
    finish(undisturbed)
    assert same(resumed.trained().weights, undisturbed.trained().weights)


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_a_callback_may_stop_the_run(error, tmp_path):
    files = FileCache(tmp_path)
    model = wb.model("fashion/mlp-32")
    recipe = wb.Recipe(train=wb.Train(6, threads=1))

    def breaks(event):
        if event.step == 4:
            raise error

    with pytest.raises(error):
        compress(model, recipe, on_step=breaks, files=files)
    seen = []
    compress(model, recipe, on_step=lambda step: seen.append(step.step), files=files)
    assert seen == [5, 6]


def test_loading_a_checkpoint_runs_no_code(tmp_path, start_run, make_recipe, interrupt_at):
    path = tmp_path / "checkpoint"
    recipe = make_recipe(quantize={"bits": 4}, rounding="learned", schedule="step")
    interrupt_at(recipe, "fashion/lenet-300-100", 1, path)
    run = start_run(recipe)
    calls = []
    load = torch.load
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "load", lambda *a, **k: calls.append(k) or load(*a, **k))
        next(run.go(checkpoint=path))
    assert calls == [{"weights_only": True}]
