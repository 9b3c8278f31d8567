"""Files of other programs: what they are, and how to get a safetensors file from them."""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path

from workbench.errors import ArtifactError, MissingFileError, WorkbenchError, missing_file

START_BYTES = 512
"""The bytes of a file that show its kind."""
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
SHARD = re.compile(r"-(\d{5,})-of-(\d{5,})\.[a-z]+$", re.IGNORECASE)
"""The numbers in the name of one file of several."""
OTHER_FORMATS = {
    ".onnx": "an ONNX model: export the state_dict of its PyTorch network as safetensors",
    ".h5": "an HDF5 file: save the Keras model as .keras and pass that to wb.from_keras",
    ".keras": "a Keras model: read it with wb.from_keras",
    ".tflite": "a TensorFlow Lite model: use the network that it was converted from",
    ".pb": "a TensorFlow graph: save its tensors as safetensors",
    ".npz": "a NumPy archive: save its arrays with safetensors.numpy.save_file",
    ".npy": "a NumPy array: save it with safetensors.numpy.save_file",
    ".msgpack": "a Flax checkpoint: save its arrays with safetensors.flax.save_file",
    ".zip": "an archive: unpack it and name the file inside",
    ".tar": "an archive: unpack it and name the file inside",
    ".gz": "an archive: unpack it and name the file inside",
}


def check_own_kind(path: Path) -> None:
    """Raise one helpful error if `path` is a missing file, or a file of another program.

    The first bytes decide; the name decides only where they show nothing.

    Raises
    ------
    MissingFileError
        If there is no such file; the message names similar ones.
    ArtifactError
        If it is a pickle, a GGUF file or another file that is no safetensors file.
    """
    if not path.exists():
        raise missing(path)
    if path.is_file():
        with path.open("rb") as stream:
            start = stream.read(START_BYTES)
        error = foreign_error(path, start)
        if error is not None:
            raise error


def is_weights_file(name: str) -> bool:
    """Whether `name` looks like a file of weights of any program, or an index of such files."""
    lower = name.lower()
    suffixes = (".safetensors", ".gguf", *PICKLES, *OTHER_FORMATS)
    return lower.endswith(suffixes) or is_index(lower)


def is_index(name: str) -> bool:
    """Whether `name` is that of an index of several files."""
    return re.search(r"\.index(\.[^.]+)?\.json$", name, re.IGNORECASE) is not None


def pickle_error(path: Path) -> ArtifactError:
    """Return the error for a pickle."""
    return ArtifactError(
        f"{path} is a pickle, which can run code when it is read: save its tensors as safetensors, "
        f'as in safetensors.torch.save_file(torch.load("{path.name}", weights_only=True), '
        f'"{path.stem}.safetensors").',
        code="file.pickle",
    )


def pickle_index_error(path: Path) -> ArtifactError:
    """Return the error for an index of pickles."""
    return ArtifactError(
        f"{path} lists pickles (.bin), which can run code when they are read: load the model with "
        "transformers and save it with model.save_pretrained(FOLDER, safe_serialization=True), "
        "then name that folder.",
        code="file.pickle",
    )


def gguf_error(path: Path) -> ArtifactError:
    """Return the error for a GGUF file."""
    return ArtifactError(
        f"{path} is a GGUF file, whose weights are quantized already: name the safetensors "
        "checkpoint that it was converted from.",
        code="file.gguf",
    )


def missing(path: Path) -> MissingFileError:
    """Return the error for a path that does not exist, with similar names that do."""
    first = path
    while not first.parent.exists():
        first = first.parent
    return missing_file(path, similar(first))


def similar(path: Path) -> list[str]:
    """Return up to three names next to `path` that are like its own, whatever their case."""
    try:
        siblings = {item.name.lower(): item for item in path.parent.iterdir()}
    except OSError:
        return []
    close = get_close_matches(path.name.lower(), siblings, 3, 0.8)
    return [str(siblings[name]) for name in close]


def did_you_mean(names: list[str]) -> str:
    """Return the end of a message that proposes `names`; nothing without names."""
    return f"; did you mean {' or '.join(names)}?"[:-1] if names else ""


def foreign_error(path: Path, start: bytes) -> WorkbenchError | None:
    """Return the error for a file of another program that begins with `start`, or None."""
    for matches, error in _BY_CONTENT:
        if matches(start):
            return error(path)
    lower = path.name.lower()
    if is_index(lower):
        return pickle_index_error(path) if ".bin." in lower else _index_error(path)
    if start[8:9] == b"{" or not start:
        return None
    if lower.endswith(".gguf"):
        return gguf_error(path)
    if lower.endswith(PICKLES):
        return pickle_error(path)
    return _other_format(path)


def _index_error(path: Path) -> ArtifactError:
    return ArtifactError(
        f"{path} is the index of a checkpoint, which is not compressed: compress it first, with "
        "workbench compress.",
        code="file.index",
    )


def _other_format(path: Path) -> ArtifactError | None:
    text = next((text for end, text in OTHER_FORMATS.items() if path.name.lower().endswith(end)), 0)
    return ArtifactError(f"{path} is {text}.", code="file.other_format") if text else None


def _archive_error(path: Path) -> ArtifactError:
    text = "an archive: unpack it and name the file inside"
    return _other_format(path) or ArtifactError(f"{path} is {text}.", code="file.other_format")


def _pointer_error(path: Path) -> ArtifactError:
    return ArtifactError(
        f"{path} is a pointer of Git LFS, not the weights: run git lfs pull in its repository, or "
        "download the file itself.",
        code="file.pointer",
    )


def _web_page_error(path: Path) -> ArtifactError:
    return ArtifactError(
        f"{path} is a web page, not weights: download the file again, signed in if its site "
        "requires that.",
        code="file.web_page",
    )


def _is_pickle(start: bytes) -> bool:
    """Whether a file is a pickle, alone or in the zip archive that `torch.save` writes."""
    if start.startswith(b"PK\x03\x04"):
        return b"data.pkl" in start
    return start[:1] == b"\x80" and start[1:2] in b"\x02\x03\x04\x05" and start[8:9] != b"{"


_BY_CONTENT: tuple[tuple[Callable[[bytes], bool], Callable[[Path], ArtifactError]], ...] = (
    (lambda start: start.startswith(b"GGUF"), gguf_error),
    (_is_pickle, pickle_error),
    (lambda start: start.startswith((b"PK\x03\x04", b"\x1f\x8b")), _archive_error),
    (lambda start: start.startswith(b"version https://git-lfs"), _pointer_error),
    (lambda start: start.lstrip()[:9].lower() in (b"<!doctype", b"<html"), _web_page_error),
)
