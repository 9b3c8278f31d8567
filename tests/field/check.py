"""What must hold for a module and each recipe: the invariants, checked without the package's help.

Whatever does not hold becomes a line of text, so that one run names everything that is wrong.
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
"""Share of the largest output by which an adjustment that is exact may change any."""
ROUNDED = 0.5
"""Share of the outputs' size that weights and inputs in 8 bits may change at most on average."""
UNMOVED = frozenset({"as it is", "folded", "evened out"})
"""Recipes that must leave all outputs as they were."""


@dataclass
class Subject:
    """A module with its data, and how another of the same weights is built.

    `plain` builds a network whose state holds the tensors that a file should hold. Where
    `untrained` is set, recipes that need gradients may be refused in a sentence that it matches.
    """

    module: nn.Module
    plain: Callable[[], nn.Module]
    data: Mapping[str, tuple[Any, Tensor]]
    task: str
    name: str = "subject"
    untrained: str = ""


@dataclass
class CheckResult:
    """What came of a module: why it was refused, and what was wrong with what was measured."""

    refusal: str = ""
    measured: int = 0
    faults: list[str] = field(default_factory=list)


def examine(subject: Subject, recipes: Mapping[str, wb.Recipe], folder: Path) -> CheckResult:
    """Bring a module, put it through all recipes, and return what was wrong."""
    verdict = CheckResult()
    before = fingerprint(subject.module, subject.data)
    try:
        model = wb.from_module(subject.module, **subject.data, name=subject.name)
    except wb.WorkbenchError as error:
        verdict.refusal = str(error)
    except Exception as error:  # noqa: BLE001 - of whatever type, it is what this looks for
        verdict.faults.append(f"bring: {type(error).__name__}: {error}")
    else:
        original = Original(subject)
        for title, recipe in recipes.items():
            verdict.faults += [
                f"{title}: {said}" for said in _tried(model, original, title, recipe, folder)
            ]
            verdict.measured += 1
    different = changed(before, fingerprint(subject.module, subject.data))
    if different:
        verdict.faults.append(f"changed: {', '.join(different)}")
    return verdict


class Original:
    """The network before anything was done to it, and what was counted of it here."""

    def __init__(self, subject: Subject):
        self.subject = subject
        self.inputs, self.targets = subject.data["validation"]
        module = subject.plain()
        self.parameters = {name: one.detach().clone() for name, one in module.named_parameters()}
        self.frozen = {name for name, one in module.named_parameters() if not one.requires_grad}
        self.buffers = {name: one.clone() for name, one in module.named_buffers()}
        self.saved = set(module.state_dict())
        self.statistics, self.frozen_statistics = _statistics(module)
        self.trained_buffers = _moving(subject.plain().train(), self.inputs) | self.statistics
        self.matrices = [name for name, one in self.parameters.items() if one.ndim > 1]
        self.outputs = loop.outputs(subject.plain(), self.inputs)

    def loaded(self, weights: Mapping[str, Tensor]) -> nn.Module:
        """Return the network with decoded tensors, put into it by PyTorch alone."""
        module = self.subject.plain()
        places = {**dict(module.named_parameters()), **dict(module.named_buffers())}
        inference = any(one.is_inference() for one in places.values())
        with torch.inference_mode(inference), torch.no_grad():
            for name, tensor in weights.items():
                places[name].copy_(tensor)
        return module


def _statistics(module: nn.Module) -> tuple[set[str], set[str]]:
    """Return the names of running statistics, and of those whose norm is frozen."""
    found, frozen = set(), set()
    for name, layer in module.named_modules():
        if isinstance(layer, _NormBase):
            names = {
                f"{name}.{key}" if name else key for key, _ in layer.named_buffers(recurse=False)
            }
            found |= names
            own = list(layer.parameters())
            if own and not any(one.requires_grad for one in own):
                frozen |= names
    return found, frozen


def _moving(module: nn.Module, inputs: Any) -> set[str]:
    """Return the names of buffers that the module itself writes to when it trains."""
    before = {name: one.clone() for name, one in module.named_buffers()}
    inference = any(one.is_inference() for one in module.parameters())
    with torch.random.fork_rng(), torch.inference_mode(inference), torch.no_grad():
        loop.call(module, loop.rows(inputs, slice(None)))
    return {name for name, one in module.named_buffers() if not same_bytes(before[name], one)}


