"""Inputs and outputs of many types."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

from tests.field.data import CLASSES, WORDS
from tests.field.kind import kind
from tests.field.kinds.parameters import Convolutions, perceptron


@dataclass
class Output:
    """Named outputs, as several libraries return them."""

    logits: torch.Tensor
    hidden: torch.Tensor | None = None


class NamedOutput(NamedTuple):
    """Named outputs whose first field is not the logits."""

    hidden: torch.Tensor
    logits: torch.Tensor


class ModelOutput(OrderedDict):
    """Like the outputs of transformers: a dict with attribute access and integer indices."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __getitem__(self, key):
        return list(self.values())[key] if isinstance(key, int) else super().__getitem__(key)


class Returns(nn.Module):
    """Two layers whose outputs are returned as another type."""

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(8, 10), nn.Linear(10, CLASSES)

    def forward(self, x):
        hidden = F.relu(self.one(x))
        return self.returned(self.two(hidden), hidden)


@kind("points")
class ReturnsDataclass(Returns):
    def returned(self, logits, hidden):
        return Output(logits, hidden)


@kind("points")
class ReturnsNamedTuple(Returns):
    def returned(self, logits, hidden):
        return NamedOutput(hidden, logits)


@kind("points")
class ReturnsDict(Returns):
    def returned(self, logits, hidden):
        return {"hidden": hidden, "logits": logits}


@kind("points")
class ReturnsModelOutput(Returns):
    def returned(self, logits, hidden):
        return ModelOutput(loss=None, logits=logits, hidden_states=(hidden, hidden))


@kind("points")
class ReturnsTuple(Returns):
    def returned(self, logits, hidden):
        return logits, hidden


@kind("points")
class ReturnsList(Returns):
    def returned(self, logits, hidden):
        return [logits, (hidden, {"more": hidden})]


@kind("points")
class ReturnsLogProbabilities(Returns):
    def returned(self, logits, hidden):
        return F.log_softmax(logits, 1)


@kind("points")
class ReturnsHalf(Returns):
    def returned(self, logits, hidden):
        return logits.half()


@kind("points")
class ReturnsDouble(Returns):
    def returned(self, logits, hidden):
        return logits.double()


@kind("points")
class ReturnsView(Returns):
    """The outputs are a transposed view of a larger tensor."""

    def returned(self, logits, hidden):
        return torch.cat([hidden.T, logits.T])[10:].T


@kind("pictures")
class TwoHeads(Convolutions):
    """Only one of two heads enters the loss; the other has separate layers."""

    def __init__(self):
        super().__init__()
        self.c3, self.other = nn.Conv2d(8, 4, 3), nn.Linear(4, 4)

    def forward(self, x):
        h = F.relu(self.b2(self.c2(F.relu(self.b1(self.c1(x))))))
        return self.fc(h.mean((2, 3))), self.other(F.relu(self.c3(h)).mean((2, 3)))


@kind("one number")
def regression():
    """Return a network with one output."""
    return perceptron(8, 12, 1)


@kind("two numbers")
class ReturnsNumbersNamed(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = perceptron(8, 12, 2)

    def forward(self, x):
        return {"logits": self.body(x)}


@kind("pair")
class TwoInputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two, self.head = nn.Linear(8, 6), nn.Linear(8, 6), nn.Linear(6, CLASSES)

    def forward(self, left, right):
        return self.head(F.relu(self.one(left)) * torch.sigmoid(self.two(right)))


@kind("pair")
class Siamese(nn.Module):
    """A siamese network: one body for both inputs."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(8, 10), nn.BatchNorm1d(10), nn.ReLU(), nn.Linear(10, 6))
        self.compare = nn.Bilinear(6, 6, CLASSES)

    def forward(self, left, right):
        return self.compare(self.body(left), self.body(right))


@kind("named")
class KeywordOnly(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = perceptron(16, 10, CLASSES)

    def forward(self, *, right, left, scale=1.0):
        return self.body(torch.cat([left, right], 1) * scale)


@kind("named")
class AnyKeywords(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = perceptron(16, 10, CLASSES)

    def forward(self, **inputs):
        return self.body(torch.cat([inputs["left"], inputs["right"]], 1))


@kind("tokenized")
class Tokenized(nn.Module):
    """A classifier with the interface of transformers."""

    def __init__(self):
        super().__init__()
        self.embed, self.place = nn.Embedding(WORDS, 8, padding_idx=0), nn.Embedding(9, 8)
        self.norm, self.dense = nn.LayerNorm(8), nn.Linear(8, 8)
        self.classifier = nn.Linear(8, CLASSES)

    def forward(self, input_ids=None, attention_mask=None, labels=None, *, return_dict=True):
        x = self.norm(self.embed(input_ids) + self.place(torch.arange(input_ids.shape[1])))
        keep = attention_mask[..., None].to(x.dtype)
        pooled = (x * keep).sum(1) / keep.sum(1)
        logits = self.classifier(torch.tanh(self.dense(pooled)))
        return ModelOutput(logits=logits) if return_dict else (logits,)


@kind("words")
class Bags(nn.Module):
    def __init__(self):
        super().__init__()
        self.bag, self.fc = (
            nn.EmbeddingBag(WORDS, 8, mode="mean", padding_idx=0),
            nn.Linear(8, CLASSES),
        )

    def forward(self, ids):
        return self.fc(torch.tanh(self.bag(ids)))


@kind("words")
class OneHot(nn.Module):
    """Words are one-hot encoded in float32 in forward."""

    def __init__(self):
        super().__init__()
        self.body = perceptron(WORDS, 10, CLASSES)

    def forward(self, ids):
        return self.body(F.one_hot(ids, WORDS).float().sum(1))
