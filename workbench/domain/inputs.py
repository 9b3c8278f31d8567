"""From examples as they are stored to what modules take, by what an example is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def _image(examples: NDArray[np.uint8]) -> Tensor:
    """Turn [b, h, w] into float32 [b, 1, h, w] by 255: rounded alike on every machine.

    In colour [b, h, w, 3] becomes [b, 3, h, w].
    """
    images = torch.tensor(examples)
    first = images.unsqueeze(1) if images.ndim == 3 else images.movedim(3, 1).contiguous()
    return first.to(torch.float32).div_(255)


def _numbers(examples: NDArray[np.integer]) -> Tensor:
    return torch.from_numpy(examples.astype(np.int64))


def _frames(examples: NDArray[np.float32]) -> Tensor:
    return torch.tensor(examples)


def _own(examples: Any) -> Any:
    """Return a user's examples in new memory: a module may write to what it is given."""
    from workbench.domain.lazy_rows import collate_examples

    return _copied(collate_examples(examples))


def _copied(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.clone()
    if isinstance(value, Mapping):
        return {name: _copied(one) for name, one in value.items()}
    return type(value)(map(_copied, value)) if type(value) in {tuple, list} else value


INPUT_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "image": _image,
    "words": _numbers,
    "characters": _numbers,
    "frames": _frames,
    "own": _own,
}
"""By the form of a task."""


def targets(labels: Any) -> Any:
    """Turn some stored labels into tensors: whole numbers int64, others float32."""
    if isinstance(labels, np.ndarray):
        whole = np.issubdtype(labels.dtype, np.integer)
        return torch.from_numpy(labels.astype(np.int64 if whole else np.float32))
    from workbench.domain.lazy_rows import collate_examples

    return collate_examples(labels)
