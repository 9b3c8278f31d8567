"""In a fresh process: reload saved files and print the digest of what each predicts.

``python benchmarks/_predict.py FOLDER`` prints one JSON object: for every ``*.safetensors`` file
of the folder its length, and for every variant ``threads x batch x examples`` the SHA-256 of the
judge's predictions (int64) on the validation split.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

AVX2 = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
}
"""What keeps PyTorch and its libraries to the AVX2 instructions."""


class Variant(NamedTuple):
    """A way to run the judge that must not change what it predicts."""

    threads: int
    batch: int
    examples: int

    def __str__(self) -> str:
        return "x".join(map(str, self))


def main() -> None:
    """Predict and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--variants", nargs="+", required=True, metavar="THREADSxBATCHxEXAMPLES")
    options = parser.parse_args()
    variants = [Variant(*map(int, text.split("x"))) for text in options.variants]
    files = sorted(options.folder.glob("*.safetensors"))
    print(json.dumps({path.name: predictions(path, variants) for path in files}))


def predictions(path: Path, variants: Sequence[Variant]) -> dict[str, int | str]:
    """Return the file's length and a digest of its predictions in each variant."""
    import torch

    import workbench as wb
    from workbench.evaluation.judge import predict

    artifact = wb.load(path)
    model, weights = wb.model(artifact.model), artifact.weights()
    images = model.task.split("validation").examples
    found: dict[str, int | str] = {"bytes": path.stat().st_size}
    for variant in variants:
        torch.set_num_threads(variant.threads)
        classes = predict(model, weights, images[: variant.examples], variant.batch)
        found[str(variant)] = hashlib.sha256(classes.tobytes()).hexdigest()
    return found


def in_fresh_process(
    folder: Path, variants: Sequence[Variant], environment: Mapping[str, str]
) -> dict[str, dict[str, int | str]]:
    """Run this script on `folder` with `environment` added, and return what it found."""
    command = [sys.executable, __file__, str(folder), "--variants", *map(str, variants)]
    done = subprocess.run(
        command, env={**os.environ, **environment}, check=True, capture_output=True, text=True
    )
    answer: dict[str, dict[str, int | str]] = json.loads(done.stdout)
    return answer


if __name__ == "__main__":
    main()
