"""Models of installed packages: listed without being built, and broken ones are skipped."""

import gc
import logging
import subprocess
import sys
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib import import_module
from threading import Barrier, BrokenBarrierError, RLock
from types import SimpleNamespace

import numpy as np
import pytest

import workbench as wb
from tests.raises import raises
from workbench.custom.plugin import MOST_SPLITS, _splits
from workbench.zoo import plugins
from workbench.zoo.user_models import MOST_HELD, UserModels

GOOD = """
import numpy as np
import torch
import workbench as wb


def _read(split):
    rng = np.random.default_rng(len(split))
    inputs = rng.normal(size=(60, 4)).astype(np.float32)
    return inputs, (inputs[:, 0] > 0).astype(np.int64)


TASK = wb.Task(
    name="acme",
    title="Acme's numbers",
    classes=("no", "yes"),
    source="",
    license="",
    sources=tuple(wb.LazySplit(split, split, _read) for split in ("train", "validation", "test")),
    input_type="custom",
)
built = []


def _module():
    built.append(1)
    torch.manual_seed(0)
    return torch.nn.Linear(4, 2)


def _wrong():
    raise OSError("the disk is gone")


def models():
    return [
        wb.ModelPlugin("acme/linear", "Acme's layer", TASK, _module),
        wb.ModelPlugin("acme/wrong", "Acme's other", TASK, _wrong),
        wb.ModelPlugin(
            "fashion/acme",
            "Acme's pixels",
            wb.task("fashion"),
            lambda: torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 10)),
        ),
    ]
"""


@pytest.fixture
def plugin(tmp_path, monkeypatch, caplog):
    """Install a package of one module with entry points during a test."""

    def install(code, value="acme_models:models"):
        (tmp_path / "acme_models.py").write_text(code, encoding="utf-8")
        metadata = tmp_path / "acme_models-1.dist-info"
        metadata.mkdir(exist_ok=True)
        (metadata / "METADATA").write_text("Name: acme-models\nVersion: 1\n", encoding="utf-8")
        points = f"[workbench.models]\nacme = {value}\n"
        (metadata / "entry_points.txt").write_text(points, encoding="utf-8")
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delitem(sys.modules, "acme_models", raising=False)
        monkeypatch.setenv("WORKBENCH_STORE", "")
        plugins._by_group.clear()
        monkeypatch.setattr(plugins, "_built", UserModels())
        caplog.set_level(logging.WARNING, "workbench")
        return caplog

    yield install
    plugins._by_group.clear()
    sys.modules.pop("acme_models", None)


def test_a_plugin_model_is_listed_and_built_on_first_use(plugin):
    log = plugin(GOOD)
    assert {"acme/linear", "acme/wrong"} == set(wb.models("acme"))
    assert "fashion/acme" in wb.models("fashion")
    assert "acme" in wb.tasks()
    assert not log.messages
    acme_models = import_module("acme_models")
    assert not acme_models.built
    model = wb.model("acme/linear")
    assert model is wb.model("acme/linear")
    assert (model.title, model.task.title) == ("Acme's layer", "Acme's numbers")
    assert len(acme_models.built) == 1
    artifact = wb.compress(model, wb.Recipe(quantize=wb.Quantize(bits=4)))
    assert wb.evaluate(artifact, timed=False).size.bytes == len(artifact)


def test_two_pages_do_not_build_a_plugin_model_twice(plugin, monkeypatch):
    plugin(GOOD)
    lock, free = RLock(), []
    monkeypatch.setattr(plugins, "_building", lock)

    def observe(_number):
        with ThreadPoolExecutor(1) as other:
            free.append(other.submit(lock.acquire, blocking=False).result(60))

    assert "acme/linear" in wb.models()
    monkeypatch.setattr(import_module("acme_models"), "built", SimpleNamespace(append=observe))
    wb.model("acme/linear")
    assert free == [False]


def test_a_plugin_model_can_have_a_built_in_task(plugin):
    plugin(GOOD)
    assert wb.model("fashion/acme").card["accuracy"]["test"]["examples"] == 10_000


