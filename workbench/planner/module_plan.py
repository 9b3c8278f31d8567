"""Whether a user's own module fits into a chip's memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from workbench.display import Displayable
from workbench.errors import InputError, WorkbenchError
from workbench.planner.chips import Chip
from workbench.planner.fits import largest

if TYPE_CHECKING:
    from workbench.profiling.memory.memory import Memory

Phase = Literal["training", "inference"]
MARGIN = 0.1
"""Relative error of predicted memory within which the answer is open."""
MOST_EXAMPLES = 65_536


@dataclass(frozen=True, repr=False)
class ModulePlan(Displayable):
    """The predicted memory of a module, and a chip's.

    Attributes
    ----------
    memory : Memory
        For the batch that was asked for.
    chip : Chip
        The chip whose memory it is compared with.
    predict : callable
        Returns the memory for a batch of so many examples.
    """

    _plots: ClassVar[str] = "module_plan"

    memory: Memory
    chip: Chip
    predict: Callable[[int], Memory]

    @property
    def fits_training(self) -> bool | None:
        """Whether a training step fits; None if that is within the error."""
        return self.fits("training")

    @property
    def fits_inference(self) -> bool | None:
        """Whether inference fits; None if that is within the error."""
        return self.fits("inference")

    def used(self, phase: Phase, memory: Memory | None = None) -> float:
        """Return the bytes at the peak on the chip, with the driver.

        A processor's kernels copy weights and inputs; those of other chips have a workspace.
        """
        peak: dict[str, int] = dict(getattr(memory or self.memory, phase).bytes)
        if self.chip.kind != "cpu":
            peak["workspace"] = int(self.chip.workspace)
        return sum(peak.values()) + self.chip.context

    def fits(self, phase: Phase, memory: Memory | None = None) -> bool | None:
        """Return whether a phase fits, or None if that is within the error."""
        if phase == "training" and self.chip.kind == "edge":
            return False
        used = self.used(phase, memory)
        if used * (1 + MARGIN) <= self.chip.usable:
            return True
        return False if used * (1 - MARGIN) > self.chip.usable else None

    def largest_batch(self, phase: Phase = "training") -> int:
        """Return the largest batch that surely fits, or 0; each size is predicted again."""

        def fit(batch: int) -> bool:
            try:
                return self.fits(phase, self.predict(batch)) is True
            except WorkbenchError:  # batch norm cannot train on one example
                return batch == 1

        return largest(fit, MOST_EXAMPLES)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON; memory in bytes."""
        return {
            "kind": "module",
            "chip": self.chip.id,
            "usable": self.chip.usable,
            "fits_training": self.fits_training,
            "fits_inference": self.fits_inference,
            "used_training": self.used("training"),
            "used_inference": self.used("inference"),
            "memory": self.memory.as_dict(),
        }

    def __repr__(self) -> str:
        return (
            f"ModulePlan({self.memory.name}, {self.chip.id}, fits_training={self.fits_training}, "
            f"fits_inference={self.fits_inference})"
        )


def module_plan(module: Any, chosen: Chip, **settings: Any) -> ModulePlan:
    """Return whether a module fits into a chip's memory.

    Parameters
    ----------
    module
        A module of PyTorch or a model.
    chosen
        The chip.
    **settings
        The arguments of `wb.memory`: `inputs`, `batch`, `optimizer` and `loss`.

    Raises
    ------
    InputError
        If a setting is not one of those, or if the module cannot run on such inputs.
    """
    from workbench.profiling.memory.predict import memory

    unknown = sorted(settings.keys() - {"inputs", "batch", "optimizer", "loss"})
    if unknown:
        raise InputError(
            f"A module is planned with inputs, batch, optimizer and loss, not {unknown[0]}.",
            code="plan.setting",
        )

    def predict(batch: int) -> Memory:
        return memory(module, **{**settings, "batch": batch})

    return ModulePlan(memory(module, **settings), chosen, predict)
