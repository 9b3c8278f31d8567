"""Rebuild the vendored Japanese Vowels from files of aeon.

    pip download --no-deps aeon==1.6.0
    unzip aeon-1.6.0-py3-none-any.whl
    python -m workbench.zoo.vowels.rebuild --source aeon/datasets/data/JapaneseVowels

The official training split is unchanged. The official test split is divided equally by speaker into
validation and test.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from workbench.domain.task import digest_of
from workbench.zoo.rebuilding import Array, read_original, run_command, shuffled, write_npz
from workbench.zoo.vowels import FOLDER
from workbench.zoo.vowels.frames import COEFFICIENTS, FRAMES

CHECKSUMS = {
    "JapaneseVowels_TRAIN.ts": "68a430eabd919cc77f40b1f5f3bc0dcafacc1486bca9260785aeb7d262cc78cd",
    "JapaneseVowels_TEST.ts": "b3d41d6a0ca3bcad3afb9ca7d4365382aa51341e2e58bae2a574babdda5b9462",
}
SEED = 0


class Utterance(NamedTuple):
    """One recording: its line in the file, frames float32 [frames, 12], and the speaker, 0 to 8."""

    line: str
    frames: Array
    speaker: int


def rebuild(source: Path, output: Path) -> dict[str, str]:
    """Write one ``.npz`` per split into `output` and return the digest of each split.

    Raises
    ------
    FileError
        If a source file is missing or is not the original.
    """
    train, held_out = (read(read_original(source / name, CHECKSUMS[name])) for name in CHECKSUMS)
    validation, test = split_in_half(held_out)
    digests = {}
    for name, part in (
        ("train", shuffle_utterances(train)),
        ("validation", validation),
        ("test", test),
    ):
        arrays = arrays_of(part)
        write_npz(output / f"{name}.npz", arrays)
        digests[name] = digest_of(**arrays)
    return digests


def read(content: bytes) -> list[Utterance]:
    """Read a ``.ts`` file: a header, then one line per recording.

    A line has 12 coefficient series and the speaker, 1 to 9, separated by colons. A series has one
    number per frame, separated by commas.
    """
    _, _, data = content.decode().partition("@data\n")
    utterances = []
    for line in data.splitlines():
        *series, speaker = line.split(":")
        frames = np.array([values.split(",") for values in series], np.float32).T
        utterances.append(Utterance(line, frames, int(speaker) - 1))
    return utterances


def shuffle_utterances(utterances: Sequence[Utterance]) -> list[Utterance]:
    """Return the recordings shuffled; in the files they are sorted by speaker."""
    order = shuffled((utterance.line for utterance in utterances), SEED)
    return [utterances[index] for index in order]


def split_in_half(utterances: Sequence[Utterance]) -> tuple[list[Utterance], list[Utterance]]:
    """Return two halves with equally many recordings of each speaker, up to one."""
    by_speaker = sorted(shuffle_utterances(utterances), key=lambda utterance: utterance.speaker)
    return shuffle_utterances(by_speaker[::2]), shuffle_utterances(by_speaker[1::2])


def arrays_of(utterances: Sequence[Utterance]) -> dict[str, Array]:
    """Return `examples`, float32 [n, 29, 12] padded with zeros, and `labels`, uint8 [n]."""
    examples = np.zeros((len(utterances), FRAMES, COEFFICIENTS), np.float32)
    for row, utterance in zip(examples, utterances, strict=True):
        row[: len(utterance.frames)] = utterance.frames
    labels = np.array([utterance.speaker for utterance in utterances], np.uint8)
    return {"examples": examples, "labels": labels}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script from the command line."""
    run_command(rebuild, FOLDER / "data", arguments)


if __name__ == "__main__":
    main()
