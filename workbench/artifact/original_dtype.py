"""The original dtype of a tensor, stored when decoding yields a different one."""

from __future__ import annotations

import torch

from workbench.compression.codecs.stream import Entry
from workbench.compression.coded import DTYPES

WIDENED = ("bf16", "fp16")
"""The dtypes that decode to float32."""

CONVERTIBLE = (*WIDENED, "f64")
"""The original dtypes, other than float32, of tensors that decode to float32."""


def with_original_dtype(entry: Entry, dtype: torch.dtype) -> Entry:
    """Return `entry` with `dtype` recorded if the tensor decodes to a different one."""
    name = next(name for name, known in DTYPES.items() if known == dtype)
    return entry if name == _decoded_dtype(entry) else {**entry, "was": name}


def original_dtype(entry: Entry) -> str:
    """Return the name of the dtype that the tensor had before compression."""
    return str(entry.get("was", _decoded_dtype(entry)))


def is_valid_original_dtype(entry: Entry) -> bool:
    """Whether the recorded original dtype, if any, is known and differs from the decoded one."""
    return "was" not in entry or (entry["was"] in CONVERTIBLE and _decoded_dtype(entry) == "f32")


def _decoded_dtype(entry: Entry) -> str:
    dtype = str(entry.get("dtype", "f32"))
    return "f32" if dtype in WIDENED else dtype
