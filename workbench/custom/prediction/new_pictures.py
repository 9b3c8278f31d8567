"""New pictures, from a folder, an archive or single files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench import formatting
from workbench.cancel import NEVER, CancelToken
from workbench.custom.pictures.files import TooLongError, UnreadableError
from workbench.custom.pictures.kinds import HEAD_BYTES, PICTURE, kind_of
from workbench.custom.pictures.opening import open_files
from workbench.custom.pictures.preprocessing import PicturePreprocessing
from workbench.custom.prediction.examples import NewExamples
from workbench.custom.tables.parse import category_key
from workbench.custom.uploads.limits import IMAGES, PICTURE_BYTES, PIXEL_BYTES
from workbench.custom.uploads.splits import quoted
from workbench.domain import TargetScale
from workbench.errors import InputError, file_errors
from workbench.i18n import _, plural

MAX_NAMED = 3
"""Files that a sentence names."""


def new_pictures(
    source: Any, data: Mapping[str, Any], classes: Sequence[str], cancel: CancelToken = NEVER
) -> NewExamples:
    """Return new pictures as the inputs of a network.

    Parameters
    ----------
    source
        The path of a folder, of a zip archive or of a picture, the content of an archive, or a list
        of paths of pictures. Damaged pictures are left out.
    data
        What `PicturePreprocessing.as_dict` returned.
    classes
        The names of the classes: a picture in a folder of that name is labeled with it.
    cancel
        Checked between two pictures; receives the progress.

    Raises
    ------
    InputError
        If there is no picture, or there are too many.
    FileError
        If there is no such file or folder.
    ArtifactError
        If `data` are damaged.
    """
    preprocessing = PicturePreprocessing.from_dict(data)
    most = min(IMAGES, PIXEL_BYTES // (3 * preprocessing.size**2))
    pixels: list[NDArray[np.uint8]] = []
    names: list[str] = []
    damaged: list[str] = []
    for name, content in _contents(source, cancel):
        if len(names) == most:
            raise InputError(
                _("These are too many pictures at once: use at most {count}.").format(
                    count=formatting.count(most)
                ),
                code="predict.too_many_pictures",
            )
        try:
            pixels.append(preprocessing.transform([content or b""])[0])
        except InputError:
            damaged.append(name)
        else:
            names.append(name)
    if not names:
        raise InputError(
            _("There is no picture to predict: choose a folder, a zip archive or a picture."),
            code="predict.no_pictures",
        )
    keys = {category_key(name): index for index, name in enumerate(classes)}
    labels = np.array([_label(name, keys) for name in names], np.int64)
    return NewExamples(
        np.stack(pixels),
        {_("file"): names},
        names,
        TargetScale(_("class")),
        labels if (labels >= 0).any() else None,
        (*_notes(damaged), *_about_unlabeled(names, labels)),
    )


def _contents(source: Any, cancel: CancelToken) -> Iterator[tuple[str, bytes | None]]:
    """Yield the name and the content of each picture; None if it cannot be read."""
    if isinstance(source, list | tuple):
        for path in source:
            yield from _contents(path, cancel)
    elif isinstance(source, str | os.PathLike) and _is_picture(Path(source)):
        cancel.check()
        with file_errors("read", source):
            content = Path(source).read_bytes()
        yield Path(source).name, content if len(content) <= PICTURE_BYTES else None
    elif isinstance(source, str | os.PathLike | bytes):
        if _is_other_file(source):
            raise _not_pictures()
        with open_files(source) as files:
            for number, path in enumerate(files.paths):
                cancel.check()
                kind = kind_of(path, files.head(path, HEAD_BYTES))
                if kind in (PICTURE, "broken"):
                    try:
                        yield str(path), files.content(path)
                    except (TooLongError, UnreadableError):
                        yield str(path), None
                cancel.progress((number + 1) / len(files.paths))
    else:
        raise _not_pictures()


def _not_pictures() -> InputError:
    return InputError(
        _(
            "The model predicts from pictures: choose a folder, a zip archive, a picture or a list "
            "of paths."
        ),
        code="predict.invalid_pictures",
    )


def _is_other_file(source: str | os.PathLike[str] | bytes) -> bool:
    """Whether a source is a file that neither is nor claims to be a zip archive."""
    if isinstance(source, bytes):
        return not source.startswith(b"PK")
    path = Path(source)
    if path.suffix.lower() == ".zip" or not path.is_file():
        return False
    with file_errors("read", path), path.open("rb") as file:
        return file.read(2) != b"PK"


def _is_picture(path: Path) -> bool:
    """Whether a path is that of a single picture."""
    if not path.is_file():
        return False
    with file_errors("read", path), path.open("rb") as file:
        return kind_of(PurePosixPath(path.name), file.read(HEAD_BYTES)) == PICTURE


def _label(name: str, keys: Mapping[str, int]) -> int:
    """Return the class that the innermost folder of its name says, else −1."""
    for part in reversed(PurePosixPath(name).parts[:-1]):
        if (key := category_key(part)) in keys:
            return keys[key]
    return -1


def _about_unlabeled(names: Sequence[str], labels: NDArray[np.int64]) -> Iterator[str]:
    """Yield a sentence about pictures without a class, if others have one."""
    rows = np.flatnonzero(labels < 0)
    if 0 < len(rows) < len(labels):
        sentence = plural(
            "{count} picture is in no folder of a class and is not evaluated: {name}.",
            "{count} pictures are in no folder of a class and are not evaluated, such as {name}.",
            len(rows),
        )
        yield sentence.format(count=formatting.count(len(rows)), name=quoted(names[rows[0]]))


def _notes(damaged: Sequence[str]) -> tuple[str, ...]:
    if not damaged:
        return ()
    sentence = plural(
        "{count} file is left out, because it is not a complete picture: {names}.",
        "{count} files are left out, because they are not complete pictures, such as {names}.",
        len(damaged),
    )
    names = ", ".join(map(quoted, damaged[:MAX_NAMED]))
    return (sentence.format(count=formatting.count(len(damaged)), names=names),)
