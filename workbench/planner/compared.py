"""One prediction next to what was measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Compared:
    """A prediction and what was measured, in `unit`.

    `is_fitted` says whether a fit has used this row.
    """

    kind: str
    label: str
    chip: str
    predicted: float
    measured: float
    unit: str
    is_fitted: bool
    source: str
    url: str
    date: str

    @property
    def error(self) -> float:
        """The relative error; positive if the prediction is too large."""
        return self.predicted / self.measured - 1


def published(
    kind: str,
    label: str,
    predicted: float,
    measured: float,
    unit: str,
    facts: tuple[str, str, str, str],
) -> Compared:
    """Return a row that no fit has used; `facts` are its chip, source, link and date."""
    where, source, url, date = facts
    return Compared(kind, label, where, predicted, measured, unit, False, source, url, date)
