"""Files of tensors, with no model: compressed and expanded however large they are."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.cli.progress import bar
from workbench.errors import ArtifactError
from workbench.recipe import Recipe

if TYPE_CHECKING:
    from workbench.artifact.sealed import Sealed

ENDINGS = (".safetensors", ".index.json")


def is_file(name: str) -> bool:
    """Whether what is to be compressed is a file of tensors, or a folder of such files."""
    return name.endswith(ENDINGS) or (name != "" and Path(name).is_dir())


def compress(options: argparse.Namespace, recipe: Recipe) -> dict[str, Any]:
    """Write the compressed file of a file of tensors."""
    from workbench.streaming.compress import compress_file
    from workbench.streaming.source import Source

    original = Source.open(Path(options.model)).bytes_of_files
    with _that_goes_on(), bar("compressing") as advance:
        sealed = compress_file(options.model, recipe, options.output, progress=advance)
    return {"file": str(options.output), **about(sealed), "original_bytes": original}


def expand(options: argparse.Namespace) -> dict[str, Any]:
    """Write the tensors of a compressed file as plain safetensors."""
    from workbench.streaming.expand import expand as expanded

    with bar("expanding") as advance:
        path = expanded(options.file, options.output, progress=advance)
    return {"file": str(path), "bytes": path.stat().st_size}


def about(sealed: Sealed) -> dict[str, Any]:
    """Return what a file says of itself."""
    return {
        "model": sealed.model,
        "recipe": sealed.recipe.as_dict(),
        "bytes": sealed.size,
        "digest": sealed.digest,
        "ledger": sealed.ledger.as_dict(),
    }


def refuse_model_of_file(path: str) -> None:
    """Raise `ArtifactError` where a file was not made from a model that is built in."""
    from workbench.artifact.sealed import Sealed
    from workbench.streaming.named import OF_FILE

    model = Sealed.open(path).model
    if model.startswith(OF_FILE):
        raise ArtifactError(
            f"{path} holds the tensors of {model.removeprefix(OF_FILE)!r}, which is no built-in "
            "model, so there is no module to evaluate: workbench expand gives them back."
        )


@contextmanager
def _that_goes_on() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        print("workbench: stopped; the same command goes on from there.", file=sys.stderr)
        raise
