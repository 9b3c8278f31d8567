"""Chromium as visitors run it: nothing listens to its JavaScript.

A test driver enables the Runtime domain of DevTools. For every exception that a script catches,
V8 then parses all functions on the stack again: for plotly.js this takes more than a second.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import _page
from tornado.websocket import WebSocketClientConnection, websocket_connect

from workbench._setup import browser

TITLE = "seconds: "
WATCH = """(() => {
  const seen = {};
  const look = () => {
    const seconds = performance.now() / 1000;
    if (document.querySelector(".wb > *")) seen.numbers ??= seconds;
    if (!document.querySelector(PICTURE)) return;
    watcher.disconnect();
    document.title = TITLE + JSON.stringify({ ...seen, picture: seconds });
  };
  const watcher = new MutationObserver(look);
  watcher.observe(document, { subtree: true, childList: true, attributes: true });
})()"""


def first_paint(url: str) -> dict[str, float]:
    """Return the seconds from the request of a page to its numbers and to its picture.

    The browser starts before, with an empty profile.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        flags = ["--headless", "--remote-debugging-port=0", f"--user-data-dir={profile}"]
        command = [browser.find(sys.executable), *flags, *_page.FLAGS]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            return asyncio.run(_visit(_address(Path(profile)), url))
        finally:
            process.terminate()
            process.wait()


def _address(profile: Path) -> str:
    file = profile / "DevToolsActivePort"
    end = time.monotonic() + _page.TIMEOUT / 1000
    while time.monotonic() < end:
        lines = file.read_text().split() if file.exists() else []
        if len(lines) == 2:
            return f"ws://localhost:{lines[0]}{lines[1]}"
        time.sleep(0.05)
    raise TimeoutError("Chromium has not started.")


async def _visit(address: str, url: str) -> dict[str, float]:
    socket = await websocket_connect(address)
    target = (await _call(socket, "Target.createTarget", url="about:blank"))["targetId"]
    attached = await _call(socket, "Target.attachToTarget", targetId=target, flatten=True)
    script = WATCH.replace("PICTURE", json.dumps(_page.READY)).replace("TITLE", json.dumps(TITLE))
    session = attached["sessionId"]
    await _call(socket, "Page.enable", session)
    await _call(socket, "Page.addScriptToEvaluateOnNewDocument", session, source=script)
    await _call(socket, "Page.navigate", session, url=url)
    end = time.monotonic() + _page.TIMEOUT / 1000
    while time.monotonic() < end:
        await asyncio.sleep(0.1)
        info = await _call(socket, "Target.getTargetInfo", targetId=target)
        title: str = info["targetInfo"]["title"]
        if title.startswith(TITLE):
            seconds: dict[str, float] = json.loads(title.removeprefix(TITLE))
            return seconds
    raise TimeoutError(f"{url} has not shown its picture.")


async def _call(
    socket: WebSocketClientConnection, method: str, session: str | None = None, **params: Any
) -> dict[str, Any]:
    request = {"id": 1, "method": method, "params": params}
    await socket.write_message(json.dumps(request | ({"sessionId": session} if session else {})))
    while True:
        message = json.loads(await socket.read_message() or "{}")
        if message.get("id") == 1:
            result: dict[str, Any] = message["result"]
            return result
