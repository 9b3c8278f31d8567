"""The roofline: whether each layer waits for memory or for arithmetic.

Williams, Waterman and Patterson, "Roofline: an insightful visual performance model", 2009.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from os import PathLike
from typing import Any

from workbench.arguments import expect_running
from workbench.artifact.artifact import Artifact, as_artifact
from workbench.cancel import NEVER, CancelToken
from workbench.display import Displayable
from workbench.domain import Model
from workbench.profiling.layer_work import layer_work
from workbench.profiling.peaks import Peaks, measure_peaks
from workbench.runtime.shell import Shell
from workbench.runtime.unfused import unfuse
from workbench.threads import threads
from workbench.validation import expect_count
from workbench.zoo.registry import model as find_model

BATCH = 64
CALLS = 5
OVERHEAD = 4.0
"""How many times the least time a layer takes before neither peak explains it."""


@dataclass(frozen=True)
class RooflineLayer:
    """One layer in one call with a batch.

    Attributes
    ----------
    macs, bytes : int
        Multiply-adds; bytes of inputs, weights and outputs.
    seconds : float
        The fastest call in PyTorch, on one thread.
    least_seconds : float
        What the slower of the two peaks allows.
    memory : bool
        Whether moving the bytes takes at least as long as the multiply-adds.
    """

    name: str
    kind: str
    macs: int
    bytes: int
    seconds: float
    least_seconds: float
    memory: bool

    @property
    def intensity(self) -> float:
        """Multiply-adds per byte."""
        return self.macs / self.bytes

    @property
    def overhead(self) -> bool:
        """Whether the layer takes so long that neither peak is the reason."""
        return self.seconds > OVERHEAD * self.least_seconds


@dataclass(frozen=True)
class Roofline(Displayable):
    """The layers of a network against the peaks of this machine, on one thread in float32.

    Attributes
    ----------
    model : str
        The name of the model.
    batch : int
        Examples of the call.
    peaks : Peaks
        Multiply-adds and bytes per second that the machine reaches.
    layers : tuple of RooflineLayer
        One for each layer that computes.
    """

    _plots = "roofline"

    model: str
    batch: int
    peaks: Peaks
    layers: tuple[RooflineLayer, ...]

    def __repr__(self) -> str:
        waiting = sum(layer.memory for layer in self.layers)
        return (
            f"<Roofline {self.model}: {waiting:,} of {len(self.layers):,} layers can only wait for "
            f"memory, with a batch of {self.batch:,}>"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "model": self.model,
            "batch": self.batch,
            "macs_per_second": self.peaks.macs_per_second,
            "bytes_per_second": self.peaks.bytes_per_second,
            "busy": self.peaks.busy,
            "layers": [vars(layer) | {"intensity": layer.intensity} for layer in self.layers],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Roofline:
        """Inverse of `as_dict`."""
        peaks = Peaks(data["macs_per_second"], data["bytes_per_second"], data["busy"])
        names = [field.name for field in fields(RooflineLayer)]
        layers = [RooflineLayer(**{n: row[n] for n in names}) for row in data["layers"]]
        return cls(data["model"], data["batch"], peaks, tuple(layers))


def roofline(
    file: Artifact | Model | str | PathLike[str],
    *,
    batch: int = BATCH,
    cancel: CancelToken = NEVER,
) -> Roofline:
    """Measure this machine's peaks, and the work and time of each layer.

    The peak of arithmetic is that of a product of matrices, or of the layer that exceeds it.

    Parameters
    ----------
    file
        A compressed file, its path, or a model.
    batch
        Examples of the call.
    cancel
        Checked while the peaks are measured.

    Raises
    ------
    InputError
        If `batch` is no positive whole number.
    ArtifactError
        If the file is damaged.
    Cancelled
        If `cancel` is cancelled.

    Examples
    --------
    >>> import workbench as wb
    >>> result = wb.roofline(wb.model("vowels/cnn"), batch=1)
    >>> result.layers[0].macs > 0
    True
    """
    expect_running(cancel)
    expect_count(batch, "batch")
    if isinstance(file, Model):
        model, weights = file, file.weights()
    else:
        artifact = as_artifact(file)
        spec = artifact.spec.without_integers()
        model, weights = find_model(artifact.model).with_spec(spec), artifact.weights()
    module = unfuse(Shell(model).module)
    examples = model.task.split("validation").examples[:batch]
    inputs = model.task.inputs(examples)
    peaks = measure_peaks(cancel)
    with threads(1):
        work = layer_work(module, weights, inputs, CALLS)
    reached = max((w.macs / w.seconds for w in work.values() if w.seconds), default=0.0)
    peaks = replace(peaks, macs_per_second=max(peaks.macs_per_second, reached))
    layers = []
    for name, layer in work.items():
        arithmetic = layer.macs / peaks.macs_per_second
        moving = layer.bytes / peaks.bytes_per_second
        least = max(arithmetic, moving)
        if least:
            values = (layer.kind, layer.macs, layer.bytes, layer.seconds, least)
            layers.append(RooflineLayer(name or layer.kind, *values, memory=moving >= arithmetic))
    return Roofline(model.name, len(examples), peaks, tuple(layers))
