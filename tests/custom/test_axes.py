"""Modules whose weights do not have their outputs in the first dimension.

Every number must equal that of a twin: the same network of linear layers and convolutions, with
transposed weights.
"""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

import workbench as wb
from workbench.artifact.artifact import Artifact
from workbench.compression.coded import Codes
from workbench.zoo import registry

EXAMPLES = 120


class Conv1D(nn.Module):
    """The layer of GPT-2 in transformers."""

    def __init__(self, outputs: int, inputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(inputs, outputs) * 0.3)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        flat = torch.addmm(self.bias, x.view(-1, x.shape[-1]), self.weight)
        return flat.view(*x.shape[:-1], -1)


class Kernel(nn.Module):
    """A convolution with a kernel of Keras, [height, width, inputs, outputs]."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(3, 3, inputs, outputs) * 0.3)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        return functional.conv2d(x, self.kernel.permute(3, 2, 0, 1), self.bias)


class Matrices(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = Conv1D(12, 8), Conv1D(3, 12)

    def forward(self, x):
        return self.b(functional.relu(self.a(x)))


class Kernels(Matrices):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = Kernel(2, 6), Conv1D(3, 6)

    def forward(self, x):
        return self.b(functional.relu(self.a(x.view(-1, 2, 5, 5))).mean((2, 3)))


class Twin(nn.Module):
    def __init__(self, first: nn.Module, last: nn.Module) -> None:
        super().__init__()
        self.a, self.b = first, last


class Linears(Twin):
    forward = Matrices.forward


class Convolutions(Twin):
    forward = Kernels.forward


def make_model(module: nn.Module, data, name: str):
    return wb.from_module(module, train=data, validation=data, test=data, name=name)


def transposed(name: str, tensor: torch.Tensor) -> tuple[str, torch.Tensor]:
    """Return the name and values of a tensor in the twin."""
    if name.endswith("kernel"):
        return name.replace("kernel", "weight"), tensor.permute(3, 2, 0, 1)
    return name, tensor.T if tensor.ndim == 2 else tensor


@pytest.fixture(
    scope="module",
    params=[
        (Matrices, lambda: Linears(nn.Linear(8, 12), nn.Linear(12, 3)), (8,)),
        (Kernels, lambda: Convolutions(nn.Conv2d(2, 6, 3), nn.Linear(6, 3)), (50,)),
    ],
    ids=["GPT-2", "Keras"],
)
def pair(request):
    kind, twin, shape = request.param
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module, other = kind().eval(), twin().eval()
        inputs = torch.randn(EXAMPLES, *shape)
    other.load_state_dict(dict(transposed(*item) for item in module.state_dict().items()))
    data = inputs, module(inputs).argmax(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "_user_models", registry.UserModels())
        patch.setenv("WORKBENCH_STORE", "")
        model = make_model(module, data, kind.__name__)
        return module, data, model, make_model(other, data, f"{kind.__name__}-twin")


@pytest.fixture
def both(pair):
    """Return the pair, registered in this test, too."""
    registry.register_model(pair[2])
    return pair


RECIPES = {
    "channels": wb.Recipe(quantize=wb.Quantize(4)),
    "groups": wb.Recipe(
        quantize=wb.Quantize(2, scheme="affine", granularity="group", group_size=8)
    ),
    "runs": wb.Recipe(wb.Prune(0.5, pattern="n_m", width=4), wb.Quantize(8)),
    "blocks": wb.Recipe(wb.Prune(0.5, pattern="block", width=2)),
    "gradient": wb.Recipe(wb.Prune(0.5, criterion="gradient")),
    "codebooks": wb.Recipe(share=wb.Share(4, granularity="channel")),
    "low rank": wb.Recipe(factorize=wb.Factorize(0.5)),
}
CALIBRATED = {
    "compensated": wb.Recipe(quantize=wb.Quantize(3, rounding="compensated")),
    "curvature": wb.Recipe(wb.Prune(0.5, criterion="curvature", pattern="n_m", width=4)),
    "outputs": wb.Recipe(factorize=wb.Factorize(0.5, aim="outputs")),
}


def check_same_result(both, recipe: wb.Recipe) -> None:
    module, (inputs, targets), model, twin = both
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    artifact = wb.compress(model, recipe)
    expected = wb.compress(twin, recipe).weights()
    actual = dict(transposed(*item) for item in artifact.weights().items())
    assert all(torch.equal(actual[name], expected[name]) for name in expected)
    read = Artifact.from_bytes(artifact.to_bytes())
    assert all(torch.equal(t, read.weights()[n]) for n, t in artifact.weights().items())
    correct = int((wb.to_module(read)(inputs).argmax(1) == targets).sum())
    report = wb.measure(model, recipe, timed=False)
    assert report.accuracy == correct / EXAMPLES
    assert report.bytes == len(artifact.to_bytes())
    assert report.sparsity_achieved == wb.measure(twin, recipe, timed=False).sparsity_achieved
    assert all(torch.equal(tensor, before[n]) for n, tensor in module.state_dict().items())


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_a_file_equals_that_of_the_twin(both, recipe) -> None:
    check_same_result(both, recipe)


@pytest.mark.parametrize("recipe", CALIBRATED.values(), ids=CALIBRATED)
def test_calibrated_recipes_observe_the_inputs_of_matrix_products(both, recipe) -> None:
    """A convolution with a kernel of Keras has no input covariance, as documented."""
    name = "b.weight"
    expected = wb.compress(both[3], recipe).weights()[name]
    assert torch.equal(wb.compress(both[2], recipe).weights()[name].T, expected)
    if "a.weight" in both[2].layers:
        check_same_result(both, recipe)


@pytest.mark.parametrize("rounding", ["straight_through", "learned"])
def test_trained_weights_are_quantized_per_output(both, rounding) -> None:
    module, data, model, _twin = both
    recipe = wb.Recipe(
        wb.Prune(0.5, pattern="n_m", width=4),
        wb.Quantize(3),
        train=wb.Train(steps=2, batch=32, threads=1, rounding=rounding),
    )
    artifact = wb.compress(model, recipe)
    for name in model.layers:
        coded = artifact.tensors[name]
        assert isinstance(coded, Codes)
        _name, tensor = transposed(name, coded.tensor())
        rows = tensor.flatten(1)
        assert coded.rows == len(rows)
        counts = rows / torch.from_numpy(coded.scale).unsqueeze(1)
        torch.testing.assert_close(counts, counts.round(), rtol=0, atol=1e-4)
        assert float(counts.abs().max()) <= 3.001
        matrix = tensor.movedim(1, -1).flatten(1)
        runs = matrix[:, : matrix.shape[1] // 4 * 4].unflatten(1, (-1, 4))
        assert int((runs != 0).sum(-1).max()) <= 2
        assert not torch.equal(coded.tensor(), dict(module.state_dict())[name])
    correct = int((wb.to_module(artifact)(data[0]).argmax(1) == data[1]).sum())
    assert wb.measure(model, recipe, timed=False).accuracy == correct / EXAMPLES


def test_reasons_refer_to_the_rows_of_the_encoding() -> None:
    """Three inputs are too few for runs of four, although there are twelve outputs."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = nn.Sequential(Conv1D(12, 3)).eval()
        inputs = torch.randn(EXAMPLES, 3)
    model = make_model(module, (inputs, module(inputs).argmax(1)), "few-inputs")
    recipe = wb.Recipe(wb.Prune(0.5, pattern="n_m", width=4))
    reasons = {r.kind: r for r in wb.measure(model, recipe, timed=False).reasons}
    assert reasons["short_runs"].numbers["length"] == 3


