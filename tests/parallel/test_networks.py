"""Networks with unusual layers: each strategy trains them as one process does, or says why not."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.nn.functional import linear
from torch.nn.utils import parametrizations, spectral_norm, weight_norm
from torch.utils.checkpoint import checkpoint

import workbench as wb
from tests.raises import raises

pytestmark = pytest.mark.slow
STRATEGIES = ("data", "zero1", "zero2", "zero3", "tensor", "pipeline")
SETTINGS = {"steps": 3, "batch": 12, "exact": False, "start": "trained"}


def normed(function):
    """Return a network whose weights are computed."""
    layers = (nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 3))
    return nn.Sequential(*(function(x) if isinstance(x, nn.Linear) else x for x in layers))


def partly_normed():
    """Return a network most of whose weights are plain."""
    first = parametrizations.weight_norm(nn.Linear(6, 8))
    return nn.Sequential(first, nn.Linear(8, 33), nn.ReLU(), nn.Linear(33, 32), nn.Linear(32, 3))


class Tied(nn.Module):
    """Two layers with one weight."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.third = nn.Linear(6, 12), nn.Linear(12, 12), nn.Linear(12, 12)
        self.third.weight = self.second.weight
        self.last = nn.Linear(12, 3)

    def forward(self, x):
        return self.last(self.third(self.second(self.first(x).relu()).tanh()))


class Read(nn.Module):
    """Reads weights of a block that it does not call."""

    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList([nn.Linear(6, 12), nn.Linear(12, 12), nn.Linear(12, 3)])

    def forward(self, x):
        first, second, third = self.blocks
        return third.forward(linear(first(x).relu(), second.weight) + second.bias)


class Experts(nn.Module):
    """Calls a block only if an example of the batch needs it."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(6, 12), nn.Linear(12, 3)
        self.experts = nn.ModuleList([nn.Linear(12, 12) for _expert in range(3)])

    def forward(self, x):
        hidden = self.first(x)
        chosen = hidden[:, :3].argmax(1)
        output = torch.zeros_like(hidden)
        for number, expert in enumerate(self.experts):
            if (rows := (chosen == number).nonzero()[:, 0]).numel():
                output = output.index_put((rows,), expert(hidden[rows]))
        return self.last(output)


class Again(nn.Module):
    """Computes its blocks again in the backward pass."""

    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList([nn.Sequential(nn.Linear(6, 6), nn.Tanh()) for _ in range(3)])
        self.last = nn.Linear(6, 3)

    def forward(self, x):
        for block in self.blocks:
            again = torch.is_grad_enabled()
            x = checkpoint(block, x, use_reentrant=False) if again else block(x)
        return self.last(x)


class Wide(nn.Module):
    """Passes float64 between its layers, and has only a buffer in one of them."""

    def __init__(self):
        super().__init__()
        self.register_buffer("order", torch.arange(5, -1, -1))
        self.norm = nn.BatchNorm1d(6, affine=False)
        self.first, self.last = nn.Linear(6, 12), nn.Linear(12, 3)

    def forward(self, x):
        hidden = self.first(self.norm(x[:, self.order])).double()
        for _time in range(8):  # it is cut here
            hidden = hidden.sin()
        return self.last(hidden.float())


class Blocks(nn.Module):
    """Has all weights in the elements of a list, of which one is not trained."""

    def __init__(self):
        super().__init__()
        sizes = (6, 6, 6, 6, 8, 1, 6, 3)  # a part of one number, too
        self.layers = nn.Sequential(*(nn.Linear(a, b) for a, b in pairwise(sizes)))
        self.layers[1].requires_grad_(False)

    def forward(self, x):
        return self.layers(x)


class Inplace(nn.Module):
    """Changes outputs of layers in place, and relies on their layout."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.last = nn.Linear(6, 8), nn.Linear(8, 8), nn.Linear(16, 3)

    def forward(self, x):
        hidden = self.first(x)
        hidden[:, :2] *= 2
        more = self.second(hidden.relu_())
        more += hidden
        more = more.to(self.last.weight.dtype)  # this reads no value of the weight
        return self.last(torch.stack([more, hidden], 1).view(-1, 16))


