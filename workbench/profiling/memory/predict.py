"""Predict peak memory by running a module on tensors without values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn import functional
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop
from torch.random import fork_rng

from workbench.domain import Model
from workbench.domain.module_copy import meta_copy
from workbench.errors import InputError, user_errors
from workbench.profiling.memory.live_storage import LiveStorage
from workbench.profiling.memory.memory import KINDS, Memory, Peak
from workbench.runtime.batch import Batch, outputs_of, swapped_tensors
from workbench.validation import expect_count

MakeOptimizer = Callable[[Iterable[nn.Parameter]], Optimizer]
Loss = Callable[[Any], Tensor]
BATCH = 64
SHOWN = 2
"""Examples of a task whose shapes are used."""

OPTIMIZERS: dict[str, MakeOptimizer] = {
    "sgd": lambda parameters: SGD(parameters, lr=0.1),
    "momentum": lambda parameters: SGD(parameters, lr=0.1, momentum=0.9),
    "rmsprop": RMSprop,
    "adam": Adam,
    "adamw": AdamW,
}
"""Optimizers as PyTorch makes them by default."""


def memory(
    module: nn.Module | Model,
    inputs: Any = None,
    *,
    batch: int | None = None,
    optimizer: str | MakeOptimizer = "adamw",
    loss: Loss | None = None,
) -> Memory:
    """Predict the peak memory of a training step and of inference on the CPU.

    The module runs on tensors that have shapes but no values: nothing is computed, and a module
    larger than this machine's memory can be asked, on the meta device. Only if what it does depends
    on values, it runs on real ones. A copy of it runs; weights and modes of `module` stay as they
    are. Counted are all tensors, each until PyTorch frees it, and the copies that oneDNN makes for
    convolutions. Not counted are the program itself and what the allocator holds back.

    Parameters
    ----------
    module
        A module or a model.
    inputs
        Arguments of the module, of which only shapes and types matter: a tensor [n, …], a sequence
        or a dict of tensors, on any device. For a model, its task has them.
    batch
        Examples; the inputs are extended or cut to that number. For a model 64 by default.
    optimizer
        "sgd", "momentum", "rmsprop", "adam", "adamw" as PyTorch makes them, or a function from
        parameters to an optimizer.
    loss
        A function from what the module returns to a scalar. By default the attribute `loss` of an
        output that has it, else the cross-entropy over the last axis of its first tensor.

    Raises
    ------
    InputError
        If the module cannot run on such inputs, or if what it does depends on values of tensors and
        it has none.

    Examples
    --------
    >>> import workbench as wb
    >>> wb.memory(wb.model("fashion/lenet5"), batch=32).inference.bytes["weights"]
    1724320
    """
    given = _inputs(_expect_module(module), inputs)
    examples = len(given)
    if batch is not None or isinstance(module, Model):
        examples = BATCH if batch is None else expect_count(batch, "The batch")
    make, label = _optimizer(optimizer)
    name = module.name if isinstance(module, Model) else type(module).__name__

    def peaks(values: Mapping[str, Tensor] | None) -> tuple[Peak, Peak]:
        first, second = (_Step(_copy(module), given, examples, values) for _ in range(2))
        return first.training(make, loss or _loss), second.inference()

    values = _values(module, given)
    try:
        with user_errors(f"{name} does not run without values", code="memory.needs_values"):
            return Memory(name, examples, label, *peaks(None))
    except InputError as error:
        if values is None or error.code != "memory.needs_values":
            raise
    failed = user_errors(f"{name} does not run on these inputs", code="memory.module_failed")
    with failed, fork_rng(devices=()):
        return Memory(name, examples, label, *peaks(values), computed=True)


class _Step:
    """A private module and a batch on the CPU, whose storage is counted.

    Without `values`, tensors have shapes only.
    """

    def __init__(
        self,
        module: nn.Module,
        inputs: Batch,
        examples: int,
        values: Mapping[str, Tensor] | None = None,
    ) -> None:
        self.module = module
        self.mode: AbstractContextManager[Any] = (
            FakeTensorMode(allow_non_fake_inputs=True) if values is None else nullcontext()
        )

        def tensor(name: str, given: Tensor) -> Tensor:
            return _like(given) if values is None else values.get(name, given).detach().clone()

        with self.mode:
            self.parameters = {
                name: nn.Parameter(tensor(name, given), requires_grad=given.requires_grad)
                for name, given in module.named_parameters()
            }
            self.buffers = {
                name: tensor(name, given) if given.is_meta or values else given
                for name, given in module.named_buffers()
            }
            resized = _resized(inputs, examples, shapes_only=values is None)
            self.inputs = resized.with_tensors(
                map(_like, resized.tensors) if values is None else resized.tensors
            )

    def training(self, make: MakeOptimizer, loss: Loss) -> Peak:
        """Return the peak of the second training step."""
        self.module.train()
        with self.mode, swapped_tensors(self.module, self.parameters | self.buffers):
            trained = [p for p in self.parameters.values() if p.requires_grad]
            if not trained:
                raise InputError(
                    "The module has no parameter to train: set requires_grad of those that "
                    "training changes.",
                    code="memory.nothing_to_train",
                )
            optimizer = make(trained)
            self._forward_and_backward(loss)
            optimizer.step()
            optimizer.zero_grad()
            live = self._live()
            for state in optimizer.state.values():
                for value in state.values():
                    if isinstance(value, Tensor):
                        live.add(value, "optimizer")
            for parameter in trained:
                parameter.register_post_accumulate_grad_hook(
                    lambda p: live.add(p.grad, "gradients") if p.grad is not None else None
                )
            with live:
                self._forward_and_backward(loss, live)
                optimizer.step()
        return _peak(live)

    def inference(self) -> Peak:
        """Return the peak of a forward pass in eval mode."""
        self.module.eval()
        tensors = self.parameters | self.buffers
        with self.mode, torch.no_grad(), swapped_tensors(self.module, tensors):
            live = self._live()
            with live:
                self._outputs()
        return _peak(live)

    def _live(self) -> LiveStorage:
        live = LiveStorage("activations")
        for kind, tensors in (
            ("weights", self.parameters.values()),
            ("buffers", self.buffers.values()),
            ("inputs", self.inputs.tensors),
        ):
            for tensor in tensors:
                live.add(tensor, kind)
        return live

    def _forward_and_backward(self, loss: Loss, live: LiveStorage | None = None) -> None:
        value = loss(self._outputs())
        if live is not None:
            live.kind = "temporaries"
        value.backward()

    def _outputs(self) -> Any:
        tensors, names = self.inputs.tensors, self.inputs.names
        if names is None:
            return self.module(*tensors)
        return self.module(**dict(zip(names, tensors, strict=True)))


def _expect_module(module: object) -> nn.Module | Model:
    if isinstance(module, nn.Module | Model):
        return module
    kind = type(module).__name__
    raise InputError(f"Pass a module or a model, not {kind}.", code="memory.no_module")


def _inputs(module: nn.Module | Model, inputs: Any) -> Batch:
    if isinstance(module, Model):
        return Batch.of(module.task.inputs(module.task.split("validation").examples[:SHOWN]))
    tensors: Sequence[Any] = () if inputs is None else Batch.of(inputs).tensors
    if not tensors or not all(isinstance(tensor, Tensor) and tensor.ndim for tensor in tensors):
        raise InputError(
            "Pass the inputs of the module: a tensor of several examples, a sequence or a dict of "
            "such tensors. Only their shapes and types matter.",
            code="memory.no_inputs",
        )
    return Batch.of(inputs)


def _copy(module: nn.Module | Model) -> nn.Module:
    return module.module() if isinstance(module, Model) else meta_copy(module)


def _values(module: nn.Module | Model, inputs: Batch) -> Mapping[str, Tensor] | None:
    """Return the tensors of a module by name; None if these or the inputs have no values."""
    if isinstance(module, Model):
        return module.weights()
    tensors = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    known = not any(tensor.is_meta for tensor in (*tensors.values(), *inputs.tensors))
    return tensors if known else None


def _resized(inputs: Batch, examples: int, *, shapes_only: bool) -> Batch:
    """Return inputs with `examples` examples, repeated or without values."""
    if examples == len(inputs):
        return inputs
    return inputs.with_tensors(
        tensor
        if len(tensor) != len(inputs)
        else torch.empty((examples, *tensor.shape[1:]), dtype=tensor.dtype, device="meta")
        if shapes_only
        else tensor[torch.arange(examples) % len(tensor)]
        for tensor in inputs.tensors
    )


def _like(tensor: Tensor) -> Tensor:
    """Return a tensor on the CPU with the shape, strides and type of another one."""
    return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="cpu")


def _optimizer(optimizer: str | MakeOptimizer) -> tuple[MakeOptimizer, str]:
    if not isinstance(optimizer, str):
        return optimizer, getattr(optimizer, "__name__", type(optimizer).__name__)
    if optimizer not in OPTIMIZERS:
        raise InputError(
            f"There is no optimizer {optimizer!r}: choose from {', '.join(OPTIMIZERS)}, or pass a "
            "function from parameters to an optimizer.",
            code="memory.unknown_optimizer",
        )
    return OPTIMIZERS[optimizer], optimizer


def _loss(outputs: Any) -> Tensor:
    """Return the loss of a module that computes it, or the cross-entropy of its outputs."""
    value = outputs.get("loss") if isinstance(outputs, Mapping) else None
    if isinstance(value, Tensor):
        return value
    logits = outputs_of(outputs)
    rows = logits.flatten(0, -2) if logits.ndim > 1 else logits.unsqueeze(0)
    targets = torch.zeros(len(rows), dtype=torch.int64)
    return functional.cross_entropy(rows, targets)


def _peak(live: LiveStorage) -> Peak:
    return Peak({kind: live.peak.get(kind, 0) for kind in KINDS}, live.operation)
