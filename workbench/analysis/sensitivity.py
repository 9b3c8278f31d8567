"""Sensitivity: what the model loses when a single layer is pruned, rounded, shared or factored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf, isnan
from typing import Any

from workbench.analysis.one_layer import LayerEvaluator
from workbench.artifact.artifact import Artifact
from workbench.cache.results import ResultCache, default_result_cache
from workbench.calibration.statistics import calibration_stats
from workbench.domain import Model
from workbench.domain.metric import ACCURACY, Metric
from workbench.errors import Cancelled, RecipeError
from workbench.evaluation.cached_results import cached_report, cached_score, score_key, size_key
from workbench.evaluation.measure import measure_size
from workbench.evaluation.report import Score, Size
from workbench.evaluation.scores import add_non_finite, iter_scores, score_from_counts
from workbench.pipeline import compress
from workbench.recipe import PARTS, Factorize, Prune, Quantize, Recipe, Share, Structure
from workbench.recipe.off import BY_LAYER, for_layer
from workbench.recipe.schema import brief, specs
from workbench.runtime.cut import can_cut
from workbench.validation import expect_model, expect_numbers

SPLIT = "validation"
SETTINGS: dict[str, tuple[float, ...]] = {
    "structure": (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
    "prune": (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95),
    "factorize": (0.99, 0.98, 0.95, 0.9, 0.8, 0.6, 0.4),
    "share": (256, 64, 32, 16, 8, 4, 2),
    "quantize": (8, 7, 6, 5, 4, 3, 2),
}
"""What is tried of each part unless other settings are given, from mild to harsh."""


@dataclass(frozen=True)
class Point:
    """One layer with one setting, all else untouched: a recipe, and what its file has.

    `bytes` is the length of the file and `value` the figure of the task's metric over all
    validation examples.
    """

    layer: str
    setting: float
    recipe: Recipe
    bytes: int
    value: float


@dataclass(frozen=True)
class Sensitivity:
    """What is known so far of `layers` × `settings` of the part of a recipe called `part`.

    Of layers that lose channels together, `layers` has the first. `value` is the original's figure
    of `metric`. `points` come layer by layer.
    """

    part: str
    layers: tuple[str, ...]
    settings: tuple[float, ...]
    value: float
    metric: Metric = ACCURACY
    points: tuple[Point, ...] = ()

    @property
    def share(self) -> float:
        """How much of it is known, 0 to 1."""
        return len(self.points) / (len(self.layers) * len(self.settings))

    def lost(self, point: Point) -> float:
        """Return how much worse `point` is than the original, negative where it is better.

        In points where the metric is a share, else in percent of the original's figure; infinite
        where the figure is not a number.
        """
        if isnan(point.value):
            return inf
        worse = (self.value - point.value) * (1 if self.metric.higher_is_better else -1)
        return 100 * worse / (1.0 if self.metric.share else abs(self.value) or 1.0)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        points = [
            {**vars(point), "lost": self.lost(point), "recipe": point.recipe.as_dict()}
            for point in self.points
        ]
        return {
            "part": self.part,
            "layers": list(self.layers),
            "settings": list(self.settings),
            "metric": self.metric.name,
            "value": self.value,
            "points": points,
        }

    def __iter__(self) -> Iterator[Point]:
        """Return the points that are known, in the order in which they were measured."""
        return iter(self.points)

    def __len__(self) -> int:
        """Return how many points are known."""
        return len(self.points)

    def __getitem__(self, place: tuple[str, float]) -> Point | None:
        """Return the point of a layer and a setting; None where it is not known yet."""
        return self._places.get(place)

    @cached_property
    def _places(self) -> dict[tuple[str, float], Point]:
        return {(point.layer, point.setting): point for point in self.points}


def sensitivity(
    model: Model,
    part: Structure | Prune | Quantize | Share | Factorize | None = None,
    settings: Sequence[float] | None = None,
    *,
    store: ResultCache | None = None,
    progress: Callable[[Sensitivity], None] = lambda so_far: None,
) -> Sensitivity:
    """Return what `model` loses for every layer and setting, each applied by itself.

    Every point is the length and the exact figure of the file of its recipe, as `measure` has
    them; what was measured before is not measured again.

    Parameters
    ----------
    part
        How layers are compressed, such as ``wb.Prune(criterion="gradient")`` or
        ``wb.Quantize(range="mse")``; pruning by magnitude unless given. Its first field, its rows
        and its exclusions do not count.
    settings
        The sparsities, bits, numbers of shared values or kept shares to try.
    store
        Where results are kept; the person's own unless given.
    progress
        Called after each point.

    Raises
    ------
    RecipeError
        When a setting is out of range, the part knows no layers, or the model has none that it
        could change.

    >>> import workbench as wb
    >>> found = wb.sensitivity(wb.model("fashion/mlp-32"), wb.Quantize(), [8, 2])
    >>> found["fc1.weight", 8].value > found["fc1.weight", 2].value
    True
    """
    *_, last = map(_telling(progress), iter_sensitivity(model, part, settings, store=store))
    return last


def iter_sensitivity(
    model: Model,
    part: Structure | Prune | Quantize | Share | Factorize | None = None,
    settings: Sequence[float] | None = None,
    *,
    store: ResultCache | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[Sensitivity]:
    """Yield what `sensitivity` returns after each point, and before the first.

    Raises
    ------
    RecipeError
        As `sensitivity` does, at once.
    Cancelled
        As soon as `cancelled()` answers True.
    """
    expect_model(model)
    key, recipe = _part(Prune() if part is None else part)
    chosen = tuple(
        SETTINGS[key] if settings is None else dict.fromkeys(expect_numbers(settings, "Settings"))
    )
    if not chosen:
        raise RecipeError("Sensitivity needs settings to try: give one at least.")
    layers = tuple(name for name in model.layers if name in model.coupled_layers(name, key)[:1])
    if not layers:
        what = specs(PARTS[key])[0].label
        raise RecipeError(f"{model.name} has no layer of which {what} could be set.")
    empty = Sensitivity(key, layers, chosen, model.metric_value(SPLIT), model.task.metric)
    recipes = {
        layer: [(setting, for_layer(recipe, key, layer, setting)) for setting in chosen]
        for layer in layers
    }
    return _scanned(model, empty, recipes, store or default_result_cache(), cancelled)


def _scanned(
    model: Model,
    so_far: Sensitivity,
    recipes: dict[str, list[tuple[float, Recipe]]],
    store: ResultCache,
    cancelled: Callable[[], bool],
) -> Iterator[Sensitivity]:
    yield so_far
    for layer, tried in recipes.items():
        measured = _Layer(model, layer, store, cancelled)
        for setting, recipe in tried:
            if cancelled():
                raise Cancelled("Measuring was stopped.")
            size, score = measured.of(recipe)
            point = Point(layer, setting, recipe, size.bytes, score.value)
            so_far = replace(so_far, points=(*so_far.points, point))
            yield so_far


class _Layer:
    """Measures recipes that touch one layer alone, as `measure` does, and keeps what it finds."""

    def __init__(
        self, model: Model, layer: str, store: ResultCache, cancelled: Callable[[], bool]
    ) -> None:
        self.model = model
        self.layer = layer
        self.store = store
        self.cancelled = cancelled

    @cached_property
    def arriving(self) -> LayerEvaluator:
        """The images as they arrive at the layer: computed where something is not known yet."""
        return LayerEvaluator(self.model, self.layer, SPLIT, self.cancelled)

    def of(self, recipe: Recipe) -> tuple[Size, Score]:
        """Return what the file of `recipe` has."""
        model, store = self.model, self.store
        before = cached_report(model, recipe, SPLIT, store)
        if before is not None and before.score is not None:
            return before.size, before.score
        artifact = compress(model, recipe)
        size = measure_size(model, artifact)
        store.put(size_key(model, recipe, calibration_stats(model, recipe).digest), size.as_dict())
        score = cached_score(model, size.digest, SPLIT, store)
        if score is None:
            score = self._score(artifact)
            store.put(score_key(model, size.digest, SPLIT), score.as_dict())
        return size, score

    def _score(self, artifact: Artifact) -> Score:
        """Judge a file; one without some channels differs in other layers too, and runs whole.

        So does a network that cannot be cut in two, or whose figure is no count of classes.
        """
        classes = self.model.task.metric.counts == "classes"
        if classes and not artifact.spec.narrowed and can_cut(self.model):
            weights = artifact.weights()
            return add_non_finite(
                self.model, weights, score_from_counts(self.arriving.tally(weights))
            )
        shaped, split = self.model.with_spec(artifact.spec), self.model.task.split(SPLIT)
        operands, cancelled = artifact.operands(), self.cancelled
        *_, last = iter_scores(shaped, operands, split, cancelled=cancelled)
        return last


def _part(part: Any) -> tuple[str, Recipe]:
    """Return the key of a recipe's part, and a recipe of it alone."""
    for key in BY_LAYER:
        if isinstance(part, PARTS[key]):
            alone: dict[str, Any] = {key: part}
            return key, Recipe(**alone)
    raise RecipeError(
        f"Give a part of a recipe that knows layers, such as wb.Prune(), not {brief(part)}."
    )


def _telling(progress: Callable[[Sensitivity], None]) -> Callable[[Sensitivity], Sensitivity]:
    def tell(so_far: Sensitivity) -> Sensitivity:
        progress(so_far)
        return so_far

    return tell
