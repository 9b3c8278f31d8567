"""Measure a click on the page Deploy: seconds until confirmed and timed, and the sliders meanwhile.

    python benchmarks/deploy_page.py [--quick]

It deploys `fashion/resnet` with zeros and 8 bits, as soon as the page is open and after 10 s, and
`reviews/gru`, each twice: the second run takes packages and comparisons from the cache. While
`fashion/lenet5` is deployed, it moves a slider over known recipes, and measures in the page how
long the text takes to follow.
With `--quick` it deploys `vowels/cnn` only.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import _page
from _known import fill
from _table import machine, table
from live import SCRIPT, quantile
from playwright.sync_api import Locator, Page

from workbench.cache.results import ResultCache

FILES = (
    ("fashion/resnet", "&prune.sparsity=0.5&quantize.bits=8", 0),
    ("fashion/resnet", "&prune.sparsity=0.4&quantize.bits=8", 10),
    ("reviews/gru", "&quantize.bits=8", 0),
)
"""Models, recipes, and seconds for which the page is open before the click."""
QUICK = (("vowels/cnn", "&quantize.bits=8", 0),)
TIMEOUT = 300_000  # ms
GAP = 60  # ms between two events of the slider
STEPS = 30
UNCONFIRMED = ".deploy-table tbody:not([data-tone=confirmed]):not([data-tone=failed])"
UNTIMED = ".deploy-table tbody[data-tone=confirmed] td[data-label='1 example'][data-empty]"
STARTED = "button.primary[aria-disabled=true]:visible"
ENDED = "button.primary:not([aria-disabled=true]):visible"


def runs(
    page: Page, url: str, files: Sequence[tuple[str, str, float]]
) -> Iterator[tuple[str, ...]]:
    """Yield the seconds of a first and of a second run of each file."""
    for model, recipe, pause in files:
        open_deploy(page, url, f"m={model}{recipe}")
        page.wait_for_timeout(1000 * pause)
        for run in ("first", "cached"):
            start = time.perf_counter()
            page.locator(ENDED).click()
            page.locator(STARTED).wait_for(timeout=TIMEOUT)
            page.locator(".deploy-table tbody").first.wait_for(timeout=TIMEOUT)
            seconds = []
            for remaining in (UNCONFIRMED, UNTIMED):
                page.wait_for_function(
                    "selector => !document.querySelector(selector)", arg=remaining, timeout=TIMEOUT
                )
                seconds.append(time.perf_counter() - start)
            page.locator(ENDED).wait_for(timeout=TIMEOUT)
            seconds.append(time.perf_counter() - start)
            yield model, f"{pause} s", run, *(f"{second:.1f}" for second in seconds), load()


def sliders(page: Page, url: str, known: list[float]) -> Iterator[tuple[str, ...]]:
    """Yield how fast known recipes are shown before a run and during it, in milliseconds."""
    open_deploy(page, url, "m=fashion/lenet5&quantize.bits=4")
    for when in ("before", "during"):
        if when == "during":
            navigation(page, "Deploy").click()
            page.locator(ENDED).click()
        navigation(page, "Compress").click()
        times = page.evaluate("([v, gap]) => bench.cached(v, gap)", [known, GAP])
        texts = [step["text"] for step in times]
        yield when, quantile(texts, 50), quantile(texts, 95), f"{max(texts):.0f} ms", load()


def open_deploy(page: Page, url: str, query: str) -> None:
    """Open the page Deploy of a file, whose exact result is known."""
    page.goto(f"{url}?{query}")
    page.locator('.card[data-busy="false"][data-exact="true"]').wait_for(timeout=TIMEOUT)
    navigation(page, "Deploy").click()


def navigation(page: Page, name: str) -> Locator:
    """Return the link to a page of the app."""
    return page.get_by_role("navigation").get_by_role("button", name=name, exact=True)


def load() -> str:
    """Return the load of the machine in the last minute."""
    return f"{os.getloadavg()[0]:.1f}"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    files = QUICK if parser.parse_args().quick else FILES
    with tempfile.TemporaryDirectory() as folder:
        store = ResultCache(Path(folder))
        known = fill(store, STEPS)
        store.close()
        with (
            _page.served(Path(folder), preheat=0) as (url, _),
            _page.chromium() as chromium,
        ):
            page = chromium.new_page(viewport={"width": 1280, "height": 800})
            page.add_init_script(SCRIPT)
            print(machine())
            columns = ("file", "open for", "run", "confirmed, s", "timed, s", "roofline, s", "load")
            print(table(columns, runs(page, url, files)), end="\n\n", flush=True)
            columns = ("slider on known recipes", "median", "p95", "maximum", "load")
            print(table(columns, sliders(page, url, known)))


if __name__ == "__main__":
    main()
