"""The training loop of a rank."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from importlib import import_module
from math import isfinite
from pathlib import Path
from typing import Any

import psutil
import torch
import torch.distributed as dist
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from workbench.domain.losses import IGNORE_INDEX, label_loss
from workbench.domain.module_tensors import stored_tensors
from workbench.parallel.plan import Plan
from workbench.parallel.rank import network
from workbench.parallel.rank.clock import Clock, as_json
from workbench.parallel.rank.digest import digest, distance
from workbench.parallel.rank.examples import Examples
from workbench.parallel.rank.memory import bytes_by_kind
from workbench.parallel.rank.strategy import Setup, Strategy, UnsupportedError, run
from workbench.parallel.waits import here
from workbench.runtime.batch import Batch, using_weights

Emit = Callable[[Mapping[str, Any]], None]
TIMED_STEPS = 10
"""The last steps, whose spans are kept for the timeline and the replay."""
STRATEGIES = {
    "every_step": ("data_parallel", "Synchronized"),
    "every_k": ("data_parallel", "Averaging"),
    "never": ("data_parallel", "Replica"),
    "shared": ("shared_weights", "SharedWeights"),
    "shared_locked": ("shared_weights", "SharedWeights"),
    "zero1": ("sharded", "ShardedOptimizer"),
    "zero2": ("sharded", "FullySharded"),
    "zero3": ("sharded", "FullySharded"),
    "tensor": ("tensor_parallel", "TensorParallel"),
    "pipeline": ("pipeline", "Pipeline"),
}
"""The module and class by strategy or synchronization. They load on use: DTensor takes 70 MB."""
EVALUATED_AT_ONCE = 50
"""Examples in a batch of an evaluation: more would take more memory than training."""
UNTIMED_STEPS = 2
"""The first steps, in which memory is allocated."""


class Training:
    """One rank's run of a job.

    Parameters
    ----------
    folder
        The job: ``weights.safetensors``, ``examples.safetensors`` and, if the single-process run
        has ended, its gradient and weights.
    description
        The job's JSON.
    emit
        Sends an event to the caller.
    results
        Where the final weights are written, by default the job's folder.
    """

    def __init__(
        self,
        folder: Path,
        description: Mapping[str, Any],
        rank: int,
        clock: Clock,
        emit: Emit,
        *,
        results: Path | None = None,
    ) -> None:
        self.results = results or folder
        self.folder, self.rank, self.clock, self.emit = folder, rank, clock, emit
        self.plan = Plan.of(description["plan"] | {"shards": tuple(description["plan"]["shards"])})
        self.records = frozenset(description["records"])
        self.baseline = bool(description["baseline"])
        self.examples = Examples(
            folder / "examples.safetensors", description["names"], self.plan.batch
        )
        module = self._module(description["module"])
        self.evaluated = self._module(description["module"])
        if self.plan.ranks > 1 and self.plan.splits_batch and self.plan.synchronized:
            _check_forward(self.evaluated, self.examples.sample[:1])
        known = network.trained(module)
        self.buffers = {  # they stay on this rank
            name: tensor for name, tensor in stored_tensors(module).items() if name not in known
        }
        setup = Setup(
            self.plan, rank, module, self.examples, clock, folder / f"shared-{description['run']}"
        )
        self.strategy = strategy(setup)

    def run(self) -> dict[str, Any]:
        """Train, and return what this rank measured."""
        first_timed = max(min(UNTIMED_STEPS, self.plan.steps - 1), self.plan.steps - TIMED_STEPS)
        spans: list[dict[str, Any]] = []
        self._not_finite_step: int | None = None
        self._record(0, None)
        begin = time.perf_counter()
        for step in range(self.plan.steps):
            here.begin_step(step + 1)
            if step >= first_timed and not self.plan.shares_weights and not self.baseline:
                dist.barrier()  # a late start would count as waiting of the others
            with self.clock.measuring() as measured:
                loss = self.strategy.backward(step)
                if step > 0:
                    self.strategy.update(step)
            if step == 0:
                difference = self._gradient()
                with self.clock.measuring() as more:
                    self.strategy.update(step)
                measured += more
            if step >= first_timed:
                spans.append({"step": step, "spans": as_json(measured)})
            if self._not_finite_step is None and not (isfinite(loss) and self._finite()):
                self._not_finite_step = step + 1
            self.emit({"event": "step", "step": step + 1, "loss": loss})
            if step + 1 in self.records:
                self._record(step + 1, loss)
        seconds = time.perf_counter() - begin
        self.strategy.finish()
        weights = self.strategy.weights()
        save(self.buffers | weights, self.results / f"{self._prefix}final-{self.rank}.safetensors")
        return {
            "seconds": seconds,
            "spans": spans,
            "bytes": bytes_by_kind(self.strategy),
            "digest": digest(weights),
            "gradient_difference": difference,
            "memory": _private_bytes(),
        }

    @property
    def _prefix(self) -> str:
        return "baseline-" if self.baseline else ""

    def _module(self, description: Mapping[str, Any]) -> nn.Module:
        module = network.build(description, self.folder)
        network.load_weights(module, self.folder / "weights.safetensors")
        network.set_modes(module, per_rank_norms=self.plan.batch_norm == "per_rank")
        return module

    def _finite(self) -> bool:
        """Return whether all weights of this rank are finite."""
        return all(bool(weight.isfinite().all()) for weight in self.strategy.held()["weights"])

    def _gradient(self) -> float | None:
        """Save the gradient of the first step, or return its distance from the saved one."""
        gradient = self.strategy.gradients()
        path = self.folder / "baseline-gradient.safetensors"
        if self.baseline:
            save(gradient, path)
        return distance(gradient, load_file(path)) if path.exists() else None

    def _record(self, step: int, loss: float | None) -> None:
        """Send the digest, the distance from the single-process run, and the sample's metric."""
        weights = self.strategy.weights()
        path = self.folder / f"baseline-{step}.safetensors"
        if self.baseline:
            save(weights, path)
        compared = distance(weights, load_file(path)) if path.exists() else None
        value, sample_loss = self._evaluate(weights)
        if self._not_finite_step is None and not isfinite(sample_loss):
            self._not_finite_step = step
        self.emit(
            {
                "event": "record",
                "step": step,
                "loss": loss,
                "sample_loss": sample_loss,
                "accuracy": value,
                "digest": digest(weights),
                "distance": compared if compared is None or isfinite(compared) else None,
                "not_finite_step": self._not_finite_step,
            }
        )

    def _evaluate(self, weights: Mapping[str, Tensor]) -> tuple[float | None, float]:
        """Return the accuracy on the sample, None for numbers, and its loss."""
        labels = self.examples.sample_labels
        # copies, because the forward pass may change weights, as embeddings with max_norm do
        tensors = self.buffers | {name: tensor.clone() for name, tensor in weights.items()}
        with (
            torch.no_grad(),
            using_weights(self.evaluated, tensors),
            network.evaluating(self.evaluated),
        ):
            parts = self.examples.sample.split(EVALUATED_AT_ONCE)
            outputs = torch.cat([run(self.evaluated, part) for part in parts])
        loss = float(label_loss(outputs, labels))
        if labels.is_floating_point():
            return None, loss
        valid = labels != IGNORE_INDEX
        return float((outputs.argmax(-1) == labels)[valid].float().mean()), loss


