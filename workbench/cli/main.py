"""`workbench`: the console command and its verbs."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from workbench.cli import commands
from workbench.errors import WorkbenchError
from workbench.threads import set_passive_waiting

USER_ERROR = 2


class _Parser(argparse.ArgumentParser):
    """Says what was wrong in one line."""

    def error(self, message: str) -> NoReturn:
        _say(f"{self.prog}: {message}")
        raise SystemExit(USER_ERROR)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0, or 2 with one line on standard error."""
    options = _parser().parse_args(arguments)
    set_passive_waiting()
    try:
        result: dict[str, Any] | None = options.run(options)
        if result is not None:
            if options.json:
                print(json.dumps(result, ensure_ascii=False))
            else:
                options.show(result)
    except WorkbenchError as error:
        _say(f"workbench: {error}")
        return USER_ERROR
    except BrokenPipeError:  # the reader of a pipe has gone: nothing is left to say
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        return 130
    return 0


def _say(complaint: str) -> None:
    """Print one line on standard error, whatever names a person gave."""
    print(" ".join(complaint.splitlines()), file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="workbench", description="Make a neural network smaller; see the cost.")
    from workbench import __version__

    parser.add_argument("--version", action="version", version=f"workbench {__version__}")
    verbs = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in commands.COMMANDS:
        verb = verbs.add_parser(command.name, help=command.help, description=command.help)
        command.options(verb)
        verb.add_argument("--json", action="store_true", help="print one JSON object")
        verb.set_defaults(run=command.run, show=command.show)
    return parser
