"""The module spec of a file: read back unchanged, and rejected if it is invalid."""

from __future__ import annotations

import pytest

import workbench as wb
from workbench.artifact import container
from workbench.artifact.artifact import Artifact
from workbench.artifact.module_spec import InputQParams, ModuleSpec
from workbench.cache.results import ResultCache
from workbench.errors import ArtifactError
from workbench.evaluation.measure import evaluate

FULL = ModuleSpec(
    0.5,
    1,
    True,
    (("bn", "stem"),),
    (("conv1", InputQParams(8, 0.25, 0)), ("fc.0", InputQParams(2, 1e-9, 3))),
    ("fc.0",),
    (("conv1", InputQParams(8, 0.5, 128)),),
)


def test_round_trip():
    assert FULL.as_list() == [
        ["build", 1, 0.5, 1],
        ["remove_channels", 1],
        ["fold_norms", 1, {"bn": "stem"}],
        ["quantize_inputs", 1, {"conv1": [8, 0.25, 0], "fc.0": [2, 1e-9, 3]}],
        ["round_biases", 1, ["fc.0"]],
        ["quantize_outputs", 1, {"conv1": [8, 0.5, 128]}],
    ]
    assert ModuleSpec.from_list(FULL.as_list()) == FULL
    assert ModuleSpec.from_list([]) == ModuleSpec()


BAD = [
    None,
    {},
    "remove_channels",
    ["remove_channels"],
    [["remove_channels"]],
    [["remove_channels", 2]],
    [["build", 1, 0.5]],
    [["build", 1, 0.0, 1]],
    [["build", 1, 1.5, 1]],
    [["build", 1, 1, 1]],
    [["build", 1, 0.5, -1]],
    [["build", 1, 0.5, True]],
    [["build", 1, 1.0, 0]],
    [["remove_channels", 1], ["remove_channels", 1]],
    [["run", 1, "code"]],
    [["fold_norms", 1]],
    [["fold_norms", 1, ["bn", "stem"]]],
    [["fold_norms", 1, {"bn": 3}]],
    [["fold_norms", 1, {}]],
    [["fold_norms", 1, {"bn": "stem"}], ["remove_channels", 1]],
    [["quantize_inputs", 1, {"w": [8, 0.1]}]],
    [["quantize_inputs", 1, {"w": [9, 0.1, 0]}]],
    [["quantize_inputs", 1, {"w": [1, 0.1, 0]}]],
    [["quantize_inputs", 1, {"w": [8, 0.0, 0]}]],
    [["quantize_inputs", 1, {"w": [8, -0.1, 0]}]],
    [["quantize_inputs", 1, {"w": [8, float("inf"), 0]}]],
    [["quantize_inputs", 1, {"w": [8, 1, 0]}]],
    [["quantize_inputs", 1, {"w": [8, 0.1, 256]}]],
    [["quantize_inputs", 1, {"w": [8, 0.1, -1]}]],
    [["quantize_inputs", 1, {"w": [True, 0.1, 0]}]],
    [["quantize_inputs", 1, {"w": "8"}]],
    [["quantize_inputs", 1, {"absent": [8, 0.1, 0]}]],
    [["round_biases", 1, ["w"]]],
    [["quantize_inputs", 1, {"w": [8, 0.1, 0]}], ["round_biases", 1, []]],
    [["quantize_inputs", 1, {"w": [8, 0.1, 0]}], ["round_biases", 1, ["w", "w"]]],
    [["quantize_inputs", 1, {"w": [8, 0.1, 0]}], ["round_biases", 1, {"w": 1}]],
    [["quantize_inputs", 1, {"w": [8, 0.1, 0]}], ["round_biases", 1, [1]]],
    [["quantize_outputs", 1, {"w": [8, 0.1, 0]}]],
    [["quantize_inputs", 1, {"w": [8, 0.1, 0]}], ["quantize_outputs", 1, {"w": [8, 0.1, 256]}]],
    [["quantize_inputs", 1, {"w": [8, 0.1, 0]}], ["quantize_outputs", 1, {"v": [8, 0.1, 0]}]],
]


@pytest.mark.parametrize("spec", BAD, ids=str)
def test_an_invalid_spec_is_rejected(spec):
    entry = {"w.weight": {"shape": [0], "dtype": "u8"}}
    blob, _ = container.pack({"model": "m", "recipe": {}, "spec": spec, "tensors": entry}, b"")
    with pytest.raises(ArtifactError) as caught:
        Artifact.from_bytes(blob)
    assert str(caught.value).endswith(".")
    assert caught.value.code in {
        "artifact.no_module_spec",
        "artifact.unknown_rewrite",
        "artifact.rewrites_not_canonical",
        "artifact.rounds_without_inputs",
        "artifact.unknown_layer",
    }


RESNET = "fashion/resnet"
NARROW = {"structure": {"removed": 0.5}}
FOLDED = {"adjust": {"batch_norm": "fold"}, "quantize": {"bits": 8}, "activations": {"bits": 8}}


def with_header(recipe, change) -> Artifact:
    """Return a file of resnet with a modified header and a valid digest."""
    artifact = wb.compress(wb.model(RESNET), wb.Recipe.from_json(recipe))
    header, data = container.unpack(artifact.to_bytes())
    header = {key: value for key, value in header.items() if key != "sha256"}
    change(header)
    return Artifact.from_bytes(container.pack(header, bytes(data))[0])


def remove_spec(header):
    header["spec"] = []


def fold_missing_norm(header):
    header["spec"] = [["fold_norms", 1, {"bn9": "stem"}]]


def fold_into_missing_layer(header):
    header["spec"] = [["fold_norms", 1, {"bn": "pool"}]]


def quantize_norm_inputs(header):
    header["spec"] = [["quantize_inputs", 1, {"bn": [8, 0.5, 0]}]]


def leave_out_too_much(header):
    header["spec"] = [["build", 1, 0.5, 99]]


def reshape_channels(header):
    entry = header["tensors"]["blocks.0.conv1.weight"]
    entry["shape"] = [entry["shape"][0] * 2, entry["shape"][1] // 2, *entry["shape"][2:]]


@pytest.mark.parametrize(
    ("recipe", "change"),
    [
        (NARROW, remove_spec),
        (NARROW, reshape_channels),
        (FOLDED, remove_spec),
        ({}, fold_missing_norm),
        ({}, leave_out_too_much),
        ({}, fold_into_missing_layer),
        ({}, quantize_norm_inputs),
    ],
)
def test_a_file_that_does_not_match_its_spec_is_rejected(recipe, change):
    with pytest.raises(ArtifactError) as caught:
        evaluate(with_header(recipe, change), timed=False)
    assert str(caught.value).endswith(".")


@pytest.mark.slow
@pytest.mark.parametrize("recipe", [NARROW, FOLDED, {**NARROW, **FOLDED}])
def test_evaluating_a_rewritten_file_equals_measuring_its_recipe(recipe, shortened):
    shortened(1000)
    model, recipe = wb.model(RESNET), wb.Recipe.from_json(recipe)
    artifact = Artifact.from_bytes(wb.compress(model, recipe).to_bytes())
    report = wb.measure(model, recipe, timed=False, store=ResultCache())
    again = evaluate(artifact, timed=False)
    assert (again.bytes, again.accuracy, again.confusion) == (
        len(artifact),
        report.accuracy,
        report.confusion,
    )
    assert again.size == report.size
