"""Names of tensors in a recipe: exact, or patterns such as ``*.lm_head.weight``."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from fnmatch import translate
from functools import cached_property, lru_cache

WILDCARDS = frozenset("*?[")


def is_pattern(name: str) -> bool:
    """Whether a name has wildcards: ``*`` any characters, ``?`` one, ``[ab]`` one of those."""
    return not WILDCARDS.isdisjoint(name)


def patterns_in(names: Iterable[str]) -> tuple[str, ...]:
    """Return the patterns among `names`, the longest first; equally long ones by their text."""
    return tuple(sorted(filter(is_pattern, names), key=lambda text: (-len(text), text)))


def first_match(name: str, patterns: Iterable[str]) -> str | None:
    """Return the first of `patterns` that matches the whole name, or None."""
    return next((pattern for pattern in patterns if matches(name, pattern)), None)


def matches(name: str, pattern: str) -> bool:
    """Whether `pattern` matches the whole name; upper and lower case differ."""
    return _compiled(pattern).match(name) is not None


def names_any(name: str, known: Collection[str]) -> bool:
    """Whether a name or pattern is or matches one of `known`."""
    return name in known or (is_pattern(name) and any(matches(item, name) for item in known))


@lru_cache(1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern))


class NameList(tuple[str, ...]):  # noqa: SLOT001 - it caches, and a tuple has no other slots
    """Names and patterns of tensors: `in` is true for a name that one of them is or matches."""

    def __contains__(self, name: object) -> bool:
        if name in self._names:
            return True
        return isinstance(name, str) and first_match(name, self._patterns) is not None

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(self)

    @cached_property
    def _patterns(self) -> tuple[str, ...]:
        return patterns_in(self)
