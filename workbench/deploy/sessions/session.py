"""What the worker process needs of a runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.generic]
SESSIONS = "workbench.deploy.sessions."
"""Where the module of each runtime is."""


class Session(Protocol):
    """A network that is loaded in a runtime."""

    def run(self, inputs: Sequence[Array]) -> Array:
        """Return the outputs, [b, ...], for inputs, each [b, ...]."""

    def facts(self) -> Mapping[str, Any]:
        """Return what really runs: ``provider``, ``version``, and layers by precision."""
