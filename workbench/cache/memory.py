"""Bounded in-memory caches, shared by threads, whose entries are dropped with their model.

A cache must not keep a user's module alive. Its keys therefore hold numbers and digests, never a
model, and each entry belongs to a `Lifetime` that the model holds: when the model is garbage
collected, its entries are dropped.
"""

from __future__ import annotations

import weakref
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from itertools import count
from threading import RLock
from typing import Any, Generic, TypeVar

from workbench.cache.free_memory import return_free_memory

Value = TypeVar("Value")

_numbers = count()


class Lifetime:
    """A token that lives as long as its holder; `number` identifies it."""

    __slots__ = ("__weakref__", "caches", "number")

    def __init__(self) -> None:
        self.number = next(_numbers)
        self.caches: weakref.WeakSet[MemoryCache[Any]] = weakref.WeakSet()
        weakref.finalize(self, _end, self.number, self.caches).atexit = False

    def __reduce__(self) -> Any:
        """Unpickle as a new token: caches of another process hold no entries of this one."""
        return "FOREVER" if self is FOREVER else (Lifetime, ())


class MemoryCache(Generic[Value]):
    """A least-recently-used cache.

    It is safe to share between threads. A key must not refer to a model, nor a value to the model
    of its lifetime: that would keep the model alive.

    Parameters
    ----------
    max_entries
        The largest number of values.
    max_bytes
        The largest size of all values together in bytes, or None for no limit. A larger value is
        not cached.
    size
        Returns the bytes of a value; needed with `max_bytes`.
    """

    def __init__(
        self,
        max_entries: int,
        max_bytes: int | None = None,
        size: Callable[[Value], int] = lambda value: 0,
    ) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._size = size
        self._entries: OrderedDict[Hashable, _Entry[Value]] = OrderedDict()
        self._bytes = 0
        self._ended: deque[int] = deque()
        # Reentrant: a lifetime may end at any allocation, even in the thread that holds the lock.
        self._lock = RLock()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Hashable) -> Value | None:
        """Return the value under `key` and mark it as recently used, or return None."""
        with self._lock:
            self._drop_ended()
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._entries.move_to_end(key)
            return entry.value

    def put(self, key: Hashable, value: Value, lifetime: Lifetime | None = None) -> Value:
        """Cache `value` under `key` until `lifetime` ends, and return it."""
        lifetime = FOREVER if lifetime is None else lifetime
        lifetime.caches.add(self)
        size = self._size(value)
        with self._lock:
            self._drop(key)
            if self._max_bytes is not None and size > self._max_bytes:
                return value
            self._entries[key] = _Entry(value, size, lifetime.number)
            self._bytes += size
            while len(self._entries) > self._max_entries or self._exceeds_bytes():
                self._drop(next(iter(self._entries)))
            self._drop_ended()
        return value

    def of(
        self, key: Hashable, make: Callable[[], Value], lifetime: Lifetime | None = None
    ) -> Value:
        """Return the value under `key`, or make and cache it.

        Two threads may both make the value, because the lock is not held meanwhile.
        """
        value = self.get(key)
        return self.put(key, make(), lifetime) if value is None else value

    def end(self, number: int) -> None:
        """Drop the entries of the lifetime `number`, at the latest at the next call.

        Never blocks: two threads in which lifetimes end could deadlock.
        """
        self._ended.append(number)
        if self._lock.acquire(blocking=False):
            try:
                self._drop_ended()
            finally:
                self._lock.release()

    def _drop_ended(self) -> None:
        while self._ended:
            number = self._ended.popleft()
            for key in [key for key, entry in self._entries.items() if entry.lifetime == number]:
                self._drop(key)

    def _exceeds_bytes(self) -> bool:
        return self._max_bytes is not None and self._bytes > self._max_bytes

    def _drop(self, key: Hashable) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= entry.size


@dataclass(frozen=True, eq=False)
class _Entry(Generic[Value]):
    value: Value
    size: int
    lifetime: int


def _end(number: int, caches: Iterable[MemoryCache[Any]]) -> None:
    used = list(caches)
    for cache in used:
        cache.end(number)
    if used:  # a model that was only looked at frees next to nothing
        return_free_memory()


FOREVER = Lifetime()
"""The lifetime of entries that belong to no model; it never ends."""
