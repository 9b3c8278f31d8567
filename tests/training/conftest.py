"""Fixtures: short training recipes, their runs, and the files made of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

import workbench as wb
from workbench.artifact.artifact import Artifact
from workbench.compression.encode import encode_tensors
from workbench.training.run import Run
from workbench.training.setup import training_setup

LENET = "fashion/lenet-300-100"
RESNET = "fashion/resnet"


@pytest.fixture(autouse=True)
def _one_thread(threads):
    """Use one thread, so that results do not depend on the machine."""


@pytest.fixture
def make_recipe():
    """Return a function that makes a recipe from training settings and other parts."""

    def make(prune=None, quantize=None, share=None, **settings):
        settings = {"threads": 1, "batch": 32, "steps": 4} | settings
        return wb.Recipe(prune=prune, quantize=quantize, share=share, train=settings)

    return make


@pytest.fixture
def start_run():
    """Return a function that starts a run on the first examples of the training split."""

    def start(recipe, name=LENET, most=640, **changes):
        setup = training_setup(wb.model(name), recipe)
        subset = {"examples": setup.examples[:most], "labels": setup.labels[:most]}
        return Run(replace(setup, **subset | changes), recipe)

    return start


@pytest.fixture
def finish():
    """Return a function that completes a run and returns all its events."""

    def complete(run, **options):
        return list(run.go(**options))

    return complete


@pytest.fixture
def artifact_of():
    """Return a function that makes the artifact of a run."""

    def make(run, recipe, name=LENET):
        result = run.trained()
        coded = encode_tensors(result.weights, recipe, masks=result.masks, qparams=result.qparams)
        return Artifact.of(name, recipe, coded)

    return make


@pytest.fixture
def same():
    """Return a function that tells whether two sets of named weights are bit-identical."""

    def equal(a, b):
        return list(a) == list(b) and all(torch.equal(a[n], b[n]) for n in a)

    return equal
