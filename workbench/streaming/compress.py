"""Compress a safetensors file, or shards, to a Workbench file, tensor by tensor."""

from __future__ import annotations

import hashlib
import json
import os
from importlib.metadata import version
from typing import Any, Protocol

import torch
from torch import Tensor

from workbench.arguments import expect_path, expect_recipe, expect_running
from workbench.artifact.changes import Changes
from workbench.artifact.container import check_header_size
from workbench.artifact.module_spec import UNCHANGED
from workbench.artifact.on_disk import OnDiskArtifact
from workbench.artifact.original_dtype import with_original_dtype
from workbench.artifact.tensor_file import TENSOR_FILE_PREFIX
from workbench.artifact.writing import check_writable
from workbench.cancel import NEVER, CancelToken
from workbench.compression.codecs.stream import Entry, entry, find_encodings, write
from workbench.compression.encode import encode_tensor
from workbench.compression.weight_error import weight_error
from workbench.errors import ArtifactError, file_errors
from workbench.recipe import Recipe
from workbench.streaming.masks import Masks, Progress
from workbench.streaming.nth_smallest import Threshold
from workbench.streaming.resume import FREE_SPACE, Finished, ResumableOutput, locked
from workbench.streaming.room import check_room
from workbench.streaming.safetensors_header import DEFAULT_METADATA
from workbench.streaming.source import Source
from workbench.streaming.supported import check_supported

VERSION = 6
"""Increased whenever the output bytes change, so that older partial output is not continued."""


def compress_file(
    path: str | os.PathLike[str],
    recipe: Recipe,
    output: str | os.PathLike[str],
    *,
    on_progress: Progress = lambda completed, total: None,
    cancel: CancelToken = NEVER,
) -> OnDiskArtifact:
    """Compress the tensors of a safetensors file to `output`.

    Needs neither a module nor data, and holds one tensor in memory at a time. The bytes equal those
    of `Artifact.of` for the same tensors in the same order. A run that was killed continues from
    its last tensor when it is started again.

    Parameters
    ----------
    path
        A ``.safetensors`` file, the ``.index.json`` of its shards, or the folder with either.
    recipe
        Pruning, low rank, shared values and quantization, which need neither module nor data.
    output
        The file to write. Partial output is stored next to it until the file is complete.
    on_progress
        Called with the bytes read so far and the bytes to read, in each pass over the file. Pruning
        with the global scope takes one more pass.
    cancel
        Stops between two tensors; the same call later continues from there.

    Raises
    ------
    RecipeError
        If the recipe needs a module or data, or does not fit the tensors.
    ArtifactError
        If a file is damaged.
    FileError
        If a file is missing, or cannot be read or written, or the disk has too little free space.
    Cancelled
        If `cancel` is cancelled.
    """
    expect_recipe(recipe)
    expect_running(cancel, on_progress=on_progress)
    source, target = Source.open(expect_path(path, "path")), expect_path(output, "output")
    check_supported(recipe)
    check_writable(target, source.files)
    header = file_header(source, recipe)
    with file_errors("write", target, FREE_SPACE), locked(target):
        recipe.check_names(source.layers, source.locations)
        least = {name: {"shape": list(tensor.shape)} for name, tensor in source.locations.items()}
        check_header_size({**header, "tensors": least})
        partial = ResumableOutput.resume(target, _key(source, recipe))
        check_room(source, recipe, target, partial.size)
        write_tensors(source, recipe, partial, on_progress, cancel)
        written = partial.finish({**header, "tensors": partial.entries})
        artifact = OnDiskArtifact.from_header(target, written)
        unchanged = tuple(name for name in source.locations if name not in partial.errors)
        artifact.changes = Changes(partial.errors, unchanged)
        return artifact


def file_header(source: Source, recipe: Recipe) -> dict[str, Any]:
    """Return the header without the entries of the tensors."""
    header: dict[str, Any] = {
        "model": f"{TENSOR_FILE_PREFIX}{source.title}",
        "recipe": recipe.as_dict(),
        "spec": UNCHANGED.as_list(),
    }
    if source.metadata not in ({}, DEFAULT_METADATA):
        header["metadata"] = source.metadata
    return header


class Output(Protocol):
    """The finished streams of a file; `ResumableOutput` describes the members."""

    plan: Any
    entries: dict[str, Entry]
    ties: int

    def begin(self, plan: Any) -> None:
        """Store the plan, before the first stream."""

    def add(self, name: str, tensor: Finished) -> None:
        """Append the stream of a tensor, or name the earlier tensor that has the same one."""


def write_tensors(
    source: Source,
    recipe: Recipe,
    partial: Output,
    on_progress: Progress,
    cancel: CancelToken,
) -> None:
    """Compress each tensor that `partial` does not have yet, and add it."""
    masks = _masks(source, recipe, partial, on_progress)
    layers, read = frozenset(source.layers), 0
    for name, location in source.locations.items():
        cancel.check()
        if name not in partial.entries:
            with source.tensor(name) as weight:
                mask, ties = masks.mask(name, weight, partial.ties) if masks else (None, 0)
                encoded = _encode(name, weight, recipe, mask, name in layers)
            if location.stored_dtype is not None:
                encoded.entry["raw"] = [location.stored_dtype, list(location.stored_shape)]
            partial.add(name, encoded._replace(ties=ties))
        read += location.size
        on_progress(read, source.size)


def _masks(source: Source, recipe: Recipe, partial: Output, on_progress: Progress) -> Masks | None:
    """Return the pruning masks, with the global threshold of an earlier run if there is one."""
    plan = partial.plan
    threshold = Threshold(*plan["cut"]) if plan and plan["cut"] else None
    masks = None
    if recipe.prune is not None:
        masks = Masks.find(source, recipe.prune, threshold, on_progress)
        threshold = masks.threshold
    if plan is None:
        partial.begin({"cut": [threshold.key, threshold.ties] if threshold else None})
    return masks


def _encode(
    name: str, weight: Tensor, recipe: Recipe, mask: Tensor | None, is_layer: bool
) -> Finished:
    """Return a tensor in encoded form, with its error if it is a layer."""
    if weight.dtype == torch.bool and weight.numel() and int(weight.view(torch.uint8).max()) > 1:
        raise ArtifactError(
            f"{name} holds Boolean values that are neither 0 nor 1: export the file again.",
            code="file.invalid_boolean",
        )
    coded = encode_tensor(name, weight, recipe, mask, is_layer=is_layer)
    options = find_encodings(coded, recipe.prune, include_larger=False)
    described = with_original_dtype(entry(coded, options), weight.dtype)
    stream = write(coded, options)
    del options
    error = weight_error(weight, coded.tensor(), weight.dtype) if is_layer else None
    return Finished(described, stream, 0, error if error and error.changed else None)


def _key(source: Source, recipe: Recipe) -> str:
    """Identify the work by its files, recipe and versions."""
    state = [source.state, recipe.as_dict(), version("workbench"), VERSION, torch.__version__]
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()
