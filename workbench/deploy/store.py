"""The cache of packages and of what was confirmed, so that the same file is exported once.

An entry is found by everything that determines it: the digests of the file, of its model and of the
data, the target, and the versions of all that took part.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.metadata import version

from workbench.artifact.artifact import Artifact
from workbench.cache.files import FileCache, default_file_cache
from workbench.cache.results import ResultCache
from workbench.deploy.agreement import Agreement
from workbench.deploy.package import Package
from workbench.deploy.records import agreement_from_record, agreement_record
from workbench.deploy.runtimes import RUNTIMES
from workbench.deploy.target import Target
from workbench.errors import WorkbenchError
from workbench.profiling.roofline import Roofline
from workbench.zoo.registry import model as find_model

VERSION = 7
"""Incremented when the contents of a package or of an agreement change."""
LENGTH_BYTES = 4
REFUSALS = (
    "deploy.export_failed",
    "deploy.other_precision",
    "deploy.other_provider",
    "deploy.runtime_refused",
)
"""Codes of errors that another try with the same file would repeat."""
PROGRAM = ".pt2"
"""Files that can contain code: they are kept in the memory of this process only."""


def cached_package(artifact: Artifact, target: Target) -> Package | None:
    """Return the package of a file for a target, or None."""
    blob = _files(target).get(_key("package", artifact, target))
    if blob is None:
        return None
    end = LENGTH_BYTES + int.from_bytes(blob[:LENGTH_BYTES], "big")
    return Package(blob[end:], json.loads(blob[LENGTH_BYTES:end]), artifact)


def keep_package(package: Package) -> None:
    """Store a package that was exported from a file."""
    manifest = json.dumps(package.manifest).encode()
    blob = len(manifest).to_bytes(LENGTH_BYTES, "big") + manifest + package.content
    _files(package.target).put(_key("package", _artifact(package), package.target), blob)


def cached_agreement(package: Package, split: str, results: ResultCache) -> Agreement | None:
    """Return how a package agreed with its file on a split, or None."""
    record = results.get(_agreement_key(package, split))
    if record is None:
        return None
    return agreement_from_record(record, find_model(_artifact(package).model).task.metric)


def keep_agreement(package: Package, agreement: Agreement, results: ResultCache) -> None:
    """Store how a package agrees with its file."""
    results.put(_agreement_key(package, agreement.split), agreement_record(agreement))


def cached_refusal(artifact: Artifact, target: Target) -> str:
    """Return why a file cannot run in a target, as this process has found out, or nothing."""
    return (_refusals().get(_key("refusal", artifact, target)) or b"").decode()


def keep_refusal(artifact: Artifact, target: Target, error: WorkbenchError) -> None:
    """Store why a file cannot run in a target, if another try would end with the same error."""
    if error.code in REFUSALS:
        _refusals().put(_key("refusal", artifact, target), str(error).encode())


def cached_roofline(artifact: Artifact) -> Roofline | None:
    """Return the roofline of a file that this process has measured, or None."""
    record = _rooflines().get(_roofline_key(artifact))
    return None if record is None else Roofline.from_dict(json.loads(record))


def keep_roofline(artifact: Artifact, roofline: Roofline) -> None:
    """Store the roofline of a file, unless other work disturbed it."""
    if not roofline.peaks.busy:
        _rooflines().put(_roofline_key(artifact), json.dumps(roofline.as_dict()).encode())


def _roofline_key(artifact: Artifact) -> str:
    return f"{find_model(artifact.model).digest} {artifact.digest}"


def _agreement_key(package: Package, split: str) -> str:
    artifact = _artifact(package)
    data = find_model(artifact.model).task.digest(split)
    content = package.manifest["file"]["sha256"]
    return f"{_key('agreement', artifact, package.target)} {content} {split} {data}"


def _artifact(package: Package) -> Artifact:
    assert package.artifact is not None  # only a package that was read from a disk has none
    return package.artifact


def _key(kind: str, artifact: Artifact, target: Target) -> str:
    packages = {name: version(name) for name in ("workbench", "torch")}
    packages |= RUNTIMES[target.runtime].versions()
    versions = " ".join(f"{name}={number}" for name, number in packages.items())
    model = find_model(artifact.model)
    settings = json.dumps(target.as_dict(), sort_keys=True)
    return f"{kind} {VERSION} {versions} {model.digest} {artifact.digest} {settings}"


def _files(target: Target) -> FileCache:
    return _programs() if RUNTIMES[target.runtime].suffix == PROGRAM else default_file_cache()


@cache
def _programs() -> FileCache:
    return FileCache(None)


@cache
def _rooflines() -> FileCache:
    return FileCache(None)


@cache
def _refusals() -> FileCache:
    return FileCache(None)
