"""Turning a file into a module with only its original module, which is unchanged."""

from __future__ import annotations

import copy
import json

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

import workbench as wb
from tests.raises import raises
from workbench.cli import main
from workbench.zoo import registry

SPLITS = ("train", "validation", "test")
COUNT = 40


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.depthwise = nn.Conv2d(8, 8, 3, groups=8)
        self.groups = nn.GroupNorm(8, 8)
        self.up = nn.ConvTranspose2d(8, 8, 2)
        self.fc = nn.Linear(8, 4)
        self.register_buffer("scale", torch.tensor(0.5), persistent=False)

    def forward(self, x):
        x = self.norm(self.c1(x)).relu()
        x = self.up(self.groups(self.depthwise(x)).relu()).relu()
        return self.fc(x.mean((2, 3))) * self.scale


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(20, 8)
        self.out = nn.Linear(8, 20, bias=False)
        self.out.weight = self.emb.weight

    def forward(self, x):
        return self.out(self.emb(x))


def normed():
    return nn.Sequential(nn.Flatten(), weight_norm(nn.Linear(108, 6)), nn.ReLU(), nn.Linear(6, 4))


def images():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(COUNT, 3, 6, 6, generator=generator), torch.arange(COUNT) % 4


def symbols():
    inputs = torch.randint(0, 20, (COUNT, 5), generator=torch.Generator().manual_seed(0))
    return inputs, inputs


NETWORKS = {"convolutions": (Net, images), "tied": (Tied, symbols), "normed": (normed, images)}
RECIPES = {
    "unchanged": wb.Recipe(),
    "pruned and quantized": wb.Recipe(prune=wb.Prune(0.5), quantize=wb.Quantize(4)),
    "folded": wb.Recipe(adjust=wb.Adjust("fold")),
    "integers": wb.Recipe(quantize=wb.Quantize(8), activations=wb.Activations(8)),
    "narrow": wb.Recipe(structure=wb.Structure(0.4)),
    "everything": wb.Recipe(
        structure=wb.Structure(0.4),
        adjust=wb.Adjust("fold"),
        quantize=wb.Quantize(8),
        activations=wb.Activations(8),
    ),
    "trained": wb.Recipe(train=wb.Train(1)),
}


def module_of(network, seed=0):
    torch.manual_seed(seed)
    module = NETWORKS[network][0]()
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_()
    return module


def make_model(network):
    data = NETWORKS[network][1]()
    return wb.from_module(module_of(network), **dict.fromkeys(SPLITS, data), name="net")


@pytest.fixture
def forget(monkeypatch):
    """Return a function that removes all registered user models."""
    return lambda: monkeypatch.setattr(registry, "_user_models", registry.UserModels())


def outputs(module, network):
    with torch.no_grad():
        return module(NETWORKS[network][1]()[0])


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("network", NETWORKS)
def test_a_file_and_its_module_give_the_outputs_of_the_model(network, recipe, tmp_path, forget):
    artifact = wb.compress(make_model(network), RECIPES[recipe])
    expected = outputs(wb.to_module(artifact), network)
    path = artifact.save(tmp_path / "net.safetensors")
    forget()
    module = module_of(network, seed=5)
    before = copy.deepcopy(module.state_dict())
    restored = wb.to_module(path, module=module)
    assert not restored.training
    assert torch.equal(outputs(restored, network), expected)
    assert module.training
    assert all(torch.equal(module.state_dict()[name], tensor) for name, tensor in before.items())
    assert {p.data_ptr() for p in restored.parameters()}.isdisjoint(
        p.data_ptr() for p in module.parameters()
    )


@pytest.mark.slow
@pytest.mark.parametrize("wrap", [nn.DataParallel, torch.compile])
def test_wrappers_of_the_module_are_removed(wrap, forget):
    artifact = wb.compress(make_model("convolutions"), RECIPES["pruned and quantized"])
    expected = outputs(wb.to_module(artifact), "convolutions")
    forget()
    restored = wb.to_module(artifact, module=wrap(module_of("convolutions", seed=5)))
    assert isinstance(restored, Net)
    assert torch.equal(outputs(restored, "convolutions"), expected)


def test_layers_have_the_sizes_of_the_file(forget):
    artifact = wb.compress(make_model("convolutions"), RECIPES["narrow"])
    forget()
    net = wb.to_module(artifact, module=Net())
    depthwise = net.depthwise
    assert depthwise.groups == depthwise.in_channels == len(depthwise.weight) < 8
    assert net.up.out_channels == net.up.weight.shape[1] == net.fc.in_features
    assert net.groups.num_channels == len(net.groups.weight)


def test_a_built_in_model_of_another_width(forget):
    recipe = wb.Recipe(train=wb.Train(1, start="scratch", width=0.5))
    artifact = wb.compress(wb.model("fashion/mlp-32"), recipe)
    expected = wb.to_module(artifact)
    restored = wb.to_module(artifact, module=copy.deepcopy(expected))
    assert torch.equal(restored.state_dict()["fc1.weight"], expected.state_dict()["fc1.weight"])