def strategy(setup: Setup) -> Strategy:
    """Return the strategy of a plan for one rank.

    Raises
    ------
    UnsupportedError
        If the network cannot be trained with it.
    """
    plan = setup.plan
    if plan.strategy == "data" or (plan.ranks == 1 and plan.strategy != "pipeline"):
        name = "never" if plan.ranks == 1 else plan.sync
    else:
        name = plan.strategy
    module, kind = STRATEGIES[name]
    chosen: Strategy = getattr(import_module(f"workbench.parallel.rank.{module}"), kind)(setup)
    return chosen


def _check_forward(module: nn.Module, inputs: Batch) -> None:
    """Refuse a network whose forward pass changes weights, each rank by its own examples."""
    weights = network.trained(module)
    changes = {name: weight._version for name, weight in weights.items()}  # noqa: SLF001 - no other
    with torch.no_grad(), network.evaluating(module):
        run(module, inputs)
    for name, weight in weights.items():
        if weight._version != changes[name]:  # noqa: SLF001
            raise UnsupportedError(
                f"The forward pass changes {name}, as embeddings with max_norm do, and ranks that "
                "see different examples would change it differently; use strategy='pipeline', "
                "sync='never' or one rank.",
                code="parallel.forward_changes_weights",
            )


def save(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Write tensors to a .safetensors file."""
    copies = {
        n: t.detach().clone(memory_format=torch.contiguous_format) for n, t in tensors.items()
    }
    save_file(copies, path)


def _private_bytes() -> int:
    """Return the memory of this process, shared pages in proportion where the system says so."""
    information = psutil.Process().memory_full_info()
    return int(getattr(information, "pss", information.uss))


def leave() -> None:
    """Leave the process group."""
    if dist.is_initialized():
        dist.destroy_process_group()
