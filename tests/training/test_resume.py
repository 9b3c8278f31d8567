"""A run that was killed and taken up ends with the same bits as one that was not."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

import workbench as wb
from workbench.cache.files import FileCache
from workbench.errors import Cancelled
from workbench.pipeline import compress
from workbench.recipe.train import OPTIMIZERS, SCHEDULES
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
    "rewound, learned": PRUNED | LEARNED | {"sparsening": "rewind", "schedule": "one-cycle"},
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
def leave(begun):
    """Train until `step` steps lie in a checkpoint, and then give up."""

    def left(asked, name, step, path):
        with closing(begun(asked, name).go(checkpoint=path, every=0.0)) as moments:
            for moment in moments:
                if moment.step == step:
                    break

    return left


def check(asked, name, steps, tmp_path, begun, finish, filed, leave, same):
    whole = begun(asked, name)
    finish(whole)
    expected = filed(whole, asked, name)
    for step in steps:
        path = tmp_path / f"{step}" / "checkpoint"
        leave(asked, name, step, path)
        again = begun(asked, name)
        moments = finish(again, checkpoint=path)
        assert [m.step for m in moments] == list(range(step + 1, whole.step + 1))
        assert same(again.trained().weights, whole.trained().weights)
        assert same(again.view.kept, whole.view.kept)
        assert filed(again, asked, name).to_bytes() == expected.to_bytes()


@pytest.mark.parametrize("case", CASES)
def test_a_run_given_up_and_taken_up_ends_the_same(
    case, tmp_path, begun, recipe, finish, filed, leave, same
):
    asked = recipe(**{"steps": 8} | CASES[case])
    steps = (1, 2, 5, asked.train.steps - 1)
    check(
        asked, "fashion/lenet-300-100", steps[case == "16 bits" :], tmp_path,
        begun, finish, filed, leave, same,
    )  # fmt: skip


@pytest.mark.parametrize("case", WITH_BATCH_NORM)
def test_so_does_one_with_batch_norm(case, tmp_path, begun, recipe, finish, filed, leave, same):
    asked = recipe(**{"steps": 4, "batch": 16, "threads": 2} | WITH_BATCH_NORM[case])
    check(asked, RESNET, (1, 3), tmp_path, begun, finish, filed, leave, same)


KILLED = """
import sys
from pathlib import Path
import workbench as wb
from workbench.training.setup import lesson
from workbench.training.run import Run

recipe = wb.Recipe.from_json(sys.argv[1])
run = Run(lesson(wb.model("fashion/lenet-300-100"), recipe), recipe)
for moment in run.go(checkpoint=Path(sys.argv[2]), every=0.0):
    print(moment.step, flush=True)
    sys.stdin.readline()  # waits to be told to go on, or killed
