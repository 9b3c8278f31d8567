"""Built-in models with random weights, for tests that do not depend on training."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from safetensors.torch import save

from workbench.domain import Model
from workbench.domain.initialize import initialize
from workbench.domain.model import Architecture
from workbench.zoo.registry import architecture


@dataclass(frozen=True)
class Untrained(Architecture):
    """An architecture whose checkpoint holds the weights of `initialize`."""

    def weights(self, digest):
        return {
            name: tensor.detach()
            for name, tensor in initialize(architecture(self.name)).state_dict().items()
        }


def untrained(name):
    """Return the model called `name` before training, with a matching card."""
    known = architecture(name)
    chosen = Untrained(known.name, known.task, known.title)
    tensors = chosen.weights("")
    content = save(tensors)
    matrices = [key for key, tensor in tensors.items() if tensor.ndim > 1]
    accuracy = {"accuracy": 0.1, "value": 6.0, "bits per character": 6.0, "perplexity": 64.0}
    if known.task.metric.counts == "classes":
        accuracy = {"correct": 1, "examples": 2}
    card = {
        "name": name,
        "parameters": sum(tensor.numel() for tensor in tensors.values()),
        "macs": 1,
        "peak_memory": 1,
        "layers": {key: {"kind": "Linear", "macs": 1, "coupled": [key]} for key in matrices},
        "tensors": {key: list(tensor.shape) for key, tensor in tensors.items()},
        "original_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "accuracy": {split: {"examples": 2, **accuracy} for split in ("validation", "test")},
        "training": {},
    }
    return Model(chosen, card)
