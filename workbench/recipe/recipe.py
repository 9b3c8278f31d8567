"""The recipe: all compression settings, as immutable plain data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from workbench.display import Displayable
from workbench.errors import RecipeError
from workbench.recipe.activations import Activations
from workbench.recipe.adjust import Adjust
from workbench.recipe.factorize import OUTPUT_AIMS, Factorize
from workbench.recipe.name_patterns import is_pattern, names_any
from workbench.recipe.prune import NEEDS_COVARIANCE, NEEDS_GRADIENTS, Prune
from workbench.recipe.quantize import COMPENSATED, Quantize
from workbench.recipe.schema import brief, specs
from workbench.recipe.share import Share
from workbench.recipe.structure import Structure
from workbench.recipe.train import Train
from workbench.recipe.unknown_layer import unknown_layer

Part = Structure | Prune | Factorize | Share | Quantize | Activations | Adjust | Train

PARTS: dict[str, type[Part]] = {
    "structure": Structure,
    "prune": Prune,
    "factorize": Factorize,
    "share": Share,
    "quantize": Quantize,
    "activations": Activations,
    "adjust": Adjust,
    "train": Train,
}
"""The parts of a recipe by key, in the order in which JSON lists them."""

DATA_DRIVEN = NEEDS_GRADIENTS | NEEDS_COVARIANCE
"""The criteria that need calibration data."""

BASELINES: dict[tuple[str, str], tuple[str, str]] = {
    ("structure", "criterion"): ("curvature", "group_norm"),
    ("prune", "criterion"): ("curvature", "magnitude"),
    ("quantize", "rounding"): ("compensated", "nearest"),
    ("adjust", "batch_norm"): ("recalibrate", "keep"),
    ("adjust", "biases"): ("correct", "keep"),
}
"""By part and field: a slow choice, and the fast one that replaces it in a baseline."""


@dataclass(frozen=True, init=False)
class Recipe(Displayable):
    """How to compress a model's weights; a part that is None does nothing.

    Weights are trained with pruning masks and rounding applied, then pruned, factorized, shared or
    quantized, and encoded. A tensor whose weights share values is not quantized.

    Parameters
    ----------
    *parts
        The parts in any order.
    structure, prune, factorize, share, quantize, activations, adjust, train
        A part by keyword instead.

    Raises
    ------
    RecipeError
        If a value is not allowed, a part is given twice, or two parts cannot be combined.

    Examples
    --------
    >>> Recipe(Quantize(4), Prune(0.9)) == Recipe(prune=Prune(0.9), quantize=Quantize(4))
    True
    >>> Recipe.from_json('{"prune": {"sparsity": 0.9}, "quantize": {"bits": 4}}')
    Recipe(prune={'sparsity': 0.9}, quantize={'bits': 4})
    """

    _plots = "recipe"

    prune: Prune | None = None
    quantize: Quantize | None = None
    train: Train | None = None
    share: Share | None = None
    factorize: Factorize | None = None
    structure: Structure | None = None
    activations: Activations | None = None
    adjust: Adjust | None = None

    def __init__(
        self,
        *parts: Part,
        prune: Prune | None = None,
        quantize: Quantize | None = None,
        train: Train | None = None,
        share: Share | None = None,
        factorize: Factorize | None = None,
        structure: Structure | None = None,
        activations: Activations | None = None,
        adjust: Adjust | None = None,
    ) -> None:
        given: dict[str, Any] = {
            "prune": prune,
            "quantize": quantize,
            "train": train,
            "share": share,
            "factorize": factorize,
            "structure": structure,
            "activations": activations,
            "adjust": adjust,
        }
        for part in parts:
            key = _key_of(part)
            if given[key] is not None:
                raise RecipeError(
                    f"The recipe has the part {key} twice: give it once.",
                    code="recipe.duplicate_part",
                )
            given[key] = part
        for key, value in given.items():
            part = _part_from(key, value) if isinstance(value, Mapping) else value
            if part is not None and not isinstance(part, PARTS[key]):
                raise _not_settings(key, value)
            object.__setattr__(self, key, part)
        if self.train is not None:
            self._check_training(self.train)

    def _check_training(self, train: Train) -> None:
        if train.start == "scratch" and self._needs_calibration:
            raise RecipeError(
                "Calibration statistics describe the trained weights, not weights trained from "
                "scratch: train from the trained weights, or prune by magnitude, round to the "
                "nearest and do not quantize activations.",
                code="recipe.calibration_from_scratch",
            )
        if train.start == "trained" and (train.width, train.left_out) != (1.0, 0):
            raise RecipeError(
                "The width and depth of trained weights are fixed: train from scratch to change "
                "them.",
                code="recipe.resized_trained_weights",
            )
        if train.labels < 1 and self._needs_gradients:
            raise RecipeError(
                "Gradients are computed from the labels of all calibration examples, so that a "
                "share of labels would not hold: choose another criterion, or all labels.",
                code="recipe.gradients_with_few_labels",
            )
        if self.factorize is not None:
            raise RecipeError(
                "Factors cannot be trained yet: remove factorize or train.",
                code="recipe.trained_factors",
            )
        if self._compensates and train.rounding != "afterwards":
            raise RecipeError(
                "Compensated rounding comes after training: set train.rounding to afterwards, or "
                "quantize.rounding to nearest.",
                code="recipe.rounded_in_training",
            )

    @property
    def _needs_calibration(self) -> bool:
        """Whether a method needs statistics of the weights before compression."""
        return (
            (self.prune is not None and self.prune.criterion in DATA_DRIVEN)
            or (self.structure is not None and self.structure.criterion in DATA_DRIVEN)
            or (self.factorize is not None and self.factorize.aim in OUTPUT_AIMS)
            or self._compensates
            or self.quantizes_activations
        )

    @property
    def _needs_gradients(self) -> bool:
        """Whether a criterion uses gradients of the loss, and so the labels."""
        parts = (self.prune, self.structure)
        return any(part is not None and part.criterion in NEEDS_GRADIENTS for part in parts)

    def prunes(self, name: str) -> bool:
        """Whether the tensor `name` is pruned."""
        return self.prune is not None and self.prune.sparsity_of(name) > 0

    @property
    def folds(self) -> bool:
        """Whether batch norm is folded into the layers before it."""
        return self.adjust is not None and self.adjust.batch_norm == "fold"

    @property
    def equalizes(self) -> bool:
        """Whether channel ranges are equalized across layers before compression."""
        return self.adjust is not None and self.adjust.equalize == "pairs"

    @property
    def recalibrates(self) -> bool:
        """Whether batch norm is recalibrated on the compressed weights."""
        return self.adjust is not None and self.adjust.batch_norm == "recalibrate"

    @property
    def corrects(self) -> bool:
        """Whether biases are corrected for the mean error of each output."""
        return self.adjust is not None and self.adjust.biases == "correct"

    @property
    def quantizes_activations(self) -> bool:
        """Whether the inputs of layers are quantized."""
        return self.activations is not None and self.activations.bits < 32

    @property
    def needs_post_calibration(self) -> bool:
        """Whether something is calibrated on the compressed weights before the file is written."""
        return self.recalibrates or self.corrects or self.quantizes_activations

    @property
    def _compensates(self) -> bool:
        return self.quantize is not None and self.quantize.rounding in COMPENSATED

    def __repr__(self) -> str:
        inside = ", ".join(f"{key}={value!r}" for key, value in self.as_dict().items())
        return f"Recipe({inside})"

    def as_dict(self) -> dict[str, dict[str, Any]]:
        """Return nested plain data: the first field of each part, and all that are not defaults."""
        out: dict[str, dict[str, Any]] = {}
        for key in PARTS:
            part = getattr(self, key)
            if part is not None:
                out[key] = {
                    name: _to_json_value(value) for name, value in written_fields(part).items()
                }
        return out

    def to_json(self) -> str:
        """Return canonical compact JSON; equal recipes give equal text."""
        return json.dumps(self.as_dict(), separators=(",", ":"))

    @property
    def digest(self) -> str:
        """The SHA-256 of the canonical JSON, in hexadecimal."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    @classmethod
    def from_json(cls, source: str | bytes | Mapping[str, Any]) -> Recipe:
        """Read a recipe from JSON text or plain data.

        Raises
        ------
        RecipeError
            If it is not a JSON object, or has an unknown key or an invalid value.
        """
        if isinstance(source, Mapping):
            data: Any = source
        else:
            try:
                data = json.loads(source, object_pairs_hook=_unique_keys)
            except RecipeError:  # a duplicate key; it is also a ValueError
                raise
            except (TypeError, ValueError, RecursionError) as error:
                raise RecipeError(
                    f"The recipe is not valid JSON: {error}.", code="recipe.invalid_json"
                ) from None
        if not isinstance(data, Mapping):
            raise RecipeError(
                'A recipe must be a JSON object such as {"prune": {"sparsity": 0.9}}.',
                code="recipe.not_an_object",
            )
        _check_keys(data, PARTS, "The recipe")
        return cls(**{k: None if v is None else _part_from(k, v) for k, v in data.items()})

    @property
    def untrained(self) -> Recipe:
        """The same recipe without training."""
        return replace(self, train=None)

    @property
    def baseline(self) -> Recipe:
        """The recipe with the slow choices of `BASELINES` replaced; itself if it has none.

        Second-order criteria become magnitude or group norm, compensated rounding becomes nearest,
        batch norm and biases stay unchanged. Everything else stays, also first-order criteria,
        equalization and training.
        """
        changed: dict[str, Any] = {}
        for (key, field), (slow, fast) in BASELINES.items():
            part = changed.get(key, getattr(self, key))
            if getattr(part, field, None) == slow:
                changed[key] = replace(part, **{field: fast})
        return replace(self, **changed) if changed else self

    def check_names(self, names: Iterable[str], others: Collection[str] = ()) -> None:
        """Raise `RecipeError` unless the recipe fits a model with the compressible tensors `names`.

        It must not name other tensors, nor both prune and factorize one. Each pattern must match a
        tensor. Lists of excluded tensors may also name `others`, which stay as they are anyway.
        """
        known = dict.fromkeys(names)
        for name in known if self.factorize else ():
            if self.prunes(name) and self.factorize and self.factorize.kept_fraction(name) < 1:
                raise RecipeError(
                    f"{name} would be pruned and then factorized, but the factors of a sparse "
                    "matrix are dense: exclude it from one of the two.",
                    code="recipe.pruned_and_factorized",
                )
        for key, field, name in self._layer_names():
            if names_any(name, known) or (field == "exclude" and names_any(name, others)):
                continue
            raise unknown_layer(f"{key}.{field}", name, tuple(known), others)

    def expanded(self, names: Iterable[str]) -> Recipe:
        """Return the same recipe for a model with the tensors `names`, without patterns."""
        known = tuple(names)
        changed: dict[str, Any] = {}
        for key in {key for key, _field, name in self._layer_names() if is_pattern(name)}:
            part = getattr(self, key)
            fields: dict[str, Any] = {}
            for field in specs(part):
                value = getattr(part, field.name)
                if field.kind == "names":
                    fields[field.name] = [name for name in known if name in value]
                elif field.kind == "layers":
                    fields[field.name] = {name: value[name] for name in known if name in value}
            changed[key] = replace(part, **fields)
        return replace(self, **changed) if changed else self

    def _layer_names(self) -> Iterator[tuple[str, str, str]]:
        """Yield the part, the field and the text of each name or pattern of layers."""
        for key in PARTS:
            part = getattr(self, key)
            for field in specs(part) if part is not None else ():
                if field.kind in ("layers", "names"):
                    for name in getattr(part, field.name):
                        yield key, field.name, name


