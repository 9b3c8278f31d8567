"""What Python callers may hand in by mistake: one sentence each, never a traceback from inside."""

import numpy as np
import pytest

import workbench as wb
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
def test_a_name_in_place_of_a_model_is_one_sentence(call):
    with pytest.raises(wb.WorkbenchError, match=r"Give a model, such as .* not 'fashion/mlp-32'"):
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
def test_what_is_no_train_is_one_sentence(call, settings):
    with pytest.raises(wb.WorkbenchError, match=r"must be a Train, such as Train\(steps=200\)"):
        call(wb.model(NAME), settings)


@pytest.mark.parametrize("recipe", [{"prune": {"sparsity": 0.5}}, "mobile", wb.Prune(0.5)])
@pytest.mark.parametrize("call", [wb.compress, wb.train, wb.measure])
def test_what_is_no_recipe_is_one_sentence(call, recipe):
    with pytest.raises(wb.WorkbenchError, match="A recipe must be a Recipe"):
        call(wb.model(NAME), recipe)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda m: wb.train(m, seconds=1, steps=2), "give seconds or steps, not both"),
        (lambda m: sweep(m, SETTINGS, temperatures=4), "The temperatures must be a list"),
        (lambda m: sweep(m, SETTINGS, temperatures=[[4]]), "The temperatures must be a list"),
        (lambda m: sweep(m, SETTINGS, mixes=0.5), "must be a list of numbers"),
        (lambda m: find_learning_rate(m, steps=10.5), "whole number, 10 at least"),
        (
            lambda m: search(m, {"batch": [8]}, n_trials=1, seed="x"),
            "The seed must be a whole number",
        ),
        (
            lambda m: search(m, {"batch": [8]}, n_trials=1, seed=-1),
            "The seed must be a whole number",
        ),
        (lambda m: search(m, {"batch": np.array([[8]])}), "values of batch must be a list"),
        (lambda _: LogUniform("a", 2), "must be a list of numbers"),
        (lambda _: wb.evaluate("file.safetensors"), "Give what wb.load"),
        (lambda m: wb.measure(m, 0), "A recipe must be a Recipe"),
    ],
)
def test_other_odd_arguments_are_one_sentence(call, words):
    with pytest.raises(wb.WorkbenchError, match=words):
        call(wb.model(NAME))


def test_numbers_of_numpy_are_numbers():
    recipe = wb.Recipe(
        prune=wb.Prune(np.float32(0.5)),
        quantize=wb.Quantize(np.int64(4)),
        train=wb.Train(np.int64(2), learning_rate=1.5e-6),
    )
    assert recipe == wb.Recipe(wb.Prune(0.5), wb.Quantize(4), wb.Train(2, learning_rate=1.5e-6))
    assert '"learning_rate":1.5e-06' in recipe.to_json()


@pytest.mark.parametrize("seconds", [True, "5", 0, -1.0, float("nan"), float("inf"), [1]])
def test_what_is_no_time_is_one_sentence(seconds):
    with pytest.raises(wb.WorkbenchError, match="The time to train must be above 0"):
        wb.train(wb.model(NAME), seconds=seconds)
