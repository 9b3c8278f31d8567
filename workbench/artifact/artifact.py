"""The artifact: compressed weights as one file, and everything that can be read off it."""

from __future__ import annotations

import os
import tempfile
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
from workbench.artifact.header import MAX_DECODED_BYTES, check
from workbench.artifact.ledger import Ledger
from workbench.artifact.module_spec import UNCHANGED, ModuleSpec
from workbench.artifact.operands import operands
from workbench.artifact.original_dtype import with_original_dtype
from workbench.compression.codecs.encoding import EncodingOptions
from workbench.compression.codecs.stream import (
    StreamOptions,
    entry,
    find_encodings,
    parts,
    read,
    write,
)
from workbench.compression.coded import Coded
from workbench.errors import ArtifactError, RecipeError
from workbench.recipe import Recipe


class Artifact:
    """A file's bytes and their meaning; `len(artifact)` is the length of the file.

    Made by `Artifact.of` or read by `load`; immutable. The recipe and the model's name are
    inside. The bytes of one that was made are written when they are first wanted: their number is
    known before.
    """

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
    ) -> Artifact:
        """Encode coded `tensors` of the model called `model`, each in its smallest form.

        `form` says how the module that runs on them differs from the model's own, and `dtypes`
        what those tensors were, by name, that did not have the dtype that they decode to.
        """
        weighed = {name: find_encodings(coded, recipe.prune) for name, coded in tensors.items()}
        header: dict[str, Any] = {
            "model": model,
            "recipe": recipe.as_dict(),
            "form": spec.as_list(),
            "tensors": {name: entry(coded, weighed[name]) for name, coded in tensors.items()},
        }
        for name, dtype in dtypes.items():
            header["tensors"][name] = with_original_dtype(header["tensors"][name], dtype)
        size = sum(parts(described).total for described in header["tensors"].values())
        made = cls(header, tensors, container.total_size(header, size))
        made.__dict__["_weighed"] = weighed  # already known: spare the cached property
        return made

    @classmethod
    def from_bytes(cls, blob: bytes, *, max_bytes: int = MAX_DECODED_BYTES) -> Artifact:
        """Read the content of a file; `max_bytes` bounds the bytes that it may unpack to.

        Raises
        ------
        ArtifactError
            When the bytes are damaged, foreign, or would unpack to more than `max_bytes` bytes.
        """
        header, data = container.unpack(blob)
        check(header, len(data), max_bytes)
        tensors, at = {}, 0
        for name, described in header["tensors"].items():
            size = parts(described).total
            try:
                tensors[name] = read(described, data[at : at + size])
            except (ValueError, IndexError, TypeError, OverflowError) as error:
                raise ArtifactError(f"The stream of {name!r} is damaged: {error}.") from None
            at += size
        try:
            Recipe.from_json(header["recipe"])
        except RecipeError as error:
            raise ArtifactError(
                f"The file's recipe is not one this version knows: {error}"
            ) from None
        made = cls(header, tensors, len(blob))
        made.__dict__["_packed"] = blob, str(header["sha256"])
        return made

    def __len__(self) -> int:
        return self._length

    def __repr__(self) -> str:
        return f"<Artifact {self.model} {len(self):,} bytes {self.recipe!r}>"

    def to_bytes(self) -> bytes:
        """Return the content of the file."""
        return self._packed[0]

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the file whole or not at all, and return its path.

        Raises
        ------
        ArtifactError
            When the folder does not exist or cannot be written.
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
        """How the module that the weights fit differs from the model's own."""
        return ModuleSpec.from_list(self._header["form"])

    @cached_property
    def ledger(self) -> Ledger:
        """Where every byte is; its total is the length of the file."""
        return build_ledger(self._header["tensors"], len(self))

    @cached_property
    def encodings(self) -> dict[str, EncodingOptions]:
        """The dense and sparse forms weighed for each tensor but products, with their bytes."""
        return {
            n: found for n, found in self._weighed.items() if isinstance(found, EncodingOptions)
        }

    @cached_property
    def _weighed(self) -> dict[str, StreamOptions]:
        return {
            name: find_encodings(coded, self.recipe.prune) for name, coded in self._tensors.items()
        }

    @cached_property
    def _packed(self) -> tuple[bytes, str]:
        """The bytes, and the digest among them."""
        streams = (write(coded, self._weighed[name]) for name, coded in self._tensors.items())
        blob, digest = container.pack(dict(self._header), b"".join(streams))
        assert len(blob) == len(self)  # it was told already
        return blob, digest

    @property
    def tensors(self) -> Mapping[str, Coded]:
        """The tensors as coded."""
        return self._tensors

    def weights(self) -> dict[str, Tensor]:
        """Return the decoded tensors by name, float32 where they were floats: a fresh copy."""
        return {name: coded.tensor().clone() for name, coded in self._tensors.items()}

    def operands(self) -> dict[str, Tensor]:
        """Return the tensors that the module in the file's form runs on, by name.

        As `workbench.artifact.operands.operands` says.
        """
        return operands(self._tensors, self.spec)


def write_atomic(path: str | os.PathLike[str], content: bytes) -> Path:
    """Write a file whole or not at all, and return its path.

    Raises
    ------
    ArtifactError
        When the folder does not exist or cannot be written.
    """
    target = Path(path)
    handle, temporary = _beside(target)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        if not target.exists():
            Path(temporary).chmod(0o666 & ~_umask())
        else:
            Path(temporary).chmod(target.stat().st_mode & 0o777)
        Path(temporary).replace(target)
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        raise ArtifactError(
            f"Cannot write {target}: {error.strerror}. Choose another place."
        ) from None
    return target


def check_writable(path: str | os.PathLike[str]) -> None:
    """Refuse at once a place where no file could be saved after a long while.

    Raises
    ------
    ArtifactError
        As `Artifact.save` does.
    """
    handle, temporary = _beside(Path(path))
    os.close(handle)
    Path(temporary).unlink()


def _beside(target: Path) -> tuple[int, str]:
    """Open a file beside `target` that can take its place."""
    try:
        if target.is_dir():
            raise ArtifactError(f"{target} is a folder: name a file in it.")
        if target.exists() and not target.is_file():  # a device would be replaced
            raise ArtifactError(f"{target} is not an ordinary file: name another.")
        return tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        raise ArtifactError(
            f"Cannot write {target}: {error.strerror}. Choose another place."
        ) from None


def load(path: str | os.PathLike[str], *, max_bytes: int = MAX_DECODED_BYTES) -> Artifact:
    """Read an artifact from a file.

    Raises
    ------
    ArtifactError
        When the file is missing, unreadable, damaged, foreign, or unpacks to more than
        `max_bytes` bytes.
    """
    source = Path(path)
    try:
        size = source.stat().st_size
        if not source.is_file():  # a device might be read for ever
            raise ArtifactError(f"{source} is not a file.")
        if size > 2 * max_bytes + MAX_HEADER_BYTES:  # scales may outweigh the values they scale
            raise ArtifactError(f"{source} is too large to unpack to {max_bytes:,} bytes or fewer.")
        blob = source.read_bytes()
    except OSError as error:
        raise ArtifactError(f"Cannot read {path}: {error.strerror}.") from None
    return Artifact.from_bytes(blob, max_bytes=max_bytes)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
