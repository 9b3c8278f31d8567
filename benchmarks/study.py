"""Studies: evaluations saved, points of the front lost, hypervolume, overhead, executors, layers.

python benchmarks/study.py [--quick] [PART ...] [MODEL ...]

Parts: grid, hypervolume, optuna, overhead, redraw, processes, layers, combinations, budget,
latency. All by default.
`optuna` and the Dask row of `processes` need the extras `study` and `cluster`.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from statistics import mean, median
from typing import Any

import torch
from _executors import ROUND, SLOWER, measured, on_dask
from _grids import FAST, GRID, SMALL_GRID, empty_store, full_grid, new_log

import workbench as wb
from workbench.panels import choosing, choosing_picture
from workbench.plots.palette import LIGHT
from workbench.session import Session
from workbench.session.choosing import Choosing, Demand
from workbench.study import Space, Study, mixed_precision, run_study
from workbench.study.elimination import can_eliminate
from workbench.study.executors import InThisProcess, Local
from workbench.study.front import pareto_front
from workbench.study.goal import Goal
from workbench.study.hypervolume import hypervolume
from workbench.study.measurement import Job, measure_trial
from workbench.study.reasons import all_reasons
from workbench.study.recommendation import Recommendation
from workbench.study.result import StudyResult
from workbench.study.trial import Trial

QUICK = "--quick" in sys.argv
IMAGES_AND_TEXTS = (
    "fashion/mlp-32",
    "fashion/cnn-10k",
    "fashion/lenet5",
    "fashion/resnet",
    "reviews/gru",
    "reviews/bag",
)


def models(names: Sequence[str]) -> list[str]:
    """Return the models named on the command line, or else `names`; one if it is quick."""
    named = [argument for argument in sys.argv[1:] if "/" in argument and "." not in argument]
    return named or list(names[:1] if QUICK else names)


def points(trials: object) -> list[tuple[int, float | None]]:
    """Return bytes and metric of each trial."""
    return [(trial.bytes, trial.value) for trial in trials]  # type: ignore[attr-defined]


def grid() -> None:
    """Compare the front of a study with that of the full grid."""
    space = SMALL_GRID if QUICK else GRID
    print("\nmodel                  recipes  front  lost  saved  states")
    for name in models((*FAST, "reviews/transformer")):
        model = wb.model(name)
        empty_store()
        result = run_study(model, Study.of(model, space, sampler="grid"), log=new_log())
        full = full_grid(model, space)
        truth = points(pareto_front(full, model.task.metric))
        lost = len(set(truth) - set(points(result.front)))
        print(
            f"{name:<22} {len(result.trials):7d} {len(truth):6d} {lost:5d} {result.saved:6.1%}  "
            f"{result.states}",
            flush=True,
        )


def area(trials: list[Trial], model: wb.Model) -> float:
    """Return the hypervolume from the original's bytes and the chance metric."""
    chance = 1 / max(2, len(model.task.classes))
    return hypervolume(trials, model.task.metric, {"bytes": model.original_bytes}, chance)


def hypervolumes() -> None:
    """Compare the default sampler with random recipes, after as many recipes, over seeds."""
    seeds, recipes = (2, 30) if QUICK else (10, 60)
    space = SMALL_GRID if QUICK else GRID
    print("\nmodel                  surrogate  random  difference, 95 % interval")
    for name in models(FAST):
        model = wb.model(name)
        full = {trial.recipe: trial for trial in full_grid(model, space)}
        best = area(list(full.values()), model)
        ours, others = [], []
        for seed in range(seeds):
            empty_store()
            study = Study.of(model, space, recipes=recipes, seed=seed)
            trials = run_study(model, study, log=new_log()).trials
            ours.append(area([full[trial.recipe] for trial in trials], model) / best)
            chosen = random.Random(seed).sample(list(full), recipes)
            others.append(area([full[recipe] for recipe in chosen], model) / best)
        differences = [a - b for a, b in zip(ours, others, strict=True)]
        reach = 2.262 * torch.tensor(differences).std().item() / len(differences) ** 0.5
        print(
            f"{name:<22} {mean(ours):9.2%} {mean(others):7.2%} {100 * mean(differences):+6.2f} "
            f"± {100 * reach:.2f}",
            flush=True,
        )


