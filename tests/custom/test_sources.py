"""Modules from files, transformers, timm and Keras."""

import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file, save_model
from torch import nn
from torch.utils.data import DataLoader

import workbench as wb
from tests.raises import raises

RECIPE = wb.Recipe(prune=wb.Prune(sparsity=0.5), quantize=wb.Quantize(bits=4))
SPLITS = ("train", "validation", "test")


class Tied(nn.Module):
    """Its first and last layer share a weight."""

    def __init__(self):
        super().__init__()
        self.first = nn.Embedding(7, 3)
        self.last = nn.Linear(3, 7, bias=False)
        self.last.weight = self.first.weight
        self.register_buffer("scale", torch.tensor(2.0), persistent=False)

    def forward(self, x):
        return self.last(self.first(x)) * self.scale


def network():
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 3))


# --- checkpoints ---------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".safetensors", ".pt", ".pth"])
def test_weights_from_a_file(tmp_path, ending):
    path, trained = tmp_path / f"weights{ending}", network()
    if ending == ".safetensors":
        save_file(trained.state_dict(), path)
    else:
        torch.save({"epoch": 3, "model_state_dict": trained.state_dict()}, path)
    target = network()
    module = wb.from_checkpoint(path, target)
    assert module is target
    assert not module.training
    for name, tensor in trained.state_dict().items():
        assert torch.equal(module.state_dict()[name], tensor)


def test_a_tied_tensor_may_be_stored_once(tmp_path):
    trained = Tied()
    save_model(trained, str(tmp_path / "tied.safetensors"))
    module = wb.from_checkpoint(tmp_path / "tied.safetensors", Tied())
    assert torch.equal(module.last.weight, trained.first.weight)
    assert module.last.weight is module.first.weight


def test_a_file_that_runs_code_is_not_opened(tmp_path):
    class Bad:
        def __reduce__(self):
            return Path.touch, (tmp_path / "ran",)

    torch.save({"weight": Bad()}, tmp_path / "bad.pt")
    with raises("file.unsafe_pickle", "safetensors"):
        wb.from_checkpoint(tmp_path / "bad.pt", nn.Linear(2, 2))
    assert not (tmp_path / "ran").exists()


def without(names):
    return lambda weights: {n: t for n, t in weights.items() if n not in names}


WRONG = {
    "missing": (without({"0.weight"}), ["0.weight is missing."]),
    "many missing": (
        lambda weights: {"0.bias": weights["0.bias"]},
        ["0.weight, ", "(8) are missing"],
    ),
    "unexpected": (
        lambda weights: weights | {"head": torch.zeros(1)},
        ["head is not in the module"],
    ),
    "both": (
        lambda weights: without({"0.bias"})(weights) | {"head": torch.zeros(1)},
        ["0.bias is missing", "head is not in the module"],
    ),
    "another shape": (
        lambda weights: weights | {"0.weight": torch.zeros(8, 5)},
        ["0.weight has another shape", "(8, 5)", "(8, 4)"],
    ),
}


@pytest.mark.parametrize(("change", "facts"), WRONG.values(), ids=WRONG)
def test_weights_of_another_network_are_refused(tmp_path, change, facts):
    save_file(change(network().state_dict()), tmp_path / "w.safetensors")
    module = network()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    with raises("file.wrong_module", *facts):
        wb.from_checkpoint(tmp_path / "w.safetensors", module)
    assert all(torch.equal(module.state_dict()[name], tensor) for name, tensor in before.items())


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("none.safetensors", None, "file.missing"),
        ("bad.safetensors", b"nonsense", "file.not_safetensors"),
        ("bad.pt", b"nonsense", "file.unsafe_pickle"),
    ],
)
def test_invalid_files_are_refused(tmp_path, name, content, code):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with raises(code, name):
        wb.from_checkpoint(tmp_path / name, network())


def test_a_file_without_named_tensors_is_refused(tmp_path):
    torch.save([1, 2], tmp_path / "list.pt")
    with raises("file.no_tensors", "list.pt"):
        wb.from_checkpoint(tmp_path / "list.pt", network())


# --- missing packages ----------------------------------------------------------------------------

LOADERS = {
    "timm": lambda: wb.from_timm("resnet18"),
    "transformers": lambda: wb.from_transformers("bert"),
    "keras": lambda: wb.from_keras(None),
}


