"""What the user checks before training: every choice is answered, the newest one wins."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

import workbench as wb
from tests.panels.uploads.conftest import csv
from workbench import formatting
from workbench.recipe import Recipe
from workbench.study.goal import Goal
from workbench.study.trial import EXACT, Trial

CHOICES = {"target": "label", "leave_out": ["other"]}


def shades():
    """A ZIP archive of 20 dark, 20 light and 20 red pictures, and a text."""
    content, colors = io.BytesIO(), np.random.default_rng(0)
    with zipfile.ZipFile(content, "w") as archive:
        for number in range(60):
            png = io.BytesIO()
            pixels = colors.integers(0, 60, (32, 32, 3)) + (number % 3) * 90
            pixels[:, :, 1] = 90
            Image.fromarray(pixels.astype(np.uint8)).save(png, "png")
            archive.writestr(f"{'abc'[number % 3]}/{number}.png", png.getvalue())
        archive.writestr("a/notes.txt", "a note")
    return content.getvalue()


@pytest.mark.slow
def test_a_table_is_checked_changed_and_learned_from(client, sender):
    sender.send("my data (1).csv", csv())
    table = sender.until("check", "failed")["table"]
    assert table["facts"][:2] == ["80 rows", "3 columns"]
    assert table["target"]["names"] == ["size", "other", "label"]
    assert table["target"]["name"] == "label"
    assert [(c["name"], c["count"]) for c in table["classes"]] == [("high", "40"), ("low", "40")]
    answer = sender.check(1, **CHOICES)
    assert answer["error"] is None
    used = {c["name"]: (c["used"], c["can_change"]) for c in answer["table"]["columns"]}
    assert used == {"size": (True, True), "other": (False, True)}
    result = sender.train()
    assert result["text"].startswith("Trained on 56 examples; accuracy is"), result
    assert client.session.model.name == "custom/my-data-1"
    assert client.session.recipe == Recipe()
    page = client.wait("page", lambda page: page["header"]["selected"] == "custom/my-data-1")
    listed = {"name": "custom/my-data-1", "title": "my-data-1", "file": "my data (1).csv"}
    assert page["upload"]["models"] == [{**listed, "figures": True}]
    learned = client.wait("learned")
    assert learned["figures"][0]["value"] == client.last("state")["numbers"]["accuracy"]
    assert [item["examples"] for item in learned["classes"]] == ["6", "6"]
    client.set_values(prune_sparsity=0.5, quantize_bits=4)
    shown = client.wait_until_idle()["numbers"]
    assert shown["exact"]
    facts = {fact["label"]: fact["value"] for fact in shown["facts"]}
    assert facts["by guessing"] == learned["figures"][2]["value"] == "50.0\u202f%"
    assert any("on these 12 examples; on new ones like these" in text for text in shown["reasons"])
    goal, report = Goal.of(client.session.model, None, None, None), client.session.report
    trial = Trial(report.recipe, EXACT, value=report.value, total=report.score.total)
    expected = " to ".join(formatting.percent_interval(*goal.on_test(trial)))
    assert facts["expected on test"] == expected
    client.act("tab", key="comparison", columns=8)
    for view in ("recall", "confusion", "weights"):
        client.act("focus", key="view", value=view)
        client.wait("tab", lambda tab: tab.get("figure") is not None)
    client.act("download")
    assert f"{len(client.file()[2]):,}\u202fbytes" == shown["bytes"]


def test_the_page_shows_what_python_returns(sender):
    data = "\n".join(["a,b,y", *(f"{n if n % 9 else 'odd'},{n % 5},{n % 2}" for n in range(90))])
    sender.send("t.csv", data.encode())
    table = sender.until("check", "failed")["table"]
    inspection = wb.inspect_table(data.encode())
    assert [c["name"] for c in table["columns"]] == [c.name for c in inspection.columns]
    assert [bool(c["used"]) for c in table["columns"]] == [c.used for c in inspection.columns]
    first = inspection.columns[0]
    assert table["columns"][0]["unreadable"] == str(first.unreadable) == "10"
    assert "“odd” in line 2" in table["columns"][0]["note"]
    assert [w["text"] for w in table["warnings"]] == list(inspection.warnings)


def test_a_column_that_tells_the_target_can_be_left_out(sender):
    rows = (f"{n % 7},{'yes' if n % 3 else 'no'},{int(n % 3 > 0)}" for n in range(90))
    sender.send("t.csv", "\n".join(["a,alive,survived", *rows]).encode())
    warning = sender.until("check", "failed")["table"]["warnings"][0]
    assert warning["leave_out"] == "alive"
    table = sender.check(1, leave_out=["alive"])["table"]
    assert not any(w["leave_out"] for w in table["warnings"])
    assert table["leave_out"] == ["alive"]


def test_an_impossible_choice_keeps_what_is_shown(sender):
    data = "\n".join(["size,name,label", *(f"{n % 9},n{n},{n % 2}" for n in range(80))])
    sender.send("t.csv", data.encode())
    sender.until("check", "failed")
    answer = sender.check(1, target="name")
    assert "“name”" in answer["error"]
    assert "table" not in answer
    assert "another" not in str(sender.check(2, target="label")["error"])
    assert sender.last()["table"]["target"]["name"] == "label"


def test_a_last_column_that_cannot_be_predicted_is_not_the_target(sender):
    data = "\n".join(["size,label,unit", *(f"{n % 9},{n % 2},kg" for n in range(80))])
    sender.send("t.csv", data.encode())
    table = sender.until("check", "failed")["table"]
    assert table["target"]["name"] == "label"
    assert table["warnings"][0]["text"].startswith("“unit” has the same value in every row")


def test_the_encoding_can_be_chosen(client, sender):
    rows = (f"{'Café' if n % 3 else 'Tea'},{n % 7},{'no' if n % 2 else 'sí'}" for n in range(90))
    sender.send("t.csv", "\n".join(["drink,size,señal", *rows]).encode("mac_roman"))
    first = sender.until("check", "failed")["table"]
    assert (first["encoding"], first["target"]["name"]) == ("", "señal")
    assert first["encodings"][0] == {"value": "", "label": "found: Mac Roman"}
    wrong = sender.check(1, encoding="utf-8")
    assert "line 1 has the byte 0x96 at offset 13" in wrong["error"]
    other = sender.check(2, encoding="cp1252")["table"]
    assert (other["encoding"], other["target"]["name"]) == ("cp1252", "se–al")
    assert "text encoding Windows-1252" in other["facts"]
    assert other["encodings"] == first["encodings"]
    assert sender.check(3, encoding=None)["table"] == first
    assert "no such choice" in sender.check(4, encoding="idna")["error"]
    sender.check(5, encoding="mac-roman")
    assert sender.train()["step"] == "done"
    assert client.session.model.task.classes == ("no", "sí")


@pytest.mark.slow
@pytest.mark.parametrize(
    "choices",
    [
        {"target": 3},
        {"leave_out": "a"},
        {"leave_out": [1]},
        {"missing": "guess"},
        {"header": "x"},
        {"encoding": 1},
    ],
)
def test_a_choice_of_the_wrong_type_is_an_error(sender, choices):
    sender.send("t.csv", csv())
    sender.until("check", "failed")
    assert sender.check(1, **choices)["error"] == "There is no such choice for a table."


def test_only_the_newest_choice_is_answered(client, sender):
    sender.send("t.csv", csv())
    sender.until("check", "failed")
    for edit in range(1, 6):
        client.act("upload_check", number=sender.number, edit=edit, choices={"leave_out": []})
    last = sender.check(6, leave_out=["size"])
    assert last["table"]["leave_out"] == ["size"]
    assert sender.last()["edit"] == 6


def test_training_that_is_not_possible_returns_to_the_check(client, sender):
    rows = [f"{n % 9},{'ab'[n % 2]}" for n in range(80)]
    sender.send("t.csv", "\n".join(["size,label", *rows, "3,once"]).encode())
    assert sender.until("check", "failed")["table"]["any_rare"]
    client.act("upload_train", number=sender.number)
    answer = sender.until("check", "failed", accept=lambda m: m["error"])
    assert "“once” has 1 example" in answer["error"]
    assert answer["table"]["any_rare"]
    sender.check(1, leave_out_rare=True)
    assert sender.train()["step"] == "done"


def test_choices_from_before_a_reload_are_applied_if_they_fit(sender):
    sender.send("t.csv", csv(), choices=CHOICES)
    assert sender.until("check", "failed")["table"]["leave_out"] == ["other"]
    sender.send("t.csv", csv(), choices={"target": "gone"})
    assert sender.until("check", "failed")["table"]["target"]["name"] == "label"


@pytest.mark.slow
def test_pictures_are_checked_and_learned_from(client, sender):
    sender.send("shades.zip", shades())
    pictures = sender.until("check", "failed")["pictures"]
    assert [(c["name"], c["count"]) for c in pictures["classes"]] == [
        ("a", "20"), ("b", "20"), ("c", "20")
    ]  # fmt: skip
    assert [file["examples"] for file in pictures["ignored"]] == ["a/notes.txt"]
    pictures = sender.check(1, leave_out=["c"], size=28)["pictures"]
    last = pictures["classes"][-1]
    assert (last["name"], last["count"], last["used"]) == ("c", "20", False)
    assert sender.train()["step"] == "done", sender.last()
    assert client.session.model.task.classes == ("a", "b")
    client.set_values(prune_sparsity=0.9, quantize_bits=2)
    client.wait_until_idle()
    client.act("tab", key="comparison", columns=8)
    for view in ("examples", "attribution"):
        client.act("focus", key="view", value=view)
        client.wait("tab", lambda tab: tab.get("figure") is not None)
    assert "text" not in (client.last("banner") or {})
