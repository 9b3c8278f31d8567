"""Public functions: look at pictures, and train a small model on them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath

from workbench.arguments import expect_path, expect_running
from workbench.cancel import NEVER, CancelToken
from workbench.custom.model_name import check_model_name
from workbench.custom.pictures.inspection import PictureChoices, PictureInspection
from workbench.custom.pictures.reading import Source, read_pictures
from workbench.domain import Model

READING = 0.2
"""Share of the work that reading is, for the progress."""


def inspect_pictures(
    source: Source,
    *,
    size: int | None = None,
    level: int | None = None,
    leave_out: Iterable[str] = (),
    leave_out_rare: bool = False,
    cancel: CancelToken = NEVER,
) -> PictureInspection:
    """Return what a folder or a zip archive of pictures contains, without training.

    Parameters
    ----------
    source
        The path of a folder or an archive, or the content of an archive.
    size
        Height and width in pixels of what the network receives: 28, 64 or 96. By default 28 for
        small pictures and 64 for photographs.
    level
        Which folders name the classes: 1 for the outermost, 2 for those in them. By default the
        most plausible ones.
    leave_out
        Names of classes that are not used.
    leave_out_rare
        Leave out classes that have too few pictures.
    cancel
        Checked between two pictures; receives the progress.

    Raises
    ------
    InputError
        If the archive is unsafe, has no class folders, or more than a few damaged pictures.
    FileError
        If there is no such file or folder.
    Cancelled
        If `cancel` is cancelled.

    Examples
    --------
    >>> found = wb.inspect_pictures("photos.zip")  # doctest: +SKIP
    >>> found.classes  # doctest: +SKIP
    {'ants': 193, 'bees': 204}
    """
    _check(source, cancel)
    choices = PictureChoices(size, level, tuple(leave_out), leave_out_rare)
    return read_pictures(source, choices, cancel).inspection


def _check(source: object, cancel: object) -> None:
    """Raise `InputError` if pictures cannot be read from such an object."""
    expect_running(cancel)
    if not isinstance(source, bytes):
        expect_path(source, "source")


def from_pictures(
    source: Source,
    *,
    name: str | None = None,
    size: int | None = None,
    level: int | None = None,
    leave_out: Iterable[str] = (),
    leave_out_rare: bool = False,
    seconds: float | None = None,
    cancel: CancelToken = NEVER,
) -> Model:
    """Train a small network on the pictures of a folder or a zip archive, a folder for each class.

    Folders named train, val and test are used as splits; otherwise 15 % each are held out for
    validation and test. `inspect_pictures` shows what is used.

    Parameters
    ----------
    source
        The path of a folder or an archive, or the content of an archive.
    name
        The model is registered as ``custom/name``; by default the name of the source.
    size, level, leave_out, leave_out_rare
        As for `wb.inspect_pictures`.
    seconds
        The longest time to train; by default as long as the number of pictures needs. With it, the
        result depends on the speed of the machine. Only training counts, and a few short passes are
        made in any case. If the limit ends the training early, `Model.notes` says so.
    cancel
        Checked between two pictures and between two batches; receives the progress.

    Returns
    -------
    Model
        A registered model, which you can compress, inspect and download.

    Raises
    ------
    InputError
        If the pictures cannot be learned from.
    FileError
        If there is no such file or folder.
    Cancelled
        If `cancel` is cancelled.
    """
    _check(source, cancel)
    choices = PictureChoices(size, level, tuple(leave_out), leave_out_rare)
    model, _inspection = learn_pictures(source, choices, name, seconds, cancel)
    return model


def learn_pictures(
    source: Source,
    choices: PictureChoices,
    name: str | None = None,
    seconds: float | None = None,
    cancel: CancelToken = NEVER,
) -> tuple[Model, PictureInspection]:
    """Return a trained model, and what the pictures are; see `from_pictures`."""
    from workbench.custom.uploads.names import unique_name
    from workbench.custom.uploads.small_models import train_small_model
    from workbench.custom.uploads.time_limit import check_seconds

    stem = "pictures" if isinstance(source, bytes) else PurePath(source).stem
    name = name or unique_name(stem)
    check_model_name(name)
    check_seconds(seconds)
    pictures = read_pictures(source, choices, cancel.part(0, READING))
    pictures.check()
    model = train_small_model(name, pictures.data, cancel.part(READING, 1), seconds=seconds)
    return model, pictures.inspection
