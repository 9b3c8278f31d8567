"""Import optional packages, with an error that says how to install them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from workbench.errors import InputError, describe


def require_package(name: str, feature: str, install: str | None = None) -> Any:
    """Return the package `name`, which `feature` requires.

    Raises
    ------
    InputError
        If the package or one of its dependencies is not installed.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name if error.name and error.name.partition(".")[0] != name else None
        also = f", which needs {missing}" if missing else ""
        command = f"pip install {install or name}" + (f" {missing}" if missing else "")
        raise InputError(
            f"{feature} requires the package {name}{also}: install it with: {command}",
            code="plugin.package_missing",
        ) from error
    except Exception as error:
        raise InputError(
            f"The package {name} cannot be imported: {describe(error)}",
            code="plugin.import_failed",
        ) from error
