"""What no measured row describes, what the cache keeps on each chip, and what is impossible."""

from __future__ import annotations

import json

import pytest

import workbench as wb
from tests.raises import raises
from workbench.cli import main
from workbench.planner.cache import cached_elements
from workbench.planner.changes import changes
from workbench.planner.plan import architecture_of

TEXT = {"batch": 1, "context": 4096}


def cached(name, tokens, tensor=1):
    return cached_elements(architecture_of(name), tokens, tensor)


def test_windows_limit_the_cache_of_models_that_have_them():
    # keys and values of 32 layers, 4 heads of 128, a window of 4,096; 32 layers, 32 heads of 96
    assert cached("starcoder2-7b", 16_384) == 2 * 32 * 4 * 128 * 4096
    assert cached("phi-3-mini", 4000) == 2 * 32 * 32 * 96 * 2047


def test_every_chip_keeps_complete_heads_and_latent_vectors():
    heads = 2 * 80 * 128 * 1000  # of one of 8 heads for keys and values
    assert [cached("llama-3.1-70b", 1000, t) for t in (1, 4, 8, 64)] == [
        8 * heads,
        2 * heads,
        heads,
        heads,
    ]
    assert cached("deepseek-v3", 1000, 8) == cached("deepseek-v3", 1000) == 61 * 576 * 1000
    planned = wb.plan("llama-3.1-70b", "h200", tensor=64, new_tokens=1, **TEXT)
    assert planned.memory.kv_cache == 2 * 2 * 80 * 128 * 4097


@pytest.mark.parametrize(
    ("name", "settings", "calibrated"),
    [
        ("llama-3.1-8b", {"microbatch": 1, "sequence": 2048}, True),
        ("llama-3.1-8b", {"microbatch": 1, "sequence": 2048, "adapter_rank": 8}, False),
        ("mamba-2.8b", {"microbatch": 1, "sequence": 2048}, False),
        ("llama-3.1-8b", TEXT, True),
        ("llama-3.1-8b", TEXT | {"precision": "int4"}, False),
        ("llama-3.1-70b", TEXT | {"tensor": 8}, False),
    ],
)
def test_only_kinds_of_plans_with_measured_rows_are_calibrated(name, settings, calibrated):
    planned = wb.plan(name, "h100-sxm", **settings)
    assert planned.is_calibrated == calibrated
    interval = getattr(planned, "interval", None) or planned.decode_interval
    assert (interval.half_width > 0.2) == (not calibrated)


def test_learned_positions_limit_the_context():
    with raises("plan.too_long", "1,024"):
        wb.plan("gpt2", "h200", batch=1, context=1025)
    with raises("plan.too_long"):
        wb.plan("gpt2", "h200", microbatch=1, sequence=2048)
    (sentence,) = changes(wb.plan("gpt2", "h200", batch=1, context=1024))
    assert "the longest context 1,024 tokens" in sentence


def test_the_printed_layout_repeats_the_plan(capsys):
    command = ["plan", "train", "--config", "llama-3.1-70b", "--chip", "h100-sxm", "--precision"]
    command += ["amp", "--microbatch", "1", "--sequence", "2048", "--json"]
    assert main([*command, "--chips", "64"]) == 0
    best = json.loads(capsys.readouterr().out)
    flags = {"data": "dp", "tensor": "tp", "pipeline": "pp", "expert": "ep"}
    again = [f"--{flags.get(name, name)}={value}" for name, value in best["layout"].items()]
    assert main([*command, *again]) == 0
    repeated = json.loads(capsys.readouterr().out)
    assert repeated["step_ms"] == best["step_ms"]
    assert repeated["memory_gib"] == best["memory_gib"]


@pytest.mark.parametrize(
    ("config", "change", "code"),
    [
        ("gpt2", {"n_layer": 10**9}, "plan.config_size"),
        ("mixtral-8x7b", {"model_type": "qwen3_moe", "mlp_only_layers": 5}, "plan.config_value"),
    ],
)
def test_odd_entries_get_a_sentence(config, change, code):
    from workbench.planner.models import known_models

    with raises(code):
        architecture_of({**known_models()[config].config, **change})


def test_only_possible_changes_are_proposed():
    planned = wb.plan("falcon-7b", "rtx-4090", batch=64, context=2048)  # 71 heads
    assert not any("chips" in text for text in changes(planned))
    with raises("plan.size"):
        wb.plan("gpt2", "h200", microbatch=1, sequence=512).costs_as_dict(-1)
