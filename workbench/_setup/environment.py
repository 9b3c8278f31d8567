"""The virtual environment: created once, and updated only if its dependencies have changed."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

from workbench._setup.machine import Machine, SetupError, check, this_machine

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
CONSTRAINTS = ROOT / "constraints.txt"
STAMP = VENV / "workbench.json"
TARGETS = {"run": ".", "test": ".[test]"}
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
TIMEOUT = 4.0  # seconds to wait for PyTorch's index before continuing without it


def python() -> Path:
    """Return the environment's interpreter, whether or not it exists yet."""
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def ensure(target: str) -> bool:
    """Install `target` into the environment: "run", or "test" to include the test tools.

    Returns
    -------
    bool
        Whether something was installed.

    Raises
    ------
    SetupError
        If the machine cannot run Workbench, or pip fails.
    """
    state = digest()
    if python_works() and installed(STAMP, state) >= needs(target):
        return False
    check(this_machine())
    create()
    say(f"Installing Workbench into {VENV.name}; the first time takes a few minutes.")
    renew_pip()
    # Python compiles a module when it is first imported; most modules of PyTorch never are.
    install_torch("install", "--no-compile")
    pip("install", "--no-compile", "-e", TARGETS[target])
    STAMP.write_text(json.dumps({"state": state, "target": target}))
    return True


def create() -> None:
    """Create an empty environment with this Python unless there is one that works."""
    if not python_works():
        _call([sys.executable, "-m", "venv", "--clear", str(VENV)], "Python could not make .venv")


def install_torch(verb: str, *options: str) -> None:
    """Run pip `verb` for PyTorch first if an index of CPU builds is available."""
    index = torch_index(this_machine(), os.environ.get("TORCH_INDEX"), reachable)
    if index is None:
        return
    try:
        pip(verb, *options, "--extra-index-url", index, "torch")
    except SetupError:
        say(f"{index} has no suitable PyTorch; continuing without it.")


def torch_index(
    machine: Machine, chosen: str | None, is_reachable: Callable[[str], bool]
) -> str | None:
    """Return an extra package index for PyTorch, or None.

    Without an NVIDIA driver, Linux would otherwise download gigabytes of unused CUDA libraries.
    `chosen` overrides the index; an empty string means none.
    """
    index = chosen
    if index is None and machine.system == "Linux" and not machine.has_nvidia:
        index = CPU_INDEX
    if not index:
        return None
    if not is_reachable(index):
        say(f"{index} cannot be reached; continuing without it.")
        return None
    return index


def reachable(index: str, timeout: float = TIMEOUT) -> bool:
    """Whether the package index responds within `timeout` seconds; a local folder always does."""
    if not index.startswith(("http://", "https://")):
        return True
    answers: list[bool] = []

    def ask() -> None:
        request = urllib.request.Request(f"{index.rstrip('/')}/torch/", method="HEAD")
        try:
            with urllib.request.urlopen(request, timeout=timeout):
                answers.append(True)
        except OSError:
            answers.append(False)

    # in a thread, because name resolution has no timeout
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(timeout)
    return answers == [True]


def pip(verb: str, *arguments: str) -> None:
    """Run the environment's pip with the constraints file.

    Raises
    ------
    SetupError
        If pip fails; its own message has been printed.
    """
    command = [str(python()), "-m", "pip", verb, "--disable-pip-version-check"]
    command += [] if sys.stdout.isatty() else ["--quiet"]
    _call([*command, "-c", str(CONSTRAINTS), *arguments], f"pip {verb} failed, as it says above")


def renew_pip() -> None:
    """Install the newest pip if it is available: the one of an old Python resolves slowly."""
    command = [str(python()), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    command += ["--no-compile", "--retries", "0", "--upgrade", "pip"]
    subprocess.run(command, check=False, capture_output=True)


def digest() -> str:
    """Return a digest of everything that determines the installation."""
    parts = [
        str(ROOT),
        (ROOT / "pyproject.toml").read_text(encoding="utf-8"),
        CONSTRAINTS.read_text(encoding="utf-8"),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def installed(stamp: Path, state: str) -> frozenset[str]:
    """Return the targets installed for this `state`, according to `stamp`."""
    try:
        record = json.loads(stamp.read_text())
    except (OSError, ValueError):
        return frozenset()
    return needs(record["target"]) if record.get("state") == state else frozenset()


def needs(target: str) -> frozenset[str]:
    """Return the names in `TARGETS` that `target` includes."""
    return frozenset({"run", target})


def python_works() -> bool:
    """Whether the environment's interpreter starts: an upgrade or a move may break it."""
    try:
        return (
            subprocess.run([python(), "-c", ""], check=False, capture_output=True).returncode == 0
        )
    except OSError:
        return False


def say(message: str) -> None:
    """Print a message to standard error; callers read paths from standard output."""
    print(message, file=sys.stderr, flush=True)


def _call(command: Sequence[str], failure: str) -> None:
    if subprocess.run(command, check=False, cwd=ROOT).returncode != 0:
        raise SetupError(f"{failure}.")
