"""Watts of server processors for each hardware thread, idle and busy.

The table is that of the Cloud Carbon Footprint project (github.com/cloud-carbon-footprint,
repository ccf-coefficients, output/coefficients-aws-use.csv, read at commit b0032d9 of 24 April
2026), computed from the SPECpower_ssj2008 results: whole servers, divided by their threads. Its row
of the fifth generation of EPYC is left out, because it is four times that of its predecessors.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from statistics import fmean

from workbench.errors import InputError
from workbench.i18n import _

VARIABLE = "WORKBENCH_CPU_WATTS"

FAMILIES: dict[str, tuple[str, float, float]] = {
    "EPYC, 1st generation": (r"EPYC 7\w\w1", 0.847, 2.604),
    "EPYC, 2nd generation": (r"EPYC 7\w\w2", 0.474, 1.693),
    "EPYC, 3rd generation": (r"EPYC 7\w\w3", 0.456, 1.957),
    "EPYC, 4th generation": (r"EPYC [89]\w\w4", 0.739, 2.282),
    "Xeon E5": (r"E5-\d{4}\w? 0", 2.212, 8.631),
    "Xeon E5 v2": (r"E5-\d{4}\w? v2", 1.707, 5.557),
    "Xeon E5 v3": (r"E5-\d{4}\w? v3", 1.857, 5.595),
    "Xeon E5 v4": (r"E5-\d{4}\w? v4", 0.713, 3.685),
    "Xeon Scalable, 1st generation": (r"(Platinum|Gold|Silver|Bronze) \d1\d\d", 0.613, 4.104),
    "Xeon Scalable, 2nd generation": (r"(Platinum|Gold|Silver|Bronze) \d2\d\d", 0.690, 4.063),
    "Xeon Scalable, 3rd generation": (r"(Platinum|Gold|Silver|Bronze) \d3\d\d", 0.767, 3.758),
    "Xeon Scalable, 4th generation": (r"(Platinum|Gold|Silver|Bronze) \d4\d\d", 1.036, 4.160),
    "Xeon Scalable, 5th generation": (r"(Platinum|Gold|Silver|Bronze) \d5\d\d", 0.814, 4.482),
    "Xeon 6": (r"Xeon\(R\) 6\d{3}", 0.582, 2.527),
}
"""For each family: a pattern of model names, and the watts of a thread when idle and busy."""


@dataclass(frozen=True)
class CpuPower:
    """The power of a processor.

    Attributes
    ----------
    idle : float
        Watts when all its threads are idle.
    busy : float
        Further watts of each busy thread.
    origin : str
        Where the numbers come from, as a phrase for reports.
    """

    idle: float
    busy: float
    origin: str = ""

    def __post_init__(self) -> None:
        if not all(isfinite(watts) and watts >= 0 for watts in (self.idle, self.busy)):
            raise InputError(
                "The watts of a processor must be numbers of at least 0.",
                code="energy.invalid_watts",
            )


def cpu_power(
    processor: str, threads: int, environment: Mapping[str, str] = os.environ
) -> CpuPower:
    """Return the power of a processor: as the environment says, from the table, or its mean.

    Parameters
    ----------
    processor
        The model name that the system reports.
    threads
        Hardware threads of this machine, or of its part that a virtual machine sees.
    environment
        ``WORKBENCH_CPU_WATTS`` holds the two numbers of `CpuPower`, such as ``12,6.5``.

    Raises
    ------
    InputError
        If the variable is not two numbers.
    """
    if environment.get(VARIABLE):
        return _given(environment[VARIABLE])
    for family, (pattern, idle, full) in FAMILIES.items():
        if re.search(pattern, processor):
            return CpuPower(idle * threads, full - idle, family)
    idle = fmean(idle for _pattern, idle, _full in FAMILIES.values())
    full = fmean(full for _pattern, _idle, full in FAMILIES.values())
    return CpuPower(idle * threads, full - idle, _("the mean of server processors"))


def _given(text: str) -> CpuPower:
    try:
        idle, busy = map(float, text.split(","))
    except ValueError:
        raise InputError(
            f"{VARIABLE} holds the watts when idle and those of each busy thread, such as 12,6.5, "
            f"not {text!r}.",
            code="energy.invalid_watts",
        ) from None
    return CpuPower(idle, busy, VARIABLE)
