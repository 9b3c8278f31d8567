"""The costs that a study weighs against the metric: bytes, latency and energy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from workbench import formatting
from workbench.deploy.target import Target
from workbench.errors import InputError
from workbench.i18n import mark as N_
from workbench.recipe.schema import brief

BYTES, LATENCY, ENERGY = "bytes", "latency", "energy"
DEFAULT = (BYTES,)


@dataclass(frozen=True)
class Objective:
    """What a study makes small.

    Attributes
    ----------
    label, title : str
        Its name, and the title of its axis.
    text : callable
        Formats an amount.
    """

    label: str
    title: str
    text: Callable[[float], str]


OBJECTIVES = {
    BYTES: Objective(N_("size"), N_("file size"), lambda amount: formatting.nbytes(int(amount))),
    LATENCY: Objective(N_("latency"), N_("milliseconds per example"), formatting.milliseconds),
    ENERGY: Objective(N_("energy"), N_("millijoules per example"), formatting.millijoules),
}
"""By name, in the order in which they are reported."""


def checked_objectives(names: object) -> tuple[str, ...]:
    """Return the names of objectives in the order of the table.

    Raises
    ------
    InputError
        If there is none, one is not known, or one is repeated.
    """
    listed = [names] if isinstance(names, str) else names
    if not isinstance(listed, list | tuple) or not listed:
        raise InputError(
            f"Pass the objectives as names of {', '.join(OBJECTIVES)}, such as "
            f"('bytes', 'latency'), not {brief(names)}; the metric is always one.",
            code="study.no_objective",
        )
    for name in listed:
        if name not in list(OBJECTIVES):
            raise InputError(
                f"There is no objective {brief(name)}: choose from {', '.join(OBJECTIVES)}; the "
                "metric is always one.",
                code="study.unknown_objective",
            )
        if listed.count(name) > 1:
            raise InputError(
                f"The objective {name} is given {listed.count(name)} times: give it once.",
                code="study.repeated_objective",
            )
    return tuple(name for name in OBJECTIVES if name in listed)


def checked_target(target: object, objectives: tuple[str, ...]) -> Target | None:
    """Return where latency and energy are measured; None for PyTorch in this process.

    Raises
    ------
    InputError
        If it is no target, or neither of both is an objective.
    """
    if target is None:
        return None
    if objectives == DEFAULT:
        raise InputError(
            "Bytes do not depend on a target: leave it out, or add latency or energy to the "
            "objectives.",
            code="study.idle_target",
        )
    return Target.of(target)
