"""An uploaded file of weights: another version of a built-in model, or a compressed file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench import formatting
from workbench.cancel import CancelToken
from workbench.custom.uploads.names import unique_name
from workbench.domain import Model
from workbench.errors import UnknownNameError
from workbench.i18n import _
from workbench.panels.uploads.step import Outcome, Progress


class WeightsStep:
    """The bytes of a ``.safetensors`` file."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name = name
        self.content = content

    def check(self, choices: Mapping[str, Any]) -> None:
        """Return None: there is nothing to choose."""

    def learn(self, cancel: CancelToken, progress: Progress) -> Outcome:
        """Return the model with these weights, or the recipe of the compressed file."""
        from workbench.custom.uploads import weights
        from workbench.zoo.model_of_file import model_of_file
        from workbench.zoo.registry import NotRegisteredError

        if weights.is_workbench_file(self.content):
            artifact = weights.open_artifact(self.content)
            try:
                name = model_of_file(artifact).name
            except NotRegisteredError as error:
                missing = _(
                    "This was made from {model}, which is not here: upload the file of that model, "
                    "or make the model in the notebook, then upload this file."
                )
                raise UnknownNameError(
                    missing.format(model=artifact.model), code=error.code
                ) from None
            text = _("This is a compressed {model}; its recipe is now selected.")
            return Outcome(name, text.format(model=name), artifact.recipe)
        base, tensors = weights.match_builtin(weights.read(self.content))
        token = cancel.reporting(lambda fraction: progress(_("measuring"), fraction))
        model: Model = weights.model_with_weights(unique_name(self.name), base, tensors, token)
        text = _("The weights match {model}; {metric} is {value} on {count} examples.").format(
            model=_(base.title),
            metric=model.task.metric.label,
            value=model.task.metric.format(model.metric_value("validation")),
            count=formatting.count(len(model.task.split("validation"))),
        )
        return Outcome(model.name, text, created=model)
