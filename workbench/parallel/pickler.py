"""Pickling of objects with modules, also of those whose weights are computed."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any

from joblib.externals.loky.backend.reduction import get_loky_pickler
from torch import nn
from torch.nn.utils import parametrize


def dumps(value: object) -> bytes:
    """Return `value` as a pickle; classes and functions of `__main__` by value."""
    stream = BytesIO()
    _Pickler(stream).dump(value)
    return stream.getvalue()


Pickler: Any = get_loky_pickler()


class _Pickler(Pickler):  # type: ignore[misc]
    """Also accepts parametrized modules, which `pickle` refuses because their class has no name."""

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, nn.Module) and parametrize.is_parametrized(obj):
            return rebuild, (type(obj).__mro__[1], vars(obj))
        return super().reducer_override(obj)


def rebuild(kind: type[nn.Module], state: Mapping[str, Any]) -> nn.Module:
    """Return a parametrized module of a class and its attributes."""
    module = kind.__new__(kind)
    vars(module).update(state)
    parametrize._inject_new_class(module)  # noqa: SLF001 - there is no public way
    for name in module.parametrizations:  # type: ignore[union-attr]
        parametrize._inject_property(module, name)  # noqa: SLF001
    return module
