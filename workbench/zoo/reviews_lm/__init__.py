"""The language-modeling task: predict the next character of clothing reviews."""

from __future__ import annotations

import string
from pathlib import Path

from workbench.domain.metric import BITS_PER_CHARACTER
from workbench.domain.task import Task, packaged_splits
from workbench.i18n import mark

FOLDER = Path(__file__).parent

ALPHABET = "\N{REPLACEMENT CHARACTER}\n " + string.digits + string.ascii_letters
ALPHABET += "!\"#$%&'()*+,-./:;?_"
"""The characters by id. The first represents unknown characters; a newline ends a review."""

WINDOW = 256
"""The context length in characters."""

TASK = Task(
    name="reviews-lm",
    title=mark("Clothing reviews, the next character"),
    classes=tuple(ALPHABET),
    source="Women's E-Commerce Clothing Reviews (Brooks, Kaggle)",
    license="CC0 1.0",
    sources=packaged_splits(
        FOLDER,
        {
            "train": "c8da475315b93759471e4f275e49e3752d2b158700be1e074b47d2da4b8bfba5",
            "validation": "fb03f6dc2d2391400dddfe07f4184e3c4dedd807af41e7c321e860f4f9be86db",
            "test": "88883390aa3806c7ed251cda0c5d85e6bcc7b4c62f2ff25b5f59182cf794be1a",
        },
        WINDOW,
    ),
    input_type="characters",
    metric=BITS_PER_CHARACTER,
)
