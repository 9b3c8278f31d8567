"""A progress bar on standard error, shown only in a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

WIDTH = 30


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a function that draws the bar, called with the amount completed and the total."""
    drawn = False

    def advance(completed: int, total: int) -> None:
        nonlocal drawn
        if sys.stderr.isatty() and total:
            full = WIDTH * completed // total
            line = f"\r{label} [{'█' * full}{'·' * (WIDTH - full)}] {completed:,} of {total:,}"
            print(line, end="", file=sys.stderr, flush=True)
            drawn = True

    try:
        yield advance
    finally:
        if drawn:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
