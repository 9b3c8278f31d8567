"""Commands that export a compressed file to an inference runtime, and check what runs there."""

from __future__ import annotations

import argparse
from typing import Any

from workbench.deploy.runtimes import RUNTIMES
from workbench.deploy.target import Target

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
