"""Where the notebooks are: beside the package in a checkout, inside it when installed."""

from __future__ import annotations

from pathlib import Path

from workbench.errors import WorkbenchError

PACKAGE = Path(__file__).resolve().parent.parent


def folder() -> Path:
    """Return the folder that holds the notebooks.

    Raises
    ------
    WorkbenchError
        When the installation has none.
    """
    for candidate in (PACKAGE / "notebooks", PACKAGE.parent / "notebooks"):
        if (candidate / "dashboard.ipynb").is_file():
            return candidate
    raise WorkbenchError("The notebooks are missing from this installation: install it again.")


def dashboard() -> Path:
    """Return the path of the page's notebook."""
    return folder() / "dashboard.ipynb"
