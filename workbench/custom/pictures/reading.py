"""Read pictures from a folder or an archive: classes, splits and pixels."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from workbench.cancel import NEVER, CancelToken
from workbench.custom.origin import Origin
from workbench.custom.pictures import duplicates, report
from workbench.custom.pictures.copies import copies_of
from workbench.custom.pictures.files import Files
from workbench.custom.pictures.folders import Structure, structure_of
from workbench.custom.pictures.inspection import (
    SIZES,
    SPLITS,
    PictureChoices,
    PictureInspection,
)
from workbench.custom.pictures.listing import Listing, list_files
from workbench.custom.pictures.opening import open_files
from workbench.custom.pictures.pixels import Decoded, decode_all, default_size
from workbench.custom.pictures.preprocessing import PicturePreprocessing
from workbench.custom.pictures.splitting import given_splits, split_pictures
from workbench.custom.pictures.squares import background_of, fill, reorder
from workbench.custom.uploads.limits import MIN_PER_CLASS
from workbench.custom.uploads.splits import UploadedData, check_classes
from workbench.errors import InputError
from workbench.i18n import _

Source = str | os.PathLike[str] | bytes


@dataclass(frozen=True)
class Pictures:
    """Pictures in class folders, ready for training.

    Attributes
    ----------
    inspection : PictureInspection
        The result of reading: counts, classes, splits, and files that are not used.
    preprocessing : PicturePreprocessing
        How pictures become pixels.
    data : UploadedData
        The pixels, uint8 [pictures, size, size] or [pictures, size, size, 3], and the class
        indices, int64 [pictures], of each split.
    paths : mapping
        The paths of the pictures by the name of the split, in the order of `data`.
    """

    inspection: PictureInspection
    preprocessing: PicturePreprocessing
    data: UploadedData
    paths: Mapping[str, tuple[str, ...]]

    def check(self) -> None:
        """Check that every class and split has enough pictures to learn from.

        Raises
        ------
        InputError
            If a class or a split has too few pictures.
        """
        if self.inspection.rare:
            names = self.data.classes
            counts = [self.inspection.classes[name] for name in names]
            check_classes(names, np.repeat(np.arange(len(names)), counts))
        for split, (_images, labels) in self.data.parts.items():
            if not len(labels):
                raise InputError(
                    _(
                        "The folder for {split} has no images in class folders: add images there."
                    ).format(split=split),
                    code="upload.empty_split",
                )


def read_pictures(
    source: Source,
    choices: PictureChoices | None = None,
    cancel: CancelToken = NEVER,
    *,
    name: str = "",
) -> Pictures:
    """Return the pictures of a folder or a zip archive in which each class has a folder.

    Parameters
    ----------
    source
        The path of a folder or an archive, or the content of an archive.
    choices
        What the user chose, such as the size in pixels and the classes to leave out.
    cancel
        Checked before each picture; also receives the progress.
    name
        The name of the source. Files of a model that is trained on the pictures store it. By
        default it is the last part of the path.

    Raises
    ------
    InputError
        If the archive is unsafe, has no class folders, or has too many damaged pictures.
    FileError
        If there is no such file or folder.
    Cancelled
        If `cancel` is cancelled between two pictures.
    """
    choices = choices or PictureChoices()
    if choices.size is not None and choices.size not in SIZES:
        raise InputError(
            _("The size cannot be {size} pixels: choose one of {sizes}.").format(
                size=choices.size, sizes=", ".join(map(str, SIZES))
            ),
            code="argument.out_of_range",
        )
    with open_files(source) as files:
        listing = list_files(files, cancel)
        structure = structure_of(listing.pictures, choices.level)
        listing.ignore("unlabeled", structure.unlabeled)
        listing.ignore("copy", copies_of(files, structure, cancel))
        listing.ignore("chosen", _chosen(structure, listing, choices.leave_out))
        classes = sorted({structure.classes[path] for path in listing.pictures})
        report.check_structure(structure, classes, listing)
        size = choices.size or default_size(files, listing.pictures)
        report.check_count(len(listing.pictures), size)
        decoded = _decoded(files, listing, size, cancel)
        name = name or ("pictures" if isinstance(source, bytes) else PurePath(source).name)
        return _assembled(decoded, structure, listing, choices, len(files.paths), name)


def _chosen(structure: Structure, listing: Listing, names: tuple[str, ...]) -> list[PurePosixPath]:
    unknown = set(names) - set(structure.classes.values())
    if unknown:
        raise InputError(
            _("There is no class {name} to leave out.").format(name=min(unknown)),
            code="argument.unknown_class",
        )
    return [path for path in listing.pictures if structure.classes[path] in names]


def _decoded(files: Files, listing: Listing, size: int, cancel: CancelToken) -> Decoded:
    """Decode the pictures. Damaged ones are left out; too many of them are an error."""
    decoded = decode_all(files, listing.pictures, size, cancel)
    failed = [path for paths in decoded.failed.values() for path in paths]
    failed += listing.ignored.get("broken", [])
    report.check_broken(failed, len(decoded.paths) + len(failed))
    for kind, paths in decoded.failed.items():
        listing.ignore(kind, paths)
    report.check_count(len(decoded.paths), size)
    return decoded


def _assembled(
    decoded: Decoded,
    structure: Structure,
    listing: Listing,
    choices: PictureChoices,
    files_read: int,
    name: str,
) -> Pictures:
    """Divide the decoded pictures into splits, and return them in the order of the splits."""
    names = [structure.classes[path] for path in decoded.paths]
    given = given_splits([structure.splits.get(path) for path in decoded.paths])
    rare = _rare(names, [structure.splits.get(path) for path in decoded.paths], given)
    used = np.ones(len(names), bool)
    if choices.leave_out_rare:
        used = ~np.isin(names, rare)
        listing.ignore("rare", [p for p, keep in zip(decoded.paths, used, strict=True) if not keep])
        rare = ()
    rows = np.flatnonzero(used)
    classes = tuple(sorted({names[row] for row in rows}))
    labels = np.array([classes.index(names[row]) for row in rows], np.int64)
    folders = [structure.splits.get(decoded.paths[row]) for row in rows]
    groups = duplicates.groups_of(decoded.thumbnails[rows], [decoded.digests[row] for row in rows])
    splits = split_pictures(labels, folders, groups)
    order = rows[np.concatenate([splits[name] for name in SPLITS])]
    training = rows[splits["train"]]
    preprocessing = PicturePreprocessing(
        decoded.pixels.shape[1],
        decoded.color,
        background_of(decoded.pixels, decoded.shapes, training),
        *decoded.levels,
    )
    fill(decoded.pixels, decoded.shapes, preprocessing.background)
    pixels = reorder(decoded.pixels, order)
    pixels = pixels if decoded.color else pixels[..., 0].copy()
    ends = np.cumsum([len(splits[name]) for name in SPLITS])[:-1]
    parts = {
        name: (part, labels[splits[name]])
        for name, part in zip(SPLITS, np.split(pixels, ends), strict=True)
    }
    inspection = PictureInspection(
        files_read=files_read,
        pictures_used=len(rows),
        classes=_counts(classes, labels),
        splits={name: _counts(classes, part[1]) for name, part in parts.items()},
        given_splits=given,
        rare=rare,
        level=structure.level,
        levels=structure.levels,
        ignored=listing.summary(),
        duplicates=int((groups != np.arange(len(groups))).sum()),
        size=preprocessing.size,
        color=preprocessing.color,
        largest=decoded.largest,
        warnings=report.warnings_of(
            structure, listing, given, splits, labels, groups, decoded.pages
        ),
    )
    paths = {name: tuple(str(decoded.paths[row]) for row in rows[splits[name]]) for name in SPLITS}
    examples = (
        f"{split} {classes[label]} ".encode() + decoded.digests[row]
        for split, indices in splits.items()
        for row, label in zip(rows[indices], labels[indices], strict=True)
    )
    data = UploadedData(
        parts,
        classes,
        "image",
        inspection.warnings,
        origin=Origin.of(name, examples, {"size": preprocessing.size}),
        preprocessing=preprocessing.as_dict(),
    )
    return Pictures(inspection, preprocessing, data, paths)


def _rare(names: list[str], splits: list[str | None], given: tuple[str, ...]) -> tuple[str, ...]:
    """Return the classes that have too few pictures for one in each split without a folder."""
    least = MIN_PER_CLASS - len([name for name in given if name != "train"])
    counts = dict.fromkeys(names, 0)
    for name, split in zip(names, splits, strict=True):
        counts[name] += not given or split == "train"
    return tuple(sorted(name for name, count in counts.items() if count < least))


def _counts(classes: tuple[str, ...], labels: NDArray[np.int64]) -> dict[str, int]:
    counts = np.bincount(labels, minlength=len(classes))
    return {name: int(count) for name, count in zip(classes, counts, strict=True)}
