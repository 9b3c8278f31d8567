"""Built-in models in ONNX Runtime and OpenVINO: agreement in float32 on two splits, and times.

`python benchmarks/deploy.py [--quick] [--part agreement|speed]` prints

- for each built-in model, runtime and split: predictions that differ, the largest difference of an
  output, and the metric there and of the file;
- the times of the same packages and of PyTorch, in turn, on one thread, with ratios unless the
  machine was busy.

With `--quick` it takes three models and the validation split. Times mean little while other
programs run.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

from _table import machine, table

import workbench as wb

RUNTIMES = ("onnxruntime", "openvino")
QUICK = ("vowels/cnn", "fashion/lenet5", "fashion/resnet")
AGREEMENT = ("model", "runtime", "split", "predictions", "other", "borderline", "difference")
SPEED = ("model", "runtime", "batch", "minimum", "median", "p90", "of PyTorch", "package", "memory")


def agreement(names: Sequence[str], splits: Sequence[str]) -> Iterator[list[str]]:
    """Yield a row for each model, runtime and split."""
    for name in names:
        artifact = wb.compress(wb.model(name), wb.Recipe())
        for runtime in RUNTIMES:
            package = wb.export(artifact, runtime)
            for split in splits:
                result = wb.confirm(package, split)
                yield [
                    name,
                    result.runtime,
                    split,
                    f"{result.predictions:,}",
                    f"{len(result.different):,}",
                    f"{len(result.borderline):,}",
                    f"{result.largest_difference:.1e}",
                    f"{result.score.value:.7f}",
                    f"{result.reference.value:.7f}",
                ]


def speed(names: Sequence[str]) -> Iterator[list[str]]:
    """Yield a row for each model, runtime and size of a batch."""
    for name in names:
        artifact = wb.compress(wb.model(name), wb.Recipe())
        result = wb.benchmark([wb.export(artifact, runtime) for runtime in (*RUNTIMES, "torch")])
        for timing in result.timings:
            ratio = result.speedup(timing)
            yield [
                name,
                timing.runtime,
                str(timing.batch),
                *(f"{value:.3g} ms" for value in (timing.minimum, timing.median, timing.p90)),
                "busy" if ratio is None else f"{ratio:.2f}",
                f"{timing.package_bytes:,}",
                f"{timing.resident_bytes:,}",
            ]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--part", choices=("agreement", "speed"))
    options = parser.parse_args()
    names = QUICK if options.quick else wb.models()
    print(machine())
    if options.part != "speed":
        splits = ("validation",) if options.quick else ("validation", "test")
        columns = (*AGREEMENT, "metric", "of the file")
        print(table(columns, agreement(names, splits)))
    if options.part != "agreement":
        print(table(SPEED, speed(names)))


if __name__ == "__main__":
    main()
