"""Each reason's condition and numbers, recomputed from the file by independent code."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
import torch
from torch import nn

import workbench as wb
from tests.custom.reasons import HOLDS, Facts, near
from tests.recipes import random_recipe

EXAMPLES = 24
FEATURES = 12
RECIPES = 14
"""Random recipes for each model."""
NOT_ABOUT_WEIGHTS = {
    *("channels", "few_channels", "few_multiples", "no_channels", "no_layers", "norms_between"),
    *("no_norms", "norms_stay", "norms_as_they_were", "biases_as_they_were", "uneven"),
    "none_even",
    *("masks_folded", "float32_only", "inputs_bypassed"),
    *("kind_whole", "mixed_whole", "fails_whole", "unseen_whole", "not_followed"),
}
"""Kinds about channels, adjustments and how a module runs, which have separate tests."""


class Perceptron(nn.Module):
    """Two layers."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(FEATURES, 16), nn.Linear(16, 3)

    def forward(self, x):
        return self.last(torch.relu(self.first(x.flatten(1))))


class Buffered(Perceptron):
    """With buffers, which are not layers."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mask", torch.ones(40, 40).tril().bool())
        self.register_buffer("index", torch.zeros(30, 30, dtype=torch.long))
        self.register_buffer("table", torch.zeros(20, 12))
        self.register_buffer("steps", torch.tensor(0))

    def forward(self, x):
        return super().forward(x + self.table[0])


class WithUnused(Perceptron):
    """With parameters that are not compressed."""

    def __init__(self):
        super().__init__()
        self.frozen = nn.Parameter(torch.ones(9), requires_grad=False)
        self.empty = nn.Parameter(torch.zeros(0, 7))


class Scaled(nn.Module):
    """Only one-dimensional parameters."""

    def __init__(self):
        super().__init__()
        self.scale, self.shift = nn.Parameter(torch.rand(3)), nn.Parameter(torch.rand(3))

    def forward(self, x):
        return x[:, :3] * self.scale + self.shift


class Words(nn.Module):
    """A single embedding, without multiply-adds."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(20, 3)

    def forward(self, x):
        return self.table(x).mean(1)


