"""Check the reported numbers on common kinds of user modules and on randomly composed ones.

Every kind in the table of `tests/field`, and modules that Hypothesis composes from building blocks,
go through every part of a recipe. The reported values are compared with a direct computation in
PyTorch and NumPy on the file: size, accuracy or error, zeros, buffers, outputs. The module, its
data and PyTorch's global state must be unchanged.

    python benchmarks/field.py [--compositions 500] [--only NAME]

The exit status is 1 if anything differs, or if a supported module is refused.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ["WORKBENCH_STORE"] = ""  # disables the result cache
sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests are not installed

import _table
import torch

from tests.field.check import CheckResult, Subject, examine
from tests.field.compose import Plan, sample_plans
from tests.field.data import splits, task_of
from tests.field.modules import TABLE
from tests.field.recipes import recipes

COLUMNS = ("modules", "tried", "measured", "files", "refused as expected", "wrong")
MIN_MEASURED = 0.9


@dataclass(frozen=True)
class Result:
    """The result of a module: its group, its name, the check, and what was wrong."""

    group: str
    name: str
    check: CheckResult
    wrong: tuple[str, ...]


def main() -> None:
    """Print a line for each group of modules, the refusals with reasons, and the errors."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--compositions", type=int, default=500, help="modules to compose")
    parser.add_argument("--only", default="", help="the name of one kind of the table")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # user modules cause warnings
    torch.set_num_threads(1)
    print(_table.machine(), end="\n\n")
    results = [*table_results(options.only)]
    if not options.only:
        results += plan_results(sample_plans(options.compositions))
    print(_table.table(COLUMNS, rows(results)), end="\n\n")
    for line in reasons(results):
        print(line)
    wrong = [f"{result.name}: {fault}" for result in results for fault in result.wrong]
    print(*wrong, sep="\n")
    composed = [result for result in results if result.group == "composed"]
    measured = sum(not result.check.refusal for result in composed)
    sys.exit(bool(wrong) or measured < MIN_MEASURED * len(composed))


def table_results(only: str) -> Iterator[Result]:
    """Yield the results of the kinds in the table."""
    for number, (name, kind) in enumerate(TABLE.items()):
        if only in ("", name):
            task = task_of(kind.data)
            data = splits(kind.data)
            subject = Subject(kind.build(), kind.build_plain, data, task, name, kind.untrained)
            group = kind.make.__module__.rpartition(".")[2]
            check = run(subject, number)
            yield compare(group, name, check, kind.refused, kind.may_refuse)


def plan_results(plans: Sequence[Plan]) -> Iterator[Result]:
    """Yield the results of randomly composed modules."""
    for plan in plans:
        check = run(plan.subject(), plan.seed)
        yield compare("composed", repr(plan), check, plan.refused, "")


def run(subject: Subject, number: int) -> CheckResult:
    """Check a module with the recipes of a number."""
    print(subject.name, file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        return examine(subject, recipes(number, subject.task), Path(folder))


def compare(group: str, name: str, check: CheckResult, refused: str, may_refuse: str) -> Result:
    """Return a result that lists unexpected refusals among its faults."""
    wrong = list(check.faults)
    if check.refusal:
        expected = refused or may_refuse
        if not expected or not re.search(expected, check.refusal, re.IGNORECASE):
            wrong.append(f"refused: {check.refusal}")
    elif refused and not wrong:
        wrong.append(f"measured, though it should be refused ({refused})")
    return Result(group, name, check, tuple(wrong))


def rows(results: Sequence[Result]) -> Iterator[Sequence[object]]:
    """Yield a line for each group, and one for all."""
    for group in dict.fromkeys(result.group for result in results):
        yield _row(group, [result for result in results if result.group == group])
    yield _row("all", results)


def _row(title: str, results: Sequence[Result]) -> Sequence[object]:
    return (
        title,
        len(results),
        sum(not r.check.refusal for r in results),
        f"{sum(r.check.measured for r in results):,}",
        sum(bool(r.check.refusal) and not r.wrong for r in results),
        sum(bool(r.wrong) for r in results),
    )


def reasons(results: Sequence[Result]) -> Iterator[str]:
    """Yield the reasons for refusals with their counts."""
    counts = Counter(r.check.refusal for r in results if r.check.refusal and not r.wrong)
    for reason, count in counts.most_common():
        yield f"{count} refused: {reason}\n"


if __name__ == "__main__":
    main()
