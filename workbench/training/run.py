"""A resumable training loop, one step at a time.

All randomness derives from (seed, step), so a run that was killed and resumed ends with the same
bits as one that was not.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from workbench.cancel import NEVER, CancelToken
from workbench.errors import Cancelled, TrainingError, user_errors
from workbench.profiling.energy.energy import Energy
from workbench.profiling.energy.meter import EnergyMeter
from workbench.recipe import Recipe
from workbench.runtime import batch_norm
from workbench.runtime.batch import using_weights
from workbench.threads import threads
from workbench.training import checkpoint as checkpoints
from workbench.training.early_stopping import EarlyStopping
from workbench.training.fake_quantize import FakeQuantizer
from workbench.training.forward import MICROBATCH, Forward
from workbench.training.microbatch import NORMS, STEP, BatchOrder, derive_seed, loss_share
from workbench.training.optimizers import optimizer, schedule
from workbench.training.random_layers import StepSeeding
from workbench.training.sparsity_schedule import sparsity_schedule
from workbench.training.types import TrainingResult, TrainingSetup, TrainingStep
from workbench.training.weight_average import WeightAverage

SNAPSHOT_EVERY = 25
"""Steps between two copies of the weights, to which a run returns if the loss becomes NaN."""
RECALIBRATION_BATCHES = 32
"""Microbatches for batch-norm recalibration."""


class Run:
    """Trains the weights of `setup` as `recipe` says.

    `meter` adds up the energy of the steps in this process.
    """

    def __init__(self, setup: TrainingSetup, recipe: Recipe) -> None:
        assert recipe.train is not None
        self.setup = setup
        self.settings = recipe.train
        self.step = 0
        self.seconds = 0.0
        self.examples = 0
        self.meter = EnergyMeter(gpus=False)
        self._energy_before: Energy | None = None  # of the steps before an interruption
        self._seeding = StepSeeding()
        self._forward = Forward(setup, self.settings)
        self.module = self._forward.module
        trainable = {n for n, p in self.module.named_parameters() if p.requires_grad}
        self.weights = {
            name: _private_copy(tensor, setup.channels_last).requires_grad_(name in trainable)
            for name, tensor in setup.weights.items()
        }
        self.quantizer = FakeQuantizer(
            recipe,
            self.weights,
            setup.prepared.stats,
            setup.roles,
            channels_last=setup.channels_last,
        )
        self._shares = sparsity_schedule(self.settings.sparsening, self.settings.steps)
        self._rewinds = self.settings.sparsening == "rewind"
        self.quantizer.update_masks(self.weights, self._shares[0])
        self.quantizer.init_scales(self.weights)
        self._make_optimizer()
        self._order = BatchOrder(self.settings.seed, len(setup.labels), self.settings.batch)
        self._batch = self._order.batch
        self._snapshot = (0, self._copy(), self.quantizer.state())
        self._intact = True  # no update is in progress
        self._masked_for = 0  # the step whose scheduled masks are set
        first = max(self._shares)
        self._average = WeightAverage(self.settings.average, first)
        self._stopping: EarlyStopping | None = None
        if self.settings.patience and setup.held_out is not None:
            self._stopping = EarlyStopping(self.settings, first, setup.running_metric.metric)

    @property
    def good(self) -> int:
        """The last step whose weights are known to be finite."""
        return self._snapshot[0]

    @property
    def over(self) -> bool:
        """Whether all steps are done, or early stopping has ended the run."""
        stopped = self._stopping is not None and self._stopping.over
        return stopped or self.step >= self.settings.steps

    def go(
        self,
        *,
        cancel: CancelToken = NEVER,
        checkpoint: Path | None = None,
        every: float = 15.0,
    ) -> Generator[TrainingStep, None, None]:
        """Train, and yield after every step.

        Parameters
        ----------
        checkpoint
            Resume from this file if it exists. It is written every `every` seconds, and when the
            run is interrupted other than during a weight update.

        Raises
        ------
        Cancelled
            If `cancel` is cancelled between two microbatches.
        TrainingError
            If the loss is not finite. `trained` then returns the last good weights.
        InputError
            If a user's module, data or loss fails.
        """
        if checkpoint is not None and (state := checkpoints.read(checkpoint)) is not None:
            self._resume(state)
        try:
            yield from self._go(cancel, checkpoint, every)
        except (Cancelled, KeyboardInterrupt, GeneratorExit):
            if checkpoint is not None and self.step and self._intact:
                checkpoints.write(checkpoint, self._state())
            raise

    def _go(
        self, cancel: CancelToken, checkpoint: Path | None, every: float
    ) -> Generator[TrainingStep, None, None]:
        written = time.perf_counter()
        if self.step == 0 and self.settings.batch_norm == "recalibrate":
            self.recalibrate(cancel)
        while not self.over:
            cancel.check()
            begin = time.perf_counter()
            errors = user_errors(f"Training fails at step {self.step + 1:,}", _remedy)
            # restored before yielding to the caller
            with threads(self.settings.threads), errors, self.meter.section():
                loss, value = self._step(cancel)
                self._check_held_out(cancel)
                self._intact = True
            self.seconds += time.perf_counter() - begin
            self.examples += self._batch
            yield self._event(loss, value)
            if checkpoint is not None and time.perf_counter() - written > every:
                checkpoints.write(checkpoint, self._state())
                written = time.perf_counter()

    @property
    def energy(self) -> Energy:
        """The energy of all steps, including those before an interruption."""
        before, now = self._energy_before, self.meter.energy
        return now if before is None else before + now

    def trained(self) -> TrainingResult:
        """Return the current weights."""
        return TrainingResult(
            self._copy(),
            dict(self.quantizer.masks),
            self.quantizer.qparams(),
            self.seconds,
            self.examples,
            self.step,
            self.energy,
        )

    def result_now(self) -> TrainingResult:
        """Return what training would give if it ended now, with all zeros set; changes nothing."""
        with self._average.applied_to(self._trained_tensors()):
            masks = self.quantizer.masks_at(self.weights, 1.0)
            return replace(self.trained(), masks=masks)

    def evaluate_held_out(self, cancel: CancelToken, examples: int) -> None:
        """Evaluate the first held-out `examples` as early stopping does. For timing."""
        with threads(self.settings.threads), self._average.applied_to(self._trained_tensors()):
            self._forward.held_out_value(self._seen, cancel, examples)
            self._copy()

    def recompute_masks(self) -> None:
        """Compute the current masks again. For timing."""
        with threads(self.settings.threads):
            current = max(step for step in self._shares if step <= self.step)
            self.quantizer.update_masks(self.weights, self._shares[current])

    def _step(self, cancel: CancelToken) -> tuple[float, float]:
        self._change_masks()
        seed = derive_seed(self.settings.seed, STEP, self.step)
        self._forward.generator.manual_seed(seed)
        chosen = self._order(self.step)
        self._optimizer.zero_grad()
        loss = 0.0
        states: list[Any] = []
        with self._buffers_restored_on_error(), self._seeding(seed):
            for number, part in enumerate(chosen.split(MICROBATCH)):
                if number and cancel.cancelled:  # `_go` has checked before the first one
                    raise Cancelled("Training was stopped.")
                seen = self._seen()
                with using_weights(self.module, seen):  # a backward pass may run layers again
                    mean, of_batch = self._forward.loss(part, seen)
                    share = loss_share(self.setup, part, chosen)
                    (mean * share).backward()
                loss += float(mean.detach()) * share
                states += of_batch
        if not math.isfinite(loss):
            self._restore_snapshot(at_start=not self.step and not self._forward.finite_outputs)
        if self.step % SNAPSHOT_EVERY == 0:  # the finite loss proves that these weights are good
            self._snapshot = (self.step, self._copy(), self.quantizer.state())
        self._intact = False  # until the step is complete
        if self.settings.clip:
            trained = [p for group in self._optimizer.param_groups for p in group["params"]]
            nn.utils.clip_grad_norm_(trained, self.settings.clip)
        self._optimizer.step()
        self._schedule.step()
        if self.settings.average:
            self._average.update(self.step + 1, self._trained_tensors())
        if self.step + 1 == self.settings.steps and not self._is_finite():
            self._restore_snapshot()
        self.step += 1
        return loss, self.setup.running_metric.compute(states) if states else math.nan

    @contextmanager
    def _buffers_restored_on_error(self) -> Iterator[None]:
        """Undo the changes of batch-norm statistics by a batch that is interrupted."""
        before = {n: w.clone() for n, w in self.weights.items() if not w.requires_grad}
        try:
            yield
        except BaseException:
            for name, saved in before.items():
                self.weights[name].copy_(saved)
            raise

    def _seen(self) -> dict[str, Tensor]:
        """Return the weights as the network sees them, pruned and rounded."""
        return self.quantizer(self.weights)

    def _check_held_out(self, cancel: CancelToken) -> None:
        """Evaluate on the held-out set if scheduled; set the final weights when the run is over."""
        if self._stopping is not None and self._stopping.is_due(self.step):
            with self._average.applied_to(self._trained_tensors()):
                value = self._forward.held_out_value(self._seen, cancel)
                self._stopping.record(self.step, value, self._copy(), self.quantizer.state())
        if self.over:
            self._set_final_weights()

    def _set_final_weights(self) -> None:
        """Set the weights of the best check, or else their average, or else the last ones."""
        if self._stopping is not None:
            self._restore(self._stopping.best["weights"], self._stopping.best["view"])
        else:
            self._average.copy_to(self._trained_tensors())

    def _trained_tensors(self) -> dict[str, Tensor]:
        """Return all tensors that training changes, by name."""
        scales = {
            f"{name} {number}": scale
            for name, of_layer in self.quantizer.scales.items()
            for number, scale in enumerate(of_layer)
        }
        return self.weights | scales

    def _change_masks(self) -> None:
        if self.step in self._shares and self.step != self._masked_for:
            self._intact = False
            self.quantizer.update_masks(self.weights, self._shares[self.step])
            if self._rewinds:
                with torch.no_grad():
                    for name, start in self.setup.weights.items():
                        self.weights[name].copy_(start)
                self.quantizer.init_scales(self.weights)
                self._make_optimizer()
            self._masked_for = self.step
            self._intact = True

    def _make_optimizer(self) -> None:
        trainable = [weight for weight in self.weights.values() if weight.requires_grad]
        decayed = [w for w in trainable if w.ndim > 1]
        others = [w for w in trainable if w.ndim <= 1]
        others += [scale for scales in self.quantizer.scales.values() for scale in scales]
        self._optimizer = optimizer(self.settings, decayed, others)
        rounds = len(self._shares) if self._rewinds else 1  # each runs the whole schedule
        of_round = replace(self.settings, steps=math.ceil(self.settings.steps / rounds))
        self._schedule = schedule(of_round, self._optimizer)

    def recalibrate(self, cancel: CancelToken, batches: int = RECALIBRATION_BATCHES) -> None:
        """Recompute batch-norm statistics under masks and rounding, averaged over `batches`."""
        generator = torch.Generator().manual_seed(derive_seed(self.settings.seed, NORMS, 0))
        order = torch.randperm(len(self.setup.labels), generator=generator)

        def forward(chosen: Tensor) -> None:
            cancel.check()
            inputs = self.setup.inputs(self.setup.examples[chosen.numpy()])
            self._forward.outputs(self._seen, inputs)

        with threads(self.settings.threads), user_errors("Recalibrating batch norm fails"):
            parts = order.split(MICROBATCH)[:batches]
            batch_norm.recalibrate_norms(self.module, parts, forward, frozen=False)

    def _is_finite(self) -> bool:
        """Whether the trained tensors are finite. Needed once: no loss follows the last step."""
        trained = [tensor for tensor in self._trained_tensors().values() if tensor.requires_grad]
        return all(bool(tensor.isfinite().all()) for tensor in trained)

    def _restore_snapshot(self, *, at_start: bool = False) -> None:
        """Restore the last good weights and raise `TrainingError`."""
        step, weights, quantizer = self._snapshot
        self._restore(weights, quantizer)
        if at_start:
            raise TrainingError(
                "The loss is not finite before the first step: with the pruning and rounding of "
                "this recipe the network returns NaN or infinity, as weight norm does for a row of "
                "zeros. Prune or round less.",
                code="training.not_finite_at_start",
            )
        raise TrainingError(
            f"The loss was no longer finite at step {self.step + 1}, after good weights at step "
            f"{step}: choose a lower learning rate, or clip the gradient.",
            code="training.diverged",
        )

    def _restore(self, weights: Mapping[str, Tensor], quantizer: dict[str, Any]) -> None:
        with torch.no_grad():
            for name, saved in weights.items():
                self.weights[name].copy_(saved)
        self.quantizer.load(quantizer)

    def _event(self, loss: float, value: float) -> TrainingStep:
        return TrainingStep(
            step=self.step,
            steps=self.settings.steps,
            loss=loss,
            value=value,
            learning_rate=float(self._optimizer.param_groups[0]["lr"]),
            sparsity=self.quantizer.sparsity,
            seconds=self.seconds,
            examples=self.examples,
            batch=self._batch,
            over=self.over,
        )

    def _copy(self) -> dict[str, Tensor]:
        return {
            name: weight.detach().clone(memory_format=torch.contiguous_format)
            for name, weight in self.weights.items()
        }

    def _state(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "masked_for": self._masked_for,
            "weights": {name: weight.detach() for name, weight in self.weights.items()},
            "optimizer": self._optimizer.state_dict(),
            "schedule": {k: v for k, v in self._schedule.state_dict().items() if _is_plain(v)},
            "view": self.quantizer.state(),
            "average": self._average.state(),
            "stopping": self._stopping.state() if self._stopping is not None else None,
            "seconds": self.seconds,
            "examples": self.examples,
            "energy": self.energy.as_dict(),
        }

    def _resume(self, state: dict[str, Any]) -> None:
        self.step, self._masked_for = state["step"], state["masked_for"]
        self._restore(state["weights"], state["view"])
        self._average.load(state["average"])
        if self._stopping is not None:
            self._stopping.load(state["stopping"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._schedule.load_state_dict(state["schedule"])
        self.seconds, self.examples = state["seconds"], state["examples"]
        saved = state.get("energy")  # an older version of Workbench saved none
        self._energy_before = Energy.from_dict(saved) if saved else Energy.unknown()
        self._snapshot = (self.step, self._copy(), self.quantizer.state())


def _remedy(error: Exception) -> str:
    """Return the remedy for the error of PyTorch when batch norm gets a single example."""
    if str(error).startswith("Expected more than 1 value per channel"):
        return ": batch norm needs two examples or more, so choose a larger batch."
    return ""


def _private_copy(tensor: Tensor, channels_last: bool) -> Tensor:
    """Return a copy of `tensor`, in channels-last layout if `channels_last`."""
    layout = torch.channels_last if tensor.ndim == 4 and channels_last else torch.contiguous_format
    return tensor.detach().clone(memory_format=layout)


def _is_plain(value: object) -> bool:
    return isinstance(value, int | float | str | bool | list | dict | tuple) or value is None
