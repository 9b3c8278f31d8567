"""Results kept in memory: bounded, shared by threads, and gone with the model that they are of.

A cache must not keep a user's module alive. So its keys hold numbers and digests, never a model,
and each entry belongs to a `Lifetime`, which the model holds: when nothing holds that model any more,
its entries are dropped too.
"""

from __future__ import annotations

import weakref
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from threading import RLock
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")

_numbers = count()


class Lifetime:
    """A token that lives exactly as long as what holds it; `number` tells it from all others."""

    __slots__ = ("__weakref__", "caches", "number")

    def __init__(self) -> None:
        self.number = next(_numbers)
        self.caches: weakref.WeakSet[MemoryCache[Any]] = weakref.WeakSet()
        weakref.finalize(self, _end, self.number, self.caches).atexit = False

    def __reduce__(self) -> Any:
        """Become a token of its own in another process, where caches hold nothing of this one."""
        return "FOREVER" if self is FOREVER else (Lifetime, ())


class MemoryCache(Generic[Value]):
    """The values that were asked for last: at most `most`, of at most `room` bytes in all.

    Safe with many threads. A value larger than `room` is not kept. Keys must not refer to a model,
    nor values to the model of their life: that would keep it alive.

    Parameters
    ----------
    most
        How many values are kept.
    room
        Bytes of all values together; None does not count them.
    size
        Returns the bytes of a value; needed where there is `room`.
    """

    def __init__(
        self, most: int, room: int | None = None, size: Callable[[Value], int] = lambda value: 0
    ) -> None:
        self._most = most
        self._room = room
        self._size = size
        self._entries: OrderedDict[Hashable, _Entry[Value]] = OrderedDict()
        self._taken = 0
        self._ended: deque[int] = deque()
        self._lock = RLock()  # a life may end at any allocation, so in a thread that holds it

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Hashable) -> Value | None:
        """Return the value under `key`, which then counts as the newest, or None."""
        with self._lock:
            self._forget_ended()
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._entries.move_to_end(key)
            return entry.value

    def put(self, key: Hashable, value: Value, lifetime: Lifetime | None = None) -> Value:
        """Keep `value` under `key`, no longer than `life` lasts, and return it."""
        lifetime = FOREVER if lifetime is None else lifetime
        lifetime.caches.add(self)
        size = self._size(value)
        with self._lock:
            self._drop(key)
            self._entries[key] = _Entry(value, size, lifetime.number)
            self._taken += size
            while len(self._entries) > self._most or self._crowded():
                self._drop(next(iter(self._entries)))
            self._forget_ended()
        return value

    def of(
        self, key: Hashable, make: Callable[[], Value], lifetime: Lifetime | None = None
    ) -> Value:
        """Return the value under `key`, made now if it is not kept.

        Two threads that ask at once may both make it: the lock is not held meanwhile.
        """
        found = self.get(key)
        return self.put(key, make(), lifetime) if found is None else found

    def end(self, number: int) -> None:
        """Drop the entries of the life with that number, at the latest at the next call.

        Never waits: two threads in which lives end could wait for each other.
        """
        self._ended.append(number)
        if self._lock.acquire(blocking=False):
            try:
                self._forget_ended()
            finally:
                self._lock.release()

    def _forget_ended(self) -> None:
        while self._ended:
            number = self._ended.popleft()
            for key in [k for k, entry in self._entries.items() if entry.lifetime == number]:
                self._drop(key)

    def _crowded(self) -> bool:
        return self._room is not None and self._taken > self._room

    def _drop(self, key: Hashable) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._taken -= entry.size


@dataclass(frozen=True, eq=False)
class _Entry(Generic[Value]):
    value: Value
    size: int
    lifetime: int


def _end(number: int, caches: Iterable[MemoryCache[Any]]) -> None:
    for cache in list(caches):
        cache.end(number)
    _return_memory()


def _return_memory() -> None:
    """Give free memory back to the system, which glibc would keep for later.

    A training leaves some hundred megabytes of it. Other C libraries have no such call.
    """
    import ctypes

    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


FOREVER = Lifetime()
"""The life of what the package itself brings, which is never dropped."""
