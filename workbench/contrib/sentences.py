"""BERT's encoder for sentences, with a linear layer that is trained on what it says of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from workbench.domain.task import Task
from workbench.errors import WorkbenchError
from workbench.threads import threads
from workbench.zoo.attention import Attention
from workbench.zoo.sequences import masked_mean

PADDING = 0
HEADS = 12
NORM_EPS = 1e-12
"""What BERT's norms add to the variance."""
BATCH_SIZE = 50
INVERSE_PENALTY = 10.0
"""Of the regression's data against its penalty; features have length 1."""


class Block(nn.Module):
    """Attention, then two layers at each place, both beside a shortcut and then normalised."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.attention = Attention(channels, HEADS)
        self.norm1 = nn.LayerNorm(channels, eps=NORM_EPS)
        self.fc1 = nn.Linear(channels, 4 * channels)
        self.gelu = nn.GELU()
        self.fc2 = nn.Linear(4 * channels, channels)
        self.norm2 = nn.LayerNorm(channels, eps=NORM_EPS)

    def forward(self, x: Tensor, real: Tensor) -> Tensor:
        """Turn [b, t, channels] into the same shape; `real` is true [b, t] where it may look."""
        x = self.norm1(x + self.attention(x, real))
        out: Tensor = self.norm2(x + self.fc2(self.gelu(self.fc1(x))))
        return out


class Sentences(nn.Module):
    """The encoder and, on the mean over a sentence's places, a linear layer."""

    def __init__(self, words: int, places: int, channels: int, blocks: int, classes: int) -> None:
        super().__init__()
        self.words = nn.Embedding(words, channels, padding_idx=PADDING)
        self.places = nn.Embedding(places, channels)
        self.norm = nn.LayerNorm(channels, eps=NORM_EPS)
        self.blocks = nn.ModuleList(Block(channels) for _ in range(blocks))
        self.fc = nn.Linear(channels, classes)

    def features(self, ids: Tensor) -> Tensor:
        """Turn ids of word pieces [b, t], padded at the end, into vectors [b, channels]."""
        real = ids != PADDING
        x = self.norm(self.words(ids) + self.places(torch.arange(ids.shape[1], device=ids.device)))
        for block in self.blocks:
            x = block(x, real)
        return nn.functional.normalize(masked_mean(x, real))

    def forward(self, x: Tensor) -> Tensor:
        """Turn ids of word pieces [b, t], padded at the end, into logits [b, classes]."""
        logits: Tensor = self.fc(self.features(x))
        return logits


def encoder(stored: Mapping[str, Tensor], task: Task) -> Sentences:
    """Return the encoder with a linear layer of zeros.

    The one kind of sentence that there is goes into the places, of which only those in use stay;
    the pooler, which sentences do without, is left out.
    """
    front = "embeddings"
    words = stored[f"{front}.word_embeddings.weight"]
    length = task.split("train").examples.shape[1]
    blocks = 1 + max(int(n.split(".")[2]) for n in stored if n.startswith("encoder.layer."))
    module = Sentences(len(words), length, words.shape[1], blocks, len(task.classes))
    kind = stored[f"{front}.token_type_embeddings.weight"][0]
    found = {
        "words.weight": words,
        "places.weight": stored[f"{front}.position_embeddings.weight"][:length] + kind,
        "norm.weight": stored[f"{front}.LayerNorm.weight"],
        "norm.bias": stored[f"{front}.LayerNorm.bias"],
        "fc.weight": torch.zeros_like(module.fc.weight),
        "fc.bias": torch.zeros_like(module.fc.bias),
    }
    for number in range(blocks):
        theirs, ours = f"encoder.layer.{number}", f"blocks.{number}"
        for part in ("weight", "bias"):
            found[f"{ours}.attention.inputs.{part}"] = torch.cat(
                [stored[f"{theirs}.attention.self.{n}.{part}"] for n in ("query", "key", "value")]
            )
            for one, other in RENAMED.items():
                found[f"{ours}.{other}.{part}"] = stored[f"{theirs}.{one}.{part}"]
    module.load_state_dict(found)
    return module.eval()


RENAMED = {
    "attention.output.dense": "attention.outputs",
    "attention.output.LayerNorm": "norm1",
    "intermediate.dense": "fc1",
    "output.dense": "fc2",
    "output.LayerNorm": "norm2",
}
"""What BERT calls the parts of a block, and what we do."""


def fit_classifier(module: Sentences, task: Task) -> dict[str, Tensor]:
    """Return a linear layer for two classes, by logistic regression on the training split.

    Raises
    ------
    WorkbenchError
        When the task has other than two classes.
    """
    from sklearn.linear_model import LogisticRegression

    if len(task.classes) != 2:
        raise WorkbenchError(f"{task.name} has {len(task.classes)} classes where two are expected.")
    split = task.split("train")
    ids = task.inputs(split.examples)
    lengths = (ids != PADDING).sum(1)
    order = lengths.argsort(stable=True)  # sentences of one length together: less padding to read
    features = torch.zeros(len(ids), module.fc.in_features)
    with torch.inference_mode(), threads(1):  # on more, sums may end with other bits
        for chosen in order.split(BATCH_SIZE):
            features[chosen] = module.features(ids[chosen, : int(lengths[chosen].max())])
        fitted = LogisticRegression(C=INVERSE_PENALTY, max_iter=1000).fit(
            features.numpy(), split.labels
        )
    weight = torch.from_numpy(fitted.coef_[0].astype(np.float32))
    bias = float(fitted.intercept_[0])
    return {
        "weight": torch.stack([-weight / 2, weight / 2]).contiguous(),
        "bias": torch.tensor([-bias / 2, bias / 2]),
    }
