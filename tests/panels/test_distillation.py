"""Distillation on the page: the slider selects students, whose results come from a table."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

import workbench as wb
from workbench import formatting
from workbench.panels import distillation, training
from workbench.plots.teacher import soften
from workbench.recipe import Prune, Recipe
from workbench.session import Session
from workbench.session.worker import Worker
from workbench.zoo.students import SHARES, TEMPERATURES, Student
from workbench.zoo.teacher_examples import teacher_examples

ORIGIN = "fashion/lenet-300-100"
STUDENT = Student("fashion/mlp-32", "fashion/resnet", 4.0, 0.01)
VALUES = {
    "distillation.temperature": 4,
    "distillation.network": "fashion/mlp-32",
    "distillation.teacher": "fashion/resnet",
    "distillation.labels": 0.01,
}


def states(client, since):
    return [m for m, _ in client.dashboard.sent[since:] if m["kind"] == "state"]


def test_the_slider_has_a_stop_for_each_temperature(client):
    texts = client.last("page")["settings"]["distillation"]
    temperature, network, teacher, labels = texts["fields"]
    assert [choice["label"] for choice in temperature["choices"]] == [
        "off",
        "1",
        "2",
        "4",
        "8",
        "16",
    ]
    assert temperature["stepped"]
    assert temperature["name"] == "distillation: temperature"
    assert [choice["label"] for choice in network["choices"]] == ["MLP-32", "CNN-10k"]
    assert [choice["label"] for choice in teacher["choices"]] == ["ResNet", "LeNet-5", "none"]
    assert [choice["value"] for choice in labels["choices"]] == list(SHARES)
    state = next(m for m, _ in client.dashboard.sent if m["kind"] == "state")
    assert state["values"]["distillation.temperature"] == 0


def test_the_first_answer_comes_from_the_table(client, monkeypatch):
    client.wait_until_idle()
    monkeypatch.setattr(Worker, "_measure", lambda *_: None)  # it never answers
    since = len(client.dashboard.sent)
    client.send_values({**client.values(), **VALUES})
    messages = [message for message, _ in client.dashboard.sent[since:]]
    while messages[0].get("seq") != 1:  # of the values before
        del messages[0]
    first = messages[0]
    card = STUDENT.card
    assert first["numbers"]["accuracy"] == f"{100 * card.value:.1f}\u202f%"
    assert not first["outdated"]
    assert "values" not in first
    kinds = [message["kind"] for message in messages]
    assert kinds[:3] == ["state", "layers", "chart"]
    chart = messages[2]
    drawn = {trace.get("name"): trace for trace in chart["figure"]["data"]}
    original = wb.model(ORIGIN)
    assert drawn["original"]["x"] == [original.card["file_bytes"]]
    assert drawn["you"]["x"] == [wb.model(STUDENT.name).card["file_bytes"]]
    assert first["numbers"]["times"].endswith("smaller")


@pytest.mark.slow
def test_the_student_is_compressed(client):
    client.send_values({**client.values(), **VALUES})
    client.send_values({**client.values(), **VALUES, "prune.sparsity": 0.5})
    client.wait_until_idle()
    assert (client.session.student, client.session.recipe) == (STUDENT, Recipe(Prune(0.5)))
    exact = wb.measure(wb.model(STUDENT.name), Recipe(Prune(0.5)), timed=False)
    numbers = client.last("state")["numbers"]
    assert numbers["bytes"] == f"{exact.bytes:,}\u202fbytes"
    shown = [round(100 * x, 1) for x in (wb.model(ORIGIN).metric_value("validation"), exact.value)]
    assert numbers["change"] == f"\u2212{shown[0] - shown[1]:.1f}\u202fpoints"
    client.send_values({**client.values(), **VALUES, "distillation.temperature": 0})
    assert client.session.model.name == ORIGIN


def test_undo_moves_the_slider_back(client):
    client.send_values({**client.values(), **VALUES})
    client.act("undo")
    assert client.session.student is None
    state = [m for m, _ in client.dashboard.sent if m["kind"] == "state" and "values" in m][-1]
    assert state["values"]["distillation.temperature"] == 0
    assert state["values"]["distillation.labels"] == STUDENT.labels  # the choices stay
    client.act("redo")
    state = [m for m, _ in client.dashboard.sent if m["kind"] == "state" and "values" in m][-1]
    assert state["values"]["distillation.network"] == STUDENT.network


@pytest.mark.parametrize(
    "values",
    [
        {**VALUES, "distillation.temperature": 3},
        {**VALUES, "distillation.network": "fashion/lenet5"},
        {**VALUES, "distillation.labels": "all"},
        {**VALUES, "distillation.unknown": 1},
    ],
)
def test_an_unknown_student_is_reported_and_changes_nothing(client, values):
    client.send_values({**client.values(), **values})
    assert client.last("banner")["text"].startswith("There is no student")
    assert client.session.student is None


@pytest.mark.parametrize("name", ["reviews/bag", "vowels/cnn"])
def test_tasks_without_students_have_no_distillation(name, store):
    session = Session(name, store=store)
    assert distillation.describe(session) is None
    assert distillation.state(session) is None
    assert distillation.values(session) == {}
    session.close()


def test_without_a_teacher_there_is_no_temperature(client):
    values = {**VALUES, "distillation.teacher": "", "distillation.temperature": 8}
    client.send_values({**client.values(), **values})
    assert client.session.student == STUDENT.alone
    state = client.wait("state", lambda s: s["settings"]["distillation"]["can_repeat"])
    assert "alone, without a teacher" in state["settings"]["distillation"]["comparison"]


def test_the_page_says_which_teacher_a_temperature_selects(client):
    texts = client.last("page")["settings"]["distillation"]
    assert texts["rules"]["start"]["distillation.teacher"] == "fashion/resnet"
    assert texts["rules"]["selected"] == "A temperature needs a teacher: ResNet is selected."
    assert texts["texts"]["alone"] == "No teacher: moving the temperature selects ResNet."
    values = {**VALUES, "distillation.teacher": "", "distillation.temperature": 8}
    client.send_values({**client.values(), **values})
    assert client.values()["distillation.temperature"] == texts["rules"]["alone"]


def test_the_comparison_names_the_labels_and_the_gain():
    session = SimpleNamespace(
        origin_model=wb.model(ORIGIN),
        student=STUDENT,
        repeat_result="",
        repeating=False,
        repeat_step=None,
    )
    text = distillation.state(session)["comparison"]
    taught, alone = STUDENT.card.value, STUDENT.alone.card.value
    assert text.startswith(f"Taught by ResNet at T = 4: {100 * taught:.1f}\u202f%.")
    assert f"the same 200 labels alone: {100 * alone:.1f}\u202f%" in text
    shown = round(100 * taught, 1) - round(100 * alone, 1)
    assert f"(+{shown:.1f}\u202fpoints)" in text
    session.student = Student("fashion/mlp-32", "fashion/resnet", 4.0, 1.0)
    assert "20,000 labels" in distillation.state(session)["comparison"]


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (0.0, "no measurable difference"),
        (0.02, "T = 16 reaches 93.0\u202f% here."),
        (-0.02, "T = 1 reaches 85.0\u202f% here."),
    ],
)
def test_the_comparison_says_whether_temperature_matters(monkeypatch, step, expected):
    session = SimpleNamespace(
        origin_model=wb.model(ORIGIN),
        student=STUDENT,
        repeat_result="",
        repeating=False,
        repeat_step=None,
    )

    def card(student):
        value = 0.85 + step * TEMPERATURES.index(student.temperature)
        return SimpleNamespace(value=value, interval=(value - 0.01, value + 0.01))

    monkeypatch.setattr(Student, "card", property(card))
    assert expected in distillation.state(session)["comparison"]


@pytest.mark.parametrize(("spread", "expected"), [(0.001, True), (0.02, False)])
def test_temperature_is_indifferent_if_all_intervals_hold_all_values(monkeypatch, spread, expected):
    def card(student):
        value = 0.85 + spread * TEMPERATURES.index(student.temperature)
        return SimpleNamespace(value=value, interval=(value - 0.01, value + 0.01))

    monkeypatch.setattr(Student, "card", property(card))
    assert distillation.temperature_is_indifferent(STUDENT) is expected


@pytest.mark.slow
def test_the_examples_are_those_of_the_teacher(client):
    texts = client.last("page")["settings"]["distillation"]
    examples, logits = texts["examples"], texts["logits"]["fashion/lenet5"]
    known = teacher_examples("fashion/lenet5")
    assert [example["label"] for example in examples] == [example.label for example in known]
    assert logits == [list(example.logits) for example in known]
    shares = soften(logits[0], 4.0)
    assert sum(shares) == pytest.approx(1)
    assert len(examples[0]["image"]) == -(-784 // 3) * 4  # base64 of 28 x 28 bytes
    assert len(texts["classes"]) == len(shares)


def test_a_student_is_trained_again_on_request(client, monkeypatch):
    calls = []

    def train_student(student, *, on_step, cancel):
        calls.append(student)
        on_step(SimpleNamespace(step=500, steps=1000, seconds_left=12.2, over=False))
        return SimpleNamespace(summary="The same bytes.")

    monkeypatch.setattr("workbench.experiments.train_student.train_student", train_student)
    client.act("repeat_student")
    assert "Select a student" in client.wait("banner")["text"]
    client.send_values({**client.values(), **VALUES})
    client.act("repeat_student")
    state = client.wait("state", lambda s: s["settings"]["distillation"]["repeated"])
    assert state["settings"]["distillation"]["repeated"] == "The same bytes."
    assert state["settings"]["distillation"]["repeating"] is None
    assert calls == [STUDENT]
    text = "Training the student: step 500 of 1,000, about 12 s left"
    shown = [m["settings"]["distillation"]["repeating"] for m in states(client, 0)]
    preparing = {"text": "Preparing the training", "fraction": None}
    assert list(filter(None, shown)) == [preparing, {"text": text, "fraction": 0.5}]
    bars = [m for m, _ in client.dashboard.sent if m["kind"] == "progress"]
    assert (text, 0.5) in [(bar["text"], bar.get("fraction")) for bar in bars]
    client.send_values({**client.values(), **VALUES, "distillation.temperature": 8})
    assert client.last("state")["settings"]["distillation"]["repeated"] == ""


@pytest.mark.slow
def test_with_a_student_the_tabs_name_what_the_file_is_compared_with(client):
    client.session.distill(wb.student("fashion/mlp-32.resnet.t4.labels5"), wb.Recipe(wb.Prune(0.9)))
    client.wait_until_idle()
    client.act("tab", key="cost")
    cost = client.wait("tab", lambda tab: tab["key"] == "cost")
    assert cost["table"]["head"][1] == "the uncompressed student"
    client.act("tab", key="comparison", columns=5)
    tab = client.wait("tab", lambda tab: tab["key"] == "comparison" and tab.get("figure"))
    title = tab["figure"]["layout"]["title"]["text"]
    assert title.endswith("(compared with the uncompressed student)")


def test_the_reason_about_speed_compares_a_student_with_the_chosen_model(client):
    client.session.distill(wb.student("fashion/mlp-32.resnet.t4.labels5"), wb.Recipe(wb.Prune(0.3)))
    state = client.wait_until_idle()
    ratio = wb.model(client.session.origin).card["macs"] / client.session.model.card["macs"]
    first = state["numbers"]["reasons"][0]
    assert first.startswith(
        f"The student needs {formatting.times(ratio)} fewer multiply-accumulates"
    )


def test_training_starts_from_the_teacher_and_temperature_of_the_student(client):
    session = client.session
    assert training.live(session)["distilled"] is None
    session.distill(Student("fashion/mlp-32", "fashion/lenet5", 4.0, 0.05))
    expected = {"teacher": "fashion/lenet5", "temperature": 4.0}
    assert training.live(session)["distilled"] == expected
    session.distill(Student("fashion/mlp-32", labels=0.05))  # of the labels alone
    assert training.live(session)["distilled"] is None


@pytest.mark.slow
def test_training_names_the_student_and_starts_with_its_labels(client):
    client.send_values({**client.values(), **VALUES, "prune.sparsity": 0.5})
    live = client.last("state")["training"]
    assert live["network"] == (
        "The network: mlp-32, 1\u202f% of the labels, teacher resnet at temperature 4 · "
        "sparsity 50\u202f%."
    )
    assert live["student_labels"] == training.section(client.session)["values"]["labels"] == 0.01
    client.send_values({**client.values(), **VALUES, "distillation.temperature": 0})
    live = client.last("state")["training"]
    assert live["network"] == "The network: sparsity 50\u202f%."
    assert live["student_labels"] == training.section(client.session)["values"]["labels"] == 1.0


def test_a_trained_student_keeps_its_share_of_the_labels(store):
    student = wb.student("fashion/mlp-32.resnet.t4.labels1")
    trained = Recipe(train=wb.Train(steps=3, labels=0.5))
    session = Session(student.name, trained, store=store)
    section = training.section(session)
    assert (section["values"]["labels"], section["student_labels"]) == (0.5, 0.01)
    session.close()


@pytest.mark.parametrize("origin", [ORIGIN, "fashion/lenet5"])
def test_the_teachers_of_the_students_can_be_chosen_in_training(origin, store):
    session = Session(origin, store=store)
    teachers = training.section(session)["main"][0]["choices"]
    assert {"fashion/resnet", "fashion/lenet5"} <= {choice["value"] for choice in teachers}
    session.close()


def test_a_temperature_is_called_better_only_if_that_is_measurable():
    for current in wb.students():
        if not current.teacher:
            continue
        text = distillation._comparison(current)
        best = max((s.card for s in distillation._temperatures(current)), key=lambda c: c.value)
        low, high = current.card.interval
        other_low, other_high = best.interval
        differs = not (low <= best.value <= high and other_low <= current.card.value <= other_high)
        assert ("reaches" in text) == differs, current.name
        assert not differs or "makes no measurable difference" not in text
