"""The choices of a parallel training run, as plain data that is readable without torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from workbench.errors import InputError
from workbench.i18n import mark
from workbench.parallel.link import MEGABYTE, Link
from workbench.recipe.schema import brief

MAX_RANKS = 4
STRATEGIES = {
    "data": mark("Data parallel"),
    "zero1": mark("Sharded optimizer (ZeRO-1)"),
    "zero2": mark("Sharded gradients (ZeRO-2)"),
    "zero3": mark("Sharded weights (ZeRO-3)"),
    "tensor": mark("Tensor parallel"),
    "pipeline": mark("Pipeline parallel"),
}
SYNCHRONIZATIONS = {
    "every_step": mark("every step"),
    "every_k": mark("every k steps"),
    "never": mark("never"),
    "shared": mark("shared weights, no lock"),
    "shared_locked": mark("shared weights, with a lock"),
}
WEIGHTINGS = {"examples": mark("by examples"), "ranks": mark("mean of means")}
SCHEDULES = {
    "gpipe": mark("GPipe"),
    "1f1b": mark("1F1B"),
    "interleaved": mark("interleaved 1F1B"),
}
NORMS = {"fixed": mark("fixed statistics"), "per_rank": mark("per rank")}
OPTIMIZERS = {"adam": mark("Adam"), "sgd": mark("SGD")}
STARTS = {"scratch": mark("new weights"), "trained": mark("trained weights")}
CHOICES: Mapping[str, Mapping[str, str]] = {
    "strategy": STRATEGIES,
    "sync": SYNCHRONIZATIONS,
    "weighting": WEIGHTINGS,
    "schedule": SCHEDULES,
    "batch_norm": NORMS,
    "optimizer": OPTIMIZERS,
    "start": STARTS,
}
BOUNDS = {
    "ranks": (1, MAX_RANKS),
    "every": (1, 10_000),
    "steps": (1, 10_000),
    "batch": (1, 4_096),
    "microbatches": (1, 64),
    "machines": (1, 2),
    "seed": (0, 2**31 - 1),
    "latency_ms": (0.0, 1_000.0),
    "bandwidth": (0.0, 100_000.0),
    "learning_rate": (0.0, 10.0),
    "limit": (1.0, 3_600.0),
}
"""The allowed range of each number. 0 means for the bandwidth "not simulated", and for the learning
rate "that of the model's training plan"."""


@dataclass(frozen=True)
class Plan:
    """How a training run is spread over ranks.

    Attributes
    ----------
    strategy : str
        ``data``, ``zero1``, ``zero2``, ``zero3``, ``tensor`` or ``pipeline``.
    ranks : int
        The number of processes, 1 to 4.
    sync : str
        When replicas of the ``data`` strategy are synchronized: ``every_step``, ``every_k``,
        ``never``; or ``shared`` and ``shared_locked``, where all ranks update the same weights.
    every : int
        The steps between two averages of the weights, for ``every_k``.
    shards : tuple of int
        The examples of each rank in a step; empty for equal shards.
    weighting : str
        ``examples`` gives each example the same weight in the gradient. ``ranks`` gives each rank
        the same weight, which is the mean of means.
    batch_norm : str
        ``fixed`` uses the running statistics as constants; ``per_rank`` normalizes with the
        statistics of the examples that the rank sees.
    steps, batch : int
        Optimizer steps, and examples per step over all ranks.
    optimizer, learning_rate, seed, start
        As in training on one process; the start is ``scratch`` or ``trained``.
    schedule, microbatches
        Of a pipeline: ``gpipe``, ``1f1b`` or ``interleaved``, and the parts of a batch.
    machines : int
        2 spreads the ranks over two loopback addresses, as on two machines.
    latency_ms, bandwidth : float
        A simulated link: milliseconds per message and MB/s, added as a delay inside the wrapper of
        all collectives. 0 adds none.
    limit : float
        Seconds without any event after which the run ends with an error.
    """

    strategy: str = "data"
    ranks: int = 2
    sync: str = "every_step"
    every: int = 8
    shards: tuple[int, ...] = ()
    weighting: str = "examples"
    batch_norm: str = "fixed"
    steps: int = 40
    batch: int = 64
    optimizer: str = "adam"
    learning_rate: float = 0.0
    seed: int = 0
    start: str = "scratch"
    schedule: str = "1f1b"
    microbatches: int = 4
    machines: int = 1
    latency_ms: float = 0.0
    bandwidth: float = 0.0
    limit: float = 60.0

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            value = getattr(self, name)
            if not isinstance(value, str) or value not in choices:
                raise InputError(
                    f"{name} must be one of {', '.join(choices)}, not {brief(value)}.",
                    code="parallel.unknown_choice",
                )
        for name, bounds in BOUNDS.items():
            _check_number(name, getattr(self, name), *bounds)
        object.__setattr__(self, "shards", _checked_shards(self.shards, self))
        self._check_combination()

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Plan:
        """Return the plan of keyword arguments or of JSON.

        Raises
        ------
        InputError
            If a name is unknown or a value is not allowed.
        """
        known = {field.name for field in fields(cls)}
        unknown = [name for name in values if name not in known]
        if unknown:
            raise InputError(
                f"There is no setting {unknown[0]!r}; choose among {', '.join(sorted(known))}.",
                code="parallel.unknown_setting",
            )
        return cls(**values)

    def as_dict(self) -> dict[str, Any]:
        """Return the plan as JSON types."""
        return asdict(self) | {"shards": list(self.shards)}

    @property
    def sizes(self) -> tuple[int, ...]:
        """The examples of each rank in a step, for strategies that split the batch."""
        if self.shards:
            return self.shards
        quotient, rest = divmod(self.batch, self.ranks)
        return tuple(quotient + (rank < rest) for rank in range(self.ranks))

    @property
    def splits_batch(self) -> bool:
        """Whether ranks see different examples; tensor and pipeline ranks all see the same ones."""
        return self.strategy not in ("tensor", "pipeline")

    @property
    def synchronized(self) -> bool:
        """Whether the weights of all ranks are equal after each step."""
        return self.sync == "every_step" or self.ranks == 1

    @property
    def shares_weights(self) -> bool:
        """Whether all ranks update the same weights in shared memory."""
        return self.sync in ("shared", "shared_locked")

    @property
    def link(self) -> Link:
        """The simulated link; without delays if none is set."""
        return Link(self.latency_ms / 1e3, self.bandwidth * MEGABYTE)

    def _check_combination(self) -> None:
        if self.strategy != "data" and self.sync != "every_step":
            raise InputError(
                f"Ranks of the strategy {self.strategy} hold parts of one network, so they must "
                "synchronize at every step; use sync='every_step', or strategy='data'.",
                code="parallel.sync_needs_replicas",
            )
        if not self.splits_batch and self.batch_norm == "per_rank":
            raise InputError(
                f"Batch norm per rank needs ranks that see different examples, but those of the "
                f"strategy {self.strategy} share them; use batch_norm='fixed'.",
                code="parallel.norms_need_replicas",
            )
        if self.splits_batch and self.batch < self.ranks:
            raise InputError(
                f"A batch of {self.batch} examples cannot be split over {self.ranks} ranks; use a "
                "larger batch.",
                code="parallel.batch_too_small",
            )
        if self.strategy == "pipeline" and self.microbatches > self.batch:
            raise InputError(
                f"A batch of {self.batch} examples cannot be split into {self.microbatches} "
                "microbatches; use fewer microbatches or a larger batch.",
                code="parallel.batch_too_small",
            )
        if self.schedule == "interleaved" and self.microbatches % self.ranks:
            raise InputError(
                f"The interleaved schedule needs a number of microbatches that is a multiple of "
                f"the {self.ranks} ranks, not {self.microbatches}.",
                code="parallel.microbatches_not_a_multiple",
            )
        if self.machines > self.ranks:
            raise InputError(
                f"{self.machines} machines need at least {self.machines} ranks.",
                code="parallel.too_few_ranks",
            )


def _check_number(name: str, value: Any, low: float, high: float) -> None:
    integral = isinstance(low, int)
    number = isinstance(value, int if integral else int | float) and not isinstance(value, bool)
    if not number or not low <= value <= high:
        kind = "an integer" if integral else "a number"
        least, most = (low, high) if integral else (f"{low:g}", f"{high:g}")
        raise InputError(
            f"{name} must be {kind} from {least} to {most}, not {brief(value)}.",
            code="parallel.out_of_range",
        )


def _checked_shards(shards: Any, plan: Plan) -> tuple[int, ...]:
    sizes = shards if isinstance(shards, Sequence) and not isinstance(shards, str) else (None,)
    if all(isinstance(size, int) and size >= 1 for size in sizes):
        if sizes and not plan.splits_batch:
            raise InputError(
                f"Ranks of the strategy {plan.strategy} share the examples of a step, so there are "
                "no shards; leave out shards, or use strategy='data' or 'zero3'.",
                code="parallel.shards_need_replicas",
            )
        if not sizes or (len(sizes) == plan.ranks and sum(sizes) == plan.batch):
            return tuple(sizes)
    raise InputError(
        f"shards must hold {plan.ranks} positive integers that add up to the batch of "
        f"{plan.batch}, not {brief(shards)}.",
        code="parallel.invalid_shards",
    )
