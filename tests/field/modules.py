"""The table of module kinds: importing this reads all files of `kinds`."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from tests.field import kind, kinds
from tests.field.kind import Kind

for _found in iter_modules(kinds.__path__):
    import_module(f"{kinds.__name__}.{_found.name}")

TABLE: dict[str, Kind] = dict(sorted(kind.TABLE.items()))
"""All kinds by name, in an order that does not depend on what was imported first."""
