"""Separate Python environments for packages that conflict with those of this one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from workbench.errors import InputError, file_errors

COMPLETE = "complete.json"
"""The file that says that an environment is complete, with the versions of its packages."""
LAST_LINES = 3
"""Lines of the installer that an error repeats."""
VERSIONS = "import sys; from importlib.metadata import version; print(*map(version, sys.argv[1:]))"


@dataclass(frozen=True)
class Environment:
    """A virtual environment in the user's data folder.

    It also sees the packages of this Python, so PyTorch is not installed twice. Its own packages
    come first.

    Attributes
    ----------
    name : str
        Its name in ``workbench setup NAME``.
    requirements : tuple of str
        What is installed in it.
    megabytes : int
        What it takes on the disk, rounded.
    """

    name: str
    requirements: tuple[str, ...]
    megabytes: int

    @property
    def folder(self) -> Path:
        """Where it is."""
        return platformdirs.user_data_path("workbench") / "environments" / self.name

    @property
    def python(self) -> Path | None:
        """Its interpreter; None if it was not set up."""
        return self._interpreter if (self.folder / COMPLETE).is_file() else None

    @property
    def _interpreter(self) -> Path:
        folder, name = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
        return self.folder / folder / name

    def versions(self) -> Mapping[str, str]:
        """Return the versions of its required packages; none if it was not set up."""
        if self.python is None:
            return {}
        with file_errors("read", self.folder / COMPLETE):
            versions: dict[str, str] = json.loads((self.folder / COMPLETE).read_text("utf-8"))
        return versions

    def missing(self) -> str:
        """Return the sentence that says how to set it up."""
        return (
            f"It needs an environment of its own: `workbench setup {self.name}` installs about "
            f"{self.megabytes} MB."
        )

    def create(self) -> None:
        """Create it, in place of an earlier one; this downloads its packages.

        Raises
        ------
        InputError
            If a package cannot be installed; nothing is left of the environment then.
        """
        shutil.rmtree(self.folder, ignore_errors=True)
        try:
            with file_errors("write", self.folder):
                venv.create(self.folder, with_pip=False)
                self._add_packages_of_this_python()
            self._install()
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def _add_packages_of_this_python(self) -> None:
        variables = {"base": str(self.folder), "platbase": str(self.folder)}
        scheme = "venv" if os.name != "nt" else sysconfig.get_preferred_scheme("prefix")
        packages = Path(sysconfig.get_path("purelib", scheme, variables))
        visible = [entry for entry in map(os.path.abspath, sys.path) if Path(entry).is_dir()]
        standard = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
        lines = [entry for entry in visible if entry not in standard]
        (packages / "workbench-host.pth").write_text("\n".join(lines) + "\n", "utf-8")

    def _install(self) -> None:
        install = [sys.executable, "-m", "pip", "--python", str(self._interpreter), "install"]
        result = subprocess.run(
            [*install, "--disable-pip-version-check", *self.requirements],
            check=False,
            capture_output=True,
            text=True,
        )
        if result.returncode:
            lines = (result.stderr or result.stdout).strip().splitlines()
            raise InputError(
                f"The environment {self.name} could not be set up: {' '.join(lines[-LAST_LINES:])}",
                code="deploy.setup_failed",
            )
        names = [requirement.partition("=")[0] for requirement in self.requirements]
        printed = subprocess.run(
            [str(self._interpreter), "-c", VERSIONS, *names],
            check=True,
            capture_output=True,
            text=True,
        )
        versions = dict(zip(names, printed.stdout.split(), strict=True))
        (self.folder / COMPLETE).write_text(json.dumps(versions), "utf-8")


ENVIRONMENTS = {
    environment.name: environment
    for environment in (
        Environment("executorch", ("executorch==1.5.*", "torchao==0.18.*"), 330),
        Environment("litert-converter", ("litert-torch==0.10.*",), 980),
    )
}
