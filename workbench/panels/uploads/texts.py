"""The fixed texts of the upload panel and of the screens that follow it."""

from __future__ import annotations

import os
from typing import Any

from workbench import formatting
from workbench.custom.uploads import limits
from workbench.errors import WorkbenchError
from workbench.i18n import _
from workbench.panels.uploads.file import CHUNK_BYTES, KINDS

VARIABLE = "WORKBENCH_UPLOADS"
"""Environment variable that disables uploads in a kernel; values "on" and "off"."""


def allowed() -> bool:
    """Whether this kernel takes uploads."""
    return os.environ.get(VARIABLE, "on") == "on"


def check_allowed() -> None:
    """Check that this kernel takes uploads.

    Raises
    ------
    WorkbenchError
        If it does not.
    """
    if not allowed():
        raise WorkbenchError(_("Uploads are disabled on this server."), code="upload.disabled")


def describe() -> dict[str, Any] | None:
    """Return the texts of the upload panel, or None if uploads are disabled."""
    if not allowed():
        return None
    return {
        "button": _("your data"),
        "kinds": [
            {"label": _("a table"), "help": _table_help()},
            {"label": _("pictures"), "help": _pictures_help()},
            {"label": _("weights"), "help": _weights_help()},
        ],
        "privacy": _(
            "Your file goes only to the computer that runs Workbench, which reads it in memory and "
            "executes no code in it. It is deleted when you remove the model or close the page; in "
            "JupyterLab, when the kernel ends. Runs on Deploy and Parallel put examples into "
            "temporary files, which they remove. Results and trained files stay in the cache of "
            "that computer."
        ),
        "drop": _("drop a file here, or choose one"),
        "accept": ",".join(suffix for suffixes in KINDS.values() for suffix in suffixes),
        "chunk_bytes": CHUNK_BYTES,
        "sending": _("uploading {name}"),
        "check": _check_labels(),
        "learned": _learned_labels(),
    }


def _table_help() -> str:
    text = _("CSV or other text with columns; up to {size} and {rows} rows.")
    return text.format(
        size=formatting.size(limits.TABLE_BYTES), rows=formatting.count(limits.TABLE_ROWS)
    )


def _pictures_help() -> str:
    text = _(
        "a ZIP archive with a folder of pictures for each class; up to {size} and {count} pictures."
    )
    return text.format(
        size=formatting.size(limits.IMAGES_BYTES), count=formatting.count(limits.IMAGES)
    )


def _weights_help() -> str:
    text = _(
        "a .safetensors file: of a built-in model, compressed, or of any other network; up to "
        "{size}, and larger ones are checked."
    )
    return text.format(size=formatting.size(limits.WEIGHTS_BYTES))


def _check_labels() -> dict[str, str]:
    return {
        "title": _("Check your data"),
        "train": _("train"),
        "cancel": _("cancel"),
        "reading": _("reading"),
        "target": _("What should the model predict?"),
        "as": _("as"),
        "classes": _("classes"),
        "number": _("a number"),
        "first_line": _("The first line of the file holds"),
        "names": _("names of the columns"),
        "data": _("data"),
        "encoding": _("The text is encoded as"),
        "missing_values": _("Where a value is missing"),
        "impute": _("fill it in"),
        "leave_out": _("leave the row out"),
        "rare": _("leave out the rows of rare classes"),
        "rare_pictures": _("leave out rare classes"),
        "leave_out_column": _("leave “{name}” out"),
        "warnings": _("Please look at this"),
        "more_warnings": _("show {count} more"),
        "class_counts": _("rows of each class"),
        "columns": _("What it learns from"),
        "use": _("use"),
        "column": _("column"),
        "type": _("read as"),
        "missing": _("missing"),
        "unreadable": _("no number or date"),
        "note": _("notes"),
        "show": _("show"),
        "all": _("all"),
        "unused": _("not used"),
        "odd": _("no number or date"),
        "none": _("There are none."),
        "level": _("The classes are the folders"),
        "size": _("Resize the pictures to"),
        "ignored": _("Files that are not used"),
        "class": _("class"),
        "pictures": _("pictures"),
        "bits": _("Round the weights to"),
        "happens": _("What happens to the tensors"),
        "command": _("The same in a console"),
        "compress": _("compress and save"),
        "tensors": _("Tensors"),
        "tensor": _("tensor"),
        "tensor_type": _("dtype and shape"),
        "tensor_size": _("size"),
        "tensor_note": _("treatment"),
        "rounded": _("rounded"),
        "kept": _("unchanged"),
    }


def _learned_labels() -> dict[str, str]:
    return {
        "class": _("class"),
        "classes": _("class by class"),
        "examples": _("examples"),
        "recall": _("of them recognized"),
        "next": _("compress it"),
        "next_poor": _("compress it anyway"),
        "details": _("figures"),
        "close_model": _("remove"),
        "models": _("Your models"),
    }
