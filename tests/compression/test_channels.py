"""Structured pruning: how many channels go, which, and from where."""

from __future__ import annotations

import pytest
import torch

from workbench.compression.channel_pruning import remove_channels, requested_fraction
from workbench.compression.channel_scores import SCORES
from workbench.compression.channels import Group, Member
from workbench.compression.covariance import InputCovariance
from workbench.compression.stats import CalibrationStats
from workbench.errors import RecipeError
from workbench.recipe import Structure


def group(maker: str, taker: str, channels: int, each: int = 1) -> Group:
    places = torch.arange(channels).unsqueeze(1)
    wide = torch.arange(channels * each).view(channels, each)
    return Group(
        (
            Member(f"{maker}.weight", 0, "makes", places),
            Member(f"{maker}.bias", 0, "follows", places),
            Member(f"{taker}.weight", 1, "takes", wide),
        )
    )


CHAIN = (group("a", "b", 10), group("b", "c", 4, each=3))


def weights(seed: int = 0) -> dict[str, torch.Tensor]:
    lot = torch.Generator().manual_seed(seed)
    shapes = {"a.weight": (10, 6), "a.bias": (10,), "b.weight": (4, 10), "b.bias": (4,)}
    shapes |= {"c.weight": (5, 12), "c.bias": (5,)}
    return {name: torch.randn(shape, generator=lot) for name, shape in shapes.items()}


def evidence(tensors: dict[str, torch.Tensor]) -> CalibrationStats:
    lot = torch.Generator().manual_seed(7)
    inputs = {}
    for name, tensor in tensors.items():
        if tensor.ndim > 1:  # inputs that say much of one another, as a network's do
            hidden = torch.randn(200, 3, generator=lot)
            mixed = hidden @ torch.randn(3, tensor.shape[1], generator=lot)
            inputs[name] = mixed + 0.3 * torch.randn(mixed.shape, generator=lot)
    return CalibrationStats(
        gradients={n: torch.rand(t.shape, generator=lot) for n, t in tensors.items() if t.ndim > 1},
        covariances={n: InputCovariance(x.T @ x / len(x)) for n, x in inputs.items()},
    )


def shapes(tensors) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


@pytest.mark.parametrize("criterion", SCORES)
@pytest.mark.parametrize("scope", ["uniform", "global"])
@pytest.mark.parametrize("removed", [0.0, 0.3, 0.5, 0.95])
def test_as_many_channels_go_as_were_asked(criterion, scope, removed):
    tensors = weights()
    structure = Structure(removed, criterion=criterion, scope=scope)
    done = remove_channels(tensors, CHAIN, structure, evidence(tensors))
    left = [len(done.weights["a.weight"]), len(done.weights["b.weight"])]
    assert [group.channels for group in done.groups] == left
    if scope == "uniform":
        assert left == [max(1, 10 - round(removed * 10)), max(1, 4 - round(removed * 4))]
    else:
        assert sum(left) == max(2, 14 - round(removed * 14))
        assert min(left) >= 1
    a, b = left
    assert shapes(done.weights) == {
        "a.weight": (a, 6),
        "a.bias": (a,),
        "b.weight": (b, a),
        "b.bias": (b,),
        "c.weight": (5, 3 * b),
        "c.bias": (5,),
    }
    assert {n: tuple(t.shape) for n, t in done.stats.gradients.items()} == {
        n: s for n, s in shapes(done.weights).items() if len(s) > 1
    }
    for name, moment in done.stats.covariances.items():
        assert moment.matrix.shape == (done.weights[name].shape[1],) * 2


