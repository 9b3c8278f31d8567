"""Sentences about the pictures of a source, and errors where they cannot be learned from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from workbench import formatting
from workbench.custom.pictures.folders import Structure
from workbench.custom.pictures.listing import EXAMPLES, Listing
from workbench.custom.pictures.names import are_splits
from workbench.custom.uploads.limits import IMAGES, MAX_BROKEN, MAX_CLASSES, MIN_IMAGES, PIXEL_BYTES
from workbench.custom.uploads.splits import HELD_OUT, quoted
from workbench.errors import InputError
from workbench.i18n import _, mark as N_, plural

Rows = NDArray[np.int64]

FOREIGN = frozenset(
    {"broken", "HEIC", "raw", "video", "document", "DICOM", "other format", "array", "archive"}
)
"""Kinds of files that hold pictures which are not read."""
OTHER_DATA = (
    (
        (".safetensors", ".gguf", ".pt", ".pth", ".bin"),
        N_("This archive holds weights: unpack it, and upload the .safetensors file in it."),
    ),
    (
        (".csv", ".tsv", ".arff", ".data"),
        N_("This archive holds a table: unpack it, and upload {name}."),
    ),
    (
        (".xlsx", ".xls", ".parquet"),
        N_("This archive holds {name}: unpack it, save that as CSV, and upload the CSV file."),
    ),
)
"""What to do with archives of other data, by the ends of the names in them."""
SILENT = frozenset({"hidden", "text", "unlabeled", "chosen"})
"""Kinds of files that no warning names, or another one."""


def warnings_of(
    structure: Structure,
    listing: Listing,
    given: tuple[str, ...],
    splits: Mapping[str, Rows],
    labels: NDArray[np.int64],
    duplicates: NDArray[np.int64],
    pages: int,
) -> tuple[str, ...]:
    """Return one sentence for each thing that a user should know, the most important first."""
    return (
        *_about_duplicates(given, splits, labels, duplicates),
        *_about_unlabeled(listing.ignored.get("unlabeled", [])),
        *_about_merged(structure),
        *_about_ignored(listing),
        *_about_pages(pages),
        *_about_spellings(structure),
        *_about_levels(structure),
        *_about_splits(given),
    )


def _about_duplicates(
    given: tuple[str, ...],
    splits: Mapping[str, Rows],
    labels: NDArray[np.int64],
    duplicates: NDArray[np.int64],
) -> Iterable[str]:
    training = set(duplicates[splits["train"]].tolist())
    held_out = np.concatenate([splits[name] for name in HELD_OUT])
    repeated = sum(group in training for group in duplicates[held_out].tolist())
    if repeated:
        text = plural(
            "{count} picture outside the training split is nearly the same as one in it: the "
            "accuracy will be too good.",
            "{count} pictures outside the training split are nearly the same as some in it: the "
            "accuracy will be too good.",
            repeated,
        )
        yield text.format(count=formatting.count(repeated))
    contradicting = int((labels != labels[duplicates]).sum())
    if contradicting:
        text = plural(
            "{count} picture is nearly the same as one of another class.",
            "{count} pictures are nearly the same as some of another class.",
            contradicting,
        )
        yield text.format(count=formatting.count(contradicting))
    inside = int((duplicates != np.arange(len(duplicates))).sum()) - repeated
    if inside > 0 and not given:
        text = plural(
            "{count} picture is nearly the same as another one: both are in the same split.",
            "{count} pictures are nearly the same as others: these are in the same split.",
            inside,
        )
        yield text.format(count=formatting.count(inside))


def _about_unlabeled(paths: Sequence[PurePosixPath]) -> Iterable[str]:
    folders = Counter(path.parent for path in paths)
    outside = folders.pop(PurePosixPath("."), 0)
    for folder, count in folders.most_common(EXAMPLES):
        text = plural(
            "{folder} holds {count} image of no class: left out.",
            "{folder} holds {count} images of no class: left out.",
            count,
        )
        yield text.format(folder=quoted(str(folder)), count=formatting.count(count))
    rest = outside + sum(count for _, count in folders.most_common()[EXAMPLES:])
    if rest:
        text = plural(
            "{count} image outside class folders is left out.",
            "{count} images outside class folders are left out.",
            rest,
        )
        yield text.format(count=formatting.count(rest))


def _about_merged(structure: Structure) -> Iterable[str]:
    for merged in structure.merged:
        yield _(
            "{folder} repeats the folders {names} next to it: they are merged, and files of the "
            "same content count once."
        ).format(folder=quoted(merged.folder), names=_named(merged.names))


def _about_ignored(listing: Listing) -> Iterable[str]:
    for files in listing.summary():
        if files.kind in SILENT:
            continue
        text = plural(
            "{count} file left out: {reason}", "{count} files left out: {reason}", files.count
        )
        yield f"{text.format(count=formatting.count(files.count), reason=files.reason)} " + _(
            "Such as {names}."
        ).format(names=", ".join(map(quoted, files.examples)))


def _about_pages(pages: int) -> Iterable[str]:
    if pages:
        text = plural(
            "{count} file has several pages or frames: the first one is used.",
            "{count} files have several pages or frames: the first ones are used.",
            pages,
        )
        yield text.format(count=formatting.count(pages))


def _about_spellings(structure: Structure) -> Iterable[str]:
    for first, *others in structure.spellings[:EXAMPLES]:
        yield _("The folders {names} are read as the class {name}.").format(
            names=", ".join(map(quoted, (first, *others))), name=quoted(first)
        )


def _about_levels(structure: Structure) -> Iterable[str]:
    """Say which folders name the classes, and which others may."""
    for other in structure.levels:
        is_deeper = other.level > structure.level
        if other.level == structure.level or (is_deeper and are_splits(other.names)):
            continue
        text = (
            _(
                "The folders {classes} name the classes; the folders {names} in them are joined. "
                "If the latter are the classes, choose level {level}."
            )
            if is_deeper
            else _(
                "The folders {classes} name the classes; the folders {names} around them are "
                "joined. If the latter are the classes, choose level {level}."
            )
        )
        classes = sorted(set(structure.classes.values()))
        yield text.format(classes=_named(classes), names=_named(other.names), level=other.level)


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(map(quoted, names[:EXAMPLES]))
    return shown if len(names) <= EXAMPLES else f"{shown}, …"


def _about_splits(given: tuple[str, ...]) -> Iterable[str]:
    if not given:
        return
    labels = {"validation": _("validation"), "test": _("test")}
    for name, share in HELD_OUT.items():
        if name not in given:
            yield _(
                "There is no folder for {split}: {share} of the training pictures are used for it."
            ).format(split=labels[name], share=formatting.percent(share, 0))


# --- refusals ----------------------------------------------------------------------------


def check_structure(structure: Structure, classes: Sequence[str], listing: Listing) -> None:
    """Check that the number of class folders is allowed.

    Parameters
    ----------
    structure
        What the folders say.
    classes
        The classes that are used.
    listing
        The files by kind; if all are of one that is not read, the error says so.

    Raises
    ------
    InputError
        If there are too few or too many.
    """
    if not structure.classes:
        _check_no_other_data(listing)
        foreign = [files for files in listing.summary() if files.kind in FOREIGN]
        if foreign and not listing.ignored.get("unlabeled"):
            raise InputError(foreign[0].reason, code="upload.unsupported_images")
        raise InputError(
            _(
                "There are no images in class folders: put the images of each class into a folder "
                "named after it."
            ),
            code="upload.no_class_folders",
        )
    if len(classes) == 1:
        raise InputError(
            _("All images are in one folder, {name}: at least two classes are needed.").format(
                name=quoted(classes[0])
            ),
            code="upload.one_class",
        )
    if len(classes) > MAX_CLASSES:
        raise InputError(
            _("There are {count} class folders: keep {most} or fewer.").format(
                count=formatting.count(len(classes)), most=MAX_CLASSES
            ),
            code="upload.too_many_classes",
        )


def _check_no_other_data(listing: Listing) -> None:
    """Raise `InputError` if files without pictures are weights, or a table."""
    paths = [path for paths in listing.ignored.values() for path in paths]
    if listing.ignored.keys() & (FOREIGN - {"archive"}) or "unlabeled" in listing.ignored:
        return
    for suffixes, sentence in OTHER_DATA:
        inside = [path for path in paths if path.suffix.lower() in suffixes]
        if inside:
            raise InputError(
                _(sentence).format(name=quoted(inside[0].name)), code="upload.unsupported_images"
            )


def check_count(count: int, size: int) -> None:
    """Check that pictures of a size are enough, and fit into memory.

    Raises
    ------
    InputError
        If they are too few or too many.
    """
    if count < MIN_IMAGES:
        raise InputError(
            plural(
                "There is {count} image in class folders: at least {least} are needed.",
                "There are {count} images in class folders: at least {least} are needed.",
                count,
            ).format(count=count, least=MIN_IMAGES),
            code="upload.too_few_examples",
        )
    most = min(IMAGES, PIXEL_BYTES // (3 * size**2))
    if count > most:
        raise InputError(
            _(
                "There are {count} images, at most {most} fit at {size} pixels: keep fewer, or "
                "choose a smaller size."
            ).format(count=formatting.count(count), most=formatting.count(most), size=size),
            code="upload.too_many_files",
        )


def check_broken(failed: Iterable[PurePosixPath], total: int) -> None:
    """Check that only a small share of the pictures is damaged or too large.

    Raises
    ------
    InputError
        If it is more than `MAX_BROKEN`.
    """
    paths = sorted(failed)
    if len(paths) > MAX_BROKEN * total:
        raise InputError(
            _(
                "{count} of {total} images cannot be read or are too large, such as {names}: save "
                "them again, or leave them out."
            ).format(
                count=formatting.count(len(paths)),
                total=formatting.count(total),
                names=", ".join(quoted(str(path)) for path in paths[:EXAMPLES]),
            ),
            code="upload.unreadable_image",
        )
