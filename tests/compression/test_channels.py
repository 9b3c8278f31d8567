"""Structured pruning: how many channels are removed, which ones, and from which tensors."""

from __future__ import annotations

import pytest
import torch

from tests.raises import raises
from workbench.compression.channel_pruning import remove_channels, requested_fraction
from workbench.compression.channel_scores import SCORES
from workbench.compression.channels import Group, Member
from workbench.compression.covariance import InputCovariance
from workbench.compression.stats import CalibrationStats
from workbench.recipe import Structure


def group(producer: str, consumer: str, channels: int, each: int = 1) -> Group:
    places = torch.arange(channels).unsqueeze(1)
    wide = torch.arange(channels * each).view(channels, each)
    return Group(
        (
            Member(f"{producer}.weight", 0, "makes", places),
            Member(f"{producer}.bias", 0, "follows", places),
            Member(f"{consumer}.weight", 1, "takes", wide),
        )
    )


CHAIN = (group("a", "b", 10), group("b", "c", 4, each=3))


def weights(seed: int = 0) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shapes = {"a.weight": (10, 6), "a.bias": (10,), "b.weight": (4, 10), "b.bias": (4,)}
    shapes |= {"c.weight": (5, 12), "c.bias": (5,)}
    return {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}


def calibration(tensors: dict[str, torch.Tensor]) -> CalibrationStats:
    generator = torch.Generator().manual_seed(7)
    inputs = {}
    for name, tensor in tensors.items():
        if tensor.ndim > 1:  # correlated inputs, like those of a network
            hidden = torch.randn(200, 3, generator=generator)
            mixed = hidden @ torch.randn(3, tensor.shape[1], generator=generator)
            inputs[name] = mixed + 0.3 * torch.randn(mixed.shape, generator=generator)
    return CalibrationStats(
        gradients={
            n: torch.rand(t.shape, generator=generator) for n, t in tensors.items() if t.ndim > 1
        },
        covariances={n: InputCovariance(x.T @ x / len(x)) for n, x in inputs.items()},
    )


def shapes(tensors) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


@pytest.mark.parametrize("criterion", SCORES)
@pytest.mark.parametrize("scope", ["uniform", "global"])
@pytest.mark.parametrize("removed", [0.0, 0.3, 0.5, 0.95])
def test_requested_number_of_channels_is_removed(criterion, scope, removed):
    tensors = weights()
    structure = Structure(removed, criterion=criterion, scope=scope)
    result = remove_channels(tensors, CHAIN, structure, calibration(tensors))
    remaining = [len(result.weights["a.weight"]), len(result.weights["b.weight"])]
    assert [group.channels for group in result.groups] == remaining
    if scope == "uniform":
        assert remaining == [max(1, 10 - round(removed * 10)), max(1, 4 - round(removed * 4))]
    else:
        assert sum(remaining) == max(2, 14 - round(removed * 14))
        assert min(remaining) >= 1
    a, b = remaining
    assert shapes(result.weights) == {
        "a.weight": (a, 6),
        "a.bias": (a,),
        "b.weight": (b, a),
        "b.bias": (b,),
        "c.weight": (5, 3 * b),
        "c.bias": (5,),
    }
    assert {n: tuple(t.shape) for n, t in result.stats.gradients.items()} == {
        n: s for n, s in shapes(result.weights).items() if len(s) > 1
    }
    for name, covariance in result.stats.covariances.items():
        assert covariance.matrix.shape == (result.weights[name].shape[1],) * 2