def test_a_compressed_checkpoint_and_its_module(tmp_path):
    module = module_of("convolutions")
    save_file(module.state_dict(), tmp_path / "net.safetensors")
    recipe = wb.Recipe(quantize=wb.Quantize(8))
    wb.compress_file(tmp_path / "net.safetensors", recipe, tmp_path / "small")
    restored = wb.to_module(tmp_path / "small", module=Net())
    expected = copy.deepcopy(module).eval()
    expected.load_state_dict(wb.load(tmp_path / "small").weights())
    assert torch.equal(outputs(restored, "convolutions"), outputs(expected, "convolutions"))


class More(Net):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(4, 4)


class Wide(Net):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(3, 9, 3, bias=False)


def on_meta():
    with torch.device("meta"):
        return Net()


REFUSED = {
    "more layers": (
        More,
        "unchanged",
        "artifact.wrong_module",
        "head.weight, head.bias are missing",
    ),
    "fewer layers": (
        lambda: nn.Linear(3, 2),
        "unchanged",
        "artifact.wrong_module",
        "weight, bias are missing",
        "c1.weight",
        "are not in the module",
    ),
    "another width": (
        Wide,
        "unchanged",
        "artifact.wrong_module",
        "c1.weight has another shape",
        "(8, 3, 3, 3)",
        "(9, 3, 3, 3)",
    ),
    "another type of layer": (
        lambda: nn.Sequential(nn.Linear(2, 2)),
        "folded",
        "artifact.unknown_layer",
        "'c1'",
    ),
    "no values": (on_meta, "unchanged", "module.no_values", "scale"),
    "no module": (lambda: "net", "unchanged", "module.invalid_type", "torch.nn.Module", "'net'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_module_that_does_not_fit_is_refused(case):
    make, recipe, code, *facts = REFUSED[case]
    artifact = wb.compress(make_model("convolutions"), RECIPES[recipe])
    with raises(code, *facts) as caught:
        wb.to_module(artifact, module=make())
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_other_values_are_refused(tmp_path):
    with raises("file.missing", tmp_path / "none"):
        wb.to_module(tmp_path / "none", module=Net())
    with raises("artifact.invalid_type", "7"):
        wb.to_module(7)


# --- the command line ----------------------------------------------------------------------------

CODE = """
from torch import nn

def network():
    return nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3))

def fails():
    raise ValueError("no such layer")

instance = network()
"""


@pytest.fixture
def folder(tmp_path, monkeypatch, request):
    """Write a compressed file and the code of its module; return the name of the code."""
    name = f"nets_{abs(hash(request.node.name))}"
    (tmp_path / f"{name}.py").write_text(CODE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3))
    data = torch.randn(COUNT, 6), torch.arange(COUNT) % 3
    model = wb.from_module(module, **dict.fromkeys(SPLITS, data), name="net")
    wb.compress(model, RECIPES["pruned and quantized"]).save("small.safetensors")
    return name


@pytest.mark.parametrize("attribute", ["network", "instance"])
def test_the_command_writes_the_weights(attribute, folder, forget, capsys, tmp_path):
    forget()
    options = ["--module", f"{folder}:{attribute}", "--output", "weights.safetensors", "--json"]
    assert main(["to-module", "small.safetensors", *options]) == 0
    path = tmp_path / "weights.safetensors"
    result = json.loads(capsys.readouterr().out)
    assert result == {"file": "weights.safetensors", "bytes": path.stat().st_size}
    module = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3))
    module.load_state_dict(load_file(path), strict=True)
    decoded = wb.load(tmp_path / "small.safetensors").weights()
    assert all(torch.equal(tensor, decoded[name]) for name, tensor in module.state_dict().items())


def test_the_command_needs_no_module_for_a_built_in_model(tmp_path, capsys):
    wb.compress(wb.model("fashion/mlp-32"), wb.Recipe()).save(tmp_path / "small")
    assert main(["to-module", str(tmp_path / "small"), "--output", str(tmp_path / "out")]) == 0
    assert set(load_file(tmp_path / "out")) == set(wb.model("fashion/mlp-32").weights())
    assert capsys.readouterr().err == ""


CALLS = {
    "no callable": ("network", "package.module:callable"),
    "no such package": ("nowhere:network", "ModuleNotFoundError: No module named"),
    "no such function": ("{}:other", ":network"),
    "a function that fails": ("{}:fails", "ValueError: no such layer"),
    "a function that returns another type": ("{}:nn.ReLU.__name__.lower", "torch.nn.Module"),
}


@pytest.mark.parametrize("case", CALLS)
def test_an_invalid_module_option_is_reported_in_one_line(case, folder, capsys):
    text, fact = CALLS[case]
    options = ["--module", text.format(folder), "--output", "weights.safetensors"]
    assert main(["to-module", "small.safetensors", *options]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert fact in printed.err


def test_the_command_does_not_overwrite_the_file(folder, capsys, tmp_path):
    before = (tmp_path / "small.safetensors").read_bytes()
    options = ["--module", f"{folder}:network", "--output", "small.safetensors"]
    assert main(["to-module", "small.safetensors", *options]) == 2
    assert "small.safetensors" in capsys.readouterr().err
    assert (tmp_path / "small.safetensors").read_bytes() == before


def test_the_file_of_a_model_that_is_not_registered(folder, forget):
    forget()
    with raises("model.not_registered", "custom/net", "wb.to_module(file, module)") as caught:
        wb.to_module("small.safetensors")
    assert "--module" not in str(caught.value)
