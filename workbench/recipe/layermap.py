"""An immutable, hashable mapping from tensor names to a number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from workbench.recipe.name_patterns import first_match, patterns_in


class LayerMap(Mapping[str, float]):
    """Numbers by tensor name, sorted by name, comparable and hashable.

    A name may be a pattern. The number of a tensor is that of its own name, or else that of the
    longest pattern that matches.
    """

    __slots__ = ("_items", "_patterns")

    def __init__(self, items: Mapping[str, float] | None = None) -> None:
        self._items = dict(sorted((items or {}).items()))
        self._patterns = patterns_in(self._items)

    def __getitem__(self, name: str) -> float:
        if name in self._items or not self._patterns:
            return self._items[name]
        pattern = first_match(name, self._patterns)
        if pattern is None:
            raise KeyError(name)
        return self._items[pattern]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(tuple(self._items.items()))

    def __repr__(self) -> str:
        return repr(self._items)
