"""The log of a study: lines of JSON that are only appended, so that it survives any kill."""

from __future__ import annotations

import hashlib
import json
from contextlib import AbstractContextManager, nullcontext
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

from filelock import FileLock, Timeout

from workbench.cache.files import cache_folder
from workbench.errors import ArtifactError, FileError, InputError, file_errors
from workbench.study.trial import Cost, Trial

FOLDER = "studies"
LOCKED = "study.locked"
"""The code of the error if another process runs the study."""
HINT = " Make room or choose another log: the same call then continues."


def default_path(digest: str, machine: str = "") -> Path | None:
    """Return the path of a study's log in the user's cache folder; None without one.

    Another version of Workbench, or other costs of files, cannot continue a log, so that each has
    its own.
    """
    folder = cache_folder()
    key = hashlib.sha256(f"{digest} {version('workbench')} {machine}".encode()).hexdigest()
    return None if folder is None else folder / FOLDER / f"{key}.jsonl"


class StudyLog:
    """The trials of a study, in memory and, with a path, in a file.

    The first line describes the study; each other line is a trial. A last line that a kill cut off
    is ignored and overwritten. A recipe occurs again when an estimate was followed by an exact
    measurement. Both are needed: later proposals depend on the estimate. If the study times files,
    a line with its digest and what one example costs follows each, and all trials of this file hold
    this cost.

    Attributes
    ----------
    trials, checked : dict
        The first trials by the JSON text of their recipe, and the exact ones that followed.
    costs : dict
        What one example costs, by file.

    Parameters
    ----------
    path
        The file, or None to keep the trials in memory only.
    header
        The description of the study as plain data.
    optional
        The file is only a cache: if it cannot be used, the trials are kept in memory; if it cannot
        be continued, it begins again. No error is raised.
    machine
        What the costs of files depend on; empty if none are measured.

    Raises
    ------
    InputError
        If the file belongs to another study, another version of Workbench wrote it, or its costs
        are those of another machine.
    ArtifactError
        If a line other than the last is damaged.
    FileError
        If the file cannot be read or written, or another process is using it.
    """

    def __init__(
        self,
        path: Path | None,
        header: dict[str, Any],
        *,
        optional: bool = False,
        machine: str = "",
    ) -> None:
        self.path = path
        self._optional = optional
        self.trials: dict[str, Trial] = {}
        self.checked: dict[str, Trial] = {}
        self.costs: dict[str, Cost] = {}
        self._header = {"study": header, "workbench": version("workbench")}
        if machine:
            self._header["machine"] = machine
        self._lock: AbstractContextManager[Any] = nullcontext()

    def __enter__(self) -> Self:
        try:
            self._lock_file()
            self._open()
        except FileError:
            if not self._optional:
                self.__exit__()
                raise
            self.path = None
        except (InputError, ArtifactError):
            if not self._optional:
                self.__exit__()
                raise
            self._begin_again()
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.__exit__(None, None, None)

    def _lock_file(self) -> None:
        if self.path is None:
            return
        with file_errors("write", self.path, HINT):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(f"{self.path}.lock", timeout=0)
            try:
                lock.acquire()
            except Timeout:
                raise FileError(
                    f"Another process is running this study with the log {self.path}: wait for "
                    "it, or choose another log.",
                    code=LOCKED,
                ) from None
        self._lock = lock

    def add(self, trial: Trial) -> None:
        """Append a trial.

        Raises
        ------
        FileError
            If the disk is full.
        """
        self._append(trial.as_dict())
        self._add(trial)

    def add_cost(self, file: str, cost: Cost) -> None:
        """Append what one example of a file costs.

        Raises
        ------
        FileError
            If the disk is full.
        """
        self._append({"file": file, "cost": cost.as_dict()})
        self._add_cost(file, cost)

    def _add(self, trial: Trial) -> None:
        if trial.file in self.costs:
            trial = trial.with_cost(self.costs[trial.file])
        (self.checked if trial.key in self.trials else self.trials)[trial.key] = trial

    def _add_cost(self, file: str, cost: Cost) -> None:
        self.costs[file] = cost
        for trials in (self.trials, self.checked):
            same = [trial for trial in trials.values() if trial.file == file]
            trials.update({trial.key: trial.with_cost(cost) for trial in same})

    def _append(self, data: dict[str, Any]) -> None:
        if self.path is None:
            return
        line = json.dumps(data, separators=(",", ":")) + "\n"
        try:
            with file_errors("write", self.path, HINT), self.path.open("ab") as stream:
                stream.write(line.encode())
        except FileError:
            if not self._optional:
                raise
            self.path = None

    def _begin_again(self) -> None:
        """Replace a file that cannot be continued."""
        assert self.path is not None
        self.trials.clear()
        self.checked.clear()
        self.costs.clear()
        try:
            with file_errors("write", self.path):
                self.path.unlink()
        except FileError:
            self.path = None
        self._append(self._header)

    def _open(self) -> None:
        if self.path is None:
            return
        if not self.path.exists():
            self._append(self._header)
            return
        if not self.path.is_file():
            raise FileError(
                f"{self.path} is not an ordinary file: choose another log.", code="study.no_file"
            )
        with file_errors("read", self.path):
            content = self.path.read_bytes()
        complete = content.rfind(b"\n") + 1
        lines = content[:complete].splitlines()
        if complete < len(content):
            with file_errors("write", self.path), self.path.open("r+b") as stream:
                stream.truncate(complete)
        if not lines:
            self._append(self._header)
            return
        self._check(self._parsed(lines[0], 1))
        for number, line in enumerate(lines[1:], 2):
            data = self._parsed(line, number)
            try:
                if "recipe" in data:
                    self._add(Trial.from_dict(data))
                else:
                    self._add_cost(data["file"], Cost.from_dict(data["cost"]))
            except (KeyError, TypeError, ValueError):
                raise self._damaged(number) from None

    def _check(self, header: dict[str, Any]) -> None:
        """Check that the file can be continued here."""
        if header.get("study") != self._header["study"]:
            raise InputError(
                f"{self.path} is the log of another study: choose another log.",
                code="study.other_log",
            )
        if header.get("workbench") != self._header["workbench"]:
            raise InputError(
                f"{self.path} was written by Workbench {header.get('workbench')}, and this is "
                f"{self._header['workbench']}, whose results may differ: choose another log.",
                code="study.other_version",
            )
        if header.get("machine") != self._header.get("machine"):
            raise InputError(
                f"{self.path} holds times of {header.get('machine')}, and this is "
                f"{self._header.get('machine')}: choose another log.",
                code="study.other_machine",
            )

    def _parsed(self, line: bytes, number: int) -> dict[str, Any]:
        try:
            data = json.loads(line)
        except ValueError:
            data = None
        if not isinstance(data, dict):
            raise self._damaged(number)
        return data

    def _damaged(self, number: int) -> ArtifactError:
        return ArtifactError(
            f"Line {number} of {self.path} is damaged: delete the log, and the study begins again; "
            "results in the cache are not measured again.",
            code="study.damaged_log",
        )
