from __future__ import annotations

import json

import pytest

import workbench as wb
from tests.raises import raises
from workbench.cli import main
from workbench.planner import probes
from workbench.planner.chips import chip

TRAINING = {"microbatch": 4, "sequence": 1024}
TEXT = {"batch": 1, "context": 512}


def milliseconds(model, settings, name, times):
    return {"config": model, **settings, name: times * wb.plan(model, "b200", **settings)
            .as_dict()[name]}  # fmt: skip


def test_measured_rows_correct_other_sizes():
    rows = [
        milliseconds("gpt2", TRAINING, "step_ms", 1.5),
        milliseconds("gpt2-xl", TRAINING, "step_ms", 1.5),
        milliseconds("gpt2", TEXT, "decode_ms", 2.0),
    ]
    found = wb.calibrate_chip("b200", rows)
    before, after = (wb.plan("llama-3.1-8b", c, **TRAINING) for c in ("b200", found))
    assert after.seconds.total == pytest.approx(1.5 * before.seconds.total)
    assert after.is_calibrated
    assert not before.is_calibrated
    assert after.interval.half_width < before.interval.half_width
    slow, slower = (wb.plan("llama-3.1-8b", c, **TEXT) for c in ("b200", found))
    assert slower.decode.total == pytest.approx(2 * slow.decode.total)
    assert slower.prefill.total == slow.prefill.total  # not measured


def test_rows_that_disagree_widen_the_interval():
    rows = [milliseconds("gpt2", TRAINING, "step_ms", times) for times in (1.0, 2.0)]
    found = wb.calibrate_chip("b200", rows)
    assert found.error("training") == pytest.approx(1.0)
    assert wb.plan("gpt2", found, **TRAINING).interval.half_width >= 1.0


def test_one_row_leaves_an_error():
    found = wb.calibrate_chip("b200", [milliseconds("gpt2", TRAINING, "step_ms", 1.0)])
    assert found.error("training") == 0.2


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([], "plan.no_rows"),
        ([{"config": "gpt2", **TRAINING}], "plan.row"),
        ([{**TRAINING, "step_ms": 1}], "plan.row"),
        ([{"config": "gpt2", **TRAINING, "step_ms": -1}], "plan.row"),
        ([{"config": "gpt2", **TRAINING, "step_ms": "fast"}], "plan.row"),
        ([{"config": "gpt2", **TRAINING, "decode_ms": 1}], "plan.row"),
        ([{"config": "gpt2", "step_ms": 1}], "plan.kind"),
    ],
)
def test_a_bad_row_gets_a_sentence(rows, code):
    with raises(code):
        wb.calibrate_chip("b200", rows)


def test_the_console_writes_and_reads_a_calibration(tmp_path, capsys):
    rows, file = tmp_path / "rows.json", tmp_path / "chip.json"
    rows.write_text(json.dumps([milliseconds("gpt2", TRAINING, "step_ms", 3.0)]))
    arguments = ["plan", "calibrate", "--chip", "b200", "--rows", str(rows)]
    assert main([*arguments, "--output", str(file)]) == 0
    assert "3.00 times the prediction" in capsys.readouterr().out
    planned = wb.plan("gpt2-xl", str(file), **TRAINING)
    expected = 3 * wb.plan("gpt2-xl", "b200", **TRAINING).seconds.total
    assert planned.seconds.total == pytest.approx(expected)
    assert main([*arguments]) == 2  # no output
    assert main(["plan", "train"]) == 2  # no configuration
    rows.write_text("{}")
    assert main([*arguments, "--output", str(file)]) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"calibration_of": "b900"},
        {"factors": {"training": -1}},
        {"factors": {"training": "fast"}},
        {"sustained": []},
        {"usable": None},
    ],
)
def test_a_changed_file_gets_a_sentence(tmp_path, change):
    from workbench.planner.calibration_file import write_chip

    file = tmp_path / "chip.json"
    write_chip(wb.calibrate_chip("b200", [milliseconds("gpt2", TRAINING, "step_ms", 1.0)]), file)
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    with raises("plan.calibration_file"):
        wb.plan("gpt2", str(file), **TRAINING)


def test_a_chip_without_calibration_is_not_written(tmp_path):
    from workbench.planner.calibration_file import write_chip

    with raises("plan.no_calibration"):
        write_chip(chip("b200"), tmp_path / "chip.json")


def test_this_machine_is_measured(monkeypatch):
    monkeypatch.setattr(probes, "SHAPES", {"cpu": ((64, 1, 1, 16, 64), (128, 1, 2, 16, 32))})
    monkeypatch.setattr(probes, "PRODUCT", {"cpu": 64})
    monkeypatch.setattr(probes, "COPIED", {"cpu": 2**20})
    monkeypatch.setattr(probes.torch.cuda, "is_available", lambda: False)
    found = wb.calibrate_chip()
    assert found.id == "cpu"
    assert dict(found.sustained).keys() == {"fp32", "bandwidth"}
    assert dict(found.calibration.factors).keys() == {"training", "prefill", "decode"}
    assert wb.plan("gpt2", found, microbatch=1, sequence=64, precision="fp32").is_calibrated
    with raises("plan.other_chip", "H100"):
        wb.calibrate_chip("h100-sxm")


def test_the_measured_network_is_the_one_that_is_planned():
    network = probes.Network(128, 2, 96)
    row = next(iter(_rows_of(128, 2)))
    planned = wb.plan(row["config"], "cpu", batch=1, context=8, precision="fp32")
    assert planned.architecture.parameters == sum(p.numel() for p in network.parameters())
    network.eval()
    words = probes.torch.arange(8).reshape(1, 8)
    complete = network(words)
    caches = _caches(network, words[:, :-1])
    assert probes.torch.allclose(network(words[:, -1:], caches), complete, atol=1e-5)


def _rows_of(hidden, layers):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(probes, "SHAPES", {"cpu": ((hidden, layers, 1, 8, 96),)})
        patch.setattr(probes.torch.cuda, "is_available", lambda: False)
        yield from probes.measured_rows(chip("cpu"))


def _caches(network, words):
    x, caches = network.embedding(words), []
    for layer in network.layers:
        entering = layer.norms[0](x)
        caches.append(
            [part(entering).unflatten(-1, (-1, 64)).transpose(1, 2) for part in layer.mixer[1:3]]
        )
        x = layer(x)
    return caches
