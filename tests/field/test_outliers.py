"""One target value that outweighs all others is named, wherever its row is."""

from __future__ import annotations

import json

import numpy as np
import pytest

import workbench as wb
from workbench.cli import main
from workbench.custom.tables.inspection import Choices
from workbench.custom.tables.prepare import prepare
from workbench.custom.tables.read import read
from workbench.evaluation.outliers import dominant

CHOICES = Choices(as_number=True)


def table(row=None, value=9e8):
    rng = np.random.default_rng(0)
    size = rng.uniform(30, 250, 200).round(1)
    price = (2500 * size + rng.normal(0, 9000, 200)).round()
    if row is not None:
        price[row] = value
    return "\n".join(["size,price", *(f"{a},{b:.0f}" for a, b in zip(size, price, strict=True))])


@pytest.fixture(scope="module")
def splits():
    return prepare(read(table().encode(), CHOICES), CHOICES).splits


@pytest.mark.slow
@pytest.mark.parametrize("split", ["train", "validation"])
def test_the_line_of_an_outlier_is_named(splits, split, tmp_path, capsys):
    row = int(splits[split][3])
    path = tmp_path / "prices.csv"
    path.write_text(table(row))
    line = f"in line {row + 2} "
    warnings = wb.inspect_table(path, as_number=True).warnings
    assert sum(f"line {row + 2}" in text for text in warnings) == 1
    output = str(tmp_path / "prices.safetensors")
    options = ("--number", "--seconds", "1", "--output", output, "--json")
    assert main(["learn", str(path), *options]) == 0
    result = json.loads(capsys.readouterr().out)
    if split == "train":
        assert result["splits"]["validation"]["value"] < -1
        assert result["splits"]["test"]["value"] < -1
    for name in ("validation", "test") if split == "train" else ("validation",):
        (sentence,) = result["splits"][name]["sentences"]
        assert "No better than guessing" in sentence
        assert line in sentence
        assert any(text == f"{name}: {sentence}" for text in result["warnings"])


@pytest.mark.slow
def test_training_rows_have_their_lines(splits):
    model = wb.from_table(table().encode(), as_number=True, name="lines", seconds=0.1)
    row = wb.compare_numbers(model, wb.Recipe(quantize=wb.Quantize(2)), split="train").rows()[0]
    assert row["line"] == splits["train"][row["example"]] + 2


def test_usual_values_are_not_named():
    source = table().encode()
    assert not any("weight" in w for w in wb.inspect_table(source, as_number=True).warnings)
    rng = np.random.default_rng(1)
    assert dominant(rng.lognormal(0, 1, 300)) is None
    assert dominant(np.ones(50)) is None
    assert dominant(np.array([0.0] * 30 + [1e300])) == 30
    assert dominant(np.array([0.0] * 10 + [5.0])) is None
