"""Invariants of a module and each recipe, checked without help from the package.

Each violation becomes a line of text, so one run reports all of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

import workbench as wb
from tests.field import loop
from tests.field.data import CLASSES
from tests.field.state import changed, fingerprint, same_bytes

EXACT = 1e-4
"""Tolerance of an exact adjustment, relative to the largest output."""
ROUNDED = 0.5
"""Tolerance for weights and inputs in 8 bits: root mean square error relative to the outputs."""
UNCHANGED = frozenset({"as it is", "folded", "evened out"})
"""Recipes that must not change any output."""


@dataclass
class Subject:
    """A module with its data, and a way to build it again with the same weights.

    `plain` builds a network whose state has the tensors that a file should contain. If `untrained`
    is set, recipes that need gradients may be refused with an error that this pattern matches.
    """

    module: nn.Module
    plain: Callable[[], nn.Module]
    data: Mapping[str, tuple[Any, Tensor]]
    task: str
    name: str = "subject"
    untrained: str = ""


@dataclass
class CheckResult:
    """The result for a module: why it was refused, and the violations that were measured.

    `refusal` is the code of the error, a colon and its message.
    """

    refusal: str = ""
    measured: int = 0
    faults: list[str] = field(default_factory=list)


def examine(subject: Subject, recipes: Mapping[str, wb.Recipe], folder: Path) -> CheckResult:
    """Make a model of a module, apply all recipes, and return the result."""
    result = CheckResult()
    before = fingerprint(subject.module, subject.data)
    try:
        model = wb.from_module(subject.module, **subject.data, name=subject.name)
    except wb.WorkbenchError as error:
        result.refusal = f"{error.code}: {error}"
    except Exception as error:  # noqa: BLE001 - any other type of error is a violation
        result.faults.append(f"from_module: {type(error).__name__}: {error}")
    else:
        original = Original(subject)
        for number, (title, recipe) in enumerate(recipes.items()):
            path = folder / f"{number}.safetensors"  # to replace a file waits for the disk
            faults = _faults(model, original, title, recipe, path)
            result.faults += [f"{title}: {fault}" for fault in faults]
            result.measured += 1
    different = changed(before, fingerprint(subject.module, subject.data))
    if different:
        result.faults.append(f"changed: {', '.join(different)}")
    return result


class Original:
    """The uncompressed network, and its tensors, statistics and outputs."""

    def __init__(self, subject: Subject):
        self.subject = subject
        self.inputs, self.targets = subject.data["validation"]
        module = subject.plain()
        self.parameters = {
            name: tensor.detach().clone() for name, tensor in module.named_parameters()
        }
        self.frozen = {
            name for name, tensor in module.named_parameters() if not tensor.requires_grad
        }
        self.buffers = {name: tensor.clone() for name, tensor in module.named_buffers()}
        self.saved = set(module.state_dict())
        self.statistics, self.frozen_statistics = _statistics(module)
        self.trained_buffers = _moving(subject.plain().train(), self.inputs) | self.statistics
        self.matrices = [name for name, tensor in self.parameters.items() if tensor.ndim > 1]
        self.outputs = loop.outputs(subject.plain(), self.inputs)

    def loaded(self, weights: Mapping[str, Tensor]) -> nn.Module:
        """Return the network with decoded tensors, copied into it with PyTorch only."""
        module = self.subject.plain()
        tensors = {**dict(module.named_parameters()), **dict(module.named_buffers())}
        inference = any(tensor.is_inference() for tensor in tensors.values())
        with torch.inference_mode(inference), torch.no_grad():
            for name, tensor in weights.items():
                tensors[name].copy_(tensor)
        return module


def _statistics(module: nn.Module) -> tuple[set[str], set[str]]:
    """Return the names of running statistics, and of those of frozen norms."""
    statistics, frozen = set(), set()
    for name, layer in module.named_modules():
        if isinstance(layer, _NormBase):
            names = {
                f"{name}.{key}" if name else key for key, _ in layer.named_buffers(recurse=False)
            }
            statistics |= names
            parameters = list(layer.parameters())
            if parameters and not any(p.requires_grad for p in parameters):
                frozen |= names
    return statistics, frozen


def _moving(module: nn.Module, inputs: Any) -> set[str]:
    """Return the names of buffers that the module changes in training mode."""
    before = {name: tensor.clone() for name, tensor in module.named_buffers()}
    inference = any(tensor.is_inference() for tensor in module.parameters())
    with torch.random.fork_rng(), torch.inference_mode(inference), torch.no_grad():
        loop.call(module, loop.rows(inputs, slice(None)))
    return {name for name, tensor in module.named_buffers() if not same_bytes(before[name], tensor)}


def _faults(
    model: Any, original: Original, title: str, recipe: wb.Recipe, path: Path
) -> Iterator[str]:
    """Yield the violations of one recipe, including errors of any type."""
    try:
        report = wb.measure(model, recipe, timed=False)
        artifact = wb.compress(model, recipe)
        artifact.save(path)
        loaded = wb.load(path)
        rebuilt = wb.to_module(loaded)
    except wb.WorkbenchError as error:
        pattern, refusal = original.subject.untrained, f"{error.code}: {error}"
        allowed = (
            _needs_gradients(recipe) and pattern and re.search(pattern, refusal, re.IGNORECASE)
        )
        if not (allowed or ("NaN" in refusal and _is_undefined(model, original, recipe))):
            yield f"refused: {refusal}"
        return
    except Exception as error:  # noqa: BLE001 - any other type of error is a violation
        yield f"{type(error).__name__}: {error}"
        return
    if not len(artifact) == report.bytes == path.stat().st_size:
        yield f"{report.bytes} bytes reported, {path.stat().st_size} in the file"
    if loaded.digest != report.digest:
        yield "the digests of the file and the report differ"
    weights = loaded.weights()
    expected = original.matrices if _folds(recipe) else original.parameters
    if missing := [name for name in expected if name not in weights]:
        yield f"the file lacks {missing}"
        return
    yield from _buffers(weights, rebuilt, original, recipe)  # before the module runs
    outputs = loop.outputs(rebuilt, original.inputs)
    yield from _figure(report, rebuilt, outputs, original, recipe)
    yield from _zeros(report, weights, original, recipe)
    yield from _trained(weights, original, recipe)
    yield from _outputs(weights, outputs, original, title, recipe)


def _is_undefined(model: Any, original: Original, recipe: wb.Recipe) -> bool:
    """Whether outputs are NaN even without training and activation quantization."""
    artifact = wb.compress(model, replace(recipe, activations=None, train=None))
    return bool(loop.outputs(wb.to_module(artifact), original.inputs).isnan().any())


def _needs_gradients(recipe: wb.Recipe) -> bool:
    chosen = [part.criterion for part in (recipe.prune, recipe.structure) if part]
    return recipe.train is not None or "gradient" in chosen


def _figure(
    report: Any, rebuilt: nn.Module, outputs: Tensor, original: Original, recipe: wb.Recipe
) -> Iterator[str]:
    """The reported metric is that of an evaluation loop over the module of the file."""
    task, targets = original.subject.task, original.targets
    if report.total != len(targets) or not report.exact:
        yield f"{report.examples} of {report.total} examples evaluated"
    if recipe.activations:  # rounding separates close inputs, so float64 decides
        exact = loop.in_double(rebuilt, original.inputs)
        outputs = outputs if exact is None else exact
    expected = loop.metric_value(outputs, targets, task)
    if task != "classes":
        if not abs(report.value - expected) <= 1e-4 * max(abs(expected), 1e-3):
            yield f"reports {report.metric} {report.value}, expected {expected}"
        return
    uncertain = loop.close_calls(outputs)
    if abs(report.accuracy - expected) > uncertain / len(targets) + 1e-9:
        yield f"reports accuracy {report.accuracy}, expected {expected} ({uncertain} uncertain)"
    counts = loop.confusion(outputs, targets, CLASSES)
    if not uncertain and [list(row) for row in report.confusion] != counts:
        yield f"reports confusion {report.confusion}, expected {counts}"


def _zeros(
    report: Any, weights: Mapping[str, Tensor], original: Original, recipe: wb.Recipe
) -> Iterator[str]:
    """Sparsity counts the parameters with two or more dimensions, and no other tensors."""
    matrices = [weights[name] for name in original.matrices]
    total = sum(tensor.numel() for tensor in matrices)
    zeros = sum(int((tensor == 0).sum()) for tensor in matrices)
    achieved = zeros / total if total else 0.0
    if abs(report.sparsity_achieved - achieved) > 1e-9:
        yield f"reports {report.sparsity_achieved} zeros, expected {achieved}"
    requested = recipe.prune.sparsity if recipe.prune else 0.0
    if report.sparsity_requested != requested:
        yield f"reports {report.sparsity_requested} zeros requested, expected {requested}"
    if not (recipe.factorize or recipe.structure or _folds(recipe)):
        parameters = sum(tensor.numel() for tensor in original.parameters.values())
        if report.parameters != parameters:
            yield f"reports {report.parameters} parameters, expected {parameters}"
        nonzero = sum(int((weights[name] != 0).sum()) for name in original.parameters)
        if report.nonzero != nonzero:
            yield f"reports {report.nonzero} weights other than zero, expected {nonzero}"
    yield from _requested_zeros(zeros, total, original, recipe)


def _requested_zeros(
    zeros: int, total: int, original: Original, recipe: wb.Recipe
) -> Iterator[str]:
    """Unstructured pruning removes the requested number of weights."""
    only = recipe.prune and not (recipe.quantize or recipe.structure or recipe.train)
    if not only or recipe.prune.pattern != "free":
        return
    before = sum(int((original.parameters[name] == 0).sum()) for name in original.matrices)
    requested = recipe.prune.sparsity * total
    slack = 1 + len(original.matrices) / 2
    if not requested - slack <= zeros <= max(requested, requested * (before > 0) + before) + slack:
        yield f"{zeros} of {total} weights are zero, requested {requested}, before {before}"


def _folds(recipe: wb.Recipe) -> bool:
    return recipe.adjust is not None and recipe.adjust.batch_norm == "fold"


def _buffers(
    weights: Mapping[str, Tensor], rebuilt: nn.Module, original: Original, recipe: wb.Recipe
) -> Iterator[str]:
    """Buffers are unchanged bit by bit, except those that the recipe measures or trains."""
    moving: set[str] = set()
    if recipe.adjust or recipe.structure:
        moving |= original.statistics
    if recipe.train:
        moving |= original.trained_buffers
    still = original.buffers.keys() - moving
    held = dict(rebuilt.named_buffers()) | _attributes(rebuilt, still)
    for name in sorted(still):
        before, after = original.buffers[name], held.get(name)
        if after is None:
            yield f"the buffer {name} is missing from the rebuilt module"
        elif not recipe.structure and not same_bytes(before, after):
            yield f"the buffer {name} was {_summary(before)} and is {_summary(after)}"
        stored = weights.get(name)
        if name in original.saved and stored is None:
            yield f"the buffer {name} is missing from the file"


def _attributes(module: nn.Module, names: set[str]) -> dict[str, Tensor]:
    """Return tensor attributes by path, whether or not they are registered as buffers."""
    tensors = {}
    for name in names:
        path, _, leaf = name.rpartition(".")
        try:
            value = getattr(module.get_submodule(path), leaf, None)
        except AttributeError:
            continue
        if isinstance(value, Tensor):
            tensors[name] = value
    return tensors


def _summary(tensor: Tensor) -> str:
    return f"{tensor.dtype} {tuple(tensor.shape)} {tensor.flatten()[:3].tolist()}"


def _trained(weights: Mapping[str, Tensor], original: Original, recipe: wb.Recipe) -> Iterator[str]:
    """Training changes the parameters that are not frozen, and nothing else."""
    if not recipe.train or recipe.prune or recipe.quantize:
        return
    for name in sorted(original.frozen):
        if not torch.equal(weights[name], original.parameters[name]):
            yield f"{name} is frozen and was trained"
    for name in sorted(original.frozen_statistics):
        if not torch.equal(weights[name].to(original.buffers[name].dtype), original.buffers[name]):
            yield f"{name} belongs to a frozen norm and has changed"
    free = original.parameters.keys() - original.frozen
    if free and all(torch.equal(weights[name], original.parameters[name]) for name in free):
        yield "training changed no weight"


def _outputs(
    weights: Mapping[str, Tensor],
    outputs: Tensor,
    original: Original,
    title: str,
    recipe: wb.Recipe,
) -> Iterator[str]:
    """The module of the file computes the same as the original with the decoded tensors."""
    largest = float(original.outputs.abs().max())
    change = float((outputs - original.outputs).abs().max())
    if title in UNCHANGED and change > EXACT * largest:
        yield f"changes outputs by {change:.3g} of {largest:.3g}"
    if recipe.structure or _folds(recipe):
        return
    try:
        expected = loop.outputs(original.loaded(weights), original.inputs)
    except (KeyError, RuntimeError) as error:
        yield f"the decoded tensors do not fit the original: {error}"
        return
    error = (outputs - expected).abs()
    if recipe.activations:
        std = float((expected - expected.mean(0)).square().mean().sqrt())
        if float(error.square().mean().sqrt()) > ROUNDED * max(std, 0.1 * largest):
            yield f"inputs in 8 bits change outputs by {float(error.max()):.3g} of {largest:.3g}"
    elif float(error.max()) > EXACT * max(float(expected.abs().max()), 1e-3):
        yield f"the rebuilt module differs by {float(error.max()):.3g} from its decoded tensors"
