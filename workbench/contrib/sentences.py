"""A BERT sentence encoder with a linear classifier on its features."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from workbench.domain.task import Task
from workbench.errors import InputError
from workbench.threads import threads
from workbench.zoo.attention import Attention
from workbench.zoo.sequences import masked_mean

PADDING = 0
HEADS = 12
NORM_EPS = 1e-12
"""Epsilon of BERT's layer norms."""
BATCH_SIZE = 50
INVERSE_PENALTY = 10.0
"""Inverse regularization strength of the logistic regression on features of length 1."""


class Block(nn.Module):
    """Attention and a two-layer MLP, each with a residual connection and a layer norm."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.attention = Attention(channels, HEADS)
        self.norm1 = nn.LayerNorm(channels, eps=NORM_EPS)
        self.fc1 = nn.Linear(channels, 4 * channels)
        self.gelu = nn.GELU()
        self.fc2 = nn.Linear(4 * channels, channels)
        self.norm2 = nn.LayerNorm(channels, eps=NORM_EPS)

    def forward(self, x: Tensor, real: Tensor) -> Tensor:
        """Map [b, t, channels] to the same shape; `real` [b, t] is true at unpadded positions."""
        x = self.norm1(x + self.attention(x, real))
        out: Tensor = self.norm2(x + self.fc2(self.gelu(self.fc1(x))))
        return out


class Sentences(nn.Module):
    """The encoder, with a linear layer on the mean over the positions of a sentence."""

    def __init__(self, words: int, places: int, channels: int, blocks: int, classes: int) -> None:
        super().__init__()
        self.words = nn.Embedding(words, channels, padding_idx=PADDING)
        self.places = nn.Embedding(places, channels)
        self.norm = nn.LayerNorm(channels, eps=NORM_EPS)
        self.blocks = nn.ModuleList(Block(channels) for _ in range(blocks))
        self.fc = nn.Linear(channels, classes)

    def features(self, ids: Tensor) -> Tensor:
        """Map ids of word pieces [b, t], padded at the end, to vectors [b, channels]."""
        real = ids != PADDING
        x = self.norm(self.words(ids) + self.places(torch.arange(ids.shape[1], device=ids.device)))
        for block in self.blocks:
            x = block(x, real)
        return nn.functional.normalize(masked_mean(x, real))

    def forward(self, x: Tensor) -> Tensor:
        """Map ids of word pieces [b, t], padded at the end, to logits [b, classes]."""
        logits: Tensor = self.fc(self.features(x))
        return logits


def encoder(stored: Mapping[str, Tensor], task: Task) -> Sentences:
    """Return the encoder with a linear layer of zeros.

    The token type embedding is added to the position embeddings, which are shortened to the
    positions in use. The pooler is left out.
    """
    prefix = "embeddings"
    words = stored[f"{prefix}.word_embeddings.weight"]
    length = task.split("train").examples.shape[1]
    blocks = 1 + max(int(n.split(".")[2]) for n in stored if n.startswith("encoder.layer."))
    module = Sentences(len(words), length, words.shape[1], blocks, len(task.classes))
    token_type = stored[f"{prefix}.token_type_embeddings.weight"][0]
    state = {
        "words.weight": words,
        "places.weight": stored[f"{prefix}.position_embeddings.weight"][:length] + token_type,
        "norm.weight": stored[f"{prefix}.LayerNorm.weight"],
        "norm.bias": stored[f"{prefix}.LayerNorm.bias"],
        "fc.weight": torch.zeros_like(module.fc.weight),
        "fc.bias": torch.zeros_like(module.fc.bias),
    }
    for number in range(blocks):
        source, block = f"encoder.layer.{number}", f"blocks.{number}"
        for part in ("weight", "bias"):
            state[f"{block}.attention.inputs.{part}"] = torch.cat(
                [stored[f"{source}.attention.self.{n}.{part}"] for n in ("query", "key", "value")]
            )
            for bert_name, name in BERT_NAMES.items():
                state[f"{block}.{name}.{part}"] = stored[f"{source}.{bert_name}.{part}"]
    module.load_state_dict(state)
    return module.eval()


BERT_NAMES = {
    "attention.output.dense": "attention.outputs",
    "attention.output.LayerNorm": "norm1",
    "intermediate.dense": "fc1",
    "output.dense": "fc2",
    "output.LayerNorm": "norm2",
}
"""Names of the parts of a block: in BERT and in `Block`."""


def fit_classifier(module: Sentences, task: Task) -> dict[str, Tensor]:
    """Return the weights of a linear layer from a logistic regression on the training split.

    Raises
    ------
    InputError
        If the task does not have two classes.
    """
    from sklearn.linear_model import LogisticRegression

    if len(task.classes) != 2:
        raise InputError(
            f"{task.name} has {len(task.classes)} classes, but two are needed.",
            code="data.class_count",
        )
    split = task.split("train")
    ids = task.inputs(split.examples)
    lengths = (ids != PADDING).sum(1)
    order = lengths.argsort(stable=True)  # sentences of similar length together need less padding
    features = torch.zeros(len(ids), module.fc.in_features)
    with torch.inference_mode(), threads(1):  # more threads may change the low-order bits
        for chosen in order.split(BATCH_SIZE):
            features[chosen] = module.features(ids[chosen, : int(lengths[chosen].max())])
        regression = LogisticRegression(C=INVERSE_PENALTY, max_iter=1000).fit(
            features.numpy(), split.labels
        )
    weight = torch.from_numpy(regression.coef_[0].astype(np.float32))
    bias = float(regression.intercept_[0])
    return {
        "weight": torch.stack([-weight / 2, weight / 2]).contiguous(),
        "bias": torch.tensor([-bias / 2, bias / 2]),
    }
