"""Measure six visitors and a browser that drag at the same time.

The server has run for a while, as when a class opens its page. Each visitor moves the sparsity of
`lenet5` at 4 bits through results that are known, and then releases it at a value that is not
measured yet.

    python benchmarks/visitors.py [--visitors 6] [--seconds 8] [--preheat 1]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

import _page
from _known import BITS, MODEL, fill
from _visitor import Visitor
from playwright.async_api import Browser, Page, async_playwright

from workbench._setup import browser
from workbench.cache.results import ResultCache

SCRIPT = (Path(__file__).parent / "visitors.js").read_text(encoding="utf-8")
SLIDER = "prune.sparsity"
FREED = 30.0  # seconds until the kernels of closed pages must have ended
STARTED = 25.0  # seconds that the server has run when the visitors come


def main() -> None:
    """Run the measurement and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visitors", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--preheat", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = ResultCache(Path(folder))
        known = fill(store, 60)
        with _page.served(Path(folder), preheat=options.preheat) as (url, server):
            time.sleep(STARTED)
            rows = asyncio.run(measure(url, server, known, options))
        store.close()
    print("| measurement | worst | best | target |\n| --- | ---: | ---: | --- |")
    for row in rows:
        print(f"| {' | '.join(row)} |")


async def measure(
    url: str, server: int, known: list[float], options: argparse.Namespace
) -> list[tuple[str, str, str, str]]:
    """Return the rows of the table."""
    visitors = [Visitor(url) for _ in range(options.visitors)]
    async with async_playwright() as playwright:
        path = browser.find(sys.executable)
        chromium = await playwright.chromium.launch(executable_path=path, args=_page.FLAGS)
        opening = asyncio.gather(*(visitor.open() for visitor in visitors))
        page = await _open(chromium, url)
        opened = await opening
        idle = _memory(server)
        seconds = options.seconds
        counts = await asyncio.gather(
            page.evaluate("([v, s]) => visit.drag(v, s)", [known, seconds]),
            *(_drag(visitor, known, seconds, n) for n, visitor in enumerate(visitors)),
        )
        unknown = [round(0.7051 + 0.0131 * n, 4) for n in range(len(visitors) + 1)]
        exact = await asyncio.gather(
            page.evaluate("([v]) => visit.release(v)", [unknown[-1]]),
            *(v.release(SLIDER, value) for v, value in zip(visitors, unknown, strict=False)),
        )
        used = _memory(server)
        start = time.perf_counter()
        await asyncio.gather(page.close(run_before_unload=True), *(v.close() for v in visitors))
        await _until_freed(server, options.preheat)
        freed = time.perf_counter() - start
        await chromium.close()
    rates = [count / seconds for count in counts]
    return [
        ("page ready, all at once", f"{max(opened):.1f} s", f"{min(opened):.1f} s", ""),
        ("updates per second", f"{min(rates[1:]):.1f}", f"{max(rates[1:]):.1f}", "3"),
        ("updates per second in the browser", f"{rates[0]:.1f}", "", "3"),
        ("exact result after release", f"{max(exact):.1f} s", f"{min(exact):.1f} s", "4 s"),
        ("memory of a kernel before the first change (PSS)", *_range(idle), "120 MB"),
        ("memory of a kernel after the drag (PSS)", *_range(used), "300 MB"),
        ("kernels freed after closing all pages", f"{freed:.1f} s", "", f"{FREED:.0f} s"),
    ]


async def _open(chromium: Browser, url: str) -> Page:
    page = await (await chromium.new_context()).new_page()
    await page.add_init_script(SCRIPT)
    await page.goto(f"{url}?m={MODEL}&quantize.bits={BITS}")
    await page.locator(_page.READY).wait_for(timeout=_page.TIMEOUT)
    return page


async def _drag(visitor: Visitor, known: list[float], seconds: float, number: int) -> int:
    """Return the number of updates; every visitor starts at another value."""
    await visitor.set("quantize.bits", BITS)
    offset = number * len(known) // 6
    return len(await visitor.drag(SLIDER, known[offset:] + known[:offset], seconds))


def _memory(server: int) -> list[float]:
    return [kernel.memory_full_info().pss / 1e6 for kernel in _page.kernels_of(server)]


def _range(values: list[float]) -> tuple[str, str]:
    return f"{max(values):.0f} MB", f"{min(values):.0f} MB"


async def _until_freed(server: int, count: int) -> None:
    end = time.perf_counter() + FREED
    while len(_page.kernels_of(server)) > count:
        if time.perf_counter() > end:
            raise TimeoutError(f"more than {count} kernels {FREED} seconds after closing")
        await asyncio.sleep(0.1)


if __name__ == "__main__":
    main()
