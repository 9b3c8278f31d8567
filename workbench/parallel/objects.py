"""Objects that this process sends to its own ranks, in a private folder.

No file of a user is read as a pickle: the sending process writes the file, and the receiving one
checks it against a digest that comes through the pipe between the two.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.errors import InputError, describe

REMOVE = "remove what it refers to"


def write_object(value: object, path: Path, subject: str, advice: str = REMOVE) -> dict[str, str]:
    """Write `value` to `path` and return how a rank finds it.

    Classes and functions of a notebook or script are written by value.

    Parameters
    ----------
    subject, advice
        Name the object in an error, and what to do.

    Raises
    ------
    InputError
        If it refers to something that lives in this process only, such as a lock or an open file.
    """
    from workbench.parallel.pickler import dumps  # ranks do not need its memory

    try:
        content = dumps(value)
    except Exception as error:
        raise InputError(
            f"{subject} cannot be sent to other processes: {describe(error)}; {advice}.",
            code="parallel.not_sendable",
        ) from error
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    return {"object": path.name, "sha256": digest, "subject": subject, "advice": advice}


def read_object(description: Mapping[str, str], folder: Path) -> Any:
    """Return an object that `write_object` wrote into `folder`.

    Raises
    ------
    InputError
        If the file is not the one that was written, or needs a package that cannot be imported.
    """
    content = (folder / description["object"]).read_bytes()
    if hashlib.sha256(content).hexdigest() != description["sha256"]:
        raise InputError(
            f"{description['object']} differs from the file that was written; start the run again.",
            code="parallel.job_changed",
        )
    try:
        return pickle.loads(content)  # noqa: S301 - the digest shows that our own caller wrote it
    except Exception as error:
        subject, advice = description["subject"], description["advice"]
        raise InputError(
            f"{subject} cannot be created in other processes: {describe(error)}; {advice}.",
            code="parallel.not_sendable",
        ) from error
