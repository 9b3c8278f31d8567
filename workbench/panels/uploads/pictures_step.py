"""Uploaded pictures: inspected with the choices of the user, then learned from."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from workbench.cancel import CancelToken
from workbench.custom.pictures.inspection import PictureChoices
from workbench.custom.pictures.reading import Pictures, read_pictures
from workbench.custom.uploads.names import unique_name
from workbench.i18n import _
from workbench.panels.uploads.choices import picture_choices
from workbench.panels.uploads.step import Outcome, Progress
from workbench.panels.uploads.training import outcome, training_token
from workbench.panels.views.check_pictures import check_pictures


class PicturesStep:
    """The bytes of a ZIP archive of pictures.

    Parameters
    ----------
    progress
        Receives the progress of reading the pictures for the first time.
    """

    def __init__(
        self, file: str, stem: str, content: bytes, cancel: CancelToken, progress: Progress
    ) -> None:
        self.file = file
        self.stem = stem
        self.content = content
        self.cancel = cancel.reporting(partial(progress, _("reading")))
        self.choices = PictureChoices()
        self.pictures: Pictures | None = None
        self._counts: dict[str, int] = {}  # of all classes that were seen
        self._first = cancel

    def check(self, choices: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the archive holds, with the choices in a message of the page."""
        self.choices = picture_choices(choices)
        self.pictures = None  # frees the pixels of other choices
        self.pictures = self._read(self.cancel)
        self.cancel = self._first  # without progress, which would close what the user checks
        inspection = self.pictures.inspection
        self._counts |= inspection.classes
        return {"pictures": check_pictures(self.file, inspection, self.choices, self._counts)}

    def learn(self, cancel: CancelToken, progress: Progress) -> Outcome:
        """Return a model trained on the pictures, with the newest choices."""
        from workbench.custom.uploads.small_models import train_small_model

        if self.pictures is None:
            self.pictures = self._read(cancel)
        self.pictures.check()
        token = training_token(cancel, progress)
        return outcome(train_small_model(unique_name(self.stem), self.pictures.data, token))

    def _read(self, cancel: CancelToken) -> Pictures:
        return read_pictures(self.content, self.choices, cancel, name=self.file)
