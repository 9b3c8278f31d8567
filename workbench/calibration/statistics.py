"""Evidence from calibration data: drawn from the training split only, computed once and kept."""

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
from workbench.domain import Model
from workbench.errors import user_errors
from workbench.recipe import Recipe
from workbench.recipe.factorize import OUTPUT_AIMS
from workbench.recipe.prune import NEEDS_COVARIANCE, NEEDS_GRADIENTS
from workbench.recipe.quantize import COMPENSATED
from workbench.threads import threads

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.compression.stats import CalibrationStats

BATCHES = 8
BATCH = 64
EXAMPLES = 2048
"""Training images whose layers' inputs are looked at."""
AT_ONCE = 128
VERSION = 3
"""Raised when evidence is computed otherwise."""


@dataclass(frozen=True)
class _Computed:
    tensors: Mapping[str, Any]
    digest: str


_known: MemoryCache[_Computed] = MemoryCache(64)
_one_at_a_time = Lock()


def stats_digest(model: Model, recipe: Recipe) -> str | None:
    """Return the digest of the evidence that `recipe` needs; None while it is not computed yet."""
    known = [_known.get((model.digest, kind)) for kind in _needed(recipe)]
    if None in known:
        return None
    return " ".join(one.digest for one in known if one is not None)


Progress = Callable[[float], None]


def calibration_stats(
    model: Model,
    recipe: Recipe,
    files: FileCache | None = None,
    progress: Progress = lambda share: None,
) -> CalibrationStats:
    """Return what `recipe` needs to know of `model`, which may be nothing.

    What takes long is kept in `files`, the person's own unless given. `progress` is told the
    share that is done, from 0 to 1, of what has to be computed; it may raise to stop.
    """
    from workbench.compression.stats import CalibrationStats

    found = {}
    with _one_at_a_time:
        for kind in _needed(recipe):
            found[kind] = _known.of(
                (model.digest, kind),
                partial(_computed, model, kind, files or default_file_cache(), progress),
                model.architecture.lifetime,
            )
    tensors = {kind: one.tensors for kind, one in found.items()}
    return CalibrationStats(**tensors, digest=" ".join(one.digest for one in found.values()))


def mean_absolute_gradients(
    model: Model, progress: Progress = lambda share: None
) -> dict[str, Tensor]:
    """Return the mean absolute gradient of the task's loss over calibration batches.

    The first 512 training examples, if there are as many, in batches of 64; batch norm uses its
    running statistics.
    """
    import torch

    from workbench.domain.inputs import targets
    from workbench.runtime.batch import call

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
            with user_errors("The module fails on the train data"):
                outputs = call(module, weights, inputs)
                loss = model.task.loss(outputs, labels)
                gradients = torch.autograd.grad(
                    loss, [weights[name] for name in names], allow_unused=True
                )
            for name, gradient in zip(names, gradients, strict=True):
                if gradient is not None:  # the loss depends on it
                    totals[name] += gradient.abs()
            progress(min(1.0, (start + BATCH) / examples))
    return {
        name: (total / -(-examples // BATCH)).detach().contiguous()
        for name, total in totals.items()
    }


def input_covariances(model: Model, progress: Progress = lambda share: None) -> dict[str, Tensor]:
    """Return the mean of x xᵀ over the inputs x of each layer, float32 [n, n] by weight name.

    The inputs are those of the original network on the first 2,048 training examples at most; a
    convolution has one x for each place.
    """
    import torch

    from workbench.graph.layer_inputs import observe_inputs

    split = model.task.split("train")
    sums: dict[str, Tensor] = {}
    counts: dict[str, int] = {}
    examples = min(EXAMPLES, len(split))

    def see(name: str, vectors: Tensor) -> None:
        vectors = vectors.detach()  # a module may differentiate in its forward
        product = (vectors.T @ vectors).double()
        sums[name] = sums[name] + product if name in sums else product
        counts[name] = counts.get(name, 0) + len(vectors)

    with threads(1):  # on more, sums may end with other bits
        for start in range(0, examples, AT_ONCE):
            batch = model.task.inputs(split.examples[start : start + AT_ONCE])
            with user_errors("The module fails on the train data"):
                observe_inputs(model, model.weights(), batch, see)
            progress(min(1.0, (start + AT_ONCE) / examples))
    return {name: (total / counts[name]).to(torch.float32) for name, total in sums.items()}


def _needed(recipe: Recipe) -> list[str]:
    quantize, factorize = recipe.quantize, recipe.factorize
    criteria = {part.criterion for part in (recipe.prune, recipe.structure) if part is not None}
    compensates = quantize is not None and quantize.rounding in COMPENSATED
    aims = factorize is not None and factorize.aim in OUTPUT_AIMS
    kinds = ["gradients"] if criteria & NEEDS_GRADIENTS else []
    return [*kinds, "moments"] if aims or compensates or criteria & NEEDS_COVARIANCE else kinds


def _computed(model: Model, kind: str, files: FileCache, progress: Progress) -> _Computed:
    """Return what was computed before, or compute it and keep it."""
    from safetensors import SafetensorError
    from safetensors.torch import load, save

    from workbench.compression.covariance import InputCovariance

    found = None
    key = f"evidence {kind} {VERSION} {model.digest} torch-{version('torch')}"
    blob = files.get(key)
    if blob is not None:
        with suppress(SafetensorError):  # damaged: computed again
            found = load(blob)
    if found is None:
        compute = mean_absolute_gradients if kind == "gradients" else input_covariances
        found = compute(model, progress)
        files.put(key, save(found), model.architecture.lifetime)
    digest = hashlib.sha256()
    for name, tensor in sorted(found.items()):
        digest.update(f"{name} {tuple(tensor.shape)}".encode() + tensor.numpy().tobytes())
    if kind == "gradients":
        return _Computed(found, digest.hexdigest())
    return _Computed(
        {name: InputCovariance(one) for name, one in found.items()}, digest.hexdigest()
    )
