"""The text task: classify clothing reviews as good or bad."""

from __future__ import annotations

from pathlib import Path

from workbench.domain.task import PackagedSplit, Task
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
    sources=(
        PackagedSplit(
            "train",
            FOLDER / "data" / "train.npz",
            "384965d09424f4a3beba2060cffbbf61c4c64ce121d19e2b641101f7c1124904",
        ),
        PackagedSplit(
            "validation",
            FOLDER / "data" / "validation.npz",
            "039bf5a508274bf64e91de564ac942ccb884260cd23208539144bb1260d20820",
        ),
        PackagedSplit(
            "test",
            FOLDER / "data" / "test.npz",
            "ee90f9f6f69af1b0805417dfe0d74d92c8d186729ad49b86dd17afb03f6ba544",
        ),
    ),
    input_type="words",
)
