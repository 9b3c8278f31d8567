"""An immutable, hashable mapping from tensor names to a number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping


class LayerMap(Mapping[str, float]):
    """Numbers by tensor name, sorted by name, comparable and hashable."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, float] | None = None) -> None:
        self._items = dict(sorted((items or {}).items()))

    def __getitem__(self, name: str) -> float:
        return self._items[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(tuple(self._items.items()))

    def __repr__(self) -> str:
        return repr(self._items)
