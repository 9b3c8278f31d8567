"""Export a file and compare packages with it, in a process of low priority.

The process is `python -m workbench.deploy.prepare`, so that exporting, comparing and measuring the
roofline disturb nothing that runs in the calling process.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol, Self

import numpy as np
import torch

from workbench.artifact.artifact import Artifact, load
from workbench.cancel import NEVER, CancelToken
from workbench.deploy.agreement import Agreement
from workbench.deploy.answering import Answer, answer_requests, private_output
from workbench.deploy.arrays import save_arrays
from workbench.deploy.confirm import Reference
from workbench.deploy.export import Exporter
from workbench.deploy.forks import PYTORCH, Program
from workbench.deploy.interpreter import process_variables
from workbench.deploy.output_path import MANIFEST
from workbench.deploy.package import Package
from workbench.deploy.process import Process, RuntimeFailedError
from workbench.deploy.records import agreement_from_record, agreement_record
from workbench.deploy.target import Target
from workbench.errors import InputError, WorkbenchError
from workbench.i18n import _
from workbench.profiling.roofline import Roofline, roofline
from workbench.zoo.registry import custom_models, model as find_model

MODULE = "workbench.deploy.prepare"
COMMAND = [sys.executable, "-m", MODULE]
PROGRAM = Program(f"{MODULE}:main", PYTORCH)
SECONDS = 3600.0
"""The longest wait for one answer: a converter may take a quarter of an hour, or longer."""


class Preparation(Protocol):
    """Exports one file and compares packages with it; use it in a `with` statement."""

    def export(self, target: Target) -> Package:
        """Return the package for a target, as `deploy.export.export` does."""

    def inputs(self) -> tuple[Path, ...]:
        """Return the .npy files with the inputs of all examples."""

    def compare(self, package: Package, outputs: Path, facts: Mapping[str, Any]) -> Agreement:
        """Compare a runtime's outputs, a .npy file, with those of the file."""

    def roofline(self) -> Roofline:
        """Return the layers against the peaks of this machine."""

    def end(self) -> None:
        """End it at once; what waits for it fails."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_error: object) -> None: ...


def preparation(artifact: Artifact, split: str, cancel: CancelToken) -> Preparation:
    """Return one in another process, or in this one for a model that exists only here."""
    if artifact.model in custom_models():
        return Here(artifact, split, cancel)
    return Elsewhere(artifact, split)


class Here:
    """A preparation in this process."""

    def __init__(self, artifact: Artifact, split: str, cancel: CancelToken = NEVER) -> None:
        self._artifact, self._cancel = artifact, cancel
        self._exporter = Exporter(artifact)
        self._reference = Reference(artifact, split, cancel)
        self._folder = TemporaryDirectory(prefix="workbench-")
        self._lock = threading.Lock()

    def export(self, target: Target) -> Package:
        """Return the package for a target, with the numbers of its file."""
        with self._lock:
            package = self._exporter.export(target)
            self._reference.check(package)
            return package

    def inputs(self) -> tuple[Path, ...]:
        """Return the .npy files with the inputs of all examples."""
        with self._lock:
            return self._saved_inputs

    @cached_property
    def _saved_inputs(self) -> tuple[Path, ...]:
        return save_arrays(self._reference.inputs.arrays(), Path(self._folder.name))

    def compare(self, package: Package, outputs: Path, facts: Mapping[str, Any]) -> Agreement:
        """Compare a runtime's outputs, a .npy file, with those of the file."""
        with self._lock:
            return self._reference.compare(package, torch.from_numpy(np.load(outputs)), facts)

    def roofline(self) -> Roofline:
        """Return the layers against the peaks of this machine."""
        return roofline(self._artifact, cancel=self._cancel)

    def end(self) -> None:
        """Do nothing: this process goes on."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._folder.cleanup()


class Elsewhere(Process):
    """A preparation in a process of low priority."""

    def __init__(self, artifact: Artifact, split: str) -> None:
        variables = process_variables(Path(sys.executable))
        super().__init__("export", COMMAND, variables, low_priority=True, program=PROGRAM)
        self._artifact, self._lock = artifact, threading.Lock()
        file = artifact.save(self.path / "file.safetensors")
        self._request = {"file": str(file), "split": split, "folder": str(self.path)}

    def export(self, target: Target) -> Package:
        """Return the package for a target, with the numbers of its file."""
        folder = Path(self._answer("export", target=target.as_dict())["folder"])
        package = Package(b"", json.loads((folder / MANIFEST).read_bytes()), self._artifact)
        return replace(package, content=(folder / package.name).read_bytes())

    def inputs(self) -> tuple[Path, ...]:
        """Return the .npy files with the inputs of all examples."""
        return tuple(map(Path, self._answer("inputs")["paths"]))

    def compare(self, package: Package, outputs: Path, facts: Mapping[str, Any]) -> Agreement:
        """Compare a runtime's outputs, a .npy file, with those of the file."""
        target = package.manifest["target"]
        answer = self._answer("compare", target=target, outputs=str(outputs), facts=dict(facts))
        return agreement_from_record(answer, find_model(self._artifact.model).task.metric)

    def roofline(self) -> Roofline:
        """Return the layers against the peaks of this machine."""
        return Roofline.from_dict(self._answer("roofline"))

    def _answer(self, command: str, **request: Any) -> Answer:
        with self._lock:
            try:
                answer = self.ask(command, SECONDS, **self._request, **request)
            except RuntimeFailedError as error:
                raise RuntimeFailedError(
                    _("The process that exports the file ended early: try again."),
                    code="deploy.export_ended",
                ) from error
        if "error" in answer:
            raise InputError(answer["error"], code="deploy.export_failed")
        return answer


class Answers:
    """What the process answers; the first request opens the file."""

    def __init__(self) -> None:
        self._here: Here | None = None
        self._packages: dict[Target, Package] = {}

    def open(self, request: Mapping[str, Any]) -> Here:
        """Return the preparation of the request's file."""
        if self._here is None:
            self._here = Here(load(request["file"]), request["split"])
        return self._here

    def export(self, request: Mapping[str, Any]) -> Answer:
        """Export for a target, and name the folder of the package."""
        target, here = Target(**request["target"]), self.open(request)
        package = here.export(target)
        folder = Path(request["folder"]) / str(len(self._packages))
        self._packages[target] = package
        package.save(folder)
        return {"folder": str(folder)}

    def inputs(self, request: Mapping[str, Any]) -> Answer:
        """Name the files with all inputs."""
        return {"paths": [str(path) for path in self.open(request).inputs()]}

    def compare(self, request: Mapping[str, Any]) -> Answer:
        """Return the record of an agreement."""
        here, outputs = self.open(request), Path(request["outputs"])
        package = self._packages[Target(**request["target"])]
        return agreement_record(here.compare(package, outputs, request["facts"]))

    def roofline(self, request: Mapping[str, Any]) -> Answer:
        """Return the roofline as plain data."""
        return self.open(request).roofline().as_dict()


def main() -> None:
    """Answer requests until standard input ends."""
    with private_output() as stream:
        answers = Answers()
        commands = {
            "export": answers.export,
            "inputs": answers.inputs,
            "compare": answers.compare,
            "roofline": answers.roofline,
        }
        answer_requests(stream, commands, WorkbenchError)


if __name__ == "__main__":
    main()
