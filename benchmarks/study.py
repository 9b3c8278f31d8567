"""Studies: evaluations saved, points of the front lost, hypervolume, overhead, kills, demands.

python benchmarks/study.py [--quick] [PART ...]

Parts: grid, hypervolume, overhead, kills, processes, demands, layers. All by default.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from math import log10
from pathlib import Path
from statistics import mean

import torch

import workbench as wb
from workbench.cache.results import ResultCache
from workbench.study import Space, Study, measurement, mixed_precision, run_study
from workbench.study.elimination import can_eliminate
from workbench.study.executors import InThisProcess, Local
from workbench.study.measurement import Job, measure_trial
from workbench.study.optimize import optimize
from workbench.study.trial import Trial, pareto_front

QUICK = "--quick" in sys.argv
GRID = Space(
    {
        "prune.sparsity": [round(0.05 * step, 2) for step in range(20)],
        "quantize.bits": [2, 3, 4, 5, 6],
        "quantize.range": ["minmax", "mse"],
        "prune.scope": ["global", "uniform"],
    }
)
SMALL_GRID = Space(
    {
        "prune.sparsity": [0, 0.3, 0.5, 0.7, 0.9],
        "quantize.bits": [2, 3, 4, 6],
        "quantize.range": ["minmax", "mse"],
    }
)
FAST = ("fashion/mlp-32", "fashion/lenet-300-100", "fashion/cnn-10k", "reviews/bag", "vowels/gru")
FULL: dict[tuple[str, int], list[Trial]] = {}


def empty_store() -> None:
    """Forget all results, so that everything is measured."""
    store = ResultCache()
    measurement.__dict__["default_result_cache"] = lambda: store


def points(trials: object) -> list[tuple[int, float | None]]:
    """Return bytes and metric of each trial."""
    return [(trial.bytes, trial.value) for trial in trials]  # type: ignore[attr-defined]


def full_grid(model: wb.Model, space: Space) -> list[Trial]:
    """Return the exact trials of all recipes."""
    key = model.name, len(space)
    if key not in FULL:
        empty_store()
        FULL[key] = [measure_trial(model, Job(recipe)) for recipe in dict.fromkeys(space)]
    return FULL[key]


def grid() -> None:
    """Compare the front of a study with that of the full grid."""
    names = ["fashion/mlp-32"] if QUICK else ["fashion/lenet5", "reviews/bag", "reviews/gru"]
    space = SMALL_GRID if QUICK else GRID
    print("\nmodel                  recipes  front  lost  saved  seconds  of the full grid")
    for name in names:
        model = wb.model(name)
        empty_store()
        begin = time.perf_counter()
        result = run_study(model, Study.of(model, space, sampler="grid"), log=new_log())
        study_seconds = time.perf_counter() - begin
        begin = time.perf_counter()
        full = full_grid(model, space)
        full_seconds = time.perf_counter() - begin
        truth = points(pareto_front(full, model.task.metric))
        lost = len(set(truth) - set(points(result.front)))
        print(
            f"{name:<22} {len(result.trials):7d} {len(truth):6d} {lost:5d} {result.saved:6.1%} "
            f"{study_seconds:8.0f} {full_seconds:17.0f}",
            flush=True,
        )


def hypervolume(trials: list[Trial], model: wb.Model) -> float:
    """Return the area of log10 bytes × metric, from the original's bytes and the chance metric."""
    width, chance = log10(model.original_bytes), 1 / max(2, len(model.task.classes))
    area, best, previous = 0.0, chance, None
    for trial in pareto_front(trials, model.task.metric):
        if previous is not None:
            area += (log10(trial.bytes) - previous) * (best - chance)
        best, previous = max(best, trial.value or 0.0), log10(trial.bytes)
    return area + (width - previous) * (best - chance) if previous is not None else area


def hypervolumes() -> None:
    """Compare evolution with random recipes, after as many recipes, over seeds."""
    names, seeds, recipes = (FAST[:1], 2, 30) if QUICK else (FAST, 10, 60)
    print("\nmodel                  evolution  random  of the full grid, better with 95 %")
    for name in names:
        model = wb.model(name)
        space = SMALL_GRID if QUICK else GRID
        full = {trial.recipe: trial for trial in full_grid(model, space)}
        best = hypervolume(list(full.values()), model)
        ours, others = [], []
        for seed in range(seeds):
            study = Study.of(model, space, sampler="evolution", recipes=recipes, seed=seed)
            trials = run_study(model, study, log=new_log()).trials
            ours.append(hypervolume([full[trial.recipe] for trial in trials], model) / best)
            chosen = random.Random(seed).sample(list(full), recipes)
            others.append(hypervolume([full[recipe] for recipe in chosen], model) / best)
        differences = [a - b for a, b in zip(ours, others, strict=True)]
        spread = torch.tensor(differences).std().item() / len(differences) ** 0.5
        better = mean(differences) - 2.262 * spread > 0
        print(f"{name:<22} {mean(ours):9.1%} {mean(others):7.1%}  {better}", flush=True)


