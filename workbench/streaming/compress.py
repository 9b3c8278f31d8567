"""A safetensors file, or shards, to a Workbench file: tensor by tensor."""

from __future__ import annotations

import hashlib
import json
import os
from importlib.metadata import version
from pathlib import Path

import torch
from torch import Tensor

from workbench.artifact.artifact import check_writable
from workbench.artifact.module_spec import UNCHANGED
from workbench.artifact.on_disk import OnDiskArtifact
from workbench.artifact.original_dtype import with_original_dtype
from workbench.artifact.tensor_file import TENSOR_FILE_PREFIX
from workbench.compression.codecs.stream import Entry, entry, find_encodings, write
from workbench.compression.encode import encode_tensor
from workbench.errors import ArtifactError
from workbench.recipe import Recipe
from workbench.streaming.masks import Masks, Progress
from workbench.streaming.nth_smallest import Threshold
from workbench.streaming.resume import ResumableOutput, write_errors
from workbench.streaming.source import Source
from workbench.streaming.supported import check_supported

VERSION = 2
"""Raised when other bytes come out, so that nothing is continued that was begun before."""


def compress_file(
    path: str | os.PathLike[str],
    recipe: Recipe,
    output: str | os.PathLike[str],
    *,
    progress: Progress = lambda done, total: None,
) -> OnDiskArtifact:
    """Write the tensors of a safetensors file, compressed as `recipe` says, to `output`.

    No module and no data are needed, and only one tensor is in memory at a time. The bytes are
    those that `Artifact.of` gives for the same tensors in the same order. A run that was killed
    goes on where it was when it is started again.

    Parameters
    ----------
    path
        A ``.safetensors`` file, the ``.index.json`` of its shards, or the folder with either.
    output
        The file to write. What is done lies beside it until all is.
    progress
        Called with the bytes read so far and the bytes to read, in each pass over the file: one
        more where layers compete for what is pruned.

    Raises
    ------
    RecipeError
        When the recipe needs a module or data, or does not fit the tensors.
    ArtifactError
        When something is missing, damaged, or cannot be written.
    """
    source, target = Source.open(Path(path)), Path(output)
    check_supported(recipe)
    recipe.check_names(source.layers)
    if target.exists() and any(target.samefile(file) for file in source.files):
        raise ArtifactError(f"{target} is the file to be compressed: name another for the output.")
    check_writable(target)
    with write_errors(target):
        done = ResumableOutput.of(target, _key(source, recipe))
        return _finished(source, recipe, done, progress)


def _finished(
    source: Source, recipe: Recipe, done: ResumableOutput, progress: Progress
) -> OnDiskArtifact:
    masks = _masks(source, recipe, done, progress)
    read = 0
    for name, place in source.places.items():
        if name not in done.entries:
            with source.tensor(name) as weight:
                kept, ties = masks.mask(name, weight, done.ties) if masks else (None, 0)
                described, stream = _coded(name, weight, recipe, kept)
            done.add(name, described, stream, ties)
        read += place.size
        progress(read, source.size)
    header = {
        "model": f"{TENSOR_FILE_PREFIX}{source.title}",
        "recipe": recipe.as_dict(),
        "form": UNCHANGED.as_list(),
        "tensors": done.entries,
    }
    return OnDiskArtifact.written(done.output, done.finish(header))


def _masks(
    source: Source, recipe: Recipe, done: ResumableOutput, progress: Progress
) -> Masks | None:
    """Return what is pruned; the cut of tensors that compete is found once and then kept."""
    known = done.plan
    cut = Threshold(*known["cut"]) if known and known["cut"] else None
    masks = None
    if recipe.prune is not None:
        masks = Masks.of(source, recipe.prune, cut, progress)
        cut = masks.cut
    if known is None:
        done.begin({"cut": [cut.key, cut.ties] if cut else None})
    return masks


def _coded(name: str, weight: Tensor, recipe: Recipe, kept: Tensor | None) -> tuple[Entry, bytes]:
    """Return what the header says of a tensor, and its stream."""
    if weight.dtype == torch.bool and weight.numel() and int(weight.view(torch.uint8).max()) > 1:
        raise ArtifactError(f"{name} holds truth values that are neither 0 nor 1: mend the file.")
    coded = encode_tensor(name, weight, recipe, kept)
    chosen = find_encodings(coded, recipe.prune, include_larger=False)
    return with_original_dtype(entry(coded, chosen), weight.dtype), write(coded, chosen)


def _key(source: Source, recipe: Recipe) -> str:
    """Name the work: the same files, recipe and versions."""
    state = [source.state, recipe.as_dict(), version("workbench"), VERSION, torch.__version__]
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()
