"""Measure how soon the check screen appears after a file was chosen, in a real browser.

    python benchmarks/upload.py [--quick]

Each file of about 5 MB is chosen on the page three times. The time is measured in the page, from
the event of the file input to the frame in which the check screen is shown; it contains the
transfer, the reading and the drawing. The next column begins when the kernel has received the whole
file. The column "read" is the time that the kernel alone needs
for reading and inspecting, here in this process. With `--quick` only the first file is measured.
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import _page
import numpy as np
from _table import machine, table
from PIL import Image
from playwright.sync_api import Page
from safetensors.numpy import save

from workbench.panels.uploads.file import CHUNK_BYTES, UploadedFile
from workbench.panels.uploads.reading import read

SIZE = 5_000_000
RUNS = 3
COLUMNS = ("file", "MB", "median, s", "longest, s", "after the transfer, s", "read, s", "load")
TIMEOUT = 60_000  # ms
SCRIPT = """
addEventListener("change", (event) => {
  if (event.target.type !== "file") return;
  const start = performance.now();
  let sends = false, received = 0;
  const wait = () => {
    const isSending = document.querySelector(".upload").dataset.step === "chunk";
    if (sends && !isSending && !received) received = performance.now() - start;
    sends ||= isSending;
    if (document.querySelector("dialog.check[open] .check-head"))
      requestAnimationFrame(() => setTimeout(() => {
        window.shownAfter = [performance.now() - start, received];
      }));
    else requestAnimationFrame(wait);
  };
  window.shownAfter = undefined;
  wait();
}, true);
"""
WORDS = [f"{a}{b}{c}" for a in ("pro", "con", "re", "de") for b in "aeiou" for c in ("ter", "nal")]


def lines(names: str, row: Callable[[int], str]) -> bytes:
    """Return a table of about 5 MB."""
    rows, size = [names], 0
    while size < SIZE:
        rows.append(row(len(rows)))
        size += len(rows[-1]) + 1
    return "\n".join(rows).encode()


def numeric() -> bytes:
    """Return a table of ten columns of numbers."""
    draw = np.random.default_rng(0)

    def row(number: int) -> str:
        values = draw.normal(size=9)
        return ",".join(f"{value:.4f}" for value in values) + f",{int(values[0] > 0)}"

    return lines("a,b,c,d,e,f,g,h,i,y", row)


def texts() -> bytes:
    """Return a table of texts with a class."""
    draw = np.random.default_rng(0)

    def row(number: int) -> str:
        words = " ".join(WORDS[index] for index in draw.integers(0, len(WORDS), 40))
        return f'"{words}, {number}",{"yes" if number % 3 else "no"}'

    return lines("review,answer", row)


def dates() -> bytes:
    """Return a table with dates of two spellings."""
    draw = np.random.default_rng(0)

    def row(number: int) -> str:
        day, month, year = draw.integers((1, 1, 1990), (29, 13, 2020))
        when = f"{day:02d}.{month:02d}.{year}"
        return f"{when},{year}-{month:02d}-{day:02d} {day % 24:02d}:30,{'ABC'[month % 3]},{day}"

    return lines("ordered,sent,store,amount", row)


def wide() -> bytes:
    """Return a table of 300 columns of numbers."""
    draw = np.random.default_rng(0)
    names = ",".join(f"c{number}" for number in range(300))
    return lines(names, lambda _number: ",".join(f"{v:.3f}" for v in draw.normal(size=300)))


def categories() -> bytes:
    """Return a table of words and of numbers with decimal commas and missing values."""
    draw = np.random.default_rng(0)

    def row(number: int) -> str:
        a, b, c = draw.integers(0, len(WORDS), 3)
        amount = "n/a" if number % 9 == 0 else f"{a}.{c:03d},5 €"
        return f"{WORDS[a]};{WORDS[b]} {WORDS[c]};{amount};{'ja' if a > b else 'nein'}"

    return lines("place;product;amount;bought", row)


def pictures() -> bytes:
    """Return an archive of pictures in two classes."""
    draw = np.random.default_rng(0)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for number in range(10_000):
            pixels = draw.integers(0, 255, (64, 64, 3), dtype=np.uint8)
            pixels[16:48, 16:48, 0] = 255 * (number % 2)
            picture = io.BytesIO()
            Image.fromarray(pixels).save(picture, "JPEG", quality=60)
            archive.writestr(f"{'ab'[number % 2]}/{number}.jpg", picture.getvalue())
            if content.tell() > SIZE:
                break
    return content.getvalue()


def checkpoint(tensors: int) -> bytes:
    """Return weights of this many tensors."""
    draw = np.random.default_rng(0)
    columns = SIZE // tensors // 4 // 8
    return save(
        {
            f"layers.{n}.weight": draw.normal(size=(8, columns)).astype(np.float32)
            for n in range(tensors)
        }
    )


FILES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "numbers": ("numbers.csv", numeric),
    "texts": ("texts.csv", texts),
    "dates": ("dates.csv", dates),
    "words, decimal commas": ("words.csv", categories),
    "300 columns": ("wide.csv", wide),
    "pictures": ("pictures.zip", pictures),
    "checkpoint, 12 tensors": ("few.safetensors", lambda: checkpoint(12)),
    "checkpoint, 1,000 tensors": ("many.safetensors", lambda: checkpoint(1000)),
}


def times(page: Page, path: Path) -> list[tuple[float, float]]:
    """Return the seconds until the check screen of a file and until it was sent, for each run."""
    result = []
    for _run in range(RUNS):
        page.locator(".upload input[type=file]").set_input_files(path)
        page.wait_for_function("window.shownAfter !== undefined", timeout=TIMEOUT)
        shown, received = page.evaluate("window.shownAfter")
        result.append((shown / 1000, received / 1000))
        page.keyboard.press("Escape")
        page.locator("dialog.check[open]").wait_for(state="hidden", timeout=TIMEOUT)
    return result


def reading(name: str, content: bytes) -> float:
    """Return the seconds for reading and inspecting a file in this process."""
    seconds = []
    for _run in range(RUNS):
        file = UploadedFile(0, name, len(content))
        for start in range(0, len(content), CHUNK_BYTES):
            file.append([content[start : start + CHUNK_BYTES]])
        begin = time.perf_counter()
        read(file, lambda *_progress: None).check({})
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds)


def rows(page: Page, folder: Path, names: list[str]) -> Iterator[tuple[str, ...]]:
    """Yield a row for each file."""
    for title in names:
        name, make = FILES[title]
        path = folder / name
        path.write_bytes(make())
        pairs = times(page, path)
        shown = [pair[0] for pair in pairs]
        yield (
            title,
            f"{path.stat().st_size / 1e6:.1f}",
            f"{statistics.median(shown):.2f}",
            f"{max(shown):.2f}",
            f"{statistics.median(end - received for end, received in pairs):.2f}",
            f"{reading(name, path.read_bytes()):.2f}",
            f"{os.getloadavg()[0]:.1f}",
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    names = [*FILES][: 1 if parser.parse_args().quick else None]
    with (
        tempfile.TemporaryDirectory() as folder,
        _page.served(Path(folder), preheat=0) as (url, _),
        _page.chromium() as chromium,
    ):
        page = chromium.new_page(viewport={"width": 1280, "height": 800})
        page.add_init_script(SCRIPT)
        page.goto(f"{url}?m=fashion/lenet-300-100")
        page.locator('.card[data-busy="false"][data-exact="true"]').wait_for(timeout=TIMEOUT)
        page.locator(".upload > summary").click()
        print(machine())
        print(table(COLUMNS, rows(page, Path(folder), names)))


if __name__ == "__main__":
    main()
