"""Modules whose forward writes to their own weights or buffers."""

import pytest
import torch
from torch import nn

import workbench as wb
from tests.raises import raises

WORDS = 20


class Words(nn.Module):
    """A mean of embeddings whose norms a forward pass limits."""

    def __init__(self, embedding):
        super().__init__()
        self.embed, self.head = embedding, nn.Linear(8, 3)

    def forward(self, x):
        vectors = self.embed(x)
        return self.head(vectors.mean(1) if vectors.ndim == 3 else vectors)


class Seldom(nn.Module):
    """A network that counts large inputs."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(4, 3)
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, x):
        if (x > 5).any():
            self.seen += 1
        return self.head(x)


def registered(module, inputs):
    parts = dict.fromkeys(("train", "validation", "test"), (inputs, torch.arange(len(inputs)) % 3))
    return wb.from_module(module.eval(), **parts, name="writing")


@pytest.mark.parametrize("kind", [nn.Embedding, nn.EmbeddingBag])
@pytest.mark.parametrize("runs_before", [0, 1])
def test_a_module_that_limits_norms_is_measured_and_not_changed(kind, runs_before):
    module = Words(kind(WORDS, 8, max_norm=5.0))
    inputs = torch.randint(0, WORDS - 1, (200, 5))
    inputs[77, 2] = WORDS - 1  # in none of the few examples that are tried first
    for _run in range(runs_before):
        module(inputs)
    with torch.no_grad():
        module.embed.weight[WORDS - 1] *= 9
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    report = wb.measure(registered(module, inputs), timed=False)
    for name, tensor in module.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    expected = module(inputs).argmax(1) == torch.arange(200) % 3
    assert report.accuracy == pytest.approx(float(expected.float().mean()))


def test_a_buffer_that_few_examples_change_is_refused_with_the_cause():
    inputs = torch.rand(200, 4)
    inputs[77] = 9
    with raises("module.changed", "Weights or buffers", "in eval mode"):
        wb.measure(registered(Seldom(), inputs), timed=False)
