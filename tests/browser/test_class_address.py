"""The address that a class gets opens the page from another address than localhost."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import Server, watching
from workbench.server.interfaces import network_addresses

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not network_addresses(), reason="this machine is in no network"),
]
PRINTED = re.compile(r"^ +(http://\S+)", re.MULTILINE)
OPTIONS = "host='0.0.0.0', token='LEMON'"


@pytest.fixture(scope="module", params=["serve", "lab"])
def printed(request, tmp_path_factory):
    """Start a server for a class, and return the first address that it prints for others."""
    server = Server(tmp_path_factory.mktemp("class"), request.param, OPTIONS)
    yield server.until(lambda: PRINTED.search(server.log.read_text("utf-8")), "an address")[1]
    server.stop()


@pytest.fixture(scope="module")
def elsewhere(browser_type, browser_type_launch_args, printed):
    """A browser that reaches only the host of the printed address."""
    host = re.search(r"//(\S+):\d+/", printed)[1]
    assert host not in {"localhost", "127.0.0.1"}
    rules = f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {host}"
    args = [x for x in browser_type_launch_args["args"] if "host-resolver" not in x]
    browser = browser_type.launch(**{**browser_type_launch_args, "args": [*args, rules]})
    yield browser, host
    browser.close()


@pytest.fixture
def visitor(elsewhere):
    browser, host = elsewhere
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    yield page, host
    page.close()


def test_a_slider_works_at_the_printed_address(printed, visitor):
    page, host = visitor
    with watching(page, host):
        page.goto(printed)
        if "/lab/" in printed:
            page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
            page.get_by_text("Run", exact=True).first.click()
            page.get_by_text("Run All Cells", exact=True).click()
        page.locator(".wb[data-ready] .stage .plot[data-seq]").wait_for()
        page.get_by_role("slider", name="sparsity").fill("0.5")
        sent = page.locator(".wb").get_attribute("data-sent")
        page.locator(f'.card[data-seq="{sent}"]').wait_for()


def test_the_token_is_needed(printed, visitor):
    page, _host = visitor
    page.goto(printed.partition("?")[0])
    assert "login" in page.url
    assert not page.locator(".wb").count()
