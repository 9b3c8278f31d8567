"""Predicted peak memory, against hand counts and the allocations that PyTorch's profiler sees."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.profiler import ProfilerActivity, profile

import workbench as wb
from tests.raises import raises
from workbench.profiling.memory.memory import KINDS
from workbench.profiling.memory.predict import memory
from workbench.profiling.memory.recurrent import saved_workspace

N, A, B, C = 32, 100, 200, 10
TOLERANCE = 0.1


class Recurrent(nn.Module):
    """An LSTM that returns its outputs only."""

    def __init__(self, features=16, hidden=32):
        super().__init__()
        self.lstm = nn.LSTM(features, hidden, batch_first=True)

    def forward(self, x):
        return self.lstm(x)[0]


def mlp():
    return nn.Sequential(nn.Linear(A, B), nn.ReLU(), nn.Linear(B, C))


def allocated(module, inputs, *, training):
    """Return the bytes of weights, states and inputs, plus the peak that the profiler records."""
    optimizer = torch.optim.AdamW(module.parameters())
    module.train(training)

    def step():
        outputs = module(inputs)
        if training:
            targets = torch.zeros(outputs.flatten(0, -2).shape[0], dtype=torch.int64)
            functional.cross_entropy(outputs.flatten(0, -2), targets).backward()
            optimizer.step()

    with torch.set_grad_enabled(training):
        for _ in range(2):
            step()
            optimizer.zero_grad()
        with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recorded:
            step()
    events = recorded.profiler.kineto_results.events()
    changes = [(e.start_ns(), e.nbytes()) for e in events if e.name() == "[memory]"]
    now = highest = 0
    for _, change in sorted(changes, key=lambda change: change[0]):
        now += change
        highest = max(highest, now)
    states = [t for s in optimizer.state.values() for t in s.values() if training]
    known = [*module.parameters(), *module.buffers(), inputs, *states]
    return highest + sum(t.untyped_storage().nbytes() for t in known)


def concrete(model):
    """Return a built-in model as a plain module with its weights."""
    module = model.module()
    buffers = {name: buffer for name, buffer in module.named_buffers() if not buffer.is_meta}
    module = module.to_empty(device="cpu")
    module.load_state_dict(model.weights(), strict=False)
    for name, buffer in buffers.items():
        module.get_buffer(name).copy_(buffer)
    return module


def test_inference_of_linear_layers_by_hand():
    peak = memory(mlp(), torch.zeros(N, A)).inference
    weights = 4 * (A * B + B + B * C + C)
    assert peak.bytes["weights"] == weights
    assert peak.bytes["inputs"] == 4 * N * A
    assert peak.bytes["activations"] == 2 * 4 * N * B  # before and after the ReLU
    assert peak.total == weights + 4 * N * A + 2 * 4 * N * B


def test_training_has_gradients_and_states():
    weights = 4 * (A * B + B + B * C + C)
    sizes = {
        name: memory(mlp(), torch.zeros(N, A), optimizer=name).training.bytes["optimizer"]
        for name in ("sgd", "momentum", "adam")
    }
    assert sizes == {"sgd": 0, "momentum": weights, "adam": 2 * weights + 4 * 4}  # and a step each


CASES = {
    "linear layers": (mlp, (N, A)),
    "convolutions": (
        lambda: nn.Sequential(
            *(nn.Conv2d(3, 12, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(12, 24, 5)),
            *(nn.BatchNorm2d(24), nn.ReLU(), nn.Flatten(), nn.Linear(24 * 81, C)),
        ),
        (N, 3, 28, 28),
    ),
    "encoder": (
        lambda: nn.TransformerEncoderLayer(64, 4, 128, batch_first=True, norm_first=True),
        (N, 16, 64),
    ),
    "LSTM": (Recurrent, (N, 10, 16)),
    "wide LSTM": (lambda: Recurrent(100, 128), (N, 20, 100)),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_against_the_profiler(case):
    make, shape = CASES[case]
    module, inputs = make(), torch.randn(shape)
    predicted = memory(module, inputs)
    expected = allocated(module, inputs, training=True)
    assert predicted.training.total == pytest.approx(expected, rel=TOLERANCE)


SHORT = [name for name in wb.models() if name != "reviews/gru"]
"""Built-in models without the longest unrolled one; benchmarks/memory.py has it."""


@pytest.mark.parametrize(("steps", "features", "hidden"), [(10, 64, 32), (20, 16, 32), (5, 20, 64)])
def test_workspace_of_an_lstm_byte_by_byte(steps, features, hidden):
    layer = nn.LSTM(features, hidden)
    weights = [*layer.parameters()]
    state = torch.zeros(1, N, hidden)
    arguments = torch.randn(steps, N, features), *weights, state, state, False, []
    settings = 2, hidden, 1, True, False, False, True
    function = torch.ops.aten.mkldnn_rnn_layer.default
    saved = function(*arguments, *settings)[3]
    assert saved_workspace(function, (*arguments, *settings)) == saved.untyped_storage().nbytes()


@pytest.mark.slow
@pytest.mark.parametrize("name", SHORT)
def test_built_in_models_against_the_profiler(name):
    model = wb.model(name)
    inputs = model.task.inputs(model.task.split("validation").examples[:8])
    predicted, module = memory(model, batch=8), concrete(model)
    for training, peak in ((True, predicted.training), (False, predicted.inference)):
        expected = allocated(module, inputs, training=training)
        assert peak.total == pytest.approx(expected, rel=TOLERANCE), training


def test_a_module_on_the_meta_device_takes_no_memory():
    with torch.device("meta"):
        module = nn.Sequential(nn.Linear(50_000, 50_000), nn.ReLU(), nn.Linear(50_000, 10))
    result = memory(module, torch.empty(2, 50_000, device="meta"), batch=16, optimizer="momentum")
    weights = 4 * (50_000 * 50_000 + 50_000 + 500_000 + 10)
    assert result.training.bytes["weights"] == result.training.bytes["optimizer"] == weights
    assert result.batch == 16


def test_the_module_stays_as_it_is():
    module = nn.Sequential(nn.Linear(A, B), nn.BatchNorm1d(B), nn.Dropout(0.5))
    module[1].eval()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    state = torch.get_rng_state()
    memory(module, torch.zeros(N, A))
    assert torch.equal(state, torch.get_rng_state())
    assert module.training
    assert not module[1].training
    assert all(parameter.grad is None for parameter in module.parameters())
    for name, tensor in module.state_dict().items():
        assert torch.equal(tensor, before[name])
        assert not tensor.is_meta


def test_frozen_weights_have_no_gradients():
    module = mlp()
    module[0].requires_grad_(False)
    peak = memory(module, torch.zeros(N, A), optimizer="momentum").training
    assert peak.bytes["optimizer"] == 4 * (B * C + C)


def test_a_loss_of_the_module_itself_is_used():
    class WithLoss(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(A, B)

        def forward(self, x):
            return {"loss": self.layer(x).square().mean(), "logits": x}

    assert memory(WithLoss(), torch.zeros(N, A)).training.bytes["optimizer"] > 8 * A * B


def test_results_are_plain_data():
    result = memory(mlp(), torch.zeros(N, A))
    data = json.loads(json.dumps(result.as_dict()))
    assert data["training"]["total"] == sum(data["training"][kind] for kind in KINDS)
    frame = result.to_frame()
    assert len(frame["bytes"]) == 2 * len(KINDS)
    assert "predicted" in result._repr_mimebundle_()["text/html"]
    assert {trace["type"] for trace in result.plot().figure["data"]} == {"bar"}


def test_a_module_that_depends_on_values_runs_on_real_ones():
    module, inputs = Branching(), torch.ones(2, A)
    state = torch.get_rng_state()
    result = memory(module, inputs, batch=N)
    assert result.computed
    assert torch.equal(state, torch.get_rng_state())
    assert module.layer.weight.grad is None
    assert result.training.total == memory(module.layer, inputs, batch=N).training.total
    assert "real values" in result._repr_mimebundle_()["text/html"]


def test_the_mask_of_a_decoder_is_compared_with_a_causal_one():
    layer = nn.TransformerDecoderLayer(32, 4, 64, batch_first=True)
    decoder = nn.TransformerDecoder(layer, 2)
    inputs = {
        "tgt": torch.randn(4, 8, 32),
        "memory": torch.randn(4, 8, 32),
        "tgt_mask": nn.Transformer.generate_square_subsequent_mask(8),
    }
    assert memory(decoder, inputs).computed


class Branching(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(A, B)

    def forward(self, x):
        return self.layer(x) if x[0, 0] > 0 else x


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: memory("lenet"), "memory.no_module"),
        (lambda: memory(mlp()), "memory.no_inputs"),
        (lambda: memory(mlp(), torch.tensor(1.0)), "memory.no_inputs"),
        (lambda: memory(mlp(), torch.zeros(N, A + 1)), "memory.module_failed"),
        (lambda: memory(Branching(), torch.zeros(N, A, device="meta")), "memory.needs_values"),
        (lambda: memory(mlp(), torch.zeros(N, A), batch=0), "argument.not_a_count"),
        (
            lambda: memory(mlp(), torch.zeros(N, A), optimizer="lion"),
            "memory.unknown_optimizer",
        ),
        (
            lambda: memory(mlp().requires_grad_(False), torch.zeros(N, A)),
            "memory.nothing_to_train",
        ),
    ],
)
def test_errors(call, code):
    with raises(code):
        call()
