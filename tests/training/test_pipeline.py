"""From a recipe that trains to a file: made once, kept, and true."""

from __future__ import annotations

import json

import pytest

import workbench as wb
from workbench.cache.files import FileCache, cache_folder, default_file_cache
from workbench.cache.results import ResultCache
from workbench.errors import Cancelled, RecipeError, TrainingError
from workbench.evaluation.reference import predict
from workbench.pipeline import compress, training_cost
from workbench.training.run import Run

ASKED = {"prune": {"sparsity": 0.8}, "quantize": {"bits": 4}, "rounding": "learned"}


@pytest.fixture
def model():
    return wb.model("fashion/lenet-300-100")


@pytest.fixture
def opened(tmp_path):
    """Open what is kept on disk, as a process does that remembers nothing."""
    return lambda: FileCache(tmp_path)


@pytest.fixture
def files(opened):
    return opened()


@pytest.fixture
def watched():
    """Note the steps of training."""
    seen = []

    def watch(moment):
        seen.append(moment.step)

    watch.seen = seen
    return watch


def paths(tmp_path):
    folder = tmp_path / "trained"
    return sorted(folder.iterdir(), key=lambda path: path.stat().st_size) if folder.exists() else []


@pytest.fixture
def largest(tmp_path):
    """Return where the largest file kept lies: the artifact's."""
    return lambda: paths(tmp_path)[-1]


def test_a_kept_file_is_returned_without_training(
    model, recipe, files, opened, watched, monkeypatch
):
    asked = recipe(**ASKED)
    first = compress(model, asked, files=files, on_step=watched)
    assert watched.seen == [1, 2, 3, 4]
    monkeypatch.setattr("workbench.training.run.Run", None)
    monkeypatch.setattr("workbench.training.setup.training_setup", None)
    for kept in (files, opened()):
        second = compress(model, asked, files=kept, on_step=watched)
        assert second.to_bytes() == first.to_bytes()
        assert second.recipe == asked
    assert watched.seen == [1, 2, 3, 4]


def test_another_recipe_or_model_is_another_file(model, recipe, files, watched):
    asked = recipe(**ASKED)
    compress(model, asked, files=files)
    for other, name in [
        (recipe(**ASKED, seed=1), model.name),
        (recipe(**ASKED, threads=2), model.name),
        (asked, "fashion/lenet5"),
    ]:
        compress(wb.model(name), other, files=files, on_step=watched)
    assert watched.seen == 3 * [1, 2, 3, 4]


