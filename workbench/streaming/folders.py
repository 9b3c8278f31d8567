"""Which file of a folder holds the model, as libraries and hubs lay folders out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from workbench import formatting
from workbench.artifact.foreign_files import (
    PICKLES,
    SHARD,
    gguf_error,
    is_index,
    pickle_error,
    pickle_index_error,
)
from workbench.errors import ArtifactError, FileError, file_errors

FILE_SUFFIX = ".safetensors"
MOST_LISTED = 6


def find_in_folder(folder: Path) -> Path:
    """Return the only index of safetensors shards in a folder, or its only safetensors file.

    Raises
    ------
    FileError
        If there is none or there are several, or shards without their index.
    ArtifactError
        If the folder only has files of other programs.
    """
    with file_errors("read", folder):
        items = sorted(item for item in folder.iterdir() if not item.name.startswith("."))
    names = [item for item in items if item.is_file()]
    indexes = [item for item in names if is_index(item.name) and ".bin." not in item.name]
    files = [item for item in names if is_safetensors(item)]
    if len(indexes) == 1:
        return indexes[0]
    _check_has_index(folder, files, indexes)
    if len(files) == 1 and not indexes:
        return files[0]
    if indexes or files:
        raise FileError(
            f"{folder} holds several models: name one of {_listed(indexes or files)}.",
            code="file.ambiguous_folder",
        )
    raise _without_safetensors(folder, items)


def is_safetensors(path: Path) -> bool:
    """Whether a file has the suffix of safetensors, in any case."""
    return path.suffix.lower() == FILE_SUFFIX


def _check_has_index(folder: Path, files: Sequence[Path], indexes: Sequence[Path]) -> None:
    shards = [SHARD.search(path.name) for path in files]
    totals = {int(shard[2]) for shard in shards if shard}
    if indexes or not files or not all(shards) or totals == {1}:
        return
    raise FileError(
        f"{folder} holds {len(files)} of {max(totals)} shards, such as {files[0].name}, and no "
        "index: there is no file model.safetensors.index.json, which lists their tensors; "
        "download it too.",
        code="file.missing_index",
    )


def _listed(paths: Sequence[Path]) -> str:
    texts = [f"{path.name} ({_description(path)})" for path in paths]
    return formatting.names(texts, MOST_LISTED)


def _description(path: Path) -> str:
    size = formatting.size(path.stat().st_size)
    return f"{size}, an adapter" if path.name.startswith("adapter") else size


def _without_safetensors(folder: Path, items: Sequence[Path]) -> FileError | ArtifactError:
    """Return the error for a folder that has no safetensors file itself."""
    parts = [item for item in items if item.is_dir() and any(map(is_safetensors, _files(item)))]
    if parts:
        kind = "is a pipeline of several models" if _is_pipeline(items) else "holds other folders"
        texts = [str(part) for part in parts]
        return FileError(
            f"{folder} {kind}: name one of {formatting.names(texts, MOST_LISTED)}.",
            code="file.several_models",
        )
    for item in items:
        if is_index(item.name):
            return pickle_index_error(item)
    for item in items:
        if item.suffix.lower() == ".gguf":
            return gguf_error(item)
        if item.suffix.lower() in PICKLES and item.name != "training_args.bin":
            return pickle_error(item)
    return FileError(
        f"{folder} holds no {FILE_SUFFIX} file: name a folder that does.", code="file.empty_folder"
    )


def _is_pipeline(items: Sequence[Path]) -> bool:
    return any(item.name == "model_index.json" for item in items)


def _files(folder: Path) -> list[Path]:
    try:
        return [item for item in folder.iterdir() if item.is_file()]
    except OSError:  # a folder that this user may not read is not proposed
        return []
