"""An amount of energy: joules with an interval, how they are known, and what they include."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from functools import reduce
from operator import add
from typing import Any, Literal, get_args

from workbench import formatting
from workbench.display import Card
from workbench.errors import InputError
from workbench.i18n import _, mark as N_

How = Literal["counter", "sensor", "model", "unknown"]
Scope = Literal["process", "package", "gpu", "machine"]

HOW: dict[How, str] = {
    "counter": N_("measured by a counter"),
    "sensor": N_("read from a power sensor"),
    "model": N_("estimated from processor time"),
    "unknown": N_("not known"),
}
"""Labels, from the most to the least reliable."""
SCOPES: dict[Scope, str] = {
    "process": N_("this process"),
    "package": N_("the processor"),
    "gpu": N_("the GPUs"),
    "machine": N_("the machine"),
}
"""Labels of what an energy includes. All but the first include other programs."""


@dataclass(frozen=True)
class Energy:
    """An amount of energy; energies of consecutive or separate work can be added.

    Attributes
    ----------
    joules, low, high : float or None
        The energy and the bounds of its interval; None if it is not known.
    how : "counter", "sensor", "model" or "unknown"
        How it is known; for a sum, the least reliable of its parts.
    scopes : tuple of "process", "package", "gpu", "machine"
        What it includes.
    idle_subtracted : bool
        Whether what the same hardware takes while idle is subtracted.
    sources : tuple of str
        The names of counters, sensors or models.
    notes : tuple of str
        Sentences, such as why there is no counter.
    """

    joules: float | None
    low: float | None
    high: float | None
    how: How
    scopes: tuple[Scope, ...]
    idle_subtracted: bool = False
    sources: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.how not in HOW or not set(self.scopes) <= set(get_args(Scope)):
            raise InputError(
                f"how must be one of {', '.join(HOW)}, and scopes some of {', '.join(SCOPES)}.",
                code="energy.invalid",
            )
        bounds = self.low, self.joules, self.high
        known = [value for value in bounds if value is not None]
        complete = len(known) == (0 if self.how == "unknown" else 3)
        if not complete or known != sorted(known) or any(value < 0 for value in known):
            raise InputError(
                "joules must lie between low and high, all of at least 0; all three must be None "
                "if how is unknown.",
                code="energy.invalid",
            )

    @classmethod
    def unknown(cls, *notes: str, scopes: tuple[Scope, ...] = ("process",)) -> Energy:
        """Return an energy that is not known, with the reasons."""
        return cls(None, None, None, "unknown", scopes, notes=notes)

    @classmethod
    def total(cls, parts: Iterable[Energy]) -> Energy:
        """Return the sum of one or more energies."""
        return reduce(add, parts)

    @property
    def text(self) -> str:
        """The energy, its interval and how it is known."""
        if self.how == "unknown":
            return _(HOW[self.how])
        return _("{amount}, {origin}").format(amount=self.amount, origin=self.origin)

    @property
    def amount(self) -> str:
        """The energy and its interval, to be shown next to `origin`."""
        if self.joules is None or self.low is None or self.high is None:
            return _(HOW[self.how])
        return _("{joules} ({low} to {high})").format(
            joules=formatting.joules(self.joules),
            low=formatting.joules(self.low),
            high=formatting.joules(self.high),
        )

    @property
    def origin(self) -> str:
        """How the energy is known, and what it includes."""
        text = _("{how}, {scope}, idle subtracted") if self.idle_subtracted else _("{how}, {scope}")
        return text.format(how=_(HOW[self.how]), scope=self.scope)

    def fact(self, label: str) -> tuple[str, str]:
        """Return this energy as a fact of a card: the amount, and `label` with the origin."""
        if self.how == "unknown":
            return self.amount, label
        return self.amount, _("{label}: {origin}").format(label=label, origin=self.origin)

    @property
    def explanation(self) -> tuple[str, ...]:
        """Sentences: the notes, and the names of the sources."""
        return (*self.notes, *(f"{source}." for source in self.sources))

    @property
    def scope(self) -> str:
        """What it includes, in the user's language."""
        return " + ".join(_(SCOPES[scope]) for scope in self.scopes)

    def __repr__(self) -> str:
        return f"<Energy {self.text}>"

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        card = Card(self.text, notes=self.explanation)
        return {"text/html": card.html(), "text/plain": repr(self)}

    def scaled(self, factor: float) -> Energy:
        """Return this energy times `factor`, such as 1000 / examples."""
        if self.joules is None or self.low is None or self.high is None:
            return self
        return replace(
            self, joules=self.joules * factor, low=self.low * factor, high=self.high * factor
        )

    def __add__(self, other: object) -> Energy:
        if not isinstance(other, Energy):
            return NotImplemented
        if self.idle_subtracted != other.idle_subtracted:
            raise InputError(
                "These energies cannot be added: idle power must be subtracted from both or from "
                "neither.",
                code="energy.idle_differs",
            )
        how = max(self.how, other.how, key=list(HOW).index)
        merged: dict[str, Any] = {
            name: tuple(dict.fromkeys(getattr(self, name) + getattr(other, name)))
            for name in ("scopes", "sources", "notes")
        }
        if how == "unknown":
            return Energy(None, None, None, how, idle_subtracted=self.idle_subtracted, **merged)
        joules, low, high = (
            sum(getattr(part, name) for part in (self, other)) for name in ("joules", "low", "high")
        )
        return Energy(joules, low, high, how, idle_subtracted=self.idle_subtracted, **merged)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        lists = {name: list(getattr(self, name)) for name in ("scopes", "sources", "notes")}
        return {**asdict(self), **lists}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Energy:
        """Inverse of `as_dict`."""
        tuples = {name: tuple(data[name]) for name in ("scopes", "sources", "notes")}
        return cls(**{**data, **tuples})

    def columns(self, prefix: str = "") -> dict[str, float | str | None]:
        """Return the columns of a table: joules, their interval and how they are known."""
        return {
            f"{prefix}joules": self.joules,
            f"{prefix}joules_low": self.low,
            f"{prefix}joules_high": self.high,
            f"{prefix}energy_how": self.how,
        }