@pytest.mark.parametrize(
    ("multiple", "removed", "blocks", "expected"),
    [
        (1, 0.3, 1, 17),  # 24 - round(7.2)
        (8, 0.3, 1, 16),
        (8, 0.15, 1, 24),  # 20 lie between 16 and 24: the larger one is used
        (8, 0.2, 1, 16),
        (8, 0.0, 1, 24),
        (8, 0.95, 1, 8),
        (16, 0.1, 1, 16),  # 22 is nearer to 16 than to 32
        (16, 0.02, 1, 24),  # none is removed
        (16, 0.4, 1, 16),
        (32, 0.9, 1, 24),  # the multiple exceeds all channels
        (4, 0.5, 3, 12),  # 8 in each of 3 blocks, which lose channels together
        (8, 0.5, 3, 24),  # only 24 are a multiple of 8 and of 3
        (2, 0.3, 3, 18),
    ],
)
@pytest.mark.parametrize("scope", ["uniform", "global"])
def test_nearest_multiple_remains(multiple, removed, blocks, expected, scope):
    places = torch.arange(24).view(blocks, -1).T
    only = Group((Member("a.weight", 0, "makes", places), Member("b.weight", 1, "takes", places)))
    tensors = {"a.weight": torch.randn(24, 5), "b.weight": torch.randn(4, 24)}
    structure = Structure(removed, scope=scope, multiple=multiple, criterion="magnitude")
    result = remove_channels(tensors, [only], structure, CalibrationStats()).weights
    assert shapes(result) == {"a.weight": (expected, 5), "b.weight": (4, expected)}
    score = tensors["a.weight"].abs().view(blocks, -1, 5).mean((0, 2))
    remaining = score.argsort()[24 // blocks - expected // blocks :].sort().values
    rows = torch.cat([remaining + block * (24 // blocks) for block in range(blocks)])
    assert torch.equal(result["a.weight"], tensors["a.weight"][rows])


def test_least_important_channels_are_removed_from_every_tensor():
    tensors = weights()
    tensors["a.weight"][3] *= 0.001
    result = remove_channels(
        tensors, CHAIN, Structure(0.1, criterion="magnitude"), CalibrationStats()
    )
    rest = [0, 1, 2, 4, 5, 6, 7, 8, 9]
    assert torch.equal(result.weights["a.weight"], tensors["a.weight"][rest])
    assert torch.equal(result.weights["a.bias"], tensors["a.bias"][rest])
    assert torch.equal(result.weights["b.weight"], tensors["b.weight"][:, rest])


def test_all_inputs_of_a_channel_are_removed():
    tensors = weights()
    tensors["b.weight"][2] *= 0.001
    structure = Structure(0.25, criterion="magnitude", scope="named", layers={"b.weight": 0.25})
    result = remove_channels(tensors, CHAIN, structure, CalibrationStats())
    columns = [0, 1, 2, 3, 4, 5, 9, 10, 11]
    assert torch.equal(result.weights["c.weight"], tensors["c.weight"][:, columns])
    assert torch.equal(result.weights["a.weight"], tensors["a.weight"])


def test_curvature_compensates_for_the_channels_it_removes():
    tensors = weights()
    stats = calibration(tensors)
    structure = Structure(0.5, criterion="curvature", scope="named", layers={"a.weight": 0.5})
    result = remove_channels(tensors, CHAIN, structure, stats)
    scores = SCORES["curvature"](CHAIN[0], tensors, stats, torch.Generator())
    remaining = scores.argsort(stable=True)[5:].sort().values
    assert torch.equal(result.weights["a.weight"], tensors["a.weight"][remaining])
    change = torch.zeros_like(tensors["b.weight"])
    change[:, remaining] = result.weights["b.weight"]
    cut = torch.zeros_like(change)
    cut[:, remaining] = tensors["b.weight"][:, remaining]
    covariance = stats.covariances["b.weight"]
    better = covariance.output_error(change - tensors["b.weight"])
    assert (better <= covariance.output_error(cut - tensors["b.weight"]) * 1.0001).all()
    assert float(better.sum()) < 0.8 * float(
        covariance.output_error(cut - tensors["b.weight"]).sum()
    )


def test_random_depends_on_the_seed():
    tensors = weights()

    def random_weights(seed):
        structure = Structure(0.5, criterion="random", seed=seed)
        return remove_channels(tensors, CHAIN, structure, CalibrationStats()).weights["a.weight"]

    assert torch.equal(random_weights(0), random_weights(0))
    assert any(not torch.equal(random_weights(0), random_weights(seed)) for seed in (1, 2, 3))


def test_excluded_or_unlisted_layers_keep_their_channels():
    tensors = weights()
    result = remove_channels(
        tensors, CHAIN, Structure(0.5, exclude=("b.weight",)), CalibrationStats()
    )
    assert result.weights["b.weight"].shape == (4, 5)
    result = remove_channels(tensors, CHAIN, Structure(0.5, scope="named"), CalibrationStats())
    assert result.weights["a.weight"].shape == (10, 6)
    assert requested_fraction(CHAIN, Structure(0.5, exclude=("b.weight",))) == pytest.approx(5 / 14)
    assert requested_fraction(CHAIN, Structure(0.5, layers={"a.weight": 0.2})) == pytest.approx(
        (2 + 2) / 14
    )


def test_coupled_layers_with_different_fractions_are_refused():
    coupled = Group((*CHAIN[0].members, Member("d.weight", 0, "makes", CHAIN[0].members[0].places)))
    tensors = weights() | {"d.weight": torch.ones(10, 2)}
    structure = Structure(0.5, layers={"a.weight": 0.5, "d.weight": 0.2})
    with raises("recipe.coupled_layers_differ", "a.weight", "d.weight"):
        remove_channels(tensors, (coupled, CHAIN[1]), structure, CalibrationStats())


def test_layer_without_removable_channels_changes_nothing():
    structure = Structure(0.0, layers={"c.weight": 0.5})
    assert shapes(
        remove_channels(weights(), CHAIN, structure, CalibrationStats()).weights
    ) == shapes(weights())


def joined() -> tuple[Group, ...]:
    """Two layers whose outputs are concatenated after two other inputs, and read by a third."""
    first, second = group("a", "c", 4), group("b", "c", 3)
    places = (torch.arange(4).unsqueeze(1) + 2, torch.arange(3).unsqueeze(1) + 6)
    return tuple(
        Group((*one.members[:-1], Member("c.weight", 1, "takes", at)))
        for one, at in zip((first, second), places, strict=True)
    )


@pytest.mark.parametrize("criterion", ["magnitude", "curvature"])
def test_concatenated_layers_lose_their_own_channels(criterion):
    tensors = {
        "a.weight": torch.tensor([[4.0], [1], [3], [2]]),
        "a.bias": torch.arange(4.0),
        "b.weight": torch.tensor([[1.0], [3], [2]]),
        "b.bias": torch.arange(3.0),
        "c.weight": torch.arange(9.0).unsqueeze(0),
    }
    covariances = {} if criterion == "magnitude" else {"c.weight": InputCovariance(torch.eye(9))}
    given = CalibrationStats(gradients={"c.weight": tensors["c.weight"]}, covariances=covariances)
    result = remove_channels(tensors, joined(), Structure(0.5, criterion=criterion), given)
    a, b = result.weights["a.bias"], result.weights["b.bias"]
    assert (len(a), len(b)) == (2, 1)
    # inputs are not correlated, so that there is no compensation
    expected = torch.cat([torch.tensor([0.0, 1]), a + 2, b + 6])
    assert result.weights["c.weight"].flatten().tolist() == expected.tolist()
    assert result.stats.gradients["c.weight"].flatten().tolist() == expected.tolist()
    for covariance in result.stats.covariances.values():
        assert covariance.matrix.shape == (5, 5)
    again = remove_channels(
        result.weights, result.groups, Structure(0.5, criterion="magnitude"), CalibrationStats()
    )
    assert again.weights["c.weight"].shape == (1, 4)
    assert again.weights["c.weight"][0, 2] == 2 + again.weights["a.bias"]
