"""What a file says of its module: read back as it was, and refused where it makes no sense."""

from __future__ import annotations

import pytest

import workbench as wb
from workbench.artifact import container
from workbench.artifact.artifact import Artifact
from workbench.artifact.module_spec import InputQParams, ModuleSpec
from workbench.errors import ArtifactError
from workbench.evaluation.measure import evaluate

WHOLE = ModuleSpec(
    0.5,
    1,
    True,
    (("bn", "stem"),),
    (("conv1", InputQParams(8, 0.25, 0)), ("fc.0", InputQParams(2, 1e-9, 3))),
)


def test_plain_data_and_back():
    assert WHOLE.as_list() == [
        ["build", 1, 0.5, 1],
        ["narrow", 1],
        ["fold", 1, {"bn": "stem"}],
        ["round inputs", 1, {"conv1": [8, 0.25, 0], "fc.0": [2, 1e-9, 3]}],
    ]
    assert ModuleSpec.from_list(WHOLE.as_list()) == WHOLE
    assert ModuleSpec.from_list([]) == ModuleSpec()


BAD = [
    None,
    {},
    "narrow",
    ["narrow"],
    [["narrow"]],
    [["narrow", 2]],
    [["build", 1, 0.5]],
    [["build", 1, 0.0, 1]],
    [["build", 1, 1.5, 1]],
    [["build", 1, 1, 1]],
    [["build", 1, 0.5, -1]],
    [["build", 1, 0.5, True]],
    [["build", 1, 1.0, 0]],
    [["narrow", 1], ["narrow", 1]],
    [["run", 1, "code"]],
    [["fold", 1]],
    [["fold", 1, ["bn", "stem"]]],
    [["fold", 1, {"bn": 3}]],
    [["fold", 1, {}]],
    [["fold", 1, {"bn": "stem"}], ["narrow", 1]],
    [["round inputs", 1, {"w": [8, 0.1]}]],
    [["round inputs", 1, {"w": [9, 0.1, 0]}]],
    [["round inputs", 1, {"w": [1, 0.1, 0]}]],
    [["round inputs", 1, {"w": [8, 0.0, 0]}]],
    [["round inputs", 1, {"w": [8, -0.1, 0]}]],
    [["round inputs", 1, {"w": [8, float("inf"), 0]}]],
    [["round inputs", 1, {"w": [8, 1, 0]}]],
    [["round inputs", 1, {"w": [8, 0.1, 256]}]],
    [["round inputs", 1, {"w": [8, 0.1, -1]}]],
    [["round inputs", 1, {"w": [True, 0.1, 0]}]],
    [["round inputs", 1, {"w": "8"}]],
    [["round inputs", 1, {"absent": [8, 0.1, 0]}]],
]


@pytest.mark.parametrize("form", BAD, ids=str)
def test_nonsense_is_refused_in_one_sentence(form):
    entry = {"w.weight": {"shape": [0], "dtype": "u8"}}
    blob, _ = container.pack({"model": "m", "recipe": {}, "form": form, "tensors": entry}, b"")
    with pytest.raises(ArtifactError) as caught:
        Artifact.from_bytes(blob)
    assert str(caught.value).endswith(".")


RESNET = "fashion/resnet"
NARROW = {"structure": {"removed": 0.5}}
FOLDED = {"adjust": {"batch_norm": "fold"}, "quantize": {"bits": 8}, "activations": {"bits": 8}}


def altered(recipe, change) -> Artifact:
    """Return a file of resnet whose header was changed by hand, its digest right."""
    made = wb.compress(wb.model(RESNET), wb.Recipe.from_json(recipe))
    header, data = container.unpack(made.to_bytes())
    header = {key: value for key, value in header.items() if key != "sha256"}
    change(header)
    return Artifact.from_bytes(container.pack(header, bytes(data))[0])


def forget_form(header):
    header["form"] = []


def fold_what_is_not_there(header):
    header["form"] = [["fold", 1, {"bn9": "stem"}]]


def fold_into_nothing(header):
    header["form"] = [["fold", 1, {"bn": "pool"}]]


def round_what_is_no_layer(header):
    header["form"] = [["round inputs", 1, {"bn": [8, 0.5, 0]}]]


def leave_too_much_out(header):
    header["form"] = [["build", 1, 0.5, 99]]


def lose_a_channel(header):
    entry = header["tensors"]["blocks.0.conv1.weight"]
    entry["shape"] = [entry["shape"][0] * 2, entry["shape"][1] // 2, *entry["shape"][2:]]


@pytest.mark.parametrize(
    ("recipe", "change"),
    [
        (NARROW, forget_form),
        (NARROW, lose_a_channel),
        (FOLDED, forget_form),
        ({}, fold_what_is_not_there),
        ({}, leave_too_much_out),
        ({}, fold_into_nothing),
        ({}, round_what_is_no_layer),
    ],
)
def test_a_file_that_does_not_fit_its_form_is_refused_when_it_is_run(recipe, change):
    with pytest.raises(ArtifactError) as caught:
        evaluate(altered(recipe, change), timed=False)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("recipe", [NARROW, FOLDED, {**NARROW, **FOLDED}])
def test_a_file_in_a_form_is_judged_as_it_was_measured(recipe):
    model, recipe = wb.model(RESNET), wb.Recipe.from_json(recipe)
    made = Artifact.from_bytes(wb.compress(model, recipe).to_bytes())
    report = wb.measure(model, recipe, timed=False)
    again = evaluate(made, timed=False)
    assert (again.bytes, again.accuracy, again.confusion) == (
        len(made),
        report.accuracy,
        report.confusion,
    )
    assert again.size == report.size