"""


def test_a_process_that_was_killed_is_taken_up(recipe, tmp_path, filed, finish, same):
    asked = recipe(
        prune={"sparsity": 0.9}, quantize={"bits": 4}, rounding="learned",
        sparsening="cubic", dropout=0.1, shift=1, steps=8,
    )  # fmt: skip
    path = tmp_path / "checkpoint"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, asked.to_json(), str(path)],
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
    resumed, whole = (Run(training_setup(model, asked), asked) for _ in range(2))
    assert [moment.step for moment in finish(resumed, checkpoint=path)] == [4, 5, 6, 7, 8]
    finish(whole)
    assert same(resumed.trained().weights, whole.trained().weights)
    assert filed(resumed, asked).to_bytes() == filed(whole, asked).to_bytes()
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
def test_a_damaged_checkpoint_means_starting_anew(
    damage, tmp_path, begun, recipe, finish, leave, same
):
    asked = recipe(prune={"sparsity": 0.5}, optimizer="momentum")
    path = tmp_path / "checkpoint"
    leave(asked, "fashion/lenet-300-100", 2, path)
    change = DAMAGE[damage]
    path.write_bytes(change(path.read_bytes())) if change else path.unlink()
    again, whole = begun(asked), begun(asked)
    assert [moment.step for moment in finish(again, checkpoint=path)] == [1, 2, 3, 4]
    finish(whole)
    assert same(again.trained().weights, whole.trained().weights)


def test_a_disk_that_takes_nothing_stops_nothing(tmp_path, begun, recipe, finish):
    (tmp_path / "in the way").write_text("a file, not a folder")
    path = tmp_path / "in the way" / "checkpoint"
    run = begun(recipe())
    assert len(finish(run, checkpoint=path, every=0.0)) == 4


def test_a_full_disk_leaves_the_checkpoint_before(
    tmp_path, begun, recipe, leave, finish, monkeypatch
):
    asked = recipe()
    path = tmp_path / "checkpoint"
    leave(asked, "fashion/lenet-300-100", 2, path)
    before = path.read_bytes()

    def full(_self, _target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    assert len(finish(begun(asked), checkpoint=path, every=0.0)) == 2
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint"]


@pytest.mark.parametrize("last", [1, 4])
def test_a_cancelled_run_goes_on_where_it_stood(last, tmp_path, begun, recipe, finish, same):
    asked = recipe(steps=6, quantize={"bits": 4}, rounding="learned")
    path = tmp_path / "checkpoint"
    stopped = begun(asked)
    with pytest.raises(Cancelled):
        for _moment in stopped.go(
            cancelled=lambda: stopped.step == last, checkpoint=path, every=1e9
        ):
            pass
    taken_up = begun(asked)
    assert [now.step for now in taken_up.go(checkpoint=path)] == list(range(last + 1, 7))
    undisturbed = begun(asked)
    finish(undisturbed)
    assert same(taken_up.trained().weights, undisturbed.trained().weights)


@pytest.mark.parametrize("name", ["fashion/lenet-300-100", RESNET])
@pytest.mark.parametrize("sparsening", ["cubic", "rewind"])
def test_a_run_cancelled_inside_a_batch_goes_on_where_it_stood(
    sparsening, name, tmp_path, begun, recipe, finish, same
):
    asked = recipe(prune={"sparsity": 0.8}, sparsening=sparsening, steps=6, batch=300)
    path = tmp_path / "checkpoint"
    stopped = begun(asked, name)
    calls = 0

    def cancelled():
        nonlocal calls
        calls += stopped.step == 3
        return calls == 3  # the third question about the fourth batch

    with pytest.raises(Cancelled):
        finish(stopped, cancelled=cancelled, checkpoint=path, every=1e9)
    taken_up = begun(asked, name)
    assert [now.step for now in taken_up.go(checkpoint=path)] == [4, 5, 6]
    undisturbed = begun(asked, name)
    finish(undisturbed)
    assert same(taken_up.trained().weights, undisturbed.trained().weights)


@pytest.mark.parametrize("way", [KeyboardInterrupt, ZeroDivisionError])
def test_whoever_watches_may_break_it_off(way, tmp_path):
    kept = FileCache(tmp_path)
    model = wb.model("fashion/mlp-32")
    asked = wb.Recipe(train=wb.Train(6, threads=1))

    def breaks(moment):
        if moment.step == 4:
            raise way

    with pytest.raises(way):
        compress(model, asked, on_step=breaks, files=kept)
    seen = []
    compress(model, asked, on_step=lambda now: seen.append(now.step), files=kept)
    assert seen == [5, 6]


def test_a_checkpoint_runs_no_code(tmp_path, begun, recipe, leave):
    path = tmp_path / "checkpoint"
    asked = recipe(quantize={"bits": 4}, rounding="learned", schedule="step")
    leave(asked, "fashion/lenet-300-100", 1, path)
    run = begun(asked)
    seen = []
    import torch

    plain = torch.load
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "load", lambda *a, **how: seen.append(how) or plain(*a, **how))
        next(run.go(checkpoint=path))
    assert seen == [{"weights_only": True}]
