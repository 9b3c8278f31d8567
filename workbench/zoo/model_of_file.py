"""The model that a file was made from: found by its data and choices, or else by its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.artifact.artifact import Artifact
from workbench.domain.file_match import same_origin, same_preprocessing
from workbench.domain.model import Model
from workbench.errors import ArtifactError, UnknownNameError
from workbench.i18n import _, mark as N_
from workbench.zoo.registry import custom_models, model

DATA_MISSING = "artifact.data_missing"
"""The code of the error if no model was made from the same data."""
MISSING = {
    "table": N_("This was made from {name}: upload that table first, then this file."),
    "images": N_("This was made from {name}: upload those pictures first, then this file."),
}
"""What to do if no model was made from the same data, by the kind of data."""


def model_of_file(artifact: Artifact) -> Model:
    """Return the model that a file was made from.

    The file of a model that was trained on a table, on pictures or on texts says what it was made
    from. It is found under any name, if that model was made from the same data with the same
    choices. Any other file is found by its name.

    Raises
    ------
    ArtifactError
        If the model of that name was made from other data or with other choices.
    UnknownNameError
        If there is no such model.
    """
    made_from = artifact.preprocessing
    if made_from is None:
        return _without_origin(artifact)
    known = custom_models()
    matching = [name for name, candidate in known.items() if same_origin(candidate, artifact)]
    if matching:
        original = model(artifact.model if artifact.model in matching else matching[-1])
        if same_preprocessing(original, artifact):
            return original
        raise ArtifactError(
            _(
                "Another version of Workbench made this from {name} and read it differently, so it "
                "cannot be measured here; wb.predict still predicts with it."
            ).format(name=made_from["origin"]["name"]),
            code="artifact.other_version",
        )
    origin: Mapping[str, Any] = made_from["origin"]
    if artifact.model in known:
        text = _(
            "This was made from {name} with rows or choices that differ from those of {model}: "
            "upload {name} with the same choices first, then this file."
        )
        raise ArtifactError(
            text.format(name=origin["name"], model=artifact.model), code="artifact.other_data"
        )
    raise UnknownNameError(
        _(MISSING[made_from["kind"]]).format(name=origin["name"]), code=DATA_MISSING
    )


def _without_origin(artifact: Artifact) -> Model:
    """Return the model of a file that does not say what it was made from."""
    named = model(artifact.model)
    if not same_origin(named, artifact):
        raise ArtifactError(
            _(
                "This file does not say what it was made from, so it may belong to another model "
                "named {model}: create it again."
            ).format(model=named.name),
            code="artifact.other_data",
        )
    return named
