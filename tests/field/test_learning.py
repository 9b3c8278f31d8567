"""Tables as users have them: what is learned, on which rows, and what is said about it.

The right values come from scikit-learn and NumPy on the same rows, or from the rule that made them.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

import workbench as wb
from tests.raises import raises
from workbench.cli import main
from workbench.custom.tables.inspection import Choices
from workbench.custom.tables.prepare import prepare
from workbench.custom.tables.read import read
from workbench.custom.uploads.small_models import train_small_model

POINTS = 0.04
SHARES = {"a": 0.99, "b": 0.9, "c": 0.8, "d": 0.5}
"""Of the rows in which a column says NA, meaning none."""
FILLERS = ["the", "movie", "was", "a", "film", "with", "plot", "actor", "and", "it", "story"]
WORDS = {True: ["great", "wonderful", "best", "fun"], False: ["bad", "awful", "boring", "dull"]}


def csv(names, columns, delimiter=","):
    rows = zip(*columns, strict=True)
    lines = [delimiter.join(names), *(delimiter.join(map(str, row)) for row in rows)]
    return "\n".join(lines).encode()


def learned(source, **choices):
    """Return a model, its prepared table, and the value on validation and test together."""
    choices = Choices(**choices)
    prepared = prepare(read(source, choices), choices)
    model = train_small_model("field", prepared.data)
    if model.task.classes:
        entries = [*model.card["accuracy"].values()]
        value = sum(e["correct"] for e in entries) / sum(e["examples"] for e in entries)
    else:
        comparisons = [
            wb.compare_numbers(model, wb.Recipe(), split=s) for s in ("validation", "test")
        ]
        true = np.concatenate([c.labels for c in comparisons])
        predicted = np.concatenate([c.before for c in comparisons])
        value = 1 - np.square(true - predicted).mean() / true.var()
    return model, prepared, value


def held_out(prepared):
    return np.concatenate([prepared.splits["validation"], prepared.splits["test"]])


def boosted(prepared, columns, truth, kind="Classifier"):
    """Return the score of boosting on the same rows."""
    from sklearn import ensemble

    inputs, truth, train = np.stack(columns, axis=1), np.asarray(truth), prepared.splits["train"]
    boosting = getattr(ensemble, f"HistGradientBoosting{kind}")(random_state=0, max_iter=60)
    model = boosting.fit(inputs[train], truth[train])
    rows = held_out(prepared)
    return model.score(inputs[rows], truth[rows])


@pytest.mark.slow
def test_rows_stay_although_a_column_is_mostly_empty():
    rng = np.random.default_rng(0)
    woman, place = rng.random(891) < 0.35, rng.integers(1, 4, 891)
    age = np.where(rng.random(891) < 0.2, np.nan, rng.normal(30, 13, 891).round())
    deck = [("C" if p == 1 else "") if rng.random() < 0.7 else "" for p in place]
    survived = rng.random(891) < 1 / (1 + np.exp(1.4 * place - 2.6 * woman - 1.5))
    cells = ["" if np.isnan(value) else f"{value:.0f}" for value in age]
    columns = [place, woman.astype(int), cells, deck, survived.astype(int)]
    names = ["class", "woman", "age", "deck", "survived"]
    _model, prepared, value = learned(csv(names, columns))
    assert sum(map(len, prepared.splits.values())) == 891
    assert [column.name for column in prepared.preprocessing.columns] == names[:-1]
    truth = survived.astype(int)
    best = boosted(prepared, [place, woman, age, np.array(deck) == "C"], truth)
    assert value > best - POINTS
    assert value > max(truth.mean(), 1 - truth.mean()) + 0.05


@pytest.mark.slow
def test_missing_may_mean_none_and_no_row_is_lost():
    rng = np.random.default_rng(1)
    rows = 500
    size, year = rng.uniform(40, 250, rows).round(), rng.integers(1900, 2010, rows)
    none = {name: rng.random(rows) < share for name, share in SHARES.items()}
    price = 1000 * size + 300 * (year - 1900) + 40_000 * ~none["d"] + 30_000 * ~none["c"]
    price = (price * rng.normal(1, 0.05, rows)).round()
    words = [["NA" if missing else "yes" for missing in none[name]] for name in none]
    source = csv([*"abcd", "size", "year", "price"], [*words, size, year, price])
    _model, prepared, value = learned(source)
    assert sum(map(len, prepared.splits.values())) == rows
    inputs = [size, year, *none.values()]
    assert value > boosted(prepared, inputs, price, "Regressor") - POINTS
    assert value > 0.9


@pytest.mark.slow
def test_a_date_is_the_main_feature():
    rng = np.random.default_rng(2)
    day = np.datetime64("1981-01-01") + np.arange(2000)
    of_year = (day - day.astype("datetime64[Y]")).astype(float)
    value = 11 + 4 * np.cos(2 * np.pi * (of_year - 25) / 365.25)
    temperature = (value + rng.normal(0, 2.2, 2000)).round(1)
    _model, prepared, score = learned(csv(["Date", "Temp"], [day, temperature]))
    rows = held_out(prepared)
    rule = 1 - np.square(temperature - value)[rows].mean() / temperature[rows].var()
    assert rule - POINTS < score < rule + POINTS
    best = boosted(prepared, [of_year], temperature, "Regressor")
    assert score > best - POINTS


@pytest.mark.slow
def test_counts_with_a_rare_value_are_a_number_or_classes_as_chosen():
    rng = np.random.default_rng(3)
    kids = rng.integers(0, 9, 300)
    kids[7] = 19
    source = {"a": rng.normal(size=300), "b": kids + rng.normal(0, 0.5, 300), "kids": kids}
    model, _prepared, value = learned(source)
    assert model.task.classes == ()
    assert value > 0.85
    with raises("upload.rare_class", "19"):
        wb.from_table(source, as_number=False)
    choices = Choices(as_number=False, leave_out_rare=True)
    data = prepare(read(source, choices), choices).data
    assert data.classes == tuple(map(str, range(9)))
    assert sum(len(labels) for _inputs, labels in data.parts.values()) == 299


@pytest.fixture(scope="module")
def homes():
    """A model that predicts prices, its table, and the true values."""
    rng = np.random.default_rng(4)
    size, city = rng.uniform(30, 250, 400).round(), rng.choice(["Rome", "Oslo"], 400)
    price = (2500 * size + 90_000 * (city == "Oslo") + rng.normal(0, 9000, 400)).round()
    source = csv(["city", "size", "price"], [city, size, price])
    model, prepared, _value = learned(source)
    return model, prepared, price


@pytest.mark.slow
def test_errors_of_a_number_are_in_its_unit(homes):
    model, prepared, price = homes
    for split in ("validation", "test"):
        result = wb.compare_numbers(model, wb.Recipe(), split=split)
        truth = price[prepared.splits[split]]
        np.testing.assert_allclose(result.labels, truth, rtol=1e-6)
        report = wb.measure(model, wb.Recipe(), split=split, timed=False)
        errors = result.after - truth
        figures = report.score.figures
        assert figures["root mean squared error"] == pytest.approx(
            np.sqrt(np.square(errors).mean()), rel=1e-4
        )
        assert figures["mean absolute error"] == pytest.approx(np.abs(errors).mean(), rel=1e-4)
        assert 5_000 < figures["root mean squared error"] < 20_000
        honest = wb.honest_figures(model, report)
        assert honest.baseline == pytest.approx(truth.std(), rel=1e-4)
        assert honest.better


@pytest.mark.slow
def test_rows_that_changed_have_their_cells_and_line(homes):
    model, prepared, price = homes
    result = wb.compare_numbers(model, wb.Recipe(quantize=wb.Quantize(2)), split="test")
    row = result.rows()[0]
    line = prepared.splits["test"][row["example"]] + 2  # after the header, counted from 1
    assert row["line"] == line
    assert float(row["price"]) == price[line - 2]
    assert row["city"] in {"Rome", "Oslo"}


@pytest.mark.slow
def test_the_majority_is_not_a_success(tmp_path, capsys):
    rng = np.random.default_rng(5)
    fraud = (np.arange(2000) % 200 == 0).astype(int)
    path = tmp_path / "fraud.csv"
    path.write_bytes(csv(["a", "b", "fraud"], [*rng.normal(size=(2, 2000)).round(3), fraud]))
    output = tmp_path / "fraud.safetensors"
    assert main(["learn", str(path), "--seconds", "3", "--output", str(output), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["classes"] == {"0": 1990, "1": 10}
    assert result["accuracy"] <= result["baseline"] == pytest.approx(0.993, abs=0.003)
    assert any("99." in warning and "guessing" in warning for warning in result["warnings"])
    assert result["recall"]["1"] == 0


@pytest.mark.slow
def test_texts_are_learned_from():
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(6)
    good = rng.random(300) < 0.5
    texts = []
    for label in good.tolist():
        chosen = [
            *rng.choice(FILLERS, 20),
            *rng.choice(WORDS[label], 2),
            rng.choice(WORDS[not label]),
        ]
        rng.shuffle(chosen)
        texts.append(" ".join(chosen))
    labels = np.where(good, "positive", "negative")
    _model, prepared, value = learned({"sentiment": labels, "review": texts}, target="sentiment")
    assert prepared.preprocessing.columns[0].format.type == "text"
    train, rows = prepared.splits["train"], held_out(prepared)
    vectorizer = TfidfVectorizer().fit([texts[row] for row in train])
    inputs = vectorizer.transform(texts)
    linear = LogisticRegression(max_iter=500).fit(inputs[train], labels[train])
    assert value > linear.score(inputs[rows], labels[rows]) - POINTS
    assert value > 0.95


@pytest.mark.slow
def test_few_examples_are_said_with_what_to_expect_of_new_ones():
    from scipy.stats import binomtest

    rng = np.random.default_rng(7)
    x = rng.normal(size=(180, 2)).round(3)
    source = csv(["a", "b", "side"], [*x.T, np.where(x[:, 0] > 0, "left", "right")])
    model, _prepared, _value = learned(source)
    report = wb.measure(model, wb.Recipe(), timed=False)
    figures = wb.honest_figures(model, report)
    assert figures.examples == 27
    correct = round(report.accuracy * 27)
    interval = binomtest(correct, 27).proportion_ci(method="wilson")
    assert figures.new_data == pytest.approx((interval.low, interval.high), abs=1e-9)
    sentence = figures.sentences[1]
    assert "27" in sentence
    assert f"{100 * interval.low:.0f}" in sentence


@pytest.mark.slow
def test_one_odd_cell_and_spellings_of_classes_change_nothing():
    rng = np.random.default_rng(8)
    income, age = rng.integers(10_000, 90_000, 400), rng.integers(18, 80, 400)
    buys = (income + 300 * age > 66_000) ^ (rng.random(400) < 0.03)
    cells = [str(value) for value in income]
    cells[7] = "12000 approx"
    spelled = [
        ("Yes", "yes", "YES ")[n % 3] if b else ("no", "No")[n % 2] for n, b in enumerate(buys)
    ]
    model, prepared, value = learned(csv(["income", "age", "buys"], [cells, age, spelled]))
    assert len(model.task.classes) == 2
    assert {"income", "age"} == {column.name for column in prepared.preprocessing.columns}
    rule = ((income + 300 * age > 66_000) == buys)[held_out(prepared)].mean()
    assert value > rule - POINTS


def test_a_column_that_repeats_the_target_can_be_left_out():
    rng = np.random.default_rng(9)
    x = rng.normal(size=200)
    survived = rng.random(200) < 1 / (1 + np.exp(-2 * x))
    source = {
        "x": x,
        "alive": np.where(survived, "yes", "no"),
        "survived": survived.astype(int),
    }
    assert any("alive" in warning for warning in wb.inspect_table(source).warnings)
    choices = Choices(leave_out=("alive",))
    columns = prepare(read(source, choices), choices).preprocessing.columns
    assert [column.name for column in columns] == ["x"]
