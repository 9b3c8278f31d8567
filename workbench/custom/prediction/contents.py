"""What a file contains of the data that its model was made from, to be shown before a download."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench import formatting
from workbench.custom.prediction.description import Description
from workbench.i18n import _, plural


@dataclass(frozen=True)
class FileContents:
    """What a file contains of the data that its model was made from.

    Attributes
    ----------
    text : str
        One or two sentences about it.
    columns : tuple of str
        The names of the columns; empty for pictures.
    values : mapping
        The categories, words and classes by the name of their column; for pictures the classes
        under "class".
    """

    text: str
    columns: tuple[str, ...]
    values: Mapping[str, tuple[str, ...]]

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "text": self.text,
            "columns": list(self.columns),
            "values": {name: list(values) for name, values in self.values.items()},
        }


def contents_of(preprocessing: Mapping[str, Any] | None) -> FileContents | None:
    """Return what files with a description of their data contain of these data.

    Parameters
    ----------
    preprocessing
        As `Model.preprocessing` or `Artifact.preprocessing` returns it.

    Returns
    -------
    FileContents or None
        None without a description: such files contain weights only.

    Raises
    ------
    ArtifactError
        If the description is damaged.
    """
    if preprocessing is None:
        return None
    description = Description.from_dict(preprocessing)
    name = description.origin.name
    if description.kind == "images":
        values = {_("class"): description.classes}
        text = _(
            "The file contains the names of the classes and of {name}, so that it can predict from "
            "new pictures. It contains no picture."
        ).format(name=name)
        return FileContents(text, (), values)
    from workbench.custom.tables.preprocessing import Preprocessing

    columns, words = Preprocessing.from_dict(description.data).content()
    return FileContents(_about_table(name, columns, words), columns, words)


def _about_table(name: str, columns: tuple[str, ...], words: Mapping[str, tuple[str, ...]]) -> str:
    count = sum(map(len, words.values()))
    names = plural(
        "The file contains the name of {columns} column of {name}",
        "The file contains the names of {columns} columns of {name}",
        len(columns),
    ).format(columns=formatting.count(len(columns)), name=name)
    if not count:
        return _("{names}, so that it can predict from new rows. It contains no row.").format(
            names=names
        )
    sentence = plural(
        "{names} and {count} of their values, so that it can predict from new rows. It contains no "
        "row.",
        "{names} and {count} of their values (categories, words, classes), so that it can predict "
        "from new rows. It contains no row.",
        count,
    )
    return sentence.format(names=names, count=formatting.count(count))
