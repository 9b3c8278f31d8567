"""Run a user's module on a few examples to find out how it may be run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from workbench.custom.closures import parameter_view, refers_to
from workbench.domain.module_copy import deep_copy, meta_copy
from workbench.domain.module_tensors import stored_tensors, tensors_of
from workbench.errors import InputError, WorkbenchError, describe, user_errors
from workbench.runtime.attributes import AttributeSnapshot
from workbench.runtime.batch import (
    HALF_DTYPES,
    Batch,
    call,
    layout_inputs,
    layout_weights,
    memory_order,
    outputs_of,
)
from workbench.runtime.guard import first_examples, guarded
from workbench.runtime.nested import map_tensors, tensors_in
from workbench.runtime.seeding import preserve_random_state, seed_generators
from workbench.runtime.shell import speed_up
from workbench.runtime.traits import Traits

TOLERANCE = 1e-3
"""Largest difference of outputs that count as equal, relative to the largest output."""
HALF_TOLERANCE = 0.1
"""The tolerance for a half-precision module, which runs in float32 here."""
REPEAT_TOLERANCE = 1e-5
"""The tolerance for one module that runs twice on the same inputs."""
FLOAT64_TOLERANCE = 1e-9
"""The tolerance in float64."""
COPY_FAILS = "A copy of the module fails although the module itself does not:"
BATCH_DEPENDENT = (
    "The module's outputs for an example depend on the other examples in the batch, as with "
    "batch norm without running statistics, so its predictions are not well defined: make it "
    "process each example independently in eval mode."
)
NOT_DETERMINISTIC = (
    "The module returns different outputs when it runs again on the same inputs: in eval mode it "
    "must not use random numbers (F.dropout needs training=self.training), count its runs, or "
    "remember earlier inputs."
)
MIN_SCALE = 1e-2
"""Outputs are compared as if the largest were at least this value."""


def probe(module: nn.Module, inputs: Callable[[], Any], split: str) -> Traits:
    """Run a module and copies of it on a few examples, and return how it may be run.

    The module's tensors and modes and the random state are restored afterwards.

    Parameters
    ----------
    module
        The module, without wrappers.
    inputs
        Returns the examples as the module takes them, in new tensors at each call.
    split
        The name of the split that the examples are from.

    Raises
    ------
    InputError
        If the module fails or cannot be copied, or its outputs are random, or depend on earlier
        runs or on the other examples of a batch.
    """
    name = parameter_view(module)
    if name is not None:
        raise InputError(
            f"The module stores a view of its {name} in an attribute, which would keep the old "
            "values when the weights change: create the view in forward.",
            code="module.parameter_view",
        )
    weights = tensors_of(module)
    with preserve_random_state(), eval_mode(module), torch.no_grad():
        differentiates, original = _original(module, inputs, split)
        traits = Traits(bfloat16=False, uses_autograd=differentiates)
        traits = _repeated(module, traits, inputs)
        run = _Runner(module, traits, inputs)
        half = any(p.dtype in HALF_DTYPES for p in module.parameters())
        outputs = run(weights)
        if not agree(outputs, original, HALF_TOLERANCE if half else TOLERANCE):
            raise InputError(
                "A copy of the module returns different outputs than the module itself: they must "
                "depend only on its inputs, parameters and buffers.",
                code="module.copy_differs",
            )
        traits = replace(traits, weight_orders=_weight_orders(run, weights, outputs))
        run = _Runner(module, traits, inputs)
        _check_independent(run, weights, outputs)
        return replace(
            traits,
            single_example=_alone(run, weights, outputs),
            channels_last=_quick(run, weights, outputs),
            float64=_float64(run, weights, outputs),
        )


@contextmanager
def eval_mode(module: nn.Module) -> Iterator[None]:
    """Put `module` into eval mode, and restore the mode of each of its layers on exit."""
    before = {layer: layer.training for layer in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for layer, training in before.items():
            layer.training = training


def agree(outputs: Any, expected: Any, tolerance: float) -> bool:
    """Whether outputs equal `expected` up to `tolerance` times the largest expected value."""
    pairs = [*tensors_in(outputs)], [*tensors_in(expected)]
    if [tensor.shape for tensor in pairs[0]] != [tensor.shape for tensor in pairs[1]]:
        return False
    return all(_close(a, b, tolerance) for a, b in zip(*pairs, strict=True))


def _close(a: Tensor, b: Tensor, tolerance: float) -> bool:
    if a.is_complex() or b.is_complex():
        a, b = (torch.view_as_real(t.to(torch.complex128)) for t in (a, b))
    a, b = a.double(), b.double()
    finite = b.isfinite()
    if not bool((a.isfinite() == finite).all()):
        return False
    a, b = a[finite], b[finite]
    if not b.numel():
        return True
    bound = tolerance * max(MIN_SCALE, float(b.abs().max()))
    return bool((a - b).abs().max() <= bound)


def _original(module: nn.Module, inputs: Callable[[], Any], split: str) -> tuple[bool, Any]:
    """Return whether the module uses autograd in forward, and its outputs."""
    failure: Exception | None = None
    for differentiates in (False, True):
        grad = torch.enable_grad() if differentiates else nullcontext()
        try:
            with grad, _as_before(module):
                return differentiates, map_tensors(
                    Tensor.detach, run_on(module, Batch.of(inputs()))
                )
        except WorkbenchError:
            raise
        except Exception as error:  # noqa: BLE001 - a module may raise anything
            failure = failure or error
    assert failure is not None
    raise InputError(
        f"The module fails on the {split} data with {describe(failure)}", code="module.failed"
    ) from failure


def run_on(module: nn.Module, batch: Batch) -> Any:
    """Return the outputs of a module on its own weights, as `outputs_of` selects them."""
    if batch.names is None:
        return outputs_of(module(*batch.tensors))
    return outputs_of(module(**dict(zip(batch.names, batch.tensors, strict=True))))


@contextmanager
def _as_before(module: nn.Module) -> Iterator[None]:
    """Restore the tensors and attributes of a module on exit."""
    tensors = [t for t in (*module.parameters(), *module.buffers()) if t.layout == torch.strided]
    values = [(tensor, tensor.data, tensor.detach().clone()) for tensor in tensors]
    attributes = AttributeSnapshot(module, buffers=True)
    try:
        yield
    finally:
        attributes.restore()
        for tensor, memory, content in values:
            if tensor.data_ptr() != memory.data_ptr():  # the module replaced its memory
                tensor.data = memory
            if not _equal(memory, content):
                tensor.copy_(content)


def _checked_copy(module: nn.Module, make: Callable[[], nn.Module]) -> nn.Module:
    """Return the copy of `module` that `make` returns, after checking that it is independent."""
    hint = ": do not store open files, locks and the like in the module."
    with user_errors(
        "copy.deepcopy(module) fails", lambda _error: hint, code="module.not_copyable"
    ):
        private = make()
    if refers_to(private, module):
        raise InputError(
            "A lambda, a hook, a weakref or another reference inside the module refers to the "
            "module itself, so a copy would use the weights of the original: make it a method.",
            code="module.self_reference",
        )
    return private


def _copy(module: nn.Module, traits: Traits) -> nn.Module:
    """Return a copy of `module` without values, guarded by `traits`."""
    return guarded(_checked_copy(module, lambda: meta_copy(module).eval()), traits)


@dataclass(frozen=True)
class _Runner:
    """Runs new copies of a module on the same examples."""

    module: nn.Module
    traits: Traits
    inputs: Callable[[], Any]

    @property
    def batch(self) -> Batch:
        """The examples."""
        return Batch.of(self.inputs())

    def __call__(self, weights: Mapping[str, Tensor], batch: Batch | None = None) -> Any:
        private = _copy(self.module, self.traits)
        try:
            return call(private, weights, self.batch if batch is None else batch)
        except WorkbenchError:
            raise
        except Exception as error:
            if any(parameter.dtype in HALF_DTYPES for parameter in self.module.parameters()):
                raise InputError(
                    "The module selects half precision itself, but models are evaluated in "
                    f"float32, where it fails with {describe(error)}: pass module.float(), and "
                    "name no dtype in forward.",
                    code="module.half_precision",
                ) from error
            raise InputError(
                "A copy of the module does not run with other weights, so the module cannot be "
                f"compressed: {describe(error)}",
                code="module.weights_not_replaceable",
            ) from error


def _repeated(module: nn.Module, traits: Traits, inputs: Callable[[], Any]) -> Traits:
    """Run one copy several times, and return the traits with what it mutates.

    Raises
    ------
    InputError
        If its outputs differ between runs.
    """
    values: dict[int, Any] = {
        id(p): nn.Parameter(p.detach().clone(), p.requires_grad) for p in module.parameters()
    }
    private = _checked_copy(module, lambda: deep_copy(module, values).eval())
    before = {
        name: (tensor.clone(), _writes(tensor)) for name, tensor in stored_tensors(private).items()
    }
    snapshot = AttributeSnapshot(private)
    outputs = []
    inputs_changed = attributes_changed = False
    for seed, reverse in enumerate((False, True, False)):
        seed_generators(seed)
        batch = Batch.of(inputs())
        batch = batch[torch.arange(len(batch) - 1, -1, -1) if reverse else slice(None)]
        originals = [tensor.clone() for tensor in batch.tensors]
        with (
            torch.enable_grad() if traits.uses_autograd else nullcontext(),
            user_errors(COPY_FAILS, code="module.copy_fails"),
        ):
            outputs.append(map_tensors(Tensor.detach, run_on(private, batch)))
        inputs_changed |= not all(map(_equal, batch.tensors, originals))
        attributes_changed |= snapshot.changed
    if not agree(outputs[2], outputs[0], REPEAT_TOLERANCE):
        raise InputError(NOT_DETERMINISTIC, code="module.not_deterministic")
    return replace(
        traits,
        mutates_inputs=inputs_changed,
        mutated_tensors=tuple(
            name
            for name, tensor in stored_tensors(private).items()
            if name in before
            and not (_writes(tensor) == before[name][1] and _equal(tensor, before[name][0]))
        ),
        mutates_attributes=attributes_changed,
    )


def _writes(tensor: Tensor) -> int:
    """Return how often a tensor was written to: other examples may change what these do not."""
    return 0 if tensor.is_inference() else tensor._version  # noqa: SLF001 - has no public name


def _equal(a: Tensor, b: Tensor) -> bool:
    return torch.equal(
        a.detach().contiguous().flatten().view(torch.uint8),
        b.detach().contiguous().flatten().view(torch.uint8),
    )


def _check_independent(run: _Runner, weights: Mapping[str, Tensor], outputs: Any) -> None:
    """Refuse outputs that change when the batch contains fewer examples."""
    batch = run.batch
    count = len(batch) - 1 if len(batch) < 4 else len(batch) // 2
    if count < 2 or (isinstance(outputs, Tensor) and outputs.shape[:1] != (len(batch),)):
        return
    try:
        part = run(weights, batch[:count])
    except WorkbenchError:  # the full pass over the data will report which examples fail
        return
    if not agree(part, first_examples(outputs, count), TOLERANCE):
        raise InputError(BATCH_DEPENDENT, code="module.batch_dependent")


def _alone(run: _Runner, weights: Mapping[str, Tensor], outputs: Any) -> bool:
    """Whether a batch of one example runs, and gives the outputs of the larger batch.

    Raises
    ------
    InputError
        If an example gives other outputs next to a copy of itself, too.
    """
    batch = run.batch
    if len(batch) < 2 or not isinstance(outputs, Tensor) or outputs.shape[:1] != (len(batch),):
        return _takes(run, weights, batch[:1], first_examples(outputs, 1))
    if all(_takes(run, weights, batch[n : n + 1], outputs[n : n + 1]) for n in range(len(batch))):
        return True
    twice = [torch.tensor([n, n]) for n in range(len(batch))]
    if all(_takes(run, weights, batch[pair], outputs[pair]) for pair in twice):
        return False
    raise InputError(BATCH_DEPENDENT, code="module.batch_dependent")


def _takes(run: _Runner, weights: Mapping[str, Tensor], batch: Batch, outputs: Any) -> bool:
    try:
        return agree(run(weights, batch), outputs, TOLERANCE)
    except WorkbenchError:
        return False


def _quick(run: _Runner, weights: Mapping[str, Tensor], outputs: Any) -> bool:
    """Whether faster layers, with channels last in memory, give the same outputs."""
    try:
        private = speed_up(_copy(run.module, run.traits))
        inputs = layout_inputs(run.batch, channels_last=True)
        quick = call(private, layout_weights(weights, channels_last=True), inputs)
        return agree(quick, outputs, TOLERANCE / 10)
    except Exception:  # noqa: BLE001 - a module may depend on the memory layout in any way
        return False


def _weight_orders(
    run: _Runner, weights: Mapping[str, Tensor], outputs: Any
) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Return the memory orders of non-contiguous weights if the outputs depend on them."""
    orders = {name: memory_order(weight) for name, weight in weights.items()}
    unusual = tuple((name, order) for name, order in orders.items() if order is not None)
    if not unusual:
        return ()
    contiguous = {name: weight.contiguous() for name, weight in weights.items()}
    try:
        same = agree(run(contiguous), outputs, TOLERANCE)
    except WorkbenchError:
        same = False
    return () if same else unusual


def _float64(run: _Runner, weights: Mapping[str, Tensor], outputs: Any) -> bool:
    """Whether the module computes in float64 throughout, with the same outputs."""
    if not isinstance(outputs, Tensor):
        return False
    wide = {n: w.double() if w.is_floating_point() else w for n, w in weights.items()}
    batch = run.batch.to(torch.float64)
    try:
        exact = run(wide, batch)
        part = run(wide, batch[: max(1, len(batch) // 2)])
    except WorkbenchError:  # it creates float32 tensors inside
        return False
    if not isinstance(exact, Tensor) or exact.dtype != torch.float64:
        return False
    return agree(exact, outputs, TOLERANCE) and agree(
        part, first_examples(exact, len(part)), FLOAT64_TOLERANCE
    )