def common_way() -> None:
    """Compare with Optuna and the common way: how many recipes are measured in equal time.

    Optuna evaluates some recipes several times; the ratio is that of different recipes. The seconds
    of the processor for each evaluation depend less on other work of the machine.
    """
    seconds = 5 if QUICK else 20
    print(
        "\nmodel                  study  Optuna: evaluations, recipes  ratio  ms of the processor"
    )
    for name in models(FAST):
        model = wb.model(name)
        empty_store()
        run_study(model, Study.of(model, SMALL_GRID, recipes=12), log=new_log())  # imports
        from _common_way import recipes_in  # needs Optuna

        recipes_in(model, GRID, 1)  # imports
        study = Study.of(model, GRID)
        begin, processor = time.perf_counter(), time.process_time()
        result = run_study(model, study, log=new_log(), seconds=seconds)
        spent, ours = time.perf_counter() - begin, len(result.trials)
        used = time.process_time() - processor
        processor = time.process_time()
        evaluations, others = recipes_in(model, GRID, spent)
        used_by_others = time.process_time() - processor
        print(
            f"{name:<22} {ours:5d} {evaluations:20d} {others:8d} {ours / others:6.2f} "
            f"{1000 * used / ours:9.1f} {1000 * used_by_others / evaluations:9.1f}",
            flush=True,
        )


def overhead() -> None:
    """Measure a study whose results are all in the store."""
    model = wb.model("fashion/mlp-32")
    space = SMALL_GRID if QUICK else GRID
    empty_store()
    for recipe in dict.fromkeys(space):
        measure_trial(model, Job(recipe))
    run_study(model, Study.of(model, space, sampler="sobol", recipes=1), log=new_log())  # imports
    begin = time.perf_counter()
    result = run_study(model, Study.of(model, space), log=new_log())
    seconds = (time.perf_counter() - begin) / len(result.trials)
    print(f"\noverhead per recipe whose result is known: {1000 * seconds:.1f} ms")


def redraw() -> None:
    """Draw the page with 10,000 recipes: the picture, the cards and the reasons."""
    model, generator = wb.model("fashion/mlp-32"), random.Random(0)
    axes = {**GRID.axes, "prune.sparsity": [round(0.001 * step, 3) for step in range(600)]}
    study = Study.of(model, Space(axes))
    recipes = list(study.space)[: 500 if QUICK else 10_000]
    first = measure_trial(model, Job(recipes[0]))
    trials = []
    for number, recipe in enumerate(recipes):
        value = generator.gauss(0.8, 0.05)
        changed = {"recipe": recipe, "bytes": generator.randrange(2_000, 60_000)}
        trials.append(replace(first, **changed, file=str(number), value=value, accuracy=value))
    goal, demand, seconds = Goal.of(model, 20_000, 0.8, None), Demand(20_000, 0.8, 30), []
    original = model.original_bytes, model.metric_value("validation")
    session = Session(model.name)
    session.set_limits({"max_bytes": demand.max_bytes, "min_accuracy": demand.min_accuracy})
    for _ in range(10):
        begin = time.perf_counter()
        result = StudyResult(study, tuple(trials), model.task.metric, original, 0, 5000)
        choices = tuple(goal.ranking(trials)[:3])
        reasons = all_reasons(choices, goal, result, (), 1.0, ended=True, complete=False)
        drawn = Recommendation(model, goal, result, choices, {}, reasons, 1.0)
        session.choosing = Choosing(demand, drawn, "done")
        choosing.live(session)
        choosing_picture.tab(session, LIGHT)
        seconds.append(time.perf_counter() - begin)
    session.close()
    seconds.sort()
    print(f"\nredraw with {len(trials):,} recipes: {1000 * seconds[len(seconds) // 2]:.0f} ms")


