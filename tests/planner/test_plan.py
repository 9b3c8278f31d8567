from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

import workbench as wb
from tests.raises import raises
from workbench.artifact.ledger import Ledger, LedgerRow
from workbench.cli import main
from workbench.planner.adapters import trainable_parameters
from workbench.planner.chips import chip, chips, variant
from workbench.planner.coefficients import table
from workbench.planner.compressed import bits_per_weight, matrix_elements
from workbench.planner.intervals import interval
from workbench.planner.jobs import TrainingJob
from workbench.planner.layouts import best_layout, layouts, pareto
from workbench.planner.measurements import inference_rows, training_rows
from workbench.planner.plan import architecture_of, infer_plan, train_plan
from workbench.planner.training_memory import stages
from workbench.planner.validation import row_seconds

IDS = [
    "v100",
    "a40",
    "a100-40",
    "a100-80",
    "h100-sxm",
    "h100-pcie",
    "h200",
    "b200",
    "tpu-v4",
    "tpu-v5e",
    "tpu-v5p",
    "tpu-v6e",
    "edge-tpu",
    "arria-10",
    "ultrascale-vu9p",
    "rtx-4090",
    "cpu",
]
TRAINING_KEYS = {
    "fits", "memory_gib", "step_ms", "step_ms_low", "step_ms_high", "tokens_per_s", "watts",
    "joules_per_step", "calibrated", "nearest_rows",
}  # fmt: skip
INFERENCE_KEYS = {
    "fits", "memory_gib", "prefill_ms", "prefill_ms_low", "prefill_ms_high", "decode_ms",
    "decode_ms_low", "decode_ms_high",
}  # fmt: skip
OWN = [row for row in training_rows() if row.stack == "pytorch"]


def planned(row):
    return train_plan(row.architecture, chip(row.chip), row.job)


def errors(rows, key, predict):
    return np.abs([predict(row) / row.measured[key] - 1 for row in rows if key in row.measured])


def test_the_table_has_all_chips():
    assert list(chips()) == IDS


def test_peak_memory_of_measured_training_steps():
    error = errors(OWN, "peak_gib", lambda row: planned(row).memory.total / 2**30)
    assert error.mean() < 0.01
    assert error.max() < 0.02


def test_peak_memory_of_measured_inference():
    def predict(row):
        return infer_plan(row.architecture, chip(row.chip), row.job).memory.total / 2**30

    assert errors(inference_rows(), "peak_gib", predict).max() < 0.05


def test_nothing_that_ran_is_said_not_to_fit():
    answers = [planned(row).fits for row in OWN]
    answers += [infer_plan(r.architecture, chip(r.chip), r.job).fits for r in inference_rows()]
    assert False not in answers
    assert answers.count(None) <= 0.1 * len(answers)


def test_what_did_not_fit_is_not_said_to_fit():
    assert wb.plan("llama-3.1-8b", "h100-sxm", batch=128, context=2048).fits is not True


def test_kinds_of_memory_add_up():
    kinds = planned(OWN[0]).as_dict()["memory_gib"]
    assert kinds["total"] == pytest.approx(
        sum(value for name, value in kinds.items() if name not in {"total", "context"})
    )
    assert kinds["context"] > 0


def test_step_times_of_measured_rows():
    error = errors(OWN, "step_ms", lambda row: 1000 * planned(row).seconds.total)
    assert error.mean() < 0.03
    assert error.max() < 0.1


@pytest.mark.parametrize("name", ["a100-40", "a100-80", "h100-sxm"])
def test_step_times_of_published_rows_beat_any_constant_utilization(name):
    rows = [row for row in training_rows() if row.stack == "sharded" and row.chip == name]
    rows = [row for row in rows if row.is_fitted]

    def predict(row):
        return 1000 * row_seconds(row).total

    error = errors(rows, "step_ms", predict)
    used = np.array([row.facts["mfu_percent"] for row in rows])
    constant = min(np.abs(used / value - 1).mean() for value in used)
    assert error.mean() < 0.05
    assert np.quantile(error, 0.9) < 0.15
    assert error.mean() < constant


