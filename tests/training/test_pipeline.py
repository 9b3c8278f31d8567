"""From a training recipe to a file: trained once, cached, and measured correctly."""

from __future__ import annotations

import json

import pytest

import workbench as wb
from tests.raises import raises
from workbench.cache.files import FileCache, cache_folder, default_file_cache
from workbench.cache.results import ResultCache
from workbench.cancel import CancelToken
from workbench.errors import Cancelled
from workbench.evaluation.reference import predict
from workbench.training import forward
from workbench.training.compress import compress, training_cost
from workbench.training.run import Run

ASKED = {"prune": {"sparsity": 0.8}, "quantize": {"bits": 4}, "rounding": "learned"}


@pytest.fixture
def model():
    return wb.model("fashion/lenet-300-100")


@pytest.fixture
def opened(tmp_path):
    """Return a function that opens the file cache, as a new process does."""
    return lambda: FileCache(tmp_path)


@pytest.fixture
def files(opened):
    return opened()


@pytest.fixture
def on_step():
    """Record the steps of training."""
    seen = []

    def record(step):
        seen.append(step.step)

    record.seen = seen
    return record


def paths(tmp_path):
    folder = tmp_path / "trained"
    return sorted(folder.iterdir(), key=lambda path: path.stat().st_size) if folder.exists() else []


@pytest.fixture
def largest(tmp_path):
    """Return a function that finds the largest cached file, the artifact."""
    return lambda: paths(tmp_path)[-1]


def test_a_cached_file_is_returned_without_training(
    model, make_recipe, files, opened, on_step, monkeypatch
):
    recipe = make_recipe(**ASKED)
    first = compress(model, recipe, files=files, on_step=on_step)
    assert on_step.seen == [1, 2, 3, 4]
    monkeypatch.setattr("workbench.training.run.Run", None)
    monkeypatch.setattr("workbench.training.setup.training_setup", None)
    for cache in (files, opened()):
        second = compress(model, recipe, files=cache, on_step=on_step)
        assert second.to_bytes() == first.to_bytes()
        assert second.recipe == recipe
    assert on_step.seen == [1, 2, 3, 4]


def test_other_recipes_and_models_are_trained_separately(model, make_recipe, files, on_step):
    recipe = make_recipe(**ASKED)
    compress(model, recipe, files=files)
    for other, name in [
        (make_recipe(**ASKED, seed=1), model.name),
        (make_recipe(**ASKED, threads=2), model.name),
        (recipe, "fashion/lenet5"),
    ]:
        compress(wb.model(name), other, files=files, on_step=on_step)
    assert on_step.seen == 3 * [1, 2, 3, 4]


