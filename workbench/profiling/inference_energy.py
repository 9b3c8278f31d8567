"""The energy of predictions: joules per 1,000 examples with a fixed batch."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

from workbench.arguments import expect_running
from workbench.artifact.artifact import Artifact
from workbench.cancel import NEVER, CancelToken
from workbench.display import Displayable
from workbench.domain import Model
from workbench.errors import InputError
from workbench.i18n import _
from workbench.profiling.energy.energy import Energy
from workbench.profiling.energy.meter import EnergyMeter
from workbench.runtime.batch import Batch
from workbench.runtime.shell import shell
from workbench.validation import expect_count
from workbench.zoo.model_of_file import model_of_file

TICKS = 100
"""Updates of a counter or sensor that a figure needs at least."""
LONGEST = 30.0
"""Seconds of one repeat at most, however slow the sensor is."""
SECONDS = 1.0
WARM_UP = 3


@dataclass(frozen=True)
class InferenceEnergy(Displayable):
    """The energy of 1,000 examples, several times.

    Attributes
    ----------
    model : str
        The name of the model.
    batch : int
        Examples in one call.
    repeats : tuple of Energy
        Each of 1,000 examples.
    examples : tuple of int
        The examples that each repeat really ran.
    """

    _plots = "inference_energy"

    model: str
    batch: int
    repeats: tuple[Energy, ...]
    examples: tuple[int, ...]

    @property
    def energy(self) -> Energy:
        """The mean of the repeats. Its interval covers the intervals of all of them."""
        total = Energy.total(self.repeats)
        if total.joules is None:
            return total
        low = min(energy.low or 0.0 for energy in self.repeats)
        high = max(energy.high or 0.0 for energy in self.repeats)
        return replace(total.scaled(1 / len(self.repeats)), low=low, high=high)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "model": self.model,
            "batch": self.batch,
            "energy": self.energy.as_dict(),
            "repeats": [energy.as_dict() for energy in self.repeats],
            "examples": list(self.examples),
        }


def inference_energy(
    file: Artifact | Model,
    *,
    batch: int = 64,
    repeats: int = 5,
    seconds: float = SECONDS,
    cancel: CancelToken = NEVER,
) -> InferenceEnergy:
    """Run a file or a model again and again on validation examples, and return its energy.

    Parameters
    ----------
    file
        What `compress` or `load` returns, or a model as it is.
    batch
        Examples in one call.
    repeats
        How often to measure.
    seconds
        The shortest time of a repeat. It lasts longer until the counter was updated a hundred
        times, at most 30 s.
    cancel
        Checked between two calls.

    Raises
    ------
    InputError
        If it is neither a file nor a model, or `seconds` is not between 0 and 30.
    Cancelled
        If `cancel` is cancelled between two calls.
    """
    expect_running(cancel)
    model, weights = _network(file)
    size = expect_count(batch, "The batch")
    if not 0 < seconds <= LONGEST:
        raise InputError(
            f"A repeat takes more than 0 and at most {LONGEST:g} seconds, not {seconds!r}.",
            code="energy.invalid_seconds",
        )
    run = shell(model)
    inputs = Batch.of(model.task.inputs(model.task.split("validation").examples[:size]))
    for _number in range(WARM_UP):
        run(weights, inputs)
    energies, counts = [], []
    for _number in range(expect_count(repeats, "The number of repeats")):
        meter, calls = EnergyMeter(gpus=False), 0
        with meter:
            begin = time.perf_counter()
            while not calls or _goes_on(meter, time.perf_counter() - begin, seconds):
                cancel.check()
                run(weights, inputs)
                calls += 1
        energies.append(of_thousand(meter, calls * len(inputs)))
        counts.append(calls * len(inputs))
    return InferenceEnergy(model.name, size, tuple(energies), tuple(counts))


def of_thousand(meter: EnergyMeter, examples: int) -> Energy:
    """Return the energy of 1,000 of the `examples` that a meter has seen.

    It is not known if the counter or sensor was updated too rarely.
    """
    energy = meter.energy
    if energy.how == "unknown" or meter.ticks >= TICKS:
        return energy.scaled(1000 / examples)
    note = _("{source} is updated too rarely for so short a run: run wb.inference_energy.")
    sources = ", ".join(energy.sources)
    return Energy.unknown(*energy.notes, note.format(source=sources), scopes=energy.scopes)


def _goes_on(meter: EnergyMeter, passed: float, seconds: float) -> bool:
    return passed < seconds or (passed < LONGEST and meter.ticks < TICKS)


def _network(file: Artifact | Model) -> tuple[Model, Any]:
    if isinstance(file, Artifact):
        return model_of_file(file).with_spec(file.spec), file.operands()
    return _expect_model(file), file.weights()


def _expect_model(file: object) -> Model:
    if isinstance(file, Model):
        return file
    raise InputError(
        f"Pass a compressed file or a model, not {type(file).__name__}.",
        code="energy.no_network",
    )
