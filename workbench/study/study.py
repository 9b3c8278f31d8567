"""The description of a study: frozen plain data with a digest."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from workbench.deploy.target import Target
from workbench.domain import Model
from workbench.errors import InputError
from workbench.recipe.schema import brief
from workbench.study.objectives import DEFAULT, checked_objectives, checked_target
from workbench.study.space import Space
from workbench.validation import expect_count, expect_model

VERSION = 2
"""Incremented when equal descriptions no longer give equal trials."""

SAMPLER_NAMES = ("grid", "sobol", "surrogate", "evolution", "directed", "by_layer", "tpe")
BYTES_ONLY = ("directed", "by_layer")
"""Samplers that aim at a size of the file."""


@dataclass(frozen=True)
class Study:
    """Which recipes of a model are measured, in which order.

    Equal studies propose equal recipes: it holds everything that the proposals depend on, and
    `digest` identifies it.

    Attributes
    ----------
    model : str
        The name of the model.
    identity : tuple of str
        Digests of its weights, code and data.
    space : Space
        The recipes.
    sampler : str
        How recipes are chosen: ``grid``, ``sobol``, ``surrogate`` (by the expected gain of
        hypervolume), ``evolution``, ``directed`` (toward the limits), ``by_layer`` (bits of layers)
        or, with Optuna, ``tpe``.
    recipes : int or None
        How many recipes are measured at most; None for all of the space.
    max_bytes : int or None
        Recipes with larger files are not evaluated.
    min_value : float or None
        The value of the metric that the directed sampler keeps.
    seed : int
        Of the sampler.
    batch : int
        How many recipes are proposed at a time and compared with the same rivals, so that trials do
        not depend on timing. At most this many are measured at the same time.
    objectives : tuple of str
        The costs that are weighed against the metric: any of ``bytes``, ``latency`` and ``energy``,
        both of one example. With others than bytes alone, every file is evaluated in full and then
        timed, because a smaller file that is better may be slower. A latency is the time of the
        fastest of repeated calls.
    target : Target, str or None
        Where latency and energy are measured: an inference runtime or its name, or PyTorch on one
        thread of this process.

    Raises
    ------
    InputError
        If a value is not possible.
    """

    model: str
    identity: tuple[str, ...]
    space: Space
    sampler: str = "surrogate"
    recipes: int | None = None
    max_bytes: int | None = None
    min_value: float | None = None
    seed: int = 0
    batch: int = 4
    objectives: tuple[str, ...] = DEFAULT
    target: Target | None = None

    def __post_init__(self) -> None:
        if self.sampler not in SAMPLER_NAMES:
            raise InputError(
                f"There is no sampler {self.sampler!r}: choose one of {', '.join(SAMPLER_NAMES)}.",
                code="study.unknown_sampler",
            )
        if not isinstance(self.space, Space):
            raise InputError(
                f"Pass a space, such as Space({{'quantize.bits': [4, 8]}}), not "
                f"{brief(self.space)}.",
                code="study.not_a_space",
            )
        expect_count(self.seed, "The seed", 0)
        object.__setattr__(self, "batch", expect_count(self.batch, "batch"))
        for name, value in (("recipes", self.recipes), ("max_bytes", self.max_bytes)):
            if value is not None:
                object.__setattr__(self, name, expect_count(value, name))
        object.__setattr__(self, "objectives", checked_objectives(self.objectives))
        object.__setattr__(self, "target", checked_target(self.target, self.objectives))
        if self.is_timed and self.sampler in BYTES_ONLY:
            others = [name for name in SAMPLER_NAMES if name not in BYTES_ONLY]
            raise InputError(
                f"The sampler {self.sampler} aims at a size of the file, so its only objective is "
                f"bytes: choose one of {', '.join(others)}.",
                code="study.bytes_only",
            )

    @property
    def is_timed(self) -> bool:
        """Whether files are timed: latency or energy is an objective."""
        return self.objectives != DEFAULT

    @classmethod
    def of(cls, model: Model, space: Space, **settings: Any) -> Study:
        """Return the study of a model; `settings` are the other fields.

        Examples
        --------
        >>> import workbench as wb
        >>> from workbench.study import Space, Study
        >>> space = Space({"quantize.bits": [2, 4, 8]})
        >>> Study.of(wb.model("fashion/lenet5"), space, sampler="grid").model
        'fashion/lenet5'
        """
        identity = expect_model(model).identity
        return cls(model.name, identity, space, **settings)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON; objectives only if they are others than bytes alone."""
        data: dict[str, Any] = {
            "version": VERSION,
            "model": self.model,
            "identity": list(self.identity),
            "space": self.space.as_dict(),
            "sampler": self.sampler,
            "recipes": self.recipes,
            "max_bytes": self.max_bytes,
            "min_value": self.min_value,
            "seed": self.seed,
            "batch": self.batch,
        }
        if not self.is_timed:
            return data
        target = None if self.target is None else self.target.as_dict()
        return data | {"objectives": list(self.objectives), "target": target}

    @property
    def digest(self) -> str:
        """The SHA-256 of the description, in hexadecimal."""
        text = json.dumps(self.as_dict(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()
