"""Compute the ledger of a file from its header."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from workbench.artifact.ledger import Ledger, LedgerRow
from workbench.artifact.preprocessing import PREPROCESSING_KEY, preprocessing_size
from workbench.compression.codecs.stream import SAME_KEY, Entry, parts


def build_ledger(header: Mapping[str, Any], file_size: int) -> Ledger:
    """Return the ledger of a file of `file_size` bytes from its header."""
    rows = tuple(_row(name, entry) for name, entry in header["tensors"].items())
    preprocessing = preprocessing_size(header.get(PREPROCESSING_KEY))
    container = file_size - preprocessing - sum(row.total for row in rows)
    return Ledger(rows, container, preprocessing)


def _row(name: str, entry: Entry) -> LedgerRow:
    if "factors" in entry and SAME_KEY not in entry:
        u, v = (_row(name, factor) for factor in entry["factors"])
        return LedgerRow(
            name=name,
            shape=tuple(entry["shape"]),
            codec=f"rank {u.shape[1]}: {u.codec} · {v.codec}",
            values=u.values + v.values,
            indices=u.indices + v.indices,
            scales=u.scales + v.scales,
            tables=u.tables + v.tables,
            uncompressed=u.uncompressed + v.uncompressed,
        )
    sizes = parts(entry)
    values = sizes.values - sizes.values_table
    is_coded = "bits" in entry or "shared" in entry
    return LedgerRow(
        name=name,
        shape=tuple(entry["shape"]),
        codec=_codec(entry),
        values=values if is_coded else 0,
        indices=sizes.index - sizes.index_table,
        scales=sizes.before_index,
        tables=sizes.index_table + sizes.values_table,
        uncompressed=0 if is_coded else values,
    )


def _codec(entry: Entry) -> str:
    if SAME_KEY in entry:
        return f"same as {entry[SAME_KEY]}"
    labels = []
    if "bitmap" in entry:
        labels.append("bitmap")
    elif "gaps" in entry:
        labels.append("Huffman gaps" if len(entry["gaps"]) == 4 else f"{entry['gaps'][2]}-bit gaps")
    elif "runs" in entry:
        width, nonzero, *size = entry["runs"]
        labels.append(f"{nonzero}:{width}" + (" Huffman" if size else ""))
    elif "blocks" in entry:
        labels.append("{0}×{0} blocks".format(entry["blocks"][1]))
    elif prod(entry["shape"]):
        labels.append("dense")
    if "bits" in entry:
        labels.append(f"{entry['bits']} bits")
    elif "shared" in entry:
        labels.append(f"{entry['shared'][1]} shared values")
    else:
        labels.append(entry.get("dtype", "f32"))
    labels += ["Huffman"] if "huffman" in entry else []
    return ", ".join(labels)
