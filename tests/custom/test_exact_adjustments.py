"""Folding norms and equalizing layers are exact or skipped, compared with PyTorch."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

import workbench as wb
from tests.custom.networks import Net, ended, make_model, norm

EXACT = 1e-4


def conv(groups=1, bias=True, inputs=4):
    return nn.Conv2d(inputs, 4, 3, padding=1, groups=groups, bias=bias)


def head():
    return nn.Linear(4, 3)


def images():
    return torch.randn(24, 4, 6, 6, generator=torch.Generator().manual_seed(1))


def vectors():
    return torch.randn(24, 6, generator=torch.Generator().manual_seed(1))


def signals():
    return torch.randn(24, 5, 6, generator=torch.Generator().manual_seed(1))


def volumes():
    return torch.randn(24, 2, 4, 4, 4, generator=torch.Generator().manual_seed(1))


class Activated(nn.BatchNorm2d):
    def forward(self, x):
        return super().forward(x).relu()


class Standardized(nn.Conv2d):
    """A convolution that standardizes its weights."""

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


def in_sequence(m, x):
    return ended(m, m.b(m.c(x)))


def creates_float32(m, x):
    """Create a float32 tensor, so that the module does not run in float64."""
    h = functional.relu(m.b(m.c(x)))
    return m.fc(torch.einsum("nchw,hw->nc", h, torch.ones(6, 6)))


def layers(**more):
    return {"c": conv(), "b": norm(), "fc": head()} | more


# The module, its inputs, and the norms that can be folded, each with its preceding layer.
KINDS = {
    "in sequence": (
        lambda: Net(lambda m, x: ended(m, m.b2(m.d(functional.relu(m.b(m.c(x)))))),
                    **layers(d=conv(bias=False), b2=norm())),
        images, {"b": "c", "b2": "d"},
    ),
    "pre-activation": (
        lambda: Net(pre_activation, **layers(d=conv(), b2=norm())), images, {}
    ),
    "residual connection before the norm": (lambda: Net(early_skip, **layers()), images, {}),
    "output used again after the norm": (lambda: Net(late_change, **layers()), images, {}),
    "norm used twice": (lambda: Net(twice_normed, **layers(d=conv())), images, {}),
    "layer used twice": (
        lambda: Net(lambda m, x: ended(m, m.b2(m.d(functional.relu(m.b(m.d(m.c(x))))))),
                    **layers(d=conv(), b2=norm())),
        images, {},
    ),
    "dense block": (
        lambda: Net(dense, **layers(d=conv(), b8=nn.BatchNorm2d(8), e=conv(inputs=8))), images, {}
    ),
    "dense block with a bottleneck": (
        lambda: Net(lambda m, x: ended(m, m.c(torch.cat([x, m.d(m.b(m.e(x)).relu())], 1))),
                    **layers(c=conv(inputs=8), d=conv(), e=conv(bias=False))),
        images, {"b": "e"},
    ),
    "in-place activation between": (lambda: Net(relu_in_place, **layers()), images, {}),
    "in-place sum between": (lambda: Net(added_in_place, **layers()), images, {}),
    "norm without weights": (
        lambda: Net(in_sequence, **layers(b=norm(affine=False))), images, {"b": "c"}
    ),
    "identity and dropout between": (
        lambda: Net(lambda m, x: ended(m, m.b(m.o(m.i(m.c(x))))),
                    **layers(i=nn.Identity(), o=nn.Dropout(0.5))),
        images, {"b": "c"},
    ),
    "pooling between": (
        lambda: Net(lambda m, x: ended(m, m.b(functional.avg_pool2d(m.c(x), 2))), **layers()),
        images, {},
    ),
    "reshaped between": (
        lambda: Net(lambda m, x: m.fc(functional.relu(m.b(m.c(x).flatten(2))).mean(2)),
                    **layers(b=nn.BatchNorm1d(4))),
        images, {"b": "c"},
    ),
    "norm first": (lambda: Net(lambda m, x: ended(m, m.c(m.b(x))), **layers()), images, {}),
    "depthwise": (
        lambda: Net(lambda m, x: ended(m, m.b2(m.d(functional.relu(m.b(m.c(x)))))),
                    **layers(c=conv(groups=4, bias=False), d=nn.Conv2d(4, 4, 1), b2=norm())),
        images, {"b": "c", "b2": "d"},
    ),
    "transposed": (
        lambda: Net(in_sequence, **layers(c=nn.ConvTranspose2d(4, 4, 2, stride=2, bias=False))),
        images, {"b": "c"},
    ),
    "transposed in groups": (
        lambda: Net(in_sequence, c=nn.ConvTranspose2d(4, 6, 2, groups=2), b=nn.BatchNorm2d(6),
                    fc=nn.Linear(6, 3)),
        images, {"b": "c"},
    ),
    "over signals": (
        lambda: Net(lambda m, x: m.fc(functional.relu(m.b(m.c(x))).mean(2)),
                    c=nn.Conv1d(5, 4, 3), b=nn.BatchNorm1d(4), fc=head()),
        signals, {"b": "c"},
    ),
    "transposed over signals": (
        lambda: Net(lambda m, x: m.fc(functional.relu(m.b(m.c(x))).mean(2)),
                    c=nn.ConvTranspose1d(5, 4, 3), b=nn.BatchNorm1d(4), fc=head()),
        signals, {"b": "c"},
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
    "linear, transposed before the norm": (
        lambda: Net(lambda m, x: m.fc(functional.relu(m.b(m.c(x).mT)).mean(2)),
                    c=nn.Linear(6, 4), b=nn.BatchNorm1d(4), fc=head()),
        signals, {"b": "c"},
    ),
    "linear, normalized along the other dimension": (
        lambda: Net(lambda m, x: m.fc(functional.relu(m.b(m.c(x))).mean(2)),
                    c=nn.Linear(6, 5), b=nn.BatchNorm1d(5), fc=nn.Linear(5, 3)),
        signals, {},
    ),
    "tied weights": (tied, images, {}),
    "tied to a layer that never runs": (idle_twin, images, {}),
    "parametrized": (lambda: Net(in_sequence, **layers(c=weight_norm(conv()))), images, {}),
    "weights read by the module": (
        lambda: Net(lambda m, x: ended(m, m.b(m.c(x)) + m.c.weight.mean()), **layers()),
        images, {},
    ),
    "norm read by the module": (
        lambda: Net(lambda m, x: ended(m, m.b(m.c(x)) * m.b.weight.mean()), **layers()),
        images, {},
    ),
    "bias read by the module": (
        lambda: Net(lambda m, x: ended(m, m.b(m.c(x)) + m.c.bias.mean()), **layers()), images, {}
    ),
    "layer that changes its weight": (
        lambda: Net(in_sequence, **layers(c=Standardized(4, 4, 3))), images, {}
    ),
    "norm that activates": (
        lambda: Net(lambda m, x: m.fc(m.b(m.c(x)).mean((2, 3))), **layers(b=Activated(4))),
        images, {},
    ),
    "second output": (
        lambda: Net(lambda m, x: (ended(m, m.b(h := m.c(x))), h), **layers()), images, {}
    ),
    "half of the channels": (
        lambda: Net(lambda m, x: ended(m, m.b(m.c(x).chunk(2, 1)[0])),
                    **layers(c=nn.Conv2d(4, 8, 3))),
        images, {},
    ),
    "float32 created in forward": (lambda: Net(creates_float32, **layers()), images, {"b": "c"}),
    "keyword argument": (
        lambda: Net(lambda m, x: ended(m, m.b(input=m.c(input=x))), **layers()), images,
        {"b": "c"},
    ),
    "attention before the norm": (
        lambda: Net(lambda m, x: m.fc(functional.relu(m.b(m.a(x, x, x)[0].mT)).mean(2)),
                    a=nn.MultiheadAttention(6, 2, batch_first=True), b=nn.BatchNorm1d(6),
                    fc=nn.Linear(6, 3)),
        signals, {"b": "a.out_proj"},
    ),
    "pre-activation without weights": (
        lambda: Net(pre_activation, **layers(b=norm(affine=False), d=conv(), b2=norm())),
        images, {},
    ),
    "pre-activation without effect on outputs": (
        lambda: Net(lambda m, x: ended(m, (h := m.c(x)) + m.d(functional.relu(m.b(h))) - 40),
                    **layers(d=conv())),
        images, {},
    ),
    "gate that depends on the layer": (
        lambda: Net(lambda m, x: ended(m, m.b(h := m.c(x)) * h.mean((2, 3), True).sigmoid()),
                    **layers()),
        images, {},
    ),
    "branch that depends on the layer": (
        lambda: Net(lambda m, x: ended(m, m.b(h) if float((h := m.c(x)).max()) > 0 else h),
                    **layers()),
        images, {},
    ),
    "padding after the layer": (
        lambda: Net(lambda m, x: ended(m, m.b(functional.pad(m.c(x), (1, 1, 1, 1)))), **layers()),
        images, {},
    ),
}  # fmt: skip


def with_statistics(module):
    """Set random statistics and weights of norms, as after training."""
    torch.manual_seed(2)
    for layer in module.modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            layer.running_mean.normal_(0, 0.5)
            layer.running_var.uniform_(0.3, 2)
            for tensor in layer.parameters():
                tensor.data.normal_(0.8, 0.5)
    return module.eval()


def outputs_of(module, inputs):
    with torch.no_grad():
        outputs = module(inputs)
    return outputs if isinstance(outputs, tuple) else (outputs,)


def assert_exact(module, artifact, inputs):
    """Compare outputs, also for much larger inputs than those of the verification."""
    rebuilt = wb.to_module(artifact)
    for x in (inputs, 50 * inputs):
        for actual, expected in zip(outputs_of(rebuilt, x), outputs_of(module, x), strict=True):
            assert float((actual - expected).abs().max()) <= EXACT * float(expected.abs().max())


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_folding_and_equalizing_change_no_output(kind):
    make, examples, folded = KINDS[kind]
    torch.manual_seed(0)
    module, inputs = with_statistics(make()), examples()
    model = make_model(module, inputs, kind)
    recipe = wb.Recipe(adjust=wb.Adjust("fold", equalize="pairs"))
    artifact = wb.compress(model, recipe)
    assert dict(artifact.spec.folded) == folded
    assert_exact(module, artifact, inputs)
    reasons = {r.kind: r.layer for r in wb.evaluate(artifact, timed=False).reasons}
    norms = [n for n, m in module.named_modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    remaining = [name for name in norms if name not in folded]
    assert reasons.get("norms_stay", "") == ", ".join(remaining)


def between(function):
    """Return two layers with `function` between them."""
    return lambda: Net(lambda m, x: m.d(function(m.c(x))), c=nn.Linear(6, 5), d=nn.Linear(5, 3))


def with_layer(layer):
    return lambda: Net(lambda m, x: m.d(m.o(m.c(x))), c=nn.Linear(6, 5), o=layer(),
                       d=nn.Linear(5, 3))  # fmt: skip


# Two layers, and whether the function between them commutes with positive factors.
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
    "prelu per channel": (with_layer(lambda: nn.PReLU(5)), True),
    "float32 created in forward": (between(lambda h: torch.ones(len(h), 1) * h.relu()), True),
    "float32 throughout": (between(lambda h: h.float().relu()), True),
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
    "maximum with the mean": (between(lambda h: torch.maximum(h, h.mean(1, True))), False),
    "rounded": (between(torch.round), False),
    "added constant": (between(lambda h: h + 1), False),
    "squared": (between(torch.square), False),
    "tanh without effect on outputs": (
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


@pytest.mark.slow
@pytest.mark.parametrize("kind", BETWEEN)
def test_layers_are_equalized_if_the_function_between_commutes_with_factors(kind):
    make, commutes = BETWEEN[kind]
    torch.manual_seed(0)
    module, inputs = with_statistics(make()), vectors()
    with torch.no_grad():
        module.c.weight *= torch.logspace(-1, 1, 5).unsqueeze(1)
    model = make_model(module, inputs, kind)
    artifact = wb.compress(model, wb.Recipe(adjust=wb.Adjust("keep", equalize="pairs")))
    weight = artifact.weights()["c.weight"]
    assert torch.equal(weight, module.c.weight) != commutes
    assert_exact(module, artifact, inputs)
    named = {r.kind: r.layer for r in wb.evaluate(artifact, timed=False).reasons}
    assert ("c.weight" in named.get("uneven", "") or "none_even" in named) != commutes
    if commutes:
        first, second = weight.abs().amax(1), artifact.weights()["d.weight"].abs().amax(0)
        torch.testing.assert_close(first, second, rtol=1e-4, atol=0)
