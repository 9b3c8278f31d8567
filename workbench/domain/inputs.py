"""Conversion of stored examples and labels to the tensors that modules take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workbench.runtime.nested import map_tensors


def _image(examples: NDArray[np.uint8]) -> Tensor:
    """Convert uint8 [b, h, w] to float32 [b, 1, h, w], divided by 255.

    Color images [b, h, w, 3] become [b, 3, h, w]. The rounding is the same on every machine.
    """
    images = torch.tensor(examples)
    channels = images.unsqueeze(1) if images.ndim == 3 else images.movedim(3, 1).contiguous()
    return channels.to(torch.float32).div_(255)


def _ids(examples: NDArray[np.integer]) -> Tensor:
    return torch.from_numpy(examples.astype(np.int64))


def _frames(examples: NDArray[np.float32]) -> Tensor:
    return torch.tensor(examples)


def _custom(examples: Any) -> Any:
    """Return a user's examples in new memory, because a module may write to its inputs."""
    from workbench.domain.lazy_rows import collate_examples

    return map_tensors(torch.clone, collate_examples(examples))


INPUT_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "image": _image,
    "words": _ids,
    "characters": _ids,
    "frames": _frames,
    "custom": _custom,
}
"""By the input type of a task."""


def targets(labels: Any) -> Any:
    """Convert stored labels to tensors: integers to int64, others to float32."""
    if isinstance(labels, np.ndarray):
        is_integer = np.issubdtype(labels.dtype, np.integer)
        return torch.from_numpy(labels.astype(np.int64 if is_integer else np.float32))
    from workbench.domain.lazy_rows import collate_examples

    return collate_examples(labels)
