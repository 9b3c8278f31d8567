"""Small models of a table, of texts and of pictures, each trained once."""

from __future__ import annotations

import csv
import io
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import workbench as wb
from workbench.custom.pictures.reading import read_pictures
from workbench.custom.tables.inspection import Choices
from workbench.custom.tables.prepare import PreparedTable, prepare
from workbench.custom.tables.read import read
from workbench.custom.uploads import small_models
from workbench.domain import Model

RECIPE = wb.Recipe(prune=wb.Prune(0.3), quantize=wb.Quantize(bits=4))
HEADER = ["date", "income", "city", "note", "=age", "buys"]


def buyers(count=240, seed=0):
    """Return rows with a date, thousands separators, categories, texts and missing cells."""
    generator = random.Random(seed)
    rows = []
    for n in range(count):
        income, age = generator.gauss(50_000, 9_000), generator.randint(20, 70)
        rows.append(
            [
                f"{1 + n % 28}.{1 + n % 12}.2021",
                f"{income:,.2f}" if n % 17 else "",
                generator.choice(["Rome", "Oslo", "=cmd()", "Zürich"]),
                generator.choice(["a good film", "a bad film", "fine, \nreally", "-bad"]),
                f"-{age}",
                "yes" if income + 300 * age > 66_000 else "no",
            ]
        )
    return rows


def as_csv(rows, header=HEADER, delimiter=","):
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


@dataclass
class Trained:
    """A model, its file, and the table that it was made from."""

    model: Model
    artifact: wb.Artifact
    path: Path
    table: PreparedTable | None = None


def trained_on_table(folder, name, content, target, steps=150):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small_models, "STEPS", {"custom": steps, "image": 20})
        choices = Choices(target=target)
        table = prepare(read(content, choices), choices, f"{name}.csv")
        model = small_models.train_small_model(name, table.data)
    artifact = wb.compress(model, RECIPE)
    return Trained(model, artifact, artifact.save(folder / f"{name}.safetensors"), table)


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("prediction")


@pytest.fixture(scope="session")
def classes(folder):
    return trained_on_table(folder, "buyers", as_csv(buyers()), "buys")


@pytest.fixture(scope="session")
def numbers(folder):
    return trained_on_table(folder, "incomes", as_csv(buyers()), "income", 60)


@pytest.fixture(scope="session")
def texts(folder):
    rows = [[text, label] for text, label in zip(sentences(80), ["up", "down"] * 40, strict=True)]
    return trained_on_table(folder, "texts", as_csv(rows, ["text", "target"]), "target", 60)


def sentences(count):
    words = (["good", "nice", "fun"], ["bad", "poor", "dull"])
    generator = random.Random(0)
    return [
        f"it was a {generator.choice(words[n % 2])} film, number {generator.random()}"
        for n in range(count)
    ]


def save_pictures(folder, count, seed=0, side=(40, 30)):
    """Save bright and dark pictures in class folders."""
    generator = np.random.default_rng(seed)
    for n in range(count):
        name = ("dark", "bright")[n % 2]
        (folder / name).mkdir(parents=True, exist_ok=True)
        pixels = generator.integers(0, 90, (*side, 3), np.uint8) + np.uint8(150 * (n % 2))
        Image.fromarray(pixels).save(folder / name / f"{n}.png")
    return folder


@pytest.fixture(scope="session")
def pictures(folder):
    source = save_pictures(folder / "shades", 40)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small_models, "STEPS", {"custom": 1, "image": 40})
        model = small_models.train_small_model("shades", read_pictures(source).data)
    artifact = wb.compress(model, RECIPE)
    return Trained(model, artifact, artifact.save(folder / "shades.safetensors"))
