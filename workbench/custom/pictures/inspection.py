"""What is found in a folder or an archive of pictures before training, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

SIZES = (28, 64, 96)
"""Sides in pixels that pictures are resized to."""

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class PictureChoices:
    """What a user chooses about pictures; the defaults follow from the pictures themselves.

    Attributes
    ----------
    size : int, optional
        One of `SIZES`: height and width in pixels of what the network receives. By default 28 for
        small pictures and 64 for photographs.
    level : int, optional
        Which folders name the classes: 1 for the outermost, 2 for those in them.
    leave_out : tuple of str
        Names of classes that are not used.
    leave_out_rare : bool
        Leave out classes that have too few pictures.
    """

    size: int | None = None
    level: int | None = None
    leave_out: tuple[str, ...] = ()
    leave_out_rare: bool = False


@dataclass(frozen=True)
class IgnoredFiles:
    """Files of one kind that are not used.

    Attributes
    ----------
    kind : str
        A stable identifier, such as "broken", "unlabeled", "mask", "HEIC" or "text".
    reason : str
        One sentence: why they are not used.
    count : int
        Number of files.
    examples : tuple of str
        The first three paths.
    """

    kind: str
    reason: str
    count: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Level:
    """Folders at one depth that may be the classes.

    Attributes
    ----------
    level : int
        1 for the outermost folders that differ, 2 for those in them.
    names : tuple of str
        Their distinct names, sorted.
    """

    level: int
    names: tuple[str, ...]


@dataclass(frozen=True)
class PictureInspection:
    """Pictures as they will be read.

    Attributes
    ----------
    files_read, pictures_used : int
        All files, and the pictures that remain for learning.
    classes : mapping
        The number of pictures of each class, by its name.
    splits : mapping
        The number of pictures of each class in each of `SPLITS`.
    given_splits : tuple of str
        The splits that the folders name; the others are random.
    rare : tuple of str
        Classes with too few pictures for three splits.
    level : int
        The level of the class folders among `levels`.
    levels : tuple of Level
        The levels that may be chosen.
    ignored : tuple of IgnoredFiles
        What is not used, by kind, the most files first.
    duplicates : int
        Pictures that are nearly the same as an earlier one.
    size : int
        Height and width in pixels of what the network receives.
    color : bool
        Whether any picture has color.
    largest : tuple of int
        Width and height in pixels of the largest picture.
    warnings : tuple of str
        Sentences about the pictures, the most important first.
    """

    files_read: int
    pictures_used: int
    classes: Mapping[str, int]
    splits: Mapping[str, Mapping[str, int]]
    given_splits: tuple[str, ...]
    rare: tuple[str, ...]
    level: int
    levels: tuple[Level, ...]
    ignored: tuple[IgnoredFiles, ...]
    duplicates: int
    size: int
    color: bool
    largest: tuple[int, int]
    warnings: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data for JSON."""
        return asdict(self)
