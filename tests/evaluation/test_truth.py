"""Reports match the saved file, also when a new process evaluates it."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest

import workbench as wb
from workbench.evaluation.measure import iter_reports
from workbench.evaluation.reference import predict

REPOSITORY = Path(__file__).parents[2]
sys.path.insert(0, str(REPOSITORY / "benchmarks"))
from _reload import AVX2, Variant, in_fresh_process  # noqa: E402

EXAMPLES = 300
EXTREMES = [
    {},
    {"prune": {"sparsity": 0}, "quantize": {"bits": 32}},
    {"prune": {"sparsity": 0.99}, "quantize": {"bits": 2}},
    {"prune": {"sparsity": 0.99, "criterion": "random", "scope": "uniform"}},
    {"quantize": {"bits": 2, "scheme": "affine", "granularity": "group", "group_size": 8}},
    {"prune": {"sparsity": 0.5, "criterion": "gradient"}, "quantize": {"bits": 16}},
]
RANDOM = dict.fromkeys(wb.models("fashion"), 3) | {"fashion/lenet-300-100": 6, "fashion/lenet5": 6}


def digest(classes):
    return hashlib.sha256(classes.tobytes()).hexdigest()


def variants(name):
    share = {"fashion/lenet5": 2, "fashion/resnet": 5}.get(name, 1)
    return [Variant(1, 250, EXAMPLES), Variant(2, 7, 140 // share), Variant(1, 1, 50 // share)]


@pytest.mark.slow
@pytest.mark.parametrize("name", wb.models("fashion"))
def test_saved_files_match_their_reports(name, recipes, store, tmp_path):
    model = wb.model(name)
    images = model.task.split("validation").examples[:EXAMPLES]
    runs = variants(name)
    expected = {}
    chosen = [wb.Recipe.from_json(extreme) for extreme in EXTREMES]
    chosen += recipes(model, RANDOM[name], seed="truth")
    for number, recipe in enumerate(chosen):
        report = next(iter_reports(model, recipe, store=store))
        artifact = wb.compress(model, recipe)
        path = artifact.save(tmp_path / f"{number}.safetensors")
        assert path.stat().st_size == report.bytes == report.ledger.total == len(artifact)
        classes = predict(model.with_spec(artifact.spec), artifact.operands(), images)
        digests = {str(v): digest(classes[: v.examples]) for v in runs}
        expected[path.name] = {"bytes": report.bytes, **digests}
    assert in_fresh_process(tmp_path, AVX2, variants=runs) == expected
