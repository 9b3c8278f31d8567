"""What is worked out about a file beside its original when somebody asks, and kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.domain import Model
from workbench.recipe import Recipe
from workbench.training.teacher_ref import training_dependencies

if TYPE_CHECKING:
    from workbench.artifact.artifact import Artifact

MAX_CACHED = 64
"""How many findings a session keeps: the largest, of one split, takes 120 kB."""


@dataclass(frozen=True)
class AnalysisKey:
    """Something to find out: its `kind`, a key of `WAYS`, and of which example, layer or prompt."""

    kind: str
    of: Any = None


FileKey = tuple[tuple[str, ...], Recipe, str]
"""A model's identity, a recipe, and what a trained file learned from beside them."""
Analyzer = Callable[[Model, "Artifact", Any, Callable[[], bool], Callable[[float], None]], Any]


def file_key(model: Model, recipe: Recipe) -> FileKey:
    """Return what findings about a file belong to."""
    return model.identity, recipe, training_dependencies(model, recipe)


class Analyses:
    """Findings by model, recipe and what was wanted, the newest `KEPT`; and the newest file."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[FileKey, AnalysisKey], Any] = OrderedDict()
        self._file: tuple[FileKey, Artifact] | None = None

    def get(self, about: FileKey, wanted: AnalysisKey) -> Any:
        """Return what was found, or None."""
        with self._lock:
            return self._kept.get((about, wanted))

    def find(
        self,
        model: Model,
        recipe: Recipe,
        wanted: AnalysisKey,
        cancelled: Callable[[], bool],
        progress: Callable[[float], None],
    ) -> Any:
        """Return what is wanted of `model` compressed by `recipe`, worked out unless it is kept.

        Raises
        ------
        WorkbenchError
            When there is no such example or layer.
        Cancelled
            When `cancelled()` answers True on the way.
        """
        about = file_key(model, recipe)
        found = self.get(about, wanted)
        if found is None:
            artifact = self._make(model, recipe, cancelled)
            found = ANALYZERS[wanted.kind](model, artifact, wanted.of, cancelled, progress)
            with self._lock:
                self._kept[about, wanted] = found
                while len(self._kept) > MAX_CACHED:
                    self._kept.popitem(last=False)
        return found

    def _make(self, model: Model, recipe: Recipe, cancelled: Callable[[], bool]) -> Artifact:
        from workbench.pipeline import compress

        held, about = self._file, file_key(model, recipe)
        if held is not None and held[0] == about:
            return held[1]
        artifact = compress(model, recipe, cancelled=cancelled)
        self._file = about, artifact
        return artifact


def _changes(
    model: Model,
    artifact: Artifact,
    of: None,
    cancelled: Callable[[], bool],
    progress: Callable[[float], None],
) -> Any:
    from workbench.analysis.comparison import compare

    return compare(model, artifact, cancelled=cancelled, on_progress=progress)


def _attribution(
    model: Model,
    artifact: Artifact,
    of: int,
    cancelled: Callable[[], bool],
    progress: Callable[[float], None],
) -> Any:
    from workbench.analysis.attribution import attribution

    return attribution(model, artifact, of, cancelled=cancelled)


def _histogram(
    model: Model,
    artifact: Artifact,
    of: str,
    cancelled: Callable[[], bool],
    progress: Callable[[float], None],
) -> Any:
    from workbench.analysis.histogram import histogram

    return histogram(model, artifact, of)


def _writing(
    model: Model,
    artifact: Artifact,
    of: tuple[int, int, int],
    cancelled: Callable[[], bool],
    progress: Callable[[float], None],
) -> Any:
    from workbench.analysis.generation import example_prompt, generate

    prompt, seed, characters = of
    return generate(
        model,
        artifact,
        prompt=example_prompt(model.task, prompt),
        characters=characters,
        seed=seed,
        cancelled=cancelled,
        on_progress=progress,
    )


ANALYZERS: dict[str, Analyzer] = {
    "changes": _changes,
    "attribution": _attribution,
    "histogram": _histogram,
    "writing": _writing,
}
