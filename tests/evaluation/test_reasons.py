"""Reasons: each kind results from a real recipe and states the numbers of the ledger."""

from __future__ import annotations

from math import prod

import pytest

import workbench as wb
from workbench import formatting
from workbench.compression.coded import Factors
from workbench.evaluation.measure import measure_size
from workbench.evaluation.reason import SENTENCES, Reason

SMALL, CONV, RESNET = "fashion/lenet-300-100", "fashion/lenet5", "fashion/resnet"

# The kind of reason, the model, and a recipe that causes it.
CASES = [
    (
        "emptied",  # initial weights of a wide layer are smaller than all others
        SMALL,
        {"prune": {"sparsity": 0.99}, "train": {"start": "scratch", "steps": 1, "threads": 1}},
    ),
    ("dense-kept", SMALL, {"prune": {"sparsity": 0.3}, "quantize": {"bits": 8}}),
    ("dense-kept", CONV, {"prune": {"sparsity": 0.1, "scope": "uniform"}, "quantize": {"bits": 4}}),
    ("index-heavy", SMALL, {"prune": {"sparsity": 0.95}, "quantize": {"bits": 2}}),
    (
        "index-heavy",
        CONV,
        {"prune": {"sparsity": 0.95, "criterion": "random"}, "quantize": {"bits": 2}},
    ),
    (
        "scales-heavy",
        SMALL,
        {"quantize": {"bits": 2, "granularity": "group", "group_size": 8}},
    ),
    (
        "codebook-heavy",
        SMALL,
        {"share": {"clusters": 64, "granularity": "channel"}},
    ),
    ("all-shared", CONV, {"share": {"clusters": 16}, "quantize": {"bits": 4}}),
    ("not-factored", RESNET, {"factorize": {"kept": 0.99, "measure": "rank"}}),
    ("short-groups", CONV, {"quantize": {"bits": 4, "granularity": "group", "group_size": 1024}}),
    ("left-alone", SMALL, {"quantize": {"bits": 4, "exclude": ["fc1.weight"]}}),
    ("left-alone", SMALL, {"quantize": {"bits": 4, "layers": {"fc1.weight": 32}}}),
    (
        "left-alone",
        CONV,
        {"prune": {"sparsity": 0.9, "scope": "layer", "layers": {"conv2.weight": 0.9}}},
    ),
    ("left-alone", CONV, {"prune": {"sparsity": 0.9, "exclude": ["fc1.weight"]}}),
    ("container", SMALL, {"prune": {"sparsity": 0.99}, "quantize": {"bits": 2}}),
    ("one-dimensional", RESNET, {"prune": {"sparsity": 0.99}, "quantize": {"bits": 2}}),
    (
        "less-sparse",
        SMALL,
        {"prune": {"sparsity": 0.9, "exclude": ["fc1.weight"]}},
    ),
    ("no-layers", CONV, {"structure": {"removed": 0.5, "scope": "layer"}}),
    ("few-channels", CONV, {"structure": {"removed": 0.01, "exclude": ["fc1.weight"]}}),
    ("few-multiples", "fashion/cnn-10k", {"structure": {"removed": 0.3, "multiple": 32}}),
    ("all-excluded", "fashion/mlp-32", {"activations": {"exclude": ["fc1.weight", "fc2.weight"]}}),
    ("factored", CONV, {"factorize": {"kept": 0.5, "measure": "rank"}}),
    (
        "rounded-to-zero",
        "fashion/cnn-10k",
        {"prune": {"sparsity": 0.3, "pattern": "block", "width": 2}, "quantize": {"bits": 3}},
    ),
    ("channels", RESNET, {"structure": {"removed": 0.5}}),
    ("no-channels", CONV, {"structure": {"removed": 0.1, "layers": {"fc2.weight": 0.5}}}),
    ("kind-whole", "vowels/gru", {"structure": {"removed": 0.1}}),
    ("no-norms", CONV, {"adjust": {"batch_norm": "fold"}}),
    ("norms-between", RESNET, {"adjust": {"batch_norm": "keep", "equalize": "pairs"}}),
    ("uneven", RESNET, {"adjust": {"batch_norm": "keep", "equalize": "pairs"}}),
    ("simulated", SMALL, {"quantize": {"bits": 8}, "activations": {"bits": 8}}),
    ("no-integers", CONV, {"share": {"clusters": 16}, "activations": {"bits": 8}}),
    ("rounded-to-zero", SMALL, {"prune": {"sparsity": 0.1}, "quantize": {"bits": 2}}),
    (
        "set-higher",
        SMALL,
        {"prune": {"sparsity": 0.1, "layers": {"fc1.weight": 0.9}}},
    ),
    ("one-stays", SMALL, {"prune": {"sparsity": 0.9, "pattern": "n:m"}}),
    ("one-stays", CONV, {"prune": {"sparsity": 0.65, "pattern": "n:m"}}),
    ("short-runs", CONV, {"prune": {"sparsity": 0.5, "pattern": "n:m", "width": 32}}),
    (
        "whole-blocks",
        CONV,
        {"prune": {"sparsity": 0.5, "pattern": "block", "width": 64, "scope": "uniform"}},
    ),
    ("wide-blocks", SMALL, {"prune": {"sparsity": 0.5, "pattern": "block", "width": 16}}),
    ("not-smaller", SMALL, {"prune": {"sparsity": 0}}),
    ("not-smaller", SMALL, {"quantize": {"bits": 32}}),
    ("no-faster", CONV, {"prune": {"sparsity": 0.9}}),
    ("decoded-first", CONV, {"factorize": {"kept": 0.8}, "quantize": {"bits": 4}}),
    ("decoded-first", SMALL, {"quantize": {"bits": 4}}),
]

