"""What the network sees while it is trained, and that the file holds just that."""

from __future__ import annotations

import pytest
import torch

import workbench as wb
from workbench.compression.quantize import fit_qparams, split_rows
from workbench.recipe.train import OPTIMIZERS
from workbench.training.fake_quantize import FakeQuantizer, _learned

ZEROS = {"sparsity": 0.8}
QUANTIZERS = [
    {"bits": 2},
    {"bits": 4},
    {"bits": 8},
    {"bits": 3, "scheme": "affine"},
    {"bits": 4, "granularity": "tensor", "range": "percentile", "percentile": 95},
    {"bits": 3, "granularity": "group", "group_size": 9, "range": "mse"},
    {"bits": 2, "scheme": "affine", "granularity": "group", "range": "mse"},
    {"bits": 16},
    {"bits": 16, "format": "fp16"},
    {"bits": 4, "layers": {"fc1.weight": 16, "fc3.weight": 32}, "exclude": ["fc2.weight"]},
]


def moved(name="fashion/lenet-300-100"):
    """A model's weights, moved a little, so that none lies on a grid any more."""
    lot = torch.Generator().manual_seed(0)
    return {
        name: (weight + 0.01 * torch.randn(weight.shape, generator=lot)).requires_grad_()
        if weight.is_floating_point()
        else weight
        for name, weight in wb.model(name).weights().items()
    }


def different(seen, artifact):
    decoded = artifact.weights()
    assert list(seen) == list(decoded)
    return {n: int((seen[n].detach() != decoded[n]).sum()) for n in seen if seen[n].numel()}


@pytest.mark.parametrize("rounding", ["straight-through", "learned"])
@pytest.mark.parametrize("quantizer", QUANTIZERS, ids=str)
def test_what_is_seen_at_the_end_is_what_the_file_holds(
    quantizer, rounding, begun, recipe, finish, filed
):
    asked = recipe(prune=ZEROS, quantize=quantizer, rounding=rounding, learning_rate=0.01, steps=3)
    run = begun(asked)
    finish(run)
    run.view._age = 0  # the range of a straight-through quantiser is found anew
    seen = run.view(run.weights)
    assert set(different(seen, filed(run, asked)).values()) == {0}


SHARERS = [
    {"clusters": 4},
    {"clusters": 16, "granularity": "channel"},
    {"method": "ternary"},
    {"method": "binary", "layers": {"fc1.weight": 0}},
]


@pytest.mark.parametrize("rounding", ["straight-through", "afterwards"])
@pytest.mark.parametrize("sharer", SHARERS, ids=str)
def test_shared_values_are_seen_as_the_file_holds_them(
    sharer, rounding, begun, recipe, finish, filed
):
    quantizer = {"bits": 4}  # for what is not shared
    asked = recipe(ZEROS, quantizer, sharer, rounding=rounding, learning_rate=0.01, steps=3)
    run = begun(asked)
    finish(run)
    file = filed(run, asked)
    if rounding == "straight-through":
        run.view._age = 0
        assert set(different(run.view(run.weights), file).values()) == {0}
    shared = file.tensors["fc2.weight"].tensor()
    assert len(shared.unique()) <= (3 if "method" in sharer else 17) * len(shared)
    assert (shared == 0).float().mean() >= 0.5


@pytest.mark.parametrize("rounding", ["straight-through", "learned", "afterwards"])
def test_a_network_with_batch_norm_is_seen_as_the_file_holds_it(
    rounding, begun, recipe, finish, filed
):
    asked = recipe(prune=ZEROS, quantize={"bits": 4}, rounding=rounding, steps=2)
    run = begun(asked, "fashion/resnet")
    finish(run)
    run.view._age = 0
    found = different(run.view(run.weights), filed(run, asked, "fashion/resnet"))
    rounded = {name for name, count in found.items() if count}
    layers = wb.model("fashion/resnet").layers
    assert rounded == (set(layers) if rounding == "afterwards" else set())


def test_scales_that_moved_far_are_still_the_files(begun, recipe, filed):
    asked = recipe(quantize={"bits": 3, "scheme": "affine"}, rounding="learned")
    run = begun(asked)
    lot = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for found in run.view.scales.values():
            for scale in found:
                scale.add_(torch.randn(scale.shape, generator=lot))
    assert set(different(run.view(run.weights), filed(run, asked)).values()) == {0}


@pytest.mark.parametrize("rounding", ["straight-through", "learned", "afterwards"])
@pytest.mark.parametrize("name", [choice.value for choice in OPTIMIZERS])
def test_zeros_stay_zero_at_every_step(name, rounding, begun, recipe, filed, monkeypatch):
    asked = recipe(
        prune=ZEROS,
        quantize={"bits": 4, "scheme": "affine"},
        optimizer=name,
        rounding=rounding,
        weight_decay=0.1,
        learning_rate=0.01,
    )
    run = begun(asked)
    kept = dict(run.view.kept)
    seen = []
    plain = FakeQuantizer.__call__

    def watched(view, weights):
        seen.append(plain(view, weights))
        return seen[-1]

    monkeypatch.setattr(FakeQuantizer, "__call__", watched)
    for _moment in run.go():
        pass
    decoded = filed(run, asked).weights()
    assert len(seen) == asked.train.steps
    for layer, mask in kept.items():
        for found in [*(s[layer] for s in seen), decoded[layer]]:
            assert not found[~mask].any()
            assert found[mask].any()
        assert torch.equal(run.view.kept[layer], mask)