def overhead() -> None:
    """Measure a study whose results are all in the store."""
    model = wb.model("fashion/mlp-32")
    space = SMALL_GRID if QUICK else GRID
    full_grid(model, space)
    run_study(model, Study.of(model, space, sampler="sobol", recipes=1), log=new_log())  # imports
    begin = time.perf_counter()
    result = run_study(model, Study.of(model, space, sampler="evolution"), log=new_log())
    seconds = (time.perf_counter() - begin) / len(result.trials)
    print(f"\noverhead per recipe whose result is known: {1000 * seconds:.1f} ms")


def kills() -> None:
    """Kill a study at random moments, and compare the front with that of an undisturbed run."""
    count, recipes = (3, 12) if QUICK else (20, 60)
    folder = Path(tempfile.mkdtemp())
    code = (
        "import json, sys, workbench as wb\n"
        "from workbench.study import Space, Study, run_study\n"
        "model = wb.model('fashion/cnn-10k')\n"
        f"space = Space({dict(GRID.axes)!r})\n"
        f"study = Study.of(model, space, sampler='evolution', recipes={recipes})\n"
        "result = run_study(model, study, log=sys.argv[1])\n"
        "print(json.dumps([(t.bytes, t.value) for t in result.front]))\n"
    )

    def start(log: Path) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", code, str(log)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    begin = time.perf_counter()
    undisturbed = start(folder / "undisturbed").communicate()[0]
    seconds = time.perf_counter() - begin
    generator, killed = random.Random(0), 0
    while killed < count:
        process = start(folder / "killed")
        try:
            process.communicate(timeout=generator.uniform(0.3, 0.6) * seconds)
            (folder / "killed").unlink()  # it ended before: begin again
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            killed += 1
    resumed = start(folder / "killed").communicate()[0]
    lines = (folder / "killed").read_text().splitlines()[1:]
    keys = [(json.dumps(t["recipe"]), t["state"]) for t in map(json.loads, lines)]
    print(
        f"\n{killed} kills: same front {json.loads(resumed) == json.loads(undisturbed)}, "
        f"measured twice {len(keys) - len(set(keys))} of {len(keys)}"
    )


def processes() -> None:
    """Compare two processes with one that has two threads."""
    print("\nmodel                  1 process, 2 threads   2 processes   ratio")
    for name in FAST[:1] if QUICK else ("fashion/cnn-10k", "fashion/lenet5"):
        model, seconds = wb.model(name), []
        study = Study.of(model, GRID, sampler="sobol", recipes=12 if QUICK else 40)
        for executor in (InThisProcess(), Local(2)):
            torch.set_num_threads(2)
            empty_store()
            begin = time.perf_counter()
            run_study(model, study, log=new_log(), executor=executor)
            seconds.append(time.perf_counter() - begin)
        first, second = seconds
        print(f"{name:<22} {first:19.1f} s {second:11.1f} s {first / second:6.2f}", flush=True)


def demands() -> None:
    """Compare recommendations with the smallest file of the grid under the same limits."""
    count, seconds = (1, 4.0) if QUICK else (3, 20.0)
    print("\nmodel                  demands  met where possible  shown meet limits  size/grid")
    for name in FAST[:1] if QUICK else FAST:
        model = wb.model(name)
        full = full_grid(model, SMALL_GRID if QUICK else GRID)
        generator, met, possible, meeting, sizes = random.Random(name), 0, 0, 0, []
        for _ in range(count):
            original = model.metric_value("validation")
            limit = original - generator.choice([0.003, 0.01, 0.02, 0.05])
            feasible = [t.bytes for t in full if (t.value or 0.0) >= limit]
            empty_store()
            result = optimize(model, min_accuracy=limit, seconds=seconds)
            if feasible:
                possible += 1
                met += result.met
                sizes.append(result.best.bytes / min(feasible))
            exact = (measure_trial(model, Job(trial.recipe)) for trial in result.choices)
            meeting += not result.met or all((t.accuracy or 0.0) >= limit for t in exact)
        ratios = ", ".join(f"{size:.2f}" for size in sizes)
        print(f"{name:<22} {count:7d} {met:10d} of {possible:2d} {meeting:15d}     {ratios}")


def layers() -> None:
    """Compare bits by layer with 4 bits for all layers, at the same bytes."""
    print("\nmodel                     bytes  4 bits  by layer  difference")
    for name in FAST[:1] if QUICK else (*FAST, "fashion/lenet5"):
        model = wb.model(name)
        uniform = wb.measure(model, wb.Recipe(wb.Quantize(4, range="mse")), timed=False)
        result = mixed_precision(model, uniform.bytes, recipes=10 if QUICK else 30, log=new_log())
        best = result.front[-1].value or 0.0
        print(
            f"{name:<22} {uniform.bytes:8,d} {uniform.value:7.2%} {best:8.2%} "
            f"{100 * (best - uniform.value):+10.2f}",
            flush=True,
        )


def new_log() -> Path:
    """Return the path of a log that does not exist."""
    return Path(tempfile.mkdtemp()) / "log.jsonl"


PARTS = {
    "grid": grid,
    "hypervolume": hypervolumes,
    "overhead": overhead,
    "kills": kills,
    "processes": processes,
    "demands": demands,
    "layers": layers,
}

if __name__ == "__main__":
    assert can_eliminate(wb.model("fashion/lenet5"))
    chosen = [argument for argument in sys.argv[1:] if argument in PARTS]
    for part in chosen or PARTS:
        PARTS[part]()
