"""The text task: classify clothing reviews as good or bad."""

from __future__ import annotations

from pathlib import Path

from workbench.domain.task import Task, packaged_splits
from workbench.i18n import mark

FOLDER = Path(__file__).parent
VOCABULARY = FOLDER / "data" / "vocabulary.txt"
"""The vocabulary file: the word of each id, one per line."""

TASK = Task(
    name="reviews",
    title=mark("Clothing reviews, good or bad"),
    classes=(mark("Negative"), mark("Positive")),
    source="Women's E-Commerce Clothing Reviews (Brooks, Kaggle)",
    license="CC0 1.0",
    sources=packaged_splits(
        FOLDER,
        {
            "train": "384965d09424f4a3beba2060cffbbf61c4c64ce121d19e2b641101f7c1124904",
            "validation": "039bf5a508274bf64e91de564ac942ccb884260cd23208539144bb1260d20820",
            "test": "ee90f9f6f69af1b0805417dfe0d74d92c8d186729ad49b86dd17afb03f6ba544",
        },
    ),
    input_type="words",
)
