"""A model of an upload says what it was made from, as the same model in Python does."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from tests.panels.uploads.conftest import csv
from workbench.custom.pictures.reading import read_pictures
from workbench.custom.tables.inspection import Choices
from workbench.custom.tables.prepare import prepare
from workbench.custom.tables.read import read


def origin(client):
    return client.session.model.preprocessing["origin"]


@pytest.mark.slow
def test_a_table(client, sender):
    digests = []
    for leave_out in ([], ["other"]):
        sender.send("wine-red.csv", csv())
        sender.until("check")
        sender.check(1, target="label", leave_out=leave_out)
        assert sender.train()["step"] == "done", sender.last()
        choices = Choices(target="label", leave_out=tuple(leave_out))
        expected = prepare(read(csv(), choices), choices, "wine-red.csv").data.origin
        assert origin(client) == {"name": "wine-red.csv", "digest": expected.digest}
        digests.append(expected.digest)
    assert digests[0] != digests[1]


@pytest.mark.slow
def test_pictures(client, sender):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for number in range(40):
            png = io.BytesIO()
            pixels = np.full((20, 20, 3), (number % 2) * 200 + number, np.uint8)
            Image.fromarray(pixels).save(png, "png")
            archive.writestr(f"{'ab'[number % 2]}/{number}.png", png.getvalue())
    sender.send("shades.zip", content.getvalue())
    sender.until("check")
    assert sender.train()["step"] == "done", sender.last()
    expected = read_pictures(content.getvalue(), name="shades.zip").data.origin
    assert origin(client) == {"name": "shades.zip", "digest": expected.digest}
