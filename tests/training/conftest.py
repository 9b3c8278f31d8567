"""Recipes that train a little, runs of them, and what a file made of them holds."""

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
    """Nothing here depends on how many cores the machine has."""


@pytest.fixture
def recipe():
    """Write a recipe that trains: its settings by name, the other parts as they are."""

    def written(prune=None, quantize=None, share=None, **settings):
        settings = {"threads": 1, "batch": 32, "steps": 4} | settings
        return wb.Recipe(prune=prune, quantize=quantize, share=share, train=settings)

    return written


@pytest.fixture
def begun():
    """Begin a run of a recipe on the first examples of the training split."""

    def begin(recipe, name=LENET, most=640, **changes):
        whole = training_setup(wb.model(name), recipe)
        few = {"examples": whole.examples[:most], "labels": whole.labels[:most]}
        return Run(replace(whole, **few | changes), recipe)

    return begin


@pytest.fixture
def finish():
    """Run to the end and return all moments."""

    def finished(run, **how):
        return list(run.go(**how))

    return finished


@pytest.fixture
def filed():
    """Return the file that a run leaves."""

    def file(run, recipe, name=LENET):
        done = run.trained()
        coded = encode_tensors(done.weights, recipe, kept=done.kept, qparams=done.qparams)
        return Artifact.of(name, recipe, coded)

    return file


@pytest.fixture
def same():
    """Tell whether two sets of named weights are equal to the bit."""

    def equal(one, other):
        return list(one) == list(other) and all(torch.equal(one[n], other[n]) for n in one)

    return equal
