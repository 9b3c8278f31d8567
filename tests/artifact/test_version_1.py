"""Files and links of version 1 are read with the names of version 2."""

from __future__ import annotations

from pathlib import Path

import pytest

import workbench as wb
from tests.artifact.entries import CODES, CODES_DATA
from tests.raises import raises
from workbench.artifact import container
from workbench.artifact.artifact import Artifact, load
from workbench.artifact.on_disk import OnDiskArtifact
from workbench.recipe import Recipe
from workbench.recipe.link import from_query
from workbench.recipe.version_1 import VALUES, upgrade_header

FOLDER = Path(__file__).with_name("version_1")

RECIPES = {
    "runs": {
        "structure": {"removed": 0.18, "seed": 167763934, "multiple": 4},
        "prune": {
            "sparsity": 0.19,
            "criterion": "gradient",
            "scope": "uniform",
            "pattern": "n_m",
            "width": 2,
            "seed": 1015233254,
        },
        "quantize": {
            "bits": 6,
            "group_size": 352,
            "percentile": 94.1,
            "rounding": "compensated",
            "layers": {"fc.weight": 6},
        },
    },
    "factors": {
        "factorize": {"keep": 0.01, "rank": 698},
        "quantize": {
            "bits": 7,
            "format": "fp16",
            "scheme": "affine",
            "group_size": 976,
            "range": "percentile",
            "percentile": 98.0,
            "rounding": "compensated",
        },
        "activations": {"bits": 4, "observer": "percentile", "percentile": 99.6},
    },
    "named": {
        "structure": {
            "removed": 0.81,
            "criterion": "gradient",
            "scope": "named",
            "layers": {"fc1.weight": 0.0},
            "seed": 2147483647,
            "multiple": 8,
        },
        "prune": {
            "sparsity": 0.99,
            "scope": "uniform",
            "pattern": "block",
            "width": 44,
            "seed": 2147483647,
        },
        "activations": {"bits": 7, "observer": "histogram", "percentile": 95.4},
    },
    "custom": {
        "structure": {
            "removed": 0.5,
            "scope": "named",
            "layers": {"conv.weight": 0.25, "conv2.weight": 0.5},
        },
        "prune": {"sparsity": 0.5, "pattern": "n_m", "width": 3},
        "quantize": {"bits": 4},
        "activations": {"bits": 8},
        "adjust": {"batch_norm": "fold"},
        "train": {
            "steps": 2,
            "teacher": "custom/small?structure.criterion=group_norm"
            "&prune.sparsity=0.5&prune.scope=named",
            "schedule": "one_cycle",
            "batch": 8,
            "threads": 1,
        },
    },
}
REWRITES = {
    "runs": ["remove_channels"],
    "factors": ["quantize_inputs"],
    "named": ["quantize_inputs"],
    "custom": ["remove_channels", "fold_norms", "quantize_inputs"],
}
ACCURACY = {"runs": 0.892, "factors": 0.0998, "named": 0.1026}  # as version 1 measured it


@pytest.mark.parametrize("name", RECIPES)
def test_a_file_is_read(name, reader):
    path = FOLDER / f"{name}.safetensors"
    artifact = load(path)
    assert artifact.recipe.as_dict() == RECIPES[name]
    assert [rewrite[0] for rewrite in artifact.spec.as_list()] == REWRITES[name]
    assert artifact.to_bytes() == path.read_bytes()
    decoded, header = reader.read(path.read_bytes())
    assert header["sha256"] == artifact.digest
    for layer, weight in artifact.weights().items():
        assert decoded[layer].tobytes() == weight.numpy().tobytes()
    on_disk = OnDiskArtifact.open(path)
    assert (on_disk.model, on_disk.recipe) == (artifact.model, artifact.recipe)
    assert on_disk.ledger == artifact.ledger


@pytest.mark.slow
@pytest.mark.parametrize("name", ACCURACY)
def test_a_file_has_the_accuracy_that_it_had(name):
    artifact = load(FOLDER / f"{name}.safetensors")
    score = wb.evaluate(artifact)
    assert score.accuracy == pytest.approx(ACCURACY[name], abs=1e-9)


def test_a_custom_model_has_its_new_name():
    assert load(FOLDER / "custom.safetensors").model == "custom/small"


def test_a_changed_file_is_refused():
    blob = (FOLDER / "runs.safetensors").read_bytes()
    with raises("artifact.digest_mismatch"):
        Artifact.from_bytes(blob[:-1] + b"\0")
    with raises("artifact.unknown_header_keys"):
        Artifact.from_bytes(blob.replace(b"workbench/1", b"workbench/2"))


@pytest.mark.parametrize(
    "header",
    [{}, {"model": 3, "recipe": [], "form": {}}, {"recipe": {"prune": 3}, "form": [3, [], [[]]]}],
)
def test_invalid_headers_are_left_to_validation(header):
    upgraded = upgrade_header(header)
    assert list(upgraded.values()) == list(header.values())


def test_old_names_are_refused_in_version_2():
    old = {"model": "m", "recipe": {}, "form": [], "tensors": {"w": CODES}}
    with raises("artifact.unknown_header_keys"):
        Artifact.from_bytes(container.pack(old, CODES_DATA)[0])
    for key, names in VALUES.items():
        part, _, field = key.partition(".")
        for name in names if field else ():
            with raises("recipe.unknown_choice", key):
                Recipe.from_json({part: {field: name}})


def test_every_value_has_a_valid_new_name():
    for key, names in VALUES.items():
        part, _, field = key.partition(".")
        for old, new in names.items() if field else ():
            header = upgrade_header({"recipe": {part: {field: old}}})
            assert getattr(getattr(Recipe.from_json(header["recipe"]), part), field) == new


def test_a_link_is_read():
    model, recipe, _ = from_query(
        "v=1&m=own/small&factorize.kept=0.5&share.method=k-means&structure.criterion=group%20norm"
    )
    assert model == "custom/small"
    assert recipe.as_dict() == {
        "structure": {"removed": 0.5},
        "factorize": {"keep": 0.5},
        "share": {"clusters": 16},
    }
