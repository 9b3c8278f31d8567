"""The optional models MiniLM and Silero VAD; nothing is downloaded."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

import workbench as wb
from workbench.contrib import minilm, silero
from workbench.contrib.wordpiece import encode, word_pieces

IDS = {
    piece: n
    for n, piece in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "un", "##aff", "##able", "'"])
}


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("unaffable", [4, 5, 6]),
        ("un", [4]),
        ("able", [1]),
        ("unx", [1]),
        pytest.param("unaffaff" + 23 * "able", [4, 5, 5] + 23 * [6], id="100 characters"),
        pytest.param("unaff" + 24 * "able", [1], id="101 characters"),
    ],
)
def test_words_are_split_into_the_longest_pieces(word, expected):
    assert word_pieces(word, IDS) == expected


def test_texts_are_delimited_padded_and_truncated():
    rows = encode([["UN", "un'un"], ["ün"] * 9], IDS, 7)
    assert rows.tolist() == [[2, 4, 4, 7, 4, 3, 0], [2, 4, 4, 4, 4, 4, 3]]


@pytest.mark.parametrize("extra", [minilm, silero])
def test_without_its_package_an_extra_has_no_models(monkeypatch, extra):
    monkeypatch.setattr(extra, "find_spec", lambda name: None)
    assert extra.plugins() == []


@pytest.mark.slow
def test_sounds_are_reproducible():
    from workbench.contrib.voices import sounds

    first, labels = sounds(6, 4096, 1)
    again, _ = sounds(6, 4096, 1)
    assert np.array_equal(first, again)
    assert sorted(labels) == [0, 0, 0, 1, 1, 1]
    assert np.isfinite(first).all()
    assert np.abs(first).max() < 1.5


def test_pieces_are_those_of_the_tokenizer():
    if find_spec(minilm.PACKAGE) is None:
        pytest.skip("MiniLM is not installed")
    tokenizers = pytest.importorskip("tokenizers")
    from workbench.zoo.reviews.words import detokenize, tokens

    theirs = tokenizers.Tokenizer.from_file(str(minilm._folder() / "tokenizer.json"))
    theirs.enable_truncation(minilm.LENGTH)
    theirs.enable_padding(length=minilm.LENGTH)
    rows = [tokens(row) for row in wb.task("reviews").split("test").examples[:200]]
    rows = [row for row in rows if "[unknown]" not in row]
    ours = encode(rows, minilm._vocabulary(), minilm.LENGTH)
    assert ours.tolist() == [theirs.encode(detokenize(row)).ids for row in rows]


def test_the_encoder_equals_that_of_transformers():
    if find_spec(minilm.PACKAGE) is None:
        pytest.skip("MiniLM is not installed")
    transformers = pytest.importorskip("transformers")
    from safetensors.torch import load_file

    from workbench.contrib.sentences import encoder

    task = minilm._task()
    ids = task.inputs(task.split("test").examples[:4])
    ours = encoder(load_file(minilm._folder() / "model.safetensors"), task)
    theirs = transformers.BertModel.from_pretrained(minilm._folder(), local_files_only=True).eval()
    real = (ids != 0).long()
    with torch.no_grad():
        features = ours.features(ids)
        states = theirs(input_ids=ids, attention_mask=real).last_hidden_state
    mean = (states * real[..., None]).sum(1) / real.sum(1, keepdim=True)
    assert torch.allclose(features, torch.nn.functional.normalize(mean), atol=1e-5)


def test_the_detector_equals_the_torchscript_file_of_silero():
    if find_spec(silero.PACKAGE) is None:
        pytest.skip("Silero VAD is not installed")
    from workbench.contrib.voice_detector import load_detector

    data = Path(find_spec(silero.PACKAGE).origin).parent / "data"
    theirs = torch.jit.load(data / "silero_vad.jit").eval()
    renamed = {
        "stft_conv": "stft.forward_basis_buffer",
        **{f"conv{n + 1}": f"encoder.{n}.reparam_conv" for n in range(4)},
        "final_conv": "decoder.decoder.2",
        "lstm_cell": "decoder.rnn",
    }
    stored = theirs._model.state_dict()
    weights = {}
    for ours, name in renamed.items():
        for full, tensor in stored.items():
            if full.startswith(name):
                weights[ours + (full.removeprefix(name) or ".weight")] = tensor
    module = load_detector(weights)
    sounds = torch.from_numpy(silero.TASK.split("test").examples[:3])
    with torch.no_grad():
        actual = module.frame_logits(sounds).sigmoid()
        theirs.reset_states()
        expected = [theirs(frame, 16_000) for frame in sounds.split(512, dim=1)]
    assert torch.allclose(actual, torch.cat(expected, 1), atol=1e-4)


def test_silero_detects_the_synthetic_voices():
    if find_spec(silero.PACKAGE) is None:
        pytest.skip("Silero VAD is not installed")
    model = wb.model("voices/silero-vad")
    assert model.card["parameters"] == 309_633
    assert model.metric_value("test") > 0.75
    recipe = wb.Recipe(quantize=wb.Quantize(bits=8))
    assert wb.measure(model, recipe, timed=False).size.bytes < model.original_bytes / 3
