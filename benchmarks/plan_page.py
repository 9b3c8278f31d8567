"""Measure how fast the page Plan answers its sliders, from the event to the changed numbers.

python benchmarks/plan_page.py [--steps 20]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

import _page
from playwright.sync_api import Page

CONTROLS = ("batch", "context", "chips", "numbers")
MOVE = """([name, step]) => new Promise((resolve) => {
  const control = document.querySelector(`.plan .settings [aria-label="${name}"]`);
  const numbers = document.querySelector(".plan-numbers");
  const start = performance.now();
  const observer = new MutationObserver(() => {
    observer.disconnect();
    const answered = performance.now() - start;
    requestAnimationFrame(() => resolve([answered, performance.now() - start]));
  });
  observer.observe(numbers, { childList: true, subtree: true, characterData: true });
  if (control.tagName === "SELECT") control.selectedIndex = step % 3;
  else control.value = String(step % 2 ? 1 : 3);
  control.dispatchEvent(new Event(control.tagName === "SELECT" ? "change" : "input",
    { bubbles: true }));
})"""


def main() -> None:
    """Print the medians and the slowest tenth of each control, in both tasks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=20)
    steps = parser.parse_args().steps
    with (
        tempfile.TemporaryDirectory() as folder,
        _page.served(Path(folder), preheat=0) as (url, _),
        _page.chromium() as chromium,
    ):
        page = chromium.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(_page.TIMEOUT)
        page.goto(url + "?page=plan")
        page.locator(".plan-numbers div").first.wait_for()
        for task in ("generate text", "train"):
            page.get_by_role("radio", name=task).check(force=True)
            page.wait_for_timeout(1500)
            for name in CONTROLS:
                print(f"{task}, {name}: {measured(page, name, steps)}")


def measured(page: Page, name: str, steps: int) -> str:
    """Return the milliseconds until the numbers have changed, and until they are painted."""
    times = []
    for step in range(steps):
        times.append(page.evaluate(MOVE, [name, step]))
        page.wait_for_timeout(150)
    answered, painted = (sorted(part) for part in zip(*times, strict=True))
    tenth = int(0.9 * (steps - 1))
    return (
        f"numbers {statistics.median(answered):.0f} ms (90 %: {answered[tenth]:.0f}), "
        f"painted {statistics.median(painted):.0f} ms (90 %: {painted[tenth]:.0f})"
    )


if __name__ == "__main__":
    main()
