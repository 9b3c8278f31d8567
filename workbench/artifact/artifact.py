"""The artifact: compressed weights as one file, and everything that follows from its bytes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from workbench.artifact import container
from workbench.artifact.build_ledger import build_ledger
from workbench.artifact.container import MAX_HEADER_BYTES
from workbench.artifact.foreign_files import check_own_kind
from workbench.artifact.header import MAX_DECODED_BYTES, check
from workbench.artifact.ledger import Ledger
from workbench.artifact.module_spec import UNCHANGED, ModuleSpec
from workbench.artifact.operands import operands
from workbench.artifact.original_dtype import with_original_dtype
from workbench.artifact.preprocessing import PREPROCESSING_KEY
from workbench.artifact.repeated import mark_repeated
from workbench.artifact.unstored import UNSTORED_KEY, Fingerprint
from workbench.artifact.writing import check_regular, write_atomic
from workbench.compression.codecs.encoding import EncodingOptions
from workbench.compression.codecs.stream import (
    SAME_KEY,
    Entry,
    StreamOptions,
    entry,
    find_encodings,
    parts,
    read,
    write,
)
from workbench.compression.coded import Coded
from workbench.display import Displayable
from workbench.errors import ArtifactError, RecipeError, file_errors
from workbench.recipe import Recipe
from workbench.recipe.schema import brief


class Artifact(Displayable):
    """The bytes of a compressed file and their meaning; `len(artifact)` is the file's length.

    Create one with `Artifact.of` or `load`. It is immutable, and holds the recipe and the name of
    the model. `Artifact.of` computes the length at once and the bytes on first use.

    Parameters
    ----------
    header
        The JSON of the file's header.
    tensors
        The coded tensors by name, in the order of the file.
    length
        The length of the file in bytes.

    Examples
    --------
    >>> import workbench as wb
    >>> artifact = wb.compress(wb.model("fashion/mlp-32"), wb.Recipe(wb.Quantize(4)))
    >>> artifact.model, artifact.recipe == wb.Recipe(wb.Quantize(4))
    ('fashion/mlp-32', True)
    >>> wb.Artifact.from_bytes(artifact.to_bytes()).digest == artifact.digest
    True
    """

    _plots = "artifact"

    def __init__(self, header: Mapping[str, Any], tensors: dict[str, Coded], length: int) -> None:
        self._header = header
        self._tensors = tensors
        self._length = length

    @classmethod
    def of(
        cls,
        model: str,
        recipe: Recipe,
        tensors: dict[str, Coded],
        spec: ModuleSpec = UNCHANGED,
        dtypes: Mapping[str, torch.dtype] = MappingProxyType({}),
        preprocessing: Mapping[str, Any] | None = None,
        unstored: Mapping[str, Fingerprint] | None = None,
    ) -> Artifact:
        """Encode coded tensors, each in its smallest encoding.

        Parameters
        ----------
        model
            The name of the model.
        recipe
            The recipe that made the tensors.
        tensors
            The coded tensors by name, in the order of the file.
        spec
            How the module that runs on the tensors differs from the model's original module.
        dtypes
            The original dtype of each tensor that decodes to a different one.
        preprocessing
            How the model predicts from raw data, see `workbench.artifact.preprocessing`.
        unstored
            Fingerprints of values that the model needs and the file does not store, by name.

        Raises
        ------
        ArtifactError
            If the header is longer than a header may be.
        """
        options = {name: find_encodings(coded, recipe.prune) for name, coded in tensors.items()}
        header: dict[str, Any] = {
            "model": model,
            "recipe": recipe.as_dict(),
            "spec": spec.as_list(),
        }
        if preprocessing is not None:
            header[PREPROCESSING_KEY] = preprocessing
        if unstored:
            header[UNSTORED_KEY] = dict(unstored)
        header["tensors"] = {name: entry(coded, options[name]) for name, coded in tensors.items()}
        for name, dtype in dtypes.items():
            header["tensors"][name] = with_original_dtype(header["tensors"][name], dtype)
        mark_repeated(header["tensors"], tensors)
        size = sum(parts(described).total for described in header["tensors"].values())
        artifact = cls(header, tensors, container.total_size(header, size))
        artifact.__dict__["_options"] = options  # fills the cached property
        return artifact

    @classmethod
    def from_bytes(cls, blob: bytes, *, max_bytes: int = MAX_DECODED_BYTES) -> Artifact:
        """Read the content of a file that unpacks to at most `max_bytes` bytes.

        Raises
        ------
        ArtifactError
            If the bytes are damaged, foreign, or would unpack to more than `max_bytes` bytes.
        """
        header, data = container.unpack(blob)
        check(header, len(data), max_bytes)
        tensors: dict[str, Coded] = {}
        start = 0
        for name, described in header["tensors"].items():
            if SAME_KEY in described:
                tensors[name] = tensors[described[SAME_KEY]]
                continue
            size = parts(described).total
            tensors[name] = decode(name, described, data[start : start + size])
            start += size
        parse_recipe(header)
        artifact = cls(header, tensors, len(blob))
        artifact.__dict__["_packed"] = blob, str(header["sha256"])
        return artifact

    def __len__(self) -> int:
        return self._length

    def __repr__(self) -> str:
        return f"<Artifact {self.model} {len(self):,} bytes {self.recipe!r}>"

    def to_bytes(self) -> bytes:
        """Return the content of the file."""
        return self._packed[0]

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the file atomically, and return its path.

        Raises
        ------
        FileError
            If the folder does not exist or cannot be written.
        """
        return write_atomic(path, self.to_bytes())

    @property
    def digest(self) -> str:
        """The SHA-256 that the file carries, in hexadecimal."""
        return self._packed[1]

    @property
    def model(self) -> str:
        """The name of the model whose module these weights fit."""
        return str(self._header["model"])

    @cached_property
    def recipe(self) -> Recipe:
        """The recipe that made the file."""
        return Recipe.from_json(self._header["recipe"])

    @cached_property
    def spec(self) -> ModuleSpec:
        """How the module that the weights fit differs from the model's original module."""
        return ModuleSpec.from_list(self._header["spec"])

    @property
    def preprocessing(self) -> Mapping[str, Any] | None:
        """How the file predicts from raw data, as plain data; None if it does not.

        See `workbench.artifact.preprocessing`.
        """
        return self._header.get(PREPROCESSING_KEY)

    @property
    def unstored(self) -> Mapping[str, Fingerprint]:
        """Fingerprints of values that the network needs and the file does not store, by name."""
        return dict(self._header.get(UNSTORED_KEY, {}))

    @cached_property
    def ledger(self) -> Ledger:
        """The purpose of every byte; the total is the length of the file."""
        return build_ledger(self._header, len(self))

    @cached_property
    def encodings(self) -> dict[str, EncodingOptions]:
        """The dense and sparse encodings of each tensor that is not factorized."""
        return {
            name: options
            for name, options in self._options.items()
            if isinstance(options, EncodingOptions)
        }

    @cached_property
    def _options(self) -> dict[str, StreamOptions]:
        return {
            name: find_encodings(coded, self.recipe.prune) for name, coded in self._tensors.items()
        }

    @cached_property
    def _packed(self) -> tuple[bytes, str]:
        """The content of the file and its digest."""
        streams = (
            write(coded, self._options[name])
            for name, coded in self._tensors.items()
            if SAME_KEY not in self._header["tensors"][name]
        )
        blob, digest = container.pack(dict(self._header), b"".join(streams))
        assert len(blob) == len(self)  # the length was computed in advance
        return blob, digest

    @property
    def tensors(self) -> Mapping[str, Coded]:
        """The coded tensors by name."""
        return self._tensors

    def weights(self) -> dict[str, Tensor]:
        """Return a fresh copy of the decoded tensors, float32 if the originals were floats."""
        return {name: coded.tensor().clone() for name, coded in self._tensors.items()}

    def operands(self) -> dict[str, Tensor]:
        """Return the tensors that the module of the file runs on, by name.

        See `workbench.artifact.operands.operands`.
        """
        return operands(self._tensors, self.spec)


