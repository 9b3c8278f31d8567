"""The built-in models match their cards."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save, save_file
from torch.func import functional_call
from torch.utils.flop_counter import FlopCounterMode

from tests.raises import raises
from workbench import zoo
from workbench.domain.model import Architecture
from workbench.evaluation.reference import predict
from workbench.zoo import registry

FLOORS = {
    "fashion/lenet-300-100": 0.86,
    "fashion/lenet5": 0.89,
    "fashion/resnet": 0.91,
    "fashion/lenet5-narrow": 0.88,
    "fashion/mlp-32": 0.84,
    "fashion/cnn-10k": 0.87,
}
NAMES = tuple(FLOORS)


def test_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_user_models", registry.UserModels())
    assert zoo.tasks() == ("fashion", "reviews", "reviews-lm", "vowels")
    assert zoo.models("fashion") == NAMES
    assert zoo.models() == tuple(name for task in zoo.tasks() for name in zoo.models(task))
    assert [zoo.model(name).name for name in NAMES] == list(NAMES)


def test_unknown_names_list_the_choices() -> None:
    with raises("name.unknown", "'lenet'", "fashion/lenet5, fashion/resnet"):
        zoo.model("lenet")
    for lookup in (zoo.task, zoo.models):
        with raises("name.unknown", "'cars'", "fashion"):
            lookup("cars")


@pytest.mark.parametrize(
    ("name", "parameters"), [("fashion/lenet-300-100", 266_610), ("fashion/lenet5", 431_080)]
)
def test_published_parameter_counts(name: str, parameters: int) -> None:
    model = zoo.model(name)
    assert sum(p.numel() for p in model.module().parameters()) == parameters
    assert model.card["parameters"] == parameters


def test_resnet_is_small() -> None:
    model = zoo.model("fashion/resnet")
    parameters = sum(p.numel() for p in model.module().parameters())
    assert parameters == model.card["parameters"]
    assert 250_000 <= parameters <= 350_000
    assert model.card["macs"] <= 10_000_000


@pytest.mark.parametrize("name", NAMES)
def test_card_describes_the_checkpoint(name: str, tmp_path: Path) -> None:
    model = zoo.model(name)
    content = model.architecture.checkpoint.read_bytes()
    assert hashlib.sha256(content).hexdigest() == model.digest
    assert len(content) == model.original_bytes
    save_file(load_file(model.architecture.checkpoint), tmp_path / "saved")
    assert (tmp_path / "saved").read_bytes() == content
    with FlopCounterMode(display=False) as counter:
        model.module()(torch.zeros(1, 1, 28, 28, device="meta"))
    assert counter.get_total_flops() == 2 * model.card["macs"]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_validation_accuracy_matches_the_card(name: str) -> None:
    from sklearn.metrics import f1_score, recall_score

    model = zoo.model(name)
    split = model.task.split("validation")
    predicted = predict(model, model.weights(), split.examples)
    correct = int((predicted == split.labels).sum())
    assert {"correct": correct, "examples": 5_000} == model.card["accuracy"]["validation"]
    for key, figure in (("recall", recall_score), ("f1", f1_score)):
        value = figure(split.labels, predicted, average="macro")
        assert model.card["figures"][key] == pytest.approx(value)
    # The reference evaluation must equal float64, although it uses float32 where it can.
    weights = {n: w.double() for n, w in model.weights().items()}
    x = model.task.inputs(split.examples[:300]).double()
    with torch.no_grad():
        exact = functional_call(model.module(), weights, x, strict=True).argmax(1)
    assert predicted[:300].tolist() == exact.tolist()


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_test_accuracy_reaches_its_floor(name: str) -> None:
    model = zoo.model(name)
    split = model.task.split("test")
    correct = int((predict(model, model.weights(), split.examples) == split.labels).sum())
    assert {"correct": correct, "examples": 10_000} == model.card["accuracy"]["test"]
    assert correct >= FLOORS[name] * 10_000


@pytest.mark.parametrize("name", NAMES)
def test_weights_fit_a_meta_module_in_every_type_and_layout(name: str) -> None:
    model = zoo.model(name)
    shell, weights = model.module(), model.weights()
    assert all(t.is_meta for t in shell.state_dict().values())
    assert not shell.training
    x = model.task.inputs(model.task.split("validation").examples[:8])
    logits = functional_call(shell, weights, x, strict=True)
    tolerances = {torch.float32: 1e-4, torch.float64: 1e-4, torch.bfloat16: 0.3}
    for dtype, tolerance in tolerances.items():
        cast = {n: w.to(dtype) if w.is_floating_point() else w for n, w in weights.items()}
        x_cast = x.to(dtype, memory_format=torch.channels_last)
        y = functional_call(shell, cast, x_cast, strict=True)
        assert y.dtype == dtype
        assert torch.allclose(y.float(), logits, atol=tolerance)


@pytest.mark.parametrize("name", NAMES)
def test_weights_are_shared_but_the_dict_is_not(name: str) -> None:
    model = zoo.model(name)
    weights = model.weights()
    assert {str(w.dtype) for w in weights.values()} <= {"torch.float32", "torch.int64"}
    predict(model, weights, model.task.split("validation").examples[:500])
    assert hashlib.sha256(save(weights)).hexdigest() == model.digest
    first = next(iter(weights))
    assert zoo.model(name).weights()[first].data_ptr() == weights.pop(first).data_ptr()
    assert first in model.weights()


def test_damaged_checkpoint_and_missing_card_raise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lenet5.safetensors"
    model = zoo.model("fashion/lenet5")
    monkeypatch.setattr(Architecture, "checkpoint", path)
    with raises("model.checkpoint_damaged", "lenet5.safetensors"):
        model.weights()
    path.write_bytes(b"something else")
    with raises("model.checkpoint_damaged", "lenet5.safetensors"):
        model.weights()
    with raises("model.card_damaged", "python -m workbench.checkpoints fashion/lenet5"):
        zoo.model("fashion/lenet5")


def test_listing_models_imports_no_torch() -> None:
    program = (
        "import sys; from workbench import zoo; zoo.tasks(); zoo.task('fashion');"
        "[zoo.model(n).digest for n in zoo.models()]; print('torch' in sys.modules)"
    )
    command = [sys.executable, "-c", program]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert output.strip() == "False"