OTHERS = {
    "all-zero",
    "already-zero",
    "codebook-long",
    "grew",
    "inputs-excluded",
    "longer-tensors",
    "no-inputs",
    "nothing",
    "other-tensors",
    "whole-weights",
    "wider",
}
"""Kinds that are tested with user modules, in tests/custom and tests/graph."""
OTHERS |= {"norms-stay", "norms-as-they-were", "biases-as-they-were", "none-even"}
OTHERS |= {"masks-folded", "float32-only", "inputs-bypassed"}
OTHERS |= {"not-finite", "no-figure", "zero-norm", "not-a-number"}
OTHERS |= {"mixed-whole", "fails-whole", "unseen-whole", "not-followed"}


def numbers(kind, layer, artifact, size):
    """Return the numbers that the sentence must contain, from the ledger and the encodings."""
    row = next((row for row in artifact.ledger.rows if row.name == layer), None)
    options = artifact.encodings.get(layer)
    columns = prod(row.shape[1:]) if row else 0
    bytes_ = formatting.nbytes
    file = bytes_(len(artifact.to_bytes()))
    shares = [
        formatting.percent(size.sparsity_requested),
        formatting.percent(size.sparsity_achieved),
    ]
    zeros = 1 - (artifact.weights()[layer] != 0).float().mean().item() if row else 0.0
    small = sum(r.total for r in artifact.ledger.rows if len(r.shape) < 2)
    return {
        "emptied": list,
        "dense-kept": lambda: [
            formatting.percent(zeros, 0),
            bytes_(row.values + row.tables),
            bytes_(options.sparse.size),
        ],
        "index-heavy": lambda: [bytes_(row.indices), bytes_(row.values + row.plain)],
        "scales-heavy": lambda: [bytes_(row.scales), bytes_(row.total)],
        "short-groups": lambda: [
            formatting.count(artifact.recipe.quantize.group_size),
            formatting.count(artifact.weights()[layer][0].numel()),
        ],
        "left-alone": lambda: [bytes_(row.total), file],
        "container": lambda: [bytes_(artifact.ledger.container), file],
        "one-dimensional": lambda: [bytes_(small), file],
        "less-sparse": lambda: [formatting.percent(artifact.recipe.prune.sparsity), shares[0]],
        "codebook-heavy": lambda: [bytes_(row.scales), bytes_(row.total)],
        "all-shared": list,
        "not-factored": lambda: [
            bytes_(row.total),
            formatting.count(-(-row.shape[0] * columns // (row.shape[0] + columns))),
        ],
        "one-stays": lambda: [*shares, formatting.count(artifact.recipe.prune.width)],
        "whole-blocks": lambda: shares[:1],
        "short-runs": lambda: [formatting.count(32), formatting.count(25)],
        "wide-blocks": lambda: [formatting.count(16), formatting.count(10), formatting.count(100)],
        "channels": lambda: [
            formatting.percent(size.structure[key])
            for key in ("channels_asked", "channels_removed", "weights_removed", "macs_removed")
        ],
        "no-layers": list,
        "few-multiples": lambda: [
            formatting.percent(size.structure["channels_asked"]),
            formatting.count(artifact.recipe.structure.multiple),
        ],
        "few-channels": lambda: [formatting.percent(size.structure["channels_asked"])],
        "all-excluded": list,
        "factored": lambda: [
            f"{name} {coded.rank} / {-(-m * n // (m + n))}"
            for name, coded in artifact.tensors.items()
            if isinstance(coded, Factors)
            for m, n in [(coded.u.shape[0], coded.v.shape[1])]
        ],
        "no-channels": list,
        "kind-whole": lambda: ["GRU"],
        "no-norms": list,
        "norms-between": list,
        "uneven": lambda: ["blocks.0.conv1.weight"],
        "simulated": list,
        "no-integers": list,
        "rounded-to-zero": lambda: shares,
        "set-higher": lambda: [formatting.percent(artifact.recipe.prune.sparsity), shares[0]],
        "not-smaller": lambda: [
            bytes_(len(artifact) - size.original_bytes),
            bytes_(sum(r.total for r in artifact.ledger.rows)),
        ],
        "no-faster": lambda: [formatting.count(size.macs)],
        "decoded-first": lambda: [formatting.count(size.macs)],
    }[kind]()  # fmt: skip


@pytest.mark.parametrize(("kind", "name", "recipe"), CASES, ids=lambda value: str(value)[:40])
def test_reason_states_the_numbers_of_the_ledger(kind, name, recipe):
    model = wb.model(name)
    artifact = wb.compress(model, wb.Recipe.from_json(recipe))
    size = measure_size(model, artifact)
    matching = [reason for reason in size.reasons if reason.kind == kind]
    assert matching, [reason.kind for reason in size.reasons]
    for reason in matching:
        assert reason.layer in reason.text
        for number in numbers(kind, reason.layer, artifact, size):
            assert number in reason.text
    assert sum(row.total for row in size.ledger.rows) + size.ledger.container == size.bytes


def test_every_kind_has_a_test():
    assert {kind for kind, _, _ in CASES} | OTHERS == set(SENTENCES)


@pytest.mark.parametrize("name", wb.models("fashion"))
def test_sentences_are_complete_and_sorted_by_weight(name, recipes):
    model = wb.model(name)
    for recipe in recipes(model, 8, seed="reasons"):
        reasons = measure_size(model, wb.compress(model, recipe)).reasons
        assert [r.weight for r in reasons] == sorted((r.weight for r in reasons), reverse=True)
        for reason in reasons:
            assert reason.text.endswith(".")
            assert not set("{}") & set(reason.text)
            assert Reason.from_dict(reason.as_dict()) == reason


def test_original_has_no_reasons(small):
    assert measure_size(small, wb.compress(small, wb.Recipe())).reasons == ()


def test_dense_encoding_is_explained_only_if_smaller(small):
    recipe = wb.Recipe.from_json('{"prune": {"sparsity": 0.95}, "quantize": {"bits": 8}}')
    size = measure_size(small, wb.compress(small, recipe))
    assert "dense-kept" not in {reason.kind for reason in size.reasons}
