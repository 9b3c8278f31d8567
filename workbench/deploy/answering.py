"""The side of `Process` that answers: one JSON object per line of standard input, one for each."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any, TextIO

Answer = dict[str, Any]
Command = Callable[[Mapping[str, Any]], Answer]
LAST_SECONDS = 1.0
"""How long a request may take that is being answered when standard input ends."""


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
    """Answer requests until standard input ends, also if that is during a long request.

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
    for line in _requests():
        request = json.loads(line)
        try:
            answer = commands[request["command"]](request)
        except errors as error:
            answer = {"error": sentence(error)}
        print(json.dumps(answer), file=answers, flush=True)


def _requests() -> Iterator[str]:
    """Yield the lines of standard input, and end the process if it ends while one is answered.

    The caller has then ended without ending this process: nothing reads the answer.
    """
    lines, ended = SimpleQueue[str](), Event()

    def read() -> None:
        for line in sys.stdin:
            lines.put(line)
        lines.put("")
        if not ended.wait(LAST_SECONDS):
            os._exit(1)

    Thread(target=read, daemon=True).start()
    while line := lines.get():
        yield line
    ended.set()
