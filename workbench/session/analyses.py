"""Analyses of a compressed file and its original: computed on request and cached."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.cancel import CancelToken
from workbench.domain import Model
from workbench.recipe import Recipe
from workbench.training.teacher_ref import training_dependencies

if TYPE_CHECKING:
    from workbench.artifact.artifact import Artifact

MAX_CACHED = 64
"""Analyses that a session caches; the largest, a comparison of one split, takes 120 kB."""


@dataclass(frozen=True)
class AnalysisKey:
    """An analysis: its `kind`, a key of `ANALYZERS`, and its `target` (example, layer, prompt)."""

    kind: str
    target: Any = None


FileKey = tuple[tuple[str, ...], Recipe, str]
"""A model's identity, a recipe, and the identity of what training depends on (teacher, data)."""
Analyzer = Callable[[Model, "Artifact", Any, CancelToken], Any]
"""Called with model, artifact, target and cancel."""


def file_key(model: Model, recipe: Recipe) -> FileKey:
    """Return the key of the file that `recipe` makes of `model`."""
    return model.identity, recipe, training_dependencies(model, recipe)


class Analyses:
    """Cache of the newest `MAX_CACHED` analyses, and of the newest artifact."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cache: OrderedDict[tuple[FileKey, AnalysisKey], Any] = OrderedDict()
        self._artifact: tuple[FileKey, Artifact] | None = None

    def get(self, file: FileKey, analysis: AnalysisKey) -> Any:
        """Return a cached result, or None."""
        with self._lock:
            return self._cache.get((file, analysis))

    def compute(
        self,
        model: Model,
        recipe: Recipe,
        analysis: AnalysisKey,
        cancel: CancelToken,
    ) -> Any:
        """Analyze `model` compressed by `recipe`, unless the result is cached.

        Raises
        ------
        WorkbenchError
            If there is no such example or layer.
        Cancelled
            If `cancel` is cancelled.
        """
        file = file_key(model, recipe)
        result = self.get(file, analysis)
        if result is None:
            artifact = self._compress(model, recipe, cancel)
            analyzer = ANALYZERS[analysis.kind]
            result = analyzer(model, artifact, analysis.target, cancel)
            with self._lock:
                self._cache[file, analysis] = result
                while len(self._cache) > MAX_CACHED:
                    self._cache.popitem(last=False)
        return result

    def _compress(self, model: Model, recipe: Recipe, cancel: CancelToken) -> Artifact:
        from workbench.training.compress import compress

        cached, file = self._artifact, file_key(model, recipe)
        if cached is not None and cached[0] == file:
            return cached[1]
        artifact = compress(model, recipe, cancel=cancel)
        self._artifact = file, artifact
        return artifact


def _compare(
    model: Model,
    artifact: Artifact,
    target: None,
    cancel: CancelToken,
) -> Any:
    from workbench.analysis.comparison import compare

    return compare(model, artifact, cancel=cancel)


def _compare_numbers(
    model: Model,
    artifact: Artifact,
    target: None,
    cancel: CancelToken,
) -> Any:
    from workbench.analysis.number_comparison import compare_numbers

    return compare_numbers(model, artifact, cancel=cancel)


def _attribution(
    model: Model,
    artifact: Artifact,
    target: int,
    cancel: CancelToken,
) -> Any:
    from workbench.analysis.attribution import attribution

    return attribution(model, artifact, target, cancel=cancel)


def _histogram(
    model: Model,
    artifact: Artifact,
    target: str,
    cancel: CancelToken,
) -> Any:
    from workbench.analysis.histogram import histogram

    return histogram(model, artifact, target)


def _generate(
    model: Model,
    artifact: Artifact,
    target: tuple[int, int, int],
    cancel: CancelToken,
) -> Any:
    from workbench.analysis.generation import example_prompt, generate

    prompt, seed, characters = target
    return generate(
        model,
        artifact,
        prompt=example_prompt(model.task, prompt),
        characters=characters,
        seed=seed,
        cancel=cancel,
    )


ANALYZERS: dict[str, Analyzer] = {
    "comparison": _compare,
    "numbers": _compare_numbers,
    "attribution": _attribution,
    "histogram": _histogram,
    "generation": _generate,
}
