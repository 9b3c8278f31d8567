"""What a language model writes: the same lot for both, and the same text whenever it is asked."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import workbench as wb
from tests.untrained import untrained
from workbench.analysis import generation
from workbench.analysis.generation import example_prompt
from workbench.cache.memory import MemoryCache
from workbench.errors import Cancelled, WorkbenchError
from workbench.runtime.batch import call
from workbench.zoo.attention import start_incremental_decoding
from workbench.zoo.reviews_lm.characters import encode

COARSE = wb.Recipe(quantize=wb.Quantize(bits=2))


@pytest.fixture
def gpt():
    return untrained("reviews-lm/gpt")


def test_both_begin_alike_and_repeat_themselves(gpt, monkeypatch):
    found = wb.generate(gpt, COARSE, prompt="\nI love", characters=40, seed=3)
    assert len(found.before) == len(found.after) == 40
    assert found.before[: found.common_prefix] == found.after[: found.common_prefix]
    assert (
        found.before[found.common_prefix : found.common_prefix + 1]
        != found.after[found.common_prefix :][:1]
    )
    monkeypatch.setattr(generation, "_originals", MemoryCache(4))
    assert (
        wb.generate(gpt, wb.compress(gpt, COARSE), prompt="\nI love", characters=40, seed=3)
        == found
    )
    assert wb.generate(gpt, COARSE, prompt="\nI love", characters=40, seed=4).before != found.before
    assert f"before: {found.before}" in repr(found)


def test_an_untouched_file_writes_what_the_original_does(gpt):
    found = wb.generate(gpt, wb.Recipe(), characters=30)
    assert found.before == found.after
    assert found.common_prefix == 30


def test_a_character_is_drawn_by_the_inverse_of_the_distribution(gpt):
    found = wb.generate(gpt, wb.Recipe(), prompt="\nSo", characters=1, seed=7, temperature=0.5)
    inputs = gpt.task.inputs(encode("\nSo")[None])
    with torch.no_grad():
        logits = call(gpt.module(), gpt.weights(), inputs)[0, -1].double()
    shares = torch.softmax(logits / 0.5, 0).cumsum(0).numpy()
    expected = np.searchsorted(shares, np.random.default_rng(7).random())
    assert found.before == gpt.task.classes[expected]


def test_what_is_read_piece_by_piece_is_what_is_read_at_once(gpt):
    ids = gpt.task.inputs(gpt.task.split("validation").examples[:1, :40])
    with torch.no_grad():
        whole = call(gpt.module(), gpt.weights(), ids)
        module = gpt.module()
        start_incremental_decoding(module)
        pieces = [call(module, gpt.weights(), ids[:, :20])]
        pieces += [call(module, gpt.weights(), ids[:, n : n + 1]) for n in range(20, 40)]
    torch.testing.assert_close(torch.cat(pieces, 1), whole, atol=1e-5, rtol=1e-4)


def test_texts_longer_than_what_the_model_sees(gpt):
    found = wb.generate(gpt, wb.Recipe(), prompt="\n" + "a" * 250, characters=150)
    assert found.before == found.after
    assert len(found.after) == 150


def test_openings_are_how_reviews_of_the_validation_split_begin(gpt):
    found = [example_prompt(gpt.task, number) for number in range(20)]
    assert len(set(found)) == 20
    assert all(text[0] == "\n" and 0 < len(text) <= 33 for text in found)
    assert example_prompt(gpt.task, 10**6)


@pytest.mark.parametrize(
    "wrong",
    [
        {"prompt": ""},
        {"characters": 0},
        {"characters": 10**6},
        {"temperature": 0.0},
        {"temperature": float("nan")},
        {"seed": -1},
    ],
)
def test_what_makes_no_sense_is_refused(gpt, wrong):
    with pytest.raises(WorkbenchError):
        wb.generate(gpt, COARSE, **wrong)


def test_a_model_that_predicts_no_characters_is_refused(small):
    with pytest.raises(WorkbenchError, match="can write"):
        wb.generate(small, COARSE)


def test_a_cancel_is_heard_and_progress_told(gpt):
    shares = []
    with pytest.raises(Cancelled):
        wb.generate(
            gpt, COARSE, seed=99, cancelled=lambda: len(shares) > 5, on_progress=shares.append
        )
    assert shares == sorted(shares)
