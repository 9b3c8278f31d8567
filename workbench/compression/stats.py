"""What a method needs from data: computed once per model, then plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from workbench.compression.covariance import InputCovariance


@dataclass(frozen=True)
class CalibrationStats:
    """Measurements of a model on calibration data.

    `gradients` maps tensor names to the mean absolute gradient of the loss over calibration
    batches, each of its tensor's shape. `moments` maps them to the second moments
    [n, n] of their layer's inputs, n as many as a row of the tensor, flattened, has entries; layers
    whose weights multiply no such inputs are missing. `digest` names the whole in caches.
    """

    gradients: Mapping[str, Tensor] = field(default_factory=dict)
    moments: Mapping[str, InputCovariance] = field(default_factory=dict)
    digest: str = ""
