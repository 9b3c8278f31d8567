"""Which Python runs a runtime or a converter: this one, or that of a separate environment."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

from workbench.deploy.environments import Environment


def interpreter(modules: tuple[str, ...], environment: Environment | None) -> Path | None:
    """Return a Python that has `modules`; None if there is none.

    Parameters
    ----------
    modules
        What is needed. This Python comes first.
    environment
        The environment that has them otherwise.
    """
    if all(find_spec(module) for module in modules):
        return Path(sys.executable)
    return None if environment is None else environment.python


def process_variables(python: Path) -> dict[str, str]:
    """Return the environment variables of a process, which imports what this one does."""
    variables = {**os.environ, "OMP_NUM_THREADS": "1"}
    if python == Path(sys.executable):
        variables["PYTHONPATH"] = os.pathsep.join(sys.path)
    return variables
