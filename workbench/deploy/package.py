"""A package: the exported network with a manifest that says what it is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from workbench import formatting
from workbench.arguments import expect_path
from workbench.artifact.artifact import Artifact
from workbench.artifact.writing import write_together
from workbench.deploy.output_path import MANIFEST, check_output, network_name, write_folder
from workbench.deploy.run_script import requirements, run_script
from workbench.deploy.target import Target
from workbench.errors import ArtifactError, InputError, MissingFileError, file_errors, missing_file

FORMAT = "workbench-package/2"
MAX_MANIFEST_BYTES = 2**20


@dataclass(frozen=True)
class Package:
    """An exported network. `len(package)` is the length of its file.

    Attributes
    ----------
    content : bytes
        The network in the format of its runtime.
    manifest : mapping
        Plain data: model, the digest of the compressed file, target, inputs, output, versions.
    artifact : Artifact, optional
        The file that was exported, if the package was not read from a disk.
    """

    content: bytes
    manifest: Mapping[str, Any]
    artifact: Artifact | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        target = self.target
        return (
            f"<Package for {target.runtime} in {target.precision}: {formatting.nbytes(len(self))}>"
        )

    def __len__(self) -> int:
        return len(self.content)

    @property
    def target(self) -> Target:
        """What the network was exported for."""
        return Target(**self.manifest["target"])

    @property
    def batch(self) -> int | None:
        """The only number of examples that a call takes; None if it takes any."""
        size = self.manifest["inputs"][0]["shape"][0]
        return size if isinstance(size, int) else None

    @property
    def name(self) -> str:
        """The name of the network's file in a folder."""
        return network_name(self.target)

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the package completely or not at all, and return the path of the network's file.

        A path that ends in ``.onnx`` gets that file, and the manifest next to it as ``.onnx.json``.
        Any other path becomes a folder with the network, the manifest, ``run.py`` and
        ``requirements.txt``, in place of an earlier package.

        Raises
        ------
        FileError
            If a file cannot be written, or the folder has other files of these names.
        InputError
            If the path ends like the file of another runtime.
        """
        path = Path(path)
        text = json.dumps(self.manifest, indent=2, ensure_ascii=False) + "\n"
        if check_output(path, self.target):
            write_together({path: self.content, Path(f"{path}.json"): text.encode()})
            return path
        write_folder(
            path,
            {
                self.name: self.content,
                "run.py": run_script(self.manifest).encode(),
                "requirements.txt": requirements(self.manifest).encode(),
                MANIFEST: text.encode(),
            },
        )
        return path / self.name


def load_package(path: str | PathLike[str]) -> Package:
    """Read a package from its folder, or from a network with its manifest next to it.

    Parameters
    ----------
    path
        What `Package.save` wrote: the folder, or the network in it.

    Raises
    ------
    ArtifactError
        If the network is not the one of the manifest, for example because it was cut short.
    FileError
        If a file is missing or cannot be read.
    InputError
        If it is a PyTorch program, which can contain code.
    """
    path = expect_path(path, "path")
    with file_errors("read", path):
        if not path.exists():
            raise missing_file(path)
        manifest_path = path / MANIFEST if path.is_dir() else Path(f"{path}.json")
        if not manifest_path.exists():
            raise MissingFileError(
                f"There is no manifest {manifest_path}: pass what `workbench export` wrote.",
                code="deploy.no_manifest",
            )
        text = manifest_path.read_bytes()
    manifest = _manifest(text, manifest_path)
    if manifest["target"]["runtime"] == "torch":
        raise InputError(
            "A PyTorch program can contain code, so it is not loaded from a disk: export it again "
            "from its compressed file.",
            code="deploy.unsafe_program",
        )
    network = path / network_name(Target(**manifest["target"])) if path.is_dir() else path
    if not network.exists():
        raise MissingFileError(f"The package has no file {network}.", code="deploy.no_network")
    with file_errors("read", network):
        content = network.read_bytes()
    described = manifest["file"]
    if len(content) != described["bytes"]:
        raise ArtifactError(
            f"{network} has {len(content):,} bytes, but its manifest names "
            f"{described['bytes']:,}: it is incomplete or was replaced. Export it again.",
            code="deploy.truncated",
        )
    if hashlib.sha256(content).hexdigest() != described["sha256"]:
        raise ArtifactError(
            f"{network} was changed after it was exported. Export it again.",
            code="deploy.changed",
        )
    return Package(content, manifest)


def _manifest(text: bytes, path: Path) -> dict[str, Any]:
    try:
        manifest: Any = json.loads(text) if len(text) <= MAX_MANIFEST_BYTES else None
        valid = _is_manifest(manifest)
    except (ValueError, KeyError, TypeError, RecursionError):
        valid = False
    if not valid:
        raise ArtifactError(
            f"{path} is not the manifest of a package that this version reads.",
            code="deploy.invalid_manifest",
        )
    return dict(manifest)


def _is_manifest(manifest: Any) -> bool:
    Target(**manifest["target"])
    size, digests = manifest["file"]["bytes"], (manifest["file"], manifest["artifact"])
    return (
        manifest["format"] == FORMAT
        and type(size) is int
        and all(isinstance(entry["sha256"], str) for entry in digests)
    )
