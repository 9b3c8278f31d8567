"""The options of the commands that start a server."""

from __future__ import annotations

import pytest

from workbench.cli import main
from workbench.server import serve

SHARED = {"token": "WORD", "base_url": "/x/", "host": "0.0.0.0", "open_browser": False}
OPTIONS = ["--host", "0.0.0.0", "--token", "WORD", "--base-url", "/x/", "--no-browser"]


@pytest.mark.parametrize(
    ("command", "function", "options", "more"),
    [
        ("lab", "lab", [], {}),
        ("dashboard", "serve", [], {"preheat": 1, "uploads": None}),
        (
            "dashboard",
            "serve",
            ["--preheat", "6", "--uploads"],
            {"preheat": 6, "uploads": True},
        ),
    ],
)
def test_the_server_gets_all_options(monkeypatch, command, function, options, more):
    calls = []
    monkeypatch.setattr(serve, function, lambda *args, **named: calls.append((args, named)))
    assert main([command, "--port", "0", *OPTIONS, *options]) == 0
    assert calls == [((0,), {**SHARED, **more})]


def test_the_number_of_prepared_pages_is_not_negative(capsys):
    with pytest.raises(SystemExit):
        main(["dashboard", "--preheat", "-1"])
    assert "at least 0" in capsys.readouterr().err
