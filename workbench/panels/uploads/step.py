"""What the kinds of uploads have in common: they may be checked, then a model is made of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any, NamedTuple, Protocol

from workbench.cancel import CancelToken
from workbench.domain import Model
from workbench.recipe import Recipe

Progress = Callable[[str, float | None], None]
"""Called with what is being done, and its completed fraction if that is known."""


MIN_SECONDS = 0.1
"""Between two messages about the progress of the same work."""


class SavedFile(NamedTuple):
    """A file that the browser saves."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Outcome:
    """What a file has become.

    Attributes
    ----------
    model : str or None
        The name of the model to select; None to select no other one.
    recipe : Recipe
        The recipe to select.
    text : str
        One or more sentences about it.
    created : Model, optional
        The model, if it was not there before.
    learned : bool
        Whether it was trained on the data of the file.
    file : SavedFile, optional
        What the browser saves.
    """

    model: str | None
    text: str
    recipe: Recipe = field(default_factory=Recipe)
    created: Model | None = None
    learned: bool = False
    file: SavedFile | None = None


def at_intervals(progress: Progress, seconds: float = MIN_SECONDS) -> Progress:
    """Return a function that passes on a new text at once, and fractions after `seconds`.

    A message to the page for each of thousands of pictures would take longer than reading them.
    """
    last_text, last_time = "", -inf

    def report(text: str, fraction: float | None) -> None:
        nonlocal last_text, last_time
        now = time.monotonic()
        if text != last_text or now - last_time >= seconds:
            last_text, last_time = text, now
            progress(text, fraction)

    return report


class Step(Protocol):
    """The content of a file after it was read."""

    def check(self, choices: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return what the user should check, or None if there is nothing to check.

        Parameters
        ----------
        choices
            What the user has chosen, as the page sends it; empty at first.

        Raises
        ------
        InputError
            If a choice does not fit the data.
        """

    def learn(self, cancel: CancelToken, progress: Progress) -> Outcome:
        """Return the model that the file becomes, with the newest choices.

        Raises
        ------
        WorkbenchError
            If that is not possible.
        Cancelled
            If `cancel` is cancelled.
        """
