"""A file whose description was changed is refused with one sentence, or predicts; never worse."""

from __future__ import annotations

import random
import tracemalloc
from copy import deepcopy

import pytest

import workbench as wb
from tests.custom.prediction.conftest import as_csv, buyers
from workbench.artifact import container
from workbench.artifact.artifact import Artifact
from workbench.errors import WorkbenchError

JUNK = [
    *(
        None,
        True,
        -1,
        0,
        1,
        0.5,
        2**40,
        -(2**62),
        1e308,
        -1e-308,
        "",
        "x",
        "number",
        "text",
        "date",
    ),
    *([], {}, ["a"], [1.0], [[]], {"a": 1}, ",", "(", "[", "\\", "\0"),
]
CHANGES = 60
MEMORY = 2**26


def places(value, path=()):
    """Yield the path to every value inside plain data."""
    yield path
    keys = {dict: list, list: lambda items: range(len(items))}.get(type(value), lambda _: ())
    for key in keys(value):
        yield from places(value[key], (*path, key))


def changed(artifact, content):
    header, data = container.unpack(artifact.to_bytes())
    return container.pack(header | {"preprocessing": content}, data)[0]


def mutated(content, generator):
    """Return the description with one value changed, removed or repeated."""
    result = deepcopy(content)
    *path, last = generator.choice([p for p in places(result) if len(p) > 1])
    inside = result
    for key in path:
        inside = inside[key]
    action = generator.choice(["replace", "delete", "repeat", "negative"])
    if action == "delete":
        del inside[last]
    elif action == "repeat" and isinstance(inside, list):
        inside.extend(inside[last : last + 1] * generator.choice([1, 1000]))
    elif action == "negative" and isinstance(inside[last], int | float):
        inside[last] = -inside[last]
    else:
        inside[last] = deepcopy(generator.choice(JUNK))
    return result


def outcome(blob, rows):
    """Return the predictions of a file, or the error that refuses it."""
    try:
        return wb.predict(Artifact.from_bytes(blob, max_bytes=2**24), rows)
    except WorkbenchError as error:
        return error


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["classes", "numbers", "texts"])
def test_changed_descriptions(request, kind):
    artifact = request.getfixturevalue(kind).artifact
    rows = ["a nice film"] * 3 if kind == "texts" else as_csv(buyers(4))
    generator, refused = random.Random(kind), 0
    for _ in range(CHANGES):
        blob = changed(artifact, mutated(artifact.preprocessing, generator))
        result = outcome(blob, rows)
        if isinstance(result, WorkbenchError):
            refused += 1
            assert len(str(result)) < 500
            assert "\n" not in str(result)
        else:
            assert len(result) in {3, 4}
            result.to_csv()
    assert refused > CHANGES / 4


@pytest.mark.slow
def test_a_huge_vocabulary_takes_no_memory(texts):
    content = deepcopy(texts.artifact.preprocessing)
    features = content["data"]["columns"][0]["features"]
    features["words"] = [f"w{n}" for n in range(40_000)]
    features["weights"] = [1] * 40_000
    blob = changed(texts.artifact, content)
    tracemalloc.start()
    try:
        with pytest.raises(WorkbenchError) as caught:
            wb.predict(Artifact.from_bytes(blob), ["a nice film"])
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()
    assert caught.value.code == "artifact.invalid_preprocessing"


@pytest.mark.slow
def test_changed_descriptions_of_pictures(pictures, folder):
    generator, picture = random.Random(0), folder / "shades" / "dark" / "0.png"
    refused = 0
    for _ in range(30):
        blob = changed(pictures.artifact, mutated(pictures.artifact.preprocessing, generator))
        result = outcome(blob, picture)
        refused += isinstance(result, WorkbenchError)
        assert len(str(result)) < 500
    assert refused > 10
