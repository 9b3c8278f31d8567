"""The networks for words, characters and frames have the properties that evaluation relies on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

LENGTHS = (9, 20, 1, 29)


def sentences(generator: torch.Generator) -> Tensor:
    return torch.randint(1, 8_000, (4, 29), generator=generator)


def characters(generator: torch.Generator) -> Tensor:
    return torch.randint(0, 84, (4, 29), generator=generator)


def recordings(generator: torch.Generator) -> Tensor:
    return torch.randn(4, 29, 12, generator=generator)


@dataclass(frozen=True)
class Case:
    name: str
    parameters: int
    random: Callable[[torch.Generator], Tensor]
    outputs: tuple[int, ...]

    @property
    def module(self) -> ModuleType:
        return import_module(f"workbench.zoo.{self.name}")

    def network(self, **options: float) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return self.module.build(**options).eval()

    def inputs(self) -> Tensor:
        """Return four examples. Words and recordings have the lengths above."""
        x = self.random(torch.Generator().manual_seed(1))
        if self.random is not characters:
            for row, length in zip(x, LENGTHS, strict=True):
                row[length:] = 0
        return x


CASES = (
    Case("reviews.bag", 512_130, sentences, (4, 2)),
    Case("reviews.gru", 562_178, sentences, (4, 2)),
    Case("reviews.transformer", 620_418, sentences, (4, 2)),
    Case("reviews_lm.gpt", 638_592, characters, (4, 29, 84)),
    Case("vowels.cnn", 26_505, recordings, (4, 9)),
    Case("vowels.gru", 31_113, recordings, (4, 9)),
)
ALL = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
PADDED = pytest.mark.parametrize(
    "case", [case for case in CASES if case.random is not characters], ids=lambda case: case.name
)


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@ALL
@torch.no_grad()
def test_size_and_outputs(case: Case) -> None:
    network = case.network()
    assert count(network) == case.parameters
    assert f"{case.parameters:,}" in type(network).__doc__
    outputs = network(case.inputs())
    assert outputs.shape == case.outputs
    assert outputs.isfinite().all()
    assert outputs.std() > 0


@ALL
@pytest.mark.parametrize(
    ("dtype", "tolerance"),
    [(torch.float32, 1e-5), (torch.float64, 1e-4), (torch.bfloat16, 0.1)],
    ids=str,
)
def test_meta_module_runs_on_weights_of_any_dtype(
    case: Case, dtype: torch.dtype, tolerance: float
) -> None:
    network, x = case.network(), case.inputs()
    with torch.device("meta"):
        shell = case.module.build().eval()
    assert [*shell.state_dict()] == [name for name, _ in network.named_parameters()]
    weights = {name: tensor.detach().to(dtype) for name, tensor in network.state_dict().items()}
    with torch.inference_mode():
        outputs = functional_call(shell, weights, (x,), strict=True)
        assert outputs.dtype == dtype
        assert torch.allclose(outputs.float(), network(x), atol=tolerance)
    assert all(tensor.is_meta for tensor in shell.state_dict().values())


@ALL
@torch.no_grad()
def test_examples_are_independent(case: Case) -> None:
    network, x = case.network().double(), case.inputs()
    for place, outputs in enumerate(network(x)):
        assert torch.allclose(network(x[place : place + 1])[0], outputs, atol=1e-12)


@PADDED
@torch.no_grad()
def test_padding_does_not_matter(case: Case) -> None:
    network, x = case.network().double(), case.inputs()
    outputs = network(x)
    for place, length in enumerate(LENGTHS):
        cut = network(x[place : place + 1, :length])
        assert torch.allclose(cut[0], outputs[place], atol=1e-12)


@PADDED
@torch.no_grad()
def test_padding_alone_has_finite_outputs(case: Case) -> None:
    assert case.network()(torch.zeros_like(case.inputs())).isfinite().all()


@ALL
@torch.no_grad()
def test_width_and_depth(case: Case) -> None:
    sizes = [count(case.network())]
    for left_out in range(1, case.module.MOST_LEFT_OUT + 1):
        network = case.network(left_out=left_out)
        sizes.append(count(network))
        assert network(case.inputs()).shape == case.outputs
    assert sizes == sorted(set(sizes), reverse=True)
    for width in (0.5, 0.01):
        narrow = case.network(width=width)
        assert narrow(case.inputs()).shape == case.outputs
        assert count(narrow) < (width + 0.1) * sizes[0]


@ALL
def test_every_weight_gets_a_gradient(case: Case) -> None:
    network = case.network()
    network(case.inputs()).square().sum().backward()
    assert all(parameter.grad.any() for parameter in network.parameters())


@pytest.mark.parametrize("name", ["reviews.gru", "vowels.gru"])
@torch.no_grad()
def test_the_second_gru_reads_from_the_end(name: str) -> None:
    case = next(case for case in CASES if case.name == name)
    network, x = case.network().double(), case.inputs()[1:2, : LENGTHS[1]]
    network.back.load_state_dict(network.forth.state_dict())
    half = network.fc.weight.shape[1] // 2
    network.fc.weight[:, half:] = -network.fc.weight[:, :half]
    network.fc.bias.zero_()
    assert torch.allclose(network(x), -network(x.flip(1)), atol=1e-12)
    assert not torch.allclose(network(x), torch.zeros(1, dtype=torch.float64), atol=1e-6)


@pytest.mark.slow
@torch.no_grad()
def test_gpt_is_causal() -> None:
    case = next(case for case in CASES if case.name == "reviews_lm.gpt")
    network, x = case.network().double(), case.inputs()
    outputs = network(x)
    changed = x.clone()
    changed[:, 10:] = 5
    assert torch.allclose(network(changed)[:, :10], outputs[:, :10], atol=1e-12)
    assert torch.allclose(network(x[:, :10]), outputs[:, :10], atol=1e-12)
