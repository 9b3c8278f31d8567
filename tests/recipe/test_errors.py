"""What a recipe may not hold is refused in one sentence that names the place and the choices."""

from __future__ import annotations

import pytest

from workbench.errors import RecipeError
from workbench.recipe import Prune, Quantize, Recipe

NAN, INFINITY = float("nan"), float("inf")

SOURCES = [
    ("", "not valid JSON"),
    ("{", "not valid JSON"),
    ("prune", "not valid JSON"),
    (b"\xff\xfe\xfd", "not valid JSON"),
    ("[" * 100_000, "not valid JSON"),
    ('{"prune": {"seed": ' + "9" * 5000 + "}}", "not valid JSON"),
    (None, "not valid JSON"),
    ("[]", "JSON object such as"),
    ("null", "JSON object such as"),
    ("3", "JSON object such as"),
    ('"prune"', "JSON object such as"),
    (
        '{"pruning": {}}',
        "no key 'pruning': choose from structure, prune, factorize, share, quantize",
    ),
    ('{"prune": 0.5}', r"prune must be an object of settings, not 0\.5"),
    ('{"prune": []}', "prune must be an object of settings"),
    ('{"prune": true}', "prune must be an object of settings"),
    ('{"prune": {"ratio": 1}}', "prune has no key 'ratio': choose from sparsity, criterion"),
    ('{"quantize": {"bit": 4}}', "quantize has no key 'bit': choose from bits, format"),
    ('{"prune": {"sparsity": NaN}}', r"number from 0 to 0\.99, not nan"),
    ('{"prune": {"sparsity": Infinity}}', r"number from 0 to 0\.99, not inf"),
    ('{"prune": {"sparsity": ' + "9" * 400 + "}}", r"number from 0 to 0\.99"),
    ('{"quantize": {"bits": ' + "9" * 400 + "}}", r"bits must be one of 2, 3"),
    ('{"quantize": {"bits": 1e999}}', "bits must be one of 2, 3"),
]

FIELDS = [
    (
        Prune,
        "sparsity",
        r"must be a number from 0 to 0\.99",
        (1.5, 1, 0.991, -0.01, "0.5", None, True, [], {}, NAN, INFINITY, -INFINITY, 1j),
    ),
    (
        Prune,
        "criterion",
        "must be one of magnitude, gradient, curvature, random",
        ("size", "", None, 0, True, ["magnitude"], {}),
    ),
    (Prune, "scope", "must be one of global, adaptive, uniform, layer", ("local", None, 1)),
    (
        Prune,
        "layers",
        "must map layer names to values",
        (None, 0.5, "fc:0.5", ["fc"], (("fc", 0.5),)),
    ),
    (
        Prune,
        "layers",
        r"must be a number from 0 to 0\.99",
        tuple({"fc": value} for value in (1, -0.1, "0.5", None, False, NAN)),
    ),
    (Prune, "layers", "must name layers by text", ({"": 0.5}, {3: 0.5}, {None: 0.5})),
    (Prune, "exclude", "must be a list of layer names", ("fc", None, 3, {"fc": 1}, iter(["fc"]))),
    (Prune, "exclude", "must name layers by text", ([3], [None], [""], [["fc"]], b"fc")),
    (Prune, "seed", "must be a number from 0 to", (-1, 2**31, "1", None, True, NAN)),
    (Prune, "seed", r"must be a whole number, not 1\.5", (1.5,)),
    (
        Quantize,
        "bits",
        "must be one of 2, 3, 4, 5, 6, 7, 8, 16, 32, not",
        (1, 0, 9, 15, 33, -4, 4.5, "4", None, True, NAN, INFINITY, [4]),
    ),
    (Quantize, "format", "must be one of bf16, fp16", ("fp8", "BF16", None)),
    (Quantize, "scheme", "must be one of symmetric, affine", ("asymmetric", None)),
    (Quantize, "granularity", "must be one of tensor, channel, group", ("row", None)),
    (Quantize, "group_size", "must be a number from 8 to 1024", (7, 1025, "64", None, True, NAN)),
    (Quantize, "group_size", "must be a whole number", (64.5,)),
    (Quantize, "range", "must be one of minmax, percentile, mse", ("max", None)),
    (Quantize, "percentile", "must be a number from 90 to 100", (89.9, 100.1, "99", None, NAN)),
    (
        Quantize,
        "layers",
        "must be one of 2, 3",
        tuple({"fc": value} for value in (1, 4.5, "4", None, True)),
    ),
    (Quantize, "exclude", "must be a list of layer names", ("fc",)),
]


@pytest.mark.parametrize(("source", "message"), SOURCES)
def test_sources(source, message) -> None:
    with pytest.raises(RecipeError, match=message):
        Recipe.from_json(source)


@pytest.mark.parametrize(("part", "field", "message", "values"), FIELDS)
def test_fields(part, field, message, values) -> None:
    for value in values:
        with pytest.raises(RecipeError, match=rf"{part.__name__.lower()}\.{field} {message}"):
            part(**{field: value})


@pytest.mark.parametrize("value", [Quantize(), 0.5, "prune", [], True])
def test_a_part_of_another_kind(value) -> None:
    with pytest.raises(RecipeError, match="prune must be an object of settings"):
        Recipe(prune=value)


def test_a_part_may_be_plain_data() -> None:
    assert Recipe(prune={"sparsity": 0.9}) == Recipe(Prune(0.9))
    with pytest.raises(RecipeError, match="prune has no key 'ratio'"):
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


def test_names_that_the_model_lacks_are_answered_with_the_nearest() -> None:
    known = ["conv1.weight", "conv2.weight", "fc.weight"]
    Recipe(Prune(exclude=("fc.weight",)), Quantize(layers={"conv1.weight": 4})).check_names(known)
    with pytest.raises(RecipeError, match=r"prune\.exclude names 'fc\.wieght'.*try fc\.weight\."):
        Recipe(Prune(exclude=("fc.wieght",))).check_names(known)
    with pytest.raises(RecipeError, match=r"'zzz'.*try conv1\.weight, conv2\.weight, fc\.weight\."):
        Recipe(quantize=Quantize(layers={"zzz": 4})).check_names(known)


@pytest.mark.parametrize(
    "text",
    [
        '{"prune": {"sparsity": 0.5}, "prune": {"sparsity": 0.9}}',
        '{"prune": {"layers": {"a": 0.5, "a": 0.9}}}',
    ],
)
def test_a_key_given_twice_is_refused(text) -> None:
    with pytest.raises(RecipeError, match="twice"):
        Recipe.from_json(text)
