"""Names in an ONNX graph: those of a network's inputs, and the same ones on every run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

GENERATED_VALUE, GENERATED_NODE = "val", "node_"


def rename(proto: Any, inputs: Sequence[str], output: str) -> None:
    """Name the inputs and the output of a ModelProto, and count generated names from 0.

    The exporter counts on from earlier exports. A value or constant that has the name of an input
    already gets another one, and so does the output.
    """
    graph = proto.graph
    names: dict[str, str] = dict(zip((value.name for value in graph.input), inputs, strict=True))
    taken = {"", *inputs}
    for value in graph.output:
        names[value.name] = _unused(output, taken)
    values, nodes = Counter[str](), Counter[str]()

    def renamed(name: str) -> str:
        if name and name not in names:
            stem = name.rpartition("_")[0]
            generated = stem == GENERATED_VALUE and _is_counted(name)
            names[name] = _unused(_next(stem, values) if generated else name, taken)
        return names.get(name, name)

    for part in graphs([graph]):
        for node in part.node:
            stem = node.name.rpartition("_")[0]
            if stem.startswith(GENERATED_NODE) and _is_counted(node.name):
                node.name = _next(stem, nodes)
            for passed in (node.input, node.output):
                passed[:] = [renamed(name) for name in passed]
        for value in (*part.initializer, *part.input, *part.output):
            value.name = renamed(value.name)


def graphs(roots: Iterable[Any]) -> Iterator[Any]:
    """Yield graphs and the graphs of their nodes' attributes."""
    for graph in roots:
        yield graph
        for node in graph.node:
            for attribute in node.attribute:
                yield from graphs([attribute.g] if attribute.HasField("g") else [])
                yield from graphs(attribute.graphs)


def _is_counted(name: str) -> bool:
    return name.rpartition("_")[2].isdecimal()


def _next(stem: str, counts: Counter[str]) -> str:
    counts[stem] += 1
    return f"{stem}_{counts[stem] - 1}"


def _unused(name: str, taken: set[str]) -> str:
    """Return `name`, or one that begins like it and is not `taken`, and add it to these."""
    while name in taken:
        name += "_"
    taken.add(name)
    return name