def decode(name: str, entry: Entry, stream: bytes) -> Coded:
    """Return the coded tensor of a stream.

    Raises
    ------
    ArtifactError
        If the stream does not match its header entry.
    """
    try:
        return read(entry, stream)
    except (ValueError, IndexError, TypeError, OverflowError) as error:
        raise ArtifactError(
            f"The stream of {name!r} is damaged: {error}.", code="artifact.damaged_stream"
        ) from None


def parse_recipe(header: Mapping[str, Any]) -> Recipe:
    """Return the recipe of a valid header.

    Raises
    ------
    ArtifactError
        If this version does not know the recipe.
    """
    try:
        return Recipe.from_json(header["recipe"])
    except RecipeError as error:
        raise ArtifactError(
            f"This version does not know the file's recipe: {error}", code="artifact.unknown_recipe"
        ) from None


def as_artifact(file: Artifact | str | os.PathLike[str]) -> Artifact:
    """Return an artifact, given itself or the path of its file.

    Raises
    ------
    ArtifactError
        If it is neither, or the file is damaged.
    FileError
        If the file cannot be read.
    """
    artifact = load(file) if isinstance(file, str | os.PathLike) else file
    if not isinstance(artifact, Artifact):
        raise ArtifactError(
            f"Pass a path or an artifact, as wb.load(path) returns it, not {brief(file)}.",
            code="artifact.invalid_type",
        )
    return artifact


def load(path: str | os.PathLike[str], *, max_bytes: int = MAX_DECODED_BYTES) -> Artifact:
    """Read an artifact from a file.

    Parameters
    ----------
    path
        The file, as `Artifact.save` writes it.
    max_bytes
        The most bytes that its tensors may take once they are decoded.

    Raises
    ------
    FileError
        If the file cannot be read.
    ArtifactError
        If the file is damaged, foreign, or unpacks to more than `max_bytes` bytes.

    Examples
    --------
    >>> import tempfile, workbench as wb
    >>> from pathlib import Path
    >>> artifact = wb.compress(wb.model("fashion/mlp-32"), wb.Recipe(wb.Prune(0.9)))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = artifact.save(Path(folder) / "small.safetensors")
    ...     len(wb.load(path)) == len(artifact)
    True
    """
    if not isinstance(path, str | os.PathLike):
        raise ArtifactError(
            f"Pass the path of a file, not {brief(path)}.", code="argument.not_a_path"
        )
    source = Path(path)
    with file_errors("read", path):
        check_regular(source)
        check_own_kind(source)
        size = source.stat().st_size
        if size > 2 * max_bytes + MAX_HEADER_BYTES:  # scales may outweigh the values they scale
            raise ArtifactError(
                f"{source} is too large to unpack to {max_bytes:,} bytes or fewer.",
                code="artifact.decoded_too_large",
            )
        blob = source.read_bytes()
    return Artifact.from_bytes(blob, max_bytes=max_bytes)
