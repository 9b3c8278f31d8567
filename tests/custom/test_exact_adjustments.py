"""Folding and evening out are exact or not done: many kinds of modules, against plain PyTorch."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

import workbench as wb

EXACT = 1e-4


class Net(nn.Module):
    """Layers by name, and a function of them and the inputs."""

    def __init__(self, run, **layers):
        super().__init__()
        for name, layer in layers.items():
            setattr(self, name, layer)
        self.run = run

    def forward(self, x):
        return self.run(self, x)


def conv(groups=1, bias=True, inputs=4):
    return nn.Conv2d(inputs, 4, 3, padding=1, groups=groups, bias=bias)


def norm(**settings):
    return nn.BatchNorm2d(4, **settings)


def head():
    return nn.Linear(4, 3)


def ended(m, h):
    return m.fc(functional.relu(h).mean((-1, -2)))


def pictures():
    return torch.randn(24, 4, 6, 6, generator=torch.Generator().manual_seed(1))


def vectors():
    return torch.randn(24, 6, generator=torch.Generator().manual_seed(1))


def lines():
    return torch.randn(24, 5, 6, generator=torch.Generator().manual_seed(1))


def volumes():
    return torch.randn(24, 2, 4, 4, 4, generator=torch.Generator().manual_seed(1))


class Activated(nn.BatchNorm2d):
    def forward(self, x):
        return super().forward(x).relu()


class Weighed(nn.Conv2d):
    """A convolution of weights that it standardises itself."""

    def forward(self, x):
        return self._conv_forward(x, self.weight - self.weight.mean(), self.bias)


def twice_normed(m, x):
    return ended(m, m.b(m.d(functional.relu(m.b(m.c(x))))))


def dense(m, x):
    h = m.c(x)
    h = torch.cat([h, m.d(functional.relu(m.b(h)))], 1)
    return m.fc(functional.relu(m.e(functional.relu(m.b8(h)))).mean((-1, -2)))


def pre_activation(m, x):
    h = m.c(x)
    return ended(m, m.b2(h + m.d(functional.relu(m.b(h)))))


def early_skip(m, x):
    h = m.c(x)
    return ended(m, m.b(h) + h)


def late_change(m, x):
    h = m.c(x)
    y = m.b(h)
    return ended(m, y + h.relu())


def relu_in_place(m, x):
    return ended(m, m.b(m.c(x).relu_()))


def added_in_place(m, x):
    h = m.c(x)
    h += x
    return ended(m, m.b(h))


def tied():
    module = Net(
        lambda m, x: ended(m, m.b(m.c(x)) + m.d(x)), c=conv(), d=conv(), b=norm(), fc=head()
    )
    module.d.weight = module.c.weight
    return module


def idle_twin():
    module = Net(lambda m, x: ended(m, m.b(m.c(x))), c=conv(), idle=conv(), b=norm(), fc=head())
    module.idle.weight = module.c.weight
    return module


def plain(m, x):
    return ended(m, m.b(m.c(x)))


def made_here(m, x):
    """Make a float32 tensor on the way, so that the module does not run in float64."""
    h = functional.relu(m.b(m.c(x)))
    return m.fc(torch.einsum("nchw,hw->nc", h, torch.ones(6, 6)))


def layers(**more):
    return {"c": conv(), "b": norm(), "fc": head()} | more


# The module, its inputs, and the norms that can be folded, each with the layer before it.
KINDS = {
    "one after the other": (
        lambda: Net(lambda m, x: ended(m, m.b2(m.d(functional.relu(m.b(m.c(x)))))),
                    **layers(d=conv(bias=False), b2=norm())),
        pictures, {"b": "c", "b2": "d"},
    ),
    "pre-activation": (
        lambda: Net(pre_activation, **layers(d=conv(), b2=norm())), pictures, {}
    ),
    "skip that leaves before the norm": (lambda: Net(early_skip, **layers()), pictures, {}),
    "output used again after the norm": (lambda: Net(late_change, **layers()), pictures, {}),
    "norm used twice": (lambda: Net(twice_normed, **layers(d=conv())), pictures, {}),
    "layer used twice": (
        lambda: Net(lambda m, x: ended(m, m.b2(m.d(functional.relu(m.b(m.d(m.c(x))))))),
                    **layers(d=conv(), b2=norm())),
        pictures, {},
    ),
    "dense block": (
        lambda: Net(dense, **layers(d=conv(), b8=nn.BatchNorm2d(8), e=conv(inputs=8))), pictures, {}
    ),
    "dense block with a bottleneck": (
        lambda: Net(lambda m, x: ended(m, m.c(torch.cat([x, m.d(m.b(m.e(x)).relu())], 1))),
                    **layers(c=conv(inputs=8), d=conv(), e=conv(bias=False))),
        pictures, {"b": "e"},
    ),
    "in-place activation between": (lambda: Net(relu_in_place, **layers()), pictures, {}),
    "in-place sum between": (lambda: Net(added_in_place, **layers()), pictures, {}),
    "norm without weights": (
        lambda: Net(plain, **layers(b=norm(affine=False))), pictures, {"b": "c"}
    ),
    "identity and dropout between": (
        lambda: Net(lambda m, x: ended(m, m.b(m.o(m.i(m.c(x))))),
                    **layers(i=nn.Identity(), o=nn.Dropout(0.5))),
        pictures, {"b": "c"},
    ),
    "pooling between": (
        lambda: Net(lambda m, x: ended(m, m.b(functional.avg_pool2d(m.c(x), 2))), **layers()),
        pictures, {},
    ),
    "reshaped between": (
        lambda: Net(lambda m, x: m.fc(functional.relu(m.b(m.c(x).flatten(2))).mean(2)),
                    **layers(b=nn.BatchNorm1d(4))),
        pictures, {"b": "c"},
    ),
    "norm first": (lambda: Net(lambda m, x: ended(m, m.c(m.b(x))), **layers()), pictures, {}),
    "depthwise": (
        lambda: Net(lambda m, x: ended(m, m.b2(m.d(functional.relu(m.b(m.c(x)))))),
                    **layers(c=conv(groups=4, bias=False), d=nn.Conv2d(4, 4, 1), b2=norm())),
        pictures, {"b": "c", "b2": "d"},
    ),
    "transposed": (
        lambda: Net(plain, **layers(c=nn.ConvTranspose2d(4, 4, 2, stride=2, bias=False))),
        pictures, {"b": "c"},
    ),
    "transposed in groups": (
        lambda: Net(plain, c=nn.ConvTranspose2d(4, 6, 2, groups=2), b=nn.BatchNorm2d(6),
                    fc=nn.Linear(6, 3)),
        pictures, {"b": "c"},
    ),
    "over lines": (
        lambda: Net(lambda m, x: m.fc(functional.relu(m.b(m.c(x))).mean(2)),
                    c=nn.Conv1d(5, 4, 3), b=nn.BatchNorm1d(4), fc=head()),
        lines, {"b": "c"},
    ),
    "transposed over lines": (
        lambda: Net(lambda m, x: m.fc(functional.relu(m.b(m.c(x))).mean(2)),
                    c=nn.ConvTranspose1d(5, 4, 3), b=nn.BatchNorm1d(4), fc=head()),
        lines, {"b": "c"},
    ),
    "over volumes": (
        lambda: Net(lambda m, x: m.fc(functional.relu(m.b(m.c(x))).mean((2, 3, 4))),
                    c=nn.Conv3d(2, 4, 2), b=nn.BatchNorm3d(4), fc=head()),
        volumes, {"b": "c"},
    ),
    "linear": (
        lambda: Net(lambda m, x: m.fc(functional.relu(m.b(m.c(x)))),
                    c=nn.Linear(6, 4, bias=False), b=nn.BatchNorm1d(4), fc=head()),
        vectors, {"b": "c"},
    ),
    "linear, turned before the norm": (
        lambda: Net(lambda m, x: m.fc(functional.relu(m.b(m.c(x).mT)).mean(2)),
                    c=nn.Linear(6, 4), b=nn.BatchNorm1d(4), fc=head()),
        lines, {"b": "c"},
    ),
    "linear, normed along the other axis": (
        lambda: Net(lambda m, x: m.fc(functional.relu(m.b(m.c(x))).mean(2)),
                    c=nn.Linear(6, 5), b=nn.BatchNorm1d(5), fc=nn.Linear(5, 3)),
        lines, {},
    ),
    "tied weights": (tied, pictures, {}),
    "tied to a layer that never runs": (idle_twin, pictures, {}),
    "parametrised": (lambda: Net(plain, **layers(c=weight_norm(conv()))), pictures, {}),
    "weights read by the module": (
        lambda: Net(lambda m, x: ended(m, m.b(m.c(x)) + m.c.weight.mean()), **layers()),
        pictures, {},
    ),
    "norm read by the module": (
        lambda: Net(lambda m, x: ended(m, m.b(m.c(x)) * m.b.weight.mean()), **layers()),
        pictures, {},
    ),
    "bias read by the module": (
        lambda: Net(lambda m, x: ended(m, m.b(m.c(x)) + m.c.bias.mean()), **layers()), pictures, {}
    ),
    "layer that changes its weight": (
        lambda: Net(plain, **layers(c=Weighed(4, 4, 3))), pictures, {}
    ),
    "norm that activates": (
        lambda: Net(lambda m, x: m.fc(m.b(m.c(x)).mean((2, 3))), **layers(b=Activated(4))),
        pictures, {},
    ),
    "second output": (
        lambda: Net(lambda m, x: (ended(m, m.b(h := m.c(x))), h), **layers()), pictures, {}
    ),
    "half of the channels": (
        lambda: Net(lambda m, x: ended(m, m.b(m.c(x).chunk(2, 1)[0])),
                    **layers(c=nn.Conv2d(4, 8, 3))),
        pictures, {},
    ),
    "float32 made on the way": (lambda: Net(made_here, **layers()), pictures, {"b": "c"}),
    "keyword argument": (
        lambda: Net(lambda m, x: ended(m, m.b(input=m.c(input=x))), **layers()), pictures,
        {"b": "c"},
    ),
    "attention before the norm": (
        lambda: Net(lambda m, x: m.fc(functional.relu(m.b(m.a(x, x, x)[0].mT)).mean(2)),
                    a=nn.MultiheadAttention(6, 2, batch_first=True), b=nn.BatchNorm1d(6),
                    fc=nn.Linear(6, 3)),
        lines, {"b": "a.out_proj"},
    ),
    "pre-activation without weights": (
        lambda: Net(pre_activation, **layers(b=norm(affine=False), d=conv(), b2=norm())),
        pictures, {},
    ),
    "pre-activation that no output shows": (
        lambda: Net(lambda m, x: ended(m, (h := m.c(x)) + m.d(functional.relu(m.b(h))) - 40),
                    **layers(d=conv())),
        pictures, {},
    ),
    "gate that reads the layer": (
        lambda: Net(lambda m, x: ended(m, m.b(h := m.c(x)) * h.mean((2, 3), True).sigmoid()),
                    **layers()),
        pictures, {},
    ),
    "choice that reads the layer": (
        lambda: Net(lambda m, x: ended(m, m.b(h) if float((h := m.c(x)).max()) > 0 else h),
                    **layers()),
        pictures, {},
    ),
    "padding after the layer": (
        lambda: Net(lambda m, x: ended(m, m.b(functional.pad(m.c(x), (1, 1, 1, 1)))), **layers()),
        pictures, {},
    ),
}  # fmt: skip


def with_statistics(module):
    """Give norms the statistics and weights of no other, as after training."""
    torch.manual_seed(2)
    for layer in module.modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            layer.running_mean.normal_(0, 0.5)
            layer.running_var.uniform_(0.3, 2)
            for tensor in layer.parameters():
                tensor.data.normal_(0.8, 0.5)
    return module.eval()


def brought(module, inputs, kind):
    labels = torch.arange(len(inputs)) % 3
    data = dict.fromkeys(("train", "validation", "test"), (inputs, labels))
    return wb.from_module(module, **data, name=kind.replace(" ", "-").replace(",", ""))


def outputs_of(module, inputs):
    with torch.no_grad():
        found = module(inputs)
    return found if isinstance(found, tuple) else (found,)


def assert_exact(module, artifact, inputs):
    """Look at much larger inputs, too, than those that it was proved on."""
    rebuilt = wb.to_module(artifact)
    for some in (inputs, 50 * inputs):
        for found, expected in zip(
            outputs_of(rebuilt, some), outputs_of(module, some), strict=True
        ):
            assert float((found - expected).abs().max()) <= EXACT * float(expected.abs().max())


@pytest.mark.parametrize("kind", KINDS)
def test_folding_and_evening_out_change_no_output(kind):
    make, examples, folded = KINDS[kind]
    torch.manual_seed(0)
    module, inputs = with_statistics(make()), examples()
    model = brought(module, inputs, kind)
    recipe = wb.Recipe(adjust=wb.Adjust("fold", equalize="pairs"))
    artifact = wb.compress(model, recipe)
    assert dict(artifact.spec.folded) == folded
    assert_exact(module, artifact, inputs)
    reasons = {r.kind: r.layer for r in wb.evaluate(artifact, timed=False).reasons}
    norms = [n for n, m in module.named_modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    left = [name for name in norms if name not in folded]
    assert reasons.get("norms-stay", "") == ", ".join(left)


def between(function):
    """Return two layers with `function` between them."""
    return lambda: Net(lambda m, x: m.d(function(m.c(x))), c=nn.Linear(6, 5), d=nn.Linear(5, 3))


def with_layer(layer):
    return lambda: Net(lambda m, x: m.d(m.o(m.c(x))), c=nn.Linear(6, 5), o=layer(),
                       d=nn.Linear(5, 3))  # fmt: skip


# Two layers, and whether what lies between commutes with positive factors.
BETWEEN = {
    "nothing": (between(lambda h: h), True),
    "relu": (between(functional.relu), True),
    "leaky relu": (between(functional.leaky_relu), True),
    "absolute value": (between(torch.abs), True),
    "clamped below": (between(lambda h: h.clamp(min=0)), True),
    "masked": (between(lambda h: h * (h > 0.1).any(1, keepdim=True)), False),
    "dropout": (with_layer(lambda: nn.Dropout(0.5)), True),
    "relu in place": (with_layer(lambda: nn.ReLU(inplace=True)), True),
    "prelu": (with_layer(lambda: nn.PReLU(init=0.3)), True),
    "prelu of each channel": (with_layer(lambda: nn.PReLU(5)), True),
    "float32 made on the way": (between(lambda h: torch.ones(len(h), 1) * h.relu()), True),
    "float32 all the way": (between(lambda h: h.float().relu()), True),
    "relu6 far from its bound": (between(lambda h: functional.relu6(h / 50)), False),
    "relu6": (between(functional.relu6), False),
    "hardtanh": (between(functional.hardtanh), False),
    "tanh": (between(torch.tanh), False),
    "sigmoid": (between(torch.sigmoid), False),
    "gelu": (between(functional.gelu), False),
    "silu": (between(functional.silu), False),
    "elu": (between(functional.elu), False),
    "softplus": (between(functional.softplus), False),
    "threshold": (between(lambda h: functional.threshold(h, 0.5, 0.0)), False),
    "softmax": (between(lambda h: h.softmax(1)), False),
    "layer norm": (with_layer(lambda: nn.LayerNorm(5)), False),
    "batch norm": (with_layer(lambda: nn.BatchNorm1d(5, affine=False)), False),
    "largest of the channels": (between(lambda h: torch.maximum(h, h.mean(1, True))), False),
    "rounded": (between(torch.round), False),
    "added constant": (between(lambda h: h + 1), False),
    "squared": (between(torch.square), False),
    "tanh that no output shows": (
        lambda: Net(lambda m, x: m.e(functional.relu(m.d(m.c(x).tanh()) - 40)),
                    c=nn.Linear(6, 5), d=nn.Linear(5, 4), e=nn.Linear(4, 3)),
        False,
    ),
    "bias read by the module": (
        lambda: Net(lambda m, x: m.d(m.c(x)) + m.c.bias.sum(), c=nn.Linear(6, 5),
                    d=nn.Linear(5, 3)),
        False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", BETWEEN)
def test_layers_are_evened_out_where_what_lies_between_commutes_with_factors(kind):
    make, commutes = BETWEEN[kind]
    torch.manual_seed(0)
    module, inputs = with_statistics(make()), vectors()
    with torch.no_grad():
        module.c.weight *= torch.logspace(-1, 1, 5).unsqueeze(1)
    model = brought(module, inputs, kind)
    artifact = wb.compress(model, wb.Recipe(adjust=wb.Adjust("keep", equalize="pairs")))
    found = artifact.weights()["c.weight"]
    assert torch.equal(found, module.c.weight) != commutes
    assert_exact(module, artifact, inputs)
    named = {r.kind: r.layer for r in wb.evaluate(artifact, timed=False).reasons}
    assert ("c.weight" in named.get("uneven", "") or "none-even" in named) != commutes
    if commutes:
        first, second = found.abs().amax(1), artifact.weights()["d.weight"].abs().amax(0)
        torch.testing.assert_close(first, second, rtol=1e-4, atol=0)