def processes() -> None:
    """Compare two processes with one that has two threads, and with local Dask clusters.

    The second cluster measures itself less. The executors take turns, and each rate is the median
    of three.
    """
    print("\nrecipes per second     1 process, 2 threads  2 processes  Dask  Dask, settings  equal")
    for name in models(("fashion/cnn-10k", "fashion/lenet5")):
        model = wb.model(name)
        recipes = ROUND * (2 if QUICK else 9)
        study = Study.of(model, GRID, sampler="sobol", recipes=recipes, batch=ROUND)
        runs: dict[str, list[tuple[float, float, list[Any]]]] = {}
        clusters = {"Dask": {}, "settings": SLOWER} if find_spec("distributed") else {}
        for _ in range(1 if QUICK else 3):
            for title, executor in (("this process", InThisProcess()), ("Local", Local(2))):
                runs.setdefault(title, []).append(measured(model, study, executor))
            for title, settings in clusters.items():
                runs.setdefault(title, []).append(on_dask(model, study, settings))
        rates = {title: median(rate for rate, *_rest in row) for title, row in runs.items()}
        used = {title: median(ms for _rate, ms, _trials in row) for title, row in runs.items()}
        first = next(iter(runs.values()))[0][2]
        equal = all(trials == first for row in runs.values() for *_rest, trials in row)
        shown = " ".join(f"{rates[title]:12.1f} ({used[title]:.0f} ms)" for title in runs)
        print(f"{name:<22} {shown}  {equal}", flush=True)


SEARCH = """
import sys, time
import workbench as wb
model, seconds, _loaded = wb.model(sys.argv[1]), float(sys.argv[2]), wb.optimize
begin = time.perf_counter()
result = wb.optimize(model, max_bytes=100_000, seconds=seconds, target=sys.argv[3] or None)
print(f"{time.perf_counter() - begin:.1f} {len(result.result.trials)} {result.latency_ms}")
"""


def budget() -> None:
    """Compare the seconds that a search takes, in a new process, with those that it was given."""
    print("\nmodel                  given  target       taken  recipes  latency in ms")
    environment = {**os.environ, "WORKBENCH_STORE": ""}
    for name in models(("fashion/mlp-32", "fashion/lenet5")):
        for seconds in (4,) if QUICK else (2, 4, 10):
            for target in ("", "onnxruntime"):
                command = [sys.executable, "-c", SEARCH, name, str(seconds), target]
                output = subprocess.check_output(command, text=True, env=environment)
                taken, recipes, latency = output.split()
                print(
                    f"{name:<22} {seconds:5d}  {target or 'none':<11} {taken:>6} {recipes:>8}  "
                    f"{latency}",
                    flush=True,
                )


def layers() -> None:
    """Compare bits by layer with the same bits for all layers, at the bytes of nearest rounding.

    The loss is that of nearest rounding against the original; the differences are those of bits by
    layer against nearest rounding, on validation and on test, in points.
    """
    print(
        "\nmodel                  bits  nearest, loss  compensated  by layer  difference, on test"
    )
    for name in models(IMAGES_AND_TEXTS):
        model = wb.model(name)
        original = model.metric_value("validation")
        for bits in (4,) if QUICK else (4, 3):
            recipes = [
                wb.Recipe(wb.Quantize(bits, range="mse", rounding=rounding))
                for rounding in ("nearest", "compensated")
            ]
            uniform, other = (wb.measure(model, recipe, timed=False) for recipe in recipes)
            number = 10 if QUICK else 40
            result = mixed_precision(model, uniform.bytes, recipes=number, log=new_log())
            best = result.front[-1]
            value = best.value or 0.0
            on_test = [
                wb.measure(model, recipe, split="test", timed=False).value
                for recipe in (best.recipe, recipes[0])
            ]
            print(
                f"{name:<22} {bits:4d} {uniform.bytes:9,d} {uniform.value:8.2%} "
                f"{100 * (original - uniform.value):6.2f} {other.bytes:9,d} {other.value:8.2%} "
                f"{best.bytes:9,d} {value:8.2%} {100 * (value - uniform.value):+7.2f} "
                f"{100 * (on_test[0] - on_test[1]):+7.2f}",
                flush=True,
            )


