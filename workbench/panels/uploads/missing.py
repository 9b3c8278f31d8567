"""A link to a model of an upload that is not in memory: the page asks for the file again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from workbench.custom.uploads.splits import quoted
from workbench.errors import WorkbenchError
from workbench.i18n import _
from workbench.panels.uploads.texts import allowed
from workbench.recipe.link import from_query
from workbench.session.link import EXTRA_KEYS
from workbench.zoo.tables import CUSTOM_PREFIX

CODES = ("model.not_registered", "model.dropped")


@dataclass(frozen=True)
class MissingModel:
    """A model that a link names and that has to be made again.

    Attributes
    ----------
    model : str
        Its name.
    search : str
        The link, which also has the recipe and the goal.
    file : str
        The name of its file; empty if the browser does not know it.
    """

    model: str
    search: str
    file: str

    def describe(self) -> dict[str, Any]:
        """Return what the banner shows."""
        title = quoted(self.model.removeprefix(CUSTOM_PREFIX))
        if not allowed():
            text = _("The model {model} was made from a file, and uploads are disabled here.")
            return {"model": self.model, "text": text.format(model=title), "button": ""}
        if not self.file:
            text = _(
                "The model {model} was made from a file, which is not stored: upload the file "
                "again to continue. Until then, the recipe and the plan of the link do not apply."
            )
            button = _("upload the file again")
            return {"model": self.model, "text": text.format(model=title), "button": button}
        text = _(
            "The model {model} was made from {file} and ended with the previous page: upload the "
            "file again to continue where you were. Until then, its recipe and plan do not apply."
        )
        file = quoted(PurePath(self.file).name)
        return {
            "model": self.model,
            "text": text.format(model=title, file=file),
            "button": _("upload {file} again").format(file=file),
        }


def missing_model(search: str, file: object, error: WorkbenchError) -> MissingModel | None:
    """Return the model whose absence is the `error` of a link, or None if it is another error."""
    if error.code not in CODES:
        return None
    name, _recipe, _extra = from_query(search, EXTRA_KEYS)
    if name is None or not name.startswith(CUSTOM_PREFIX):
        return None
    return MissingModel(name, search, file if isinstance(file, str) else "")
