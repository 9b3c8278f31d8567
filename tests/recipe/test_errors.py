"""An invalid recipe is refused in one sentence that names the field and the allowed values."""

from __future__ import annotations

import pytest

from tests.raises import raises
from workbench.errors import RecipeError
from workbench.recipe import Prune, Quantize, Recipe

NAN, INFINITY = float("nan"), float("inf")

SOURCES = [
    ("", "recipe.invalid_json"),
    ("{", "recipe.invalid_json"),
    ("prune", "recipe.invalid_json"),
    (b"\xff\xfe\xfd", "recipe.invalid_json"),
    ("[" * 100_000, "recipe.invalid_json"),
    ('{"prune": {"seed": ' + "9" * 5000 + "}}", "recipe.invalid_json"),
    (None, "recipe.invalid_json"),
    ("[]", "recipe.not_an_object"),
    ("null", "recipe.not_an_object"),
    ("3", "recipe.not_an_object"),
    ('"prune"', "recipe.not_an_object"),
    (
        '{"pruning": {}}',
        "recipe.unknown_key",
        "'pruning'",
        "structure, prune, factorize, share, quantize",
    ),
    ('{"prune": 0.5}', "recipe.not_an_object", "prune", "0.5"),
    ('{"prune": []}', "recipe.not_an_object", "prune"),
    ('{"prune": true}', "recipe.not_an_object", "prune"),
    ('{"prune": {"ratio": 1}}', "recipe.unknown_key", "prune", "'ratio'", "sparsity, criterion"),
    ('{"quantize": {"bit": 4}}', "recipe.unknown_key", "quantize", "'bit'", "bits, format"),
    ('{"prune": {"sparsity": NaN}}', "recipe.out_of_range", "0 to 0.99", "nan"),
    ('{"prune": {"sparsity": Infinity}}', "recipe.out_of_range", "0 to 0.99", "inf"),
    ('{"prune": {"sparsity": ' + "9" * 400 + "}}", "recipe.out_of_range", "0 to 0.99"),
    ('{"quantize": {"bits": ' + "9" * 400 + "}}", "recipe.unknown_choice", "bits", "2, 3"),
    ('{"quantize": {"bits": 1e999}}', "recipe.unknown_choice", "bits", "2, 3"),
]

FIELDS = [
    (
        Prune,
        "sparsity",
        "recipe.out_of_range",
        "0 to 0.99",
        (1.5, 1, 0.991, -0.01, "0.5", None, True, [], {}, NAN, INFINITY, -INFINITY, 1j),
    ),
    (
        Prune,
        "criterion",
        "recipe.unknown_choice",
        "magnitude, gradient (or taylor), curvature (or sparsegpt), random",
        ("size", "", None, 0, True, ["magnitude"], {}),
    ),
    (
        Prune,
        "scope",
        "recipe.unknown_choice",
        "global, adaptive (or lamp), uniform, named",
        ("local", None, 1),
    ),
    (
        Prune,
        "layers",
        "recipe.wrong_type",
        "",
        (None, 0.5, "fc:0.5", ["fc"], (("fc", 0.5),)),
    ),
    (
        Prune,
        "layers",
        "recipe.out_of_range",
        "0 to 0.99",
        tuple({"fc": value} for value in (1, -0.1, "0.5", None, False, NAN)),
    ),
    (Prune, "layers", "recipe.invalid_layer_name", "", ({"": 0.5}, {3: 0.5}, {None: 0.5})),
    (Prune, "exclude", "recipe.wrong_type", "", ("fc", None, 3, {"fc": 1}, iter(["fc"]))),
    (
        Prune,
        "exclude",
        "recipe.invalid_layer_name",
        "",
        ([3], [None], [""], [["fc"]], b"fc"),
    ),
    (Prune, "seed", "recipe.out_of_range", "from 0 to", (-1, 2**31, "1", None, True, NAN)),
    (Prune, "seed", "recipe.not_an_integer", "1.5", (1.5,)),
    (
        Quantize,
        "bits",
        "recipe.unknown_choice",
        "2, 3, 4, 5, 6, 7, 8, 16, 32, not",
        (1, 0, 9, 15, 33, -4, 4.5, "4", None, True, NAN, INFINITY, [4]),
    ),
    (Quantize, "format", "recipe.unknown_choice", "bf16, fp16", ("fp8", "BF16", None)),
    (Quantize, "scheme", "recipe.unknown_choice", "symmetric, affine", ("asymmetric", None)),
    (Quantize, "granularity", "recipe.unknown_choice", "tensor, channel, group", ("row", None)),
    (
        Quantize,
        "group_size",
        "recipe.out_of_range",
        "8 to 1024",
        (7, 1025, "64", None, True, NAN),
    ),
    (Quantize, "group_size", "recipe.not_an_integer", "64.5", (64.5,)),
    (Quantize, "range", "recipe.unknown_choice", "minmax, percentile, mse", ("max", None)),
    (
        Quantize,
        "percentile",
        "recipe.out_of_range",
        "90 to 100",
        (89.9, 100.1, "99", None, NAN),
    ),
    (
        Quantize,
        "layers",
        "recipe.unknown_choice",
        "2, 3",
        tuple({"fc": value} for value in (1, 4.5, "4", None, True)),
    ),
    (Quantize, "exclude", "recipe.wrong_type", "", ("fc",)),
]