def _tried(
    model: Any, original: Original, title: str, recipe: wb.Recipe, folder: Path
) -> Iterator[str]:
    """Yield what is wrong with one recipe, an error of any type included."""
    try:
        report = wb.measure(model, recipe, timed=False)
        artifact = wb.compress(model, recipe)
        path = artifact.save(folder / "file.safetensors")
        loaded = wb.load(path)
        rebuilt = wb.to_module(loaded)
    except wb.WorkbenchError as error:
        bar = original.subject.untrained
        barred = _needs_gradients(recipe) and bar and re.search(bar, str(error), re.IGNORECASE)
        if not (barred or ("NaN" in str(error) and _is_undefined(model, original, recipe))):
            yield f"refused: {error}"
        return
    except Exception as error:  # noqa: BLE001 - of whatever type, it is what this looks for
        yield f"{type(error).__name__}: {error}"
        return
    if not len(artifact) == report.bytes == path.stat().st_size:
        yield f"{report.bytes} bytes reported, {path.stat().st_size} in the file"
    if loaded.digest != report.digest:
        yield "the file's digest is not the report's"
    weights = loaded.weights()
    expected = original.matrices if _folds(recipe) else original.parameters
    if missing := [name for name in expected if name not in weights]:
        yield f"the file lacks {missing}"
        return
    yield from _buffers(weights, rebuilt, original, recipe)  # before anything runs
    found = loop.outputs(rebuilt, original.inputs)
    yield from _figure(report, rebuilt, found, original, recipe)
    yield from _zeros(report, weights, original, recipe)
    yield from _trained(weights, original, recipe)
    yield from _outputs(weights, found, original, title, recipe)


def _is_undefined(model: Any, original: Original, recipe: wb.Recipe) -> bool:
    """Whether outputs are not numbers before anything else, as with a norm of zero."""
    whole = wb.compress(model, replace(recipe, activations=None, train=None))
    return bool(loop.outputs(wb.to_module(whole), original.inputs).isnan().any())


def _needs_gradients(recipe: wb.Recipe) -> bool:
    chosen = [part.criterion for part in (recipe.prune, recipe.structure) if part]
    return recipe.train is not None or "gradient" in chosen


def _figure(
    report: Any, rebuilt: nn.Module, found: Tensor, original: Original, recipe: wb.Recipe
) -> Iterator[str]:
    """The figure on the screen is that of a plain loop over the module of the file."""
    task, targets = original.subject.task, original.targets
    if report.total != len(targets) or not report.exact:
        yield f"{report.examples} of {report.total} examples judged"
    if recipe.activations:  # codes tell close inputs apart, and are judged in float64
        found = _or(loop.in_double(rebuilt, original.inputs), found)
    right = loop.figure(found, targets, task)
    if task != "classes":
        if not abs(report.value - right) <= 1e-4 * max(abs(right), 1e-3):
            yield f"reports {report.metric} {report.value}, right {right}"
        return
    doubtful = loop.close_calls(found)
    if abs(report.accuracy - right) > doubtful / len(targets) + 1e-9:
        yield f"reports accuracy {report.accuracy}, right {right} (at most {doubtful} doubtful)"
    counts = loop.confusion(found, targets, CLASSES)
    if not doubtful and [list(row) for row in report.confusion] != counts:
        yield f"reports confusion {report.confusion}, right {counts}"


def _or(value: Tensor | None, other: Tensor) -> Tensor:
    return other if value is None else value


def _zeros(
    report: Any, weights: Mapping[str, Tensor], original: Original, recipe: wb.Recipe
) -> Iterator[str]:
    """Zeros are those of parameters with two axes or more, and no others."""
    matrices = [weights[name] for name in original.matrices]
    total = sum(one.numel() for one in matrices)
    zeros = sum(int((one == 0).sum()) for one in matrices)
    achieved = zeros / total if total else 0.0
    if abs(report.sparsity_achieved - achieved) > 1e-9:
        yield f"reports {report.sparsity_achieved} zeros, right {achieved}"
    requested = recipe.prune.sparsity if recipe.prune else 0.0
    if report.sparsity_requested != requested:
        yield f"says that {report.sparsity_requested} zeros were asked for, right {requested}"
    if not (recipe.factorize or recipe.structure or _folds(recipe)):
        parameters = sum(one.numel() for one in original.parameters.values())
        if report.parameters != parameters:
            yield f"reports {report.parameters} parameters, right {parameters}"
        nonzero = sum(int((weights[name] != 0).sum()) for name in original.parameters)
        if report.nonzero != nonzero:
            yield f"reports {report.nonzero} weights other than zero, right {nonzero}"
    yield from _asked(zeros, total, original, recipe)


