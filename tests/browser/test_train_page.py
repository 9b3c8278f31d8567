"""The Train page: the course of a run, what the tabs say meanwhile, and the settings shown."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

import workbench as wb
from workbench import formatting
from workbench.session.link import parse_link

pytestmark = pytest.mark.browser
PRUNED = "?m=fashion/lenet-300-100&prune.sparsity=0.95&quantize.bits=4&page=train"
LONG = 120_000  # ms
# Shows the progress of an operation as if Python had sent it.
PROGRESS = """async (message) => {
  const manager = window.jupyterapp.widgetManager;
  const ids = [...manager.registeredModels];
  const models = await Promise.all(ids.map((id) => manager.get_model(id)));
  const app = models.find((model) => model.get("part") === "app");
  app.trigger("msg:custom", { kind: "progress", ...message }, []);
}"""


class TrainPage:
    """The page as users see it."""

    def __init__(self, page):
        self.page = page
        self.start = page.locator(".training button.primary")
        self.start.wait_for()
        self.activity = page.locator(".activity")
        self.title = page.locator(".tab-body h2")
        self.accuracy = page.locator('.card[data-exact="true"][data-busy="false"]').locator(
            '[data-number="accuracy"]'
        )

    def seconds(self, value):
        box = self.page.get_by_role("spinbutton", name="seconds")
        box.fill(str(value))
        box.press("Tab")

    def choose(self, text):
        self.page.locator(".training .segments label", has_text=text).click()

    def tab(self, name):
        self.page.get_by_role("tab", name=name).click()

    def lines(self):
        """Return the drawn lines by name."""
        lines = self.page.evaluate('document.querySelector(".tab-body .plot").data')
        return {line["name"]: line for line in lines if line.get("name")}


@pytest.fixture
def train_page(watched, server):
    """Load the page for a test that trains."""

    def load(address):
        watched.goto(server.url + address)
        return TrainPage(watched)

    return load


@pytest.fixture
def show_settings(show_page):
    """Show the page for a test that only chooses settings."""
    return lambda address: TrainPage(show_page(address))


def test_the_curve_rises_from_the_compressed_model_to_the_exact_result(train_page):
    bench = train_page(PRUNED)
    before = bench.accuracy.inner_text()
    bench.seconds(6)
    bench.start.click()
    expect(bench.activity).to_contain_text("The steps took", timeout=LONG)
    after = bench.accuracy.inner_text()
    expect(bench.title).to_have_text(
        re.compile(f"Fine-tuned: {before} → {after}, [\\d,]+ steps? in \\d+ s")
    )
    lines = bench.lines()
    course = lines["accuracy of the file"]
    assert course["x"][0] == 0
    assert before in course["customdata"][0]
    assert after in course["customdata"][-1]
    assert "exact" in course["customdata"][-1]
    assert min(course["y"]) >= course["y"][0] - 0.05  # it never falls below the start
    sparsity = lines["sparsity during training"]
    assert sparsity["yaxis"] == "y2"
    assert sparsity["y"] == sorted(sparsity["y"])
    assert sparsity["y"][-1] == pytest.approx(0.95, abs=0.01)


def test_a_training_that_made_the_file_worse_says_so_and_what_to_do(train_page, watched):
    recipe = "quantize.bits=8&train.steps=20&train.learning_rate=1"
    bench = train_page(f"?m=fashion/lenet-300-100&{recipe}&page=train")
    expect(bench.title).to_have_text(
        re.compile(r"Fine-tuning made the file worse: [\d.]+.% → [\d.]+.%, 20 steps"), timeout=LONG
    )
    bench.activity.get_by_role("button", name="half of the steps").click()
    expect(bench.title).to_contain_text("10 steps", timeout=LONG)
    bench.activity.get_by_role("button", name="untrained").click()
    expect(watched).to_have_url(re.compile(r"quantize\.bits=8&page=train$"))
    expect(bench.accuracy).to_have_text(re.compile(r"^8[89]"))


def test_a_number_of_steps_gives_everyone_the_same_result(train_page, watched):
    bench = train_page(PRUNED)
    watched.locator(".training .segments label", has_text="steps").click()
    watched.get_by_role("spinbutton", name="steps").fill("25")
    watched.keyboard.press("Tab")
    expect(bench.start).to_have_text("Fine-tune for 25 steps")
    bench.start.click()
    expect(bench.title).to_contain_text(", 25 steps in", timeout=LONG)
    watched.wait_for_url("**train.steps=25**")
    selection = parse_link(urlsplit(watched.url).query).selection
    repeated = wb.measure(wb.model(selection.model), selection.recipe)  # in this process
    assert bench.accuracy.inner_text() == formatting.percent(repeated.score.accuracy)
    size = watched.locator('.card [data-number="bytes"]').inner_text()
    assert re.sub(r"\D", "", size) == str(repeated.size.bytes)
    watched.reload()
    expect(bench.start).to_have_text("Fine-tune for 25 steps")
    expect(watched.get_by_role("spinbutton", name="steps")).to_have_value("25")


def test_every_tab_says_what_runs_and_a_stopped_run_resumes(train_page, watched):
    bench = train_page(PRUNED)
    expect(watched.locator(".tab-body .empty")).to_contain_text("Nothing is trained yet")
    bench.seconds(300)
    bench.start.click()
    for name in ("temperatures", "teacher", "training"):
        bench.tab(name)
        expect(bench.activity).to_contain_text(re.compile("Measuring how many|Fine-tuning: step"))
    expect(bench.activity).to_contain_text(re.compile(r"step \d+ of [\d,]+, about"), timeout=LONG)
    bench.activity.get_by_role("button", name="cancel").click()
    expect(bench.activity).to_contain_text(re.compile(r"Stopped at step [\d,]+ of"))
    stopped = step(bench.activity.inner_text())
    bench.activity.get_by_role("button", name="resume").click()
    expect(bench.activity).to_contain_text("Fine-tuning: step", timeout=LONG)
    assert step(bench.activity.inner_text()) >= stopped
    bench.activity.get_by_role("button", name="cancel").click()


def step(text):
    return int(re.search(r"step ([\d,]+)", text)[1].replace(",", ""))


def test_every_tab_says_that_temperatures_are_compared(train_page, watched):
    bench = train_page("?m=fashion/resnet&page=train")
    bench.choose("Distill")
    bench.seconds(60)
    watched.get_by_role("button", name="Compare temperatures for about 60 s").click()
    for name in ("training", "teacher", "temperatures"):
        bench.tab(name)
        expect(bench.activity).to_contain_text(
            re.compile("Measuring how many steps|Training 12 students"), timeout=LONG
        )
    expect(watched.locator(".tab-body")).not_to_contain_text("Choose “Distill”")
    bar = watched.locator(".progress-bar")
    expect(bar).to_be_hidden()  # the line above the tab shows the same
    other = {"number": 10**6, "job": "download", "text": "Creating the file"}
    watched.evaluate(PROGRESS, other)
    expect(bar).to_contain_text("Creating the file")
    expect(bar).to_be_visible()
    line = bench.activity.bounding_box()
    assert bar.bounding_box()["y"] >= line["y"] + line["height"]
    watched.evaluate(PROGRESS, {**other, "text": None})
    expect(bar).to_be_hidden()
    bench.activity.get_by_role("button", name="cancel").click()
    expect(bench.activity).not_to_contain_text("about", timeout=LONG)


def test_the_settings_follow_from_the_aim(show_settings, shown):
    bench = show_settings(PRUNED)
    field = lambda label: shown.locator(".training .field:visible", has_text=label)  # noqa: E731
    expect(bench.start).to_have_text("Fine-tune for about 20 s")
    expect(field("temperature")).to_have_count(0)
    bench.choose("Distill")
    expect(bench.start).to_have_text("Distill for about 20 s")
    expect(field("temperature")).to_have_count(1)
    expect(field("teacher").locator("option", has_text="labels only")).to_have_count(0)
    bench.choose("From scratch")
    expect(bench.start).to_have_text("Train for about 20 s")
    expect(field("width")).to_have_count(1)
    field("teacher").locator("select").select_option("the original model")
    expect(bench.start).to_have_text("Train a student for about 20 s")
    shown.locator(".training summary", has_text="Pruning and rounding").click()
    expect(field("rounding")).to_have_count(1)


def test_settings_without_an_effect_are_absent(show_settings, shown):
    show_settings("?m=fashion/lenet-300-100&page=train")  # neither pruned nor rounded
    expect(shown.locator(".training summary:visible", has_text="Pruning")).to_have_count(0)


def test_distillation_starts_from_the_selected_student(show_settings, shown):
    bench = show_settings("?m=fashion/mlp-32.lenet5.t4.labels5&origin=fashion/lenet5&page=train")
    bench.choose("Distill")
    field = lambda label: shown.locator(".training .field:visible", has_text=label)  # noqa: E731
    expect(field("teacher").locator("select")).to_have_value("fashion/lenet5")
    expect(field("temperature").locator("input").first).to_have_value("4")


def test_the_page_names_the_student_and_its_labels(show_settings, shown):
    show_settings("?m=fashion/mlp-32.lenet5.t4.labels5&origin=fashion/lenet5&page=train")
    labels = shown.locator(".training .field:visible", has_text="share of labels").locator("output")
    network = shown.locator(".training .help", has_text="The network:")
    expect(network).to_contain_text("mlp-32, 5\u202f% of the labels, teacher lenet5")
    expect(labels).to_have_text("5\u202f%")
    shown.get_by_role("button", name="Compress").click()
    shown.get_by_label("distillation: labels").select_option("0.01")
    shown.get_by_role("navigation").get_by_role("button", name="Train").click()
    expect(network).to_contain_text("mlp-32, 1\u202f% of the labels")
    expect(labels).to_have_text("1\u202f%")
