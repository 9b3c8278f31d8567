"""Check that the numbers are true on modules that people have, and on others composed at random.

Every kind of the table in `tests/field`, and modules that Hypothesis composes of building blocks,
go through every part of a recipe. What is reported is compared with what plain PyTorch and NumPy
find for the file: length, accuracy or error, zeros, buffers, outputs. The module, its data and
PyTorch's global state must be as they were.

    python benchmarks/field.py [--compositions 500] [--only NAME]

The exit status is 1 if anything differs, or if a module is refused that should be measured.
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

os.environ["WORKBENCH_STORE"] = ""  # nothing is looked up, and nothing is kept
sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests are not installed

import _table
import torch

from tests.field.check import CheckResult, Subject, examine
from tests.field.compose import Plan, sample_plans
from tests.field.data import splits, task_of
from tests.field.modules import TABLE
from tests.field.recipes import recipes

COLUMNS = ("modules", "tried", "measured", "files", "refused rightly", "wrong")
LEAST_MEASURED = 0.9


@dataclass(frozen=True)
class Result:
    """What came of a module: its group, its name, the verdict, and all that was wrong."""

    group: str
    name: str
    verdict: CheckResult
    wrong: tuple[str, ...]


def main() -> None:
    """Print a line for each group of modules, what was refused and why, and what was wrong."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--compositions", type=int, default=500, help="modules to compose")
    parser.add_argument("--only", default="", help="the name of one kind of the table")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # modules with warnings of their own
    torch.set_num_threads(1)
    print(_table.machine(), end="\n\n")
    found = [*of_table(options.only)]
    if not options.only:
        found += of_plans(sample_plans(options.compositions))
    print(_table.table(COLUMNS, rows(found)), end="\n\n")
    for line in reasons(found):
        print(line)
    wrong = [f"{one.name}: {said}" for one in found for said in one.wrong]
    print(*wrong, sep="\n")
    composed = [one for one in found if one.group == "composed"]
    measured = sum(not one.verdict.refusal for one in composed)
    sys.exit(bool(wrong) or measured < LEAST_MEASURED * len(composed))


def of_table(only: str) -> Iterator[Result]:
    """Yield what comes of the kinds of the table."""
    for number, (name, kind) in enumerate(TABLE.items()):
        if only in ("", name):
            task = task_of(kind.data)
            data = splits(kind.data)
            subject = Subject(kind.build(), kind.build_plain, data, task, name, kind.untrained)
            group = kind.make.__module__.rpartition(".")[2]
            verdict = tried(subject, number)
            yield judged(group, name, verdict, kind.refused, kind.may_refuse)


def of_plans(plans: Sequence[Plan]) -> Iterator[Result]:
    """Yield what comes of modules composed at random."""
    for plan in plans:
        verdict = tried(plan.subject(), plan.seed)
        yield judged("composed", repr(plan), verdict, plan.refused, "")


def tried(subject: Subject, number: int) -> CheckResult:
    """Put a module through the recipes of a number."""
    print(subject.name, file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        return examine(subject, recipes(number, subject.task), Path(folder))


def judged(group: str, name: str, verdict: CheckResult, refused: str, may_refuse: str) -> Result:
    """Return a result, with refusals that are wrong among its faults."""
    wrong = list(verdict.faults)
    if verdict.refusal:
        expected = refused or may_refuse
        if not expected or not re.search(expected, verdict.refusal, re.IGNORECASE):
            wrong.append(f"refused: {verdict.refusal}")
    elif refused and not wrong:
        wrong.append(f"measured, though it should be refused ({refused})")
    return Result(group, name, verdict, tuple(wrong))


def rows(found: Sequence[Result]) -> Iterator[Sequence[object]]:
    """Yield a line for each group, and one for all."""
    for group in dict.fromkeys(one.group for one in found):
        yield _row(group, [one for one in found if one.group == group])
    yield _row("all", found)


def _row(title: str, these: Sequence[Result]) -> Sequence[object]:
    return (
        title,
        len(these),
        sum(not one.verdict.refusal for one in these),
        f"{sum(one.verdict.measured for one in these):,}",
        sum(bool(one.verdict.refusal) and not one.wrong for one in these),
        sum(bool(one.wrong) for one in these),
    )


def reasons(found: Sequence[Result]) -> Iterator[str]:
    """Yield the sentences with which modules were refused, and how many each."""
    said = Counter(one.verdict.refusal for one in found if one.verdict.refusal and not one.wrong)
    for sentence, count in said.most_common():
        yield f"{count} refused: {sentence}\n"


if __name__ == "__main__":
    main()
