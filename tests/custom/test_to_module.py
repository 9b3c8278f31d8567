"""A file needs its module alone: no data, no name, and the module stays as it was."""

from __future__ import annotations

import copy
import json

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

import workbench as wb
from workbench.cli import main
from workbench.zoo import registry

SPLITS = ("train", "validation", "test")
COUNT = 40


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.each = nn.Conv2d(8, 8, 3, groups=8)
        self.groups = nn.GroupNorm(8, 8)
        self.up = nn.ConvTranspose2d(8, 8, 2)
        self.fc = nn.Linear(8, 4)
        self.register_buffer("scale", torch.tensor(0.5), persistent=False)

    def forward(self, x):
        x = self.norm(self.c1(x)).relu()
        x = self.up(self.groups(self.each(x)).relu()).relu()
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


def pictures():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(COUNT, 3, 6, 6, generator=generator), torch.arange(COUNT) % 4


def symbols():
    found = torch.randint(0, 20, (COUNT, 5), generator=torch.Generator().manual_seed(0))
    return found, found


NETWORKS = {"convolutions": (Net, pictures), "tied": (Tied, symbols), "normed": (normed, pictures)}
RECIPES = {
    "as it is": wb.Recipe(),
    "sparse and coarse": wb.Recipe(prune=wb.Prune(0.5), quantize=wb.Quantize(4)),
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


def brought(network):
    data = NETWORKS[network][1]()
    return wb.from_module(module_of(network), **dict.fromkeys(SPLITS, data), name="net")


@pytest.fixture
def forget(monkeypatch):
    """Return what makes this process one that never heard of a model."""
    return lambda: monkeypatch.setattr(registry, "_user_models", registry.UserModels())


def outputs(module, network):
    with torch.no_grad():
        return module(NETWORKS[network][1]()[0])


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("network", NETWORKS)
def test_a_file_and_its_module_give_what_the_model_gives(network, recipe, tmp_path, forget):
    artifact = wb.compress(brought(network), RECIPES[recipe])
    right = outputs(wb.to_module(artifact), network)
    path = artifact.save(tmp_path / "net.safetensors")
    forget()
    module = module_of(network, seed=5)
    before = copy.deepcopy(module.state_dict())
    found = wb.to_module(path, module=module)
    assert not found.training
    assert torch.equal(outputs(found, network), right)
    assert module.training
    assert all(torch.equal(module.state_dict()[name], one) for name, one in before.items())
    assert {p.data_ptr() for p in found.parameters()}.isdisjoint(
        p.data_ptr() for p in module.parameters()
    )


@pytest.mark.parametrize("wrap", [nn.DataParallel, torch.compile])
def test_wrappers_of_the_module_are_taken_off(wrap, forget):
    artifact = wb.compress(brought("convolutions"), RECIPES["sparse and coarse"])
    right = outputs(wb.to_module(artifact), "convolutions")
    forget()
    found = wb.to_module(artifact, module=wrap(module_of("convolutions", seed=5)))
    assert isinstance(found, Net)
    assert torch.equal(outputs(found, "convolutions"), right)


def test_sizes_of_layers_are_those_of_the_file(forget):
    artifact = wb.compress(brought("convolutions"), RECIPES["narrow"])
    forget()
    found = wb.to_module(artifact, module=Net())
    assert found.each.groups == found.each.in_channels == len(found.each.weight) < 8
    assert found.up.out_channels == found.up.weight.shape[1] == found.fc.in_features
    assert found.groups.num_channels == len(found.groups.weight)


def test_a_built_in_model_of_another_width(forget):
    recipe = wb.Recipe(train=wb.Train(1, start="scratch", width=0.5))
    artifact = wb.compress(wb.model("fashion/mlp-32"), recipe)
    right = wb.to_module(artifact)
    found = wb.to_module(artifact, module=copy.deepcopy(right))
    assert torch.equal(found.state_dict()["fc1.weight"], right.state_dict()["fc1.weight"])


def test_a_compressed_file_of_tensors_and_its_module(tmp_path):
    module = module_of("convolutions")
    save_file(module.state_dict(), tmp_path / "net.safetensors")
    recipe = wb.Recipe(quantize=wb.Quantize(8))
    wb.compress_file(tmp_path / "net.safetensors", recipe, tmp_path / "small")
    found = wb.to_module(tmp_path / "small", module=Net())
    right = copy.deepcopy(module).eval()
    right.load_state_dict(wb.load(tmp_path / "small").weights())
    assert torch.equal(outputs(found, "convolutions"), outputs(right, "convolutions"))


class More(Net):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(4, 4)


class Wide(Net):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(3, 9, 3, bias=False)


def hollow():
    with torch.device("meta"):
        return Net()


REFUSED = {
    "more layers": (More, "as it is", r"head\.weight, head\.bias are missing\. Give the network"),
    "fewer layers": (
        lambda: nn.Linear(3, 2),
        "as it is",
        r"weight, bias are missing, and .*c1\.weight.* are not in the module",
    ),
    "another width": (
        Wide,
        "as it is",
        r"c1\.weight has another shape, such as \(8, 3, 3, 3\) where the module has \(9, 3, 3, 3\)",
    ),
    "another kind of layer": (
        lambda: nn.Sequential(nn.Linear(2, 2)),
        "folded",
        "The file changes the layer 'c1', which its model does not have",
    ),
    "no values": (hollow, "as it is", "has no values for scale"),
    "no module": (lambda: "net", "as it is", "module must be a torch.nn.Module, not 'net'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_module_that_does_not_fit_is_one_sentence(case):
    make, recipe, words = REFUSED[case]
    artifact = wb.compress(brought("convolutions"), RECIPES[recipe])
    with pytest.raises(wb.WorkbenchError, match=words) as caught:
        wb.to_module(artifact, module=make())
    assert "\n" not in str(caught.value)


def test_no_file_is_one_sentence(tmp_path):
    with pytest.raises(wb.WorkbenchError, match="Cannot read"):
        wb.to_module(tmp_path / "none", module=Net())
    with pytest.raises(wb.WorkbenchError, match="Give a file's path or what"):
        wb.to_module(7)


# --- the console ---------------------------------------------------------------------------------

CODE = """
from torch import nn

def network():
    return nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3))

def fails():
    raise ValueError("no such layer")

ready = network()
"""


@pytest.fixture
def folder(tmp_path, monkeypatch, request):
    """A folder with a file, and the code of its module under a name of its own."""
    name = f"nets_{abs(hash(request.node.name))}"
    (tmp_path / f"{name}.py").write_text(CODE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3))
    data = torch.randn(COUNT, 6), torch.arange(COUNT) % 3
    model = wb.from_module(module, **dict.fromkeys(SPLITS, data), name="net")
    wb.compress(model, RECIPES["sparse and coarse"]).save("small.safetensors")
    return name


@pytest.mark.parametrize("attribute", ["network", "ready"])
def test_the_console_writes_the_weights(attribute, folder, forget, capsys, tmp_path):
    forget()
    asked = ["--module", f"{folder}:{attribute}", "--output", "weights.safetensors", "--json"]
    assert main(["rebuild", "small.safetensors", *asked]) == 0
    path = tmp_path / "weights.safetensors"
    said = json.loads(capsys.readouterr().out)
    assert said == {"file": "weights.safetensors", "bytes": path.stat().st_size}
    module = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3))
    module.load_state_dict(load_file(path), strict=True)
    decoded = wb.load(tmp_path / "small.safetensors").weights()
    assert all(torch.equal(one, decoded[name]) for name, one in module.state_dict().items())