@pytest.mark.parametrize("name", LOADERS)
def test_a_missing_package_is_reported_with_the_install_command(monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    with raises("plugin.package_missing", f"package {name}", f"pip install {name}"):
        LOADERS[name]()


def fake(tmp_path, monkeypatch, name, code):
    (tmp_path / f"{name}.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, name, raising=False)


def test_a_missing_dependency_of_a_package_is_reported(tmp_path, monkeypatch):
    fake(tmp_path, monkeypatch, "timm", "import no_such_vision")
    with raises("plugin.package_missing", "pip install timm no_such_vision"):
        wb.from_timm("resnet18")


def test_a_package_that_fails_to_import_is_reported(tmp_path, monkeypatch):
    fake(tmp_path, monkeypatch, "timm", "raise ValueError('too old')")
    with raises("plugin.import_failed", "timm", "ValueError: too old"):
        wb.from_timm("resnet18")


def test_keras_on_another_backend_is_refused(tmp_path, monkeypatch):
    code = "class backend:\n    backend = staticmethod(lambda: 'jax')\n"
    fake(tmp_path, monkeypatch, "keras", code)
    with raises("module.keras_backend", "jax", "KERAS_BACKEND=torch"):
        wb.from_keras(None)
    sys.modules.pop("keras", None)


# --- tied weights without any package ------------------------------------------------------------


def test_tied_weights_and_unsaved_buffers_survive_a_round_trip():
    ids = torch.randint(0, 7, (40, 5), generator=torch.Generator().manual_seed(0))
    module = Tied()
    data = dict.fromkeys(SPLITS, ({"x": ids}, ids))
    model = wb.from_module(module, **data, name="tied", metric="perplexity")
    artifact = wb.compress(model, RECIPE)
    score = wb.measure(model, RECIPE, timed=False).score
    assert wb.evaluate(artifact, timed=False).score.value == score.value
    rebuilt = wb.to_module(artifact)
    assert torch.equal(rebuilt.last.weight, rebuilt.first.weight)
    assert rebuilt(ids[:2]).device.type == "cpu"


# --- transformers --------------------------------------------------------------------------------

SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": 50}


def saved(tmp_path, kind, config):
    """Return the model as it is read back from a folder."""
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    module = getattr(transformers, kind)(getattr(transformers, config[0])(**config[1]))
    module.save_pretrained(tmp_path)
    return wb.from_transformers(tmp_path)


def ids(*shape):
    return torch.randint(3, 50, shape, generator=torch.Generator().manual_seed(1))


def check(model):
    artifact = wb.compress(model, RECIPE)
    report = wb.measure(model, RECIPE, timed=False)
    assert report.size.bytes == len(artifact) < model.original_bytes
    assert wb.evaluate(artifact, timed=False).score.value == report.score.value


def test_a_bert_classifier_with_named_inputs(tmp_path):
    config = ("BertConfig", {**SMALL, "intermediate_size": 64, "num_labels": 3})
    module = saved(tmp_path, "BertForSequenceClassification", config)
    assert not module.training
    inputs = {"input_ids": ids(60, 10), "attention_mask": torch.ones(60, 10, dtype=torch.int64)}
    model = wb.from_module(module, **dict.fromkeys(SPLITS, (inputs, ids(60) % 3)), name="bert")
    assert model.task.metric.name == "accuracy"
    check(model)
    calibrated = wb.Recipe(
        prune=wb.Prune(sparsity=0.5, criterion="gradient"),
        quantize=wb.Quantize(bits=4, rounding="compensated"),
    )
    assert wb.measure(model, calibrated, timed=False).exact


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("GPT2LMHeadModel", ("GPT2Config", {"n_embd": 32, "n_layer": 2, "n_head": 2})),
        ("LlamaForCausalLM", ("LlamaConfig", {**SMALL, "intermediate_size": 64})),
    ],
)
def test_language_models_with_tied_weights_or_rotary_positions(tmp_path, kind, config):
    module = saved(tmp_path, kind, (config[0], {**config[1], "vocab_size": 50}))
    text = ids(40, 16)
    data = dict.fromkeys(SPLITS, ({"input_ids": text[:, :-1]}, text[:, 1:]))
    model = wb.from_module(module, **data, name="lm", metric="perplexity")
    check(model)


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        (
            "T5ForConditionalGeneration",
            ("T5Config", {"d_model": 32, "d_ff": 64, "num_layers": 2, "num_heads": 2, "d_kv": 16}),
        ),
        (
            "BartForConditionalGeneration",
            (
                "BartConfig",
                {
                    "d_model": 32,
                    "encoder_layers": 1,
                    "decoder_layers": 1,
                    "encoder_attention_heads": 2,
                    "decoder_attention_heads": 2,
                    "encoder_ffn_dim": 64,
                    "decoder_ffn_dim": 64,
                },
            ),
        ),
    ],
)
def test_sequence_to_sequence_from_a_loader(tmp_path, kind, config):
    module = saved(tmp_path, kind, (config[0], {**config[1], "vocab_size": 50}))
    questions, answers = ids(40, 8), ids(40, 6)
    rows = [
        ({"input_ids": question, "decoder_input_ids": answer}, answer)
        for question, answer in zip(questions, answers, strict=True)
    ]
    data = {split: DataLoader(rows, batch_size=8) for split in SPLITS}
    model = wb.from_module(module, **data, name="translator")
    assert model.task.metric.name == "perplexity"
    check(model)


def test_a_folder_without_a_model_is_refused(tmp_path):
    pytest.importorskip("transformers")
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    with raises("module.loading_failed", tmp_path.name) as caught:
        wb.from_transformers(tmp_path)
    assert "\n" not in str(caught.value)


# --- timm ----------------------------------------------------------------------------------------


def test_a_timm_model_by_name():
    pytest.importorskip("timm", exc_type=ImportError)  # torchvision may be missing
    module = wb.from_timm("test_resnet", num_classes=3)
    inputs = torch.randn(20, 3, 32, 32)
    check(wb.from_module(module, **dict.fromkeys(SPLITS, (inputs, ids(20) % 3)), name="timm"))


# --- Keras ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_keras_model(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    if keras.backend.backend() != "torch":
        pytest.skip("Keras was loaded on another backend")
    layers = keras.layers
    original = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(3, name="type"),
        ]
    )
    inputs = torch.randn(60, 8, 8, 1)
    before = original(inputs, training=False).detach()
    module = wb.from_keras(original)
    assert torch.equal(module(inputs), before)
    model = wb.from_module(module, **dict.fromkeys(SPLITS, (inputs, ids(60) % 3)), name="keras")
    assert len(model.layers) == 2
    assert model.card["macs"] > 0
    check(model)
    assert torch.equal(original(inputs, training=False), before)
    with raises("module.invalid_type", "keras.Model", "3"):
        wb.from_keras(3)
    with raises("module.not_built"):
        wb.from_keras(keras.Sequential([layers.Dense(3)]))
