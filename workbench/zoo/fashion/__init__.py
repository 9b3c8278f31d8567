"""The vision task: small grayscale images of clothes."""

from __future__ import annotations

from pathlib import Path

from workbench.domain.task import Task, packaged_splits
from workbench.i18n import mark

FOLDER = Path(__file__).parent

TASK = Task(
    name="fashion",
    title=mark("Clothes (Fashion-MNIST)"),
    classes=(
        mark("T-shirt/top"),
        mark("Trouser"),
        mark("Pullover"),
        mark("Dress"),
        mark("Coat"),
        mark("Sandal"),
        mark("Shirt"),
        mark("Sneaker"),
        mark("Bag"),
        mark("Ankle boot"),
    ),
    source="Fashion-MNIST (Xiao, Rasul and Vollgraf, arXiv 1708.07747), Zalando SE",
    license="MIT",
    sources=packaged_splits(
        FOLDER,
        {
            "train": "71bb7a4420f9a4dc329740bf41730a82bee233a37c812d5491970eefac21f596",
            "validation": "f6d31cdef9147bea4695cccf0ed27db118390893a9696a7faac13833808fa2f0",
            "test": "9f1ec356a747bfe4ebab3cfb722d3694c9ca737e2570f6f90cf31d7b6fd689d4",
        },
    ),
)