def test_published_parameters_are_counted():
    rows = [row for row in training_rows() if "parameters" in row.facts]
    assert len(rows) == 216
    assert all(row.architecture.parameters == row.facts["parameters"] for row in rows)


def test_energy_of_measured_rows():
    assert errors(OWN, "watts", lambda row: planned(row).watts).max() < 0.15
    assert errors(OWN, "joules", lambda row: planned(row).joules).mean() < 0.08


@pytest.mark.parametrize("stack", ["pytorch", "sharded", "decode"])
def test_intervals_cover_rows_that_are_left_out(stack):
    residuals = table()["residuals"][stack]
    rows = [row for row in (*training_rows(), *inference_rows()) if row.id in residuals]
    covered = []
    for row in rows:
        others = [other for other in rows if other is not row]
        relative = 1 + residuals[row.id]  # the prediction, in units of the measured time
        bounds = interval(relative, row.architecture, row.job, row.chip, others, stack, True)
        covered.append(bounds.low <= 1 <= bounds.high)
    assert 0.75 <= np.mean(covered) <= 0.92


def test_a_chip_without_rows_is_marked_and_wider():
    near, far = (wb.plan("llama-3.1-8b", c, batch=1, context=512) for c in ("h200", "b200"))
    assert near.is_calibrated
    assert not far.is_calibrated
    assert far.decode_interval.half_width > near.decode_interval.half_width


@pytest.mark.parametrize("name", IDS)
def test_every_chip_gives_an_answer_or_a_reason(name):
    answer = train_plan if name not in {"edge-tpu", "ultrascale-vu9p", "arria-10"} else None
    job = TrainingJob(1, 512, "fp32")
    architecture = architecture_of("gpt2")
    if answer:
        assert answer(architecture, chip(name), job).seconds.total > 0
    precision = {"edge-tpu": "int8", "ultrascale-vu9p": "int8"}.get(name, "fp32")
    text = wb.plan("gpt2", name, batch=1, context=128, precision=precision)
    assert text.decode.total > 0


def test_the_edge_tpu_does_not_train():
    with raises("plan.chip_cannot_train"):
        wb.plan("gpt2", "edge-tpu", microbatch=1, sequence=128)
    with raises("plan.chip_precision"):
        wb.plan("gpt2", "edge-tpu", batch=1, context=128, precision="bf16")


def test_layouts_of_many_chips():
    architecture, job = architecture_of("llama-3.1-405b"), TrainingJob(1, 8192, "amp")
    found = layouts(architecture, chip("h100-sxm"), job, 1024)
    assert len(found) > 50
    assert all(layout.job.chips == 1024 for layout in found)
    assert found[0].fits is True
    assert found[0].tokens_per_s >= max(x.tokens_per_s for x in found if x.fits)
    front = pareto(found)
    assert all(a.memory.total > b.memory.total for a, b in pairwise(front))


def test_more_chips_share_the_states():
    architecture, job = architecture_of("llama-3.1-8b"), TrainingJob(1, 2048, "amp")
    one, eight = (best_layout(architecture, chip("h100-sxm"), job, n) for n in (1, 8))
    assert one.fits is False
    assert eight.fits is True


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({}, "plan.kind"),
        ({"microbatch": 1, "batch": 1}, "plan.kind"),
        ({"microbatch": 1}, "plan.setting"),
        ({"microbatch": 1, "sequence": 1, "speed": 2}, "plan.setting"),
        ({"batch": 1, "context": 1, "speed": 2}, "plan.setting"),
        ({"batch": 1}, "plan.setting"),
        ({"microbatch": 0, "sequence": 1}, "plan.size"),
        ({"microbatch": 1.5, "sequence": 1}, "plan.size"),
        ({"microbatch": 1, "sequence": 1, "precision": "int2"}, "plan.choice"),
        ({"microbatch": 1, "sequence": 1, "shard": 4}, "plan.choice"),
        ({"batch": 1, "context": 10**12}, "plan.size"),
    ],
)
def test_a_bad_setting_gets_a_sentence(settings, code):
    with raises(code):
        wb.plan("gpt2", "h100-sxm", **settings)


