"""The table of module kinds: importing this reads all files of `kinds`."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from tests.field import kinds
from tests.field.kind import TABLE, Kind

for _found in iter_modules(kinds.__path__):
    import_module(f"{kinds.__name__}.{_found.name}")

__all__ = ["TABLE", "Kind"]
