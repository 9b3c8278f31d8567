"""What goes into a training run, what it tells on the way, and what it leaves: plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.training.running_metric import RunningMetric, Sample

if TYPE_CHECKING:
    from torch import Tensor, nn

    from workbench.artifact.module_spec import InputQParams
    from workbench.calibration.prepare import PreparedNetwork
    from workbench.compression.qparams import QParams
    from workbench.compression.roles import Roles
    from workbench.training.teacher import Teacher


@dataclass(frozen=True)
class TrainingSetup:
    """What there is to learn from, and where it starts.

    `module` runs on weights from outside and belongs to the run alone; `ready` has its parameters
    and buffers by name, never written to, and what is known of them; `roles` say which of them
    recipes compress. `examples` and `labels` are those of the training split as it is stored, and
    `inputs` turns some examples into what the module takes. `held_out` are the examples by which
    early stopping judges, and `input_grids` those that the inputs of layers are rounded to, by
    path. `objective` is a user's loss, and `gauge` what batches are measured by. Where it is
    `quick`, the module takes tensors with channels last; where it `stacks`, several copies of it
    can be trained as one. `counts` is how much each example counts in the loss, float32 [n], and
    `augment` a function that changes the inputs of each step.
    """

    module: nn.Module
    prepared: PreparedNetwork
    roles: Roles
    examples: Any
    labels: Any
    inputs: Callable[[Any], Any]
    teacher: Teacher | None = None
    input_qparams: Mapping[str, InputQParams] = field(default_factory=dict)
    held_out: Sample | None = None
    objective: Callable[..., Tensor] | None = None
    running_metric: RunningMetric = field(default_factory=RunningMetric)
    quick: bool = True
    supports_stacking: bool = True
    counts: Tensor | None = None
    augment: Callable[[Any], Any] | None = None

    @property
    def weights(self) -> Mapping[str, Tensor]:
        """Where training starts."""
        return self.prepared.weights


@dataclass(frozen=True)
class TrainingStep:
    """How far a run is: after `step` of `steps`, the loss and figure of the last batch.

    `value` is the figure of the task's metric, not a number where that wants more than a batch.
    `seconds` and `examples` count all steps so far, those before a kill included; `over` says
    that no more follow.
    """

    step: int
    steps: int
    loss: float
    value: float
    learning_rate: float
    sparsity: float
    seconds: float
    examples: int
    batch: int
    over: bool

    @property
    def examples_per_second(self) -> float:
        """The pace so far."""
        return self.examples / self.seconds if self.seconds else 0.0

    @property
    def seconds_left(self) -> float:
        """The time left at this pace."""
        here = self.examples / self.batch
        return self.seconds / here * (self.steps - self.step) if here else 0.0


@dataclass(frozen=True)
class TrainingResult:
    """What a run leaves: plain tensors, with the masks and quantisers that belong to them.

    `steps` is how many were taken, and early stopping may have gone back to weights before them.
    """

    weights: dict[str, Tensor]
    kept: dict[str, Tensor]
    qparams: dict[str, list[QParams]]
    seconds: float
    examples: int
    steps: int
