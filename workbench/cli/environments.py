"""The command that makes a Python environment for packages that conflict with this one."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from workbench.deploy.environments import ENVIRONMENTS
from workbench.errors import InputError


def setup_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``setup``."""
    parser.add_argument("environment", choices=[*ENVIRONMENTS], help="what to set up")
    parser.add_argument("--yes", action="store_true", help="do not ask before downloading")


def setup(options: argparse.Namespace) -> dict[str, Any]:
    """Make an environment after a confirmation, unless it is there."""
    environment = ENVIRONMENTS[options.environment]
    if environment.python is None:
        print(
            f"This downloads {', '.join(environment.requirements)} and what it needs, about "
            f"{environment.megabytes} MB, to {environment.folder}. Other packages stay unchanged.",
            file=sys.stderr,
        )
        if not options.yes and not _is_confirmed():
            raise InputError(
                "Nothing was downloaded: confirm with y, or pass --yes.",
                code="deploy.not_confirmed_setup",
            )
        environment.create()
    return {
        "environment": environment.name,
        "folder": str(environment.folder),
        "versions": dict(environment.versions()),
    }


def _is_confirmed() -> bool:
    if not sys.stdin.isatty():
        return False
    print("Continue? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def show_setup(result: dict[str, Any]) -> None:
    """Print where the environment is and what it has."""
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    print(f"{result['environment']} is set up in {result['folder']}: {versions}")
