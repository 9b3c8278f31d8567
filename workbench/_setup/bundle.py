"""Build a folder of wheels that installs without an index, for a classroom without internet."""

from __future__ import annotations

import platform
import shutil
from pathlib import Path

from workbench._setup import environment
from workbench._setup.machine import check, this_machine

FOLDER = environment.ROOT / "dist" / "bundle"
INSTRUCTIONS = """\
Workbench for {system} on {machine}, Python {python}, without internet.

In this folder, on Linux and macOS:
    python{python} -m venv workbench-env
    workbench-env/bin/pip install --no-index --find-links . workbench
    workbench-env/bin/workbench dashboard

On Windows:
    py -{python} -m venv workbench-env
    workbench-env\\Scripts\\pip install --no-index --find-links . workbench
    workbench-env\\Scripts\\workbench dashboard
"""


def make(folder: Path = FOLDER) -> None:
    """Replace `folder` by the wheels of Workbench and its dependencies, with instructions.

    Raises
    ------
    SetupError
        If the machine cannot run Workbench, or pip fails.
    """
    check(this_machine())
    environment.create()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    environment.install_torch("wheel", "--wheel-dir", str(folder))
    environment.pip("wheel", "--wheel-dir", str(folder), "--find-links", str(folder), ".")
    (folder / "INSTALL.txt").write_text(
        INSTRUCTIONS.format(
            system=platform.system(),
            machine=platform.machine(),
            python=".".join(platform.python_version_tuple()[:2]),
        ),
        encoding="utf-8",
    )
    megabytes = sum(file.stat().st_size for file in folder.iterdir()) / 1e6
    environment.say(f"The bundle is in {folder} ({megabytes:,.0f} MB); see its INSTALL.txt.")
