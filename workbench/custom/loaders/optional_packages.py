"""Packages that are used where a person has installed them, and missed in one sentence."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from workbench.errors import WorkbenchError, describe


def require_package(name: str, what: str, install: str | None = None) -> Any:
    """Return the package `name`, which `what` takes.

    Raises
    ------
    WorkbenchError
        When it is not installed, or something that it needs in turn is not.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name if error.name and error.name.partition(".")[0] != name else None
        also = f", which needs {missing}" if missing else ""
        command = f"pip install {install or name}" + (f" {missing}" if missing else "")
        raise WorkbenchError(
            f"{what} takes the package {name}{also}; install it with: {command}"
        ) from error
    except Exception as error:
        raise WorkbenchError(f"The package {name} does not load: {describe(error)}") from error