DAMAGE = {
    "empty": lambda blob: b"",
    "cut short": lambda blob: blob[:-100],
    "a bit flipped": lambda blob: blob[:-50] + bytes([blob[-50] ^ 1]) + blob[-49:],
    "text": lambda blob: b"hello world",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_kept_file_is_made_again(damage, model, recipe, opened, largest, watched):
    asked = recipe(**ASKED)
    first = compress(model, asked, files=opened()).to_bytes()
    path = largest()
    path.write_bytes(DAMAGE[damage](first))
    again = compress(model, asked, files=opened(), on_step=watched)
    assert watched.seen == [1, 2, 3, 4]
    assert again.to_bytes() == first == path.read_bytes()


def test_a_kept_file_of_another_recipe_is_not_taken(model, recipe, opened, largest, watched):
    asked = recipe(**ASKED)
    compress(model, asked, files=opened())
    stranger = compress(model, recipe(**ASKED, seed=1), files=FileCache(None))
    largest().write_bytes(stranger.to_bytes())
    assert compress(model, asked, files=opened(), on_step=watched).recipe == asked
    assert watched.seen == [1, 2, 3, 4]


def test_an_empty_store_keeps_nothing(model, recipe, watched, monkeypatch, tmp_path):
    monkeypatch.setenv("WORKBENCH_STORE", "")
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda _name: str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert cache_folder() is None
    made = set()
    for _process in range(2):
        default_file_cache.cache_clear()
        assert training_cost(model, recipe(**ASKED)) is None
        made.add(compress(model, recipe(**ASKED), on_step=watched).to_bytes())
    assert watched.seen == 2 * [1, 2, 3, 4]
    assert len(made) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_store_is_where_it_says(model, recipe, monkeypatch, tmp_path):
    monkeypatch.setenv("WORKBENCH_STORE", str(tmp_path / "mine"))
    default_file_cache.cache_clear()
    try:
        compress(model, recipe(**ASKED))
    finally:
        monkeypatch.undo()
        default_file_cache.cache_clear()
    assert len(list((tmp_path / "mine" / "trained").iterdir())) == 2


def test_a_run_that_was_interrupted_goes_on(model, recipe, files, watched, monkeypatch, tmp_path):
    monkeypatch.setitem(Run.go.__kwdefaults__, "every", 0.0)
    asked = recipe(**ASKED, sparsening="cubic", steps=6)

    def interrupt(moment):
        if moment.step == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compress(model, asked, files=files, on_step=interrupt)
    assert [path.suffix for path in paths(tmp_path)] == [".unfinished"]
    resumed = compress(model, asked, files=files, on_step=watched)
    assert watched.seen == [5, 6]
    assert not [path for path in paths(tmp_path) if path.suffix == ".unfinished"]
    assert resumed.to_bytes() == compress(model, asked, files=FileCache(None)).to_bytes()


def test_what_was_cancelled_or_failed_is_not_kept(model, recipe, files, tmp_path):
    with pytest.raises(Cancelled):
        compress(model, recipe(**ASKED), files=files, cancelled=lambda: True)
    wild = recipe(optimizer="momentum", learning_rate=10, schedule="constant", steps=400, batch=8)
    with pytest.raises(TrainingError, match="at step"):
        compress(model, wild, files=files)
    assert paths(tmp_path) == []


def test_names_are_checked_before_training(model, recipe, files, watched):
    asked = recipe(prune={"sparsity": 0.5, "layers": {"fc9.weight": 0.1}})
    with pytest.raises(RecipeError, match="fc9"):
        compress(model, asked, files=files, on_step=watched)
    assert watched.seen == []


def test_a_disk_that_takes_nothing_only_means_training_again(model, recipe, tmp_path, watched):
    (tmp_path / "in the way").write_text("a file, not a folder")
    made = set()
    for _process in range(2):
        files = FileCache(tmp_path / "in the way")
        made.add(compress(model, recipe(**ASKED), files=files, on_step=watched).to_bytes())
    assert watched.seen == 2 * [1, 2, 3, 4]
    assert len(made) == 1


def test_the_effort_is_kept_beside_the_file(model, recipe, opened, largest, tmp_path):
    asked = recipe(**ASKED)
    assert training_cost(model, asked, opened()) is None
    last = []
    compress(model, asked, files=opened(), on_step=last.append)
    found = training_cost(model, asked, opened())
    assert found["seconds"] == pytest.approx(last[-1].seconds)
    assert found["examples_per_second"] == pytest.approx(last[-1].examples_per_second)
    beside = next(path for path in paths(tmp_path) if path != largest())
    beside.write_bytes(b"{")
    assert training_cost(model, asked, opened()) is None


@pytest.mark.parametrize("rounding", ["straight-through", "learned", "afterwards"])
@pytest.mark.parametrize("start", ["trained", "scratch"])
def test_the_accuracy_measured_is_that_of_the_file_reloaded(
    rounding, start, model, recipe, tmp_path
):
    asked = recipe(**ASKED | {"rounding": rounding}, start=start, learning_rate=0.01)
    report = wb.measure(model, asked, timed=False, store=ResultCache())
    artifact = wb.compress(model, asked)
    path = artifact.save(tmp_path / "trained.safetensors")
    loaded = wb.load(path)
    assert loaded.recipe == asked
    assert report.digest == loaded.digest
    assert report.bytes == path.stat().st_size == loaded.ledger.total
    split = model.task.split("validation")
    right = int((predict(model, loaded.weights(), split.examples) == split.labels).sum())
    assert report.accuracy == right / len(split)
    assert report.exact
    assert wb.evaluate(loaded, timed=False).accuracy == report.accuracy


def test_zeros_of_the_file_are_those_asked_for(model, recipe):
    artifact = wb.compress(model, recipe(prune={"sparsity": 0.9}, weight_decay=0.5))
    weights = artifact.weights()
    zeros = sum(int((weights[name] == 0).sum()) for name in model.layers)
    total = sum(weights[name].numel() for name in model.layers)
    assert zeros == round(0.9 * total)
    sizes = wb.measure(model, recipe(prune={"sparsity": 0.9}, weight_decay=0.5), timed=False).size
    assert sizes.sparsity_achieved == pytest.approx(0.9, abs=1e-5)


def test_training_makes_a_recipe_of_its_own(model, recipe):
    asked = recipe(**ASKED)
    assert json.loads(asked.to_json())["train"] == {
        "steps": 4, "rounding": "learned", "batch": 32, "threads": 1,
    }  # fmt: skip
    assert wb.Recipe.from_json(asked.to_json()) == asked
    untrained = wb.compress(model, asked.untrained)
    assert wb.compress(model, asked).digest != untrained.digest


def test_a_run_that_diverges_leaves_the_file_of_its_last_good_weights(
    model, recipe, opened, monkeypatch
):
    from workbench.training import run

    plain, asked = run.objective, []

    def spoiled(*args):
        asked.append(args)
        return plain(*args) * (float("nan") if len(asked) > 30 else 1.0)

    monkeypatch.setattr(run, "objective", spoiled)
    with pytest.raises(TrainingError, match="good weights at step 25") as caught:
        compress(model, recipe(prune={"sparsity": 0.8}, steps=40, batch=8), files=opened())
    weights = caught.value.artifact.weights()
    assert all(bool(weight.isfinite().all()) for weight in weights.values())
    zeros = sum(int((w == 0).sum()) for w in weights.values() if w.ndim > 1)
    assert zeros >= 0.79 * sum(w.numel() for w in weights.values() if w.ndim > 1)
