"""The recipe: everything a person chose, as immutable plain data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from random import Random
from typing import Any

from workbench.errors import RecipeError
from workbench.recipe.activations import Activations
from workbench.recipe.adjust import Adjust
from workbench.recipe.factorize import OUTPUT_AIMS, Factorize
from workbench.recipe.prune import NEEDS_COVARIANCE, NEEDS_GRADIENTS, Prune
from workbench.recipe.quantize import COMPENSATED, Quantize
from workbench.recipe.schema import brief, specs
from workbench.recipe.share import Share
from workbench.recipe.structure import Structure
from workbench.recipe.train import Train

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
"""The parts of a recipe by key, in the fixed order in which they are written."""

INFORMED = NEEDS_GRADIENTS | NEEDS_COVARIANCE
"""The criteria that rest on calibration data."""

PLAIN: dict[tuple[str, str], tuple[str, str]] = {
    ("structure", "criterion"): ("curvature", "group norm"),
    ("prune", "criterion"): ("curvature", "magnitude"),
    ("quantize", "rounding"): ("compensated", "nearest"),
    ("adjust", "batch_norm"): ("recalibrate", "keep"),
    ("adjust", "biases"): ("correct", "keep"),
}
"""Of a part's field, a choice that takes a while, and the plain one that it improves upon."""

CHANCE: dict[type[Part], float] = {
    Structure: 0.3,
    Share: 0.3,
    Factorize: 0.2,
    Activations: 0.3,
    Adjust: 0.3,
    Train: 0.2,
}
"""How likely a drawn recipe has a part, where that is not most likely."""


