"""The basic workflow: open the page, move a slider, read the results, download the file."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import close
from workbench.zoo import model

pytestmark = pytest.mark.browser
SMALL = "?m=fashion/lenet-300-100"
MOST_BYTES = 11_000_000

# Where the parts of the page Compress are, in px from its top.
PLACES = """() => [".stage .plot", ".card", ".card .facts", ".strip .export"].map((selector) => {
  const { top, left, width } = document.querySelector(selector).getBoundingClientRect();
  return [selector, ...[top + scrollY, left, width].map(Math.round)];
})"""


def test_the_first_paint_has_data_and_no_code(open_bench, watched):
    loaded = []
    devtools = watched.context.new_cdp_session(watched)
    devtools.send("Network.enable")
    devtools.send("Network.setCacheDisabled", {"cacheDisabled": True})  # a first visit
    devtools.on("Network.loadingFinished", lambda event: loaded.append(event["encodedDataLength"]))
    bench = open_bench()
    expect(bench.number("accuracy")).to_have_text(re.compile(r"^9\d\.\d"))
    expect(bench.number("bytes")).to_have_text(re.compile(r"^1,72\d,\d{3}"))
    assert bench.trace("original")["x"] == [model("fashion/lenet5").card["file_bytes"]]
    assert watched.locator(".stage .scatterlayer .trace").count() >= 2
    assert 1_000_000 < sum(loaded) < MOST_BYTES
    text = watched.locator("body").inner_text()
    assert "import workbench" not in text
    assert "Traceback" not in text


def test_the_chart_is_drawn_without_the_script_of_the_server(page, server):
    page.route("**/plotly.js*", lambda route: route.abort())
    page.goto(server.url + SMALL)
    page.locator(".stage .plot[data-seq] .main-svg").first.wait_for()


def test_cancel_retains_the_last_results(show, shown):
    bench = show("?m=fashion/resnet")
    bench.settle()
    for share in range(31, 90, 2):
        shown.evaluate(
            """(share) => new Promise((done) => {
              const slider = document.querySelector('[aria-label="pruning: sparsity"]');
              slider.value = share;
              slider.dispatchEvent(new Event("input", { bubbles: true }));
              const card = document.querySelector(".card");
              const look = () => {
                if (card.dataset.busy !== "true") return;
                watch.disconnect();
                document.querySelector(".progress-bar button").click();
                done();
              };
              const watch = new MutationObserver(look);
              watch.observe(card, { attributes: true });
            })""",
            share / 100,
        )
        shown.locator('.card[data-busy="false"]').wait_for()
        if shown.locator(".card.stale").count():
            break
    expect(shown.locator(".card.stale")).to_be_visible()
    expect(bench.number("bytes")).to_have_text(re.compile(r"\d"))


def test_a_slider_updates_results_chart_and_url(show, shown):
    bench = show(SMALL)
    bench.settle()
    before = bench.number("bytes").inner_text()
    bench.sparsity.focus()
    for _ in range(7):
        shown.keyboard.press("Shift+ArrowRight")
    shown.keyboard.press("ArrowRight")
    assert bench.sparsity.get_attribute("aria-valuetext") == "71\u202f%"
    bench.bits(5)
    bench.settle()
    assert bench.number("bytes").inner_text() != before
    size = int(re.sub(r"\D", "", bench.number("bytes").inner_text()))
    assert bench.point["bytes"] == size
    expect(shown).to_have_url(re.compile(r"prune\.sparsity=0\.71&quantize\.bits=5"))
    announcement = shown.locator(".announcement[role=status]")
    expect(announcement).to_contain_text(bench.number("bytes").inner_text())
    shown.get_by_role("button", name="undo").click()
    expect(bench.slider("quantization: bits")).to_have_attribute("aria-valuetext", "32 bits")


def test_a_drag_ends_at_the_last_position(show, shown):
    bench = show(SMALL)
    bench.drag(bench.sparsity, 0, 0.7)
    bench.settle()
    readout = bench.readout.inner_text()
    requested = shown.locator(".card dd").first.inner_text()
    assert requested == readout.replace("\u202f%", ".0\u202f%")


def test_a_click_restores_a_visited_recipe(open_bench, watched):
    bench = open_bench(f"{SMALL}&prune.sparsity=0.9&quantize.bits=3")
    bench.settle()
    first = bench.number("bytes").inner_text()
    bench.sparsity.fill("0.5")
    bench.settle()
    traces = watched.locator(".stage .scatterlayer .trace")
    names = watched.evaluate("document.querySelector('.stage .plot').data.map((x) => x.name)")
    visited = traces.nth(names.index("visited")).locator("path.point")
    visited.first.click(force=True)
    expect(bench.number("bytes")).to_have_text(first)
    expect(bench.sparsity).to_have_value("0.9")
    watched.get_by_role("tab", name="results").click()
    watched.get_by_role("button", name="restore: sparsity 50").click()
    expect(bench.sparsity).to_have_value("0.5")


def test_the_download_has_the_displayed_size_and_says_how_to_run_it(show, shown, tmp_path):
    bench = show(SMALL)
    bench.settle()
    bench.sparsity.fill("0.8")
    bench.bits(4)
    bench.settle()
    places = shown.evaluate(PLACES)
    with shown.expect_download() as download:
        shown.get_by_role("button", name="download").click()
    size = len(Path(download.value.path()).read_bytes())
    assert bench.number("bytes").inner_text() == f"{size:,}\u202fbytes"
    assert download.value.suggested_filename.endswith(".safetensors")
    saved = shown.get_by_role("region", name="The saved file")
    expect(saved).to_contain_text("10,000 test images")
    expect(saved.get_by_role("heading")).to_have_text(download.value.suggested_filename)
    expect(saved).to_be_in_viewport(ratio=1)
    assert shown.evaluate(PLACES) == places  # nothing moves, and it covers none of this
    strip = shown.get_by_role("button", name="download").bounding_box()
    assert saved.bounding_box()["y"] >= strip["y"] + strip["height"]
    download.value.save_as(tmp_path / download.value.suggested_filename)
    lines = saved.locator("pre").inner_text()
    subprocess.run([sys.executable, "-c", lines], cwd=tmp_path, check=True)
    saved.get_by_role("button", name="close").click()
    expect(saved).to_be_hidden()
    with shown.expect_download() as download:
        shown.get_by_role("button", name="save as PNG").click()
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("width", "name"),
    [
        *((width, "fashion/lenet5") for width in (390, 768, 900, 1000, 1280)),
        (1280, "reviews-lm/gpt"),
    ],
)
def test_nothing_moves_when_the_numbers_change(show, shown, width, name):
    shown.set_viewport_size({"width": width, "height": 800})
    bench = show(f"?m={name}")
    bench.settle()
    places = shown.evaluate(PLACES)
    for sparsity, bits in (("0.5", 32), ("0.95", 2)):
        bench.sparsity.fill(sparsity)
        bench.bits(bits)
        bench.settle()
        assert shown.evaluate(PLACES) == places


def test_an_invalid_link_is_reported_and_runs_nothing(open_bench, watched):
    watched.add_init_script("window.injected = false")
    bench = open_bench("?m=<img src=x onerror=window.injected=true>&prune.sparsity=9")
    expect(watched.get_by_role("alert")).to_contain_text("This link is not valid")
    assert not watched.evaluate("window.injected")
    expect(bench.sparsity).to_have_value("0")
    watched.get_by_role("button", name="close").click()
    expect(watched.get_by_role("alert")).to_be_hidden()


@pytest.mark.parametrize(
    ("key", "value", "allowed"), [("level", "odd", "everything"), ("theme", "pink", "dark")]
)
def test_a_value_of_the_address_that_changes_nothing_is_named(show, shown, key, value, allowed):
    show(f"{SMALL}&{key}={value}")
    message = shown.get_by_role("alert")
    expect(message).to_contain_text(f"{key}={value}, which is ignored")
    expect(message).to_contain_text(allowed)


# Keeps the newest state that Python sends, and shows changes of it as if Python had sent them.
LISTEN = """async () => {
  const manager = window.jupyterapp.widgetManager;
  const ids = [...manager.registeredModels];
  const models = await Promise.all(ids.map((id) => manager.get_model(id)));
  const app = models.find((model) => model.get("part") === "app");
  app.on("msg:custom", (message) => {
    if (message.kind === "state" && !message.test) window.state = message;
  });
  window.receive = (changes) =>
    app.trigger("msg:custom", { ...window.state, test: true, ...changes }, []);
}"""


def test_the_cancel_button_keeps_the_focus_while_its_line_changes(show, shown):
    bench = show(SMALL)
    bench.settle()
    shown.evaluate(LISTEN)
    bench.sparsity.fill("0.5")
    bench.settle()
    line = shown.locator(".progress-bar")
    cancel = line.get_by_role("button", name="cancel")
    for number, text in enumerate(("first", "second", "third")):
        progress = {"text": text, "fraction": None}
        changes = {"busy": True, "seq": 1000 + number, "progress": progress}
        shown.evaluate("(changes) => window.receive(changes)", changes)
        expect(line).to_contain_text(text)
        expect(cancel).to_be_visible()
        if number == 0:
            cancel.focus()
        expect(cancel).to_be_focused()
    shown.evaluate("window.receive({})")
    expect(line).to_be_hidden()
    expect(shown.locator(".page:not([hidden])")).to_be_focused()


def test_the_progress_bar_shows_the_newest_of_several_operations(show, shown):
    bench = show(SMALL)
    bench.settle()
    shown.evaluate(LISTEN)
    line = shown.locator(".progress-bar")

    def receive(number, job, text):
        message = {"kind": "progress", "number": number, "job": job, "text": text}
        shown.evaluate("(message) => window.receive(message)", message)

    receive(1, "timing", "Measuring the latency")
    expect(line).to_contain_text("Measuring the latency")
    receive(2, "download", "Creating the file")
    receive(1, "timing", "Measuring the latency again")
    expect(line).to_contain_text("Creating the file")
    expect(line).to_have_attribute("data-job", "download")  # what its button cancels
    receive(2, "download", None)
    expect(line).to_contain_text("Measuring the latency again")
    expect(line).to_have_attribute("data-job", "timing")
    receive(1, "timing", None)
    expect(line).to_be_hidden()


def test_two_visitors_do_not_disturb_each_other(show, shown, server):
    bench = show(SMALL)
    other = shown.context.new_page()
    other.goto(server.url + SMALL)
    other.locator(".wb[data-ready]").wait_for()
    bench.sparsity.fill("0.5")
    bench.settle()
    expect(other.get_by_role("slider", name="sparsity")).to_have_value("0")
    close(other)
