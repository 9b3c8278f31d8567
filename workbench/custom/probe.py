"""What a user's module does when it runs: tried on a few examples before anything else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from workbench.custom.closures import parameter_view, refers_to
from workbench.domain.user_architecture import deep_copy, meta_copy, stored_tensors, tensors_of
from workbench.errors import WorkbenchError, describe, user_errors
from workbench.runtime.attributes import AttributeSnapshot
from workbench.runtime.batch import (
    HALF_DTYPES,
    Batch,
    call,
    layout_inputs,
    layout_weights,
    outputs_of,
)
from workbench.runtime.guard import first_examples, guarded
from workbench.runtime.seeding import preserve_random_state
from workbench.runtime.shell import speed_up
from workbench.runtime.traits import Traits

TOLERANCE = 1e-3
"""How far outputs may lie apart that are to be equal, in proportion to the largest."""
HALF_TOLERANCE = 0.1
"""The same for a module in half precision, which runs in float32 here."""
REPEAT_TOLERANCE = 1e-5
"""The same for one module that runs twice, on the same inputs or among other examples."""
FLOAT64_TOLERANCE = 1e-9
"""The same in float64."""
COPY_FAILS = "A copy of the module fails where the module itself does not:"
BATCH_DEPENDENT = (
    "The module's outputs for an example depend on which other examples are in the batch, as with "
    "batch norm that has no running statistics: its predictions are then not defined one by one. "
    "Let it treat each example by itself in eval mode."
)
NOT_DETERMINISTIC = (
    "The module gives other outputs when it runs again on the same inputs: in eval mode it must "
    "not use random numbers, as F.dropout does without training=self.training, count its runs, or "
    "keep what it saw before."
)
MIN_SCALE = 1e-2
"""Outputs are compared as if the largest were at least this."""


def probe(module: nn.Module, inputs: Callable[[], Any], split: str) -> Traits:
    """Run a module and copies of it on a few examples, and return how it may be run.

    The module's tensors, modes and the random state are afterwards as they were. `inputs` makes the
    examples, as the module takes them, of the split called `split`; each call makes new tensors.

    Raises
    ------
    WorkbenchError
        When the module fails, cannot be copied, or gives outputs that depend on chance, on what ran
        before, or on the other examples of a batch.
    """
    place = parameter_view(module)
    if place is not None:
        raise WorkbenchError(
            f"The module holds a view of its {place} in an attribute, which would not follow when "
            "the weights change: make the view in forward."
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
            raise WorkbenchError(
                "A copy of the module gives other outputs than the module itself: what it computes "
                "must depend on its inputs, parameters and buffers alone."
            )
        _check_apart(run, weights, outputs)
        return replace(
            traits,
            single_example=_alone(run, weights, outputs),
            channels_last=_quick(run, weights, outputs),
            float64=_float64(run, weights, outputs),
        )


@contextmanager
def eval_mode(module: nn.Module) -> Iterator[None]:
    """Put `module` into eval mode, and each of its layers back into the mode that it had."""
    before = {layer: layer.training for layer in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for layer, training in before.items():
            layer.training = training


def agree(one: Any, other: Any, within: float) -> bool:
    """Return whether two outputs are equal within a share of the largest value of `other`."""
    pairs = [*_tensors(one)], [*_tensors(other)]
    if [tensor.shape for tensor in pairs[0]] != [tensor.shape for tensor in pairs[1]]:
        return False
    return all(_close(a, b, within) for a, b in zip(*pairs, strict=True))


def _close(one: Tensor, other: Tensor, within: float) -> bool:
    if one.is_complex() or other.is_complex():
        one, other = (torch.view_as_real(t.to(torch.complex128)) for t in (one, other))
    one, other = one.double(), other.double()
    finite = other.isfinite()
    if not bool((one.isfinite() == finite).all()):
        return False
    one, other = one[finite], other[finite]
    if not other.numel():
        return True
    bound = within * max(MIN_SCALE, float(other.abs().max()))
    return bool((one - other).abs().max() <= bound)


def _tensors(value: Any) -> Iterator[Tensor]:
    """Yield all tensors in what a module returned."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _tensors(one)
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _tensors(one)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from _tensors(getattr(value, field.name))


