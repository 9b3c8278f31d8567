"""The ledger: the purpose of every byte of a file. Plain data that needs no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.display import Displayable


@dataclass(frozen=True)
class LedgerRow:
    """The bytes of one tensor's stream.

    Attributes
    ----------
    codec : str
        A short description of the encoding.
    values : int
        Bytes of coded weights.
    indices : int
        Bytes of the positions of nonzero weights.
    scales : int
        Bytes of scales and zero points, or of the codebook of shared values.
    tables : int
        Bytes of the Huffman tables.
    uncompressed : int
        Bytes of values stored without coding.
    """

    name: str
    shape: tuple[int, ...]
    codec: str
    values: int
    indices: int
    scales: int
    tables: int
    uncompressed: int

    @property
    def total(self) -> int:
        """Bytes of the tensor."""
        return self.values + self.indices + self.scales + self.tables + self.uncompressed


@dataclass(frozen=True)
class Ledger(Displayable):
    """One row per tensor, and the bytes around them.

    Attributes
    ----------
    rows : tuple of LedgerRow
        One for each tensor.
    container : int
        Bytes of names, shapes, the recipe and the digest.
    preprocessing : int
        Bytes of the description of data and network that the file predicts with; 0 without.
    """

    _plots = "ledger"

    rows: tuple[LedgerRow, ...]
    container: int
    preprocessing: int = 0

    @property
    def total(self) -> int:
        """The length of the file."""
        return self.container + self.preprocessing + sum(row.total for row in self.rows)

    def __repr__(self) -> str:
        return f"<Ledger of {len(self.rows):,} tensors, {self.total:,} bytes>"

    def __getitem__(self, name: str) -> LedgerRow:
        return next(row for row in self.rows if row.name == name)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        rows = [{**row.__dict__, "shape": list(row.shape), "total": row.total} for row in self.rows]
        return {
            "rows": rows,
            "preprocessing": self.preprocessing,
            "container": self.container,
            "total": self.total,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Ledger:
        """Read the output of `as_dict`."""
        fields = ("name", "codec", "values", "indices", "scales", "tables", "uncompressed")
        rows = [
            LedgerRow(shape=tuple(row["shape"]), **{key: row[key] for key in fields})
            for row in data["rows"]
        ]
        return cls(tuple(rows), data["container"], data["preprocessing"])
