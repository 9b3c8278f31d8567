"""Commands that export a compressed file to an inference runtime, and check what runs there."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.cli.models import add_model_of_file, model_of_file
from workbench.deploy.runtimes import NAMES, RUNTIMES, runtime_called
from workbench.deploy.target import Target
from workbench.errors import InputError
from workbench.profiling.energy.energy import Energy

DEFAULT_BATCH = 64


def export_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``export``."""
    parser.add_argument("file", metavar="FILE", help="a file made by compress or train")
    add_model_of_file(parser)
    parser.add_argument(
        "--to",
        default="onnx",
        choices=NAMES,
        help="the runtime; onnx is ONNX Runtime (default: onnx)",
    )
    parser.add_argument("--precision", default="float32", help="of the arithmetic there")
    parser.add_argument("--threads", type=int, default=1, help="of one call (default: 1)")
    parser.add_argument(
        "--batch",
        type=int,
        default=DEFAULT_BATCH,
        help="examples per call: for LiteRT the only, for ExecuTorch the largest (default: 64)",
    )
    parser.add_argument(
        "--output",
        required=True,
        metavar="PATH",
        help="a file that ends in .onnx, or a folder for the whole package with run.py",
    )
    parser.add_argument(
        "--original",
        metavar="MODEL.keras",
        help="with --to keras: the model that was compressed; the output is a .keras file",
    )


def export(options: argparse.Namespace) -> dict[str, Any]:
    """Export a file."""
    from workbench.deploy.export import export
    from workbench.deploy.output_path import check_output

    if options.to == "keras" or options.original is not None:
        return _export_keras(options)
    target = Target(options.to, options.precision, options.batch, options.threads)
    if not options.output:
        raise InputError("--output is empty: name a file or a folder.", code="deploy.no_output")
    check_output(Path(options.output), target)
    with model_of_file(options):
        package = export(options.file, target)
    path = package.save(options.output)
    return {**package.manifest, "file": str(path), "bytes": len(package)}


def _export_keras(options: argparse.Namespace) -> dict[str, Any]:
    """Write the weights of a file into its Keras model."""
    from workbench.artifact.artifact import as_artifact
    from workbench.artifact.writing import check_writable, write_atomic
    from workbench.custom.loaders.keras import from_keras
    from workbench.custom.to_module import to_module
    from workbench.deploy.integers.notes import storage_notes
    from workbench.deploy.keras_file import keras_bytes

    if options.original is None or options.to != "keras":
        raise InputError(
            "A .keras file needs --to keras and --original, the model that was compressed.",
            code="deploy.no_original",
        )
    artifact, path = as_artifact(options.file), Path(options.output)
    check_writable(path)
    content = keras_bytes(to_module(artifact, from_keras(options.original)))
    write_atomic(path, content)
    return {
        "file": str(path),
        "bytes": len(content),
        "artifact": {"sha256": artifact.digest, "bytes": len(artifact)},
        "notes": list(storage_notes(artifact)),
    }


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
    add_model_of_file(parser)
    parser.add_argument("--split", default="validation", help="default: validation")


def confirm(options: argparse.Namespace) -> dict[str, Any]:
    """Compare the predictions in the runtime with those of the file."""
    from workbench.deploy.confirm import confirm

    with model_of_file(options):
        agreement = confirm(options.package, options.split, artifact=options.file)
    return {"package": options.package, "file": options.file, **agreement.as_dict()}


def show_confirm(result: dict[str, Any]) -> None:
    """Print the summary and the figures."""
    print(result["summary"])
    if result["integers"]:
        print(f"  {result['integers']}")
    print(
        f"  {result['metric']}  {result['value']:.6g} there, {result['reference_value']:.6g} here"
    )
    print(f"  largest difference of an output  {result['largest_difference']:.1e}")
    ran = result["facts"]
    print(f"  ran  {result['runtime']} {ran['version']}, {ran['provider']}")


def benchmark_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``benchmark``."""
    parser.add_argument("file", metavar="FILE", help="a file made by compress or train")
    add_model_of_file(parser)
    parser.add_argument(
        "--to",
        metavar="A,B",
        help="the runtimes; those that are not installed are left out (default: all that can run "
        "the network)",
    )
    parser.add_argument("--batch", default="1,64", metavar="A,B", help="examples per call")
    parser.add_argument(
        "--threads",
        type=int,
        default=1,
        help="of one call (default: 1); all cores are timed too",
    )


def benchmark(options: argparse.Namespace) -> dict[str, Any]:
    """Confirm and time a file in its runtimes."""
    from workbench.deploy.export import export
    from workbench.deploy.timing import benchmark

    batches = _batches(options.batch)
    chosen = None if options.to is None else options.to.split(",")
    packages: list[Any] = []
    missing: list[str] = []
    with model_of_file(options):
        for target in _targets(chosen or tuple(RUNTIMES), batches, options.threads):
            sentence = RUNTIMES[target.runtime].how_to_install()
            try:
                if sentence is None:
                    packages.append(export(options.file, target))
            except InputError as error:
                if chosen or target.runtime == "torch":
                    raise
                sentence = str(error)
            if sentence is not None and sentence not in missing:
                missing.append(sentence)
        result = benchmark(packages, batches=batches).as_dict()
    return {"file": options.file, "missing": missing, **result}


def _batches(text: str) -> list[int]:
    """Return different numbers of examples that a call may take."""
    try:
        numbers = dict.fromkeys(int(number) for number in text.split(","))
    except ValueError:
        raise InputError(
            f"--batch accepts whole numbers, such as 1,64, not {text!r}.",
            code="deploy.invalid_number",
        ) from None
    return [Target(batch=number).batch for number in numbers]


def _targets(names: Sequence[str], batches: Sequence[int], threads: int) -> list[Target]:
    """Return a target for each runtime; one for each batch where files take one size only."""
    targets = []
    for runtime in dict.fromkeys(map(runtime_called, names)):
        sizes = batches if runtime.fixed_batch else [max(DEFAULT_BATCH, *batches)]
        targets += [Target(runtime.name, batch=batch, threads=threads) for batch in sizes]
    return targets


def show_benchmark(result: dict[str, Any]) -> None:
    """Print a table of the times."""
    print("runtime      batch threads  minimum   median      p90  milliseconds per call")
    for row in result["timings"]:
        times = "".join(f"{row[name]:9.3f}" for name in ("minimum", "median", "p90"))
        speedup = "" if row["speedup"] is None else f"  {row['speedup']:.2f} × PyTorch"
        print(f"{row['runtime']:<12} {row['batch']:5d} {row['threads']:7d}{times}{speedup}")
    for row in result["timings"]:
        energy = Energy.from_dict(row["energy"])
        place = f"batch {row['batch']}, threads {row['threads']}"
        print(f"  {row['runtime']}, {place}, 1,000 examples: {energy.text}")
    energies = [Energy.from_dict(row["energy"]) for row in result["timings"]]
    for note in Energy.total(energies).explanation:
        print(f"  – {note}")
    first = result["timings"][0]
    print(f"the compressed file: {first['artifact_bytes']:,} bytes")
    for row in {row["runtime"]: row for row in result["timings"]}.values():
        print(
            f"  {row['runtime']}: package {row['package_bytes']:,} bytes, in memory "
            f"{row['resident_bytes']:,}, loaded in {row['load']:.0f} ms"
        )
    for sentence in (result["summary"], *result["missing"]):
        print(f"  – {sentence}")