def combinations() -> None:
    """Measure all combinations of bits of a small network, at the bytes of 4 bits everywhere."""
    model = wb.model("fashion/cnn-10k")
    settings = {
        "nearest rounding": wb.Quantize(range="mse"),
        "compensated rounding": wb.Quantize(range="mse", rounding="compensated"),
        "minimum to maximum": wb.Quantize(),
        "not centered on zero": wb.Quantize(range="mse", scheme="affine"),
    }
    most = wb.measure(model, wb.Recipe(wb.Quantize(4, range="mse")), timed=False).bytes
    axes = {f"quantize.layers.{name}": range(2, 5 if QUICK else 9) for name in model.layers}
    print(f"\n{model.name}, at most {most:,} bytes: combinations, best metric")
    for title, base in settings.items():
        study = Study.of(model, Space(axes, wb.Recipe(base)), sampler="grid", max_bytes=most)
        result = run_study(model, study, log=new_log())
        print(f"{title:<22} {len(result.trials):4d} {result.front[-1].value:8.2%}", flush=True)


WIDTHS = Space(
    {
        "structure.removed": [0, 0.2, 0.4, 0.6],
        "quantize.bits": [4, 8],
        "activations.bits": [32, 8],
    }
)


def latency() -> None:
    """Measure fronts of latency twice: the time, and by how much the times of a file differ.

    Files that other work of the machine disturbed are not compared.
    """
    print("\nmodel                  target       recipes  front  s each  busy  median  largest")
    for name in models(("fashion/lenet5", "vowels/cnn")):
        model = wb.model(name)
        for target in ("onnxruntime", None):
            settings = {"objectives": ("latency",), "target": target}
            recipes = 4 if QUICK else None
            study = Study.of(model, WIDTHS, sampler="sobol", recipes=recipes, **settings)
            begin = time.perf_counter()
            first = run_study(model, study, log=new_log())
            seconds = (time.perf_counter() - begin) / len(first.trials)
            again = run_study(model, study, log=new_log())
            pairs = [(a.cost, b.cost) for a, b in zip(first.trials, again.trials, strict=True)]
            quiet = [
                (a.milliseconds or 0.0, b.milliseconds or 0.0)
                for a, b in pairs
                if not (a.busy or b.busy)
            ]
            differences = [max(a, b) / min(a, b) - 1 for a, b in quiet] or [0.0]
            print(
                f"{name:<22} {target or 'PyTorch':<12} {len(pairs):7d} {len(first.front):6d} "
                f"{seconds:7.2f} {len(pairs) - len(quiet):5d} {median(differences):7.1%} "
                f"{max(differences):8.1%}",
                flush=True,
            )
            for trial in first.front:
                print(f"    {trial.cost.milliseconds:.4f} ms  {trial.value:.4f}  {trial.key}")


PARTS = {
    "grid": grid,
    "hypervolume": hypervolumes,
    "optuna": common_way,
    "overhead": overhead,
    "redraw": redraw,
    "processes": processes,
    "layers": layers,
    "combinations": combinations,
    "budget": budget,
    "latency": latency,
}

if __name__ == "__main__":
    assert can_eliminate(wb.model("fashion/lenet5"))
    for part in [argument for argument in sys.argv[1:] if argument in PARTS] or PARTS:
        PARTS[part]()
