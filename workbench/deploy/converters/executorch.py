"""Lower an exported program for ExecuTorch: `python -m workbench.deploy.converters.executorch`."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.exir import to_edge_transform_and_lower


def convert(program: Path, output: Path) -> None:
    """Write the .pte file of an exported program, with all that XNNPACK can run in XNNPACK."""
    loaded = torch.export.load(program)
    with torch.no_grad():
        lowered = to_edge_transform_and_lower(loaded, partitioner=[XnnpackPartitioner()])
    output.write_bytes(lowered.to_executorch().buffer)


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
