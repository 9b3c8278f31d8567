"""Find out whether a runtime really runs on this machine, with a tiny network."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import nn

from workbench.deploy.host import Host
from workbench.deploy.onnx_file import TRACED, onnx_bytes
from workbench.deploy.package import FORMAT, Package
from workbench.deploy.process import RuntimeFailedError
from workbench.deploy.runtimes import RUNTIMES
from workbench.deploy.target import Target
from workbench.errors import InputError
from workbench.runtime.batch import Batch

SECONDS = 120.0
TOLERANCE = 1e-4
"""The largest difference of outputs, which are of order 1."""


def check_runs_here(target: Target) -> None:
    """Run a tiny network in a runtime, and check device, precision and outputs.

    Raises
    ------
    InputError
        If the runtime does not start, falls back to another device, or computes something else.
    """
    reason = _reason(target.runtime)
    if reason is not None:
        raise InputError(
            f"{RUNTIMES[target.runtime].title} is not available on this machine: {reason}",
            code="deploy.not_here",
        )


@cache
def _reason(runtime: str) -> str | None:
    """Return why a runtime does not run on this machine, or None."""
    layer = nn.Linear(8, 4)
    with torch.no_grad():
        layer.weight.copy_(torch.linspace(-1, 1, 32).reshape(4, 8))
        layer.bias.copy_(torch.arange(4.0))
        inputs = torch.linspace(-1, 1, 8 * TRACED).reshape(TRACED, 8)
        expected = torch.relu(layer(inputs)).numpy()
    target = Target(runtime)
    manifest = {"format": FORMAT, "target": target.as_dict()}
    package = Package(onnx_bytes(nn.Sequential(layer, nn.ReLU()), Batch.of(inputs)), manifest)
    try:
        with Host(runtime) as host:
            host.load(package, seconds=SECONDS)
            outputs = host.run([inputs.numpy()], TRACED, seconds=SECONDS)
    except RuntimeFailedError as error:
        return str(error)
    if outputs.shape != expected.shape or not np.allclose(outputs, expected, 0, TOLERANCE):
        return "a network of one layer gives other outputs there."
    return None
