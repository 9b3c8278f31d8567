"""The speech task: identify which of nine speakers said a vowel."""

from __future__ import annotations

from pathlib import Path

from workbench.domain.task import Task, packaged_splits
from workbench.i18n import mark

FOLDER = Path(__file__).parent

TASK = Task(
    name="vowels",
    title=mark("Speakers of Japanese vowels"),
    classes=(
        mark("Speaker 1"),
        mark("Speaker 2"),
        mark("Speaker 3"),
        mark("Speaker 4"),
        mark("Speaker 5"),
        mark("Speaker 6"),
        mark("Speaker 7"),
        mark("Speaker 8"),
        mark("Speaker 9"),
    ),
    source="Japanese Vowels (Kudo, Toyama and Shimbo 1999), UCI, doi 10.24432/C5NS47",
    license="CC BY 4.0",
    sources=packaged_splits(
        FOLDER,
        {
            "train": "414585680c43bf86de5b65a0704ebe4479799776443c553b1e08f7f8baa892e8",
            "validation": "5d8b6eafddc2374cab330079b18fb57f6ccca8e03ef354a0d449d97c5b8a1d1c",
            "test": "6f714435ca6d3c7c07acc71c20136d4e488e7e57feb9a2744a183dc9124de33f",
        },
    ),
    input_type="frames",
)
