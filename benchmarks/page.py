"""Measure the cost of opening the page: time to first data, bytes, and memory per user.

python benchmarks/page.py [--users 4]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import _page
from _plain_browser import first_paint
from playwright.sync_api import Page

IDLE = 5000  # ms that a visitor only looks
REST = 2000  # ms after which the kernel has returned its free memory
SETTLED = """() => {
  const card = document.querySelector(".card").dataset;
  const { sent } = document.querySelector(".wb").dataset;
  return card.seq === sent && card.exact === "true" && card.busy === "false";
}"""


def main() -> None:
    """Run all measurements and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=4)
    users = parser.parse_args().users
    rows = []
    with tempfile.TemporaryDirectory() as folder:  # without Playwright, whose event loop runs
        store = Path(folder)
        with _page.served(store, preheat=0) as (url, _):
            seconds = first_paint(url)["picture"]
            rows.append(("first paint with data, no warm kernel", f"{seconds:.1f} s", "9 s"))
        with _page.served(store, preheat=1) as (url, server):
            wait_for_warm_kernel(server)
            seconds = first_paint(url)["picture"]
            rows.append(("first paint with data, warm kernel", f"{seconds:.1f} s", "3 s"))
    with tempfile.TemporaryDirectory() as folder, _page.chromium() as chromium:
        store = Path(folder)
        with _page.served(store, preheat=0) as (url, _):
            first = chromium.new_context().new_page()
            bytes_of = count_bytes(first)
            open_page(first, url)
            rows.append(("first load, over the wire", f"{bytes_of() / 1e6:.1f} MB", "7 MB"))
        with _page.served(store, preheat=0) as (url, server):
            page = chromium.new_context().new_page()
            open_page(page, url)
            page.wait_for_timeout(IDLE)
            rows.append(("kernel of an idle visitor (PSS)", largest(server), "120 MB"))
            slide(page, 0.3)
            page.wait_for_timeout(REST)
            rows.append(("after the first slide (PSS)", largest(server), "300 MB"))
        with _page.served(store, preheat=0) as (url, server):
            for number in range(users):
                page = chromium.new_context().new_page()
                open_page(page, url)
                for share in (0.2, 0.4, 0.6):
                    slide(page, share + number / 50)
            rows.append((f"after three slides, {users} visitors (PSS)", largest(server), "300 MB"))
    print("| measurement | value | target |\n| --- | ---: | --- |")
    for row in rows:
        print(f"| {' | '.join(row)} |")


def open_page(page: Page, url: str) -> None:
    """Open the page and wait until numbers and figure are shown."""
    page.goto(url)
    page.locator(_page.READY).wait_for(timeout=_page.TIMEOUT)


def count_bytes(page: Page) -> Callable[[], float]:
    """Return a function that returns the bytes `page` has received, including websockets."""
    sizes: list[float] = []
    connection = page.context.new_cdp_session(page)
    connection.send("Network.enable")
    connection.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    connection.on(
        "Network.webSocketFrameReceived",
        lambda event: sizes.append(len(event["response"]["payloadData"])),
    )
    return lambda: sum(sizes)


def wait_for_warm_kernel(server: int) -> None:
    """Wait until the preheated kernel has rendered the page and is idle."""
    idle = 0
    while idle < 3:
        kernels = _page.kernels_of(server)
        for kernel in kernels:
            kernel.cpu_percent()
        time.sleep(1)
        busy = [kernel.cpu_percent() for kernel in kernels]
        idle = idle + 1 if busy and max(busy) < 5 else 0


def slide(page: Page, share: float) -> None:
    """Move the slider of the sparsity and wait for the exact result."""
    page.locator('.settings input[type="range"][aria-label*="sparsity"]').fill(f"{share:.2f}")
    page.wait_for_function(SETTLED)


def largest(server: int) -> str:
    """Return the largest proportional set size of the server's kernels."""
    sizes = [kernel.memory_full_info().pss for kernel in _page.kernels_of(server)]
    return f"{max(sizes) / 1e6:.0f} MB"


if __name__ == "__main__":
    main()
