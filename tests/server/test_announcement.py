"""What a starting server prints: its addresses, and a QR code on a terminal."""

from __future__ import annotations

import io
import re

import pytest
import segno

from workbench.server import announcement
from workbench.server.address import Urls
from workbench.server.announcement import announce, qr_code

OWN = "http://localhost:8866/?token=WORD"
LAN = ("http://192.0.2.7:8866/?token=WORD", "http://[2001:db8::7]:8866/?token=WORD")


class Terminal(io.StringIO):
    def __init__(self, encoding="utf-8"):
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self):
        return self._encoding

    def isatty(self):
        return True


def printed(urls, out):
    announce(urls, open_browser=False, out=out)
    return out.getvalue()


def test_a_local_server_prints_its_own_url():
    assert printed(Urls(OWN, None), Terminal()) == f"Workbench is at {OWN}\n"


def test_a_server_of_a_class_prints_the_urls_for_other_machines():
    lines = printed(Urls(OWN, LAN), io.StringIO()).splitlines()
    assert lines[0] == f"Workbench is at {OWN}"
    assert [line.strip() for line in lines if "192.0.2.7" in line or "2001" in line] == [*LAN]


def test_without_a_token_a_warning_follows():
    open_to_all = Urls("http://localhost:1/", ("http://192.0.2.7:1/",))
    assert "Without --token" in printed(open_to_all, io.StringIO())
    assert "Without --token" not in printed(Urls(OWN, LAN), io.StringIO())


def test_without_a_network_it_says_so():
    assert "not connected" in printed(Urls(OWN, ()), Terminal())


def test_a_terminal_shows_a_qr_code_of_the_first_url():
    assert qr_code(LAN[0]) in printed(Urls(OWN, LAN), Terminal())
    assert qr_code(LAN[0]) not in printed(Urls(OWN, LAN), io.StringIO())
    assert "Workbench is at" in printed(Urls(OWN, LAN), Terminal("iso-8859-1"))
    assert qr_code(LAN[0]) not in printed(Urls(OWN, LAN), Terminal("iso-8859-1"))


def test_the_qr_code_has_the_modules_of_the_url():
    code = segno.make(LAN[0], error="m", micro=False)
    halves = {" ": (1, 1), "\u2580": (0, 1), "\u2584": (1, 0), "\u2588": (0, 0)}
    drawn = []
    for line in re.sub(r"\033\[[\d;]*m", "", qr_code(LAN[0])).splitlines():
        drawn += zip(*(halves[character] for character in line), strict=True)
    wanted = [tuple(row) for row in code.matrix_iter(border=4)]
    assert drawn[: len(wanted)] == wanted


@pytest.mark.parametrize("wanted", [True, False])
def test_the_browser_opens_the_own_url_if_wanted(monkeypatch, wanted):
    opened = []
    monkeypatch.setattr(announcement.webbrowser, "open", opened.append)
    announce(Urls(OWN, LAN), open_browser=wanted, out=io.StringIO())
    assert opened == [OWN] * wanted
