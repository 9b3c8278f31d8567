"""The dtype that a tensor had before it was compressed, where decoding gives another."""

from __future__ import annotations

import torch

from workbench.compression.codecs.stream import Entry
from workbench.compression.coded import DTYPES

WIDENED = ("bf16", "fp16")
"""The dtypes that decode to float32."""

FORMER = (*WIDENED, "f64")
"""What a tensor that decodes to float32 may have been, if not float32."""


def with_original_dtype(entry: Entry, dtype: torch.dtype) -> Entry:
    """Return `entry` so that it says what a tensor of `dtype` was, if it decodes to another."""
    name = next(name for name, known in DTYPES.items() if known == dtype)
    return entry if name == _decoded(entry) else {**entry, "was": name}


def original_dtype(entry: Entry) -> str:
    """Return the name of the dtype that the tensor had."""
    return str(entry.get("was", _decoded(entry)))


def is_valid_original_dtype(entry: Entry) -> bool:
    """Whether what a sensible entry says the tensor was, if it does, is needed and known."""
    return "was" not in entry or (entry["was"] in FORMER and _decoded(entry) == "f32")


def _decoded(entry: Entry) -> str:
    dtype = str(entry.get("dtype", "f32"))
    return "f32" if dtype in WIDENED else dtype