def _asked(zeros: int, total: int, original: Original, recipe: wb.Recipe) -> Iterator[str]:
    """Single weights are removed in the number that was asked for."""
    alone = recipe.prune and not (recipe.quantize or recipe.structure or recipe.train)
    if not alone or recipe.prune.pattern != "free":
        return
    before = sum(int((original.parameters[name] == 0).sum()) for name in original.matrices)
    wanted = recipe.prune.sparsity * total
    slack = 1 + len(original.matrices) / 2
    if not wanted - slack <= zeros <= max(wanted, wanted * (before > 0) + before) + slack:
        yield f"{zeros} of {total} weights are zero, asked for {wanted}, before {before}"


def _folds(recipe: wb.Recipe) -> bool:
    return recipe.adjust is not None and recipe.adjust.batch_norm == "fold"


def _buffers(
    weights: Mapping[str, Tensor], rebuilt: nn.Module, original: Original, recipe: wb.Recipe
) -> Iterator[str]:
    """Buffers are as they were, bit by bit, but those that the recipe measures or trains."""
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
            yield f"the buffer {name} was {_said(before)} and is {_said(after)}"
        stored = weights.get(name)
        if name in original.saved and stored is None:
            yield f"the buffer {name} is missing from the file"


def _attributes(module: nn.Module, names: set[str]) -> dict[str, Tensor]:
    """Return tensors by path that are attributes, whether or not PyTorch counts them as buffers."""
    found = {}
    for name in names:
        path, _, leaf = name.rpartition(".")
        try:
            value = getattr(module.get_submodule(path), leaf, None)
        except AttributeError:
            continue
        if isinstance(value, Tensor):
            found[name] = value
    return found


def _said(tensor: Tensor) -> str:
    return f"{tensor.dtype} {tuple(tensor.shape)} {tensor.flatten()[:3].tolist()}"


def _trained(weights: Mapping[str, Tensor], original: Original, recipe: wb.Recipe) -> Iterator[str]:
    """Training moves what is not frozen, and nothing else."""
    if not recipe.train or recipe.prune or recipe.quantize:
        return
    for name in sorted(original.frozen):
        if not torch.equal(weights[name], original.parameters[name]):
            yield f"{name} is frozen and was trained"
    for name in sorted(original.frozen_statistics):
        if not torch.equal(weights[name].to(original.buffers[name].dtype), original.buffers[name]):
            yield f"{name} is of a frozen norm and has changed"
    free = original.parameters.keys() - original.frozen
    if free and all(torch.equal(weights[name], original.parameters[name]) for name in free):
        yield "training moved no weight"


def _outputs(
    weights: Mapping[str, Tensor], found: Tensor, original: Original, title: str, recipe: wb.Recipe
) -> Iterator[str]:
    """The module of the file computes what the decoded tensors compute in the original's code."""
    reach = float(original.outputs.abs().max())
    if (
        title in UNMOVED
        and (moved := float((found - original.outputs).abs().max())) > EXACT * reach
    ):
        yield f"moves outputs by {moved:.3g} of {reach:.3g}"
    if recipe.structure or _folds(recipe):
        return
    try:
        own = loop.outputs(original.loaded(weights), original.inputs)
    except (KeyError, RuntimeError) as error:
        yield f"the decoded tensors do not fit the original: {error}"
        return
    error = (found - own).abs()
    if recipe.activations:
        spread = float((own - own.mean(0)).square().mean().sqrt())
        if float(error.square().mean().sqrt()) > ROUNDED * max(spread, 0.1 * reach):
            yield f"inputs in 8 bits move outputs by {float(error.max()):.3g} of {reach:.3g}"
    elif float(error.max()) > EXACT * max(float(own.abs().max()), 1e-3):
        yield f"the rebuilt module is {float(error.max()):.3g} off its decoded tensors"
