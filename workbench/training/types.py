"""Data types of training: the setup of a run, the event after each step, and the result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.profiling.energy.energy import Energy
from workbench.training.running_metric import RunningMetric, Sample

if TYPE_CHECKING:
    from torch import Tensor, nn

    from workbench.artifact.artifact import Artifact
    from workbench.artifact.module_spec import InputQParams
    from workbench.calibration.structure import PreparedNetwork
    from workbench.compression.qparams import QParams
    from workbench.compression.roles import Roles
    from workbench.training.teacher import Teacher


@dataclass(frozen=True)
class TrainingSetup:
    """Everything a training run needs in addition to its recipe.

    Attributes
    ----------
    module : nn.Module
        Used by this run only. It runs on weights that are passed in.
    prepared : PreparedNetwork
        Initial parameters and buffers by name, never modified, and their calibration statistics.
    roles : Roles
        Which tensors a recipe compresses.
    examples, labels
        The training split in stored form.
    inputs : callable
        Converts stored examples to inputs of the module.
    input_qparams : mapping
        Quantization parameters of layer inputs, by layer path.
    held_out : Sample or None
        The examples on which early stopping evaluates.
    objective : callable or None
        The user's loss, called like `workbench.training.objective.objective`.
    channels_last : bool
        Whether the module runs on tensors in channels-last layout.
    supports_stacking : bool
        Whether several copies of the module can be trained as one.
    example_weights : float32 tensor [n] or None
        Weight of each example in the loss.
    labeled : bool tensor [n] or None
        With a teacher, the examples whose labels are used; None for all of them.
    augment : callable or None
        The user's function that augments the inputs of each step.
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
    channels_last: bool = True
    supports_stacking: bool = True
    example_weights: Tensor | None = None
    labeled: Tensor | None = None
    augment: Callable[[Any], Any] | None = None

    @property
    def weights(self) -> Mapping[str, Tensor]:
        """The initial weights."""
        return self.prepared.weights


@dataclass(frozen=True)
class TrainingStep:
    """The event after a training step.

    Attributes
    ----------
    step, steps : int
        Steps so far, and in total.
    loss, value : float
        Loss and metric of the last batch. `value` is NaN if the metric needs more than a batch.
    sparsity : float
        Share of zeros in the pruned tensors.
    seconds, examples : float, int
        Totals over all steps, including those before an interruption.
    batch : int
        Examples in each step.
    over : bool
        Whether this is the last step.
    file : callable or None
        Returns the file that would result if training ended at this step, with all zeros set. It
        can be called until the next step begins, and does not change the training.
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
    file: Callable[[], Artifact] | None = field(default=None, compare=False, repr=False)

    @property
    def examples_per_second(self) -> float:
        """Throughput so far."""
        return self.examples / self.seconds if self.seconds else 0.0

    @property
    def seconds_left(self) -> float:
        """Estimated remaining time in seconds."""
        trained = self.examples / self.batch  # steps that `seconds` covers
        return self.seconds / trained * (self.steps - self.step) if trained else 0.0


@dataclass(frozen=True)
class TrainingResult:
    """Trained weights, with their pruning masks and learned quantization parameters.

    `steps` counts the steps taken, and `energy` is theirs. Early stopping may have restored weights
    of an earlier step.
    """

    weights: dict[str, Tensor]
    masks: dict[str, Tensor]
    qparams: dict[str, list[QParams]]
    seconds: float
    examples: int
    steps: int
    energy: Energy
