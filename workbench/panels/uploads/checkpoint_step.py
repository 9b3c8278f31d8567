"""An uploaded checkpoint of any network: checked tensor by tensor, then compressed to a file."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from workbench import formatting
from workbench.artifact.changes import Changes, percent
from workbench.cancel import CancelToken
from workbench.custom.uploads.limits import WEIGHTS_BYTES
from workbench.errors import FileError
from workbench.i18n import _
from workbench.panels.uploads.choices import CheckpointChoices, checkpoint_choices
from workbench.panels.uploads.step import Outcome, Progress, SavedFile
from workbench.panels.views.check_checkpoint import check_checkpoint
from workbench.streaming.in_memory import InMemorySource, compress_in_memory
from workbench.streaming.inspect_checkpoint import inspection_of

MOST_NAMED = 3


class CheckpointStep:
    """The tensors of a ``.safetensors`` file that fits no built-in model.

    Parameters
    ----------
    note
        Why it does not match a built-in model.
    """

    def __init__(self, source: InMemorySource, note: str) -> None:
        self.source = source
        self.note = note
        self.choices = CheckpointChoices()

    def check(self, choices: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a recipe does to each tensor, with the choices in a message of the page."""
        chosen = checkpoint_choices(choices)
        inspection = inspection_of(self.source, chosen.recipe)
        self.choices = chosen
        return {
            "checkpoint": check_checkpoint(
                self.source, inspection, chosen, self.note, self._problem(), self._command()
            )
        }

    def learn(self, cancel: CancelToken, progress: Progress) -> Outcome:
        """Return the compressed file, with the newest choices; no model is made."""
        if problem := self._problem():
            raise FileError(problem, code="upload.too_large")
        data, changes = compress_in_memory(
            self.source,
            self.choices.recipe,
            on_progress=lambda read, total: progress(_("compressing"), read / max(total, 1)),
            cancel=cancel,
        )
        file = SavedFile(self._output, data)
        return Outcome(None, self._result(len(data), changes), file=file)

    @property
    def _name(self) -> str:
        return self.source.files[0].name

    @property
    def _output(self) -> str:
        return f"{self.source.title}-{self.choices.bits}-bit.safetensors"

    def _problem(self) -> str:
        """Return why the file cannot be compressed here; an empty text if it can."""
        if self.source.has_values:
            return ""
        text = _(
            "Only the start of the file was sent, because it has {size} and the page compresses at "
            "most {maximum}: compress it in a console, as shown."
        )
        size = formatting.size(self.source.length)
        return text.format(size=size, maximum=formatting.size(WEIGHTS_BYTES))

    def _command(self) -> str:
        """Return the same compression on the command line."""
        words = ["workbench", "compress", self._name, "--output", self._output]
        for name, value in self.choices.settings.items():
            words += [f"--quantize.{name}", *(value if isinstance(value, tuple) else [str(value)])]
        return shlex.join(words)

    def _result(self, size: int, changes: Changes) -> str:
        texts = [
            _("{file} takes {after} instead of {before}.").format(
                file=self._output,
                after=formatting.nbytes(size),
                before=formatting.nbytes(self.source.length),
            )
        ]
        worst = [
            f"{formatting.short(name)} ({percent(changes.errors[name].rms)})"
            for name in changes.worst(MOST_NAMED)
        ]
        if worst:
            text = _(
                "The RMS error of the rounded tensors is {rms}; those that changed most: {names}."
            )
            texts.append(
                text.format(
                    rms=percent(changes.total.rms), names=formatting.names(worst, MOST_NAMED)
                )
            )
        else:
            texts.append(_("No weight was changed."))
        texts.append(_("To unpack it: workbench decompress."))
        return formatting.paragraph(texts)