def written_fields(part: Part) -> dict[str, Any]:
    """Return the fields of a part that JSON contains: the first, and all that are not defaults."""
    omitted = part.omitted_default if isinstance(part, Prune) else lambda name: None
    written = {}
    for position, field in enumerate(fields(part)):
        value = getattr(part, field.name)
        if position == 0 or value not in (field.default, omitted(field.name)):
            written[field.name] = value
    return written


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Raise `RecipeError` for a duplicate key, which `json` would silently drop."""
    out: dict[str, Any] = {}
    for key, value in pairs:
        if key in out:
            raise RecipeError(
                f"The recipe has the key {brief(key)} twice: remove one.",
                code="recipe.duplicate_key",
            )
        out[key] = value
    return out


def _part_from(key: str, data: Any) -> Any:
    if not isinstance(data, Mapping):
        raise _not_settings(key, data)
    part = PARTS[key]
    _check_keys(data, [field.name for field in specs(part)], key)
    return part(**data)


def _key_of(part: Any) -> str:
    for key, kind in PARTS.items():
        if isinstance(part, kind):
            return key
    raise RecipeError(
        f"Pass parts of a recipe, such as wb.Prune(0.5), not {brief(part)}.",
        code="recipe.not_a_part",
    )


def _not_settings(key: str, value: Any) -> RecipeError:
    return RecipeError(
        f"{key} must be an object of settings, not {brief(value)}.", code="recipe.not_an_object"
    )


def _check_keys(data: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    names = list(known)
    for name in data:
        if name not in names:
            raise RecipeError(
                f"{where} has no key {brief(name)}: choose from {', '.join(names)}.",
                code="recipe.unknown_key",
            )


def _to_json_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value