def test_the_console_needs_no_module_for_a_built_in_model(tmp_path, capsys):
    wb.compress(wb.model("fashion/mlp-32"), wb.Recipe()).save(tmp_path / "small")
    assert main(["rebuild", str(tmp_path / "small"), "--output", str(tmp_path / "out")]) == 0
    assert set(load_file(tmp_path / "out")) == set(wb.model("fashion/mlp-32").weights())
    assert capsys.readouterr().err == ""


CALLS = {
    "no callable": ("network", "give package.module:callable"),
    "no such package": ("nowhere:network", "fails with ModuleNotFoundError: No module named"),
    "no such function": ("{}:other", "fails with AttributeError"),
    "one that fails": ("{}:fails", "fails with ValueError: no such layer"),
    "one that returns something else": ("{}:nn.ReLU.__name__.lower", "must be a torch.nn.Module"),
}


@pytest.mark.parametrize("case", CALLS)
def test_what_the_console_cannot_make_is_one_line(case, folder, capsys):
    text, words = CALLS[case]
    asked = ["--module", text.format(folder), "--output", "weights.safetensors"]
    assert main(["rebuild", "small.safetensors", *asked]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert words in said.err


def test_the_console_does_not_overwrite_the_file(folder, capsys):
    asked = ["--module", f"{folder}:network", "--output", "small.safetensors"]
    assert main(["rebuild", "small.safetensors", *asked]) == 2
    assert "name another for the output" in capsys.readouterr().err
