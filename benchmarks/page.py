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
import psutil
from playwright.sync_api import Browser, Page

READY = ".wb[data-ready] .stage .plot[data-seq]"


def main() -> None:
    """Run all measurements and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=4)
    users = parser.parse_args().users
    rows = []
    with tempfile.TemporaryDirectory() as folder, _page.chromium() as chromium:
        store = Path(folder)
        with _page.served(store, preheat=0) as (url, _):
            first = chromium.new_context().new_page()
            bytes_of = count_bytes(first)
            rows.append(("first paint with data, no warm kernel", f"{open_page(first, url):.1f} s"))
            rows.append(("first load, over the wire", f"{bytes_of() / 1e6:.1f} MB"))
        with _page.served(store, preheat=1) as (url, server):
            wait_for_warm_kernel(server)
            first = chromium.new_context().new_page()
            rows.append(("first paint with data, warm kernel", f"{open_page(first, url):.1f} s"))
            first.context.close()
        with _page.served(store, preheat=0) as (url, server):
            shares = memory(chromium, url, server, users)
            name = f"memory per user with {users} (PSS), maximum"
            rows.append((name, f"{max(shares) / 1e6:.0f} MB"))
    print("| measurement | value |\n| --- | ---: |")
    for name, value in rows:
        print(f"| {name} | {value} |")


def open_page(page: Page, url: str) -> float:
    """Open the page and return the seconds until numbers and figure are shown."""
    start = time.perf_counter()
    page.goto(url)
    page.locator(READY).wait_for(timeout=_page.TIMEOUT)
    return time.perf_counter() - start


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
        kernels = kernels_of(server)
        for kernel in kernels:
            kernel.cpu_percent()
        time.sleep(1)
        busy = [kernel.cpu_percent() for kernel in kernels]
        idle = idle + 1 if busy and max(busy) < 5 else 0


def memory(chromium: Browser, url: str, server: int, users: int) -> list[float]:
    """Return the proportional set size in bytes of each user's kernel after a few slides."""
    pages = [chromium.new_context().new_page() for _ in range(users)]
    for number, page in enumerate(pages):
        open_page(page, url)
        for share in (0.2, 0.4, 0.6):
            page.get_by_role("slider", name="sparsity").fill(f"{share + number / 50:.2f}")
            page.locator('.card[data-busy="false"][data-exact="true"]').wait_for()
    return [kernel.memory_full_info().pss for kernel in kernels_of(server)]


def kernels_of(server: int) -> list[psutil.Process]:
    """Return the server's kernel processes."""
    children = psutil.Process(server).children(recursive=True)
    return [child for child in children if "ipykernel_launcher" in " ".join(child.cmdline())]


if __name__ == "__main__":
    main()
