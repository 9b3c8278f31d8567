"""The command `workbench parallel`."""

from __future__ import annotations

import json

import pytest

from workbench.cli.main import main

pytestmark = pytest.mark.slow
SMALL = ["parallel", "fashion/mlp-32", "--steps", "2", "--batch", "6"]


def test_it_prints_json(capsys):
    assert main([*SMALL, "--shards", "2,4", "--no-exact", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["consistent"]
    assert result["gradient_difference"] <= 1e-6
    assert result["plan"]["shards"] == [2, 4]
    assert [rank["held"] for rank in result["ranks"]] == [r["formula"] for r in result["ranks"]]


def test_it_prints_the_ranks_and_the_reason(capsys):
    assert main([*SMALL, "--strategy", "zero3", "--repeats", "2"]) == 0
    output = capsys.readouterr().out
    assert "50,900" in output  # half of the bytes of all weights
    assert "1 distinct digests in 2 runs" in output


def test_a_job_for_torchrun(tmp_path, capsys):
    folder = tmp_path / "job"
    options = ["--machines", "2", "--job", str(folder), "--host", "10.0.0.1"]
    assert main([*SMALL, *options]) == 0
    output = capsys.readouterr().out
    assert output.count("torchrun --nnodes=2 --nproc-per-node=1") == 2
    assert "--master-addr=10.0.0.1" in output
    assert (folder / "job.json").exists()


@pytest.mark.parametrize(
    "options",
    [
        ["--ranks", "9"],
        ["--strategy", "zero3", "--sync", "never"],
        ["--shards", "1,x"],
        ["--host", "10.0.0.1"],
    ],
)
def test_bad_options_get_one_line(options, capsys):
    try:
        status = main([*SMALL, *options])
    except SystemExit as ended:
        status = ended.code
    assert status == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
