"""Custom models and those of packages: the newest stay in memory, the others while in use.

A notebook may register a model, drop the result and retrieve it by name later. One that registers
many large models and drops them must not run out of memory.
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
"""Bytes of weights and data that are retained in addition to the newest model's."""


class UserModels:
    """Models by name, in the order of registration.

    The newest model is retained, and before it as many as `MOST_HELD` and `ROOM` allow. Arrays that
    several models share count once; examples that are read one by one do not count. A retained
    model is a copy with its own lifetime that shares weights and data, so cache entries of a model
    are dropped when the last user of the model itself drops it.
    """

    def __init__(self) -> None:
        self._lock = RLock()
        self._names: dict[str, None] = {}
        self._retained: OrderedDict[str, Model] = OrderedDict()
        self._alive: WeakValueDictionary[str, Model] = WeakValueDictionary()

    def put(self, model: Model) -> None:
        """Add a model. It replaces a model of the same name."""
        with self._lock:
            self._names.pop(model.name, None)
            self._retained.pop(model.name, None)
            self._names[model.name] = None
            self._alive[model.name] = model
            self._retained[model.name] = _copy(model)
            for oldest in [*self._retained][: len(self._retained) - self._fitting()]:
                del self._retained[oldest]

    def remove(self, name: str) -> None:
        """Remove the model of that name, if there is one."""
        with self._lock:
            self._names.pop(name, None)
            self._retained.pop(name, None)
            self._alive.pop(name, None)

    def get(self, name: str) -> Model | None:
        """Return the model of that name, or None if there is none or it was dropped."""
        with self._lock:
            model = self._alive.get(name)
            if model is None and name in self._retained:
                model = self._alive[name] = _copy(self._retained[name])
            return model

    def available(self) -> dict[str, Model]:
        """Return the available models by name, to look at their attributes only."""
        with self._lock:
            models = {name: self._alive.get(name, self._retained.get(name)) for name in self._names}
        return {name: model for name, model in models.items() if model is not None}

    def was_dropped(self, name: str) -> bool:
        """Return whether a model of that name was registered and is no longer available."""
        return name in self._names and name not in self.available()

    def _fitting(self) -> int:
        """Return how many of the newest models fit, at least one."""
        sizes: dict[int, int] = {}
        limit = 0
        for number, model in enumerate(reversed(self._retained.values())):
            sizes |= _array_sizes(model)
            limit = limit or sum(sizes.values()) + ROOM
            if number > MOST_HELD or sum(sizes.values()) > limit:
                return number
        return len(self._retained)


def _copy(model: Model) -> Model:
    return replace(model, architecture=replace(model.architecture, lifetime=Lifetime()))


def _array_sizes(model: Model) -> dict[int, int]:
    """Return the bytes of a model's weights and of each of its arrays, by memory address."""
    sizes = {_address(array): int(array.nbytes) for array in model.architecture.data}
    return sizes | {-1 - model.architecture.lifetime.number: model.original_bytes}


def _address(array: Any) -> int:
    """Return the memory address of an array or tensor."""
    return int(array.data_ptr() if hasattr(array, "data_ptr") else array.ctypes.data)
