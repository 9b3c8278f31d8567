"""Meters: the energy of the sections of a program between `resume` and `pause`."""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self, TypeVar

from workbench.arguments import expect_flag, expect_function, expect_instance
from workbench.errors import InputError
from workbench.i18n import _
from workbench.profiling.energy.account import Account
from workbench.profiling.energy.energy import Energy
from workbench.profiling.energy.machine import Machine, OpenSources
from workbench.profiling.energy.processors import CpuPower

SAMPLE_SECONDS = 1.0
"""How often a thread reads sensors, and counters that may return to zero."""
Result = TypeVar("Result")


class EnergyMeter:
    """The energy of the sections in which it runs; a `with` statement is one section.

    Without a counter or sensor it is estimated from processor time, and says so.

    Parameters
    ----------
    gpus
        Whether GPUs count; by default those of a process that uses CUDA through PyTorch.
    idle_seconds
        How long to wait at first, idle, to subtract the idle power; 0 subtracts nothing.
    power
        The watts for an estimate, if you know better ones than the table.
    machine
        The counters and sensors to read; by default those of this machine.
    sleep
        What waits for the idle seconds.

    Raises
    ------
    InputError
        If `idle_seconds` is not a number of at least 0, or another argument is of a wrong type.

    Examples
    --------
    >>> import workbench as wb
    >>> with wb.EnergyMeter() as meter:
    ...     squares = [number**2 for number in range(100_000)]
    >>> meter.energy.joules > 0
    True
    """

    def __init__(
        self,
        *,
        gpus: bool | None = None,
        idle_seconds: float = 0.0,
        power: CpuPower | None = None,
        machine: Machine | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        given: object = idle_seconds
        if not (isinstance(given, int | float) and 0 <= given < math.inf):
            raise InputError(
                f"idle_seconds must be a number of at least 0, not {idle_seconds!r}.",
                code="energy.invalid_idle",
            )
        if gpus is not None:
            expect_flag(gpus, "gpus")
        if power is not None:
            expect_instance(power, CpuPower, "power must be a CpuPower", "not_a_power")
        machine = machine or Machine()
        subtracts = idle_seconds > 0
        opened = machine.open(gpus=gpus is not False, idle=not subtracts, power=power)
        self._all_gpus = gpus is True
        self._missing_gpus = _missing_gpus(opened, all_gpus=gpus is True)
        self._notes, self._idle_subtracted = opened.notes, subtracts
        self._processor = Account(opened.processor)
        self._gpus = [Account(source) for source in opened.gpus]
        estimates = opened.processor is opened.estimate
        self._estimate = self._processor if estimates else Account(opened.estimate)
        self._accounts = [*dict.fromkeys((self._processor, self._estimate)), *self._gpus]
        self._clock = machine.clock
        self._lock = threading.Lock()
        self._began: float | None = None
        self._ran = 0.0  # seconds of sections that no account has yet
        self._next_reading = -math.inf  # when the next source may be read
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        if subtracts:
            self._learn_idle(idle_seconds, sleep)

    def resume(self) -> None:
        """Begin a section."""
        with self._lock:
            self._began = now = self._clock()
            if now >= self._next_reading:
                self._settle_due(now)

    def pause(self) -> None:
        """End a section."""
        with self._lock:
            now = self._clock()
            if self._began is not None:
                self._ran += now - self._began
                self._began = None
            if now >= self._next_reading:
                self._settle_due(now)

    @contextmanager
    def section(self) -> Iterator[None]:
        """Count what happens inside; cheaper than a `with` statement on the meter itself."""
        self.resume()
        try:
            yield
        finally:
            self.pause()

    @property
    def energy(self) -> Energy:
        """The energy of all sections so far."""
        self.sample()
        main = self._processor
        notes = self._notes
        if main.lost:
            notes += (
                _("The readings of {name} ended, so the energy is estimated.").format(
                    name=main.source.name
                ),
            )
            main = self._estimate
        if self._all_gpus or _uses_cuda():
            notes += self._missing_gpus
        energies = [main.energy(notes, idle_subtracted=self._idle_subtracted)]
        if self._gpus and (self._all_gpus or _uses_cuda()):
            energies += [
                account.energy((), idle_subtracted=self._idle_subtracted) for account in self._gpus
            ]
        return Energy.total(energies)

    @property
    def ticks(self) -> float:
        """How often the readings were updated while sections ran; infinite for an estimate."""
        with self._lock:
            self._advance()
        main = self._estimate if self._processor.lost else self._processor
        tick = main.source.tick
        return main.seconds / tick if tick else float("inf")

    def __enter__(self) -> Self:
        if any(account.source.tick for account in self._accounts):
            self._thread = threading.Thread(target=self._sample, daemon=True)
            self._thread.start()
        self.resume()
        return self

    def __exit__(self, *_error: object) -> None:
        self.sample()
        self.pause()
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _sample(self) -> None:
        while not self._stop.wait(SAMPLE_SECONDS):
            self.sample()

    def sample(self) -> None:
        """Read all sources now, so that no change is missed."""
        with self._lock:
            now = self._advance()
            for account in self._accounts:
                account.settle(now)

    def _advance(self) -> float:
        """Count the time of all sections until now in the accounts, and return it."""
        now = self._clock()
        if self._began is not None:
            self._ran += now - self._began
            self._began = now
        for account in self._accounts:
            account.run(self._ran)
        self._ran = 0.0
        return now

    def _settle_due(self, now: float) -> None:
        """Read the sources whose time has come. Most sections do not get here: it costs more."""
        for account in self._accounts:
            account.run(self._ran)
            account.settle_if_due(now)
        self._ran = 0.0
        self._next_reading = min(account.next_reading for account in self._accounts)

    def _learn_idle(self, seconds: float, sleep: Callable[[float], None]) -> None:
        start = self._clock()
        for account in self._accounts:
            account.settle_if_due(start)
        sleep(seconds)
        end = self._clock()
        for account in self._accounts:
            account.learn_idle(end - start)


def energy_of(
    work: Callable[[], Result], *, gpus: bool | None = None, idle_seconds: float = 0.0
) -> tuple[Result, Energy]:
    """Return what `work()` returns, and its energy.

    Parameters
    ----------
    work
        A function without arguments.
    gpus, idle_seconds
        As for `wb.EnergyMeter`.

    Examples
    --------
    >>> import workbench as wb
    >>> total, energy = wb.energy_of(lambda: sum(range(100_000)))
    >>> total, energy.how != "unknown"
    (4999950000, True)
    """
    expect_function(work, "work")
    with EnergyMeter(gpus=gpus, idle_seconds=idle_seconds) as meter:
        result = work()
    return result, meter.energy


def _missing_gpus(opened: OpenSources, *, all_gpus: bool) -> tuple[str, ...]:
    """Return a sentence for each GPU that cannot be read, or if there is none at all."""
    if opened.includes_gpus:
        return ()
    if all_gpus and not (opened.gpus or opened.unreadable):
        return (_("No GPU is included: NVML shows none here."),)
    sentence = _("{name} is not included: it reports neither energy nor power.")
    return tuple(sentence.format(name=name) for name in opened.unreadable)


def _uses_cuda() -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and torch.cuda.is_initialized()
