"""Convert an exported program to LiteRT: `python -m workbench.deploy.converters.litert`."""

from __future__ import annotations

import sys
from pathlib import Path

import litert_torch
import torch


def convert(program: Path, output: Path) -> None:
    """Write the .tflite file of an exported program of one size of a batch."""
    loaded = torch.export.load(program)
    inputs, _named = loaded.example_inputs
    litert_torch.convert(loaded.module(), inputs).export(str(output))


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
