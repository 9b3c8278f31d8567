"""Batch norm measured again and biases corrected: only what is right, against plain PyTorch."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

import workbench as wb

EXAMPLES = 40
RECALIBRATE = wb.Recipe(quantize=wb.Quantize(4), adjust=wb.Adjust("recalibrate"))
CORRECT = wb.Recipe(quantize=wb.Quantize(3), adjust=wb.Adjust("keep", biases="correct"))


class Net(nn.Module):
    """Layers by name, and a function of them and the inputs."""

    def __init__(self, run, **layers):
        super().__init__()
        for name, layer in layers.items():
            setattr(self, name, layer)
        self.run = run

    def forward(self, x):
        return self.run(self, x)


class Modal(nn.Module):
    """Puts out something else in training mode."""

    def forward(self, x):
        return x * 3 if self.training else x


class Noisy(nn.Module):
    """Drops whole examples in training mode."""

    def forward(self, x):
        return x * torch.bernoulli(torch.full((len(x), 1, 1, 1), 0.5)) if self.training else x


def conv(**settings):
    return nn.Conv2d(4, 4, 3, padding=1, **settings)


def norm(**settings):
    return nn.BatchNorm2d(4, **settings)


def layers(**more):
    return {"c": conv(), "b": norm(), "fc": nn.Linear(4, 3)} | more


def ended(m, h):
    return m.fc(functional.relu(h).mean((-1, -2)))


def brought(module, inputs, kind):
    labels = torch.arange(len(inputs)) % 3
    data = dict.fromkeys(("train", "validation", "test"), (inputs, labels))
    return wb.from_module(module, **data, name=kind.replace(" ", "-").replace(",", ""))


def pictures(count=EXAMPLES):
    return torch.randn(count, 4, 5, 5, generator=torch.Generator().manual_seed(1))


def reasons(artifact):
    return {r.kind: r.layer for r in wb.evaluate(artifact, timed=False).reasons}


# The module, and the norms that are left as they were.
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
    "beside a group norm": (
        lambda: Net(lambda m, x: ended(m, m.g(m.b(m.c(x)))), **layers(g=nn.GroupNorm(2, 4))), ()
    ),
    "beside an instance norm with statistics": (
        lambda: Net(
            lambda m, x: ended(m, m.b(m.i(m.c(x)))),
            **layers(i=nn.InstanceNorm2d(4, track_running_stats=True)),
        ),
        (),
    ),
    "synchronised": (
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


@pytest.mark.parametrize("kind", NORMED)
def test_only_batch_norm_is_in_training_mode_while_it_is_measured(kind):
    make, left = NORMED[kind]
    torch.manual_seed(0)
    module, inputs = make().eval(), pictures()
    before = copy.deepcopy(module.state_dict())
    artifact = wb.compress(brought(module, inputs, kind), RECALIBRATE)
    found = artifact.weights()
    other = copy.deepcopy(module)
    other.load_state_dict(found, strict=True)
    norms = {
        n: m for n, m in other.named_modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)
    }
    for one in norms.values():
        one.reset_running_stats()
        one.momentum = None  # the mean over all runs
        one.train()
    with torch.no_grad():
        other(inputs)
    for path, one in norms.items():
        for name in ("running_mean", "running_var"):
            expected = before[f"{path}.{name}"] if path in left else getattr(one, name)
            torch.testing.assert_close(found[f"{path}.{name}"], expected, rtol=1e-4, atol=1e-5)
    for name, tensor in before.items():
        assert torch.equal(tensor, module.state_dict()[name])
        if "running" in name and name.rpartition(".")[0] not in norms:
            assert torch.equal(tensor, found[name])
    assert reasons(artifact).get("norms-as-they-were", "") == ", ".join(left)


@pytest.mark.parametrize(("count", "left"), [(1, "1"), (2, ""), (257, "")])
def test_a_norm_that_gets_one_value_in_each_channel_is_left_alone(count, left):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4), nn.Linear(4, 3)).eval()
    inputs = torch.randn(count, 6)
    some = torch.arange(len(inputs)) % 3
    data = {
        "train": (inputs, some),
        **dict.fromkeys(("validation", "test"), (inputs[:1], some[:1])),
    }
    artifact = wb.compress(wb.from_module(module, **data, name=f"of-{count}"), RECALIBRATE)
    assert reasons(artifact).get("norms-as-they-were", "") == left
    if not left:
        found = artifact.weights()
        seen = functional.linear(inputs, found["0.weight"], found["0.bias"]).chunk(-(-count // 256))
        variance = torch.stack([part.var(dim=0) for part in seen]).mean(dim=0)
        torch.testing.assert_close(found["1.running_var"], variance)


class Scaled(nn.Linear):
    """Does more than to add its bias."""

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


# The module, the shape of an example, and the biases that are left as they were.
BIASED = {
    "linear": (lambda: nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 3)), (6,), []),
    "linear at every place": (
        lambda: Net(lambda m, x: m.fc(m.a(x).relu().mean(1)), a=nn.Linear(6, 4),
                    fc=nn.Linear(4, 3)),
        (5, 6), [],
    ),
    "without batch norm": (
        lambda: Net(lambda m, x: ended(m, m.c(x)), c=conv(), fc=nn.Linear(4, 3)), (4, 5, 5), []
    ),
    "over lines": (
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
    "parametrised": (
        lambda: nn.Sequential(weight_norm(nn.Linear(6, 4)), nn.ReLU(), nn.Linear(4, 3)), (6,), []
    ),
    "used twice": (
        lambda: Net(lambda m, x: m.fc(m.a(m.a(x).relu())), a=nn.Linear(6, 6), fc=nn.Linear(6, 3)),
        (6,), ["a.bias"],
    ),
    "never used": (
        lambda: Net(lambda m, x: m.fc(x), a=nn.Linear(6, 6), fc=nn.Linear(6, 3)), (6,), ["a.bias"]
    ),
    "code of its own": (
        lambda: Net(lambda m, x: m.fc(m.a(x)), a=Scaled(6, 6), fc=nn.Linear(6, 3)),
        (6,), ["a.bias"],
    ),
    "hooked by its owner": (hooked, (6,), ["0.bias"]),
    "tied": (tied_bias, (6,), ["a.bias"]),
    "weights read by attention": (attending, (5, 6), ["a.out_proj.bias"]),
    "encoder with a fused path": (encoder, (5, 6), ["e.self_attn.out_proj.bias"]),
}  # fmt: skip


def means(module, inputs):
    """Return the mean output of each layer that multiplies, by the name of its bias."""
    found, module = {}, copy.deepcopy(module)

    def watch(name, layer):
        def hook(_layer, _inputs, outputs):
            axis = -1 if isinstance(layer, nn.Linear) else 1
            found[name] = outputs.movedim(axis, 0).flatten(1).mean(1)

        return hook

    for path, layer in module.named_modules():
        if isinstance(layer, nn.Linear | nn.modules.conv._ConvNd):
            layer.register_forward_hook(watch(f"{path}.bias", layer))
    with torch.no_grad():
        module(inputs)
    return found


@pytest.mark.parametrize("kind", BIASED)
def test_corrected_biases_bring_back_the_mean_outputs(kind):
    make, shape, left = BIASED[kind]
    torch.manual_seed(0)
    module = make().eval()
    inputs = torch.randn(EXAMPLES, *shape)
    before = dict(module.named_parameters())
    artifact = wb.compress(brought(module, inputs, kind), CORRECT)
    found = artifact.weights()
    other = copy.deepcopy(module)
    other.load_state_dict(other.state_dict() | found, strict=True)
    wanted, now = means(module, inputs), means(other, inputs)
    changed = [n for n in found if n.endswith("bias") and not torch.equal(found[n], before[n])]
    assert changed
    assert not set(changed) & set(left)
    for name in changed:
        torch.testing.assert_close(now[name], wanted[name], rtol=1e-3, atol=1e-4)
    assert reasons(artifact).get("biases-as-they-were", "") == ", ".join(left)
    assert changed == [n for n in wanted if n in found and n not in left]


def test_nothing_is_written_that_is_not_finite():
    """A row of zeros has no direction, so that its normalised weights are 0 / 0."""
    torch.manual_seed(0)
    module = Net(
        lambda m, x: m.fc(m.b(m.c(x)).mean((2, 3)).nan_to_num()), **layers(c=weight_norm(conv()))
    ).eval()
    module.c.parametrizations.weight.original1.data[0] *= 1e-6
    sparse = wb.Prune(0.5, exclude=("fc.weight",))
    model = brought(module, pictures(), "zero row")
    for adjust in (wb.Adjust("recalibrate"), wb.Adjust("keep", biases="correct")):
        artifact = wb.compress(model, wb.Recipe(prune=sparse, adjust=adjust))
        found = artifact.weights()
        assert all(bool(tensor.isfinite().all()) for tensor in found.values())
        for name in ("b.running_mean", "b.running_var", "c.bias"):
            assert torch.equal(found[name], module.state_dict()[name])
        named = reasons(artifact)
        assert ("norms-as-they-were", "b") in named.items() or (
            "biases-as-they-were",
            "c.bias",
        ) in named.items()
