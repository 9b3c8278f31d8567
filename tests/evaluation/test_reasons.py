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
    ("dense_kept", SMALL, {"prune": {"sparsity": 0.3}, "quantize": {"bits": 8}}),
    ("dense_kept", CONV, {"prune": {"sparsity": 0.1, "scope": "uniform"}, "quantize": {"bits": 4}}),
    ("index_heavy", SMALL, {"prune": {"sparsity": 0.95}, "quantize": {"bits": 2}}),
    (
        "index_heavy",
        CONV,
        {"prune": {"sparsity": 0.95, "criterion": "random"}, "quantize": {"bits": 2}},
    ),
    (
        "scales_heavy",
        SMALL,
        {"quantize": {"bits": 2, "granularity": "group", "group_size": 8}},
    ),
    (
        "codebook_heavy",
        SMALL,
        {"share": {"clusters": 64, "granularity": "channel"}},
    ),
    ("all_shared", CONV, {"share": {"clusters": 16}, "quantize": {"bits": 4}}),
    ("not_factored", RESNET, {"factorize": {"keep": 0.99, "measure": "rank"}}),
    ("short_groups", CONV, {"quantize": {"bits": 4, "granularity": "group", "group_size": 1024}}),
    ("left_alone", SMALL, {"quantize": {"bits": 4, "exclude": ["fc1.weight"]}}),
    ("left_alone", SMALL, {"quantize": {"bits": 4, "layers": {"fc1.weight": 32}}}),
    (
        "left_alone",
        CONV,
        {"prune": {"sparsity": 0.9, "scope": "named", "layers": {"conv2.weight": 0.9}}},
    ),
    ("left_alone", CONV, {"prune": {"sparsity": 0.9, "exclude": ["fc1.weight"]}}),
    ("container", SMALL, {"prune": {"sparsity": 0.99}, "quantize": {"bits": 2}}),
    ("one_dimensional", RESNET, {"prune": {"sparsity": 0.99}, "quantize": {"bits": 2}}),
    (
        "less_sparse",
        SMALL,
        {"prune": {"sparsity": 0.9, "exclude": ["fc1.weight"]}},
    ),
    ("no_layers", CONV, {"structure": {"removed": 0.5, "scope": "named"}}),
    ("few_channels", CONV, {"structure": {"removed": 0.01, "exclude": ["fc1.weight"]}}),
    ("few_multiples", "fashion/cnn-10k", {"structure": {"removed": 0.3, "multiple": 32}}),
    ("all_excluded", "fashion/mlp-32", {"activations": {"exclude": ["fc1.weight", "fc2.weight"]}}),
    ("factored", CONV, {"factorize": {"keep": 0.5, "measure": "rank"}}),
    (
        "rounded_to_zero",
        "fashion/cnn-10k",
        {"prune": {"sparsity": 0.3, "pattern": "block", "width": 2}, "quantize": {"bits": 3}},
    ),
    ("channels", RESNET, {"structure": {"removed": 0.5}}),
    ("no_channels", CONV, {"structure": {"removed": 0.1, "layers": {"fc2.weight": 0.5}}}),
    ("kind_whole", "vowels/gru", {"structure": {"removed": 0.1}}),
    ("no_norms", CONV, {"adjust": {"batch_norm": "fold"}}),
    ("norms_between", RESNET, {"adjust": {"batch_norm": "keep", "equalize": "pairs"}}),
    ("uneven", RESNET, {"adjust": {"batch_norm": "keep", "equalize": "pairs"}}),
    ("simulated", SMALL, {"quantize": {"bits": 8}, "activations": {"bits": 8}}),
    ("no_integers", CONV, {"share": {"clusters": 16}, "activations": {"bits": 8}}),
    ("rounded_to_zero", SMALL, {"prune": {"sparsity": 0.1}, "quantize": {"bits": 2}}),
    (
        "set_higher",
        SMALL,
        {"prune": {"sparsity": 0.1, "layers": {"fc1.weight": 0.9}}},
    ),
    ("one_stays", SMALL, {"prune": {"sparsity": 0.9, "pattern": "n_m"}}),
    ("one_stays", CONV, {"prune": {"sparsity": 0.65, "pattern": "n_m"}}),
    ("short_runs", CONV, {"prune": {"sparsity": 0.5, "pattern": "n_m", "width": 32}}),
    (
        "whole_blocks",
        CONV,
        {"prune": {"sparsity": 0.5, "pattern": "block", "width": 64, "scope": "uniform"}},
    ),
    ("wide_blocks", SMALL, {"prune": {"sparsity": 0.5, "pattern": "block", "width": 16}}),
    ("not_smaller", SMALL, {"prune": {"sparsity": 0}}),
    ("not_smaller", SMALL, {"quantize": {"bits": 32}}),
    ("no_faster", CONV, {"prune": {"sparsity": 0.9}}),
    ("decoded_first", CONV, {"factorize": {"keep": 0.8}, "quantize": {"bits": 4}}),
    ("decoded_first", SMALL, {"quantize": {"bits": 4}}),
]

