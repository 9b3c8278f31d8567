"""Sensitivity analysis: the loss of quality when a single layer is compressed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf, isnan
from typing import Any

from workbench.analysis.one_layer import LayerEvaluator
from workbench.arguments import expect_running
from workbench.artifact.artifact import Artifact
from workbench.cache.results import ResultCache, default_result_cache
from workbench.calibration.statistics import calibration_stats
from workbench.cancel import NEVER, CancelToken
from workbench.display import Displayable
from workbench.domain import Model
from workbench.domain.metric import ACCURACY, Metric
from workbench.errors import RecipeError
from workbench.evaluation.cached_results import cached_report, cached_score, score_key, size_key
from workbench.evaluation.measure import measure_size
from workbench.evaluation.report import Score, Size
from workbench.evaluation.scores import add_non_finite, iter_scores, score_from_counts
from workbench.recipe import PARTS, Factorize, Prune, Quantize, Recipe, Share, Structure
from workbench.recipe.off import BY_LAYER, for_layer
from workbench.recipe.schema import brief, specs
from workbench.runtime.cut import can_cut
from workbench.training.compress import compress
from workbench.validation import expect_model, expect_numbers

SPLIT = "validation"
SETTINGS: dict[str, tuple[float, ...]] = {
    "structure": (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
    "prune": (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95),
    "factorize": (0.99, 0.98, 0.95, 0.9, 0.8, 0.6, 0.4),
    "share": (256, 64, 32, 16, 8, 4, 2),
    "quantize": (8, 7, 6, 5, 4, 3, 2),
}
"""Default settings for each part of a recipe, from mild to harsh."""


@dataclass(frozen=True)
class Point:
    """The result of compressing one layer with one setting, with all other layers unchanged.

    Attributes
    ----------
    layer : str
        The name of the layer's weight.
    setting : float
        The value of the part's first field, such as a sparsity or a number of bits.
    recipe : Recipe
        The recipe that compresses only this layer.
    bytes : int
        The length of the file.
    value : float
        The task's metric over all validation examples.
    """

    layer: str
    setting: float
    recipe: Recipe
    bytes: int
    value: float


@dataclass(frozen=True)
class Sensitivity(Displayable):
    """The results so far over `layers` × `settings` for one part of a recipe.

    Layers that lose channels together are represented by the first. `value` is the `metric` of the
    original. `points` are ordered by layer.
    """

    _plots = "sensitivity"

    part: str
    layers: tuple[str, ...]
    settings: tuple[float, ...]
    value: float
    metric: Metric = ACCURACY
    points: tuple[Point, ...] = ()

    def __repr__(self) -> str:
        total = len(self.layers) * len(self.settings)
        layers = f"{len(self.layers)} layers × {len(self.settings)} settings"
        return f"<Sensitivity to {self.part}, {layers}, {len(self.points)} of {total} measured>"

    @property
    def completed(self) -> float:
        """The completed fraction, 0 to 1."""
        return len(self.points) / (len(self.layers) * len(self.settings))

    def lost(self, point: Point) -> float:
        """Return how much worse `point` is than the original; negative if it is better.

        In percentage points if the metric is a fraction, else in percent of the original's value;
        infinite if the value is not a number.
        """
        if isnan(point.value):
            return inf
        worse = (self.value - point.value) * (1 if self.metric.higher_is_better else -1)
        return 100 * worse / (1.0 if self.metric.is_fraction else abs(self.value) or 1.0)

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
        """Return the measured points in the order of measurement."""
        return iter(self.points)

    def __len__(self) -> int:
        """Return the number of measured points."""
        return len(self.points)

    def __getitem__(self, key: tuple[str, float]) -> Point | None:
        """Return the point of a layer and a setting, or None if it is not measured yet."""
        return self._by_key.get(key)

    @cached_property
    def _by_key(self) -> dict[tuple[str, float], Point]:
        return {(point.layer, point.setting): point for point in self.points}


def sensitivity(
    model: Model,
    part: Structure | Prune | Quantize | Share | Factorize | None = None,
    settings: Sequence[float] | None = None,
    *,
    store: ResultCache | None = None,
    on_report: Callable[[Sensitivity], None] = lambda sensitivity: None,
    cancel: CancelToken = NEVER,
) -> Sensitivity:
    """Measure `model` with one layer compressed at a time, for every layer and setting.

    Every point has the file length and the exact metric of its recipe, as `measure` reports them.
    Cached results are reused.

    Parameters
    ----------
    model
        A built-in or a custom model.
    part
        How layers are compressed, such as ``wb.Prune(criterion="gradient")`` or
        ``wb.Quantize(range="mse")``; by default pruning by magnitude. Its first field, its
        settings per layer and its exclusions are ignored.
    settings
        The sparsities, bit widths, numbers of shared values or kept fractions to try.
    store
        The cache of results; by default the user's.
    on_report
        Called after each point.
    cancel
        Checked before each point.

    Raises
    ------
    RecipeError
        If a setting is out of range, the part does not act on layers, or the model has no layer
        that it could change.
    Cancelled
        If `cancel` is cancelled.

    Examples
    --------
    >>> import workbench as wb
    >>> result = wb.sensitivity(wb.model("fashion/mlp-32"), wb.Quantize(), [8, 2])
    >>> result["fc1.weight", 8].value > result["fc1.weight", 2].value
    True
    """
    expect_running(cancel, on_report=on_report)
    for result in iter_sensitivity(model, part, settings, store=store, cancel=cancel):
        on_report(result)
    return result


def iter_sensitivity(
    model: Model,
    part: Structure | Prune | Quantize | Share | Factorize | None = None,
    settings: Sequence[float] | None = None,
    *,
    store: ResultCache | None = None,
    cancel: CancelToken = NEVER,
) -> Iterator[Sensitivity]:
    """Yield a `Sensitivity` without points, then one more after each measured point.

    The parameters are those of `sensitivity`.

    Raises
    ------
    RecipeError
        For the same reasons as in `sensitivity`. It is raised by the call itself, not by the first
        step of the iteration.
    Cancelled
        If `cancel` is cancelled.
    """
    expect_model(model)
    key, recipe = _part(Prune() if part is None else part)
    chosen = tuple(
        SETTINGS[key] if settings is None else dict.fromkeys(expect_numbers(settings, "Settings"))
    )
    field = specs(PARTS[key])[0]
    choices = [choice.value for choice in field.choices]
    allowed = ", ".join(map(str, choices)) or f"{field.low:g} to {field.high:g}"
    for setting in chosen:
        if not (setting in choices if choices else field.low <= setting <= field.high):
            raise RecipeError(
                f"A setting of {key} cannot be {setting:g}: use {allowed}.",
                code="recipe.setting_out_of_range",
            )
    if not chosen:
        raise RecipeError("The settings are empty: pass at least one.", code="recipe.no_settings")
    layers = tuple(name for name in model.layers if name in model.coupled_layers(name, key)[:1])
    if not layers:
        label = specs(PARTS[key])[0].label
        raise RecipeError(
            f"{model.name} has no layer for which {label} can be set: choose another part.",
            code="recipe.no_layers",
        )
    empty = Sensitivity(key, layers, chosen, model.metric_value(SPLIT), model.task.metric)
    recipes = {
        layer: [(setting, for_layer(recipe, key, layer, setting)) for setting in chosen]
        for layer in layers
    }
    return _measure_all(model, empty, recipes, store or default_result_cache(), cancel)


def _measure_all(
    model: Model,
    result: Sensitivity,
    recipes: dict[str, list[tuple[float, Recipe]]],
    store: ResultCache,
    cancel: CancelToken,
) -> Iterator[Sensitivity]:
    yield result
    for layer, layer_recipes in recipes.items():
        measure_layer = _LayerMeasurement(model, layer, store, cancel)
        for setting, recipe in layer_recipes:
            cancel.check()
            size, score = measure_layer(recipe)
            point = Point(layer, setting, recipe, size.bytes, score.value)
            result = replace(result, points=(*result.points, point))
            yield result


@dataclass
class _LayerMeasurement:
    """Measures recipes that change one layer, with the same results and cache as `measure`."""

    model: Model
    layer: str
    store: ResultCache
    cancel: CancelToken

    @cached_property
    def evaluator(self) -> LayerEvaluator:
        """The evaluator of the layer, which computes the inputs of the layer when it is created.

        It is created only if a score is not cached.
        """
        return LayerEvaluator(self.model, self.layer, SPLIT, self.cancel)

    def __call__(self, recipe: Recipe) -> tuple[Size, Score]:
        """Return the size and the score of the file of `recipe`."""
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
        """Evaluate from the changed layer on if possible, else run the full network.

        The full network runs if channels were removed (other layers change, too), if it cannot be
        cut in two, or if the metric does not count classes.
        """
        classes = self.model.task.metric.counts == "classes"
        if classes and not artifact.spec.narrowed and can_cut(self.model):
            weights = artifact.weights()
            counts = self.evaluator.evaluate(weights)
            return add_non_finite(self.model, weights, score_from_counts(counts))
        shaped, split = self.model.with_spec(artifact.spec), self.model.task.split(SPLIT)
        operands = artifact.operands()
        *_, last = iter_scores(shaped, operands, split, cancel=self.cancel)
        return last


def _part(part: Any) -> tuple[str, Recipe]:
    """Return the key of a part, and a recipe that has only this part."""
    for key in BY_LAYER:
        if isinstance(part, PARTS[key]):
            alone: dict[str, Any] = {key: part}
            return key, Recipe(**alone)
    raise RecipeError(
        f"Pass a part of a recipe that acts on layers, such as wb.Prune(), not {brief(part)}.",
        code="recipe.not_a_layer_part",
    )
