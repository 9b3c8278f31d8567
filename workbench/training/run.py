"""One training run: small steps that can be watched, stopped, kept and taken up again.

Everything drawn by lot hangs on the seed and the number of the step alone, so that a run that was
killed and resumed ends with the same bits as one that was not.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from workbench.errors import Cancelled, TrainingError, user_errors
from workbench.recipe import Recipe
from workbench.runtime import batch_norm
from workbench.runtime.batch import call, layout_inputs, run, using_weights
from workbench.threads import threads
from workbench.training import checkpoint as checkpoints
from workbench.training.dropout import add_dropout
from workbench.training.early_stopping import EarlyStopping
from workbench.training.fake_quantize import FakeQuantizer
from workbench.training.input_rounding import round_inputs
from workbench.training.microbatch import (
    NORMS,
    STEP,
    BatchOrder,
    derive_seed,
    loss_share,
    microbatch,
)
from workbench.training.modes import train_mode
from workbench.training.objective import objective
from workbench.training.optimizers import optimizer, schedule
from workbench.training.random_layers import StepSeeding
from workbench.training.sparsity_schedule import sparsity_schedule
from workbench.training.types import TrainingResult, TrainingSetup, TrainingStep
from workbench.training.weight_average import WeightAverage

MICROBATCH = 128
"""Examples computed at once; larger batches add up gradients, so that cancelling stays quick."""
SNAPSHOT_EVERY = 25
"""Steps between two copies of the weights, to go back to should the loss become NaN."""
RECALIBRATION_BATCHES = 32
"""Portions from which batch norm is measured anew."""


class Run:
    """Trains the weights of `lesson` as `recipe` says."""

    def __init__(self, setup: TrainingSetup, recipe: Recipe) -> None:
        assert recipe.train is not None
        self.setup = setup
        self.settings = recipe.train
        self.step = 0
        self.seconds = 0.0
        self.examples = 0
        self._lot = torch.Generator()
        self._chance = StepSeeding()
        self.module = add_dropout(setup.module, self.settings.dropout, self._lot)
        round_inputs(self.module, setup.input_qparams)
        trainable = {n for n, p in self.module.named_parameters() if p.requires_grad}
        self.weights = {
            name: _private(tensor, setup.quick).requires_grad_(name in trainable)
            for name, tensor in setup.weights.items()
        }
        self.view = FakeQuantizer(
            recipe, self.weights, setup.prepared.stats, setup.roles, quick=setup.quick
        )
        self._shares = sparsity_schedule(self.settings.sparsening, self.settings.steps)
        self._rewinds = self.settings.sparsening == "rewind"
        self.view.update_masks(self.weights, self._shares[0])
        self.view.init_scales(self.weights)
        self._make_optimizer()
        self._order = BatchOrder(self.settings.seed, len(setup.labels), self.settings.batch)
        self._batch = self._order.batch
        self._good = (0, self._copy(), self.view.state())
        self._intact = True
        self._finite_outputs = True
        self._masked_for = 0  # the step that the masks are of, if zeros came with it
        self._average = WeightAverage(self.settings.average, max(self._shares))
        patient = self.settings.patience and setup.held_out is not None
        metric, first = setup.running_metric.metric, max(self._shares)
        self._stopping = EarlyStopping(self.settings, first, metric) if patient else None

    @property
    def good(self) -> int:
        """The last step whose weights are known to be good."""
        return self._good[0]

    @property
    def over(self) -> bool:
        """Whether all steps are taken, or early stopping has ended the run."""
        stopped = self._stopping is not None and self._stopping.over
        return stopped or self.step >= self.settings.steps

    def go(
        self,
        *,
        cancelled: Callable[[], bool] = lambda: False,
        checkpoint: Path | None = None,
        every: float = 15.0,
    ) -> Generator[TrainingStep, None, None]:
        """Yield after every step; a `checkpoint` is read if there, and written every few seconds.

        It is written too when the run is given up, by whatever way, but in the middle of an update.

        Raises
        ------
        Cancelled
            As soon as `cancelled()` answers True between two portions of a batch.
        TrainingError
            When the loss is no longer a number; `trained` then gives the last good weights.
        WorkbenchError
            When a person's own module, data or loss fails.
        """
        if checkpoint is not None and (state := checkpoints.read(checkpoint)) is not None:
            self._take_up(state)
        try:
            yield from self._go(cancelled, checkpoint, every)
        except (Cancelled, KeyboardInterrupt, GeneratorExit):
            if checkpoint is not None and self.step and self._intact:
                checkpoints.write(checkpoint, self._state())
            raise

    def _go(
        self, cancelled: Callable[[], bool], checkpoint: Path | None, every: float
    ) -> Generator[TrainingStep, None, None]:
        written = time.perf_counter()
        if self.step == 0 and self.settings.batch_norm == "recalibrate":
            self.recalibrate(cancelled)
        while not self.over:
            if cancelled():
                raise Cancelled("Training was stopped.")
            begin = time.perf_counter()
            fails = user_errors(f"Training fails at step {self.step + 1:,}", _remedy)
            with (
                threads(self.settings.threads),
                fails,
            ):  # whoever watches has their own number again
                loss, value = self._step(cancelled)
                self._look(cancelled)
                self._intact = True
            self.seconds += time.perf_counter() - begin
            self.examples += self._batch
            yield self._moment(loss, value)
            if checkpoint is not None and time.perf_counter() - written > every:
                checkpoints.write(checkpoint, self._state())
                written = time.perf_counter()

    def trained(self) -> TrainingResult:
        """Return what has been learned so far."""
        return TrainingResult(
            self._copy(),
            dict(self.view.kept),
            self.view.qparams(),
            self.seconds,
            self.examples,
            self.step,
        )

    def look(self, cancelled: Callable[[], bool]) -> None:
        """Judge by the examples held out, as early stopping does, and let the answer be."""
        with threads(self.settings.threads), self._average.applied_to(self._moving()):
            self._held_out_figure(cancelled)
            self._copy()

    def recompute_masks(self) -> None:
        """Find the masks again that hold now."""
        with threads(self.settings.threads):
            self.view.update_masks(
                self.weights, self._shares[max(s for s in self._shares if s <= self.step)]
            )

    def _step(self, cancelled: Callable[[], bool]) -> tuple[float, float]:
        self._change_masks()
        self._lot.manual_seed(derive_seed(self.settings.seed, STEP, self.step))
        chosen = self._order(self.step)
        self._optimizer.zero_grad()
        loss = 0.0
        parts: list[Any] = []
        drawn = self._chance(derive_seed(self.settings.seed, STEP, self.step))
        with self._buffers_back_unless_done(), drawn:
            for number, part in enumerate(chosen.split(MICROBATCH)):
                if number and cancelled():  # before the first one `go` has asked
                    raise Cancelled("Training was stopped.")
                seen = self.view(self.weights)
                with using_weights(self.module, seen):  # a backward pass may run layers again
                    mean, found = self._portion(part, seen)
                    share = loss_share(self.setup, part, chosen)
                    (mean * share).backward()
                loss += float(mean.detach()) * share
                parts += found
        if not math.isfinite(loss):
            self._go_back(broken=not self.step and not self._finite_outputs)
        if self.step % SNAPSHOT_EVERY == 0:  # only now is it known that these weights are good
            self._good = (self.step, self._copy(), self.view.state())
        self._intact = False  # until the step is over
        if self.settings.clip:
            trained = [p for group in self._optimizer.param_groups for p in group["params"]]
            nn.utils.clip_grad_norm_(trained, self.settings.clip)
        self._optimizer.step()
        self._schedule.step()
        if self.settings.average:
            self._average.update(self.step + 1, self._moving())
        if self.step + 1 == self.settings.steps and not self._finite():
            self._go_back()
        self.step += 1
        return loss, self.setup.running_metric.figure(parts) if parts else math.nan

    @contextmanager
    def _buffers_back_unless_done(self) -> Iterator[None]:
        """Undo what batch norm has counted of a batch that is given up half-way."""
        before = {n: w.clone() for n, w in self.weights.items() if not w.requires_grad}
        try:
            yield
        except BaseException:
            for name, saved in before.items():
                self.weights[name].copy_(saved)
            raise

    def _portion(self, chosen: Tensor, seen: Mapping[str, Tensor]) -> tuple[Tensor, list[Any]]:
        """Return the loss, and what of the outputs the figure of the batch follows from, if any.

        The module runs on the weights `seen`, which are lent to it.
        """
        inputs, labels, *others = microbatch(self.setup, chosen, self.settings, self._lot)
        outputs = self._precisely(lambda: run(self.module, seen, inputs))
        loss = self._loss(outputs, labels, *others)
        if not bool(loss.isfinite()):
            self._finite_outputs = isinstance(outputs, Tensor) and bool(outputs.isfinite().all())
        gauge = self.setup.running_metric
        return loss, [gauge.part(outputs, labels)] if gauge.is_additive else []

    def _loss(
        self, outputs: Any, labels: Any, teacher: Tensor | None, weights: Tensor | None
    ) -> Tensor:
        loss = self.setup.objective or objective
        counts = () if weights is None else (weights,)
        return loss(self.settings, outputs, labels, teacher, *counts)

    def _outputs(self, inputs: Any) -> Any:
        """Return the outputs in float32, whatever the precision of what comes before."""
        return self._precisely(lambda: call(self.module, self.view(self.weights), inputs))

    def _precisely(self, compute: Callable[[], Any]) -> Any:
        mixed = self.settings.precision == "mixed"
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            outputs = compute()
        return outputs.float() if isinstance(outputs, Tensor) else outputs

    def _look(self, cancelled: Callable[[], bool]) -> None:
        """Judge by the examples held out where that is due, and settle when all is over."""
        if self._stopping is not None and self._stopping.due(self.step):
            with self._average.applied_to(self._moving()):
                value = self._held_out_figure(cancelled)
                self._stopping.judge(self.step, value, self._copy(), self.view.state())
        if self.over:
            self._settle()

    def _settle(self) -> None:
        """End with the weights that count: the best look's, or the average, or the last step's."""
        if self._stopping is not None:
            self._restore(self._stopping.best["weights"], self._stopping.best["view"])
        else:
            self._average.copy_to(self._moving())

    def _moving(self) -> dict[str, Tensor]:
        """Return everything that training changes, by name."""
        scales = {
            f"{name} {number}": scale
            for name, found in self.view.scales.items()
            for number, scale in enumerate(found)
        }
        return self.weights | scales

    def _held_out_figure(self, cancelled: Callable[[], bool]) -> float:
        assert self.setup.held_out is not None

        def run(examples: Any) -> Any:
            with torch.no_grad():
                inputs = self.setup.inputs(examples)
                return self._outputs(layout_inputs(inputs, channels_last=self.setup.quick))

        self.module.eval()
        try:
            return self.setup.held_out.figure(run, MICROBATCH, cancelled)
        finally:
            train_mode(self.module)

    def _change_masks(self) -> None:
        if self.step in self._shares and self.step != self._masked_for:
            self._intact = False
            self.view.update_masks(self.weights, self._shares[self.step])
            if self._rewinds:
                with torch.no_grad():
                    for name, start in self.setup.weights.items():
                        self.weights[name].copy_(start)
                self.view.init_scales(self.weights)
                self._make_optimizer()
            self._masked_for = self.step
            self._intact = True

    def _make_optimizer(self) -> None:
        decayed = [w for w in self._trainable() if w.ndim > 1]
        others = [w for w in self._trainable() if w.ndim <= 1]
        others += [scale for scales in self.view.scales.values() for scale in scales]
        self._optimizer = optimizer(self.settings, decayed, others)
        rounds = len(self._shares) if self._rewinds else 1  # each runs the whole schedule
        one = replace(self.settings, steps=math.ceil(self.settings.steps / rounds))
        self._schedule = schedule(one, self._optimizer)

    def _trainable(self) -> list[Tensor]:
        return [weight for weight in self.weights.values() if weight.requires_grad]

    def recalibrate(
        self, cancelled: Callable[[], bool], portions: int = RECALIBRATION_BATCHES
    ) -> None:
        """Measure batch norm again under the masks and rounding, as the mean over some portions."""
        generator = torch.Generator().manual_seed(derive_seed(self.settings.seed, NORMS, 0))
        order = torch.randperm(len(self.setup.labels), generator=generator)

        def forward(chosen: Tensor) -> None:
            if cancelled():
                raise Cancelled("Training was stopped.")
            self._outputs(self.setup.inputs(self.setup.examples[chosen.numpy()]))

        with threads(self.settings.threads), user_errors("Measuring batch norm anew fails"):
            batches = order.split(MICROBATCH)[:portions]
            batch_norm.recalibrate_norms(self.module, batches, forward, frozen=False)

    def _finite(self) -> bool:
        """Return whether the weights are numbers still; no loss follows the last step to tell."""
        trained = [one for one in self._moving().values() if one.requires_grad]
        return all(bool(one.isfinite().all()) for one in trained)

    def _go_back(self, *, broken: bool = False) -> None:
        """Go back to the last good weights; `broken` are those that the run begins with."""
        step, weights, view = self._good
        self._restore(weights, view)
        if broken:
            raise TrainingError(
                "The loss is not a number before the first step: with weights pruned and rounded "
                "as the recipe says, the network gives NaN or infinity, as weight norm does where "
                "a whole row is zero. Prune or round less."
            )
        raise TrainingError(
            f"The loss was no longer a number at step {self.step + 1}, after good weights at step "
            f"{step}: choose a lower learning rate, or clip the gradient."
        )

    def _restore(self, weights: Mapping[str, Tensor], view: dict[str, Any]) -> None:
        with torch.no_grad():
            for name, saved in weights.items():
                self.weights[name].copy_(saved)
        self.view.load(view)

    def _moment(self, loss: float, value: float) -> TrainingStep:
        return TrainingStep(
            step=self.step,
            steps=self.settings.steps,
            loss=loss,
            value=value,
            learning_rate=float(self._optimizer.param_groups[0]["lr"]),
            sparsity=self.view.sparsity,
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
            "view": self.view.state(),
            "average": self._average.state(),
            "stopping": self._stopping.state() if self._stopping is not None else None,
            "seconds": self.seconds,
            "examples": self.examples,
        }

    def _take_up(self, state: dict[str, Any]) -> None:
        self.step, self._masked_for = state["step"], state["masked_for"]
        self._restore(state["weights"], state["view"])
        self._average.load(state["average"])
        if self._stopping is not None:
            self._stopping.load(state["stopping"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._schedule.load_state_dict(state["schedule"])
        self.seconds, self.examples = state["seconds"], state["examples"]
        self._good = (self.step, self._copy(), self.view.state())


def _remedy(error: Exception) -> str:
    """Return what helps where batch norm, which says this, is to learn from a single example."""
    lonely = str(error).startswith("Expected more than 1 value per channel")
    return (
        ": batch norm learns from two examples or more, so give a larger batch." if lonely else ""
    )


def _private(tensor: Tensor, quick: bool) -> Tensor:
    """Return a copy, where it is `quick` in the layout that is quickest to train."""
    layout = torch.channels_last if tensor.ndim == 4 and quick else torch.contiguous_format
    return tensor.detach().clone(memory_format=layout)


def _is_plain(value: object) -> bool:
    return isinstance(value, int | float | str | bool | list | dict | tuple) or value is None
