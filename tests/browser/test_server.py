"""The server in a browser: kernels end with their page, and no other files are served."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import kernel_name

pytestmark = pytest.mark.browser
SMALL = "?m=fashion/lenet-300-100"
WARM = 1  # kernels that wait for the next visitor


def test_reload_and_close_shut_down_the_kernel(open_bench, watched, server):
    bench = open_bench(SMALL)
    bench.sparsity.fill("0.5")
    bench.settle()
    expect(watched).to_have_url(re.compile(r"prune\.sparsity=0\.5"))
    first = kernel_of(watched, server)
    watched.reload()
    watched.locator(".wb[data-ready]").wait_for()
    expect(bench.sparsity).to_have_value("0.5")
    second = kernel_of(watched, server)
    assert second != first
    server.until(lambda: not first.is_running(), "the first visit's kernel to end")
    assert second.is_running()
    watched.goto("about:blank")
    server.until(lambda: not second.is_running(), "the second visit's kernel to end")
    server.until(lambda: len(server.kernels()) >= WARM, "a kernel for the next visitor")


def kernel_of(page, server):
    """Return the process of the page's kernel."""
    name = page.evaluate(
        "JSON.parse(document.getElementById('jupyter-config-data').textContent).kernelId"
    )
    return next(kernel for kernel in server.kernels() if name[:8] in kernel_name(kernel))


# Jupyter's client tries to reconnect, and does not catch its own failure; on a busy machine it asks
# for the kernel while the server still replaces it.
@pytest.mark.page_error(
    "Kernel connection disconnected",
    "Failed to load resource: the server responded with a status of 500 (Internal Server Error)",
)
def test_a_lost_kernel_is_reported_and_a_reload_restores_the_state(open_bench, watched, server):
    bench = open_bench(SMALL)
    bench.sparsity.fill("0.4")
    bench.settle()
    expect(watched).to_have_url(re.compile(r"prune\.sparsity=0\.4"))
    kernel_of(watched, server).kill()
    expect(watched.get_by_role("alert")).to_contain_text("kernel was lost", timeout=30_000)
    ink = "document.querySelector('.stage .plot').layout.font.color"
    light = watched.evaluate(ink)
    watched.get_by_role("button", name="switch between light and dark").click()
    watched.wait_for_function(f"(light) => {ink} !== light", arg=light)
    watched.get_by_role("button", name="reload").click()
    watched.locator(".wb[data-ready]").wait_for()
    expect(bench.sparsity).to_have_value("0.4")


@pytest.mark.parametrize(
    "path",
    [
        "dashboard.ipynb",
        "voila/files/dashboard.ipynb",
        "other.ipynb",
        "voila/render/x.ipynb",
        "a.csv",
    ],
)
def test_other_files_are_not_served(page, server, path):
    answer = page.request.get(server.url + path)
    assert answer.status in {403, 404}


def test_kernels_cannot_be_shut_down_from_another_site(page, server):
    answer = page.request.post(
        f"{server.url}voila/api/shutdown/{'0' * 8}-0000-0000-0000-{'0' * 12}"
    )
    assert answer.status == 403


UNKNOWN_WIDGET = """
document.addEventListener("DOMContentLoaded", () => {
  if (sessionStorage.getItem("failed")) return;
  sessionStorage.setItem("failed", "true");
  document.body.append("Error displaying widget: model not found");
});
"""


def test_a_page_whose_widget_is_missing_is_loaded_again(open_bench, watched):
    watched.add_init_script(UNKNOWN_WIDGET)
    open_bench()
    kind = watched.evaluate("performance.getEntriesByType('navigation')[0].type")
    assert kind == "reload"
    assert "model not found" not in watched.inner_text("body")
