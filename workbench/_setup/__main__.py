"""``python -m workbench._setup STEP``: called by the Makefile before it runs a target."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import nullcontext

from workbench._setup import browser, bundle, environment, modules, node
from workbench._setup.machine import SetupError


def _print_browser() -> None:
    print(browser.obtain(str(environment.python())) or "")


def _install_test_tools() -> None:
    installed = environment.ensure("test")
    with modules.compiling() if installed else nullcontext():
        node.ensure()


STEPS: dict[str, Callable[[], object]] = {
    "run": lambda: environment.ensure("run"),
    "test": _install_test_tools,
    "browser": _print_browser,
    "bundle": bundle.make,
}


def main(arguments: list[str]) -> int:
    """Run the named step, and return the exit status."""
    try:
        STEPS[arguments[0]]()
    except SetupError as error:
        environment.say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
