"""Fake quantization: the weights seen in training are exactly those of the file."""

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
    """A model's weights with some noise, so that none is representable."""
    generator = torch.Generator().manual_seed(0)
    return {
        name: (weight + 0.01 * torch.randn(weight.shape, generator=generator)).requires_grad_()
        if weight.is_floating_point()
        else weight
        for name, weight in wb.model(name).weights().items()
    }


def differences(seen, artifact):
    decoded = artifact.weights()
    assert list(seen) == list(decoded)
    return {n: int((seen[n].detach() != decoded[n]).sum()) for n in seen if seen[n].numel()}


@pytest.mark.slow
@pytest.mark.parametrize("rounding", ["straight_through", "learned"])
@pytest.mark.parametrize("quantizer", QUANTIZERS, ids=str)
def test_the_final_weights_seen_are_those_of_the_file(
    quantizer, rounding, start_run, make_recipe, finish, artifact_of
):
    recipe = make_recipe(
        prune=ZEROS, quantize=quantizer, rounding=rounding, learning_rate=0.01, steps=3
    )
    run = start_run(recipe)
    finish(run)
    run.quantizer._passes = 0  # fits straight-through ranges again
    seen = run.quantizer(run.weights)
    assert set(differences(seen, artifact_of(run, recipe)).values()) == {0}


SHARERS = [
    {"clusters": 4},
    {"clusters": 16, "granularity": "channel"},
    {"method": "ternary"},
    {"method": "binary", "layers": {"fc1.weight": 0}},
]


@pytest.mark.slow
@pytest.mark.parametrize("rounding", ["straight_through", "afterwards"])
@pytest.mark.parametrize("sharer", SHARERS, ids=str)
def test_shared_values_seen_are_those_of_the_file(
    sharer, rounding, start_run, make_recipe, finish, artifact_of
):
    quantizer = {"bits": 4}  # for layers that are not shared
    recipe = make_recipe(ZEROS, quantizer, sharer, rounding=rounding, learning_rate=0.01, steps=3)
    run = start_run(recipe)
    finish(run)
    file = artifact_of(run, recipe)
    if rounding == "straight_through":
        run.quantizer._passes = 0
        assert set(differences(run.quantizer(run.weights), file).values()) == {0}
    shared = file.tensors["fc2.weight"].tensor()
    assert len(shared.unique()) <= (3 if "method" in sharer else 17) * len(shared)
    assert (shared == 0).float().mean() >= 0.5


@pytest.mark.slow
@pytest.mark.parametrize("rounding", ["straight_through", "learned", "afterwards"])
def test_a_network_with_batch_norm_is_seen_as_in_the_file(
    rounding, start_run, make_recipe, finish, artifact_of
):
    recipe = make_recipe(prune=ZEROS, quantize={"bits": 4}, rounding=rounding, steps=2)
    run = start_run(recipe, "fashion/resnet")
    finish(run)
    run.quantizer._passes = 0
    counts = differences(run.quantizer(run.weights), artifact_of(run, recipe, "fashion/resnet"))
    rounded = {name for name, count in counts.items() if count}
    layers = wb.model("fashion/resnet").layers
    assert rounded == (set(layers) if rounding == "afterwards" else set())


def test_scales_that_moved_far_are_still_those_of_the_file(start_run, make_recipe, artifact_of):
    recipe = make_recipe(quantize={"bits": 3, "scheme": "affine"}, rounding="learned")
    run = start_run(recipe)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for scales in run.quantizer.scales.values():
            for scale in scales:
                scale.add_(torch.randn(scale.shape, generator=generator))
    assert set(differences(run.quantizer(run.weights), artifact_of(run, recipe)).values()) == {0}


@pytest.mark.slow
@pytest.mark.parametrize("rounding", ["straight_through", "learned", "afterwards"])
@pytest.mark.parametrize("name", [choice.value for choice in OPTIMIZERS])
def test_zeros_stay_zero_at_every_step(
    name, rounding, start_run, make_recipe, artifact_of, monkeypatch
):
    recipe = make_recipe(
        prune=ZEROS,
        quantize={"bits": 4, "scheme": "affine"},
        optimizer=name,
        rounding=rounding,
        weight_decay=0.1,
        learning_rate=0.01,
    )
    run = start_run(recipe)
    masks = dict(run.quantizer.masks)
    seen = []
    call = FakeQuantizer.__call__

    def recorded(quantizer, weights):
        seen.append(call(quantizer, weights))
        return seen[-1]

    monkeypatch.setattr(FakeQuantizer, "__call__", recorded)
    for _event in run.go():
        pass
    decoded = artifact_of(run, recipe).weights()
    assert len(seen) == recipe.train.steps
    for layer, mask in masks.items():
        for weights in [*(s[layer] for s in seen), decoded[layer]]:
            assert not weights[~mask].any()
            assert weights[mask].any()
        assert torch.equal(run.quantizer.masks[layer], mask)


