"""Reads a complete file by its kind."""

from __future__ import annotations

from workbench.errors import ArtifactError, InputError
from workbench.i18n import _
from workbench.panels.uploads.file import UploadedFile
from workbench.panels.uploads.step import Progress, Step
from workbench.panels.uploads.weights_step import WeightsStep

FOREIGN = ("file.pickle", "file.gguf", "file.other_format", "file.pointer", "file.web_page")
"""The errors about files of other programs, which say what to do."""


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
    return _weights(file)


def _weights(file: UploadedFile) -> Step:
    """Return weights of a built-in model, a compressed file, or a checkpoint of any network."""
    from workbench.custom.uploads import weights
    from workbench.panels.uploads.checkpoint_step import CheckpointStep
    from workbench.streaming.in_memory import InMemorySource

    content = file.take()
    if weights.is_workbench_file(content):
        return WeightsStep(file.stem, content)
    try:
        source = InMemorySource.of(file.name, content, file.size)
    except ArtifactError as error:
        if error.code in FOREIGN:
            raise
        raise InputError(_(weights.NOT_SAFETENSORS), code="upload.not_safetensors") from None
    shapes = {name: list(tensor.shape) for name, tensor in source.meta_tensors.items()}
    if not shapes or weights.builtin_of(shapes) is not None:
        return WeightsStep(file.stem, content)
    return CheckpointStep(source, weights.mismatch(shapes))
