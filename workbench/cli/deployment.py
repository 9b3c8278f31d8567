"""Commands that export a compressed file to an inference runtime, and check what runs there."""

from __future__ import annotations

import argparse
from typing import Any

from workbench.deploy.runtimes import RUNTIMES
from workbench.deploy.target import Target
from workbench.errors import InputError

ALIASES = {"onnx": "onnxruntime"}


def export_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``export``."""
    parser.add_argument("file", metavar="FILE", help="a file made by compress or train")
    parser.add_argument(
        "--to",
        default="onnx",
        choices=[*ALIASES, *RUNTIMES],
        help="the runtime; onnx is ONNX Runtime (default: onnx)",
    )
    parser.add_argument("--precision", default="float32", help="of the arithmetic there")
    parser.add_argument("--threads", type=int, default=1, help="of one call (default: 1)")
    parser.add_argument(
        "--output",
        required=True,
        metavar="PATH",
        help="a file that ends in .onnx, or a folder for the whole package with run.py",
    )


def export(options: argparse.Namespace) -> dict[str, Any]:
    """Export a file."""
    from workbench.deploy.export import export

    runtime = ALIASES.get(options.to, options.to)
    target = Target(runtime, options.precision, threads=options.threads)
    package = export(options.file, target)
    path = package.save(options.output)
    return {**package.manifest, "file": str(path), "bytes": len(package)}


def show_export(result: dict[str, Any]) -> None:
    """Print where the network is, and what its runtime cannot keep."""
    print(f"{result['file']}: {result['bytes']:,} bytes; the file: {result['artifact']['bytes']:,}")
    for note in result["notes"]:
        print(f"  – {note}")


def confirm_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``confirm``."""
    parser.add_argument("package", metavar="PACKAGE", help="what export wrote")
    parser.add_argument(
        "--file", required=True, metavar="FILE", help="the compressed file that was exported"
    )
    parser.add_argument("--split", default="validation", help="default: validation")


def confirm(options: argparse.Namespace) -> dict[str, Any]:
    """Compare the predictions in the runtime with those of the file."""
    from workbench.deploy.agreement import confirm

    agreement = confirm(options.package, options.split, artifact=options.file)
    return {"package": options.package, "file": options.file, **agreement.as_dict()}


def show_confirm(result: dict[str, Any]) -> None:
    """Print the summary and the figures."""
    print(result["summary"])
    print(
        f"  {result['metric']}  {result['value']:.6g} there, {result['reference_value']:.6g} here"
    )
    print(f"  largest difference of an output  {result['largest_difference']:.1e}")
    ran = result["facts"]
    print(f"  ran  {result['runtime']} {ran['version']}, {ran['provider']}")


def benchmark_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``benchmark``."""
    parser.add_argument("file", metavar="FILE", help="a file made by compress or train")
    parser.add_argument(
        "--to",
        default=",".join(RUNTIMES),
        metavar="A,B",
        help="the runtimes; those that are not installed are left out (default: all)",
    )
    parser.add_argument("--batch", default="1,64", metavar="A,B", help="examples per call")
    parser.add_argument("--threads", type=int, default=1, help="of one call (default: 1)")


def benchmark(options: argparse.Namespace) -> dict[str, Any]:
    """Confirm and time a file in its runtimes."""
    from workbench.deploy.export import export
    from workbench.deploy.timing import benchmark

    names = [ALIASES.get(name, name) for name in options.to.split(",")]
    targets = [Target(name, threads=options.threads) for name in names]
    missing = [sentence for name in names if (sentence := RUNTIMES[name].missing())]
    packages = [
        export(options.file, target) for target in targets if not RUNTIMES[target.runtime].missing()
    ]
    try:
        batches = [int(text) for text in options.batch.split(",")]
    except ValueError:
        raise InputError(
            f"--batch takes whole numbers, such as 1,64, not {options.batch!r}.",
            code="deploy.invalid_number",
        ) from None
    return {
        "file": options.file,
        "missing": missing,
        **benchmark(packages, batches=batches).as_dict(),
    }


def show_benchmark(result: dict[str, Any]) -> None:
    """Print a table of the times."""
    print("runtime      batch  minimum   median      p90  milliseconds per call")
    for row in result["timings"]:
        times = "".join(f"{row[name]:9.3f}" for name in ("minimum", "median", "p90"))
        speedup = "" if row["speedup"] is None else f"  {row['speedup']:.2f} × PyTorch"
        print(f"{row['runtime']:<12} {row['batch']:5d}{times}{speedup}")
    first = result["timings"][0]
    print(f"the compressed file: {first['artifact_bytes']:,} bytes")
    for row in {row["runtime"]: row for row in result["timings"]}.values():
        print(
            f"  {row['runtime']}: package {row['package_bytes']:,} bytes, in memory "
            f"{row['resident_bytes']:,}, loaded in {row['load']:.0f} ms"
        )
    for sentence in (result["summary"], *result["missing"]):
        print(f"  – {sentence}")
