"""The commands that start a server: the dashboard, and JupyterLab with the notebooks."""

from __future__ import annotations

import argparse
from typing import Any


def dashboard_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `dashboard`."""
    _server_options(parser, "a password that visitors must give")
    parser.add_argument(
        "--preheat",
        type=_count,
        default=1,
        metavar="N",
        help="the number of pages prepared for the next visitors; each takes memory",
    )
    parser.add_argument(
        "--uploads",
        action=argparse.BooleanOptionalAction,
        help="whether visitors may upload data; by default, only on localhost",
    )


def lab_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `lab`."""
    _server_options(parser, "a password that visitors must give; by default, a random one")


def dashboard(options: argparse.Namespace) -> None:
    """Serve the dashboard until interrupted."""
    from workbench.server.serve import serve

    serve(options.port, preheat=options.preheat, uploads=options.uploads, **_server(options))


def lab(options: argparse.Namespace) -> None:
    """Serve the notebooks in JupyterLab until interrupted."""
    from workbench.server.serve import lab

    lab(options.port, **_server(options))


def _server_options(parser: argparse.ArgumentParser, token_help: str) -> None:
    parser.add_argument("--port", type=_port, default=8866, help="0 selects any free port")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    parser.add_argument(
        "--host",
        default="localhost",
        help="the address to listen on; 0.0.0.0 accepts other machines of the network",
    )
    parser.add_argument("--token", help=token_help)
    parser.add_argument("--base-url", default="/", help="the path behind a proxy, such as /bench/")


def _server(options: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments that both servers take."""
    return {
        "open_browser": not options.no_browser,
        "token": options.token,
        "base_url": options.base_url,
        "host": options.host,
    }


def _port(text: str) -> int:
    if not text.isdigit() or not 0 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to 65535, not {text!r}")
    return int(text)


def _count(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"a number of at least 0, not {text!r}")
    return int(text)
