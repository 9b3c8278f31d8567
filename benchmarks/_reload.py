"""Load saved files in a new process and print their sizes and results.

``python benchmarks/_reload.py FOLDER --threads 1 2 --variants 2x7x140`` prints one JSON object. For
every ``*.safetensors`` file of the folder it has the size in bytes; for every number of threads the
result of `evaluate` on the validation split; and for every variant ``threads x batch x examples``
the SHA-256 of the reference predictions (int64), for classification tasks.
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
from typing import Any, NamedTuple

AVX2 = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
}
"""Restricts PyTorch and its libraries to AVX2 instructions."""


class Variant(NamedTuple):
    """A way to run the reference evaluation that must not change its predictions."""

    threads: int
    batch: int
    examples: int

    def __str__(self) -> str:
        return "x".join(map(str, self))


def main() -> None:
    """Evaluate, predict and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", nargs="*", type=int, default=())
    parser.add_argument("--variants", nargs="*", default=(), metavar="THREADSxBATCHxEXAMPLES")
    options = parser.parse_args()
    variants = [Variant(*map(int, text.split("x"))) for text in options.variants]
    files = sorted(options.folder.glob("*.safetensors"))
    print(json.dumps({path.name: results(path, options.threads, variants) for path in files}))


def results(path: Path, threads: Sequence[int], variants: Sequence[Variant]) -> dict[str, Any]:
    """Return the file's size, its results by threads, and a digest for each variant."""
    import torch

    import workbench as wb
    from workbench.evaluation.reference import predict

    artifact = wb.load(path)
    out: dict[str, Any] = {"bytes": path.stat().st_size}
    for count in threads:
        torch.set_num_threads(count)
        out[str(count)] = figures(wb.evaluate(artifact, timed=False))
    if variants:
        model, operands = wb.model(artifact.model).with_spec(artifact.spec), artifact.operands()
        examples = model.task.split("validation").examples
        for variant in variants:
            torch.set_num_threads(variant.threads)
            classes = predict(model, operands, examples[: variant.examples], variant.batch)
            out[str(variant)] = hashlib.sha256(classes.tobytes()).hexdigest()
    return out


def figures(report: Any) -> list[Any]:
    """Return metrics, confusion matrix and number of examples as JSON values."""
    score = report.score
    return [dict(score.figures), [list(row) for row in score.confusion], score.examples]


def in_fresh_process(
    folder: Path,
    environment: Mapping[str, str],
    threads: Sequence[int] = (),
    variants: Sequence[Variant] = (),
) -> dict[str, dict[str, Any]]:
    """Run this script on `folder` with `environment` added, and return its output."""
    command = [sys.executable, __file__, str(folder)]
    command += ["--threads", *map(str, threads), "--variants", *map(str, variants)]
    process = subprocess.run(
        command, env={**os.environ, **environment}, check=True, capture_output=True, text=True
    )
    output: dict[str, dict[str, Any]] = json.loads(process.stdout)
    return output


if __name__ == "__main__":
    main()
