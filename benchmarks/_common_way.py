"""The common way to search: Optuna, a deep copy, torch's pruning, fake quantization, save."""

from __future__ import annotations

import copy
import io
import logging
from typing import Any

import optuna
import torch
from torch import Tensor, nn
from torch.nn.utils import prune

import workbench as wb
from workbench.study import Space

LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Embedding, nn.EmbeddingBag, nn.GRU)


def recipes_in(model: wb.Model, space: Space, seconds: float) -> tuple[int, int]:
    """Return how many evaluations on the validation split end in the given time.

    Returns
    -------
    tuple
        The evaluations, and how many different recipes they are of.
    """
    module = wb.to_module(wb.compress(model, wb.Recipe())).eval()
    split = model.task.split("validation")
    inputs = model.task.inputs(split.examples)
    labels = torch.as_tensor(split.labels)

    def objective(trial: Any) -> tuple[int, float]:
        chosen = {key: trial.suggest_categorical(key, values) for key, values in space.axes.items()}
        network = copy.deepcopy(module)
        weights = [
            (layer, name)
            for layer in network.modules()
            if isinstance(layer, LAYERS)
            for name in [name for name, _ in layer.named_parameters(recurse=False)]
            if "weight" in name
        ]
        _prune(weights, chosen)
        with torch.no_grad():
            for layer, name in weights:
                weight = getattr(layer, name)
                weight.copy_(_quantized(weight, chosen["quantize.bits"]))
        file = io.BytesIO()
        torch.save(network.state_dict(), file)
        with torch.no_grad():
            parts = [network(part).argmax(dim=1) for part in inputs.split(512)]
        return len(file.getvalue()), (torch.cat(parts) == labels).double().mean().item()

    optuna.logging.set_verbosity(logging.WARNING)
    study = optuna.create_study(
        directions=["minimize", "maximize"], sampler=optuna.samplers.TPESampler(seed=0)
    )
    study.optimize(objective, timeout=seconds)
    return len(study.trials), len({tuple(sorted(trial.params.items())) for trial in study.trials})


def _prune(weights: list[tuple[nn.Module, str]], chosen: dict[str, Any]) -> None:
    amount = chosen["prune.sparsity"]
    if chosen["prune.scope"] == "global":
        prune.global_unstructured(weights, prune.L1Unstructured, amount=amount)
    else:
        for layer, name in weights:
            prune.l1_unstructured(layer, name, amount=amount)
    for layer, name in weights:
        prune.remove(layer, name)


def _quantized(weight: Tensor, bits: int) -> Tensor:
    """Return the weights rounded to `bits` bits, one scale for each output."""
    highest = 2 ** (bits - 1) - 1
    scales = weight.flatten(1).abs().amax(dim=1).clamp(min=1e-12) / highest
    zeros = torch.zeros_like(scales, dtype=torch.int32)
    return torch.fake_quantize_per_channel_affine(weight, scales, zeros, 0, -highest - 1, highest)
