"""The ledger: where every byte of a file is. Plain data, readable without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class LedgerRow:
    """The bytes of one tensor's stream.

    `values` are coded weights, `indices` the places of the non-zero ones, `scales` what codes stand
    for (scales and zero points, or a codebook of shared values), `tables` what Huffman coding adds
    to be readable, and `plain` values kept as they are. `codec` says how in short.
    """

    name: str
    shape: tuple[int, ...]
    codec: str
    values: int
    indices: int
    scales: int
    tables: int
    plain: int

    @property
    def total(self) -> int:
        """Bytes of the tensor."""
        return self.values + self.indices + self.scales + self.tables + self.plain


@dataclass(frozen=True)
class Ledger:
    """A row for each tensor, and the bytes of the container around them."""

    rows: tuple[LedgerRow, ...]
    container: int

    @property
    def total(self) -> int:
        """The length of the file."""
        return self.container + sum(row.total for row in self.rows)

    def __getitem__(self, name: str) -> LedgerRow:
        return next(row for row in self.rows if row.name == name)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        rows = [{**row.__dict__, "shape": list(row.shape), "total": row.total} for row in self.rows]
        return {"rows": rows, "container": self.container, "total": self.total}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Ledger:
        """Read what `as_dict` wrote."""
        fields = ("name", "codec", "values", "indices", "scales", "tables", "plain")
        rows = [
            LedgerRow(shape=tuple(row["shape"]), **{key: row[key] for key in fields})
            for row in data["rows"]
        ]
        return cls(tuple(rows), data["container"])
