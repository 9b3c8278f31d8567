"""Sequences of several lengths, padded by a collate_fn."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader

import workbench as wb
from tests.raises import raises
from workbench.custom.split import split_of


def loader(data, **settings):
    return DataLoader(data, **{"batch_size": 10, **settings})


def test_a_padding_collate_fn_joins_the_examples():
    texts = [torch.arange(1, 2 + n % 5) for n in range(40)]
    labels = torch.arange(40) % 3

    def padded(items):
        ids = nn.utils.rnn.pad_sequence([item[0] for item in items], batch_first=True)
        return {"input_ids": ids, "labels": torch.tensor([item[1] for item in items])}

    split = split_of(
        "test", loader(list(zip(texts, labels.tolist(), strict=True)), collate_fn=padded)
    )
    assert np.array_equal(split.labels, labels.numpy())
    assert split.examples[np.array([0, 1])].to_batch().tolist() == [[1, 0], [1, 2]]


class Reader(nn.Module):
    """Predicts a class at each position from the symbols up to it, unaffected by padding."""

    def __init__(self):
        super().__init__()
        self.symbols = nn.Embedding(9, 8)
        self.gru = nn.GRU(8, 8, batch_first=True)
        self.head = nn.Linear(8, 4)

    def forward(self, input_ids):
        return self.head(self.gru(self.symbols(input_ids))[0])


def padded_sequences(items):
    pad = partial(nn.utils.rnn.pad_sequence, batch_first=True)
    ids = pad([item["input_ids"] for item in items])
    return {"input_ids": ids, "labels": pad([i["labels"] for i in items], padding_value=-100)}


def texts(labels=4):
    ids = [torch.arange(n, n + 2 + n % 5) % 9 for n in range(90)]
    return [{"input_ids": text, "labels": (text % labels).int()} for text in ids]


@pytest.mark.slow
def test_padding_does_not_affect_the_perplexity():
    torch.manual_seed(0)
    module, data = Reader(), loader(texts(), collate_fn=padded_sequences)
    model = wb.from_module(
        module, **dict.fromkeys(("train", "validation", "test"), data), name="reader"
    )
    with torch.no_grad():
        losses = [
            functional.cross_entropy(
                module(text["input_ids"][None])[0].double(), text["labels"].long(), reduction="sum"
            )
            for text in texts()
        ]
    positions = sum(len(text["labels"]) for text in texts())
    expected = float((sum(losses) / positions).exp())
    assert model.task.metric.name == "perplexity"
    assert model.metric_value("test") == pytest.approx(expected, rel=1e-6)
    trained = wb.train(model, steps=30, learning_rate=0.05)
    assert wb.evaluate(trained, timed=False).value < 0.9 * expected


def test_classes_of_padded_sequences_are_checked():
    data = dict.fromkeys(
        ("train", "validation", "test"), loader(texts(labels=5), collate_fn=padded_sequences)
    )
    with raises("data.class_out_of_range", "class 4", "4 outputs"):
        wb.from_module(Reader(), **data, name="reader")
