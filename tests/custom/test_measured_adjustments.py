"""Recalibrating batch norm and correcting biases, compared with PyTorch."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

import workbench as wb
from tests.custom.networks import Net, ended, make_model, norm

EXAMPLES = 40
RECALIBRATE = wb.Recipe(quantize=wb.Quantize(4), adjust=wb.Adjust("recalibrate"))
CORRECT = wb.Recipe(quantize=wb.Quantize(3), adjust=wb.Adjust("keep", biases="correct"))


class Modal(nn.Module):
    """Returns other outputs in training mode."""

    def forward(self, x):
        return x * 3 if self.training else x


class Noisy(nn.Module):
    """Drops whole examples in training mode."""

    def forward(self, x):
        return x * torch.bernoulli(torch.full((len(x), 1, 1, 1), 0.5)) if self.training else x


def conv(**settings):
    return nn.Conv2d(4, 4, 3, padding=1, **settings)


def layers(**more):
    return {"c": conv(), "b": norm(), "fc": nn.Linear(4, 3)} | more


def images(count=EXAMPLES):
    return torch.randn(count, 4, 5, 5, generator=torch.Generator().manual_seed(1))


def reasons(artifact):
    return {r.kind: r.layer for r in wb.evaluate(artifact, timed=False).reasons}


# The module, and the norms that stay unchanged.
NORMED = {
    "one": (lambda: Net(lambda m, x: ended(m, m.b(m.c(x))), **layers()), ()),
    "dropout before it": (
        lambda: Net(lambda m, x: ended(m, m.b(m.d(m.c(x)))), **layers(d=nn.Dropout(0.5))), ()
    ),
    "stochastic depth before it": (
        lambda: Net(lambda m, x: ended(m, m.b(x + m.d(m.c(x)))), **layers(d=Noisy())), ()
    ),
    "other outputs in training mode": (
        lambda: Net(lambda m, x: ended(m, m.b(m.d(m.c(x)))), **layers(d=Modal())), ()
    ),
    "functional dropout": (
        lambda: Net(
            lambda m, x: ended(m, m.b(functional.dropout(m.c(x), 0.5, m.training))), **layers()
        ),
        (),
    ),
    "used twice": (lambda: Net(lambda m, x: ended(m, m.b(m.c(m.b(x)))), **layers()), ()),
    "never used": (
        lambda: Net(lambda m, x: ended(m, m.b(m.c(x))), **layers(idle=norm())), ("idle",)
    ),
    "without momentum": (
        lambda: Net(lambda m, x: ended(m, m.b(m.c(x))), **layers(b=norm(momentum=None))), ()
    ),
    "without weights": (
        lambda: Net(lambda m, x: ended(m, m.b(m.c(x))), **layers(b=norm(affine=False))), ()
    ),
    "with a group norm": (
        lambda: Net(lambda m, x: ended(m, m.g(m.b(m.c(x)))), **layers(g=nn.GroupNorm(2, 4))), ()
    ),
    "with an instance norm with statistics": (
        lambda: Net(
            lambda m, x: ended(m, m.b(m.i(m.c(x)))),
            **layers(i=nn.InstanceNorm2d(4, track_running_stats=True)),
        ),
        (),
    ),
    "synchronized": (
        lambda: Net(lambda m, x: ended(m, m.b(m.c(x))), **layers(b=nn.SyncBatchNorm(4))), ()
    ),
    "keyword argument": (
        lambda: Net(lambda m, x: ended(m, m.b(input=m.c(x))), **layers()), ()
    ),
    "view after the layer": (
        lambda: Net(
            lambda m, x: m.fc(functional.relu(m.b(m.c(x).view(len(x), 4, -1))).mean(2)),
            **layers(b=nn.BatchNorm1d(4)),
        ),
        (),
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("kind", NORMED)
def test_only_batch_norm_is_in_training_mode_during_recalibration(kind):
    make, unchanged = NORMED[kind]
    torch.manual_seed(0)
    module, inputs = make().eval(), images()
    before = copy.deepcopy(module.state_dict())
    artifact = wb.compress(make_model(module, inputs, kind), RECALIBRATE)
    weights = artifact.weights()
    other = copy.deepcopy(module)
    other.load_state_dict(weights, strict=True)
    norms = {
        n: m for n, m in other.named_modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)
    }
    for norm_layer in norms.values():
        norm_layer.reset_running_stats()
        norm_layer.momentum = None  # the mean over all runs
        norm_layer.train()
    with torch.no_grad():
        other(inputs)
    for path, norm_layer in norms.items():
        for name in ("running_mean", "running_var"):
            measured = getattr(norm_layer, name)
            expected = before[f"{path}.{name}"] if path in unchanged else measured
            torch.testing.assert_close(weights[f"{path}.{name}"], expected, rtol=1e-4, atol=1e-5)
    for name, tensor in before.items():
        assert torch.equal(tensor, module.state_dict()[name])
        if "running" in name and name.rpartition(".")[0] not in norms:
            assert torch.equal(tensor, weights[name])
    assert reasons(artifact).get("norms_as_they_were", "") == ", ".join(unchanged)


@pytest.mark.parametrize(("count", "unchanged"), [(1, "1"), (2, ""), (257, "")])
def test_a_norm_with_one_value_per_channel_stays_unchanged(count, unchanged):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4), nn.Linear(4, 3)).eval()
    inputs = torch.randn(count, 6)
    labels = torch.arange(len(inputs)) % 3
    data = {
        "train": (inputs, labels),
        **dict.fromkeys(("validation", "test"), (inputs[:1], labels[:1])),
    }
    artifact = wb.compress(wb.from_module(module, **data, name=f"of-{count}"), RECALIBRATE)
    assert reasons(artifact).get("norms_as_they_were", "") == unchanged
    if not unchanged:
        weights = artifact.weights()
        outputs = functional.linear(inputs, weights["0.weight"], weights["0.bias"])
        parts = outputs.chunk(-(-count // 256))
        variance = torch.stack([part.var(dim=0) for part in parts]).mean(dim=0)
        torch.testing.assert_close(weights["1.running_var"], variance)


class Activated(nn.Linear):
    """Does more than adding its bias."""

    def forward(self, x):
        return super().forward(x).tanh()


def tied_bias():
    module = Net(lambda m, x: m.fc(m.a(x).relu() + m.b(x)), a=nn.Linear(6, 4), b=nn.Linear(6, 4),
                 fc=nn.Linear(4, 3))  # fmt: skip
    module.b.bias = module.a.bias
    return module


def hooked():
    layer = nn.Linear(6, 4)
    layer.register_forward_hook(doubled)
    return nn.Sequential(layer, nn.Linear(4, 3))


def doubled(_layer, _inputs, outputs):
    return outputs * 2


def attending():
    return Net(lambda m, x: m.fc(m.a(x, x, x)[0].mean(1)), fc=nn.Linear(6, 3),
               a=nn.MultiheadAttention(6, 2, batch_first=True))  # fmt: skip


def encoder():
    layer = nn.TransformerEncoderLayer(6, 2, 8, batch_first=True, dropout=0.3)
    return Net(lambda m, x: m.fc(m.e(x).mean(1)), e=layer, fc=nn.Linear(6, 3))


# The module, the shape of an example, and the biases that stay unchanged.
BIASED = {
    "linear": (lambda: nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 3)), (6,), []),
    "linear at every position": (
        lambda: Net(lambda m, x: m.fc(m.a(x).relu().mean(1)), a=nn.Linear(6, 4),
                    fc=nn.Linear(4, 3)),
        (5, 6), [],
    ),
    "without batch norm": (
        lambda: Net(lambda m, x: ended(m, m.c(x)), c=conv(), fc=nn.Linear(4, 3)), (4, 5, 5), []
    ),
    "over signals": (
        lambda: Net(lambda m, x: ended(m, m.c(x)[..., None]), c=nn.Conv1d(4, 4, 2),
                    fc=nn.Linear(4, 3)),
        (4, 5), [],
    ),
    "over volumes": (
        lambda: Net(lambda m, x: ended(m, m.c(x).flatten(2)[..., None]), c=nn.Conv3d(4, 4, 2),
                    fc=nn.Linear(4, 3)),
        (4, 3, 3, 3), [],
    ),
    "transposed": (
        lambda: Net(lambda m, x: ended(m, m.c(x)), c=nn.ConvTranspose2d(4, 6, 2, groups=2),
                    fc=nn.Linear(6, 3)),
        (4, 5, 5), [],
    ),
    "parametrized": (
        lambda: nn.Sequential(weight_norm(nn.Linear(6, 4)), nn.ReLU(), nn.Linear(4, 3)), (6,), []
    ),
    "used twice": (
        lambda: Net(lambda m, x: m.fc(m.a(m.a(x).relu())), a=nn.Linear(6, 6), fc=nn.Linear(6, 3)),
        (6,), ["a.bias"],
    ),
    "never used": (
        lambda: Net(lambda m, x: m.fc(x), a=nn.Linear(6, 6), fc=nn.Linear(6, 3)), (6,), ["a.bias"]
    ),
    "a custom forward": (
        lambda: Net(lambda m, x: m.fc(m.a(x)), a=Activated(6, 6), fc=nn.Linear(6, 3)),
        (6,), ["a.bias"],
    ),
    "with a hook": (hooked, (6,), ["0.bias"]),
    "tied": (tied_bias, (6,), ["a.bias"]),
    "weights read by attention": (attending, (5, 6), ["a.out_proj.bias"]),
    "encoder with a fused path": (encoder, (5, 6), ["e.self_attn.out_proj.bias"]),
}  # fmt: skip


def means(module, inputs):
    """Return the mean outputs of each linear layer and convolution, by the name of its bias."""
    means, module = {}, copy.deepcopy(module)

    def observe(name, layer):
        def hook(_layer, _inputs, outputs):
            axis = -1 if isinstance(layer, nn.Linear) else 1
            means[name] = outputs.movedim(axis, 0).flatten(1).mean(1)

        return hook

    for path, layer in module.named_modules():
        if isinstance(layer, nn.Linear | nn.modules.conv._ConvNd):
            layer.register_forward_hook(observe(f"{path}.bias", layer))
    with torch.no_grad():
        module(inputs)
    return means


@pytest.mark.slow
@pytest.mark.parametrize("kind", BIASED)
def test_corrected_biases_restore_the_mean_outputs(kind):
    make, shape, unchanged = BIASED[kind]
    torch.manual_seed(0)
    module = make().eval()
    inputs = torch.randn(EXAMPLES, *shape)
    before = dict(module.named_parameters())
    artifact = wb.compress(make_model(module, inputs, kind), CORRECT)
    weights = artifact.weights()
    other = copy.deepcopy(module)
    other.load_state_dict(other.state_dict() | weights, strict=True)
    expected, actual = means(module, inputs), means(other, inputs)
    biases = [name for name in weights if name.endswith("bias")]
    changed = [name for name in biases if not torch.equal(weights[name], before[name])]
    assert changed
    assert not set(changed) & set(unchanged)
    for name in changed:
        torch.testing.assert_close(actual[name], expected[name], rtol=1e-3, atol=1e-4)
    assert reasons(artifact).get("biases_as_they_were", "") == ", ".join(unchanged)
    assert changed == [n for n in expected if n in weights and n not in unchanged]


def test_adjustments_that_are_not_finite_are_not_stored():
    """A row of zeros has no direction, so its normalized weights are 0 / 0."""
    torch.manual_seed(0)
    module = Net(
        lambda m, x: m.fc(m.b(m.c(x)).mean((2, 3)).nan_to_num()), **layers(c=weight_norm(conv()))
    ).eval()
    module.c.parametrizations.weight.original1.data[0] *= 1e-6
    sparse = wb.Prune(0.5, exclude=("fc.weight",))
    model = make_model(module, images(), "zero row")
    for adjust in (wb.Adjust("recalibrate"), wb.Adjust("keep", biases="correct")):
        artifact = wb.compress(model, wb.Recipe(prune=sparse, adjust=adjust))
        weights = artifact.weights()
        assert all(bool(tensor.isfinite().all()) for tensor in weights.values())
        for name in ("b.running_mean", "b.running_var", "c.bias"):
            assert torch.equal(weights[name], module.state_dict()[name])
        named = reasons(artifact).items()
        assert ("norms_as_they_were", "b") in named or ("biases_as_they_were", "c.bias") in named
