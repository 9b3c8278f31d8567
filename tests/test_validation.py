"""Invalid arguments of the Python API raise one clear error."""

import numpy as np
import pytest

import workbench as wb
from tests.raises import raises
from workbench.experiments import (
    LogUniform,
    cross_validate,
    find_learning_rate,
    race,
    search,
    sweep,
)

NAME = "fashion/mlp-32"
SETTINGS = wb.Train(4, start="scratch", teacher="fashion/lenet5")


@pytest.mark.parametrize(
    "call",
    [
        lambda name: wb.compress(name, wb.Recipe()),
        lambda name: wb.train(name, steps=2),
        wb.measure,
        lambda name: race(name, {"a": SETTINGS}),
        lambda name: search(name, {"batch": [8]}),
        cross_validate,
        find_learning_rate,
        lambda name: sweep(name, SETTINGS),
    ],
)
def test_a_name_instead_of_a_model(call):
    with raises("argument.not_a_model", repr(NAME)):
        call(NAME)


@pytest.mark.parametrize("settings", [{"steps": 4}, wb.Recipe(), 300])
@pytest.mark.parametrize(
    "call",
    [
        lambda model, settings: search(model, {"batch": [8]}, settings),
        cross_validate,
        find_learning_rate,
        sweep,
        lambda model, settings: race(model, {"a": settings}),
    ],
)
def test_another_object_instead_of_a_train(call, settings):
    with raises("argument.not_train_settings", "Train(steps=200)"):
        call(wb.model(NAME), settings)


@pytest.mark.parametrize("recipe", [{"prune": {"sparsity": 0.5}}, "mobile", wb.Prune(0.5)])
@pytest.mark.parametrize("call", [wb.compress, wb.train, wb.measure])
def test_another_object_instead_of_a_recipe(call, recipe):
    with raises("argument.not_a_recipe"):
        call(wb.model(NAME), recipe)


@pytest.mark.parametrize(
    ("call", "code", "fact"),
    [
        (lambda m: sweep(m, SETTINGS, temperatures=4), "not_a_list_of_numbers", "temperatures"),
        (lambda m: sweep(m, SETTINGS, temperatures=[[4]]), "not_a_list_of_numbers", "temperatures"),
        (lambda m: sweep(m, SETTINGS, mixes=0.5), "not_a_list_of_numbers", "0.5"),
        (lambda m: find_learning_rate(m, steps=10.5), "not_a_count", "10.5"),
        (lambda m: search(m, {"batch": [8]}, n_trials=1, seed="x"), "not_a_count", "seed"),
        (lambda m: search(m, {"batch": [8]}, n_trials=1, seed=-1), "not_a_count", "seed"),
        (lambda _: LogUniform("a", 2), "not_a_list_of_numbers", "'a'"),
        (lambda m: wb.measure(m, 0), "not_a_recipe", "0"),
    ],
)
def test_other_invalid_arguments(call, code, fact):
    with raises(f"argument.{code}", fact):
        call(wb.model(NAME))


@pytest.mark.parametrize(
    ("call", "code", "fact"),
    [
        (lambda m: wb.train(m, seconds=1, steps=2), "training.seconds_and_steps", "steps"),
        (lambda m: search(m, {"batch": np.array([[8]])}), "training.search_values", "batch"),
        (lambda _: wb.evaluate(5), "argument.not_an_artifact", "wb.load"),
    ],
)
def test_conflicting_or_empty_arguments(call, code, fact):
    with raises(code, fact) if code else pytest.raises(wb.WorkbenchError, match=fact):
        call(wb.model(NAME))


def test_numpy_numbers_are_accepted():
    recipe = wb.Recipe(
        prune=wb.Prune(np.float32(0.5)),
        quantize=wb.Quantize(np.int64(4)),
        train=wb.Train(np.int64(2), learning_rate=1.5e-6),
    )
    assert recipe == wb.Recipe(wb.Prune(0.5), wb.Quantize(4), wb.Train(2, learning_rate=1.5e-6))
    assert '"learning_rate":1.5e-06' in recipe.to_json()


@pytest.mark.parametrize("seconds", [True, "5", 0, -1.0, float("nan"), float("inf"), [1]])
def test_invalid_training_times(seconds):
    with raises("training.seconds", "above 0"):
        wb.train(wb.model(NAME), seconds=seconds)
