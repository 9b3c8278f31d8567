"""Weight sharing: as good as scikit-learn's k-means, lossless in the file, zeros preserved."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from workbench.compression import kmeans
from workbench.compression.codecs.encoding import encodings
from workbench.compression.codecs.stream import entry, parts, read, write
from workbench.compression.coded import Codes, Shared, Uncompressed
from workbench.compression.encode import encode_tensors
from workbench.compression.share import fit_codebook, rows_of, share
from workbench.recipe import Prune, Quantize, Recipe, Share
from workbench.recipe.share import METHODS, STARTS

COUNTS = (2, 4, 8, 16, 32, 64, 128, 256)


def trained_like(*shape, seed: int = 0, zeros: float = 0.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(shape, generator=generator) ** 3 / 10
    return values * (torch.rand(shape, generator=generator) >= zeros)


def error(values: torch.Tensor, book: torch.Tensor) -> float:
    return float(
        (values.double().flatten()[:, None] - book.double().flatten()).square().min(1)[0].sum()
    )


def test_every_start_has_its_function() -> None:
    assert set(kmeans.STARTS) == {choice.value for choice in STARTS}


@pytest.mark.slow
@pytest.mark.parametrize("clusters", [2, 8, 32])
@pytest.mark.parametrize("start", kmeans.STARTS)
def test_error_is_no_larger_than_that_of_scikit_learn(start, clusters) -> None:
    from sklearn.cluster import KMeans

    values = trained_like(1, 3000)
    everything = torch.ones_like(values, dtype=torch.bool)
    ranked = values.double().sort(dim=1).values
    first = kmeans.STARTS[start](ranked, everything, clusters, torch.Generator().manual_seed(5))
    theirs = KMeans(clusters, init=first.T.numpy(), n_init=1, tol=0, max_iter=1000).fit(
        values.T.double().numpy()
    )
    ours = kmeans.centers(values, clusters, start, 5)
    assert error(values, ours) <= theirs.inertia_ * (1 + 1e-6)


def test_rows_are_independent() -> None:
    rows = trained_like(7, 200, zeros=0.3)
    books = kmeans.centers(rows, 8, "linear", 0)
    for row, book in zip(rows, books, strict=True):
        nonzero = row[row != 0].unsqueeze(0)
        expected = kmeans.centers(nonzero, 8, "linear", 0)
        torch.testing.assert_close(book, expected[0], rtol=0, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("start", kmeans.STARTS)
@pytest.mark.parametrize("zeros", [0.0, 0.6, 0.99, 1.0])
@pytest.mark.parametrize("granularity", ["tensor", "channel"])
@pytest.mark.parametrize("method", [choice.value for choice in METHODS])
@pytest.mark.parametrize("shape", [(12, 30), (6, 4, 3, 3), (3, 1), (0, 3), (2, 0)])
def test_shared_tensor_round_trips(shape, method, granularity, zeros, start) -> None:
    weight = trained_like(*shape, zeros=zeros)
    for clusters in (2, 16, 256):
        coded = share(weight, Share(method=method, granularity=granularity, start=start), clusters)
        decoded = coded.tensor()
        assert decoded.shape == weight.shape
        assert torch.equal(decoded[weight == 0], torch.zeros_like(decoded[weight == 0]))
        options = encodings(coded, Prune(0.5, pattern="n_m"))
        described, stream = entry(coded, options), write(coded, options)
        assert len(stream) == parts(described).total
        reread = read(described, stream)
        assert isinstance(reread, Shared)
        assert torch.equal(reread.tensor(), decoded)
        assert np.array_equal(reread.codes, coded.codes)


@pytest.mark.parametrize("clusters", COUNTS)
def test_each_weight_takes_the_nearest_value(clusters) -> None:
    weight = trained_like(50, 40, zeros=0.4)
    decoded = share(weight, Share(), clusters).tensor()
    nonzero = weight[weight != 0]
    assert len(decoded.unique()) <= clusters + 1
    book = decoded[weight != 0].unique()
    assert float((nonzero - decoded[weight != 0]).double().square().sum()) == pytest.approx(
        error(nonzero, book), rel=1e-5
    )


def test_enough_values_lose_nothing() -> None:
    weight = torch.tensor([[0.5, -1.0, 0.0], [2.0, 0.5, -1.0]])
    assert torch.equal(share(weight, Share(start="density"), 256).tensor(), weight)


def test_ternary_matches_the_paper() -> None:
    weight = torch.tensor([[1.0, -2.0, 0.1, 3.0], [0.0, 0.5, -0.5, 0.2]])
    decoded = share(weight, Share(method="ternary", granularity="channel"), 2).tensor()
    # thresholds 0.7 · 1.525 and, without zeros, 0.7 · 0.4; then the mean of the larger values
    expected = torch.tensor([[0.0, -2.5, 0.0, 2.5], [0.0, 0.5, -0.5, 0.0]])
    torch.testing.assert_close(decoded, expected)


def test_binary_is_the_sign_times_the_mean() -> None:
    weight = torch.tensor([[1.0, -2.0, 0.5, 3.0]])
    coded = share(weight, Share(method="binary"), 2)
    torch.testing.assert_close(coded.tensor(), torch.tensor([[1.0, -1.0, 1.0, 1.0]]) * 1.625)
    assert not coded.zero
    assert len(write(coded, encodings(coded))) == 2 * 4 + 1


def test_shared_tensors_are_not_quantized() -> None:
    weights = {name: trained_like(20, 20, seed=k) for k, name in enumerate("abc")}
    recipe = Recipe(quantize=Quantize(4), share=Share(8, layers={"b": 0}, exclude=("c",)))
    coded = encode_tensors(weights, recipe)
    assert isinstance(coded["a"], Shared)
    assert isinstance(coded["b"], Codes)
    assert isinstance(coded["c"], Codes)
    assert isinstance(encode_tensors(weights, Recipe(share=Share(0)))["a"], Uncompressed)


def test_rounding_matches_the_file() -> None:
    weight = trained_like(30, 20, zeros=0.5)
    for settings in (Share(), Share(method="ternary"), Share(granularity="channel")):
        rows = rows_of(weight, settings)
        rounded = fit_codebook(rows, settings, 8).round(rows).view(weight.shape)
        assert torch.equal(rounded, share(weight, settings, 8).tensor())
