"""The virtual environment: made once, installed into again only when what it depends on changed."""

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
PATIENCE = 4.0  # seconds to wait for PyTorch's index before going on without it


def python() -> Path:
    """Return the environment's interpreter, whether or not it exists yet."""
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def ensure(target: str) -> None:
    """Make the environment hold `target` ("run", or "test" for that and the tests' tools).

    Raises
    ------
    SetupError
        When the machine cannot run Workbench, or pip fails.
    """
    state = digest()
    if python_works() and installed(STAMP, state) >= needs(target):
        return
    check(this_machine())
    create()
    say(f"Installing Workbench into {VENV.name}; the first time takes some minutes.")
    install_torch("install")
    pip("install", "-e", TARGETS[target])
    STAMP.write_text(json.dumps({"state": state, "target": target}))


def create() -> None:
    """Make an empty environment with this Python, in place of one that no longer starts."""
    if not python_works():
        _call([sys.executable, "-m", "venv", "--clear", str(VENV)], "Python could not make .venv")


def install_torch(verb: str, *options: str) -> None:
    """Let pip `verb` PyTorch ahead of the rest where an index of CPU builds is at hand."""
    index = torch_index(this_machine(), os.environ.get("TORCH_INDEX"), reachable)
    if index is None:
        return
    try:
        pip(verb, *options, "--extra-index-url", index, "torch")
    except SetupError:
        say(f"{index} has no fitting PyTorch; going on without it.")


def torch_index(
    machine: Machine, chosen: str | None, is_reachable: Callable[[str], bool]
) -> str | None:
    """Return where to look for PyTorch besides pip's own places, or None.

    Without an NVIDIA driver, Linux would otherwise download gigabytes of CUDA for nothing.
    `chosen` overrides this; empty means nowhere.
    """
    wanted = chosen
    if wanted is None and machine.system == "Linux" and not machine.has_nvidia:
        wanted = CPU_INDEX
    if not wanted:
        return None
    if not is_reachable(wanted):
        say(f"{wanted} cannot be reached; going on without it.")
        return None
    return wanted


def reachable(index: str, patience: float = PATIENCE) -> bool:
    """Say whether `index` answers within `patience` seconds; a local folder always does."""
    if not index.startswith(("http://", "https://")):
        return True
    answers: list[bool] = []

    def ask() -> None:
        request = urllib.request.Request(f"{index.rstrip('/')}/torch/", method="HEAD")
        try:
            with urllib.request.urlopen(request, timeout=patience):
                answers.append(True)
        except OSError:
            answers.append(False)

    # A thread, because looking a name up takes no timeout of its own.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(patience)
    return answers == [True]


def pip(verb: str, *arguments: str) -> None:
    """Run the environment's pip under our constraints.

    Raises
    ------
    SetupError
        When pip fails; its own words are on the screen already.
    """
    command = [str(python()), "-m", "pip", verb, "--disable-pip-version-check"]
    command += [] if sys.stdout.isatty() else ["--quiet"]
    _call([*command, "-c", str(CONSTRAINTS), *arguments], f"pip {verb} failed, as it says above")


def digest() -> str:
    """Return a digest of all that an installation follows from."""
    parts = [
        str(ROOT),
        (ROOT / "pyproject.toml").read_text(encoding="utf-8"),
        CONSTRAINTS.read_text(encoding="utf-8"),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def installed(stamp: Path, state: str) -> frozenset[str]:
    """Return what `stamp` says was installed in this very `state`."""
    try:
        record = json.loads(stamp.read_text())
    except (OSError, ValueError):
        return frozenset()
    return needs(record["target"]) if record.get("state") == state else frozenset()


def needs(target: str) -> frozenset[str]:
    """Return the names in `TARGETS` that `target` covers."""
    return frozenset({"run", target})


def python_works() -> bool:
    """Say whether the environment's interpreter starts (an upgrade or a move may break it)."""
    try:
        return (
            subprocess.run([python(), "-c", ""], check=False, capture_output=True).returncode == 0
        )
    except OSError:
        return False


def say(sentence: str) -> None:
    """Tell the person one thing, on standard error so that printed paths stay clean."""
    print(sentence, file=sys.stderr, flush=True)


def _call(command: Sequence[str], failure: str) -> None:
    if subprocess.run(command, check=False, cwd=ROOT).returncode != 0:
        raise SetupError(f"{failure}.")