OTHERS = {
    "all_zero",
    "already_zero",
    "codebook_long",
    "grew",
    "inputs_excluded",
    "longer_tensors",
    "no_inputs",
    "nothing",
    "other_tensors",
    "whole_weights",
    "wider",
}
"""Kinds that are tested with user modules, in tests/custom and tests/graph."""
OTHERS |= {"preprocessing"}
OTHERS |= {"norms_stay", "norms_as_they_were", "biases_as_they_were", "none_even"}
OTHERS |= {"masks_folded", "float32_only", "inputs_bypassed"}
OTHERS |= {"not_finite", "no_figure", "zero_norm", "not_a_number"}
OTHERS |= {"mixed_whole", "fails_whole", "unseen_whole", "not_followed"}


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
        "dense_kept": lambda: [
            formatting.percent(zeros, 0),
            bytes_(row.values + row.tables),
            bytes_(options.sparse.size),
        ],
        "index_heavy": lambda: [bytes_(row.indices), bytes_(row.values + row.uncompressed)],
        "scales_heavy": lambda: [bytes_(row.scales), bytes_(row.total)],
        "short_groups": lambda: [
            formatting.count(artifact.recipe.quantize.group_size),
            formatting.count(artifact.weights()[layer][0].numel()),
        ],
        "left_alone": lambda: [bytes_(row.total), file],
        "container": lambda: [bytes_(artifact.ledger.container), file],
        "one_dimensional": lambda: [bytes_(small), file],
        "less_sparse": lambda: [formatting.percent(artifact.recipe.prune.sparsity), shares[0]],
        "codebook_heavy": lambda: [bytes_(row.scales), bytes_(row.total)],
        "all_shared": list,
        "not_factored": lambda: [
            bytes_(row.total),
            formatting.count(-(-row.shape[0] * columns // (row.shape[0] + columns))),
        ],
        "one_stays": lambda: [*shares, formatting.count(artifact.recipe.prune.width)],
        "whole_blocks": lambda: shares[:1],
        "short_runs": lambda: [formatting.count(32), formatting.count(25)],
        "wide_blocks": lambda: [formatting.count(16), formatting.count(10), formatting.count(100)],
        "channels": lambda: [
            formatting.percent(size.structure[key])
            for key in ("channels_requested", "channels_removed", "weights_removed", "macs_removed")
        ],
        "no_layers": list,
        "few_multiples": lambda: [
            formatting.percent(size.structure["channels_requested"]),
            formatting.count(artifact.recipe.structure.multiple),
        ],
        "few_channels": lambda: [formatting.percent(size.structure["channels_requested"])],
        "all_excluded": list,
        "factored": lambda: [
            f"{name} {coded.rank} / {-(-m * n // (m + n))}"
            for name, coded in artifact.tensors.items()
            if isinstance(coded, Factors)
            for m, n in [(coded.u.shape[0], coded.v.shape[1])]
        ],
        "no_channels": list,
        "kind_whole": lambda: ["GRU"],
        "no_norms": list,
        "norms_between": list,
        "uneven": lambda: ["blocks.0.conv1.weight"],
        "simulated": list,
        "no_integers": list,
        "rounded_to_zero": lambda: shares,
        "set_higher": lambda: [formatting.percent(artifact.recipe.prune.sparsity), shares[0]],
        "not_smaller": lambda: [
            bytes_(len(artifact) - size.original_bytes),
            bytes_(sum(r.total for r in artifact.ledger.rows)),
        ],
        "no_faster": lambda: [formatting.count(size.macs)],
        "decoded_first": lambda: [formatting.count(size.macs)],
    }[kind]()  # fmt: skip


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize("name", wb.models("fashion"))
def test_sentences_are_complete_and_sorted_by_weight(name, recipes):
    model = wb.model(name)
    count = 3 if name == "fashion/resnet" else 8  # one of it takes seconds
    for recipe in recipes(model, count, seed="reasons"):
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
    assert "dense_kept" not in {reason.kind for reason in size.reasons}
