"""Calibration statistics, computed once on the training split and cached."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from threading import Lock
from typing import TYPE_CHECKING, Any

from workbench.cache.files import FileCache, default_file_cache
from workbench.cache.memory import MemoryCache
from workbench.cancel import NEVER, CancelToken
from workbench.domain import Model
from workbench.errors import InputError, user_errors
from workbench.recipe import Recipe
from workbench.recipe.factorize import OUTPUT_AIMS
from workbench.recipe.prune import NEEDS_COVARIANCE, NEEDS_GRADIENTS
from workbench.recipe.quantize import COMPENSATED
from workbench.threads import threads

if TYPE_CHECKING:
    from torch import Tensor, nn

    from workbench.compression.stats import CalibrationStats

BATCHES = 8
BATCH = 64
COVARIANCE_EXAMPLES = 2048
COVARIANCE_BATCH = 128
ENOUGH_INPUTS = 131_072
"""Inputs of each layer after which covariances are not made more precise."""
NO_GRADIENTS = (
    "The module computes no gradients in eval mode, which this criterion needs, so choose another "
    "criterion, such as magnitude: it fails"
)
VERSION = 5
"""Incremented when statistics are computed differently."""


@dataclass(frozen=True)
class _Computed:
    tensors: Mapping[str, Any]
    digest: str


_cache: MemoryCache[_Computed] = MemoryCache(64)
_lock = Lock()


def stats_digest(model: Model, recipe: Recipe) -> str | None:
    """Return the digest of the statistics that `recipe` needs; None if not computed yet."""
    cached = [_cache.get((model.digest, kind)) for kind in _kinds(recipe)]
    if None in cached:
        return None
    return " ".join(stats.digest for stats in cached if stats is not None)


def calibration_stats(
    model: Model,
    recipe: Recipe,
    files: FileCache | None = None,
    cancel: CancelToken = NEVER,
) -> CalibrationStats:
    """Return the statistics of `model` that `recipe` needs, which may be none.

    Parameters
    ----------
    files
        Where statistics are cached; the user's cache folder unless given.
    cancel
        Checked between two batches; receives the progress.
    """
    from workbench.compression.stats import CalibrationStats

    computed = {}
    with _lock:
        for kind in _kinds(recipe):
            computed[kind] = _cache.of(
                (model.digest, kind),
                partial(_computed, model, kind, files or default_file_cache(), cancel),
                model.architecture.lifetime,
            )
    tensors = {kind: stats.tensors for kind, stats in computed.items()}
    return CalibrationStats(**tensors, digest=" ".join(s.digest for s in computed.values()))


def mean_absolute_gradients(model: Model, cancel: CancelToken = NEVER) -> dict[str, Tensor]:
    """Return the mean absolute gradient of the task's loss over calibration batches.

    Gradients are per batch of 64, on at most the first 512 training examples, by weight name. Batch
    norm uses its running statistics.

    Raises
    ------
    InputError
        If the module fails, or does not compute gradients in eval mode.
    """
    import torch

    from workbench.domain.inputs import targets

    split = model.task.split("train")
    module = model.module().eval()
    weights = {name: weight.clone() for name, weight in model.weights().items()}
    names = model.layers
    if not names:
        return {}
    for name in names:
        weights[name].requires_grad_()
    totals = {name: torch.zeros_like(weights[name]) for name in names}
    examples = min(BATCHES * BATCH, len(split))
    with torch.enable_grad():
        for start in range(0, examples, BATCH):
            inputs = model.task.inputs(split.examples[start : start + BATCH])
            labels = targets(split.labels[start : start + BATCH])
            loss = partial(_loss, model, module, weights, inputs, labels)
            gradients = _gradients(loss, [weights[name] for name in names])
            for name, gradient in zip(names, gradients, strict=True):
                if gradient is not None:  # None if the loss does not depend on it
                    totals[name] += gradient.abs()
            cancel.check()
            cancel.progress(min(1.0, (start + BATCH) / examples))
    return {
        name: (total / -(-examples // BATCH)).detach().contiguous()
        for name, total in totals.items()
    }


def _loss(
    model: Model, module: nn.Module, weights: Mapping[str, Tensor], inputs: Any, labels: Any
) -> Tensor:
    from workbench.runtime.batch import call

    return model.task.loss(call(module, weights, inputs), labels)


def _gradients(loss: Callable[[], Tensor], tensors: list[Tensor]) -> tuple[Tensor | None, ...]:
    """Return the gradients of a loss; None for tensors on which it does not depend.

    Raises
    ------
    InputError
        If the module fails, or does not compute gradients in eval mode.
    """
    import torch

    try:
        with user_errors(NO_GRADIENTS, code="module.no_gradients"):
            return torch.autograd.grad(loss(), tensors, allow_unused=True)
    except InputError:
        with user_errors("The module fails on the train data"), torch.no_grad():
            loss()  # without gradients it fails too if the data are the cause
        raise


def input_covariances(model: Model, cancel: CancelToken = NEVER) -> dict[str, Tensor]:
    """Return the mean of x xᵀ over the inputs x of each layer, float32 [n, n] by weight name.

    The inputs are those of the original network on at most the first 2,048 training examples, in
    batches until each layer has had 131,072 of them. A convolution, or a layer of a network for
    sequences, has one x for each position. Inputs that are not finite are omitted. A matrix whose
    entries could leave float32's range is divided by a power of four.
    """
    from workbench.calibration.second_moments import finite_vectors, in_float32, second_moments
    from workbench.graph.layer_inputs import observe_inputs

    split = model.task.split("train")
    sums: dict[str, Tensor] = {}
    counts: dict[str, int] = {}
    examples = min(COVARIANCE_EXAMPLES, len(split))

    def add(name: str, vectors: Tensor) -> None:
        vectors = finite_vectors(vectors.detach())  # a module may differentiate in its forward
        product = second_moments(vectors)
        sums[name] = sums[name] + product if name in sums else product
        counts[name] = counts.get(name, 0) + len(vectors)

    with threads(1):  # the order of summation changes the low-order bits
        for start in range(0, examples, COVARIANCE_BATCH):
            batch = model.task.inputs(split.examples[start : start + COVARIANCE_BATCH])
            with user_errors("The module fails on the train data"):
                observe_inputs(model, model.weights(), batch, add)
            cancel.check()
            cancel.progress(min(1.0, (start + COVARIANCE_BATCH) / examples))
            if min(counts.values(), default=0) >= ENOUGH_INPUTS:
                break
    return {
        name: in_float32(total / counts[name])
        for name, total in sums.items()
        if counts[name]  # an expert may receive none of the examples
    }


def _kinds(recipe: Recipe) -> list[str]:
    """Return the kinds of statistics that `recipe` needs."""
    quantize, factorize = recipe.quantize, recipe.factorize
    criteria = {part.criterion for part in (recipe.prune, recipe.structure) if part is not None}
    compensates = quantize is not None and quantize.rounding in COMPENSATED
    aims = factorize is not None and factorize.aim in OUTPUT_AIMS
    kinds = ["gradients"] if criteria & NEEDS_GRADIENTS else []
    return [*kinds, "covariances"] if aims or compensates or criteria & NEEDS_COVARIANCE else kinds


def _computed(model: Model, kind: str, files: FileCache, cancel: CancelToken) -> _Computed:
    """Return statistics from the file cache, or compute and store them."""
    from safetensors import SafetensorError
    from safetensors.torch import load, save

    from workbench.compression.covariance import InputCovariance

    tensors = None
    key = f"stats {kind} {VERSION} {model.digest} torch-{version('torch')}"
    blob = files.get(key)
    if blob is not None:
        with suppress(SafetensorError):  # a damaged file is computed again
            tensors = load(blob)
    if tensors is None:
        compute = mean_absolute_gradients if kind == "gradients" else input_covariances
        tensors = compute(model, cancel)
        files.put(key, save(tensors), model.architecture.lifetime)
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tuple(tensor.shape)}".encode() + tensor.numpy().tobytes())
    if kind == "gradients":
        return _Computed(tensors, digest.hexdigest())
    covariances = {name: InputCovariance(tensor) for name, tensor in tensors.items()}
    return _Computed(covariances, digest.hexdigest())