@pytest.mark.parametrize(("source", "code", "facts"), [(s, c, f) for s, c, *f in SOURCES])
def test_sources(source, code, facts) -> None:
    with raises(code, *facts):
        Recipe.from_json(source)


@pytest.mark.parametrize(("part", "field", "code", "allowed", "values"), FIELDS)
def test_fields(part, field, code, allowed, values) -> None:
    for value in values:
        with raises(code, f"{part.__name__.lower()}.{field}", allowed):
            part(**{field: value})


@pytest.mark.parametrize("value", [Quantize(), 0.5, "prune", [], True])
def test_part_of_another_kind(value) -> None:
    with raises("recipe.not_an_object", "prune"):
        Recipe(prune=value)


def test_part_may_be_plain_data() -> None:
    assert Recipe(prune={"sparsity": 0.9}) == Recipe(Prune(0.9))
    with raises("recipe.unknown_key", "prune", "'ratio'"):
        Recipe(prune={"ratio": 0.9})


def nested(depth: int) -> list:
    out: list = []
    for _ in range(depth):
        out = [out]
    return out


@pytest.mark.parametrize("value", ["x" * 10**6, [0] * 10**6, nested(10**4), 10**400])
@pytest.mark.parametrize("field", ["sparsity", "criterion", "layers", "exclude", "seed"])
def test_messages_stay_short(value, field) -> None:
    with pytest.raises(RecipeError) as caught:
        Prune(**{field: value})
    assert len(str(caught.value)) < 300


def test_unknown_names_suggest_the_nearest() -> None:
    known = ["conv1.weight", "conv2.weight", "fc.weight"]
    Recipe(Prune(exclude=("fc.weight",)), Quantize(layers={"conv1.weight": 4})).check_names(known)
    with raises("recipe.unknown_layer", "prune.exclude", "'fc.wieght'", "try fc.weight."):
        Recipe(Prune(exclude=("fc.wieght",))).check_names(known)
    with raises("recipe.unknown_layer", "'zzz'", "try conv1.weight, conv2.weight, fc.weight."):
        Recipe(quantize=Quantize(layers={"zzz": 4})).check_names(known)


@pytest.mark.parametrize(
    ("recipe", "code"),
    [
        (
            {"prune": {"criterion": "gradient"}, "train": {"start": "scratch"}},
            "recipe.calibration_from_scratch",
        ),
        ({"train": {"width": 0.5}}, "recipe.resized_trained_weights"),
        ({"train": {}, "factorize": {}}, "recipe.trained_factors"),
        ({"train": {}, "quantize": {"rounding": "compensated"}}, "recipe.rounded_in_training"),
    ],
)
def test_parts_that_cannot_be_combined(recipe, code) -> None:
    with raises(code):
        Recipe.from_json(recipe)


@pytest.mark.parametrize(
    "text",
    [
        '{"prune": {"sparsity": 0.5}, "prune": {"sparsity": 0.9}}',
        '{"prune": {"layers": {"a": 0.5, "a": 0.9}}}',
    ],
)
def test_duplicate_key_is_refused(text) -> None:
    with raises("recipe.duplicate_key"):
        Recipe.from_json(text)
