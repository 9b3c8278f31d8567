"""The models that commands take: by name, or what code of the user's own returns."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.artifact.foreign_files import missing
from workbench.errors import InputError, user_errors

if TYPE_CHECKING:
    from workbench.domain import Model

HELP = (
    "a model from `workbench list`, such as fashion/lenet5; or package.module:callable or "
    "file.py:callable of your own code, which returns a model such as that of wb.from_module"
)
SUFFIX = ".py"
MOST_NAMES = 5
"""The names that the error for an unknown one lists."""


def find(text: str) -> Model:
    """Return the model of a name, or the one that ``package.module:callable`` returns.

    Raises
    ------
    UnknownNameError
        If there is no such model.
    InputError
        If the code cannot be imported, fails, or returns no model.
    WorkbenchError
        If the model cannot be loaded.
    """
    from workbench.zoo import model, models
    from workbench.zoo.registry import advice_if_not_registered

    if not is_code(text) or text in models():
        if text.endswith(SUFFIX) and Path(text).exists():
            raise InputError(
                f"{text} is a file of code: name the callable in it that returns a model, as in "
                f"{text}:callable.",
                code="cli.no_callable",
            )
        with advice_if_not_registered("name the code that returns it, as in own.py:callable."):
            return model(text)
    from torch import nn

    from workbench.domain import Model

    result = call(text, "The model", returned=Model)
    if isinstance(result, Model):
        return result
    advice = "return wb.from_module(module, train=..., validation=..., test=...)"
    if not isinstance(result, nn.Module):
        advice = "return a model, such as that of wb.from_module, wb.from_table or wb.from_pictures"
    raise InputError(
        f"{text} returns {type(result).__name__}, which is not a model with data: {advice}.",
        code="cli.no_model",
    )


def add_model_of_file(parser: argparse.ArgumentParser) -> None:
    """Add the option for the code of the model that a file was made from."""
    parser.add_argument(
        "--model",
        metavar="CODE",
        help="for a file of your own model: file.py:callable or package.module:callable of the "
        "code that returns the model",
    )


@contextmanager
def model_of_file(options: argparse.Namespace) -> Iterator[None]:
    """Register the model of the option ``--model``, and keep it as long as it is needed.

    Raises
    ------
    NotRegisteredError
        If the file is of another custom model.
    InputError
        If the code cannot be imported, fails, or returns no model.
    """
    from workbench.zoo.registry import advice_if_not_registered

    model = None if options.model is None else find(options.model)
    with advice_if_not_registered(
        "name the code that returns it, as in --model own.py:callable."
        if model is None
        else f"--model {options.model} returns {model.name}.".replace("{", "{{").replace("}", "}}")
    ):
        yield


def is_code(text: str) -> bool:
    """Whether `text` has the form ``package.module:callable`` or ``file.py:callable``."""
    package, _, attribute = text.partition(":")
    names = attribute.split(".") + ([] if package.endswith(SUFFIX) else package.split("."))
    return all(name.isidentifier() for name in names) and not Path(text).exists()


def source(text: str) -> Path:
    """Return the file that `text` names: the code, or the model or data itself."""
    package, _, _ = text.partition(":")
    if not is_code(text):
        return Path(text)
    return Path(package if package.endswith(SUFFIX) else package.replace(".", "/") + SUFFIX)


def call(text: str, subject: str, *, returned: type) -> Any:
    """Return what the callable of `is_code` returns; also searches the current folder.

    What it prints goes to standard error, because the output of a command may be JSON.

    Parameters
    ----------
    text
        The name of a callable, or of an instance of `returned`.
    subject
        What it makes, as the begin of an error: "The model".
    returned
        The class of what is used as it is, and not called.

    Raises
    ------
    InputError
        If it cannot be imported, or fails.
    FileError
        If there is no such file.
    """
    package, _, attribute = text.partition(":")
    folder = Path.cwd()
    if package.endswith(SUFFIX):
        file = Path(package)
        if not file.exists():
            raise missing(file)
        from workbench.artifact.writing import check_regular

        check_regular(file)
        folder, package = file.parent.resolve(), file.stem
    sys.path.insert(0, str(folder))
    try:
        with (
            user_errors(f"{subject} {text!r} cannot be created: it fails"),
            redirect_stdout(sys.stderr),
        ):
            owner, value = text.partition(":")[0], import_module(package)
            for name in attribute.split("."):
                if not hasattr(value, name):
                    raise _unknown_name(subject, text, owner, value, name, returned)
                owner, value = _path(owner, name), getattr(value, name)
            return value if isinstance(value, returned) else value()  # type: ignore[operator]
    except SystemExit:
        raise InputError(
            f"{subject} {text!r} cannot be created: its code exits. Put the code of a script under "
            'if __name__ == "__main__".',
            code="cli.code_exits",
        ) from None
    finally:
        sys.path.remove(str(folder))
        # What it returns may import more when it runs; installed packages then come first.
        sys.path.append(str(folder))


def _unknown_name(
    subject: str, text: str, path: str, owner: object, name: str, returned: type
) -> InputError:
    """Return the error for a `name` that a module or class does not have, with some that it has."""
    defined_in = getattr(owner, "__name__", None)
    names = [
        key
        for key, value in getattr(owner, "__dict__", {}).items()
        if not key.startswith("_")
        and (
            isinstance(value, returned | staticmethod | classmethod)
            or (callable(value) and getattr(value, "__module__", None) == defined_in)
        )
    ]
    # what is most like the name comes first
    names = [*dict.fromkeys((*get_close_matches(name, names, MOST_NAMES), *names))][:MOST_NAMES]
    advice = f"write a function of that name that returns {subject.lower()}"
    if names:
        advice = f"name one that it has, as {_path(path, names[0])}"
        if len(names) > 1:
            advice += f" ({', '.join(names)})"
    return InputError(
        f"{subject} {text!r} cannot be created: {path} has no {name!r}; {advice}.",
        code="cli.unknown_callable",
    )


def _path(owner: str, name: str) -> str:
    return f"{owner}{'.' if ':' in owner else ':'}{name}"
