"""Single terms of plans, computed by hand from the sizes of published models."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import workbench as wb
from workbench.planner import intervals
from workbench.planner.activations import selected_bytes
from workbench.planner.adapters import widened_bytes
from workbench.planner.cache import cached_elements
from workbench.planner.chips import chip
from workbench.planner.flops import flops_per_token
from workbench.planner.jobs import InferenceJob, TrainingJob
from workbench.planner.links import link_work
from workbench.planner.measurements import training_rows
from workbench.planner.plan import architecture_of
from workbench.planner.power import decode_busy


def test_tokens_that_read_a_window():
    mistral = architecture_of("mistral-7b")  # 32 layers of 32 heads; keys and values of 128
    sequence, window = 32768, 4096
    read = np.minimum(np.arange(sequence) + 0.5, window).mean()
    multiplied = mistral.parameters - 32000 * 4096
    expected = 6 * multiplied + 6 * 32 * 32 * (128 + 128) * read
    assert flops_per_token(mistral, sequence) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("tensor", "heads"), [(1, 8), (3, 3), (8, 1), (16, 1)])
def test_each_chip_caches_complete_heads(tensor, heads):
    llama = architecture_of("llama-3.1-8b")  # 32 layers with 8 heads for keys and values of 128
    assert cached_elements(llama, 10, tensor) == 10 * 32 * heads * (128 + 128)


def test_sharded_weights_of_a_pipeline_are_gathered_once_per_step():
    gpt, where = architecture_of("gpt2"), chip("h100-sxm")
    rate = where.link / 2
    shards = 3 / 4 / rate  # of a ring of four
    for shard, gathers in ((2, 1), (3, 2)):
        work, once = link_work(gpt, TrainingJob(1, 512, data=4, shard=shard), where)
        assert work["inner"] == pytest.approx(124_439_808 * (gathers * 2 + 4) * shards)
        assert not any(once.values())
    work, once = link_work(gpt, TrainingJob(1, 512, data=4, shard=3, pipeline=2), where)
    assert once["inner"] == pytest.approx(124_439_808 / 2 * (2 + 4) * shards)
    assert work["inner"] == pytest.approx(2 * 512 * 768 * 2 / rate)


def test_chips_that_share_a_model_divide_its_products():
    llama, where = architecture_of("llama-3.1-8b"), chip("h100-sxm")
    seconds = SimpleNamespace(parts={"weights": 3.0, "cache": 2.0})
    busy = decode_busy(llama, InferenceJob(16, 512, tensor=4), where, seconds)
    multiplied = 32 * (2 * 4096 * 4096 + 2 * 4096 * 1024 + 3 * 4096 * 14336) + 128256 * 4096
    assert busy["products"] == pytest.approx(2 * 16 * multiplied / where.rate("bf16") / 4)
    assert busy["reads"] == 5


def test_an_interval_has_the_error_of_the_thirteenth_of_fourteen_rows(monkeypatch):
    row = next(row for row in training_rows() if row.stack == "pytorch")
    rows = [replace(row, id=f"row {number}") for number in range(14)]
    residuals = {each.id: (-1) ** n * (n + 1) / 10 for n, each in enumerate(rows)}
    monkeypatch.setattr(intervals, "table", lambda: {"residuals": {"pytorch": residuals}})

    def half_width(job):
        found = intervals.interval(2, row.architecture, job, row.chip, rows, "pytorch", True)
        assert (found.low, found.high) == (2 / (1 + found.half_width), 2 * (1 + found.half_width))
        return found.half_width

    assert half_width(row.job) == pytest.approx(1.3)
    assert half_width(replace(row.job, adapter_rank=8)) == pytest.approx(1.3)  # 4 apart
    other = replace(row.job, adapter_rank=8, precision="tf32")  # 6 apart
    assert half_width(other) == pytest.approx(1.3 * 6 / 4)


@pytest.mark.parametrize(
    ("settings", "nbytes"),
    [
        ({}, 0),
        ({"adapter_rank": 8}, 0),
        ({"adapter_rank": 8, "base_bits": 4}, 2 * (0.5 + 2)),
        ({"adapter_rank": 8, "base_bits": 8, "checkpointing": "full"}, 3 * (1 + 2)),
    ],
)
def test_frozen_weights_are_widened_before_each_product(settings, nbytes):
    assert widened_bytes(TrainingJob(1, 512, **settings)) == nbytes


def test_what_selective_checkpointing_keeps_of_a_layer():
    (block,) = architecture_of("llama-3.1-8b").blocks
    entering, queries, values, attention = 4096, 32 * 128, 8 * 128, 32 * 128
    kept = entering + queries + values + attention + 14336 + 4096
    assert selected_bytes(block, 4096, TrainingJob(2, 512)) == 2 * 512 * kept * 2


def test_logits_of_generated_text_are_in_float32():
    assert wb.plan("gpt2", "h200", batch=3, context=10).memory.logits == 3 * 50257 * 4
