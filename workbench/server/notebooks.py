"""Location of the notebooks: next to the package in a checkout, inside it when installed."""

from __future__ import annotations

from pathlib import Path

from workbench.errors import FileError
from workbench.i18n import language

PACKAGE = Path(__file__).resolve().parent.parent


def folder() -> Path:
    """Return the folder of the notebooks.

    Raises
    ------
    FileError
        If the installation has no notebooks.
    """
    for candidate in (PACKAGE / "notebooks", PACKAGE.parent / "notebooks"):
        if (candidate / "dashboard.ipynb").is_file():
            return candidate
    raise FileError(
        "The notebooks are missing from this installation: reinstall workbench.",
        code="server.missing_notebooks",
    )


def dashboard() -> Path:
    """Return the path of the dashboard notebook."""
    return folder() / "dashboard.ipynb"


def first_notebook() -> str:
    """Return what JupyterLab opens first, below `folder`: in the current language, if possible."""
    translated = f"{language()}/dashboard.ipynb"
    return translated if (folder() / translated).is_file() else "dashboard.ipynb"
