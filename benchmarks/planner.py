"""Measures the planner: errors on all rows, on groups left out of the fit, coverage and speed."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from planner_fit import PRIOR, solve

import workbench as wb
from workbench.planner.chips import chip
from workbench.planner.coefficients import BALANCED, table
from workbench.planner.intervals import interval
from workbench.planner.jobs import TrainingJob
from workbench.planner.layouts import layouts
from workbench.planner.measurements import Row, inference_rows, training_rows
from workbench.planner.memory_rows import failures
from workbench.planner.plan import architecture_of, infer_plan, train_plan
from workbench.planner.times import step_work


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    parser.add_argument(
        "--machine", action="store_true", help="calibrate this machine and time other networks"
    )
    options = parser.parse_args()
    if options.machine:
        machine()
        return
    errors()
    left_out()
    utilization()
    coverage()
    fitting()
    speed(3 if options.quick else 20)


def errors() -> None:
    """Print the errors of all rows by kind."""
    validation = wb.plan_validation()
    print(f"{'':<24}{'':<14}{'rows':>6}{'mean':>9}{'largest':>9}")
    for kind in validation.kinds:
        for is_fitted in (True, False):
            rows = validation.of(kind, is_fitted=is_fitted)
            if rows:
                found = [abs(row.error) for row in rows]
                name = "fitted" if is_fitted else "never fitted"
                print(f"{kind:<24}{name:<14}{len(rows):>6}{np.mean(found):>9.1%}{max(found):>9.1%}")


def arrays(rows: Sequence[Row]) -> tuple[np.ndarray, np.ndarray]:
    """Return the work of rows by term, and their measured seconds."""
    work = [
        step_work(row.architecture, row.job, chip(row.chip), row.microbatches, row.reduced)
        for row in rows
    ]
    seconds = np.array([row.measured["step_ms"] / 1000 for row in rows])
    return np.array([[item[name] for name in PRIOR] for item in work]), seconds


def without(rows: Sequence[Row], groups: Sequence[str], only: str | None = None) -> np.ndarray:
    """Return the absolute errors of each group, predicted by a fit of all others."""
    work, seconds = arrays(rows)
    prior, names = np.array(list(PRIOR.values())), np.array(groups)
    found = []
    for name in [only] if only else sorted(set(groups)):
        inside = names == name
        terms = solve(work[~inside], seconds[~inside], prior)
        found.append(np.abs(work[inside] @ terms / seconds[inside] - 1))
    return np.concatenate(found)


def program(row: Row) -> str:
    """Return precision, attention and checkpointing of a training step."""
    job = row.job
    assert isinstance(job, TrainingJob)
    return f"{job.precision} {job.attention} {job.checkpointing}"


def left_out() -> None:
    """Print errors of groups of rows that a fit has not seen."""
    own = [row for row in training_rows() if row.stack == "pytorch"]
    groups = {
        "own rows, a model size": [row.model for row in own],
        "own rows, a kind of program": [program(row) for row in own],
    }
    print("\nleft out of the fit          mean  90th percentile  largest")
    for name, members in groups.items():
        report(name, without(own, members))
    report("own rows, the H200", without(own, [row.chip for row in own], only="h200"))
    for name in ("a100-40", "a100-80", "h100-sxm"):
        rows = [
            row
            for row in training_rows()
            if row.stack == "sharded" and row.chip == name and row.is_fitted
        ]
        report(f"llm-foundry {name}, a size", without(rows, [row.model for row in rows]))
    rows = [row for row in training_rows() if row.chip in BALANCED]
    for name in BALANCED:
        report(f"MaxText, all of {name}", without(rows, [row.chip for row in rows], only=name))


def report(name: str, found: np.ndarray) -> None:
    """Print one line."""
    print(f"{name:<28}{found.mean():>6.1%}{np.quantile(found, 0.9):>17.1%}{found.max():>9.1%}")


def utilization() -> None:
    """Print the error of the best constant utilization next to the planner's."""
    print("\nllm-foundry, mean error of the best constant utilization")
    for name in ("a100-40", "a100-80", "h100-sxm"):
        rows = [
            row
            for row in training_rows()
            if row.stack == "sharded" and row.chip == name and row.is_fitted
        ]
        used = np.array([row.facts["mfu_percent"] for row in rows])
        best = min(np.abs(used / value - 1).mean() for value in used)
        print(f"{name:<28}{best:>6.1%}")


def coverage() -> None:
    """Print how often 80 % intervals hold rows that were left out."""
    print("\n80 % intervals that hold the row left out")
    for stack, residuals in table()["residuals"].items():
        rows = [row for row in (*training_rows(), *inference_rows()) if row.id in residuals]
        held = []
        for row in rows:
            relative = 1 + residuals[row.id]
            others = [other for other in rows if other is not row]
            bounds = interval(relative, row.architecture, row.job, row.chip, others, stack, True)
            held.append(bounds.low <= 1 <= bounds.high)
        print(f"{stack:<28}{np.mean(held):>6.1%} of {len(rows)}")