class Parallel(nn.Module):
    """A linear layer parallel to a matrix, whose outputs are the same channels."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.fc, self.out = nn.Linear(inputs, outputs), nn.Linear(outputs, 3)
        self.w = nn.Parameter(torch.randn(inputs, outputs) * 0.3)

    def forward(self, x):
        return self.out(functional.relu(self.fc(x) + x @ self.w))


@pytest.mark.parametrize("outputs", [8, 12])
@pytest.mark.parametrize(
    "recipe",
    [
        wb.Recipe(structure=wb.Structure(0.5, criterion="curvature")),
        wb.Recipe(structure=wb.Structure(0.5), quantize=wb.Quantize(3, rounding="compensated")),
    ],
    ids=["curvature", "compensated"],
)
def test_output_channels_of_a_matrix_are_removed(outputs, recipe) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = Parallel(8, outputs).eval()
        inputs = torch.randn(EXAMPLES, 8)
    targets = module(inputs).argmax(1)
    model = make_model(module, (inputs, targets), "parallel")
    artifact = wb.compress(model, recipe)
    weights = artifact.weights()
    assert weights["w"].shape == (8, outputs // 2)
    assert weights["fc.weight"].shape == (outputs // 2, 8)
    if recipe.quantize is None:  # the remaining columns of the matrix are unchanged
        original = module.w.detach()
        assert all(bool((original == column[:, None]).all(0).any()) for column in weights["w"].T)
    correct = int((wb.to_module(artifact)(inputs).argmax(1) == targets).sum())
    assert wb.measure(model, recipe, timed=False).accuracy == correct / EXAMPLES


def test_grouped_transposed_convolutions_in_a_file() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        up = nn.ConvTranspose2d(4, 6, 3, groups=2)
        module = nn.Sequential(up, nn.ReLU(), nn.Flatten(), nn.Linear(6 * 25, 3)).eval()
        inputs = torch.randn(EXAMPLES, 4, 3, 3)
    model = make_model(module, (inputs, module(inputs).argmax(1)), "up")
    recipe = wb.Recipe(wb.Prune(0.5, pattern="n_m", width=2), wb.Quantize(4))
    artifact = wb.compress(model, recipe)
    coded = artifact.tensors["0.weight"].tensor()
    for channel in range(6):
        group, number = divmod(channel, 3)
        index = slice(2 * group, 2 * group + 2), number
        weight = up.weight.detach()[index]
        pruned = weight * (weight.abs() >= weight.abs().flip(0))  # one of two inputs remains
        scale = pruned.abs().max() / 7
        expected = (pruned * scale.reciprocal()).round().clamp(-7, 7) * scale
        assert torch.equal(coded[index], expected + 0.0)
    correct = int((wb.to_module(artifact)(inputs).argmax(1) == module(inputs).argmax(1)).sum())
    assert wb.measure(model, recipe, timed=False).accuracy == correct / EXAMPLES
