"""Build the tables of PyTorch's exporter once for a process, not once for each export."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache, wraps
from importlib import import_module
from typing import Any

import torch

COMPOSITE = "CompositeImplicitAutograd"
MATERIALIZE = "_materialize_cpp_cia_ops"


@cache
def build_tables_once() -> None:
    """Keep the ONNX operators and the composite operators of PyTorch after their first use.

    Both are the same for each export. For a small network they take half of its time. Versions of
    PyTorch that have them elsewhere work as before.
    """
    try:
        registry = import_module("torch.onnx._internal.exporter._registration").ONNXRegistry
        registry.from_torchlib = staticmethod(cache(registry.from_torchlib))
    except (ImportError, AttributeError):
        logging.getLogger(__name__).info("PyTorch reads the ONNX operators for each export.")
    try:
        utils = import_module("torch._export.utils")
        setattr(utils, MATERIALIZE, _once_for_each_registration(getattr(utils, MATERIALIZE)))
    except (ImportError, AttributeError):
        logging.getLogger(__name__).info("PyTorch reads its operators for each export.")


def _once_for_each_registration(materialize: Callable[[], Any]) -> Callable[[], None]:
    """Return a function that calls `materialize` again only after operators were registered."""
    before = -1

    @wraps(materialize)
    def materialize_new() -> None:
        nonlocal before
        operators = torch._C._dispatch_get_registrations_for_dispatch_key(COMPOSITE)  # noqa: SLF001 - has no public name
        if len(operators) != before:
            materialize()
            before = len(operators)

    return materialize_new
