"""The observed inputs of a layer, multiplied by its weights, are its outputs."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import workbench as wb
from workbench.compression.axes import Axes
from workbench.compression.roles import Roles
from workbench.graph.layer_inputs import observe_inputs


class Stub:
    """A fake model of any module, with the axes of weights that are permuted for compression."""

    def __init__(self, module, axes=None):
        self.module = lambda: module
        self.roles = Roles(tuple(axes or ()), axes=axes or {})


@pytest.mark.parametrize(
    "layer",
    [
        nn.Linear(6, 4, bias=False),
        nn.Conv2d(3, 4, 3, bias=False),
        nn.Conv2d(3, 4, (3, 2), stride=2, padding=1, dilation=2, bias=False),
        nn.Conv2d(3, 4, 3, padding="same", bias=False),
    ],
)
def test_products_with_the_weights_are_the_outputs(layer):
    shape = (2, 5, 6) if isinstance(layer, nn.Linear) else (2, 3, 9, 8)
    batch = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    seen = {}
    observe_inputs(
        Stub(layer), dict(layer.state_dict()), batch, lambda name, x: seen.update({name: x})
    )
    with torch.no_grad():
        outputs = layer(batch)
        if not isinstance(layer, nn.Linear):
            outputs = outputs.movedim(1, -1)
        products = seen["weight"] @ layer.weight.flatten(1).T
        torch.testing.assert_close(products, outputs.flatten(0, -2), rtol=1e-4, atol=1e-5)


class Product(nn.Module):
    def __init__(self, multiply):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(6, 4))
        self.multiply = multiply

    def forward(self, x):
        return self.multiply(x, self.weight)


@pytest.mark.parametrize(
    "multiply",
    [
        lambda x, w: x @ w,
        lambda x, w: torch.addmm(torch.ones(4), x.view(-1, 6), w).view(2, 5, 4) - 1,
        lambda x, w: torch.einsum("bsd,de->bse", x, w),
        lambda x, w: (w.T @ x.view(-1, 6).T).T.view(2, 5, 4),
        lambda x, w: nn.functional.linear(x, w.T),
    ],
    ids=["x @ W", "addmm", "einsum", "from the left", "linear"],
)
def test_products_with_matrices_are_observed(multiply):
    module = Product(multiply)
    batch = torch.randn(2, 5, 6, generator=torch.Generator().manual_seed(0))
    seen = {}
    stub = Stub(module, {"weight": Axes((1,), (0,))})
    weights = {"weight": module.weight.detach()}
    observe_inputs(stub, weights, batch, lambda name, x: seen.update({name: x}))
    torch.testing.assert_close(seen["weight"], batch.flatten(0, 1))


@pytest.mark.parametrize("kind", [nn.GRU, nn.LSTM])
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("has_state", [False, True])
def test_recurrent_layers_have_inputs_and_previous_states(kind, first, has_state):
    """Compare with cells that are stepped by hand, two layers, bidirectional."""
    torch.manual_seed(1)
    layer = kind(3, 4, num_layers=2, bidirectional=True, batch_first=first)
    x = torch.randn(2, 5, 3)
    start = torch.randn(4, 2, 4) if has_state else torch.zeros(4, 2, 4)
    cells = [(start, torch.randn(4, 2, 4))[: 2 if kind is nn.LSTM else 1]]
    if not has_state:
        cells = [tuple(torch.zeros_like(state) for state in cells[0])]
    batch = {"input": x if first else x.transpose(0, 1)}
    if has_state:
        batch["hx"] = cells[0] if kind is nn.LSTM else start
    seen = {}
    stub = Stub(layer)
    if has_state and kind is nn.LSTM:
        layer.register_forward_pre_hook(  # a batch holds only tensors
            lambda _layer, args, named: (args, {**named, "hx": cells[0]}), with_kwargs=True
        )
        batch.pop("hx")
    observe_inputs(stub, dict(layer.state_dict()), batch, lambda name, v: seen.update({name: v}))
    cell = {nn.GRU: nn.GRUCell, nn.LSTM: nn.LSTMCell}[kind]
    with torch.no_grad():
        for number in range(2):
            outputs = []
            for direction, suffix in enumerate(("", "_reverse")):
                step = cell(x.shape[-1], 4)
                for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                    getattr(step, name).copy_(getattr(layer, f"{name}_l{number}{suffix}"))
                state = tuple(part[2 * number + direction] for part in cells[0])
                state = state if kind is nn.LSTM else state[0]
                before, after = [None] * 5, [None] * 5
                for at in reversed(range(5)) if direction else range(5):
                    before[at] = state[0] if kind is nn.LSTM else state
                    state = step(x[:, at], state)
                    after[at] = state[0] if kind is nn.LSTM else state
                dim = 1 if first else 0
                expected = torch.stack(before, dim).flatten(0, 1)
                vectors = seen[f"weight_hh_l{number}{suffix}"]
                torch.testing.assert_close(vectors, expected, rtol=1e-4, atol=1e-5)
                inputs = (x if first else x.transpose(0, 1)).flatten(0, 1)
                vectors = seen[f"weight_ih_l{number}{suffix}"]
                torch.testing.assert_close(vectors, inputs, rtol=1e-4, atol=1e-5)
                outputs.append(torch.stack(after, 1))
            x = torch.cat(outputs, -1)


@pytest.mark.parametrize(
    "settings",
    [
        {"groups": 2},
        *({"padding": 1, "padding_mode": mode} for mode in ("circular", "reflect", "replicate")),
    ],
)
def test_convolutions_with_groups_or_padding_other_than_zeros_are_skipped(settings):
    layer, seen = nn.Conv2d(4, 4, 3, **settings), {}
    observe_inputs(Stub(layer), dict(layer.state_dict()), torch.randn(1, 4, 5, 5), seen.__setitem__)
    assert not seen


def test_every_layer_of_a_built_in_model_is_observed():
    model = wb.model("fashion/resnet")
    seen = {}
    batch = model.task.inputs(model.task.split("train").examples[:2])
    observe_inputs(model, model.weights(), batch, seen.__setitem__)
    weights = {name: weight for name, weight in model.weights().items() if weight.ndim >= 2}
    assert {n: x.shape[1] for n, x in seen.items()} == {n: w[0].numel() for n, w in weights.items()}
