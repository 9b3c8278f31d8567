"""Measuring: reports of increasing accuracy, cached results, errors."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

import workbench as wb
from workbench.artifact.artifact import Artifact
from workbench.artifact.module_spec import UNCHANGED
from workbench.cache.results import ResultCache
from workbench.calibration.statistics import stats_digest
from workbench.cancel import CancelToken
from workbench.compression.coded import Factors
from workbench.compression.encode import encode_tensors
from workbench.errors import ArtifactError, Cancelled, RecipeError, UnknownNameError
from workbench.evaluation.batch_size import MAX_BATCH, MAX_FIRST_SAMPLE
from workbench.evaluation.cached_results import size_key
from workbench.evaluation.measure import evaluate, iter_reports, measure, measure_size
from workbench.evaluation.progress import ESTIMATE_BATCHES, reference_counts
from workbench.evaluation.report import Report, Score, Size
from workbench.profiling import resources

RECIPE = wb.Recipe.from_json('{"prune": {"sparsity": 0.7}, "quantize": {"bits": 4}}')


def test_reports_are_size_then_estimates_then_exact(small, store):
    reports = list(iter_reports(small, RECIPE, store=store))
    assert [report.examples for report in reports] == [
        None,
        MAX_FIRST_SAMPLE,
        *(MAX_FIRST_SAMPLE + count * MAX_BATCH for count in ESTIMATE_BATCHES),
        5000,
    ]
    assert [report.exact for report in reports] == [False] * 4 + [True]
    assert reports[0].accuracy is None
    assert {report.bytes for report in reports} == {len(wb.compress(small, RECIPE))}
    for report in reports[1:-1]:
        assert report.accuracy_low < report.accuracy < report.accuracy_high
    assert reports[-1].accuracy_low == reports[-1].accuracy == reports[-1].accuracy_high


def test_cached_report_is_not_measured_again(small, store, monkeypatch):
    (*_, exact) = iter_reports(small, RECIPE, store=store)
    monkeypatch.setattr("workbench.evaluation.measure.compress", None)
    assert list(iter_reports(small, RECIPE, store=store)) == [exact]


def test_equal_files_share_a_score(small, store, monkeypatch):
    (*_, first) = iter_reports(small, wb.Recipe(), store=store)
    twin = Artifact.of(small.name, wb.Recipe(), encode_tensors(small.weights(), wb.Recipe()))
    assert twin.digest == first.digest
    store.put(size_key(small, wb.Recipe(), stats_digest(small, wb.Recipe())), None)
    reports = list(iter_reports(small, wb.Recipe(), store=store))
    assert [report.exact for report in reports] == [False, True]


@pytest.mark.slow
def test_splits_have_separate_scores(small, store):
    validation = measure(small, RECIPE, timed=False, store=store)
    test = measure(small, RECIPE, timed=False, store=store, split="test")
    assert (validation.total, test.total) == (5000, 10000)
    weights = wb.compress(small, RECIPE).weights()
    assert test.accuracy == reference_counts(small, weights, small.task.split("test")).accuracy
    assert test.exact


def test_original_scores_match_card(small, store):
    for split in ("validation", "test"):
        known = small.card["accuracy"][split]
        report = measure(small, timed=False, store=store, split=split)
        assert report.accuracy == known["correct"] / known["examples"]
    assert report.reasons == ()


@pytest.mark.slow
@pytest.mark.parametrize("name", wb.models())
def test_zeros_and_parameters_of_the_card_are_those_of_the_uncompressed_file(name):
    model = wb.model(name)
    size = measure_size(model, wb.compress(model, wb.Recipe()))
    known = model.card["figures"]
    assert (size.sparsity_achieved, size.nonzero) == (known["zeros"], known["nonzero"])
    assert size.parameters == model.card["parameters"]


def test_cancel_after_size(small, store):
    reports = iter_reports(small, RECIPE, store=store, cancel=CancelToken(lambda: True))
    assert next(reports).accuracy is None
    with pytest.raises(Cancelled):
        next(reports)
    assert measure(small, RECIPE, timed=False, store=store).exact


def test_on_report_receives_every_report(small, store):
    reports = []
    last = measure(small, RECIPE, timed=False, store=store, on_report=reports.append)
    assert reports[-1] == last
    assert all(isinstance(report, Report) for report in reports)


def test_evaluating_a_file_equals_measuring_its_recipe(small, store, tmp_path):
    report = measure(small, RECIPE, timed=False, store=store)
    path = wb.compress(small, RECIPE).save(tmp_path / "small.safetensors")
    again = evaluate(wb.load(path), timed=False)
    assert again == report
    assert path.stat().st_size == report.bytes == report.ledger.total


@pytest.mark.slow
@pytest.mark.parametrize("name", wb.models("fashion"))
def test_size_counts_decoded_weights(name, recipes, store):
    model = wb.model(name)
    count = 3 if name == "fashion/resnet" else 6  # one of it takes seconds
    for recipe in recipes(model, count, seed="figures"):
        artifact = wb.compress(model, recipe)
        weights = artifact.weights()
        shaped = model.with_spec(artifact.spec).module()
        parameters = [key for key, _ in shaped.named_parameters()]
        report = next(iter_reports(model, recipe, store=store))
        pruned = [weights[layer] for layer in model.layers]
        zeros = sum(int((w == 0).sum()) for w in pruned)
        assert report.sparsity_achieved == pytest.approx(zeros / sum(w.numel() for w in pruned))
        assert report.parameters == sum(weights[key].numel() for key in parameters)
        assert (report.parameters == model.card["parameters"]) or artifact.spec != UNCHANGED
        stored = sum(count_nonzero(artifact.tensors[key]) for key in parameters)
        assert report.nonzero == stored
        assert report.original_bytes == model.architecture.checkpoint.stat().st_size
        assert report.digest == artifact.digest


def count_nonzero(coded) -> int:
    """Count the stored nonzero values; for a factorized tensor, of both factors."""
    if isinstance(coded, Factors):
        return count_nonzero(coded.u) + count_nonzero(coded.v)
    return int((coded.tensor() != 0).sum())


@pytest.mark.parametrize(
    ("prune", "requested"),
    [
        (None, 0.0),
        ({"sparsity": 0.3}, 0.3),
        ({"sparsity": 0.3, "scope": "uniform"}, 0.3),
        ({"sparsity": 0.3, "scope": "named"}, 0.0),
        ({"sparsity": 0.3, "scope": "named", "layers": {"fc1.weight": 1 / 2}}, 235200 / 2 / 266200),
    ],
)
def test_requested_sparsity(small, store, prune, requested):
    recipe = wb.Recipe.from_json({"prune": prune})
    assert next(iter_reports(small, recipe, store=store)).sparsity_requested == pytest.approx(
        requested
    )


def test_recipe_for_other_layers_is_an_error(small, store):
    recipe = wb.Recipe.from_json('{"prune": {"sparsity": 0.5, "exclude": ["conv9.weight"]}}')
    with pytest.raises(RecipeError, match=r"conv9\.weight"):
        measure(small, recipe, store=store)


def test_file_of_unknown_model_is_an_error(small):
    coded = encode_tensors(small.weights(), wb.Recipe())
    with pytest.raises(UnknownNameError, match="fashion/none"):
        evaluate(Artifact.of("fashion/none", wb.Recipe(), coded))


def _without(coded):
    del coded["fc2.bias"]


def _added(coded):
    coded["fc9.bias"] = coded["fc2.bias"]


def _swapped(coded):
    coded["fc1.weight"] = coded["fc2.weight"]


@pytest.mark.parametrize("change", [_without, _added, _swapped])
def test_file_with_wrong_tensors_is_an_error(small, change):
    coded = dict(encode_tensors(small.weights(), wb.Recipe()))
    change(coded)
    with pytest.raises(ArtifactError, match="fashion/lenet-300-100"):
        evaluate(Artifact.of(small.name, wb.Recipe(), coded))


def test_measuring_does_not_change_the_model(small, store, fingerprint):
    before = fingerprint(small.weights())
    for criterion in ("magnitude", "gradient", "random"):
        recipe = wb.Recipe(prune=wb.Prune(0.5, criterion=criterion), quantize=wb.Quantize(4))
        measure(small, recipe, timed=False, store=store)
    assert fingerprint(small.weights()) == before


def test_latency_is_never_cached(small, store, monkeypatch):
    taken = iter(range(2))
    monkeypatch.setattr(resources, "latency", lambda model, weights: {"run": next(taken)})
    assert [measure(small, RECIPE, store=store).latency for _ in range(2)] == [
        {"run": 0},
        {"run": 1},
    ]


def test_reports_round_trip_through_json(small, store):
    for report in iter_reports(small, RECIPE, store=store):
        assert Size.from_dict(json.loads(json.dumps(report.size.as_dict()))) == report.size
        if report.score is not None:
            assert Score.from_dict(json.loads(json.dumps(report.score.as_dict()))) == report.score
        flat = json.loads(json.dumps(report.as_dict()))
        assert flat["bytes"] == report.bytes
        assert flat.get("accuracy") == report.accuracy
        with pytest.raises(AttributeError, match="color"):
            _ = report.color


def test_intervals_narrow(small, store):
    widths = [
        r.accuracy_high - r.accuracy_low
        for r in iter_reports(small, RECIPE, store=store)
        if r.score
    ]
    assert all(wide > narrow for wide, narrow in pairwise(widths))


def test_result_cache_on_disk_is_shared(small, tmp_path):
    first = measure(small, RECIPE, timed=False, store=ResultCache(tmp_path))
    reports = list(iter_reports(small, RECIPE, store=ResultCache(tmp_path)))
    assert reports == [first]
