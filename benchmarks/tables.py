"""Compare the small network of `wb.from_table` with gradient boosting on the same rows.

Boosting is scikit-learn's HistGradientBoosting with the features of an expert: true values, dates
as elapsed days, year, month, day of the year and weekday, texts as TF-IDF. The network reads the
file itself. Both learn from the same rows and are measured on the same rows, validation and test
together. Prints accuracy or R²; the exit status is 1 if the network is more than 4
points below boosting.

    python benchmarks/tables.py [--tables NAME ...]
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

import _table
import numpy as np
from _tables import TABLES, MadeTable
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import OrdinalEncoder

from workbench.custom.tables.inspection import Choices
from workbench.custom.tables.prepare import prepare
from workbench.custom.tables.read import read
from workbench.custom.uploads.small_models import train_small_model
from workbench.evaluation.scores import reference_score

TOLERANCE = 0.04
WORDS = 1000


def main() -> None:
    """Print the table; the exit status is 1 if a table is more than 4 points below."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", nargs="+", default=[*TABLES], choices=TABLES)
    options = parser.parse_args()
    lines, passed = [], True
    for name in options.tables:
        made = TABLES[name]()
        network, boosting, guess, columns, rows, seconds = compare(made)
        passed = passed and network >= boosting - TOLERANCE
        figures = (f"{100 * value:.1f}" for value in (network, boosting, network - boosting, guess))
        kind = "R²" if made.as_number else "accuracy"
        lines.append([name, kind, f"{rows:,}", columns, *figures, f"{seconds:.1f}"])
        print(name, *lines[-1][1:], file=sys.stderr)
    columns_ = ("table", "metric", "rows", "columns", "network", "boosting", "difference")
    print(_table.table((*columns_, "guessing", "seconds"), lines))
    print(f"\n{_table.machine()}")
    sys.exit(not passed)


def compare(made: MadeTable) -> tuple[float, float, float, int, int, float]:
    """Return the values of network, boosting and guessing; columns, rows, and seconds."""
    start = time.perf_counter()
    choices = Choices(made.target, made.as_number)
    table = read(made.source, choices)
    prepared = prepare(table, choices)
    model = train_small_model("benchmark", prepared.data)
    seconds = time.perf_counter() - start
    train = prepared.splits["train"]
    held_out = np.concatenate([prepared.splits["validation"], prepared.splits["test"]])
    truth = np.asarray(made.truth)
    if made.as_number:
        errors = [_squared_error(model, split) for split in ("validation", "test")]
        network = 1 - sum(errors) / np.square(truth[held_out] - truth[held_out].mean()).sum()
        guess = 0.0
    else:
        entries = model.card["accuracy"].values()
        network = sum(entry["correct"] for entry in entries) / len(held_out)
        names, counts = np.unique(truth[train], return_counts=True)
        guess = float((truth[held_out] == names[counts.argmax()]).mean())
    boosting = _boosting(made, train, held_out)
    return network, boosting, guess, len(prepared.preprocessing.columns), len(truth), seconds


def _squared_error(model: Any, split: str) -> float:
    """Return the sum of squared errors in the unit of the target."""
    score = reference_score(model, model.weights(), model.task.split(split))
    return float(score.figures["root mean squared error"] ** 2 * score.examples)


def _boosting(made: MadeTable, train: Any, held_out: Any) -> float:
    columns = [np.asarray(values, float)[:, None] for values in made.numbers]
    if made.categories:
        words = np.array([[value or "" for value in values] for values in made.categories]).T
        encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
        columns.append(encoder.fit(words[train]).transform(words))
    is_category = [False] * len(made.numbers) + [True] * len(made.categories)
    if made.text is not None:
        vectorizer = TfidfVectorizer(max_features=WORDS, ngram_range=(1, 2), sublinear_tf=True)
        vectorizer.fit([made.text[row] for row in train])
        columns.append(vectorizer.transform(made.text).toarray())
        is_category += [False] * columns[-1].shape[1]
    inputs, truth = np.concatenate(columns, axis=1), np.asarray(made.truth)
    cls = HistGradientBoostingRegressor if made.as_number else HistGradientBoostingClassifier
    model = cls(categorical_features=is_category, random_state=0).fit(inputs[train], truth[train])
    return float(model.score(inputs[held_out], truth[held_out]))


if __name__ == "__main__":
    main()
