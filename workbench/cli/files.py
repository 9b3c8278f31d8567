"""Files of tensors, with no model: compressed and expanded however large they are."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import reduce
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.cli.progress import progress_bar
from workbench.errors import ArtifactError, WorkbenchError, user_errors
from workbench.recipe import Recipe

if TYPE_CHECKING:
    from workbench.artifact.on_disk import OnDiskArtifact

ENDINGS = (".safetensors", ".index.json")


def is_tensor_file(name: str) -> bool:
    """Whether what is to be compressed is a file of tensors, or a folder of such files."""
    return name.endswith(ENDINGS) or (name != "" and Path(name).is_dir())


def compress(options: argparse.Namespace, recipe: Recipe) -> dict[str, Any]:
    """Write the compressed file of a file of tensors."""
    from workbench.streaming.compress import compress_file
    from workbench.streaming.source import Source

    original = Source.open(Path(options.model)).file_bytes
    with _that_goes_on(), progress_bar("compressing") as advance:
        sealed = compress_file(options.model, recipe, options.output, progress=advance)
    return {"file": str(options.output), **summary(sealed), "original_bytes": original}


def decompress(options: argparse.Namespace) -> dict[str, Any]:
    """Write the tensors of a compressed file as plain safetensors."""
    from workbench.streaming.decompress import decompress as expanded

    with progress_bar("expanding") as advance:
        path = expanded(options.file, options.output, progress=advance)
    return {"file": str(path), "bytes": path.stat().st_size}


def to_module(options: argparse.Namespace) -> dict[str, Any]:
    """Write the weights of the network of a file, as its module has them, as plain safetensors."""
    from safetensors.torch import save
    from torch import Tensor

    from workbench.artifact.artifact import write_atomic
    from workbench.custom.to_module import to_module as rebuilt

    source, target = Path(options.file), Path(options.output)
    if target.exists() and source.exists() and target.samefile(source):
        raise ArtifactError(f"{target} is the file to be read: name another for the output.")
    module = None if options.module is None else _made(options.module)
    state = rebuilt(options.file, module).state_dict()
    own = {name: one.clone() for name, one in state.items() if isinstance(one, Tensor)}
    path = write_atomic(target, save(own))
    return {"file": str(path), "bytes": path.stat().st_size}


def _made(text: str) -> Any:
    """Return the module that ``package.module:callable`` makes; the current folder is searched too.

    Raises
    ------
    WorkbenchError
        When it cannot be found or fails.
    """
    from torch import nn

    package, _, attribute = text.partition(":")
    if not package or not attribute:
        raise WorkbenchError(
            f"--module names {text!r}: give package.module:callable, which returns the module."
        )
    sys.path.insert(0, str(Path.cwd()))
    try:
        with user_errors(f"Making the module {text!r} fails"):
            found = reduce(getattr, attribute.split("."), import_module(package))
            return found if isinstance(found, nn.Module) else found()  # type: ignore[operator]
    finally:
        sys.path.pop(0)


def summary(sealed: OnDiskArtifact) -> dict[str, Any]:
    """Return what a file says of itself."""
    return {
        "model": sealed.model,
        "recipe": sealed.recipe.as_dict(),
        "bytes": sealed.size,
        "digest": sealed.digest,
        "ledger": sealed.ledger.as_dict(),
    }


def check_has_model(path: str) -> None:
    """Raise `ArtifactError` where a file was not made from a model that is built in."""
    from workbench.artifact.on_disk import OnDiskArtifact
    from workbench.artifact.tensor_file import TENSOR_FILE_PREFIX

    model = OnDiskArtifact.open(path).model
    if model.startswith(TENSOR_FILE_PREFIX):
        raise ArtifactError(
            f"{path} holds the tensors of {model.removeprefix(TENSOR_FILE_PREFIX)!r}, which is no built-in "
            "model, so there is no module to evaluate: workbench expand gives them back."
        )


@contextmanager
def _that_goes_on() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        print("workbench: stopped; the same command goes on from there.", file=sys.stderr)
        raise