@pytest.mark.parametrize(
    ("settings", "facts"),
    [
        ({"microbatch": 1, "sequence": 1, "tensors": 2}, ("'tensors'", "microbatch", "tensor,")),
        ({"batch": 1, "context": 1, "tensors": 2}, ("'tensors'", "new_tokens", "tensor,")),
        ({"batch": 1}, ("context", "new_tokens")),
    ],
)
def test_an_unknown_or_missing_setting_lists_all(settings, facts):
    with raises("plan.setting", *facts):
        wb.plan("gpt2", **settings)


def test_the_name_of_a_large_model_suggests_the_known_ones():
    with raises("file.missing", "did you mean", "llama-3.1-8b"):
        wb.plan("llama-3.1-8", batch=1, context=1)


def test_an_unknown_chip_gets_a_sentence():
    with raises("plan.unknown_chip", "h200"):
        wb.plan("gpt2", "h900", batch=1, context=1)


def test_the_console_prints_one_object(tmp_path, capsys):
    config = tmp_path / "config.json"
    config.write_text(json.dumps(dict(OWN[0].config)))
    arguments = ["plan", "train", "--config", str(config), "--chip", "h200", "--json"]
    assert main([*arguments, "--microbatch", "2", "--sequence", "512"]) == 0
    trained = json.loads(capsys.readouterr().out)
    assert trained.keys() >= TRAINING_KEYS
    assert trained["step_ms_low"] < trained["step_ms"] < trained["step_ms_high"]
    arguments[1] = "infer"
    assert main([*arguments, "--batch", "16", "--context", "4096"]) == 0
    assert json.loads(capsys.readouterr().out).keys() >= INFERENCE_KEYS
    assert main(["plan", "train", "--config", str(config), "--chips", "8"]) == 0
    assert "layout" in capsys.readouterr().out
    assert main([*arguments, "--chip", "h900"]) == 2