@pytest.mark.parametrize(
    ("multiple", "removed", "blocks", "left"),
    [
        (1, 0.3, 1, 17),  # 24 - round(7.2)
        (8, 0.3, 1, 16),
        (8, 0.15, 1, 24),  # 20 lie between 16 and 24: as many as can be stay
        (8, 0.2, 1, 16),
        (8, 0.0, 1, 24),
        (8, 0.95, 1, 8),
        (16, 0.1, 1, 16),  # 22 is nearer to 16 than to 32
        (16, 0.02, 1, 24),  # none goes, so all stay
        (16, 0.4, 1, 16),
        (32, 0.9, 1, 24),  # no multiple is fewer than all
        (4, 0.5, 3, 12),  # 8 in each of 3 blocks: one of each goes at a time
        (8, 0.5, 3, 24),  # only 24 are a multiple of 8 and of 3
        (2, 0.3, 3, 18),
    ],
)
@pytest.mark.parametrize("scope", ["uniform", "global"])
def test_what_stays_is_the_nearest_multiple(multiple, removed, blocks, left, scope):
    places = torch.arange(24).view(blocks, -1).T
    only = Group((Member("a.weight", 0, "makes", places), Member("b.weight", 1, "takes", places)))
    tensors = {"a.weight": torch.randn(24, 5), "b.weight": torch.randn(4, 24)}
    structure = Structure(removed, scope=scope, multiple=multiple, criterion="magnitude")
    done = remove_channels(tensors, [only], structure, CalibrationStats()).weights
    assert shapes(done) == {"a.weight": (left, 5), "b.weight": (4, left)}
    score = tensors["a.weight"].abs().view(blocks, -1, 5).mean((0, 2))
    kept = score.argsort()[24 // blocks - left // blocks :].sort().values
    rows = torch.cat([kept + block * (24 // blocks) for block in range(blocks)])
    assert torch.equal(done["a.weight"], tensors["a.weight"][rows])


def test_the_least_channels_go_with_all_that_hangs_on_them():
    tensors = weights()
    tensors["a.weight"][3] *= 0.001
    done = remove_channels(
        tensors, CHAIN, Structure(0.1, criterion="magnitude"), CalibrationStats()
    )
    rest = [0, 1, 2, 4, 5, 6, 7, 8, 9]
    assert torch.equal(done.weights["a.weight"], tensors["a.weight"][rest])
    assert torch.equal(done.weights["a.bias"], tensors["a.bias"][rest])
    assert torch.equal(done.weights["b.weight"], tensors["b.weight"][:, rest])


def test_a_channel_that_spreads_over_several_inputs_takes_them_all_along():
    tensors = weights()
    tensors["b.weight"][2] *= 0.001
    structure = Structure(0.25, criterion="magnitude", scope="layer", layers={"b.weight": 0.25})
    done = remove_channels(tensors, CHAIN, structure, CalibrationStats())
    columns = [0, 1, 2, 3, 4, 5, 9, 10, 11]
    assert torch.equal(done.weights["c.weight"], tensors["c.weight"][:, columns])
    assert torch.equal(done.weights["a.weight"], tensors["a.weight"])


def test_curvature_removes_what_the_next_layer_misses_least_and_makes_good_for_it():
    tensors = weights()
    known = evidence(tensors)
    structure = Structure(0.5, criterion="curvature", scope="layer", layers={"a.weight": 0.5})
    done = remove_channels(tensors, CHAIN, structure, known)
    scores = SCORES["curvature"](CHAIN[0], tensors, known, torch.Generator())
    kept = scores.argsort(stable=True)[5:].sort().values
    assert torch.equal(done.weights["a.weight"], tensors["a.weight"][kept])
    change = torch.zeros_like(tensors["b.weight"])
    change[:, kept] = done.weights["b.weight"]
    cut = torch.zeros_like(change)
    cut[:, kept] = tensors["b.weight"][:, kept]
    moment = known.covariances["b.weight"]
    better = moment.output_error(change - tensors["b.weight"])
    assert (better <= moment.output_error(cut - tensors["b.weight"]) * 1.0001).all()
    assert float(better.sum()) < 0.8 * float(moment.output_error(cut - tensors["b.weight"]).sum())


def test_random_is_drawn_from_the_seed():
    tensors = weights()

    def left(seed):
        structure = Structure(0.5, criterion="random", seed=seed)
        return remove_channels(tensors, CHAIN, structure, CalibrationStats()).weights["a.weight"]

    assert torch.equal(left(0), left(0))
    assert any(not torch.equal(left(0), left(seed)) for seed in (1, 2, 3))


def test_what_is_excluded_or_not_named_stays_whole():
    tensors = weights()
    done = remove_channels(
        tensors, CHAIN, Structure(0.5, exclude=("b.weight",)), CalibrationStats()
    )
    assert done.weights["b.weight"].shape == (4, 5)
    done = remove_channels(tensors, CHAIN, Structure(0.5, scope="layer"), CalibrationStats())
    assert done.weights["a.weight"].shape == (10, 6)
    assert requested_fraction(CHAIN, Structure(0.5, exclude=("b.weight",))) == pytest.approx(5 / 14)
    assert requested_fraction(CHAIN, Structure(0.5, layers={"a.weight": 0.2})) == pytest.approx(
        (2 + 2) / 14
    )


def test_coupled_layers_with_different_shares_are_one_sentence():
    coupled = Group((*CHAIN[0].members, Member("d.weight", 0, "makes", CHAIN[0].members[0].places)))
    tensors = weights() | {"d.weight": torch.ones(10, 2)}
    structure = Structure(0.5, layers={"a.weight": 0.5, "d.weight": 0.2})
    with pytest.raises(RecipeError, match="give them one share"):
        remove_channels(tensors, (coupled, CHAIN[1]), structure, CalibrationStats())


def test_a_layer_that_has_no_channels_to_lose_changes_nothing():
    structure = Structure(0.0, layers={"c.weight": 0.5})
    assert shapes(
        remove_channels(weights(), CHAIN, structure, CalibrationStats()).weights
    ) == shapes(weights())


def joined() -> tuple[Group, ...]:
    """Two layers whose outputs a third takes side by side, after two inputs of nobody's."""
    first, second = group("a", "c", 4), group("b", "c", 3)
    places = (torch.arange(4).unsqueeze(1) + 2, torch.arange(3).unsqueeze(1) + 6)
    return tuple(
        Group((*one.members[:-1], Member("c.weight", 1, "takes", at)))
        for one, at in zip((first, second), places, strict=True)
    )


@pytest.mark.parametrize("criterion", ["magnitude", "curvature"])
def test_layers_that_are_joined_lose_their_own_channels(criterion):
    tensors = {
        "a.weight": torch.tensor([[4.0], [1], [3], [2]]),
        "a.bias": torch.arange(4.0),
        "b.weight": torch.tensor([[1.0], [3], [2]]),
        "b.bias": torch.arange(3.0),
        "c.weight": torch.arange(9.0).unsqueeze(0),
    }
    moments = {} if criterion == "magnitude" else {"c.weight": InputCovariance(torch.eye(9))}
    given = CalibrationStats(gradients={"c.weight": tensors["c.weight"]}, covariances=moments)
    done = remove_channels(tensors, joined(), Structure(0.5, criterion=criterion), given)
    a, b = done.weights["a.bias"], done.weights["b.bias"]
    assert (len(a), len(b)) == (2, 1)
    # inputs know nothing of one another, so that nothing is made good
    expected = torch.cat([torch.tensor([0.0, 1]), a + 2, b + 6])
    assert done.weights["c.weight"].flatten().tolist() == expected.tolist()
    assert done.stats.gradients["c.weight"].flatten().tolist() == expected.tolist()
    for moment in done.stats.covariances.values():
        assert moment.matrix.shape == (5, 5)
    again = remove_channels(
        done.weights, done.groups, Structure(0.5, criterion="magnitude"), CalibrationStats()
    )
    assert again.weights["c.weight"].shape == (1, 4)
    assert again.weights["c.weight"][0, 2] == 2 + again.weights["a.bias"]