class Images(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.wide, self.last = nn.Conv2d(6, 40, 3, padding=1), nn.Linear(40, 3)

    def forward(self, x):
        x = self.wide(torch.relu(self.norm(self.conv(x.view(-1, 3, 2, 2)))))
        return self.last(torch.relu(x).mean((2, 3)))


def changed(change):
    """Return a module with matrices changed by `change`."""
    module = Perceptron()
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.ndim > 1:
                parameter.copy_(change(parameter))
    return module


def half_zero(weight):
    return weight * (weight.abs() >= weight.abs().median())


def ternary(weight):
    return weight.sign() * (weight.abs() > weight.abs().mean()) / 4


def one_zero_layer():
    module = Perceptron()
    with torch.no_grad():
        module.first.weight.zero_()
    return module


MODELS = {
    "mlp": Perceptron,
    "half zero": lambda: changed(half_zero),
    "ternary": lambda: changed(ternary),
    "constant": lambda: changed(lambda weight: torch.full_like(weight, 0.25)),
    "signs": lambda: changed(torch.sign),
    "zero layer": one_zero_layer,
    "tiny": lambda: nn.Sequential(nn.Linear(FEATURES, 3)),
    "bare": lambda: nn.Linear(FEATURES, 3),
    "large": lambda: nn.Sequential(nn.Linear(FEATURES, 400), nn.ReLU(), nn.Linear(400, 3)),
    "buffers": Buffered,
    "other parameters": WithUnused,
    "one dimension": Scaled,
    "words": Words,
    "images": Images,
    "half": lambda: Perceptron().bfloat16(),
}


@pytest.fixture
def make_model(threads):
    def make(kind):
        rng = torch.Generator().manual_seed(0)
        torch.manual_seed(0)
        module = MODELS[kind]()
        inputs = torch.randn(EXAMPLES, FEATURES, generator=rng)
        if kind == "words":
            inputs = torch.randint(0, 20, (EXAMPLES, 5), generator=rng)
        if kind == "half":
            inputs = inputs.bfloat16()
        data = inputs, torch.randint(0, 3, (EXAMPLES,), generator=rng)
        return wb.from_module(module, train=data, validation=data, test=data, name="one")

    return make


def check(model, recipe):
    """Return the kinds of reasons that are reported for a file, after checking each of them."""
    facts = Facts(model, wb.compress(model, recipe))
    assert near(facts.size.sparsity_achieved, facts.achieved), recipe
    assert near(facts.size.sparsity_requested, facts.requested), recipe
    for reason in facts.size.reasons:
        if reason.kind not in NOT_ABOUT_WEIGHTS:
            message = (reason.text, recipe)
            assert HOLDS[reason.kind](facts, reason.layer, dict(reason.numbers)), message
    return {reason.kind for reason in facts.size.reasons}


@pytest.mark.slow
@pytest.mark.parametrize("kind", MODELS)
def test_reasons_for_random_recipes_are_correct(make_model, kind):
    model = make_model(kind)
    for seed in range(RECIPES):
        recipe = random_recipe(Random(f"{kind} {seed}"), model.layers)
        check(model, replace(recipe, train=None))


# A kind, a model, a recipe that causes it, and another kind that is not reported.
CASES = [
    ("already_zero", "half zero", {"prune": {"sparsity": 0.3}}, "rounded_to_zero"),
    ("already_zero", "half zero", {"prune": {"sparsity": 0.0}, "quantize": {"bits": 8}}, ""),
    ("already_zero", "ternary", {"prune": {"sparsity": 0.1, "scope": "uniform"}}, ""),
    ("rounded_to_zero", "mlp", {"prune": {"sparsity": 0.1}, "quantize": {"bits": 2}},
     "already_zero"),
    ("rounded_to_zero", "mlp", {"prune": {"sparsity": 0.1}, "share": {"method": "ternary"}}, ""),
    ("all_zero", "mlp", {"prune": {"sparsity": 0.5, "layers": {"last.weight": 0.99}}}, "emptied"),
    ("emptied", "mlp", {"prune": {"sparsity": 0.99, "exclude": ["first.weight"]}}, "all_zero"),
    ("nothing", "one dimension", {"prune": {"sparsity": 0.5}}, "all_excluded"),
    ("nothing", "one dimension", {"quantize": {"bits": 4}, "share": {"clusters": 4}}, "all_shared"),
    ("nothing", "one dimension", {"prune": {"criterion": "gradient"}}, ""),
    ("other_tensors", "buffers", {"prune": {"sparsity": 0.5}}, "index_heavy"),
    ("whole_weights", "tiny", {"prune": {"sparsity": 0.46}}, "rounded_to_zero"),
    ("codebook_long", "mlp", {"share": {"clusters": 128}}, "scales_heavy"),
    ("less_sparse", "mlp", {"prune": {"sparsity": 0.9, "exclude": ["first.weight"]}}, ""),
    ("set_higher", "mlp", {"prune": {"sparsity": 0.1, "layers": {"first.weight": 0.9}}}, ""),
    ("all_excluded", "tiny", {"prune": {"sparsity": 0.9, "exclude": ["0.weight"]}}, ""),
    ("inputs_excluded", "mlp",
     {"activations": {"bits": 8, "exclude": ["first.weight", "last.weight"]}}, "no_inputs"),
    ("no_inputs", "words", {"activations": {"bits": 8}}, "inputs_excluded"),
    ("no_inputs", "bare", {"activations": {"bits": 8}}, "inputs_excluded"),
    ("grew", "tiny", {"quantize": {"bits": 8}, "prune": {"sparsity": 0.0, "width": 9}}, ""),
    ("not_smaller", "tiny", {"prune": {"sparsity": 0.0}}, "grew"),
    ("longer_tensors", "tiny", {"share": {"clusters": 16, "granularity": "channel"}}, "grew"),
    ("wider", "half", {"prune": {"sparsity": 0.1}}, "grew"),
    ("no_faster", "large", {"prune": {"sparsity": 0.9}}, "decoded_first"),
    ("decoded_first", "large", {"prune": {"sparsity": 0.0}, "quantize": {"bits": 16}}, "no_faster"),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("reported", "kind", "recipe", "not_reported"), CASES)
def test_the_actual_cause_is_reported(make_model, reported, kind, recipe, not_reported):
    kinds = check(make_model(kind), wb.Recipe.from_json(recipe))
    assert reported in kinds
    assert not_reported not in kinds


@pytest.mark.slow
@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("recipe", [{"prune": {"sparsity": 0.0}}, {"quantize": {"bits": 32}}])
def test_zeros_that_were_not_requested_are_not_explained(make_model, kind, recipe):
    kinds = check(make_model(kind), wb.Recipe.from_json(recipe))
    assert not kinds & {"emptied", "all_zero", "dense_kept", "rounded_to_zero", "less_sparse"}
    assert not kinds & {"decoded_first", "all_shared", "all_excluded"}


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_a_file_as_long_as_the_original_needs_no_reason(make_model, more):
    model = make_model("mlp")
    recipe = wb.Recipe.from_json({"prune": {"sparsity": 0.0}})
    model.card["original_bytes"] = len(wb.compress(model, recipe)) - more
    kinds = check(model, recipe)
    assert bool(kinds & {"grew", "not_smaller", "longer_tensors", "wider"}) == (more > 0)
    assert not kinds & {"no_faster", "decoded_first"}


@pytest.mark.parametrize("kind", ["one dimension", "words"])
def test_a_model_without_layers_or_multiply_adds_is_measured(make_model, kind):
    model = make_model(kind)
    for recipe in ({"prune": {"sparsity": 0.5}}, {"quantize": {"bits": 4}}, {"structure": {}}):
        report = wb.measure(model, wb.Recipe.from_json(recipe), timed=False)
        assert report.total == EXAMPLES
        assert report.structure is None or report.structure["macs_removed"] == 0
