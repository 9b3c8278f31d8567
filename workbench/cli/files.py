"""Commands for tensor files, which have no model: compress and decompress files of any size."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.artifact.foreign_files import is_weights_file
from workbench.cli.models import call, is_code
from workbench.errors import ArtifactError, InputError
from workbench.progress import progress_bar
from workbench.recipe import Recipe

if TYPE_CHECKING:
    from workbench.artifact.on_disk import OnDiskArtifact


def is_tensor_file(name: str) -> bool:
    """Whether `name` is that of a file of weights, or of a file or folder that exists."""
    return name != "" and (is_weights_file(name) or Path(name).exists())


def compress(options: argparse.Namespace, recipe: Recipe) -> dict[str, Any]:
    """Compress a tensor file."""
    from workbench.streaming.compress import compress_file
    from workbench.streaming.inspect_checkpoint import inspect_checkpoint

    with _report_resumable(), progress_bar("compressing") as advance:
        artifact = compress_file(options.model, recipe, options.output, on_progress=advance)
    inspected = inspect_checkpoint(options.model, recipe)  # the lock comes first
    assert artifact.changes is not None
    return {
        "file": str(options.output),
        **summary(artifact),
        "original_bytes": inspected.bytes,
        "sentences": list(inspected.sentences),
        "changes": artifact.changes.as_dict(),
    }


def decompress(options: argparse.Namespace) -> dict[str, Any]:
    """Decompress an artifact to plain safetensors."""
    from workbench.streaming import decompress as streaming

    with progress_bar("decompressing") as advance:
        path = streaming.decompress(options.file, options.output, on_progress=advance)
    return {"file": str(path), "bytes": path.stat().st_size}


def to_module(options: argparse.Namespace) -> dict[str, Any]:
    """Write the weights of an artifact as the state dict of its module, as plain safetensors."""
    from safetensors.torch import save
    from torch import Tensor

    from workbench.artifact.writing import check_writable, write_atomic
    from workbench.custom.to_module import to_module
    from workbench.zoo.registry import advice_if_not_registered

    check_writable(options.output)
    module = None if options.module is None else _module(options.module)
    advice = "name the code that returns its network, as in --module own.py:callable."
    with advice_if_not_registered(advice):
        state = to_module(options.file, module).state_dict()
    # safetensors refuses tensors that share memory
    tensors = {name: value.clone() for name, value in state.items() if isinstance(value, Tensor)}
    path = write_atomic(options.output, save(tensors))
    return {"file": str(path), "bytes": path.stat().st_size}


def _module(text: str) -> Any:
    """Return the module that ``package.module:callable`` makes.

    Raises
    ------
    InputError
        If it cannot be imported, or fails.
    """
    from torch import nn

    if not is_code(text):
        raise InputError(
            f"--module names {text!r}: give package.module:callable, which returns the module.",
            code="cli.invalid_module_option",
        )
    return call(text, "The module", returned=nn.Module)


def summary(artifact: OnDiskArtifact) -> dict[str, Any]:
    """Return the content of a file's header as plain data."""
    from workbench.custom.prediction.contents import contents_of

    contents = contents_of(artifact.preprocessing)
    return {
        "model": artifact.model,
        "recipe": artifact.recipe.as_dict(),
        "bytes": artifact.size,
        "digest": artifact.digest,
        "ledger": artifact.ledger.as_dict(),
        **({} if contents is None else {"contents": contents.as_dict()}),
    }


def check_has_model(path: str) -> None:
    """Raise `ArtifactError` if a file was made from a tensor file, not from a model."""
    from workbench.artifact.on_disk import OnDiskArtifact
    from workbench.artifact.tensor_file import TENSOR_FILE_PREFIX

    model = OnDiskArtifact.open(path).model
    if model.startswith(TENSOR_FILE_PREFIX):
        raise ArtifactError(
            f"{path} holds the tensors of {model.removeprefix(TENSOR_FILE_PREFIX)!r}, which is not "
            "a built-in model, so there is no module to evaluate: restore the tensors with "
            "workbench decompress.",
            code="artifact.no_model",
        )


@contextmanager
def _report_resumable() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        print("workbench: stopped; the same command continues from here.", file=sys.stderr)
        raise
