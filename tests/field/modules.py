"""The table of module kinds. Importing it imports all files of `kinds`."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from tests.field import kind, kinds
from tests.field.kind import Kind

for _module in iter_modules(kinds.__path__):
    import_module(f"{kinds.__name__}.{_module.name}")

TABLE: dict[str, Kind] = dict(sorted(kind.TABLE.items()))
"""All kinds sorted by name, so that the order does not depend on imports."""
