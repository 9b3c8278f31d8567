"""The errors a person can cause; each message is one sentence that says what to do."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class WorkbenchError(Exception):
    """Something asked for cannot be done; the message says what was wrong and what to do."""


class RecipeError(WorkbenchError):
    """A recipe is malformed or does not fit the model."""


class ArtifactError(WorkbenchError):
    """A file is missing, damaged, foreign, or too large to open safely."""


class UnknownNameError(WorkbenchError):
    """A task or model was asked for that does not exist."""


class Cancelled(WorkbenchError):
    """Work was given up because nobody waits for it any more."""


class TrainingError(WorkbenchError):
    """Training cannot go on.

    `artifact` is the `Artifact` of the last good weights, where there are any after the first step.
    """

    artifact: Any = None


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says."""
    said = str(error).strip().splitlines()
    return said[0] if said else "no reason given"


def told(error: BaseException) -> str:
    """Return an error's type and the first line of what it says, to end a sentence with."""
    return f"{type(error).__name__}: {first_line(error)}"


@contextmanager
def in_words(what: str, remedy: Callable[[Exception], str] = lambda error: "") -> Iterator[None]:
    """Say in one sentence what a person's own module, data or function raises inside.

    Parameters
    ----------
    what
        What fails, such as ``The module fails on the test data``.
    remedy
        Returns what follows the error's own words, if anything can be advised.

    Raises
    ------
    WorkbenchError
        In place of any other exception, with its type and the first line of what it says.
    """
    try:
        yield
    except WorkbenchError:
        raise
    except Exception as error:
        raise WorkbenchError(f"{what} with {told(error)}{remedy(error)}") from error
