"""The side of `Process` that answers: one JSON object per line of standard input, one for each."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, TextIO

Answer = dict[str, Any]
Command = Callable[[Mapping[str, Any]], Answer]


def private_output() -> TextIO:
    """Return standard output; what a library prints goes to standard error from now on."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answers


def answer_requests(
    answers: TextIO,
    commands: Mapping[str, Command],
    errors: type[Exception],
    sentence: Callable[[Exception], str] = str,
) -> None:
    """Answer requests until standard input ends.

    Parameters
    ----------
    answers
        Where answers are written.
    commands
        What answers a request, by its ``command``.
    errors
        The exceptions that become an answer, ``{"error": sentence(exception)}``; any other one ends
        the process.
    """
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = commands[request["command"]](request)
        except errors as error:
            answer = {"error": sentence(error)}
        print(json.dumps(answer), file=answers, flush=True)
