"""Arguments of the wrong type or range: one sentence that names the argument, and no process."""

from __future__ import annotations

import pytest

import workbench as wb
from tests.raises import raises
from workbench.parallel.pool import Pool

OTHERS = (None, 3.5, [1], {}, b"text", object(), -1, True)
SETTINGS = {
    **dict.fromkeys(("sync", "weighting", "batch_norm", "optimizer", "start", "schedule"), OTHERS),
    **dict.fromkeys(("every", "steps", "batch", "microbatches", "machines"), (*OTHERS, 0, "2")),
    **dict.fromkeys(("latency_ms", "bandwidth"), (None, [1], "2", -1, True, float("nan"))),
    "learning_rate": (None, "2", -1, 11, float("inf")),
    "limit": (None, "2", 0, True, float("nan")),
    "seed": (None, 1.5, -1, 2**40, "2"),
    "shards": (None, 3, {}, "ab", [1.5, 2], [64]),
}
CALLBACK = (3, "print", [print], True, object())
TOKEN = (None, 3, "stop", object())
TRAIN = SETTINGS | {
    "model": (None, 3, "fashion/mlp-32", []),
    "strategy": (*OTHERS, "magic"),
    "ranks": (None, "2", 0, 5, 2.5, True),
    "repeats": (None, 0, -1, "2", 2.5, True),
    "exact": (None, 3, "yes"),
    "on_record": CALLBACK,
    "on_wait": CALLBACK,
    "cancel": TOKEN,
    "sped": (1,),
}
EVALUATE = {
    "model": (None, 3, "fashion/mlp-32"),
    "split": (None, 3, "training", [], object()),
    "ranks": (None, "2", 0, 5, 2.5, True),
    "cancel": TOKEN,
}
MEASURE = {
    "model": (None, 3, "fashion/mlp-32"),
    "recipes": (None, 3, "four", {}, [], [None], [{}], wb.Recipe(), object()),
    "processes": (None, "2", 0, 5, 2.5, True),
    "on_result": CALLBACK,
    "cancel": TOKEN,
}
JOB = SETTINGS | {
    "model": (None, 3, "fashion/mlp-32"),
    "folder": (None, 3, [], b"job"),
    "host": (None, 3, "two words", ""),
    "port": (None, 0, 70_000, "29500", True),
    "source": (3, "absent.py:make", "no colon", []),
    "sync": (*OTHERS, "shared"),
}
CASES = [
    (function, name, value)
    for function, table in (
        (wb.train_in_parallel, TRAIN),
        (wb.evaluate_in_parallel, EVALUATE),
        (wb.measure_in_parallel, MEASURE),
        (wb.write_job, JOB),
    )
    for name, values in table.items()
    for value in values
]
ALSO_CALLED = {"recipes": "recipe", "processes": "processes", "split": "split", "model": "model"}


@pytest.mark.parametrize(
    ("function", "name", "value"),
    CASES,
    # Without addresses: all workers must collect the same names.
    ids=lambda value: getattr(value, "__name__", str(value).partition(" at 0x")[0])[:30],
)
def test_refused_in_one_sentence(function, name, value, monkeypatch, tmp_path):
    def start(*_arguments):
        raise AssertionError("a process was started")

    monkeypatch.setattr(Pool, "start", start)
    arguments = {"model": wb.model("fashion/mlp-32")}
    if function is wb.measure_in_parallel:
        arguments["recipes"] = [wb.Recipe()]
    if function is wb.write_job:
        arguments["folder"] = tmp_path / "job"
    with pytest.raises(wb.WorkbenchError) as caught:
        function(**arguments | {name: value})
    message = str(caught.value)
    assert message.endswith(".")
    assert "\n" not in message
    assert caught.value.code.partition(".")[0] in ("argument", "parallel", "name", "split")
    assert ALSO_CALLED.get(name, name) in message


def test_a_source_of_another_type_is_refused():
    with raises("parallel.invalid_source", "source"):
        wb.train_in_parallel(wb.model("fashion/mlp-32"), source=3, exact=False)
