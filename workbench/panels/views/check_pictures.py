"""What the page shows of pictures before training: the inspection, in texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench import formatting
from workbench.custom.pictures.inspection import (
    SIZES,
    SPLITS,
    IgnoredFiles,
    PictureChoices,
    PictureInspection,
)
from workbench.i18n import _, mark as N_, plural

SPLIT_LABELS = {
    "train": N_("training"),
    "validation": N_("validation"),
    "test": N_("test"),
}
MAX_NAMES = 4
"""Class folders that are named in a choice."""


def check_pictures(
    file: str,
    inspection: PictureInspection,
    choices: PictureChoices,
    left_out: Mapping[str, int],
) -> dict[str, Any]:
    """Return the description of pictures for the page.

    Parameters
    ----------
    file
        The name of the archive.
    inspection
        What it holds with these `choices`.
    left_out
        The number of pictures of each class that the user leaves out.
    """
    rows = {**inspection.classes, **{name: left_out.get(name, 0) for name in choices.leave_out}}
    return {
        "file": file,
        "facts": _facts(inspection),
        "splits": [_(SPLIT_LABELS[split]) for split in SPLITS],
        "given_splits": _given(inspection),
        "classes": [_class(name, rows[name], inspection, choices) for name in sorted(rows)],
        "any_rare": bool(inspection.rare),
        "leave_out_rare": choices.leave_out_rare,
        "leave_out": list(choices.leave_out),
        "level": inspection.level,
        "levels": [
            {"value": level.level, "label": formatting.names(level.names, MAX_NAMES)}
            for level in inspection.levels
        ],
        "size": inspection.size,
        "sizes": [{"value": size, "label": _size(size)} for size in SIZES],
        "ignored": [_ignored(files) for files in inspection.ignored],
        "warnings": [{"text": text, "leave_out": None} for text in inspection.warnings],
        "used": _used(inspection),
    }


def _facts(inspection: PictureInspection) -> list[str]:
    files = plural("{count} file", "{count} files", inspection.files_read)
    classes = plural("{count} class", "{count} classes", len(inspection.classes))
    width, height = inspection.largest
    return [
        files.format(count=formatting.count(inspection.files_read)),
        classes.format(count=formatting.count(len(inspection.classes))),
        _("in color") if inspection.color else _("in gray"),
        _("the largest is {width} × {height} pixels").format(
            width=formatting.count(width), height=formatting.count(height)
        ),
    ]


def _given(inspection: PictureInspection) -> str:
    if not inspection.given_splits:
        return _("The pictures for training, validation and test are chosen at random.")
    names = ", ".join(_(SPLIT_LABELS[split]) for split in inspection.given_splits)
    return _("The folders say which pictures are for {names}.").format(names=names)


def _class(
    name: str, count: int, inspection: PictureInspection, choices: PictureChoices
) -> dict[str, Any]:
    used = name not in choices.leave_out
    by_split = [inspection.splits.get(split, {}).get(name, 0) for split in SPLITS]
    return {
        "name": name,
        "count": formatting.count(count) if count else "",
        "splits": [formatting.count(number) if used else "" for number in by_split],
        "used": used,
        "can_change": not used or len(inspection.classes) > 2,
    }


def _size(side: int) -> str:
    return _("{side} × {side} pixels").format(side=side)


def _ignored(files: IgnoredFiles) -> dict[str, str]:
    sentence = plural("{count} file", "{count} files", files.count)
    return {
        "count": sentence.format(count=formatting.count(files.count)),
        "reason": files.reason,
        "examples": ", ".join(files.examples),
    }


def _used(inspection: PictureInspection) -> str:
    sentence = plural(
        "Uses {count} picture.",
        "Uses {count} pictures.",
        inspection.pictures_used,
    )
    return sentence.format(count=formatting.count(inspection.pictures_used))