def _original(module: nn.Module, inputs: Callable[[], Any], split: str) -> tuple[bool, Any]:
    """Return whether the module itself needs autograd, and its outputs."""
    failure: Exception | None = None
    for differentiates in (False, True):
        grad = torch.enable_grad() if differentiates else nullcontext()
        try:
            with grad, _as_before(module):
                return differentiates, _detached(run_on(module, Batch.of(inputs())))
        except WorkbenchError:
            raise
        except Exception as error:  # noqa: BLE001 - a module may raise anything
            failure = failure or error
    assert failure is not None
    raise WorkbenchError(
        f"The module fails on the {split} data with {describe(failure)}"
    ) from failure


def run_on(module: nn.Module, batch: Batch) -> Any:
    """Return what counts of a module's outputs, run on its own weights."""
    if batch.names is None:
        return outputs_of(module(*batch.tensors))
    return outputs_of(module(**dict(zip(batch.names, batch.tensors, strict=True))))


@contextmanager
def _as_before(module: nn.Module) -> Iterator[None]:
    """Give a module the tensors and attributes back that it had, whatever it does inside."""
    tensors = [t for t in (*module.parameters(), *module.buffers()) if t.layout == torch.strided]
    values = [(tensor, tensor.data, tensor.detach().clone()) for tensor in tensors]
    attributes = AttributeSnapshot(module, buffers=True)
    try:
        yield
    finally:
        attributes.restore()
        for tensor, memory, content in values:
            if tensor.data_ptr() != memory.data_ptr():  # another was put in its place
                tensor.data = memory
            if not _equal(memory, content):
                tensor.copy_(content)