@dataclass(frozen=True)
class Recipe:
    """What to do to a model's weights; a part that is None leaves them alone.

    Weights are trained, if at all, with their zeros held and their rounding in place, and then
    pruned, given shared values or quantised, and coded. A tensor whose weights share values is not
    quantised.

    Raises `RecipeError` when a part holds a value that its schema does not allow.

    >>> Recipe.from_json('{"prune": {"sparsity": 0.9}, "quantize": {"bits": 4}}')
    Recipe(prune={'sparsity': 0.9}, quantize={'bits': 4})
    """

    prune: Prune | None = None
    quantize: Quantize | None = None
    train: Train | None = None
    share: Share | None = None
    factorize: Factorize | None = None
    structure: Structure | None = None
    activations: Activations | None = None
    adjust: Adjust | None = None

    def __post_init__(self) -> None:
        for key, part in PARTS.items():
            value = getattr(self, key)
            if isinstance(value, Mapping):
                object.__setattr__(self, key, _part(key, value))
            elif value is not None and not isinstance(value, part):
                raise RecipeError(f"{key} must be an object of settings, not {brief(value)}.")

        if self._is_groundless:
            raise RecipeError(
                "Gradients and layer inputs are those of the trained weights: train from the "
                "trained weights, or prune by magnitude, round to the nearest, and leave "
                "activations alone."
            )
        if self._reshapes_the_trained:
            raise RecipeError(
                "Trained weights have their own width and depth: train from scratch to change them."
            )
        if self.factorize is not None and self.train is not None:
            raise RecipeError(
                "Factors cannot be trained yet: leave out factorize, or train without it."
            )
        if self._rounds_twice:
            raise RecipeError(
                "Compensated rounding comes after training: train with the rounding afterwards, or "
                "round to the nearest."
            )

    @property
    def _is_groundless(self) -> bool:
        """Whether fresh weights would be pruned by what is known of the trained ones."""
        fresh = self.train is not None and self.train.start == "scratch"
        informed = (
            self.prune is not None and self.prune.criterion in INFORMED,
            self.structure is not None and self.structure.criterion in INFORMED,
            self.factorize is not None and self.factorize.aim in OUTPUT_AIMS,
            self._compensates,
            self.quantizes_activations,
        )
        return fresh and any(informed)

    @property
    def _reshapes_the_trained(self) -> bool:
        """Whether weights that are there would have to fit another network."""
        train = self.train
        return (
            train is not None
            and train.start == "trained"
            and (train.width, train.left_out) != (1.0, 0)
        )

    def prunes(self, name: str) -> bool:
        """Whether the tensor called `name` may lose weights."""
        return self.prune is not None and self.prune.sparsity_of(name) > 0

    @property
    def folds(self) -> bool:
        """Whether batch norm becomes part of the layers before it."""
        return self.adjust is not None and self.adjust.batch_norm == "fold"

    @property
    def equalizes(self) -> bool:
        """Whether the ranges of layers are evened out before they are compressed."""
        return self.adjust is not None and self.adjust.equalize == "pairs"

    @property
    def recalibrates(self) -> bool:
        """Whether batch norm is measured anew on the compressed weights."""
        return self.adjust is not None and self.adjust.batch_norm == "recalibrate"

    @property
    def corrects(self) -> bool:
        """Whether biases make good for a mean error."""
        return self.adjust is not None and self.adjust.biases == "correct"

    @property
    def quantizes_activations(self) -> bool:
        """Whether the inputs of layers are rounded to few bits."""
        return self.activations is not None and self.activations.bits < 32

    @property
    def needs_post_calibration(self) -> bool:
        """Whether anything is measured on the compressed weights before the file is made."""
        return self.recalibrates or self.corrects or self.quantizes_activations

    @property
    def _compensates(self) -> bool:
        return self.quantize is not None and self.quantize.rounding in COMPENSATED

    @property
    def _rounds_twice(self) -> bool:
        """Whether weights would be rounded in training and otherwise after it."""
        return self._compensates and self.train is not None and self.train.rounding != "afterwards"

    def __repr__(self) -> str:
        inside = ", ".join(f"{key}={value!r}" for key, value in self.as_dict().items())
        return f"Recipe({inside})"

    def as_dict(self) -> dict[str, dict[str, Any]]:
        """Return nested plain data: of each part the first field, and what is not its default."""
        out: dict[str, dict[str, Any]] = {}
        for key in PARTS:
            part = getattr(self, key)
            if part is not None:
                out[key] = {name: _plain(value) for name, value in written_fields(part).items()}
        return out

    def to_json(self) -> str:
        """Return the canonical compact JSON text: equal recipes give equal text."""
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
            When it is not JSON, not an object, or holds an unknown key or a value out of range.
        """
        if isinstance(source, Mapping):
            data: Any = source
        else:
            try:
                data = json.loads(source, object_pairs_hook=_once)
            except (TypeError, ValueError, RecursionError) as error:
                raise RecipeError(f"The recipe is not valid JSON: {error}.") from None
        if not isinstance(data, Mapping):
            raise RecipeError('A recipe is a JSON object such as {"prune": {"sparsity": 0.9}}.')
        _refuse_unknown(data, PARTS, "the recipe")
        return cls(**{k: None if v is None else _part(k, v) for k, v in data.items()})

    @classmethod
    def draw(cls, rng: Random, names: Iterable[str]) -> Recipe:
        """Return a random recipe over the whole schema, extremes included, for tensors `names`."""
        names = list(names)
        chosen: dict[str, Any] = {}
        for key, part in PARTS.items():
            if rng.random() < CHANCE.get(part, 0.85):
                chosen[key] = {field.name: field.draw(rng, names) for field in specs(part)}
        informed = any(
            chosen.get(part, {}).get("criterion") in INFORMED for part in ("prune", "structure")
        )
        compensated = chosen.get("quantize", {}).get("rounding") in COMPENSATED
        if "train" in chosen and (informed or compensated or "activations" in chosen):
            chosen["train"]["start"] = "trained"  # the only start that goes with evidence
        if "train" in chosen and compensated:
            chosen["train"]["rounding"] = "afterwards"
        if chosen.get("train", {}).get("start") == "trained":
            chosen["train"]["width"] = 1.0  # trained weights have their own
        if "structure" in chosen:  # coupled layers may not have shares of their own
            layers = chosen["structure"]["layers"]
            chosen["structure"]["layers"] = dict(list(layers.items())[:1])
        if "factorize" in chosen:
            chosen.pop(rng.choice(["prune", "factorize"]), None)  # for one tensor they exclude
        if "factorize" in chosen:
            chosen.pop("train", None)
        return cls.from_json(chosen)

    @property
    def untrained(self) -> Recipe:
        """The same recipe without training."""
        return replace(self, train=None)

    @property
    def baseline(self) -> Recipe:
        """The same recipe without what takes a while to make good for errors, or the recipe itself.

        Second-order criteria become those of size, rounding goes to the nearest value, and what is
        measured on the compressed weights stays as it was.
        """
        changed: dict[str, Any] = {}
        for (key, field), (slow, quick) in PLAIN.items():
            part = changed.get(key, getattr(self, key))
            if getattr(part, field, None) == slow:
                changed[key] = replace(part, **{field: quick})
        return replace(self, **changed) if changed else self

    def check_names(self, names: Iterable[str]) -> None:
        """Raise `RecipeError` where the recipe does not fit a model with the tensors `names`.

        It may name none but those, and must not both prune and factor one.
        """
        known = list(names)
        for name in known:
            if self.prunes(name) and self.factorize and self.factorize.kept_fraction(name) < 1:
                raise RecipeError(
                    f"{name} would be pruned and then factored, and the factors of a sparse matrix "
                    "are dense: exclude it from one of the two."
                )
        for key in PARTS:
            part = getattr(self, key)
            for field in specs(part) if part is not None else ():
                if field.kind in ("layers", "names"):
                    for name in getattr(part, field.name):
                        if name not in known:
                            close = get_close_matches(name, known, 1) or known[:3]
                            raise RecipeError(
                                f"{key}.{field.name} names {name!r}, which this model does not"
                                f" have: try {', '.join(close)}."
                            )


def written_fields(part: Part) -> dict[str, Any]:
    """Return the fields of a part that a text names: the first, and what is not its default."""
    unsaid = part.omitted_default if isinstance(part, Prune) else lambda name: None
    found = {}
    for position, field in enumerate(fields(part)):
        value = getattr(part, field.name)
        if position == 0 or value not in (field.default, unsaid(field.name)):
            found[field.name] = value
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse an object that gives a key twice, of which one would silently be lost."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise RecipeError(f"The recipe gives {brief(key)} twice: leave one out.")
        found[key] = value
    return found


def _part(key: str, data: Any) -> Any:
    if not isinstance(data, Mapping):
        raise RecipeError(f"{key} must be an object of settings, not {brief(data)}.")
    part = PARTS[key]
    _refuse_unknown(data, [field.name for field in specs(part)], key)
    return part(**data)


def _refuse_unknown(data: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    names = list(known)
    for name in data:
        if name not in names:
            raise RecipeError(f"{where} has no key {brief(name)}: choose from {', '.join(names)}.")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value