@pytest.mark.parametrize("quantizer", QUANTIZERS, ids=str)
def test_the_straight_through_gradient_is_the_plain_gradient(quantizer, recipe):
    weights = moved()
    view = FakeQuantizer(recipe(prune=ZEROS, quantize=quantizer), weights)
    view.update_masks(weights, 1.0)
    seen = view(weights)
    sum((weight**3).sum() for weight in seen.values()).backward()
    for name, weight in weights.items():
        plain = 3 * seen[name].detach() ** 2  # of the cube, where the network looked
        expected = plain * view.kept[name] if name in view.kept else plain
        torch.testing.assert_close(weight.grad, expected)


def quantizer_of(bits=3, scheme="symmetric", spread=1.0):
    """A few rows of weights, the grid that fits them, and logarithms of its scales."""
    settings = wb.Quantize(bits=bits, scheme=scheme)
    lot = torch.Generator().manual_seed(0)
    weight = torch.randn(5, 40, generator=lot)
    (grid,) = fit_qparams(weight, settings, bits)
    (piece,) = split_rows(spread * weight, settings)
    return piece.requires_grad_(), grid, grid.scale.log().requires_grad_()


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
@pytest.mark.parametrize("spread", [0.8, 1.7])
def test_the_gradient_of_a_learned_step_size_is_that_of_the_paper(bits, spread):
    piece, grid, log_scale = quantizer_of(bits, spread=spread)
    lot = torch.Generator().manual_seed(1)
    upstream = torch.randn(piece.shape, generator=lot)
    (_learned(piece, grid, log_scale) * upstream).sum().backward()
    # Esser et al., eq. 3 and §2.2: the slope by the step s of each weight, times g = 1/√(N·Q_P);
    # the logarithm's is s times that.
    top = 2 ** (bits - 1) - 1
    step = grid.scale.unsqueeze(1)
    ratio = piece.detach() / step
    slope = torch.where(ratio.abs() < top, ratio.round() - ratio, top * ratio.sign())
    damp = (piece.shape[1] * top) ** -0.5
    expected = (upstream * slope).sum(dim=1) * grid.scale * damp
    torch.testing.assert_close(log_scale.grad, expected, rtol=1e-4, atol=1e-5)
    # eq. 5: inside the range a weight's gradient passes, outside it does not
    inside = ratio.abs() <= top
    torch.testing.assert_close(piece.grad, upstream * inside)


@pytest.mark.parametrize("scheme", ["symmetric", "affine"])
def test_the_gradient_of_a_learned_step_size_is_that_of_finite_differences(scheme):
    # Where weights are cut off, the rounded value moves with the step smoothly: no estimate.
    piece, grid, log_scale = quantizer_of(scheme=scheme, spread=100.0)
    values = piece.detach()
    outside = values.abs() > 1.5 * grid.scale.unsqueeze(1) * grid.top
    lot = torch.Generator().manual_seed(1)
    upstream = torch.randn(piece.shape, generator=lot) * outside
    assert outside.float().mean() > 0.5
    (_learned(piece, grid, log_scale) * upstream).sum().backward()

    def total(logs):
        return (_learned(values, grid, logs) * upstream).double().sum(dim=1)

    nudge = 1e-2
    rise = total(log_scale.detach() + nudge) - total(log_scale.detach() - nudge)
    damp = (piece.shape[1] * max(1, grid.top // 2)) ** -0.5
    torch.testing.assert_close(
        log_scale.grad.double(), rise / (2 * nudge) * damp, rtol=1e-3, atol=1e-4
    )


def test_learned_step_sizes_are_trained_and_kept_in_the_file(begun, recipe, finish, filed):
    asked = recipe(quantize={"bits": 4}, rounding="learned", learning_rate=0.01)
    run = begun(asked)
    before = {name: grids[0].scale.clone() for name, grids in run.view.qparams().items()}
    finish(run)
    tensors = filed(run, asked).tensors
    for name, scale in before.items():
        found = torch.from_numpy(tensors[name].scale)
        assert not torch.equal(found, scale)
        assert torch.equal(found, run.view.qparams()[name][0].scale)
        assert (found > 0).all()


def test_nothing_is_rounded_while_rounding_comes_afterwards(begun, recipe):
    run = begun(recipe(quantize={"bits": 2}, rounding="afterwards"))
    seen = run.view(run.weights)
    for name, weight in run.weights.items():
        assert torch.equal(seen[name], weight)


def test_ranges_follow_the_weights(recipe):
    weights = moved()
    view = FakeQuantizer(recipe(quantize={"bits": 2}), weights)
    first = view(weights)["fc1.weight"].detach()
    with torch.no_grad():
        weights["fc1.weight"] *= 4
    later = [view(weights)["fc1.weight"].detach() for _ in range(10)]
    assert torch.equal(later[-1], 4 * first)


def test_a_view_taken_up_sees_the_same(begun, recipe, finish):
    asked = recipe(prune=ZEROS, quantize={"bits": 3}, rounding="learned", learning_rate=0.01)
    run = begun(asked)
    finish(run)
    other = begun(asked)
    other.view.load(run.view.state())
    ours, theirs = run.view(run.weights), other.view(run.weights)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
