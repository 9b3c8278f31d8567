"""Calibration statistics: what data-driven methods measure, once per model, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from workbench.compression.covariance import InputCovariance


@dataclass(frozen=True)
class CalibrationStats:
    """Measurements of a model on calibration data.

    Attributes
    ----------
    gradients : mapping of str to Tensor
        By tensor name, the mean absolute gradient of the loss over calibration batches, of the
        tensor's shape.
    covariances : mapping of str to InputCovariance
        By tensor name, the second moments [n, n] of the layer's inputs. n is the number of entries
        in a flattened row of the tensor. Layers whose weights do not multiply such inputs, such as
        embeddings, are missing.
    digest : str
        Identifies the statistics in caches.
    """

    gradients: Mapping[str, Tensor] = field(default_factory=dict)
    covariances: Mapping[str, InputCovariance] = field(default_factory=dict)
    digest: str = ""