DAMAGE = {
    "empty": lambda blob: b"",
    "cut short": lambda blob: blob[:-100],
    "a bit flipped": lambda blob: blob[:-50] + bytes([blob[-50] ^ 1]) + blob[-49:],
    "text": lambda blob: b"hello world",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_cached_file_is_made_again(damage, model, make_recipe, opened, largest, on_step):
    recipe = make_recipe(**ASKED)
    first = compress(model, recipe, files=opened()).to_bytes()
    path = largest()
    path.write_bytes(DAMAGE[damage](first))
    again = compress(model, recipe, files=opened(), on_step=on_step)
    assert on_step.seen == [1, 2, 3, 4]
    assert again.to_bytes() == first == path.read_bytes()


def test_a_cached_file_of_another_recipe_is_not_used(model, make_recipe, opened, largest, on_step):
    recipe = make_recipe(**ASKED)
    compress(model, recipe, files=opened())
    other = compress(model, make_recipe(**ASKED, seed=1), files=FileCache(None))
    largest().write_bytes(other.to_bytes())
    assert compress(model, recipe, files=opened(), on_step=on_step).recipe == recipe
    assert on_step.seen == [1, 2, 3, 4]


def test_without_a_store_nothing_is_cached(model, make_recipe, on_step, monkeypatch, tmp_path):
    monkeypatch.setenv("WORKBENCH_STORE", "")
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda _name: str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert cache_folder() is None
    blobs = set()
    for _process in range(2):
        default_file_cache.cache_clear()
        assert training_cost(model, make_recipe(**ASKED)) is None
        blobs.add(compress(model, make_recipe(**ASKED), on_step=on_step).to_bytes())
    assert on_step.seen == 2 * [1, 2, 3, 4]
    assert len(blobs) == 1
    assert list(tmp_path.iterdir()) == []


def test_the_environment_sets_the_store(model, make_recipe, monkeypatch, tmp_path):
    monkeypatch.setenv("WORKBENCH_STORE", str(tmp_path / "mine"))
    default_file_cache.cache_clear()
    try:
        compress(model, make_recipe(**ASKED))
    finally:
        monkeypatch.undo()
        default_file_cache.cache_clear()
    assert len(list((tmp_path / "mine" / "trained").iterdir())) == 2


@pytest.mark.slow
def test_an_interrupted_run_is_resumed(model, make_recipe, files, on_step, monkeypatch, tmp_path):
    monkeypatch.setitem(Run.go.__kwdefaults__, "every", 0.0)
    recipe = make_recipe(**ASKED, sparsening="cubic", steps=6)

    def interrupt(event):
        if event.step == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compress(model, recipe, files=files, on_step=interrupt)
    assert [path.suffix for path in paths(tmp_path)] == [".unfinished"]
    resumed = compress(model, recipe, files=files, on_step=on_step)
    assert on_step.seen == [5, 6]
    assert not [path for path in paths(tmp_path) if path.suffix == ".unfinished"]
    assert resumed.to_bytes() == compress(model, recipe, files=FileCache(None)).to_bytes()


def test_cancelled_and_failed_runs_are_not_cached(model, make_recipe, files, tmp_path):
    with pytest.raises(Cancelled):
        compress(model, make_recipe(**ASKED), files=files, cancel=CancelToken(lambda: True))
    wild = make_recipe(
        optimizer="momentum", learning_rate=10, schedule="constant", steps=400, batch=8
    )
    with raises("training.diverged", "at step"):
        compress(model, wild, files=files)
    assert paths(tmp_path) == []


def test_names_are_checked_before_training(model, make_recipe, files, on_step):
    recipe = make_recipe(prune={"sparsity": 0.5, "layers": {"fc9.weight": 0.1}})
    with raises("recipe.unknown_layer", "fc9.weight"):
        compress(model, recipe, files=files, on_step=on_step)
    assert on_step.seen == []


def test_if_the_disk_is_not_writable_training_is_repeated(model, make_recipe, tmp_path, on_step):
    (tmp_path / "blocked").write_text("a file, not a folder")
    blobs = set()
    for _process in range(2):
        files = FileCache(tmp_path / "blocked")
        blobs.add(compress(model, make_recipe(**ASKED), files=files, on_step=on_step).to_bytes())
    assert on_step.seen == 2 * [1, 2, 3, 4]
    assert len(blobs) == 1


def test_the_training_cost_is_cached_next_to_the_file(
    model, make_recipe, opened, largest, tmp_path
):
    recipe = make_recipe(**ASKED)
    assert training_cost(model, recipe, opened()) is None
    last = []
    compress(model, recipe, files=opened(), on_step=last.append)
    cost = training_cost(model, recipe, opened())
    assert cost["seconds"] == pytest.approx(last[-1].seconds)
    assert cost["examples_per_second"] == pytest.approx(last[-1].examples_per_second)
    of_cost = next(path for path in paths(tmp_path) if path != largest())
    of_cost.write_bytes(b"{")
    assert training_cost(model, recipe, opened()) is None


@pytest.mark.slow
@pytest.mark.parametrize("rounding", ["straight_through", "learned", "afterwards"])
@pytest.mark.parametrize("start", ["trained", "scratch"])
def test_the_measured_accuracy_is_that_of_the_reloaded_file(
    rounding, start, model, make_recipe, tmp_path
):
    recipe = make_recipe(**ASKED | {"rounding": rounding}, start=start, learning_rate=0.01)
    report = wb.measure(model, recipe, timed=False, store=ResultCache())
    artifact = wb.compress(model, recipe)
    path = artifact.save(tmp_path / "trained.safetensors")
    loaded = wb.load(path)
    assert loaded.recipe == recipe
    assert report.digest == loaded.digest
    assert report.bytes == path.stat().st_size == loaded.ledger.total
    split = model.task.split("validation")
    correct = int((predict(model, loaded.weights(), split.examples) == split.labels).sum())
    assert report.accuracy == correct / len(split)
    assert report.exact
    assert wb.evaluate(loaded, timed=False).accuracy == report.accuracy


def test_the_file_has_the_requested_zeros(model, make_recipe):
    artifact = wb.compress(model, make_recipe(prune={"sparsity": 0.9}, weight_decay=0.5))
    weights = artifact.weights()
    zeros = sum(int((weights[name] == 0).sum()) for name in model.layers)
    total = sum(weights[name].numel() for name in model.layers)
    assert zeros == round(0.9 * total)
    sizes = wb.measure(
        model, make_recipe(prune={"sparsity": 0.9}, weight_decay=0.5), timed=False
    ).size
    assert sizes.sparsity_achieved == pytest.approx(0.9, abs=1e-5)


def test_a_training_recipe_differs_from_the_untrained_one(model, make_recipe):
    recipe = make_recipe(**ASKED)
    assert json.loads(recipe.to_json())["train"] == {
        "steps": 4, "rounding": "learned", "batch": 32, "threads": 1,
    }  # fmt: skip
    assert wb.Recipe.from_json(recipe.to_json()) == recipe
    untrained = wb.compress(model, recipe.untrained)
    assert wb.compress(model, recipe).digest != untrained.digest


def test_a_run_that_diverges_returns_the_file_of_its_last_good_weights(
    model, make_recipe, opened, monkeypatch
):
    objective, calls = forward.objective, []

    def diverging(*args):
        calls.append(args)
        return objective(*args) * (float("nan") if len(calls) > 30 else 1.0)

    monkeypatch.setattr(forward, "objective", diverging)
    with raises("training.diverged", 31, 25) as caught:
        compress(model, make_recipe(prune={"sparsity": 0.8}, steps=40, batch=8), files=opened())
    weights = caught.value.artifact.weights()
    assert all(bool(weight.isfinite().all()) for weight in weights.values())
    zeros = sum(int((w == 0).sum()) for w in weights.values() if w.ndim > 1)
    assert zeros >= 0.79 * sum(w.numel() for w in weights.values() if w.ndim > 1)