def _detached(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach()
    if isinstance(value, dict):
        return {name: _detached(one) for name, one in value.items()}
    return [_detached(one) for one in value] if isinstance(value, tuple | list) else value


def _safely(module: nn.Module, make: Callable[[], nn.Module]) -> nn.Module:
    """Return the copy of `module` that `make` makes, or say that there can be none."""
    try:
        private = make()
    except Exception as error:
        raise WorkbenchError(
            f"The module cannot be copied with copy.deepcopy, which fails with {describe(error)}: keep "
            "open files, locks and the like out of it."
        ) from error
    if refers_to(private, module):
        raise WorkbenchError(
            "A function or reference that the module holds, such as a lambda, a hook or a weakref, "
            "refers to the module itself, so that a copy would run on the weights of the module: "
            "make it a method."
        )
    return private


def _copy(module: nn.Module, traits: Traits) -> nn.Module:
    """Return a copy of `module` without values, guarded by `traits`."""
    return guarded(_safely(module, lambda: meta_copy(module).eval()), traits)


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
                raise WorkbenchError(
                    "The module computes in half precision of its own accord, and files are judged "
                    f"in float32, where it fails with {describe(error)}: give module.float(), with no "
                    "dtype named in forward."
                ) from error
            raise WorkbenchError(
                "A copy of the module does not run on weights that are lent to it, so it cannot be "
                f"compressed here: {describe(error)}"
            ) from error


def _repeated(module: nn.Module, traits: Traits, inputs: Callable[[], Any]) -> Traits:
    """Run one copy several times, as it would run by itself, and return what it writes to.

    Raises
    ------
    WorkbenchError
        When its outputs are not always the same.
    """
    values: dict[int, Any] = {
        id(p): nn.Parameter(p.detach().clone(), p.requires_grad) for p in module.parameters()
    }
    private = _safely(module, lambda: deep_copy(module, values).eval())
    before = {name: tensor.clone() for name, tensor in stored_tensors(private).items()}
    attributes = AttributeSnapshot(private)
    found = []
    changed = kept = False
    for number, backwards in enumerate((False, True, False)):
        torch.manual_seed(number)
        batch = Batch.of(inputs())
        order = torch.arange(len(batch) - 1, -1, -1) if backwards else slice(None)
        given = batch[order]
        untouched = [tensor.clone() for tensor in given.tensors]
        with (
            torch.enable_grad() if traits.uses_autograd else nullcontext(),
            user_errors(COPY_FAILS),
        ):
            found.append(_detached(run_on(private, given)))
        changed |= not all(map(_equal, given.tensors, untouched))
        kept |= attributes.changed
    if not agree(found[2], found[0], REPEAT_TOLERANCE):
        raise WorkbenchError(NOT_DETERMINISTIC)
    written = tuple(
        n for n, t in stored_tensors(private).items() if n in before and not _equal(t, before[n])
    )
    return replace(traits, mutates_inputs=changed, mutated_tensors=written, mutates_attributes=kept)


def _equal(one: Tensor, other: Tensor) -> bool:
    return torch.equal(
        one.detach().contiguous().flatten().view(torch.uint8),
        other.detach().contiguous().flatten().view(torch.uint8),
    )


def _check_apart(run: _Runner, weights: Mapping[str, Tensor], outputs: Any) -> None:
    """Refuse outputs that are others where other examples are in the batch."""
    batch = run.batch
    some = len(batch) - 1 if len(batch) < 4 else len(batch) // 2
    if some < 2 or (isinstance(outputs, Tensor) and outputs.shape[:1] != (len(batch),)):
        return
    try:
        found = run(weights, batch[:some])
    except WorkbenchError:  # the full pass over the data will say on which of them it fails
        return
    if not agree(found, first_examples(outputs, some), TOLERANCE):
        raise WorkbenchError(BATCH_DEPENDENT)


def _alone(run: _Runner, weights: Mapping[str, Tensor], outputs: Any) -> bool:
    """Return whether a batch of one example gives what it gives among others.

    Raises
    ------
    WorkbenchError
        When it gives something else although the module takes such batches.
    """
    batch = run.batch
    if len(batch) < 2 or not isinstance(outputs, Tensor) or outputs.shape[:1] != (len(batch),):
        return _takes(run, weights, batch[:1], first_examples(outputs, 1))
    alone = all(
        _takes(run, weights, batch[n : n + 1], outputs[n : n + 1]) for n in range(len(batch))
    )
    if alone:
        return True
    twice = [torch.tensor([n, n]) for n in range(len(batch))]
    if all(_takes(run, weights, batch[pair], outputs[pair]) for pair in twice):
        return False
    raise WorkbenchError(BATCH_DEPENDENT)


def _takes(run: _Runner, weights: Mapping[str, Tensor], batch: Batch, outputs: Any) -> bool:
    try:
        return agree(run(weights, batch), outputs, TOLERANCE)
    except WorkbenchError:
        return False


def _quick(run: _Runner, weights: Mapping[str, Tensor], outputs: Any) -> bool:
    """Return whether quicker layers, with channels last in memory, give the same."""
    try:
        private = speed_up(_copy(run.module, run.traits))
        laid = layout_weights(weights, channels_last=True)
        return agree(
            call(private, laid, layout_inputs(run.batch, channels_last=True)),
            outputs,
            TOLERANCE / 10,
        )
    except Exception:  # noqa: BLE001 - a module may depend on how tensors lie in memory in any way
        return False


def _float64(run: _Runner, weights: Mapping[str, Tensor], outputs: Any) -> bool:
    """Return whether the module computes in float64 throughout, with the same outputs."""
    if not isinstance(outputs, Tensor):
        return False
    wide = {n: w.double() if w.is_floating_point() else w for n, w in weights.items()}
    batch = run.batch.to(torch.float64)
    try:
        found = run(wide, batch)
        some = run(wide, batch[: max(1, len(batch) // 2)])
    except WorkbenchError:  # it makes float32 tensors of its own
        return False
    if not isinstance(found, Tensor) or found.dtype != torch.float64:
        return False
    return agree(found, outputs, TOLERANCE) and agree(
        some, first_examples(found, len(some)), FLOAT64_TOLERANCE
    )
