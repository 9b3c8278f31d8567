"""Plans agree with each other: suggestions hold, and more work never takes less."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import pairwise

import pytest

import workbench as wb
from tests.raises import raises
from workbench.cli import main
from workbench.planner.changes import changes, job_fits
from workbench.planner.chips import chip
from workbench.planner.jobs import TrainingJob
from workbench.planner.layouts import layouts
from workbench.planner.models import known_models
from workbench.planner.plan import architecture_of, train_plan
from workbench.planner.selection import PlanSelection

LLAMA = "llama-3.1-8b"


def step(name=LLAMA, where="h100-sxm", **settings):
    job = TrainingJob(**{"microbatch": 1, "sequence": 2048, **settings})
    return train_plan(architecture_of(name), chip(where), job)


@pytest.mark.slow
@pytest.mark.parametrize("where", ["a100-40", "h200"])
@pytest.mark.parametrize("precision", ["bf16", "amp"])
def test_suggested_microbatches_fit_when_they_are_followed(where, precision):
    followed = 0
    for name in known_models():
        architecture = architecture_of(name)
        sequence = min(2048, architecture.longest or 2048)
        job = TrainingJob(16, sequence, precision)
        for sentence in changes(train_plan(architecture, chip(where), job)):
            if found := re.match(r"Microbatches of (\d+), and (\d+) of them", sentence):
                size, count = map(int, found.groups())
                several = replace(job, microbatch=size, accumulation=count)
                assert job_fits(architecture, chip(where), several) is True
                assert size * count >= job.microbatch
                followed += 1
    assert followed > 3


def test_more_microbatches_never_take_less_time():
    settings = {"sequence": 128, "data": 64, "pipeline": 8}
    for where in ("h100-sxm", "h100-pcie", "a100-80"):
        counts = (1, 2, 4, 8, 16)
        times = [step(where=where, accumulation=n, **settings).seconds.total for n in counts]
        assert all(one < two for one, two in pairwise(times))


def test_a_pipeline_waits_for_its_microbatches_alone():
    """The bubble is (p - 1) / m of the time of m microbatches, whatever happens once per step."""
    alone = step(pipeline=8, accumulation=4, data=2)
    many = step(pipeline=8, accumulation=4, data=64)
    assert many.seconds.parts["waiting"] == pytest.approx(alone.seconds.parts["waiting"])
    kinds = {"products", "attention", "elementwise", "logits", "kernels"}
    work = sum(seconds for name, seconds in alone.seconds.parts.items() if name in kinds)
    assert alone.seconds.parts["waiting"] == pytest.approx(work * 7 / 4, rel=0.02)


def test_a_second_chip_only_adds_the_exchange_of_gradients():
    for where in ("h100-sxm", "h200"):
        settings = {"microbatch": 16, "sequence": 1024}
        one, two = (step("gpt2", where, data=chips, **settings) for chips in (1, 2))
        added = two.seconds.parts["inner"]
        assert two.seconds.total == pytest.approx(one.seconds.total + added, rel=1e-6)
        assert one.is_calibrated
        assert not two.is_calibrated  # no measured row holds the same weights twice
        assert two.interval.low < one.seconds.total < two.interval.high


@pytest.mark.parametrize("settings", [{}, {"adapter_rank": 16}])
def test_dividing_more_never_needs_more_memory_by_far(settings):
    totals = [step(data=8, pipeline=2, shard=s, **settings).memory.total for s in range(4)]
    assert totals[1] <= totals[0]
    assert max(totals[1:]) < 1.1 * totals[1]  # complete layers exist for a while


def test_a_calibration_holds_for_its_kinds_of_plans_only():
    row = {"config": "gpt2", "batch": 1, "context": 100, "decode_ms": 0.8}
    decoded = wb.calibrate_chip("rtx-4090", [row])
    assert wb.plan("gpt2", decoded, batch=1, context=100).decode.is_calibrated
    assert not wb.plan("gpt2", decoded, batch=1, context=100).prefill.is_calibrated
    assert not wb.plan("gpt2", decoded, microbatch=1, sequence=512).is_calibrated
    small = {"batch": 1, "context": 100, "precision": "int4"}
    assert not wb.plan("gpt2", decoded, **small).is_calibrated
    assert wb.plan("gpt2", wb.calibrate_chip("rtx-4090", [{**row, **small}]), **small).is_calibrated
    tuned = {"microbatch": 1, "sequence": 512, "adapter_rank": 8}
    assert not wb.plan("gpt2", decoded, **tuned).is_calibrated


@pytest.mark.parametrize(
    ("name", "where", "settings", "calibrated"),
    [
        ("qwen3-30b-a3b", "h200", {}, False),  # experts
        ("deepseek-v2-lite", "h200", {}, False),  # latent attention
        ("mixtral-8x7b", "tpu-v6e", {"data": 8, "shard": 3, "precision": "amp"}, True),
        (LLAMA, "h200", {"precision": "tf32"}, False),
        (LLAMA, "h200", {"attention": "eager"}, True),
        (LLAMA, "a100-80", {"attention": "eager"}, False),
        (LLAMA, "h200", {"precision": "amp"}, True),
    ],
)
def test_kinds_of_training_without_rows_are_marked(name, where, settings, calibrated):
    plan = step(name, where, **settings)
    assert plan.is_calibrated == calibrated
    assert (plan.interval.half_width > 0.2) == (not calibrated)


@pytest.mark.parametrize("rows", ["x", 5, [5], [None], [{"config": "gpt2"}]])
def test_odd_rows_get_a_sentence(rows):
    with raises("plan.row"):
        wb.calibrate_chip("h200", rows)


def test_a_choice_of_checkpointing_is_kept(capsys):
    command = ["plan", "train", "--config", "llama-2-7b", "--chip", "b200", "--chips", "64"]
    command += ["--microbatch", "32", "--sequence", "4096", "--json"]

    def chosen(*more):
        assert main([*command, *more]) == 0
        return json.loads(capsys.readouterr().out)["layout"]["checkpointing"]

    assert chosen() == "full"
    assert chosen("--checkpointing", "none") == "none"
    with raises("plan.layout", "65,536"):
        layouts(architecture_of(LLAMA), chip("h200"), TrainingJob(1, 2048), 10**8)


def test_the_page_recomputes_layers_where_a_step_does_not_fit_otherwise():
    small = PlanSelection(mode="train", model="gpt2", batch=1, length=512)
    assert small.training_job().checkpointing == "none"
    large = PlanSelection(mode="train", model="llama-3.2-1b", batch=4, length=8192)
    assert large.training_job().checkpointing == "full"
    assert replace(large, checkpointing="none").training_job().checkpointing == "none"
    assert large.changed({"batch": True}) == large


def test_a_longer_context_than_the_configuration_names_is_said():
    config = {**known_models()["llama-2-7b"].config, "max_position_embeddings": 4096}
    sentences = changes(wb.plan(config, "h200", batch=1, context=2048))
    assert any("at most 4,096 tokens" in sentence for sentence in sentences)


def test_the_cache_stays_on_an_edge_chip_with_the_weights():
    settings = {"batch": 1, "context": 8, "precision": "int8"}
    inside = wb.plan("gpt2", "edge-tpu", file_bytes=7e6, **settings)
    outside = wb.plan("gpt2", "edge-tpu", file_bytes=14e6, **settings)
    assert inside.decode.parts["cache"] == 0
    assert outside.decode.parts["cache"] > 0


def test_a_model_of_alternating_layers_has_few_blocks():
    assert len(architecture_of("gpt-oss-20b").blocks) == 2
    assert len(architecture_of("jamba-v0.1").blocks) <= 4
