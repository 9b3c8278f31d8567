"""The chips that plans are made for."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from typing import Any

from workbench.errors import InputError, UnknownNameError
from workbench.i18n import _, mark as N_
from workbench.planner.memory import GIB
from workbench.planner.precision import Rate

GIGA, TERA = 1e9, 1e12
TYPICAL = {"products": 0.80, "bandwidth": 0.89}
"""Sustained shares of the manufacturer's rates, for chips that were not measured: an H100's."""
CONTEXT = {"gpu": 0.55 * GIB, "tpu": 0.3 * GIB}
"""Bytes that driver and libraries take outside the allocator."""
WORKSPACE = {"gpu": 64 * 2**20}
"""Bytes that the library for matrix products keeps: two buffers of 32 MiB."""
THIS_COMPUTER = N_("This computer's CPU")
"""The only title that is not the name of a product."""
CPU_FLOPS_PER_CYCLE, CPU_HERTZ, CPU_BANDWIDTH = 16, 2.5e9, 10e9
"""An ordinary core in float32, and memory of a laptop."""


@dataclass(frozen=True)
class Calibration:
    """How much longer steps take than predicted, by kind: training, prefill, decode.

    `errors` are the largest relative errors of those measurements after the correction, `features`
    what the measured plans had beyond dense layers with attention in 16 bits.
    """

    factors: tuple[tuple[str, float], ...]
    errors: tuple[tuple[str, float], ...]
    origin: str
    features: tuple[tuple[str, frozenset[str]], ...] = ()


@dataclass(frozen=True)
class Chip:
    """A chip: rates in FLOP/s and bytes/s, memory in bytes, power in watts.

    `rates` are peaks without sparsity. `sustained` are measured ones, in FLOP/s; the bandwidth is
    that of a copy. `power` is None where no figure is published. `calibration` is that of a
    machine.
    """

    id: str
    title: str
    kind: str
    rates: tuple[tuple[str, float], ...]
    usable: float
    bandwidth: float
    link: float
    power: float | None
    idle: float
    sustained: tuple[tuple[str, float], ...]
    source: str
    date: str
    note: str = ""
    calibration: Calibration | None = None

    def factor(self, kind: str) -> float | None:
        """Return how much longer a kind of step takes than predicted, or None if it is unknown."""
        return dict(self.calibration.factors).get(kind) if self.calibration else None

    def error(self, kind: str) -> float:
        """Return the error that remains in the measurements of a calibration, or 0."""
        return dict(self.calibration.errors).get(kind, 0.0) if self.calibration else 0.0

    @property
    def label(self) -> str:
        """The title in the language of the page."""
        return _(self.title)

    @property
    def context(self) -> float:
        """Bytes that the driver takes."""
        return CONTEXT.get(self.kind, 0.0)

    @property
    def workspace(self) -> float:
        """Bytes that the library for matrix products keeps."""
        return WORKSPACE.get(self.kind, 0.0)

    def rate(self, name: Rate) -> float:
        """Return sustained FLOP/s of products.

        Raises
        ------
        InputError
            If the chip does not compute in that precision.
        """
        measured = dict(self.sustained)
        if name in measured:
            return measured[name]
        rates = dict(self.rates)
        fallback = {"tf32": "fp32", "fp8": "bf16", "int8": "bf16", "bf16": "fp32"}.get(name, name)
        found_rate = rates.get(name) or rates.get(fallback)
        if found_rate is None and self.kind == "tpu" and name in {"fp32", "tf32"}:
            found_rate = rates["bf16"] / 6  # products of float32 take six passes in bf16
        if found_rate is None:
            raise InputError(
                f"{self.title} does not compute in {name}; it computes in {', '.join(rates)}.",
                code="plan.chip_precision",
            )
        return found_rate * TYPICAL["products"]

    @property
    def copy_rate(self) -> float:
        """Sustained bytes per second of reading and writing."""
        measured = dict(self.sustained).get("bandwidth")
        return measured or self.bandwidth * TYPICAL["bandwidth"]


@lru_cache(maxsize=1)
def chips() -> dict[str, Chip]:
    """Return all chips by id."""
    text = files("workbench.planner").joinpath("tables/chips.json").read_text(encoding="utf-8")
    return {row["id"]: _chip(row) for row in json.loads(text)["rows"]}


def chip(name: object) -> Chip:
    """Return a chip by its id.

    Raises
    ------
    UnknownNameError
        If there is none of that id.
    """
    if isinstance(name, Chip):
        return name
    known = chips()
    if not isinstance(name, str) or name not in known:
        raise UnknownNameError(
            f"There is no chip {name!r}: use one of {', '.join(known)}.", code="plan.unknown_chip"
        )
    return known[name]


def _chip(row: dict[str, Any]) -> Chip:
    if row["kind"] == "cpu":
        row = {**row, **_cpu()}
    power = row.get("power")
    measured = row.get("sustained", {})
    unit = {"bandwidth": GIGA, "idle": 1}
    return Chip(
        id=row["id"],
        title=row["title"],
        kind=row["kind"],
        rates=tuple(
            (name, row[name] * TERA)
            for name in ("bf16", "fp32", "tf32", "fp8", "int8")
            if name in row
        ),
        usable=row["usable"] * GIB,
        bandwidth=row["bandwidth"] * GIGA,
        link=row["link"] * GIGA,
        power=power,
        idle=measured.get("idle", 0.17 * (power or 0)),
        sustained=tuple((n, v * unit.get(n, TERA)) for n, v in measured.items() if n != "idle"),
        source=row["source"],
        date=row["date"],
        note=row.get("note", ""),
    )


def _cpu() -> dict[str, Any]:
    import psutil

    from workbench.profiling.energy.machine import Machine

    watts, threads = Machine().processor_power(), os.cpu_count() or 1
    cores = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    flops = cores * CPU_FLOPS_PER_CYCLE * CPU_HERTZ
    return {
        "fp32": flops / TERA,
        "memory": psutil.virtual_memory().total / GIGA,
        "usable": psutil.virtual_memory().total / GIB,
        "bandwidth": CPU_BANDWIDTH / GIGA,
        "power": watts.idle + watts.busy * threads,
        "sustained": {"idle": watts.idle},
        "link": 1,
    }


def variant(name: Chip, power: float, bandwidth: float, usable: float) -> Chip:
    """Return a chip with another power limit in watts, memory in bytes, and its bandwidth.

    Power above idle grows with about the cube of the clock, because the voltage rises with it
    (Mudge, "Power: a first-class architectural design constraint", Computer 34, 2001).
    """
    slower = 1.0
    if name.power is not None:
        slower = ((power - name.idle) / (name.power - name.idle)) ** (1 / 3)
    rates = [(key, rate * slower) for key, rate in name.sustained if key != "bandwidth"]
    return replace(
        name,
        rates=tuple((key, rate * slower) for key, rate in name.rates),
        sustained=tuple(rates),
        bandwidth=bandwidth,
        usable=usable,
        power=power,
    )