class Transposed(nn.Module):
    """Its first weight is a view that is not stored row by row."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(12, 6).mul(0.3).t())
        self.middle, self.last = nn.Linear(12, 12), nn.Linear(12, 3)

    def forward(self, x):
        return self.last(self.middle((x @ self.weight).relu()).relu())


class Bounded(nn.Module):
    """Its forward pass changes the rows of an embedding that its examples use."""

    def __init__(self):
        super().__init__()
        self.embed, self.last = nn.Embedding(40, 8, max_norm=1.0), nn.Linear(8, 3)

    def forward(self, x):
        return self.last(self.embed((10 * x.abs()).long().clamp(0, 39)).sum(1))


class Recurrent(nn.Module):
    """Its matrices are those of a layer that is not linear, and its code calls `len`."""

    def __init__(self):
        super().__init__()
        self.cells = nn.ModuleList(
            [nn.GRU(6, 8, batch_first=True), nn.LSTM(8, 8, batch_first=True)]
        )
        self.last = nn.Linear(8, 3)

    def forward(self, x):
        hidden = self.cells[0](x.reshape(len(x), 1, -1))[0]
        return self.last(self.cells[1](hidden)[0][:, 0])


class Optional(nn.Module):
    """Decides by a size and by an option: it is not traced, but exported."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(6, 8), nn.Linear(8, 3)

    def forward(self, x, scale=None):
        if x.shape[0] > 10_000 or scale is not None:
            x = x * scale
        return self.last(self.first(x).relu())


class Selected(nn.Module):
    """Passes on as many rows as the values of the examples say."""

    def __init__(self):
        super().__init__()
        self.first, self.middle, self.last = nn.Linear(6, 64), nn.Linear(64, 64), nn.Linear(64, 3)

    def forward(self, x):
        hidden = self.first(x).tanh()
        rows = (x[:, 0] > 0).nonzero()[:, 0]
        part = self.middle(hidden[rows])
        for _time in range(6):  # it is cut here
            part = part.sin()
        return self.last(hidden.index_add(0, rows, part))


CASES = {
    "weight_norm": (lambda: normed(parametrizations.weight_norm), {"tensor"}),
    "old weight_norm": (lambda: normed(weight_norm), {"tensor"}),
    "spectral_norm": (lambda: normed(parametrizations.spectral_norm), {"tensor"}),
    "old spectral_norm": (lambda: normed(spectral_norm), {"tensor"}),
    "orthogonal": (lambda: normed(parametrizations.orthogonal), {"tensor"}),
    "partly normed": (partly_normed, set()),
    "tied": (Tied, {"tensor"}),
    "read outside": (Read, {"tensor"}),
    "experts": (Experts, {"pipeline"}),
    "computed again": (Again, set()),
    "float64 and buffers": (Wide, set()),
    "recurrent": (Recurrent, {"tensor"}),
    "blocks alone": (Blocks, set()),
    "in place": (Inplace, set()),
    "transposed": (Transposed, set()),
}


def data():
    """Return the splits of random examples, and set the seed of new weights."""
    torch.manual_seed(0)
    inputs, labels = torch.randn(96, 6), torch.randint(0, 3, (96,))
    parts = {"train": slice(0, 64), "validation": slice(64, 80), "test": slice(80, None)}
    return {name: (inputs[part], labels[part]) for name, part in parts.items()}


def model_of(name):
    """Return a model with new weights."""
    splits = data()
    return wb.from_module(CASES[name][0](), **splits)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_strategies_train_a_network_as_one_process(name):
    model = model_of(name)
    for strategy in sorted({*STRATEGIES} - CASES[name][1]):
        result = wb.train_in_parallel(model, strategy, 2, **SETTINGS)
        assert result.gradient_difference < 1e-6
        assert result.consistent
        assert all(rank.formula in (None, rank.held) for rank in result.ranks)


@pytest.mark.parametrize("name", [name for name, (_make, refused) in CASES.items() if refused])
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_the_others_refuse_it_with_the_reason(name):
    (strategy,) = CASES[name][1]
    code, reason = {
        "tensor": ("parallel.few_matrices", "%"),
        "pipeline": ("parallel.not_traceable", "zero3"),
    }[strategy]
    with raises(code, reason):
        wb.train_in_parallel(model_of(name), strategy, 2, **SETTINGS)


def test_weights_that_the_forward_pass_changes_are_refused_if_ranks_see_different_examples():
    model = wb.from_module(Bounded(), **data(), name="bounded")
    for strategy in ("data", "zero1", "zero2", "zero3"):
        with raises("parallel.forward_changes_weights", "embed.weight"):
            wb.train_in_parallel(model, strategy, 2, **SETTINGS)
    result = wb.train_in_parallel(model, "pipeline", 2, **SETTINGS)
    assert result.consistent
    assert result.distance < 1e-3  # records do not change weights


def test_a_pipeline_of_an_exported_network_trains_on_batches_of_one():
    model = wb.from_module(Optional(), **data(), name="optional")
    settings = {**SETTINGS, "batch": 1, "microbatches": 1}
    result = wb.train_in_parallel(model, "pipeline", 2, **settings)
    assert result.gradient_difference < 1e-6


def test_a_pipeline_refuses_values_whose_shapes_depend_on_the_examples():
    model = wb.from_module(Selected(), **data(), name="selected")
    with raises("parallel.shapes_vary", "zero3"):
        wb.train_in_parallel(model, "pipeline", 2, **SETTINGS)
    result = wb.train_in_parallel(model, "zero3", 2, **SETTINGS)
    assert result.gradient_difference < 1e-6
