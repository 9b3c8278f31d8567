"""The models that people have brought: the newest can be had by name, the others while in use.

A notebook may bring a model without keeping what it gets, and ask for it by its name afterwards.
One that brings many large models and drops them must not run out of memory for it.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from threading import RLock
from typing import Any
from weakref import WeakValueDictionary

from workbench.cache.memory import Lifetime
from workbench.domain.model import Model

MOST_HELD = 8
ROOM = 32 * 2**20
"""Bytes of weights and data that are held beside the newest model's."""


class UserModels:
    """Models by name, in the order in which they were brought.

    Held are the newest, and before it as many as `MOST_HELD` and `ROOM` allow: arrays that several
    models share count once, examples that are read one by one not at all. What is held is a copy
    with a life of its own (weights and data are shared): what caches know of a model goes when the
    last user of the model itself drops it.
    """

    def __init__(self) -> None:
        self._lock = RLock()
        self._names: dict[str, None] = {}
        self._held: OrderedDict[str, Model] = OrderedDict()
        self._alive: WeakValueDictionary[str, Model] = WeakValueDictionary()

    def put(self, model: Model) -> None:
        """Take a model in, in place of its namesake."""
        with self._lock:
            self._names.pop(model.name, None)
            self._held.pop(model.name, None)
            self._names[model.name] = None
            self._alive[model.name] = model
            self._held[model.name] = _copy(model)
            for oldest in [*self._held][: len(self._held) - self._fitting()]:
                del self._held[oldest]

    def get(self, name: str) -> Model | None:
        """Return the model of that name; None where there is none, or it was dropped."""
        with self._lock:
            found = self._alive.get(name)
            if found is None and name in self._held:
                found = self._alive[name] = _copy(self._held[name])
            return found

    def listed(self) -> dict[str, Model]:
        """Return by name what is known of the models that can be had, not for use."""
        with self._lock:
            found = {name: self._alive.get(name, self._held.get(name)) for name in self._names}
        return {name: model for name, model in found.items() if model is not None}

    def dropped(self, name: str) -> bool:
        """Whether a model of that name was brought and can no longer be had."""
        return name in self._names and name not in self.listed()

    def _fitting(self) -> int:
        """Return how many of the newest models fit, at least one."""
        counted: dict[int, int] = {}
        room = 0
        for place, model in enumerate(reversed(self._held.values())):
            counted |= _arrays(model)
            room = room or sum(counted.values()) + ROOM
            if place > MOST_HELD or sum(counted.values()) > room:
                return place
        return len(self._held)


def _copy(model: Model) -> Model:
    return replace(model, architecture=replace(model.architecture, lifetime=Lifetime()))


def _arrays(model: Model) -> dict[int, int]:
    """Return the bytes of a model's weights and of each of its arrays, by where they lie."""
    found = {_address(array): int(array.nbytes) for array in model.architecture.data}
    return found | {-1 - model.architecture.lifetime.number: model.original_bytes}


def _address(array: Any) -> int:
    """Return where an array or a tensor begins in memory."""
    return int(array.data_ptr() if hasattr(array, "data_ptr") else array.ctypes.data)
