"""The output and input axes of weights, for many ways to multiply with them."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from workbench import zoo
from workbench.compression.axes import Axes
from workbench.graph.output_axes import weight_axes
from workbench.runtime.unfused import unfuse

einsum = torch.einsum
weight_norm = nn.utils.parametrizations.weight_norm


class Net(nn.Module):
    """A module with parameters w, v, … of the given shapes, and `layers`."""

    def __init__(self, run, *shapes, **layers) -> None:
        super().__init__()
        self.run = run
        for name, shape in zip("wvu", shapes, strict=False):
            setattr(self, name, nn.Parameter(torch.randn(shape)))
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, x):
        return self.run(self, x)


def matrices(module, *shape):
    return module, torch.randn(shape)


def recurrent(self, x):
    state = torch.zeros(len(x), 6)
    for step in range(3):
        state = torch.tanh(x[:, step] @ self.w + state @ self.v)
    return state


def written(self, x):
    out = torch.zeros(len(x), 4)
    out[:, :2] = x[:, :2]
    return out @ self.w


class Edges(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("matrix", torch.eye(5).to_sparse())


def graph(self, x):
    return torch.sparse.mm(self.edges.matrix, x @ self.w)


COLUMNS = Axes((1,), (0,))
DEFAULT: dict[str, Axes] = {}
W = {"w": COLUMNS}

CASES = {
    "linear": (matrices(nn.Linear(4, 6), 5, 4), DEFAULT),
    "linear on sequences": (matrices(nn.Linear(4, 6), 5, 3, 4), DEFAULT),
    "linear, of a square": (matrices(nn.Linear(4, 4), 5, 4), DEFAULT),
    "linear, of one input": (matrices(nn.Linear(1, 6), 5, 1), DEFAULT),
    "linear, of one output": (matrices(nn.Linear(4, 1), 5, 4), DEFAULT),
    "convolution 1": (matrices(nn.Conv1d(4, 6, 3), 2, 4, 7), DEFAULT),
    "convolution 2": (matrices(nn.Conv2d(4, 6, 3), 2, 4, 7, 7), DEFAULT),
    "convolution 3": (matrices(nn.Conv3d(4, 6, 3), 2, 4, 5, 5, 5), DEFAULT),
    "convolution 1 × 1": (matrices(nn.Conv2d(4, 6, 1), 2, 4, 7, 7), DEFAULT),
    "convolution in groups": (matrices(nn.Conv2d(4, 6, 3, groups=2), 2, 4, 7, 7), DEFAULT),
    "depthwise convolution": (matrices(nn.Conv2d(4, 8, 3, groups=4), 2, 4, 7, 7), DEFAULT),
    "circular convolution": (
        matrices(nn.Conv2d(4, 6, 3, padding=1, padding_mode="circular"), 2, 4, 7, 7),
        DEFAULT,
    ),
    "transposed 1": (matrices(nn.ConvTranspose1d(4, 6, 3), 2, 4, 7), {"weight": COLUMNS}),
    "transposed 2": (matrices(nn.ConvTranspose2d(4, 6, 3), 2, 4, 7, 7), {"weight": COLUMNS}),
    "transposed 3": (matrices(nn.ConvTranspose3d(4, 6, 2), 2, 4, 4, 4, 4), {"weight": COLUMNS}),
    "transposed in groups": (
        matrices(nn.ConvTranspose2d(4, 6, 3, groups=2), 2, 4, 7, 7),
        {"weight": Axes((1,), (0,), 2)},
    ),
    "transposed depthwise": (matrices(nn.ConvTranspose2d(4, 4, 3, groups=4), 2, 4, 7, 7), DEFAULT),
    "transposed depthwise, wider": (
        matrices(nn.ConvTranspose1d(4, 8, 3, groups=4), 2, 4, 7),
        {"weight": Axes((0, 1), ())},
    ),
    "weight norm, transposed": (
        matrices(weight_norm(nn.ConvTranspose1d(4, 6, 3)), 2, 4, 7),
        {"parametrizations.weight.original1": COLUMNS},
    ),
    "spectral norm, transposed": (
        matrices(nn.utils.parametrizations.spectral_norm(nn.ConvTranspose1d(4, 6, 3)), 2, 4, 7),
        {"parametrizations.weight.original": COLUMNS},
    ),
    "attention": (
        matrices(Net(lambda s, x: s.a(x, x, x)[0], a=nn.MultiheadAttention(8, 2)), 5, 3, 8),
        DEFAULT,
    ),
    "attention to others": (
        matrices(Net(lambda s, x: s.a(x, 2 * x, x)[0], a=nn.MultiheadAttention(8, 2)), 5, 3, 8),
        DEFAULT,
    ),
    "attention of other widths": (
        matrices(
            Net(
                lambda s, x: s.a(x, x[..., :4], x[..., :6])[0],
                a=nn.MultiheadAttention(8, 2, kdim=4, vdim=6),
            ),
            *(5, 3, 8),
        ),
        DEFAULT,
    ),
    "transformer": (
        matrices(
            nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 12, batch_first=True), 2),
            *(5, 3, 8),
        ),
        DEFAULT,
    ),
    "LSTM": (matrices(nn.LSTM(8, 6, 2, bidirectional=True), 5, 3, 8), DEFAULT),
    "GRU": (matrices(nn.GRU(8, 6), 5, 3, 8), DEFAULT),
    "RNN": (matrices(nn.RNN(8, 6), 5, 3, 8), DEFAULT),
    "LSTM cell": (matrices(Net(lambda s, x: s.c(x)[0], c=nn.LSTMCell(8, 6)), 5, 8), DEFAULT),
    "bilinear": (matrices(Net(lambda s, x: s.b(x, x), b=nn.Bilinear(4, 4, 3)), 5, 4), DEFAULT),
    "x @ W": (matrices(Net(lambda s, x: x @ s.w, (4, 6)), 5, 3, 4), W),
    "x @ W, of a square": (matrices(Net(lambda s, x: x @ s.w, (4, 4)), 5, 3, 4), W),
    "x @ W, of one output": (matrices(Net(lambda s, x: x @ s.w, (4, 1)), 5, 4), W),
    "x @ W, of one input": (
        matrices(Net(lambda s, x: x @ s.w, (1, 4)), 5, 1),
        {"w": Axes((0, 1), ())},
    ),
    "x @ Wᵀ": (matrices(Net(lambda s, x: x @ s.w.T, (6, 4)), 5, 4), DEFAULT),
    "W @ x": (matrices(Net(lambda s, x: s.w @ x, (6, 4)), 5, 4, 3), DEFAULT),
    "Wᵀ @ x": (matrices(Net(lambda s, x: s.w.mT @ x, (4, 6)), 5, 4, 3), W),
    "W @ vector": (matrices(Net(lambda s, x: torch.stack([s.w @ r for r in x]), (6, 4)), 5, 4), {}),
    "vector @ W": (matrices(Net(lambda s, x: torch.stack([r @ s.w for r in x]), (4, 6)), 5, 4), W),
    "GPT-2's Conv1D": (
        matrices(Net(lambda s, x: torch.addmm(s.v[0], x.view(-1, 4), s.w), (4, 6), (1, 6)), 5, 4),
        W,
    ),
    "x @ W in half precision": (
        matrices(Net(lambda s, x: x.bfloat16() @ s.w.bfloat16(), (4, 6)), 5, 4),
        W,
    ),
    "x @ (W − mean)": (matrices(Net(lambda s, x: x @ (s.w - s.w.mean(0)), (4, 6)), 5, 4), W),
    "x @ copied W": (matrices(Net(lambda s, x: x @ s.w.T.contiguous(), (6, 4)), 5, 4), DEFAULT),
    "x @ (W + A B)": (
        matrices(Net(lambda s, x: x @ (s.w + s.v @ s.u), (4, 6), (4, 2), (2, 6)), 5, 4),
        W,
    ),
    "x @ (W · V)": (
        matrices(Net(lambda s, x: x @ (s.w * s.v), (4, 6), (4, 6)), 5, 4),
        {"w": COLUMNS, "v": COLUMNS},
    ),
    "parts of W": (
        matrices(Net(lambda s, x: (x @ s.w[:, :6]) * (x @ s.w[:, 6:]), (4, 12)), 5, 4),
        W,
    ),
    "chunks of W": (
        matrices(Net(lambda s, x: sum(x @ c for c in s.w.chunk(3, 1)), (4, 12)), 5, 4),
        W,
    ),
    "recurrence": (
        matrices(Net(recurrent, (4, 6), (6, 6)), 5, 3, 4),
        {"w": COLUMNS, "v": COLUMNS},
    ),
    "written to": (matrices(Net(written, (4, 6)), 5, 4), W),
    "learned queries": (
        matrices(Net(lambda s, x: (s.w @ s.l.weight) @ x.mT, (3, 6), l=nn.Linear(4, 6)), 5, 2, 4),
        DEFAULT,
    ),
    "position table": (
        matrices(Net(lambda s, x: s.l(x + s.w), (1, 3, 4), l=nn.Linear(4, 6)), 1, 3, 4),
        DEFAULT,
    ),
    "weights in another shape": (
        matrices(Net(lambda s, x: functional.linear(x, s.w.view(6, 4)), (6, 2, 2)), 5, 4),
        {"w": Axes((0,), (1, 2))},
    ),
    "queries of heads": (
        matrices(Net(lambda s, x: einsum("bsd,dhe->bshe", x, s.w), (4, 2, 3)), 5, 3, 4),
        {"w": Axes((1, 2), (0,))},
    ),
    "heads first": (
        matrices(Net(lambda s, x: einsum("bsd,hde->bshe", x, s.w), (2, 4, 3)), 5, 3, 4),
        {"w": Axes((0, 2), (1,))},
    ),
    "outputs of heads": (
        matrices(Net(lambda s, x: einsum("bshe,hed->bsd", x, s.w), (2, 3, 4)), 5, 3, 2, 3),
        {"w": Axes((2,), (0, 1))},
    ),
    "experts": (
        matrices(Net(lambda s, x: torch.bmm(x.transpose(0, 1), s.w), (3, 4, 6)), 5, 3, 4),
        {"w": Axes((0, 2), (1,))},
    ),
    "experts one by one": (
        matrices(Net(lambda s, x: sum(x @ s.w[i] for i in range(3)), (3, 4, 6)), 5, 4),
        {"w": Axes((0, 2), (1,))},
    ),
    "experts, outputs first": (
        matrices(Net(lambda s, x: sum(x @ s.w[i].T for i in range(3)), (3, 6, 4)), 5, 4),
        {"w": Axes((0, 1), (2,))},
    ),
    "blocks along the diagonal": (
        matrices(
            Net(lambda s, x: einsum("bgi,gio->bgo", x.view(-1, 2, 2), s.w.view(2, 2, 6)), (4, 6)),
            5,
            4,
        ),
        {"w": Axes((1,), (0,), 2)},
    ),
    "tensordot": (
        matrices(
            Net(lambda s, x: torch.tensordot(x, s.w, ([2, 3], [0, 1])), (2, 2, 6)), 5, 3, 2, 2
        ),
        {"w": Axes((2,), (0, 1))},
    ),
    "kernel of Keras": (
        matrices(
            Net(lambda s, x: functional.conv2d(x, s.w.permute(3, 2, 0, 1)), (3, 3, 4, 6)),
            2,
            4,
            5,
            5,
        ),
        {"w": Axes((3,), (2,))},
    ),
    "kernel of Keras, 1 × 1": (
        matrices(
            Net(lambda s, x: functional.conv2d(x, s.w.permute(3, 2, 0, 1)), (1, 1, 4, 6)),
            2,
            4,
            5,
            5,
        ),
        {"w": Axes((0, 1, 3), (2,))},
    ),
    "depthwise kernel of Keras": (
        matrices(
            Net(
                lambda s, x: functional.conv2d(
                    x, s.w.reshape(3, 3, 1, 8).permute(3, 2, 0, 1), groups=4
                ),
                (3, 3, 4, 2),
            ),
            *(2, 4, 5, 5),
        ),
        {"w": Axes((2, 3), ())},
    ),
    "transposed kernel of Keras": (
        matrices(
            Net(lambda s, x: functional.conv_transpose2d(x, s.w.permute(3, 2, 0, 1)), (3, 3, 6, 4)),
            *(2, 4, 5, 5),
        ),
        {"w": Axes((2,), (3,))},
    ),
    "convolution of sequences, batch second": (
        matrices(Net(lambda s, x: torch.conv_tbc(x, s.w, s.v[0]), (3, 4, 6), (1, 6)), *(7, 2, 4)),
        {"w": Axes((2,), (1,))},
    ),
    "sparse graph": (
        matrices(Net(graph, (4, 6), edges=Edges()), 5, 4),
        W,
    ),
    "both ways": (matrices(Net(lambda s, x: (x @ s.w) @ s.w.T, (4, 6)), 5, 4), DEFAULT),
    "embedding and head": (
        (Net(lambda s, x: s.e(x) @ s.e.weight.T, e=nn.Embedding(9, 4)), torch.tensor([[1, 2]])),
        DEFAULT,
    ),
    "embedding, and mixtures of it": (
        (
            Net(
                lambda s, x: (s.e(x) @ s.l.weight.T).softmax(-1) @ s.e.weight,
                e=nn.Embedding(9, 4),
                l=nn.Linear(4, 9),
            ),
            torch.tensor([[1, 2]]),
        ),
        DEFAULT,
    ),
    "not run": (
        matrices(Net(lambda s, x: x, t=nn.ConvTranspose1d(4, 6, 3, groups=2)), 2, 4, 7),
        {"t.weight": Axes((1,), (0,), 2)},
    ),
}


@pytest.mark.parametrize(("case", "expected"), CASES.values(), ids=CASES)
def test_axes(case, expected) -> None:
    module, inputs = case
    assert traced_axes(module.eval(), inputs) == expected


def traced_axes(module, inputs):
    weights = {name: p.detach() for name, p in module.named_parameters()}
    weights |= dict(module.named_buffers())
    names = [name for name, p in module.named_parameters() if p.ndim >= 2]
    return weight_axes(unfuse(module), weights, inputs, names)


def test_classes_decide_if_a_module_cannot_be_traced() -> None:
    def fails(_self, x):
        raise ValueError

    layer = nn.ConvTranspose2d(4, 6, 3)
    assert traced_axes(Net(fails, (4, 6), t=layer), torch.ones(1)) == {"t.weight": COLUMNS}


@pytest.mark.parametrize(
    "name", ["fashion/lenet5", "reviews/gru", "reviews/transformer", "vowels/cnn"]
)
def test_built_in_weights_are_not_permuted(name) -> None:
    model = zoo.model(name)
    inputs = model.task.inputs(model.task.split("validation").examples[:2])
    module = unfuse(model.architecture.build()).eval()
    assert weight_axes(module, model.weights(), inputs, model.layers) == {}
    assert model.roles.axes == {}
