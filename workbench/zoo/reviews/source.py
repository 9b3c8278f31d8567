"""Reading of the original reviews, used only by the rebuild scripts."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from workbench.errors import WorkbenchError
from workbench.zoo.rebuilding import read_original, shuffled

FILE = "WomensClothingE-CommerceReviews.parquet.brotli"
CHECKSUM = "2d51764ec91b143fa437860e3ba459f7a18ee562aa0ff7b961d88ae3bebcbfbd"


class Review(NamedTuple):
    """The text of a review with normalized white space, and its stars, 1 to 5."""

    text: str
    rating: int


def read(folder: Path) -> list[Review]:
    """Return all reviews with a text, without titles, in the original order.

    Raises
    ------
    FileError
        If the file is missing or not the original.
    WorkbenchError
        If pyarrow is not installed.
    """
    content = read_original(folder / FILE, CHECKSUM)
    try:
        parquet = import_module("pyarrow.parquet")  # by name: not a dependency of the package
    except ModuleNotFoundError as error:
        raise WorkbenchError(
            f"Reading {FILE} needs pyarrow; install it.", code="data.missing_package"
        ) from error
    table = parquet.read_table(io.BytesIO(content)).to_pydict()
    pairs = zip(table["Review Text"], table["Rating"], strict=True)
    reviews = (Review(" ".join((text or "").split()), rating) for text, rating in pairs)
    return [review for review in reviews if review.text]


def shuffle_unique_first(reviews: Sequence[Review], seed: int) -> list[Review]:
    """Return `reviews` shuffled, with duplicate texts at the end.

    Validation and test splits are taken from the front, so no text is in two splits.
    """
    texts = [review.text for review in reviews]
    counts = Counter(texts)
    candidates = [reviews[index] for index in shuffled(texts, seed)]
    return sorted(candidates, key=lambda review: counts[review.text] > 1)
