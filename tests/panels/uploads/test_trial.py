"""The current file is tried on typed rows, and on files of rows or pictures."""

from __future__ import annotations

import csv as csv_module
import io

import numpy as np
import pytest
from PIL import Image

import workbench as wb
from tests.panels.uploads.conftest import csv
from tests.panels.uploads.test_check import shades
from workbench.custom.prediction.predict import predict


@pytest.fixture
def tried(client, sender):
    """A model of a table, compressed."""
    sender.send("plants.csv", csv())
    sender.until("check")
    assert sender.train()["step"] == "done", sender.last()
    client.wait("page", lambda page: page["trial"] is not None)
    client.set_values(quantize_bits=8)
    client.wait_until_idle()
    return client


def send_trial(sender, name, data):
    """Send a file that the model is tried on, and return the last message about it."""
    sender.number += 1
    sender.client.act("try_file", number=sender.number, file=name, size=len(data))
    assert sender.last()["step"] == "chunk"
    sender.send_chunk(memoryview(data))
    return sender.until("done", "failed")


@pytest.mark.slow
def test_typed_values_are_predicted_by_the_compressed_file(tried):
    fields = tried.last("page")["trial"]["fields"]
    assert [field["name"] for field in fields] == ["size", "other"]
    values = {"size": "3", "other": "2"}
    tried.act("try_values", number=1, values=values)
    shown = tried.wait("predictions", lambda message: message["number"] == 1)
    expected = predict(tried.session.artifact(), [values])
    assert shown["answer"] == f"label: {expected.predicted[0]}"
    shares = {item["name"]: item["share"] for item in shown["classes"]}
    assert shares == pytest.approx(
        dict(zip(expected.classes, expected.probabilities[0], strict=True))
    )


@pytest.mark.slow
def test_a_file_of_rows_is_predicted_and_saved(tried, sender):
    assert send_trial(sender, "new.csv", csv(60))["step"] == "done", sender.last()
    shown = tried.wait("predictions", lambda message: message["number"] is None)
    expected = predict(tried.session.artifact(), csv(60))
    assert shown["rows"][0]["source"] == "2"
    assert [row["cells"][0] for row in shown["rows"]] == expected.predicted[:50]
    assert shown["more"].startswith("10 more rows")
    assert shown["answer"] == "60 predictions"
    assert shown["agreement"].endswith("of the 60 whose answer is in the file.")
    tried.act("save_predictions")
    name, _mime, data = tried.file()
    rows = list(csv_module.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    assert name == "predictions.csv"
    assert [row["predicted label"] for row in rows] == expected.predicted


@pytest.mark.slow
def test_a_file_that_cannot_be_read_is_one_sentence(tried, sender):
    answer = send_trial(sender, "new.csv", b"a,b\n1,2\n")
    assert answer["step"] == "failed"
    assert answer["text"].endswith(".")
    assert tried.session.model.name == "custom/plants"


@pytest.mark.slow
@pytest.mark.parametrize("values", [None, [], {"size": 3}, {"size": "x" * 10_001}])
def test_values_that_are_no_texts_are_an_error(tried, values):
    tried.act("try_values", number=1, values=values)
    assert tried.wait("banner")["text"] == "There is no such row."


@pytest.mark.slow
def test_a_picture_is_predicted(client, sender):
    sender.send("shades.zip", shades())
    sender.until("check")
    assert sender.train()["step"] == "done", sender.last()
    assert client.wait("page", lambda page: page["trial"] is not None)["trial"]["fields"] == []
    png = io.BytesIO()
    Image.fromarray(np.full((32, 32, 3), 200, np.uint8)).save(png, "png")
    assert send_trial(sender, "new.png", png.getvalue())["step"] == "done", sender.last()
    shown = client.wait("predictions")
    assert shown["answer"].removeprefix("class: ") in client.session.model.task.classes


def test_built_in_models_have_nothing_to_try_and_nothing_is_saved(client):
    page = client.last("page")
    assert (page["trial"], page["contents"]) == (None, None)
    client.act("save_predictions")
    assert client.last("banner")["text"] == "There are no predictions to save yet."


@pytest.mark.slow
def test_the_page_says_what_a_file_contains(tried):
    contents = tried.last("page")["contents"]
    assert "names of 3 columns of plants.csv" in contents["text"]
    assert {"name": "label", "values": "high, low"} in contents["items"]
    assert wb.compress(tried.session.model, wb.Recipe()).preprocessing is not None