def fitting() -> None:
    """Print the answers for rows that ran."""
    rows = [row for row in training_rows() if "offloads" not in row.facts]
    answers = [train_plan(row.architecture, chip(row.chip), row.job).fits for row in rows]
    answers += [
        infer_plan(row.architecture, chip(row.chip), row.job).fits for row in inference_rows()
    ]
    counted("steps that ran", answers)
    counted("steps that ran out of memory", [failure.fits for failure in failures()])


def counted(name: str, answers: Sequence[bool | None]) -> None:
    """Print how often each answer was given."""
    fits, not_fits, is_open = (answers.count(answer) for answer in (True, False, None))
    print(f"{len(answers)} {name}: fit {fits}, do not fit {not_fits}, too close to call {is_open}")


def machine() -> None:
    """Print errors for networks of transformers that a calibration of this machine has not seen."""
    import torch
    from transformers import (
        AutoModelForCausalLM,
        GPT2Config,
        LlamaConfig,
        OPTConfig,
        Qwen2Config,
    )

    from workbench.planner.probes import fastest

    start = time.perf_counter()
    found = wb.calibrate_chip("cpu")
    print(f"calibrated in {time.perf_counter() - start:.0f} s: {found.calibration}")
    sizes = {"hidden_size": 320, "num_hidden_layers": 5, "num_attention_heads": 5}
    wide = {"num_attention_heads": 8, "hidden_size": 512, "intermediate_size": 1376}
    for config, batch, tokens in (
        (GPT2Config(n_embd=320, n_layer=5, n_head=5, vocab_size=6000), 2, 192),
        (GPT2Config(n_embd=192, n_layer=8, n_head=3, vocab_size=1000), 4, 256),
        (OPTConfig(**sizes, ffn_dim=1280, word_embed_proj_dim=320, vocab_size=6000), 2, 192),
        (
            Qwen2Config(**sizes, num_key_value_heads=1, intermediate_size=960, vocab_size=6000),
            2,
            192,
        ),
        (LlamaConfig(**wide, num_hidden_layers=3, vocab_size=16000), 1, 96),
        (LlamaConfig(**wide, num_hidden_layers=5, vocab_size=2000), 1, 512),
    ):
        words = torch.randint(1000, (batch, tokens))
        network = AutoModelForCausalLM.from_config(config)
        trained = fastest(training_step(network.train(), words), "cpu")
        network.eval()
        with torch.inference_mode():
            read = fastest(lambda: network(words, logits_to_keep=1), "cpu")  # noqa: B023
        training = wb.plan(config, found, microbatch=batch, sequence=tokens, precision="fp32")
        reading = wb.plan(config, found, batch=batch, context=tokens, precision="fp32")
        for name, seconds, bounds, measured in (
            ("step", training.seconds, training.interval, trained),
            ("read", reading.prefill, reading.prefill_interval, read),
        ):
            low, total, high = (1000 * part for part in (bounds.low, seconds.total, bounds.high))
            print(
                f"{config.model_type:<8}{name:<6}predicted {total:.1f} ms ({low:.1f} to "
                f"{high:.1f}), measured {1000 * measured:.1f}, {total / 1000 / measured - 1:+.0%}"
            )


def training_step(network: Any, words: Any) -> Callable[[], None]:
    """Return a function that trains a network of transformers on some words."""
    import torch

    optimizer = torch.optim.AdamW(network.parameters(), fused=True)

    def step() -> None:
        network(input_ids=words, labels=words).loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def speed(repetitions: int) -> None:
    """Print the time of an answer, of a search, and of a fresh process."""
    model = architecture_of("llama-3.1-405b")
    job = TrainingJob(1, 8192, "amp", accumulation=4)
    wb.plan("llama-3.1-8b", "h200", microbatch=2, sequence=2048)
    timed(
        "one answer",
        lambda: wb.plan("llama-3.1-8b", "h200", microbatch=2, sequence=2048),
        repetitions,
    )
    timed(
        "layouts of 1,024 chips", lambda: layouts(model, chip("h100-sxm"), job, 1024), repetitions
    )
    code = "import workbench as wb; wb.plan('gpt2', 'h200', microbatch=1, sequence=512)"
    timed("a fresh process", lambda: subprocess.run([sys.executable, "-c", code], check=True), 3)


def timed(name: str, run: object, repetitions: int) -> None:
    """Print the median of the seconds that `run` takes."""
    seconds = []
    for _ in range(repetitions):
        start = time.perf_counter()
        run()  # type: ignore[operator]
        seconds.append(time.perf_counter() - start)
    print(f"{name:<28}{np.median(seconds) * 1000:>8.1f} ms")


if __name__ == "__main__":
    main()
