"""Measure the latency of the page after slider events, compared with a simple Label.

All times are measured inside the page, from the event to the changed DOM, in headless Chromium.
Every size shown by the page is checked with `workbench.compress`.

    python benchmarks/live.py [--steps 60] [--models NAME ...]
"""

from __future__ import annotations

import argparse
import json
import re
import sqlite3
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import _page
from _known import fill
from playwright.sync_api import Page

import workbench as wb
from workbench.cache.results import FILE, ResultCache

SCRIPT = (Path(__file__).parent / "live.js").read_text(encoding="utf-8")
CELL = """
import ipywidgets, workbench as wb
slider, label = ipywidgets.IntSlider(max=10_000), ipywidgets.Label("0")
label.add_class("plain-label")
slider.observe(lambda change: setattr(label, "value", str(change.new)), "value")
display(wb.dashboard(), ipywidgets.VBox([slider, label]))
"""
GAP = 60  # ms between two events
DRAG_GAP = 25  # ms between two events of a drag


def main() -> None:
    """Run all measurements and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--drags", action="store_true", help="measure only the drags")
    parser.add_argument("--models", nargs="*", default=wb.models(), help="of the rows by model")
    options = parser.parse_args()
    steps = options.steps
    with tempfile.TemporaryDirectory() as folder:
        store = ResultCache(Path(folder))
        known = fill(store, steps)
        notebook = Path(folder, "page", "live.ipynb")
        notebook.parent.mkdir()
        notebook.write_text(json.dumps(_notebook()), encoding="utf-8")
        server = _page.served(Path(folder), preheat=0, notebook=notebook)
        with server as (url, _), _page.chromium() as chromium:
            page = chromium.new_page(viewport={"width": 1280, "height": 800})
            page.add_init_script(SCRIPT)
            drags(page, url, steps, Path(folder))
            if options.drags:
                return
            rows = measure(page, url, known, Path(folder), options.models)
        store.close()
    print("| measurement | p50 | p95 | maximum |\n| --- | ---: | ---: | ---: |")
    for name, times in rows:
        print(f"| {name} | {quantile(times, 50)} | {quantile(times, 95)} | {max(times):.0f} ms |")


def measure(
    page: Page, url: str, known: list[float], folder: Path, models: Sequence[str]
) -> list[tuple[str, list[float]]]:
    """Return all times in milliseconds, in the order of the table."""
    steps = len(known)
    open_page(page, url, "fashion/lenet5", 4)
    rows = [("Label", page.evaluate("n => bench.label(n, 60)", steps))]
    cached = page.evaluate("([v, gap]) => bench.cached(v, gap)", [known, GAP])
    check("fashion/lenet5", 4, cached)
    rows.append(("cached: text", [step["text"] for step in cached]))
    rows.append(("cached: figure", [step["plot"] for step in cached]))
    open_page(page, url, "fashion/lenet5", 32)
    stops = [1 + step % 5 for step in range(steps)]
    students = page.evaluate("([v, gap]) => bench.temperatures(v, gap)", [stops, GAP])
    rows.append(("temperature: text", [step["text"] for step in students]))
    rows.append(("temperature: figure", [step["plot"] for step in students]))
    rows.append(("Label, repeated", page.evaluate("n => bench.label(n, 60)", steps)))
    for name in models:
        open_page(page, url, name, 5)
        page.evaluate(
            "([v, gap]) => bench.uncached(v, gap)", [[0.005, 0.015], GAP]
        )  # loads the kernels
        new = [round(0.02 * step, 2) for step in range(1, min(steps, 40) + 1)]
        steps_taken = page.evaluate("([v, gap]) => bench.uncached(v, gap)", [new, GAP])
        check(name, 5, steps_taken)
        for key, label in (("size", "size"), ("first", "first estimate"), ("exact", "exact")):
            rows.append((f"{name}, new: {label}", [step[key] for step in steps_taken]))
    open_page(page, url, "fashion/lenet5", 6)
    hundred = [round(0.0097 * step, 4) for step in range(1, 101)]
    burst = page.evaluate("([v]) => bench.burst(v, 2000)", [hundred])
    rows.append(("100 events in 2 s: exact result of the last", [burst["exact"]]))
    started = evaluations_after(folder, burst["last"])
    print(f"100 events in 2 s: {started} evaluations ended after the last event\n")
    open_page(page, url, "fashion/resnet", 7)
    cancels = page.evaluate("([v]) => bench.cancel(v, 150)", [[0.1, 0.2, 0.3, 0.4, 0.5, 0.6]])
    rows.append(("fashion/resnet: cancel", cancels))
    return rows


def drags(page: Page, url: str, steps: int, folder: Path) -> None:
    """Measure drags over known and over new recipes, and print a table."""
    print("| drag on fashion/lenet5 | results shown per second | exact after release |")
    print("| --- | ---: | ---: |")
    shares = [round(0.01 * step, 2) for step in range(1, steps + 1)]
    drag(page, url, folder, "known recipes", 4, shares + shares[::-1])
    drag(page, url, folder, "new recipes", 3, [round(0.01 * step, 2) for step in range(1, 91)])
    print()


def drag(page: Page, url: str, folder: Path, name: str, bits: int, shares: Sequence[float]) -> None:
    """Print how many results a second a drag shows, and how soon the exact one follows.

    Exits if more than the last recipe is measured after the release.
    """
    open_page(page, url, "fashion/lenet5", bits)
    page.evaluate("([v, gap]) => bench.drag(v, gap)", [[0.005, 0.006], GAP])  # loads the kernels
    result = page.evaluate("([v, gap]) => bench.drag(v, gap)", [list(shares), DRAG_GAP])
    page.wait_for_timeout(2000)
    if (later := evaluations_after(folder, result["released"])) > 1:
        sys.exit(f"{name}: {later} evaluations ended after the release")
    print(f"| {name} | {result['rate']:.1f} | {result['exact']:.0f} ms |")


def open_page(page: Page, url: str, model: str, bits: int) -> None:
    """Open the page with a model and wait for the exact result."""
    page.goto(f"{url}?m={model}&quantize.bits={bits}")
    page.locator(".wb[data-ready] .stage .plot[data-seq]").wait_for(timeout=90_000)
    page.locator('.card[data-busy="false"][data-exact="true"]').wait_for(timeout=90_000)


def check(model: str, bits: int, shown: list[dict[str, object]]) -> None:
    """Exit if a size shown by the page differs from that of the file."""
    for step in shown:
        prune = wb.Prune(float(str(step["value"])))
        artifact = wb.compress(wb.model(model), wb.Recipe(prune, wb.Quantize(bits=bits)))
        size = int(re.sub(r"\D", "", str(step["bytes"])))
        if size != len(artifact):
            sys.exit(
                f"{model} at {step['value']}: the page shows {size}, the file has {len(artifact)}"
            )


def evaluations_after(folder: Path, time: float) -> int:
    """Return how many exact scores were stored after `time`, in seconds since the epoch."""
    with sqlite3.connect(folder / FILE) as disk:
        query = "SELECT COUNT(*) FROM results WHERE key LIKE 'score%' AND used > ?"
        return int(disk.execute(query, (time,)).fetchone()[0])


def _notebook() -> dict[str, object]:
    cell = {
        "cell_type": "code",
        "execution_count": None,
        "id": "page",
        "metadata": {},
        "outputs": [],
        "source": CELL,
    }
    kernel = {"name": "python3", "display_name": "Python", "language": "python"}
    return {"cells": [cell], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def quantile(times: list[float], percent: int) -> str:
    """Return a percentile, rounded to milliseconds."""
    if len(times) < 2:
        return f"{times[0]:.0f} ms"
    return f"{statistics.quantiles(times, n=100, method='inclusive')[percent - 1]:.0f} ms"


if __name__ == "__main__":
    main()