def test_a_plugin_model_that_cannot_be_built_is_reported(plugin):
    plugin(GOOD)
    with raises("plugin.failed", "acme/wrong", "OSError: the disk"):
        wb.model("acme/wrong")


BROKEN = {
    "import": ("import no_such_thing", "No module named 'no_such_thing'"),
    "raises": ("def models():\n    raise RuntimeError('not today')", "RuntimeError: not today"),
    "no list": ("def models():\n    return 3", "list of wb.ModelPlugin"),
    "no plugins": ("def models():\n    return [3]", "wb.ModelPlugin"),
    "no function": ("", "has no attribute 'models'"),
    "a name that exists": (GOOD.replace('"acme/linear"', '"fashion/lenet5"'), "fashion/lenet5"),
    "no slash": (GOOD.replace('"acme/linear"', '"linear"'), "'linear'"),
    "custom": (GOOD.replace('"acme/linear"', '"custom/linear"'), "'custom/linear'"),
    "a task that exists": (GOOD.replace('name="acme"', 'name="fashion"'), "task fashion"),
}


@pytest.mark.parametrize(("code", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_broken_plugin_is_reported_and_the_others_are_listed(plugin, code, reason):
    log = plugin(code)
    assert "fashion/lenet5" in wb.models()
    assert wb.model("fashion/lenet5").name == "fashion/lenet5"
    (line,) = log.messages
    assert " acme " in line
    assert reason in line


def test_a_plugin_may_list_models_itself(plugin):
    log = plugin("import workbench as wb\n\ndef models():\n    return [] if wb.models() else [3]")
    assert "fashion/lenet5" in wb.models()
    assert not log.messages


def test_listing_loads_no_torch():
    code = "import sys, workbench as wb; wb.models(); wb.ModelPlugin; print('torch' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "False"


def test_numbers_that_are_not_finite_are_refused_on_reading():
    def read(split):
        inputs = np.ones((99, 4), np.float32)
        inputs[70, 1] = np.inf
        return inputs, np.zeros(99, np.int64)

    with raises("data.not_finite", "test inputs", "example 70"):
        wb.LazySplit("test", "infinite", read).load()


class Reader:
    """Reads a split, and counts how often."""

    def __init__(self, parties=1):
        self.calls = 0
        self.barrier = Barrier(parties)

    def __call__(self, split):
        self.calls += 1
        with suppress(BrokenBarrierError):
            self.barrier.wait(0.2)  # another thread in here lets it pass
        return np.ones((5, 2), np.float32), np.zeros(5, np.int64)


def test_threads_read_a_split_once():
    read = Reader(parties=2)
    split = wb.LazySplit("train", "read once", read)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: split.load(), range(2))
    assert first is second
    assert read.calls == 1


def test_the_splits_in_memory_are_bounded():
    read = Reader()
    splits = [wb.LazySplit("train", f"bounded {n}", read) for n in range(MOST_SPLITS + 1)]
    for split in splits:
        split.load()
    assert len(_splits) == MOST_SPLITS
    assert read.calls == len(splits)
    splits[-1].load()
    assert read.calls == len(splits)
    splits[0].load()
    assert read.calls == len(splits) + 1


MANY = (
    GOOD.partition("def models")[0]
    + f"""
def models():
    return [
        wb.ModelPlugin(f"acme/linear{{n}}", "Acme's layer", TASK, _module)
        for n in range({MOST_HELD + 4})
    ]
"""
)


def test_models_that_nothing_refers_to_are_dropped_and_built_again(plugin):
    plugin(MANY)
    names = wb.models("acme")
    kept = wb.model(names[1])
    lifetimes = [weakref.ref(wb.model(name).architecture.lifetime) for name in names]
    gc.collect()
    assert [name for name, ref in zip(names, lifetimes, strict=True) if ref()] == [kept.name]
    built = import_module("acme_models").built
    assert len(built) == len(names)
    assert wb.model(names[1]) is kept
    assert len(built) == len(names)
    assert wb.model(names[0]).digest == kept.digest
    assert len(built) == len(names) + 1
