"""The vendored recordings match the task definition."""

from __future__ import annotations

from importlib.util import find_spec
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from workbench.domain.task import digest_of
from workbench.zoo.vowels import FOLDER, TASK
from workbench.zoo.vowels.frames import COEFFICIENTS, FRAMES, SPEAKERS
from workbench.zoo.vowels.rebuild import arrays_of, main, read, rebuild, split_in_half

SIZES = {"train": 270, "validation": 185, "test": 185}
OFFICIAL_TEST = [31, 35, 88, 44, 29, 24, 40, 50, 29]


def arrays(name):
    with np.load(FOLDER / "data" / f"{name}.npz") as loaded:
        return loaded["examples"], loaded["labels"]


@pytest.mark.parametrize("name", SIZES)
def test_split_has_its_size_types_and_digest(name: str) -> None:
    examples, labels = arrays(name)
    assert examples.shape == (SIZES[name], FRAMES, COEFFICIENTS)
    assert labels.shape == (SIZES[name],)
    assert (examples.dtype, labels.dtype) == (np.float32, np.uint8)
    assert len(TASK.classes) == SPEAKERS
    assert digest_of(examples, labels) == TASK.digest(name)


@pytest.mark.parametrize("name", SIZES)
def test_frames_are_seven_to_twenty_nine_with_zeros_after_them(name: str) -> None:
    real = (arrays(name)[0] != 0).any(2)
    assert real.sum(1).min() >= 7
    assert (np.diff(real.astype(np.int8), axis=1) <= 0).all()


def test_speakers_are_those_of_the_official_splits() -> None:
    counts = {name: np.bincount(arrays(name)[1], minlength=SPEAKERS) for name in SIZES}
    assert set(counts["train"]) == {30}
    assert (counts["validation"] + counts["test"]).tolist() == OFFICIAL_TEST
    assert np.abs(counts["validation"] - counts["test"]).max() == 1


def test_no_recording_is_in_two_splits() -> None:
    rows = {name: {row.tobytes() for row in arrays(name)[0]} for name in SIZES}
    for first, second in combinations(SIZES, 2):
        assert rows[first].isdisjoint(rows[second])


def synthetic():
    lines = [
        ":".join([*[f"{number}.5,{place}"] * COEFFICIENTS, f"{number % 2 + 1}"])
        for number, place in enumerate(range(10), 1)
    ]
    return ("@dimensions 12\n@data\n" + "\n".join(lines) + "\n").encode()


def test_a_synthetic_file_is_read_and_padded() -> None:
    first = read(synthetic())[0]
    assert first.frames.tolist() == [[1.5] * COEFFICIENTS, [0.0] * COEFFICIENTS]
    assert first.speaker == 1
    padded = arrays_of([first])
    assert padded["examples"][0, :2].tolist() == first.frames.tolist()
    assert not padded["examples"][0, 2:].any()
    assert padded["labels"].tolist() == [1]


def test_halves_have_the_same_speakers() -> None:
    utterances = read(synthetic())
    first, second = split_in_half(utterances)
    assert sorted(u.line for u in (*first, *second)) == sorted(u.line for u in utterances)
    assert abs(sum(u.speaker for u in first) - sum(u.speaker for u in second)) <= 1


def test_missing_source_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--source", str(tmp_path), "--output", str(tmp_path)])
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.slow
@pytest.mark.skipif(
    not find_spec("aeon"), reason="aeon, which carries the source, is not installed"
)
def test_rebuild_gives_the_vendored_content(tmp_path: Path) -> None:
    package = Path(find_spec("aeon").origin).parent
    digests = rebuild(package / "datasets" / "data" / "JapaneseVowels", tmp_path)
    assert digests == {name: TASK.digest(name) for name in SIZES}
