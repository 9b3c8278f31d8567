"""The errors a person can cause; each message is one sentence that says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.artifact.artifact import Artifact


class WorkbenchError(Exception):
    """Something asked for cannot be done; the message says what was wrong and what to do."""


class RecipeError(WorkbenchError):
    """A recipe is malformed or does not fit the model."""


class ArtifactError(WorkbenchError):
    """A file is missing, damaged, foreign, or too large to open safely."""


class UnknownNameError(WorkbenchError):
    """A task or model was asked for that does not exist."""


class Cancelled(WorkbenchError):
    """Work was given up because nobody waits for it any more."""


class TrainingError(WorkbenchError):
    """Training cannot go on.

    `artifact` is the file of the last good weights, where there are any after the first step.
    """

    artifact: Artifact | None = None