def test_a_plan_loads_no_torch():
    code = (
        "import sys, workbench as wb; wb.plan('gpt2', 'h200', microbatch=1, sequence=512);"
        "from workbench.cli import main; main(['plan', 'infer', '--config', 'gpt2']);"
        "sys.exit('torch' in sys.modules or 'sklearn' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_recipe_is_scaled_from_a_small_file():
    file = Ledger((row("a.weight", (10, 10), 50), row("a.bias", (10,), 40)), 7)
    assert bits_per_weight(file) == 4
    architecture = architecture_of("llama-3.1-8b")
    rest = architecture.parameters - matrix_elements(architecture)
    assert rest == 65 * 4096  # norms
    like = SimpleNamespace(ledger=file)
    small = wb.plan("llama-3.1-8b", "rtx-4090", like=like, batch=1, context=2048)
    large = wb.plan("llama-3.1-8b", "rtx-4090", batch=1, context=2048)
    assert small.memory.weights == pytest.approx(matrix_elements(architecture) / 2 + 2 * rest)
    assert small.decode.total < large.decode.total / 2
    with raises("plan.no_matrix"):
        wb.plan("gpt2", "h200", like=SimpleNamespace(ledger=Ledger((), 7)), batch=1, context=1)
    with raises("plan.kind"):
        wb.plan("gpt2", "h200", like=like, microbatch=1, sequence=1)


def row(name, shape, nbytes):
    return LedgerRow(name, shape, "", nbytes, 0, 0, 0, 0)


@pytest.mark.parametrize(
    "settings",
    [
        {"microbatch": 1, "sequence": 8, "tensor": 5},
        {"microbatch": 1, "sequence": 8, "pipeline": 13},
        {"batch": 1, "context": 8, "tensor": 5},
    ],
)
def test_what_cannot_be_divided_gets_a_sentence(settings):
    with raises("plan.layout"):
        wb.plan("gpt2", "h200", **settings)


def test_the_edge_tpu_is_fast_while_the_weights_stay_on_it():
    def plan(size):
        return wb.plan("gpt2", "edge-tpu", batch=1, context=8, precision="int8", file_bytes=size)

    for stack in ("decode", "prefill"):
        inside, less, outside = (getattr(plan(size), stack).total for size in (7e6, 4e6, 14e6))
        assert inside == pytest.approx(less, rel=0.2)
        assert outside > 2 * inside


def test_chips_that_share_a_model_generate_faster_but_wait_for_each_other():
    one, two = (
        wb.plan("llama-2-13b", "a100-80", batch=1, context=512, tensor=n).decode.total
        for n in (1, 2)
    )
    assert one / 2 < two < one


def test_parts_of_a_stage_wait_less_and_keep_fewer_gradients():
    def step(parts):
        job = TrainingJob(
            4, 8192, "amp", "fused", "full", data=8, shard=3, tensor=8, pipeline=8, accumulation=8,
            interleaving=parts,
        )  # fmt: skip
        return train_plan(architecture_of("llama-3.1-405b"), chip("h100-sxm"), job)

    undivided, parts = step(1), step(2)
    waiting = [plan.seconds.parts["waiting"] for plan in (undivided, parts)]
    assert waiting[1] == pytest.approx(waiting[0] / 2, rel=0.01)
    gradients = 4 * 16 / 126 * parts.architecture.layer_parameters / 8  # of 16 of 126 layers
    saved = undivided.memory.gathered - parts.memory.gathered
    assert saved == pytest.approx(gradients / 2)


@pytest.mark.parametrize(
    ("settings", "microbatches"),
    [
        ({"accumulation": 8}, [5, 4]),
        ({"accumulation": 8, "interleaving": 2}, [5 + 4 / 2, 4 + 4 / 2]),
        ({"accumulation": 2}, [2, 2]),
    ],
)
def test_each_stage_keeps_one_microbatch_less_than_the_one_before(settings, microbatches):
    job = TrainingJob(1, 512, "amp", pipeline=5, **settings)
    first, second = stages(architecture_of("gpt2"), job)
    assert (first.layers, second.layers) == (2, 3)  # 12 layers on 5 chips
    assert [first.microbatches, second.microbatches] == microbatches


def test_sums_that_overlap_delay_a_step_less():
    def step(**settings):
        job = TrainingJob(4, 4096, "amp", data=4, shard=3, tensor=8, **settings)
        return train_plan(architecture_of("llama-3.1-70b"), chip("h100-sxm"), job).seconds.total

    assert step(overlapped=True) < step()


def test_a_lower_power_limit_slows_products_less_than_it_saves():
    full = chip("h100-sxm")
    limited = variant(full, power=350, bandwidth=full.bandwidth, usable=full.usable)
    assert 0.5 < limited.rate("bf16") / full.rate("bf16") < 0.85
    assert limited.copy_rate == pytest.approx(full.copy_rate, rel=0.02)


def test_a_complete_training():
    plan = wb.plan("llama-3.1-8b", "h200", microbatch=2, sequence=2048)
    total = plan.costs_as_dict(1e12, price=2.0)
    assert total["days_low"] < total["days"] < total["days_high"]
    assert total["days"] == pytest.approx(1e12 / plan.tokens_per_s / 86400)
    assert total["money"] == pytest.approx(2 * total["chip_hours"])
    assert total["kwh"] == pytest.approx(total["chip_hours"] * plan.watts / 1000)
    for name in ("kwh", "money", "chip_hours"):
        assert total[f"{name}_low"] < total[name] < total[f"{name}_high"]
    spread = total["money_high"] / total["money"]
    assert spread == pytest.approx(plan.interval.high / plan.seconds.total)
    assert total["kwh_high"] / total["kwh"] > spread  # the power is uncertain too


def test_energy_of_generating_text():
    for name in ("h100-sxm", "h200"):
        plan = wb.plan("llama-3.1-8b", name, batch=16, context=4096)
        where = plan.chip
        assert where.idle < plan.watts < where.power
        expected = plan.watts * plan.decode.total / 16
        assert plan.energy.value == pytest.approx(expected)
        found = plan.as_dict()
        assert found["joules_per_token_low"] < expected < found["joules_per_token_high"]
        assert found["prefill_joules"] <= where.power * 1.03 * plan.prefill.total
    large = wb.plan("llama-3.1-8b", "h200", batch=128, context=4096)
    assert large.watts > plan.watts  # products overlap with reading the weights
    assert large.energy.value < plan.energy.value
    unknown = wb.plan("llama-3.1-8b", "tpu-v5e", batch=1, context=512)
    assert unknown.as_dict()["joules_per_token"] is None
    money = plan.money_per_million(3.6)
    assert money.value == pytest.approx(1e6 / plan.tokens_per_s * 0.001)
    with raises("plan.size"):
        plan.money_per_million(float("nan"))


def test_every_chip_that_shares_a_model_is_paid():
    plan = wb.plan("llama-2-13b", "a100-80", batch=8, context=512, tensor=2)
    hours = plan.decode.total / 8 * 1e6 / 3600
    assert plan.money_per_million(1.5).value == pytest.approx(2 * 1.5 * hours)


def test_adapters_need_no_states_of_frozen_weights():
    def step(**settings):
        return wb.plan("llama-3.1-8b", "h100-sxm", microbatch=1, sequence=2048, **settings)

    full, lora, qlora = step(), step(adapter_rank=16), step(adapter_rank=16, base_bits=4)
    matrices = 2 * 4096 + 2 * (4096 + 1024) + 2 * 4096 + 3 * (4096 + 14336)
    assert trainable_parameters(lora.architecture, lora.job) == 16 * 32 * matrices
    assert lora.memory.optimizer < 0.01 * full.memory.optimizer
    ends = 2 * 2 * 128256 * 4096  # embedding and head stay in 16 bits
    assert qlora.memory.weights - ends < 0.3 * (lora.memory.weights - ends)
    assert 0.5 < lora.seconds.total / full.seconds.total < 0.8
    assert qlora.seconds.total > lora.seconds.total
    assert lora.interval.half_width >= full.interval.half_width
    with raises("plan.choice"):
        step(adapter_rank=16, base_bits=5)


def test_experts_are_divided():
    def step(**settings):
        job = TrainingJob(1, 4096, "amp", data=16, shard=1, **settings)
        return train_plan(architecture_of("mixtral-8x7b"), chip("h200"), job)

    alone, divided = step(), step(expert=8)
    architecture = alone.architecture
    experts = 32 * 8 * 3 * 4096 * 14336
    assert architecture.expert_parameters == experts
    assert alone.memory.weights - divided.memory.weights == 4 * experts * 7 / 8
    assert divided.memory.optimizer == alone.memory.optimizer  # divided among 16 in both
    tokens = 4 * 32 * 2 * 4096 * 4096 * 2  # forth and back, both ways, of two experts per layer
    exposed = 1.25 * tokens * 7 / 8 / (chip("h200").link / 2)
    assert divided.seconds.parts["exposed"] == pytest.approx(exposed)
    assert divided.interval.half_width >= alone.interval.half_width


def test_the_layouts_of_a_model_with_experts_divide_them():
    architecture, job = architecture_of("qwen3-30b-a3b"), TrainingJob(1, 4096, "amp")
    found = layouts(architecture, chip("h100-sxm"), job, 64)
    assert {1, 8, 64} <= {layout.job.expert for layout in found}
    dense = layouts(architecture_of("llama-3.1-8b"), chip("h100-sxm"), job, 64)
    assert {layout.job.expert for layout in dense} == {1}


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        ("llama-3.1-8b", {"data": 8, "expert": 8}),
        ("mixtral-8x7b", {"data": 16, "expert": 16}),
        ("mixtral-8x7b", {"data": 8, "expert": 3}),
    ],
)
def test_experts_that_cannot_be_divided_get_a_sentence(model, settings):
    with raises("plan.layout"):
        wb.plan(model, "h200", microbatch=1, sequence=512, **settings)
