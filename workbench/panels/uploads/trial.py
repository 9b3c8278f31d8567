"""Predictions of the current file for new rows or pictures, which the page asks for."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workbench.cancel import NEVER, CancelToken
from workbench.errors import InputError, WorkbenchError
from workbench.i18n import _
from workbench.panels.channel import Channel
from workbench.panels.views.trial import MAX_FIELDS, predictions

if TYPE_CHECKING:
    from workbench.custom.prediction.predictions import Predictions

MAX_LENGTH = 10_000
"""Letters of one typed value."""


class Trial:
    """The newest predictions of one page."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self._result: Predictions | None = None
        self._newest = 0
        self._lock = threading.Lock()

    def predict_values(self, number: Any, values: Any) -> None:
        """Predict from typed values, and send the answer; the newest `number` wins.

        Raises
        ------
        WorkbenchError
            If the values are no texts, or the current file cannot predict.
        """
        if not isinstance(number, int) or not _are_texts(values):
            raise InputError(_("There is no such row."), code="predict.invalid_rows")
        self._newest = max(number, self._newest)
        with self._lock:
            if number < self._newest:
                return
            self.send(self.predict([values], NEVER), number)

    def predict(self, rows: Any, cancel: CancelToken) -> Predictions:
        """Return what the current file predicts for new rows or pictures.

        Raises
        ------
        WorkbenchError
            If they cannot be read.
        Cancelled
            If `cancel` is cancelled.
        """
        from workbench.custom.prediction.predict import predict

        return predict(self.channel.session.artifact(cancel), rows, cancel=cancel)

    def send(self, result: Predictions, number: int | None = None) -> None:
        """Show predictions on the page."""
        self._result = result
        self.channel.send({"kind": "predictions", "number": number, **predictions(result)})

    def csv(self) -> bytes:
        """Return the newest predictions as CSV.

        Raises
        ------
        WorkbenchError
            If there are none.
        """
        if self._result is None:
            raise WorkbenchError(
                _("There are no predictions to save yet."), code="session.nothing_to_export"
            )
        return self._result.to_csv().encode("utf-8-sig")


def _are_texts(values: Any) -> bool:
    return (
        isinstance(values, Mapping)
        and len(values) <= MAX_FIELDS
        and all(isinstance(value, str) and len(value) <= MAX_LENGTH for value in values.values())
    )
