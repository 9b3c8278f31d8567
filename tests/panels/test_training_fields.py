"""Training settings are offered exactly where they have an effect on the trained file."""

from __future__ import annotations

from dataclasses import replace

import pytest

import workbench as wb
from tests.raises import raises
from workbench.artifact.artifact import Artifact
from workbench.panels import training, training_fields
from workbench.recipe import Recipe, Train
from workbench.recipe.schema import specs
from workbench.session import Session
from workbench.training.compress import artifact_bytes
from workbench.training.run import Run
from workbench.training.setup import training_setup
from workbench.training.sparsity_schedule import sparsity_schedule

SMALL = wb.Recipe(prune=wb.Prune(0.5), quantize=wb.Quantize(bits=4))
STEPS = Train(6, batch=8, threads=1, patience=0)
OTHER = {
    "sparsening": "cubic",
    "rounding": "afterwards",
    "batch_norm": "keep",
    "dropout": 0.5,
    "weight_decay": 1.0,
    "label_smoothing": 0.4,
    "clip": 0.01,
    "learning_rate": 0.01,
    "schedule": "constant",
    "optimizer": "sgd",
    "batch": 4,
    "average": 0.5,
    "precision": "mixed",
    "seed": 1,
    "shift": 2,
    "mirror": "half",
}
"""For each setting, a value that is not the default."""
MODELS = ("fashion/lenet-300-100", "fashion/resnet", "reviews/bag", "vowels/cnn")


def test_fine_tuning_says_when_the_zeros_are_set():
    shares = sparsity_schedule(training.DEFAULTS.sparsening, 300)
    assert shares[0] < 0.2 < max(shares.values())
    assert "adds the zeros little by little" in training.AIMS["fine_tune"][1]


@pytest.fixture(autouse=True)
def _one_thread(threads):
    """Use one thread, so that results do not depend on the machine."""


def trained_file(model, recipe, **settings):
    """Return the file after a few steps on the first examples."""
    recipe = replace(recipe, train=replace(STEPS, **settings))
    setup = training_setup(model, recipe)
    setup = replace(setup, examples=setup.examples[:32], labels=setup.labels[:32])
    run = Run(setup, recipe)
    for _step in run.go():
        pass
    return weights_of(artifact_bytes(model, recipe, setup, run.trained()))


def weights_of(data):
    operands = Artifact.from_bytes(data).operands()
    return {name: tensor.numpy().tobytes() for name, tensor in operands.items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_a_setting_is_offered_if_and_only_if_it_has_an_effect(name):
    model = wb.model(name)
    for recipe in (Recipe(), SMALL):
        plain = trained_file(model, recipe)
        hidden = training_fields.unsuitable(model) | set(training_fields.idle(recipe))
        for setting, value in OTHER.items():
            if setting in training_fields.IMAGES_ONLY & hidden:
                continue  # it is refused
            changes = trained_file(model, recipe, **{setting: value}) != plain
            assert changes == (setting not in hidden), (setting, recipe)


def test_every_setting_has_a_place_in_the_section(client):
    section = training.section(client.session)
    groups = [field["key"] for group in section["groups"] for field in group["fields"]]
    main = {field["key"] for field in section["main"]}
    assert len(groups) == len(set(groups))
    assert not main & set(groups)
    hidden = training_fields.unsuitable(client.session.model)
    names = {spec.name for spec in specs(Train)} - {"start"} - hidden
    assert main | set(groups) == names


@pytest.mark.parametrize(
    ("train", "limit", "steps"),
    [(None, "seconds", 300), (Train(steps=25), "steps", 25), (Train(steps=0), "steps", 300)],
)
def test_the_section_repeats_the_steps_of_the_recipe(store, train, limit, steps):
    session = Session("fashion/lenet-300-100", Recipe(train=train), store=store)
    section = training.section(session)
    assert section["limit"] == limit
    assert section["amounts"]["steps"]["value"] == steps
    session.close()


@pytest.mark.parametrize(
    ("recipe", "idle"),
    [
        (Recipe(), ["sparsening", "rounding"]),
        (wb.Recipe(prune=wb.Prune(0.0)), ["sparsening", "rounding"]),
        (wb.Recipe(prune=wb.Prune(0.0, layers={"fc1.weight": 0.5})), ["rounding"]),
        (wb.Recipe(quantize=wb.Quantize(bits=32)), ["sparsening", "rounding"]),
        (wb.Recipe(quantize=wb.Quantize(bits=32, layers={"fc1.weight": 4})), ["sparsening"]),
        (wb.Recipe(share=wb.Share(16)), ["sparsening"]),
        (SMALL, []),
    ],
)
def test_the_recipe_decides_about_pruning_and_rounding(recipe, idle):
    assert training_fields.idle(recipe) == idle


def test_what_a_setting_needs_beside_it():
    needs = dict(training_fields.needs("temperature", ["self"]))
    assert needs == {"teacher": ["self"], "matching": ["soft_targets"]}
    assert dict(training_fields.needs("width", [])) == {"start": ["scratch"]}
    assert training_fields.needs("clip", ["self"]) == []


def test_settings_without_an_effect_are_not_in_the_recipe():
    values = {
        "start": "trained",
        "teacher": "",
        "temperature": 1.0,
        "mix": 0.5,
        "width": 0.5,
        "sparsening": "cubic",
        "clip": 1.0,
    }
    assert training.settings(values, Recipe(), 1) == Train(clip=1.0, threads=1)
    assert training.settings(values, SMALL, 1) == Train(sparsening="cubic", clip=1.0, threads=1)
    taught = training.settings(values | {"teacher": "self", "start": "scratch"}, SMALL, 1)
    assert (taught.temperature, taught.mix, taught.width) == (1.0, 0.5, 0.5)
    logits = training.settings(values | {"teacher": "self", "matching": "logits"}, SMALL, 1)
    assert logits.temperature == Train().temperature
    with raises("recipe.out_of_range"):
        training.settings(values | {"temperature": 0.0}, Recipe(), 1)


def test_the_page_knows_which_networks_can_lose_a_layer():
    for name in wb.models():
        model = wb.model(name)
        assert model.card["most_left_out"] == model.architecture.most_left_out
        hidden = "left_out" in training_fields.unsuitable(model)
        assert hidden == (model.architecture.most_left_out == 0)
