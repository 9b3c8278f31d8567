"""The text that tells where the server is: URLs, and a QR code for other machines."""

from __future__ import annotations

import io
import sys
import webbrowser
from typing import TextIO

import segno

from workbench.server.address import Urls

WHITE_ON_BLACK, RESET = "\033[38;5;231;48;5;16m", "\033[0m"
BLOCKS = "\u2580\u2584\u2588"


def announce(urls: Urls, *, open_browser: bool, out: TextIO | None = None) -> None:
    """Print the URLs of the server, and open its page if requested.

    On a terminal, a QR code of the first URL for other machines follows.
    """
    out = out or sys.stdout
    print(f"Workbench is at {urls.local}", file=out)
    if urls.network is not None:
        print(_for_other_machines(urls.network), file=out)
        if urls.network and out.isatty() and _has_blocks(out.encoding):
            print(qr_code(urls.network[0]), file=out)
    out.flush()
    if open_browser:
        webbrowser.open(urls.local)


def qr_code(url: str) -> str:
    """Return a QR code of `url`, drawn with block elements in white on black."""
    text = io.StringIO()
    segno.make(url, error="m", micro=False).terminal(text, compact=True)
    lines = text.getvalue().splitlines()
    if sys.platform != "win32":  # not every terminal of Windows understands colors
        lines = [f"{WHITE_ON_BLACK}{line}{RESET}" for line in lines]
    return "\n".join(lines)


def _has_blocks(encoding: str | None) -> bool:
    try:
        BLOCKS.encode(encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def _for_other_machines(urls: tuple[str, ...]) -> str:
    if not urls:
        return "No other machine can reach it: this machine is not connected to a network."
    lines = [f"  {url}" for url in urls]
    if not any("token=" in url for url in urls):
        lines.append("Without --token, everyone in this network can open it.")
    return "\n".join(["On other machines of this network, open", *lines])
