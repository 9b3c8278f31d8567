"""Errors that callers can cause. Each message is one sentence that says what to do."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from workbench.i18n import _

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


class WorkbenchError(Exception):
    """A request cannot be carried out.

    Parameters
    ----------
    message
        One sentence: what was wrong and what to do.
    code
        A stable identifier of the kind of fault, such as ``recipe.unknown_layer``. Wording may
        change between versions, a code does not.
    """

    default_code: ClassVar[str] = "workbench.error"

    def __init__(self, message: str = "", *, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code or self.default_code

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""  # a KeyError would quote it


class InputError(WorkbenchError, ValueError):
    """An argument, a module or data cannot be used."""

    default_code = "argument.invalid"


class RecipeError(WorkbenchError, ValueError):
    """A recipe is malformed or does not fit the model."""

    default_code = "recipe.invalid"


class ArtifactError(WorkbenchError, ValueError):
    """A file is damaged, foreign, or too large to open safely."""

    default_code = "artifact.invalid"


class FileError(WorkbenchError, OSError):
    """A file cannot be read or written."""

    default_code = "file.failed"


class MissingFileError(FileError, FileNotFoundError):
    """There is no file or folder of that name."""

    default_code = "file.missing"


class UnknownNameError(WorkbenchError, KeyError):
    """There is no task, model or layer of that name."""

    default_code = "name.unknown"


class Cancelled(WorkbenchError):
    """The work was cancelled."""

    default_code = "cancelled"


class TrainingError(WorkbenchError, RuntimeError):
    """Training cannot continue.

    `artifact` is the `Artifact` of the last good weights, or None before the first step.
    """

    default_code = "training.failed"
    artifact: Any = None


def missing_file(path: object, similar: Sequence[str] = ()) -> MissingFileError:
    """Return the error for a file or folder that does not exist.

    Parameters
    ----------
    similar
        Names that do exist and may be meant.
    """
    text = _("There is no file or folder {name}: check the path.")
    if similar:
        text = _("There is no file or folder {name}: did you mean {similar}?")
    error = MissingFileError(text.format(name=path, similar=", ".join(similar)))
    error.errno, error.strerror = errno.ENOENT, os.strerror(errno.ENOENT)
    return error


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else "no reason given"


def describe(error: BaseException) -> str:
    """Return an error's type and the first line of its message."""
    return f"{type(error).__name__}: {first_line(error)}"


@contextmanager
def user_errors(
    context: str,
    hint: Callable[[Exception], str] = lambda error: "",
    *,
    code: str = "module.failed",
) -> Iterator[None]:
    """Re-raise any exception of user code as one `InputError`.

    Parameters
    ----------
    context
        What failed, such as ``The module fails on the test data``.
    hint
        Returns what to append after the error's own message, or an empty string.
    code
        The code of the error.

    Raises
    ------
    InputError
        In place of any exception that is not a `WorkbenchError`.
    """
    try:
        yield
    except WorkbenchError:
        raise
    except Exception as error:
        raise InputError(f"{context} with {describe(error)}{hint(error)}", code=code) from error


@contextmanager
def file_errors(action: str, path: object, hint: str = "") -> Iterator[None]:
    """Re-raise any `OSError` as a `FileError` that names `path`.

    A missing file to read is the error of `missing_file`.

    Parameters
    ----------
    action
        ``read`` or ``write``; the code of the error is ``file.cannot_read`` or
        ``file.cannot_write``, or ``file.missing``.
    hint
        What to append to the message.

    Raises
    ------
    FileError
        In place of any `OSError` that is not a `WorkbenchError`.
    """
    try:
        yield
    except WorkbenchError:
        raise
    except OSError as error:
        if action == "read" and isinstance(error, FileNotFoundError):
            raise missing_file(path) from None
        message = f"Cannot {action} {path}: {error.strerror or error}.{hint}"
        readable = FileError(message, code=f"file.cannot_{action}")
        readable.errno, readable.strerror = error.errno, error.strerror
        raise readable from None
