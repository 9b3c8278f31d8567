"""Predict from raw data with a file alone."""

from __future__ import annotations

from os import PathLike
from typing import Any

import numpy as np

from workbench.arguments import expect_running
from workbench.artifact.artifact import Artifact, load
from workbench.cancel import NEVER, CancelToken
from workbench.custom.prediction.description import Description
from workbench.custom.prediction.examples import NewExamples
from workbench.custom.prediction.file_model import file_model
from workbench.custom.prediction.predictions import Predictions
from workbench.custom.prediction.run import predict_classes, predict_numbers
from workbench.domain import Model
from workbench.errors import ArtifactError, InputError
from workbench.i18n import _
from workbench.recipe import Recipe
from workbench.recipe.schema import brief
from workbench.training.compress import compress


def predict(
    file: Artifact | Model | str | PathLike[str],
    rows: Any,
    *,
    encoding: str | None = None,
    cancel: CancelToken = NEVER,
) -> Predictions:
    """Return what the file of a model of your own data predicts for new rows, pictures or texts.

    The file alone is enough: it says how to read the data and how to build its network. The
    predictions are those that its accuracy was measured with.

    Parameters
    ----------
    file
        The path of a file or an artifact, of a model that was trained on a table, on pictures or
        on texts; or such a model, which is not compressed.
    rows
        For a table: a path, the bytes of a file, a pandas DataFrame, a mapping from names to
        columns, or a list of dicts. The order of columns is free, and further columns are ignored.
        Values that are missing, unknown or not understood count as unknown, which the notes say.
        For texts also a list of texts. For pictures: a folder, a zip archive, a picture, or a list
        of paths.
    encoding
        The encoding of a table in a file, such as "cp1252"; by default it is found, whatever the
        file that the model was trained on has.
    cancel
        Checked while reading and between two batches; receives the progress.

    Raises
    ------
    FileError
        If a file cannot be read.
    ArtifactError
        If the file does not describe its data and its network, or is damaged.
    InputError
        If the rows cannot be read, or have no column that the model knows.
    Cancelled
        If `cancel` is cancelled.

    Examples
    --------
    >>> import workbench as wb
    >>> table = {"size": [30, 45, 80, 95] * 20, "large": ["no", "no", "yes", "yes"] * 20}
    >>> model = wb.from_table(table, target="large", name="sizes")
    >>> file = wb.compress(model, wb.Recipe(quantize=wb.Quantize(8)))
    >>> wb.predict(file, [{"size": 90}, {"size": 35}]).predicted
    ['yes', 'no']
    """
    expect_running(cancel)
    artifact = artifact_of(file)
    model = file_model(artifact)
    assert artifact.preprocessing is not None  # file_model checks it
    description = Description.from_dict(artifact.preprocessing)
    new = new_examples(description, rows, cancel.part(0.0, 0.5), encoding)
    return _predictions(model, artifact, new, cancel.part(0.5, 1.0))


def new_examples(
    description: Description, rows: Any, cancel: CancelToken, encoding: str | None = None
) -> NewExamples:
    """Return new rows or pictures as the inputs of the network that `description` describes.

    Raises
    ------
    InputError, FileError, ArtifactError, Cancelled
        As in `predict`.
    """
    if description.kind == "images":
        if encoding is not None:
            raise InputError(
                _("An encoding is for tables: omit it for pictures."),
                code="predict.encoding_of_pictures",
            )
        from workbench.custom.prediction.new_pictures import new_pictures

        return new_pictures(rows, description.data, description.classes, cancel)
    from workbench.custom.prediction.table_rows import table_rows

    width = description.network[0][1]
    return table_rows(rows, description.data, description.classes, width, cancel, encoding)


def artifact_of(file: Any) -> Artifact:
    """Return the artifact of a path, of a model that is not compressed, or itself."""
    if isinstance(file, str | PathLike):
        return load(file)
    if isinstance(file, Model):
        return compress(file, Recipe())
    if isinstance(file, Artifact):
        return file
    raise ArtifactError(
        f"Pass a path, an artifact, as wb.load(path) returns it, or a model, not {brief(file)}.",
        code="argument.not_an_artifact",
    )


def _predictions(
    model: Model, artifact: Artifact, new: NewExamples, cancel: CancelToken
) -> Predictions:
    classes, labels, target = model.task.classes, new.labels, new.target
    if classes:
        values, probabilities = predict_classes(model, artifact, new.examples, cancel)
    else:
        values = target.in_unit(predict_numbers(model, artifact, new.examples, cancel))
        labels = None if labels is None else target.in_unit(labels)
        probabilities = np.zeros((len(values), 0))
    return Predictions(
        model.name,
        target.name,
        classes,
        values,
        probabilities,
        new.columns,
        new.sources,
        labels,
        new.notes,
    )
