"""Reads a complete file by its kind."""

from __future__ import annotations

from workbench.panels.uploads.file import UploadedFile
from workbench.panels.uploads.step import Progress, Step
from workbench.panels.uploads.weights_step import WeightsStep


def read(file: UploadedFile, progress: Progress) -> Step:
    """Return the content of a file.

    Parameters
    ----------
    progress
        Receives the progress of reading.

    Raises
    ------
    WorkbenchError
        If it is not what its name says.
    """
    if file.kind == "table":
        from workbench.panels.uploads.table_step import TableStep

        return TableStep(file.name, file.stem, file.take(), file.cancel)
    if file.kind == "pictures":
        from workbench.panels.uploads.pictures_step import PicturesStep

        return PicturesStep(file.name, file.stem, file.take(), file.cancel, progress)
    return WeightsStep(file.stem, file.take())
