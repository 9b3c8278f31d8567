"""Generated text: reproducible, and sampled with equal random numbers before and after."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import workbench as wb
from tests.raises import raises
from tests.untrained import untrained
from workbench.analysis import generation
from workbench.analysis.generation import example_prompt
from workbench.cache.memory import MemoryCache
from workbench.cancel import CancelToken
from workbench.errors import Cancelled
from workbench.runtime.batch import call
from workbench.zoo.attention import start_incremental_decoding
from workbench.zoo.reviews_lm.characters import encode

COARSE = wb.Recipe(quantize=wb.Quantize(bits=2))


@pytest.fixture
def gpt():
    return untrained("reviews-lm/gpt")


@pytest.mark.slow
def test_texts_share_a_prefix_and_are_reproducible(gpt, monkeypatch):
    result = wb.generate(gpt, COARSE, prompt="\nI love", characters=40, seed=3)
    assert len(result.before) == len(result.after) == 40
    assert result.before[: result.common_prefix] == result.after[: result.common_prefix]
    common = result.common_prefix
    assert result.before[common : common + 1] != result.after[common:][:1]
    monkeypatch.setattr(generation, "_originals", MemoryCache(4))
    file = wb.compress(gpt, COARSE)
    assert wb.generate(gpt, file, prompt="\nI love", characters=40, seed=3) == result
    assert (
        wb.generate(gpt, COARSE, prompt="\nI love", characters=40, seed=4).before != result.before
    )
    assert f"before: {result.before}" in repr(result)


@pytest.mark.slow
def test_uncompressed_file_generates_the_same_text(gpt):
    result = wb.generate(gpt, wb.Recipe(), characters=30)
    assert result.before == result.after
    assert result.common_prefix == 30


def test_characters_are_sampled_by_inversion(gpt):
    result = wb.generate(gpt, wb.Recipe(), prompt="\nSo", characters=1, seed=7, temperature=0.5)
    inputs = gpt.task.inputs(encode("\nSo")[None])
    with torch.no_grad():
        logits = call(gpt.module(), gpt.weights(), inputs)[0, -1].double()
    cumulative = torch.softmax(logits / 0.5, 0).cumsum(0).numpy()
    expected = np.searchsorted(cumulative, np.random.default_rng(7).random())
    assert result.before == gpt.task.classes[expected]


def test_incremental_decoding_equals_a_single_pass(gpt):
    ids = gpt.task.inputs(gpt.task.split("validation").examples[:1, :40])
    with torch.no_grad():
        expected = call(gpt.module(), gpt.weights(), ids)
        module = gpt.module()
        start_incremental_decoding(module)
        pieces = [call(module, gpt.weights(), ids[:, :20])]
        pieces += [call(module, gpt.weights(), ids[:, n : n + 1]) for n in range(20, 40)]
    torch.testing.assert_close(torch.cat(pieces, 1), expected, atol=1e-5, rtol=1e-4)


@pytest.mark.slow
def test_text_longer_than_the_context_window(gpt):
    result = wb.generate(gpt, wb.Recipe(), prompt="\n" + "a" * 250, characters=150)
    assert result.before == result.after
    assert len(result.after) == 150


def test_example_prompts_are_starts_of_reviews(gpt):
    result = [example_prompt(gpt.task, number) for number in range(20)]
    assert len(set(result)) == 20
    assert all(text[0] == "\n" and 0 < len(text) <= 33 for text in result)
    assert example_prompt(gpt.task, 10**6)


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"prompt": ""}, "argument.empty_prompt"),
        ({"characters": 0}, "argument.not_a_count"),
        ({"characters": 10**6}, "argument.too_many_characters"),
        ({"temperature": 0.0}, "argument.temperature_out_of_range"),
        ({"temperature": float("nan")}, "argument.temperature_out_of_range"),
        ({"seed": -1}, "argument.not_a_count"),
    ],
)
def test_invalid_settings_are_an_error(gpt, settings, code):
    with raises(code):
        wb.generate(gpt, COARSE, **settings)


def test_model_without_characters_is_an_error(small):
    with raises("model.cannot_generate"):
        wb.generate(small, COARSE)


def test_progress_and_cancel(gpt):
    fractions = []
    options = {"cancel": CancelToken(lambda: len(fractions) > 5, fractions.append)}
    with pytest.raises(Cancelled):
        wb.generate(gpt, COARSE, seed=99, **options)
    assert fractions == sorted(fractions)
