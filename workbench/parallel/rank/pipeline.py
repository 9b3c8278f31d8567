"""Pipeline parallel: each rank has some layers; microbatches pass from rank to rank."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from workbench.domain.losses import label_loss
from workbench.parallel.rank.examples import loss_terms
from workbench.parallel.rank.graph import EXAMPLES
from workbench.parallel.rank.messages import Incoming, Kind, Messages
from workbench.parallel.rank.network import trained
from workbench.parallel.rank.stages import cut
from workbench.parallel.rank.strategy import (
    Setup,
    UnsupportedError,
    gradients_of,
    make_optimizer,
)
from workbench.parallel.schedules import Action, actions, stages
from workbench.runtime.batch import Batch, outputs_of


@dataclass
class _Passed:
    """A microbatch in a stage between its forward and its backward pass."""

    received: list[Tensor]
    outputs: list[Tensor]


class Pipeline:
    """The stages of one rank and their optimizer."""

    def __init__(self, setup: Setup) -> None:
        plan = setup.plan
        self.setup, self.ranks, self.rank = setup, plan.ranks, setup.rank
        self.count = stages(plan.schedule, plan.ranks)
        self.order = actions(plan.schedule, setup.rank, plan.ranks, plan.microbatches)
        names = {id(p): name for name, p in trained(setup.module).items()}
        self.shapes = {name: p.shape for name, p in trained(setup.module).items()}
        inputs, _labels = setup.examples.step(0)
        self.microbatch_sizes = [
            len(part) for part in torch.arange(plan.batch).tensor_split(plan.microbatches)
        ]
        size = self.microbatch_sizes[0]
        several = inputs[torch.arange(EXAMPLES) % len(inputs)]  # a batch may have one
        parts = [stage.module for stage in cut(setup.module, self.count, several, size)]
        self.boundary = {
            size: _boundaries(parts, inputs[:size]) for size in {*self.microbatch_sizes}
        }
        self.holders: dict[str, list[int]] = {}
        for stage, part in enumerate(parts):
            for parameter in part.parameters():
                if id(parameter) in names:
                    ranks = self.holders.setdefault(names[id(parameter)], [])
                    if stage % plan.ranks not in ranks:
                        ranks.append(stage % plan.ranks)
        # No stage has the layers that are never called; rank 0 keeps their weights.
        self.uncalled = {
            name: p.detach().clone()
            for name, p in trained(setup.module).items()
            if name not in self.holders
        }
        self.parts = {s: m for s, m in enumerate(parts) if s % plan.ranks == setup.rank}
        self.parameters: dict[str, nn.Parameter] = {}
        for module in self.parts.values():
            for parameter in module.parameters():
                if id(parameter) in names:
                    self.parameters[names[id(parameter)]] = parameter
        setup.module = nn.Module()  # the layers of other ranks are freed
        self.optimizer = make_optimizer(plan, self.parameters.values())
        self.messages = Messages(setup.clock, plan.link, plan.ranks)

    def backward(self, step: int) -> float:
        """Pass all microbatches forward and backward, in the order of the schedule."""
        self.optimizer.zero_grad()
        inputs, labels = self.setup.examples.step(step)
        work = _Step(self, _split(inputs, self.microbatch_sizes), labels)
        self.messages.expect(work.incoming())
        for action in self.order:
            self.setup.clock.label_next(f"{action.kind}{action.microbatch}")
            if action.kind == "F":
                work.forward(action)
            else:
                work.backward(action)
        self.setup.clock.label_next("")
        self.messages.wait()
        self._add_tied()
        return work.loss

    def update(self, step: int) -> None:
        """Change the weights of this rank's stages."""
        self.optimizer.step()

    def gradients(self) -> dict[str, Tensor]:
        """Return the gradient of all stages."""
        return self._collect(gradients_of(self.parameters))

    def weights(self) -> dict[str, Tensor]:
        """Return the weights of all stages."""
        called = {name: p.detach() for name, p in self.parameters.items()}
        return self._collect(self.uncalled | called)

    def held(self) -> dict[str, list[Tensor]]:
        """Return the weights and gradients of this rank's stages."""
        parameters = list(self.parameters.values())
        gradients = [p.grad for p in parameters if p.grad is not None]
        return {"weights": [p.detach() for p in parameters], "gradients": gradients}

    def finish(self) -> None:
        """Do nothing."""

    def _add_tied(self) -> None:
        """Sum the gradients of weights that stages of several ranks use."""
        for name, ranks in self.holders.items():
            if len(ranks) > 1:
                parameter = self.parameters.get(name)
                held = parameter is not None and parameter.grad is not None
                total = parameter.grad if held and parameter is not None else None
                total = torch.zeros(self.shapes[name]) if total is None else _row_by_row(total)
                dist.all_reduce(total)
                if parameter is not None:
                    parameter.grad = total

    def _collect(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        collected = {}
        for name, shape in self.shapes.items():
            ranks = self.holders.get(name, [0])
            tensor = tensors.get(name) if self.rank == ranks[0] else None
            tensor = torch.zeros(shape) if tensor is None else _row_by_row(tensor)
            dist.broadcast(tensor, ranks[0])
            collected[name] = tensor
        return collected


class _Step:
    """One optimizer step of a rank."""

    def __init__(self, pipeline: Pipeline, inputs: list[Batch], labels: Tensor) -> None:
        self._pipeline, self._inputs = pipeline, inputs
        self._labels = labels.split(pipeline.microbatch_sizes)
        self._terms = max(1, loss_terms(labels))
        self._passed: dict[tuple[int, int], _Passed] = {}
        self._near: dict[tuple[str, int, int], list[Tensor]] = {}
        self.loss = 0.0

    def incoming(self) -> list[Incoming]:
        """Return the messages of other ranks that this step receives, in order."""
        messages = []
        for action in self._pipeline.order:
            given = self._origin(action)
            if given is not None and given.stage % self._pipeline.ranks != self._pipeline.rank:
                messages.append(self._incoming(given))
        return messages

    def forward(self, action: Action) -> None:
        """Run a stage on a microbatch and pass its outputs on."""
        _kind, stage, microbatch = action
        pipeline, inputs = self._pipeline, self._inputs[microbatch]
        taken = self._take(action) if stage else []
        received = [tensor.detach().requires_grad_() for tensor in taken]
        # copies: a layer may change its inputs in place, but not the leaves of autograd
        copies = [tensor.clone() for tensor in received]
        value = pipeline.parts[stage](*inputs.tensors, *copies)
        if stage == pipeline.count - 1:
            labels = self._labels[microbatch]
            loss = label_loss(outputs_of(value), labels) * (loss_terms(labels) / self._terms)
            self.loss += float(loss.detach())
            outputs = [loss]
        else:
            outputs = list(value)
            self._check(outputs, stage, microbatch)
            self._give("F", stage, microbatch, outputs, stage + 1)
        self._passed[stage, microbatch] = _Passed(received, outputs)

    def backward(self, action: Action) -> None:
        """Run a stage's backward pass and pass the gradients of its inputs on."""
        _kind, stage, microbatch = action
        passed = self._passed.pop((stage, microbatch))
        if stage == self._pipeline.count - 1:
            gradients: list[Any] = [None]
        else:
            gradients = self._take(action)
        pairs = zip(passed.outputs, gradients, strict=True)
        needed = [(output, grad) for output, grad in pairs if output.requires_grad]
        torch.autograd.backward([o for o, _ in needed], [g for _, g in needed])
        if stage:
            grads = [torch.zeros_like(t) if t.grad is None else t.grad for t in passed.received]
            self._give("B", stage, microbatch, grads, stage - 1)

    def _check(self, outputs: list[Tensor], stage: int, microbatch: int) -> None:
        """Raise `UnsupportedError` if the outputs do not have the expected shapes."""
        kinds = self._pipeline.boundary[len(self._inputs[microbatch])][stage]
        if [(tensor.shape, tensor.dtype) for tensor in outputs] != kinds:
            raise UnsupportedError(
                "The shapes of the values that stages pass on depend on the examples, but ranks "
                "must know them in advance; use strategy='data' or 'zero3'.",
                code="parallel.shapes_vary",
            )

    def _give(self, kind: str, stage: int, microbatch: int, tensors: list[Tensor], to: int) -> None:
        pipeline = self._pipeline
        if to % pipeline.ranks == pipeline.rank:
            self._near[kind, stage, microbatch] = [tensor.detach() for tensor in tensors]
            return
        key, tag = self._address(kind, stage, microbatch)
        pipeline.messages.send(tensors, to % pipeline.ranks, key, tag)

    def _take(self, action: Action) -> list[Tensor]:
        """Return what an action needs from the stage before or after it."""
        given = self._origin(action)
        assert given is not None
        if given.stage % self._pipeline.ranks == self._pipeline.rank:
            return self._near.pop((given.kind, given.stage, given.microbatch))
        return self._pipeline.messages.receive(self._incoming(given))

    def _origin(self, action: Action) -> Action | None:
        """Return the action whose results an action needs; None if it needs none."""
        kind, stage, microbatch = action
        origin = stage - 1 if kind == "F" else stage + 1
        return Action(kind, origin, microbatch) if 0 <= origin < self._pipeline.count else None

    def _incoming(self, given: Action) -> Incoming:
        """Return the message with the results of an action of another rank."""
        kind, stage, microbatch = given
        boundaries = self._pipeline.boundary[len(self._inputs[microbatch])]
        kinds = boundaries[stage if kind == "F" else stage - 1]  # gradients are those of its inputs
        key, tag = self._address(kind, stage, microbatch)
        return Incoming(kinds, stage % self._pipeline.ranks, key, tag)

    def _address(self, kind: str, stage: int, microbatch: int) -> tuple[str, int]:
        number = (stage * len(self._inputs) + microbatch) * 2 + (kind == "B")
        return f"{kind}:{stage}:{microbatch}", number


def _row_by_row(tensor: Tensor) -> Tensor:
    """Return a copy in the order in which ranks exchange values; weights may be transposed."""
    return tensor.clone(memory_format=torch.contiguous_format)


def _boundaries(parts: list[Any], inputs: Batch) -> list[list[Kind]]:
    """Return the shapes and dtypes of what each stage except the last passes on."""
    kinds, received = [], list[Tensor]()
    with torch.no_grad():
        for part in parts[:-1]:
            received = list(part(*inputs.tensors, *received))
            kinds.append([(tensor.shape, tensor.dtype) for tensor in received])
    return kinds


def _split(inputs: Batch, sizes: list[int]) -> list[Batch]:
    columns = (tensor.split(sizes) for tensor in inputs.tensors)
    return [inputs.with_tensors(tensors) for tensors in zip(*columns, strict=True)]
