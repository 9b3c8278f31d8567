"""Export a file for several targets and confirm each package, in a process of low priority.

The process is `python -m workbench.deploy.prepare`. It answers with one JSON object per line, so
that exporting and comparing disturb nothing that runs in the calling process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from workbench.artifact.artifact import Artifact, load
from workbench.cancel import NEVER, CancelToken
from workbench.deploy.agreement import Agreement
from workbench.deploy.confirm import confirm
from workbench.deploy.export import export
from workbench.deploy.package import MANIFEST, Package
from workbench.deploy.priority import lower_priority
from workbench.deploy.records import agreement_from_record, agreement_record
from workbench.deploy.target import Target
from workbench.errors import Cancelled, WorkbenchError
from workbench.i18n import _
from workbench.zoo.registry import custom_models
from workbench.zoo.registry import model as find_model

POLL_SECONDS = 0.1
PROCESS = [sys.executable, "-m", "workbench.deploy.prepare"]


@dataclass(frozen=True)
class Outcome:
    """What is known of a file for one target.

    Attributes
    ----------
    package : Package or None
        Once it is exported.
    agreement : Agreement or None
        Once every prediction is compared.
    error : str
        Why there is no more, or empty.
    """

    target: Target
    package: Package | None = None
    agreement: Agreement | None = None
    error: str = ""

    @property
    def confirmed(self) -> bool:
        """Whether the package may be used."""
        return self.agreement is not None and self.agreement.confirmed

    @property
    def settled(self) -> bool:
        """Whether only times can follow."""
        return self.agreement is not None or bool(self.error)


def prepare(
    artifact: Artifact, targets: Sequence[Target], split: str, cancel: CancelToken
) -> Iterator[Outcome]:
    """Yield each target twice: with its package, and then with the agreement on a split.

    A target that fails is yielded with the error. Models that exist only in this process are
    exported in it.

    Raises
    ------
    Cancelled
        If `cancel` is cancelled.
    """
    run = _here if artifact.model in custom_models() else _elsewhere
    yield from run(artifact, targets, split, cancel)


def _here(
    artifact: Artifact, targets: Sequence[Target], split: str, cancel: CancelToken
) -> Iterator[Outcome]:
    for target in targets:
        cancel.check()
        prepared = Outcome(target)
        try:
            prepared = replace(prepared, package=export(artifact, target))
            yield prepared
            cancel.check()
            assert prepared.package is not None
            agreement = confirm(prepared.package, split, cancel=cancel)
            prepared = replace(prepared, agreement=agreement)
        except Cancelled:
            raise
        except WorkbenchError as error:
            prepared = replace(prepared, error=str(error))
        yield prepared


def _elsewhere(
    artifact: Artifact, targets: Sequence[Target], split: str, cancel: CancelToken
) -> Iterator[Outcome]:
    metric = find_model(artifact.model).task.metric
    prepared = [Outcome(target) for target in targets]
    with (
        tempfile.TemporaryDirectory(prefix="workbench-") as name,
        _process(Path(name), artifact, targets, split, cancel) as lines,
    ):
        for line in lines:
            answer = json.loads(line)
            number, record = answer["number"], answer["agreement"]
            changed = replace(prepared[number], error=answer["error"])
            if changed.package is None and not changed.error:
                changed = replace(changed, package=_read(Path(name) / str(number), artifact))
            if record is not None:
                changed = replace(changed, agreement=agreement_from_record(record, metric))
            prepared[number] = changed
            yield changed
        cancel.check()
        for entry in prepared:
            if entry.agreement is None and not entry.error:
                sentence = _("The process that exports the file ended early: try again.")
                yield replace(entry, error=sentence)


@contextmanager
def _process(
    folder: Path, artifact: Artifact, targets: Sequence[Target], split: str, cancel: CancelToken
) -> Iterator[Iterator[str]]:
    """Start the process, and yield the lines that it answers; cancelling ends it."""
    request = {
        "file": str(artifact.save(folder / "file.safetensors")),
        "folder": str(folder),
        "targets": [target.as_dict() for target in targets],
        "split": split,
    }
    process = subprocess.Popen(
        [*PROCESS, json.dumps(request)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(POLL_SECONDS):
            if cancel.cancelled:
                process.kill()
                return

    threading.Thread(target=watch, daemon=True, name="prepare").start()
    try:
        lower_priority(process.pid)
        assert process.stdout is not None
        yield iter(process.stdout)
    finally:
        ended.set()
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def _read(folder: Path, artifact: Artifact) -> Package:
    package = Package(b"", json.loads((folder / MANIFEST).read_bytes()), artifact)
    return replace(package, content=(folder / package.name).read_bytes())


def main() -> None:
    """Answer the request in the first argument."""
    request = json.loads(sys.argv[1])
    folder, artifact = Path(request["folder"]), load(request["file"])
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what an exporter prints
    targets = [Target(**target) for target in request["targets"]]
    for prepared in _here(artifact, targets, request["split"], NEVER):
        number = targets.index(prepared.target)
        if prepared.package is not None and prepared.agreement is None:
            prepared.package.save(folder / str(number))
        record = None if prepared.agreement is None else agreement_record(prepared.agreement)
        answer = {"number": number, "agreement": record, "error": prepared.error}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
