"""The console command `workbench`."""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from workbench.cli import commands
from workbench.cli.outputs import check_output
from workbench.cli.recipes import add_parts
from workbench.errors import WorkbenchError
from workbench.threads import set_passive_waiting

USER_ERROR = 2


class _Parser(argparse.ArgumentParser):
    """Report a usage error in one line."""

    def error(self, message: str) -> NoReturn:
        _print_error(f"{self.prog}: {message}")
        raise SystemExit(USER_ERROR)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    It is 0, 2 after one line on standard error, or 1 if a result does not meet its limits.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    options = _parser(arguments).parse_args(arguments)
    set_passive_waiting()
    if isinstance(sys.stdout, io.TextIOWrapper):  # as of a Windows pipe, without × and −
        sys.stdout.reconfigure(errors="backslashreplace")
    status = 0
    try:
        check_output(options)
        result: dict[str, Any] | None = options.run(options)
        if result is not None:
            if options.json:
                print(json.dumps(result, ensure_ascii=not _writes_all()))
            else:
                options.show(result)
            status = options.status(result)
    except WorkbenchError as error:
        _print_error(f"workbench: {error}")
        return USER_ERROR
    except BrokenPipeError:  # the reader of a pipe has closed it
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        return 130
    return status


def _writes_all() -> bool:
    """Return whether standard output has all letters."""
    return (sys.stdout.encoding or "").lower().startswith("utf")


def _print_error(message: str) -> None:
    """Print one line on standard error, even if a name in the message contains line breaks."""
    print(" ".join(message.splitlines()), file=sys.stderr)


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser; only a command among `arguments` has the 60 options of recipes."""
    parser = _Parser(prog="workbench", description="Compress a neural network and see the cost.")
    from workbench import __version__

    parser.add_argument("--version", action="version", version=f"workbench {__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in commands.COMMANDS:
        subparser = subparsers.add_parser(command.name, help=command.help, description=command.help)
        command.add_options(subparser)
        if command.show is not None:
            subparser.add_argument("--json", action="store_true", help="print one JSON object")
        if command.parts and command.name in arguments:
            add_parts(subparser, command.parts)
        subparser.set_defaults(run=command.run, show=command.show, status=command.status)
    return parser