@pytest.mark.parametrize("quantizer", QUANTIZERS, ids=str)
def test_the_straight_through_gradient_is_the_unquantized_gradient(quantizer, make_recipe):
    weights = moved()
    fake_quantizer = FakeQuantizer(make_recipe(prune=ZEROS, quantize=quantizer), weights)
    fake_quantizer.update_masks(weights, 1.0)
    seen = fake_quantizer(weights)
    sum((weight**3).sum() for weight in seen.values()).backward()
    for name, weight in weights.items():
        plain = 3 * seen[name].detach() ** 2  # of the cube, at the weights seen
        expected = plain * fake_quantizer.masks[name] if name in fake_quantizer.masks else plain
        torch.testing.assert_close(weight.grad, expected)


def fake_quantizerof(bits=3, scheme="symmetric", spread=1.0):
    """Return some rows of weights, their quantization parameters, and the log scales."""
    settings = wb.Quantize(bits=bits, scheme=scheme)
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(5, 40, generator=generator)
    (qparams,) = fit_qparams(weight, settings, bits)
    (piece,) = split_rows(spread * weight, settings)
    return piece.requires_grad_(), qparams, qparams.scale.log().requires_grad_()


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
@pytest.mark.parametrize("spread", [0.8, 1.7])
def test_the_gradient_of_a_learned_step_size_is_that_of_the_paper(bits, spread):
    piece, qparams, log_scale = fake_quantizerof(bits, spread=spread)
    generator = torch.Generator().manual_seed(1)
    upstream = torch.randn(piece.shape, generator=generator)
    (_learned(piece, qparams, log_scale) * upstream).sum().backward()
    # Esser et al., eq. 3 and §2.2: the slope by the step s of each weight, times g = 1/√(N·Q_P);
    # the logarithm's is s times that.
    top = 2 ** (bits - 1) - 1
    step = qparams.scale.unsqueeze(1)
    ratio = piece.detach() / step
    slope = torch.where(ratio.abs() < top, ratio.round() - ratio, top * ratio.sign())
    damp = (piece.shape[1] * top) ** -0.5
    expected = (upstream * slope).sum(dim=1) * qparams.scale * damp
    torch.testing.assert_close(log_scale.grad, expected, rtol=1e-4, atol=1e-5)
    # eq. 5: inside the range a weight's gradient passes, outside it does not
    inside = ratio.abs() <= top
    torch.testing.assert_close(piece.grad, upstream * inside)


@pytest.mark.parametrize("scheme", ["symmetric", "affine"])
def test_the_gradient_of_a_learned_step_size_is_that_of_finite_differences(scheme):
    # Clipped weights are a smooth function of the step size, so their gradient is exact.
    piece, qparams, log_scale = fake_quantizerof(scheme=scheme, spread=100.0)
    values = piece.detach()
    outside = values.abs() > 1.5 * qparams.scale.unsqueeze(1) * qparams.top
    generator = torch.Generator().manual_seed(1)
    upstream = torch.randn(piece.shape, generator=generator) * outside
    assert outside.float().mean() > 0.5
    (_learned(piece, qparams, log_scale) * upstream).sum().backward()

    def total(logs):
        return (_learned(values, qparams, logs) * upstream).double().sum(dim=1)

    nudge = 1e-2
    rise = total(log_scale.detach() + nudge) - total(log_scale.detach() - nudge)
    damp = (piece.shape[1] * max(1, qparams.top // 2)) ** -0.5
    torch.testing.assert_close(
        log_scale.grad.double(), rise / (2 * nudge) * damp, rtol=1e-3, atol=1e-4
    )


def test_learned_step_sizes_are_trained_and_stored_in_the_file(
    start_run, make_recipe, finish, artifact_of
):
    recipe = make_recipe(quantize={"bits": 4}, rounding="learned", learning_rate=0.01)
    run = start_run(recipe)
    before = {name: qparams[0].scale.clone() for name, qparams in run.quantizer.qparams().items()}
    finish(run)
    tensors = artifact_of(run, recipe).tensors
    for name, scale in before.items():
        stored = torch.from_numpy(tensors[name].scale)
        assert not torch.equal(stored, scale)
        assert torch.equal(stored, run.quantizer.qparams()[name][0].scale)
        assert (stored > 0).all()


def test_nothing_is_rounded_if_rounding_comes_after_training(start_run, make_recipe):
    run = start_run(make_recipe(quantize={"bits": 2}, rounding="afterwards"))
    seen = run.quantizer(run.weights)
    for name, weight in run.weights.items():
        assert torch.equal(seen[name], weight)


def test_ranges_follow_the_weights(make_recipe):
    weights = moved()
    quantizer = FakeQuantizer(make_recipe(quantize={"bits": 2}), weights)
    first = quantizer(weights)["fc1.weight"].detach()
    with torch.no_grad():
        weights["fc1.weight"] *= 4
    later = [quantizer(weights)["fc1.weight"].detach() for _ in range(10)]
    assert torch.equal(later[-1], 4 * first)


def test_a_restored_fake_quantizergives_the_same_weights(start_run, make_recipe, finish):
    recipe = make_recipe(prune=ZEROS, quantize={"bits": 3}, rounding="learned", learning_rate=0.01)
    run = start_run(recipe)
    finish(run)
    other = start_run(recipe)
    other.quantizer.load(run.quantizer.state())
    ours, theirs = run.quantizer(run.weights), other.quantizer(run.weights)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
