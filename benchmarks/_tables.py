"""Tables for `benchmarks/tables.py`: shipped by scikit-learn, or made to known rules.

A made table is a CSV file as users have them, with what an expert would learn from: the true
values, computed when the table was made, not read from the file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn import datasets

from workbench.zoo import task
from workbench.zoo.reviews.words import detokenize, tokens

Rng = np.random.Generator


@dataclass(frozen=True)
class MadeTable:
    """A table and the features of an expert.

    Attributes
    ----------
    source
        What `wb.from_table` reads: the bytes of a file, or a mapping.
    target
        The name of the column to predict.
    truth
        The true target of each row: numbers or class names.
    numbers
        Features for boosting, float64 [rows], NaN where missing.
    categories
        Further features: words, or None where missing.
    text
        Texts, from which boosting receives TF-IDF.
    as_number
        Whether the target is a number.
    """

    source: Any
    target: str
    truth: Any
    numbers: list[Any] = field(default_factory=list)
    categories: list[list[str | None]] = field(default_factory=list)
    text: list[str] | None = None
    as_number: bool = False


def shipped(name: str, *, as_number: bool = False) -> MadeTable:
    """Return a data set of scikit-learn."""
    data = getattr(datasets, f"load_{name}")()
    return _of_arrays(data.data, data.target, as_number=as_number)


def generated(name: str, *, as_number: bool = False, **options: Any) -> MadeTable:
    """Return a table from a generator of scikit-learn."""
    inputs, target = getattr(datasets, f"make_{name}")(random_state=0, **options)
    return _of_arrays(inputs, target, as_number=as_number)


def _of_arrays(inputs: Any, target: Any, *, as_number: bool) -> MadeTable:
    columns = {f"x{n}": column for n, column in enumerate(inputs.T)}
    truth = target if as_number else [f"class {int(value)}" for value in target]
    return MadeTable(
        {**columns, "y": truth}, "y", truth, list(map(np.asarray, inputs.T)), as_number=as_number
    )


def customers(rng: Rng, rows: int = 4000) -> MadeTable:
    """Make odd cells, a heavy tail, mixed spellings of classes, a row number."""
    income, age = rng.lognormal(10.5, 0.8, rows).round(), rng.integers(18, 80, rows)
    plan = rng.choice(["basic", "plus", "pro"], rows)
    buys = income + 300 * age + 9000 * (plan == "pro") > 62_000
    buys ^= rng.random(rows) < 0.05
    cells = [f"{value:.0f}" for value in income]
    for row in range(9, rows, 400):
        cells[row] = f"{cells[row]} approx"
    spelled = [
        ("Yes", "YES ", "yes")[n % 3] if b else ("no", "No")[n % 2] for n, b in enumerate(buys)
    ]
    source = _csv(
        ["row", "income", "age", "plan", "buys"], [range(rows), cells, age, plan, spelled]
    )
    truth = ["yes" if b else "no" for b in buys]
    return MadeTable(source, "buys", truth, [income, age.astype(float)], [plan.tolist()])


def homes(rng: Rng, rows: int = 4000) -> MadeTable:
    """Make prices in Euro format by many locations, with missing values."""
    place = rng.integers(0, 120, rows)
    level = rng.lognormal(0, 0.4, 120)
    size, rooms = rng.uniform(25, 220, rows).round(1), rng.integers(1, 8, rows).astype(float)
    pool = rng.random(rows) < 0.08
    price = (2500 * size * level[place] + 9000 * rooms + 60_000 * pool) * rng.normal(1, 0.08, rows)
    rooms[rng.random(rows) < 0.15] = np.nan
    cells = [
        [f"{value:,.1f}".replace(".", ",") for value in size],
        ["NA" if np.isnan(value) else f"{value:.0f}" for value in rooms],
        [f"district {n}" for n in place],
        ["heated" if value else "" for value in pool],
        [f"{value:,.0f} €".replace(",", ".") for value in price],
    ]
    source = _csv(["size", "rooms", "location", "pool", "price"], cells, ";")
    categories: list[list[str | None]] = [
        [f"district {n}" for n in place],
        ["heated" if value else None for value in pool],
    ]
    return MadeTable(source, "price", price.round(), [size, rooms], categories, as_number=True)


def sales(rng: Rng, rows: int = 3000) -> MadeTable:
    """Make sales by date and store: a trend, a season, weekdays, December."""
    day = np.datetime64("2015-03-01") + rng.integers(0, 2500, rows)
    store = rng.choice(["north", "south", "west"], rows)
    parts = _date_parts(day)
    amount = 900 + 0.15 * (parts[0] - parts[0].min()) + 200 * np.sin(2 * np.pi * parts[3] / 365.25)
    amount += 150 * (parts[4] >= 5) + 300 * (parts[2] == 12) + 250 * (store == "south")
    amount += rng.normal(0, 60, rows)
    cells = [[f"{d.astype(object):%d.%m.%Y}" for d in day], store, amount.round(2)]
    return MadeTable(
        _csv(["date", "store", "sales"], cells),
        "sales",
        amount.round(2),
        parts,
        [store.tolist()],
        as_number=True,
    )


def temperatures(rng: Rng, rows: int = 3650) -> MadeTable:
    """Make the temperature of each day: only a date."""
    day = np.datetime64("1981-01-01") + np.arange(rows)
    parts = _date_parts(day)
    value = 11.2 + 4.1 * np.cos(2 * np.pi * (parts[3] - 25) / 365.25) + rng.normal(0, 2.6, rows)
    source = _csv(["Date", "Temp"], [day, value.round(1)])
    return MadeTable(source, "Temp", value.round(1), parts, as_number=True)


def visits(rng: Rng, rows: int = 3000) -> MadeTable:
    """Make times with hours, percentages, and missing categories that say something."""
    time = np.datetime64("2023-01-01T00:00:00") + rng.integers(0, 365 * 86_400, rows)
    hour = (time - time.astype("datetime64[D]")).astype(float) / 3600
    device = rng.choice(["phone", "tablet", "desktop", ""], rows, p=[0.4, 0.2, 0.3, 0.1])
    scrolled = rng.uniform(0, 1, rows)
    score = (
        2 * scrolled + 1.5 * ((hour > 18) & (hour < 23)) + (device == "desktop") - (device == "")
    )
    bought = score + rng.normal(0, 0.4, rows) > 1.6
    truth = ["bought" if b else "left" for b in bought]
    cells = [time, device, [f"{100 * value:.1f} %" for value in scrolled], truth]
    return MadeTable(
        _csv(["time", "device", "scrolled", "result"], cells),
        "result",
        truth,
        [hour, scrolled, *_date_parts(time.astype("datetime64[D]"))],
        [[value or None for value in device]],
    )


def passengers(rng: Rng, rows: int = 1500) -> MadeTable:
    """Make passengers: ages are missing, the deck is mostly empty, names vary."""
    fare_class, woman = rng.integers(1, 4, rows), rng.random(rows) < 0.35
    age = rng.normal(30, 13, rows).clip(0.5, 80).round()
    fare = (rng.lognormal(2.2, 0.5, rows) * (4 - fare_class) ** 1.5).round(2)
    chance = 1 / (1 + np.exp(1.4 * fare_class - 2.6 * woman - 1.2 * (age < 12) - 1.1))
    survived = np.where(rng.random(rows) < chance, "yes", "no")
    deck = ["ABC"[rng.integers(3)] if c == 1 and rng.random() < 0.7 else None for c in fare_class]
    age[rng.random(rows) < 0.2] = np.nan
    cells = [
        [f"Passenger {n}" for n in range(rows)],
        fare_class,
        np.where(woman, "female", "male"),
        ["" if np.isnan(value) else f"{value:.0f}" for value in age],
        fare,
        [value or "" for value in deck],
        survived,
    ]
    names = ["name", "class", "sex", "age", "fare", "deck", "survived"]
    numbers = [fare_class.astype(float), woman.astype(float), age, fare]
    return MadeTable(_csv(names, cells), "survived", survived.tolist(), numbers, [deck])


def reviews(rng: Rng, rows: int = 2500) -> MadeTable:
    """Take reviews of clothes, real texts of the shipped task."""
    split = task("reviews").split("train")
    chosen = rng.choice(len(split), rows, replace=False)
    texts = [detokenize(tokens(split.examples[n].tolist())) for n in chosen]
    truth = [task("reviews").classes[int(split.labels[n])] for n in chosen]
    return MadeTable({"opinion": truth, "review": texts}, "opinion", truth, text=texts)


def tickets(rng: Rng, rows: int = 1500) -> MadeTable:
    """Make short texts with a category and a number: hours until a ticket is solved."""
    words = {"printer": 2.0, "login": 1.0, "server down": 6.0, "invoice": 3.0, "password": 0.5}
    topic = rng.choice(list(words), rows)
    urgent = rng.random(rows) < 0.3
    queue = rng.choice(["day", "night"], rows)
    opening = rng.choice(["Hello, my", "The", "Again a problem with the", "Please look at"], rows)
    texts = [
        f"{o} {t} {'is urgent, please hurry' if u else 'does not work since this morning'}"
        for o, t, u in zip(opening, topic, urgent, strict=True)
    ]
    hours = np.array([words[t] for t in topic]) * np.where(urgent, 0.5, 1) + (queue == "night")
    hours = (hours + rng.normal(0, 0.2, rows)).round(2)
    source = {"text": texts, "queue": queue, "hours": hours}
    return MadeTable(source, "hours", hours, [], [queue.tolist()], texts, as_number=True)


def steps(rng: Rng, rows: int = 4000) -> MadeTable:
    """Make a sum of steps, which trees learn easily."""
    inputs = rng.uniform(0, 1, (rows, 6))
    target = np.floor(inputs[:, 0] * 5) + np.floor(inputs[:, 1] * 3) * np.floor(inputs[:, 2] * 2)
    return _of_arrays(inputs, target + rng.normal(0, 0.2, rows), as_number=True)


def either(rng: Rng, rows: int = 3000) -> MadeTable:
    """Make classes by one of two thresholds but not both, with 5 % errors."""
    inputs = rng.uniform(0, 1, (rows, 8))
    kind = (inputs[:, 0] > 0.5) ^ (inputs[:, 1] > 0.3) ^ (rng.random(rows) < 0.05)
    return _of_arrays(inputs, kind, as_number=False)


def noise(rng: Rng, rows: int = 1500) -> MadeTable:
    """Make two columns that decide the class, and 98 that are noise."""
    inputs = rng.normal(size=(rows, 100)).round(3)
    return _of_arrays(inputs, inputs[:, 0] + inputs[:, 1] > 0, as_number=False)


def many_columns(rng: Rng, rows: int = 1460) -> MadeTable:
    """Make few rows with 35 numbers and 45 categories, some of them mostly empty, like Ames."""
    quality = rng.normal(size=rows)
    numbers, categories = [], []
    price = 0.6 * quality
    for n in range(35):
        values = rng.lognormal(0, 0.6, rows) + (0.8 * quality if n % 3 == 0 else 0)
        price += (0.25 if n < 10 else 0.0) * values
        values[rng.random(rows) < (0.15 if n % 7 == 0 else 0)] = np.nan
        numbers.append(values.round(3))
    price = np.nan_to_num(price, nan=float(np.nanmean(price)))
    for n in range(45):
        code = (quality + rng.normal(0, 1, rows) if n % 4 == 0 else rng.normal(size=rows)).clip(
            -2, 2
        )
        values = [f"k{int(value * 2)}" for value in code]
        price += 0.12 * code if n < 12 else 0
        empty = rng.random(rows) < (0.93 if n % 9 == 0 else 0.02)
        categories.append([None if e else v for v, e in zip(values, empty, strict=True)])
    price = np.exp(12 + 0.3 * (price + rng.normal(0, 0.4, rows))).round()
    columns = [["NA" if np.isnan(v) else v for v in values] for values in numbers]
    columns += [[value or "NA" for value in values] for values in categories]
    names = [f"c{n}" for n in range(80)]
    source = _csv([*names, "price"], [*columns, price])
    return MadeTable(source, "price", price, numbers, categories, as_number=True)


TABLES: dict[str, Callable[[], MadeTable]] = {
    "iris": lambda: shipped("iris"),
    "wine": lambda: shipped("wine"),
    "breast cancer": lambda: shipped("breast_cancer"),
    "digits": lambda: shipped("digits"),
    "diabetes": lambda: shipped("diabetes", as_number=True),
    "friedman 1": lambda: generated("friedman1", as_number=True, n_samples=3000, noise=1),
    "friedman 2": lambda: generated("friedman2", as_number=True, n_samples=3000, noise=60),
    "friedman 3": lambda: generated("friedman3", as_number=True, n_samples=3000, noise=0.1),
    "hastie": lambda: generated("hastie_10_2", n_samples=4000),
    "moons": lambda: generated("moons", n_samples=2000, noise=0.25),
    **{
        maker.__name__.replace("_", " "): lambda maker=maker: maker(np.random.default_rng(0))  # type: ignore[misc]
        for maker in (
            *(customers, homes, sales, temperatures, visits, passengers, reviews, tickets),
            *(steps, either, noise, many_columns),
        )
    },
}
"""The tables by name."""


def _date_parts(day: Any) -> list[Any]:
    """Return what an expert makes of dates: elapsed days, year, month, day of year, weekday."""
    days = day.astype("datetime64[D]")
    years, months = days.astype("datetime64[Y]"), days.astype("datetime64[M]")
    return [
        days.astype(float),
        years.astype(float) + 1970,
        (months - years.astype("datetime64[M]")).astype(float) + 1,
        (days - years.astype("datetime64[D]")).astype(float),
        (days.astype(float) + 3) % 7,
    ]


def _csv(names: list[str], columns: list[Any], delimiter: str = ",") -> bytes:
    lines = [delimiter.join(names)]
    lines += [
        delimiter.join(f'"{cell}"' if delimiter in str(cell) else str(cell) for cell in row)
        for row in zip(*columns, strict=True)
    ]
    return "\n".join(lines).encode()
