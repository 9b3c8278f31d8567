"""The models that were made of the uploads of one page."""

from __future__ import annotations

from typing import Any, NamedTuple

from workbench.domain import Model
from workbench.errors import UnknownNameError, WorkbenchError
from workbench.i18n import _, plural
from workbench.session import Session
from workbench.zoo import registry

MAX_MODELS = 10
"""Models per page; each stays in memory with its data."""


class _Uploaded(NamedTuple):
    """A model, the name of its file, and whether it was trained on the data of the file."""

    model: Model
    file: str
    learned: bool


class UploadedModels:
    """The models by name, each with the name of its file; they stay in memory until removed."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._models: dict[str, _Uploaded] = {}

    def __len__(self) -> int:
        return len(self._models)

    def check_room(self) -> None:
        """Check that one more model is allowed.

        Raises
        ------
        WorkbenchError
            If there are `MAX_MODELS`.
        """
        if len(self) < MAX_MODELS:
            return
        sentence = plural(
            "There is {count} model from your files, which is the limit: remove one first.",
            "There are {count} models from your files, which is the limit: remove one first.",
            MAX_MODELS,
        )
        raise WorkbenchError(sentence.format(count=MAX_MODELS), code="upload.limit_reached")

    def add(self, model: Model, file: str, *, learned: bool) -> None:
        """Retain a model that was made of a file of this name.

        `learned` says whether it was trained on its data, so that it has figures to show.
        """
        self._models[model.name] = _Uploaded(model, file, learned)

    def remove(self, name: str) -> None:
        """Remove a model from the session and from memory.

        Raises
        ------
        UnknownNameError
            If there is no such model.
        """
        if self._models.pop(name, None) is None:
            raise UnknownNameError(
                _("There is no model {name} from your files.").format(name=repr(name)),
                code="name.unknown_model",
            )
        self.session.forget_model(name)
        registry.remove_model(name)

    def get(self, name: str) -> Model | None:
        """Return a model by name, or None."""
        uploaded = self._models.get(name)
        return None if uploaded is None else uploaded.model

    def describe(self) -> list[dict[str, Any]]:
        """Return name, title and file of each model, the newest first."""
        return [
            {"name": name, "title": x.model.title, "file": x.file, "figures": x.learned}
            for name, x in reversed(self._models.items())
        ]
