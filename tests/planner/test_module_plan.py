from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import nn

import workbench as wb
from tests.raises import raises
from workbench.planner.chips import chip

INPUTS = torch.zeros(4, 256)


def module():
    return nn.Sequential(nn.Linear(256, 1024), nn.ReLU(), nn.Linear(1024, 10))


def with_memory(usable):
    return replace(chip("cpu"), usable=usable)


def test_the_memory_of_a_module_is_that_of_its_own_prediction():
    planned = wb.plan(module(), "cpu", inputs=INPUTS, batch=64, optimizer="sgd")
    alone = wb.memory(module(), INPUTS, batch=64, optimizer="sgd")
    assert planned.memory.training.total == alone.training.total
    assert planned.used("inference") == alone.inference.total
    assert planned.as_dict()["used_training"] == alone.training.total


def test_other_chips_add_their_driver():
    planned = wb.plan(module(), "h100-sxm", inputs=INPUTS)
    bytes_of = planned.memory.training.bytes
    tensors = planned.memory.training.total - bytes_of["workspace"]
    where = chip("h100-sxm")
    assert planned.used("training") == tensors + where.context + where.workspace


@pytest.mark.parametrize(("share", "answer"), [(1.2, True), (1.0, None), (0.8, False)])
def test_the_answer_is_open_within_the_error(share, answer):
    used = wb.memory(module(), INPUTS).training.total
    planned = wb.plan(module(), with_memory(share * used), inputs=INPUTS)
    assert planned.fits_training is answer


@pytest.mark.slow
def test_the_largest_batch_is_the_last_that_fits():
    planned = wb.plan(module(), with_memory(2e7), inputs=INPUTS)
    batch = planned.largest_batch()
    assert planned.fits("training", planned.predict(batch)) is True
    assert planned.fits("training", planned.predict(batch + 1)) is not True


def test_a_model_of_the_workbench_is_planned():
    planned = wb.plan(wb.model("fashion/mlp-32"), "edge-tpu")
    assert planned.fits_training is False  # it only runs trained networks
    assert planned.fits_inference is True
    assert "Edge TPU" in planned._repr_mimebundle_()["text/html"]
    assert planned.plot().figure["layout"]["shapes"][0]["x0"] == planned.chip.usable


def test_a_configuration_of_transformers_is_planned():
    entries = {
        "hidden_size": 256,
        "num_hidden_layers": 2,
        "num_attention_heads": 8,
        "intermediate_size": 512,
        "vocab_size": 1000,
    }
    config = SimpleNamespace(model_type="llama", to_dict=lambda: entries)
    of_config = wb.plan(config, "h200", batch=1, context=8)
    assert (
        of_config.architecture
        == wb.plan({**entries, "model_type": "llama"}, "h200", batch=1, context=8).architecture
    )
    model = SimpleNamespace(config=config)
    assert wb.plan(model, "h200", batch=1, context=8) == of_config


@pytest.mark.parametrize(
    ("config", "settings", "code"),
    [
        (5, {"batch": 1, "context": 1}, "plan.config_type"),
        (None, {"batch": 1, "context": 1}, "plan.config_type"),
        (module(), {"microbatch": 1, "sequence": 1}, "plan.setting"),
        (module(), {}, "memory.no_inputs"),
        (module(), {"inputs": torch.zeros(2, 3)}, "memory.module_failed"),
    ],
)
def test_what_cannot_be_planned_gets_a_sentence(config, settings, code):
    with raises(code):
        wb.plan(config, "h200", **settings)
