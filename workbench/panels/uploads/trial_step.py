"""A file of new rows or pictures: the current model predicts from it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from workbench.cancel import CancelToken
from workbench.i18n import _
from workbench.panels.uploads.file import PICTURES
from workbench.panels.uploads.step import Outcome, Progress
from workbench.panels.uploads.trial import Trial


class TrialStep:
    """The bytes of the file; a single picture becomes an archive of one."""

    def __init__(self, trial: Trial, name: str, content: bytes) -> None:
        self.trial = trial
        is_picture = PurePath(name).suffix.lower() in PICTURES
        self.content = _archive(name, content) if is_picture else content

    def check(self, choices: Mapping[str, Any]) -> None:
        """Return None: there is nothing to choose."""

    def learn(self, cancel: CancelToken, progress: Progress) -> Outcome:
        """Send the predictions to the page; no model is made."""
        progress(_("predicting"), None)
        self.trial.send(self.trial.predict(self.content, cancel))
        return Outcome(None, "")


def _archive(name: str, content: bytes) -> bytes:
    """Return a ZIP archive of one file."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr(PurePath(name).name, content)
    return data.getvalue()
