"""From a file's header to its ledger."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from workbench.artifact.ledger import Ledger, LedgerRow
from workbench.compression.codecs.stream import Entry, parts


def build_ledger(tensors: Mapping[str, Entry], file_size: int) -> Ledger:
    """Return the ledger of a file of `file_size` bytes whose header holds `tensors`."""
    rows = tuple(_row(name, entry) for name, entry in tensors.items())
    return Ledger(rows, file_size - sum(row.total for row in rows))


def _row(name: str, entry: Entry) -> LedgerRow:
    if "factors" in entry:
        left, right = (_row(name, one) for one in entry["factors"])
        return LedgerRow(
            name=name,
            shape=tuple(entry["shape"]),
            codec=f"rank {left.shape[1]}: {left.codec} · {right.codec}",
            values=left.values + right.values,
            indices=left.indices + right.indices,
            scales=left.scales + right.scales,
            tables=left.tables + right.tables,
            plain=left.plain + right.plain,
        )
    sizes = parts(entry)
    values = sizes.values - sizes.values_table
    coded = "bits" in entry or "shared" in entry
    return LedgerRow(
        name=name,
        shape=tuple(entry["shape"]),
        codec=_codec(entry),
        values=values if coded else 0,
        indices=sizes.index - sizes.index_table,
        scales=sizes.before_index,
        tables=sizes.index_table + sizes.values_table,
        plain=0 if coded else values,
    )


def _codec(entry: Entry) -> str:
    words = []
    if "bitmap" in entry:
        words.append("bitmap")
    elif "gaps" in entry:
        words.append("Huffman gaps" if len(entry["gaps"]) == 4 else f"{entry['gaps'][2]}-bit gaps")
    elif "runs" in entry:
        width, kept, *size = entry["runs"]
        words.append(f"{kept}:{width}" + (" Huffman" if size else ""))
    elif "blocks" in entry:
        words.append("{0}×{0} blocks".format(entry["blocks"][1]))
    elif prod(entry["shape"]):
        words.append("dense")
    if "bits" in entry:
        words.append(f"{entry['bits']} bits")
    elif "shared" in entry:
        words.append(f"{entry['shared'][1]} shared values")
    else:
        words.append(entry.get("dtype", "f32"))
    words += ["Huffman"] if "huffman" in entry else []
    return ", ".join(words)
