"""The addresses of a server; its port is bound before slow imports, so that errors appear early."""

from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlencode

from tornado.netutil import bind_sockets

from workbench.errors import InputError, WorkbenchError
from workbench.server.interfaces import Address, network_addresses

FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}


def listen(host: str, port: int) -> list[socket.socket]:
    """Return sockets that listen on `host` and `port`; port 0 is any free port.

    Raises
    ------
    InputError
        If `port` is not a port number.
    WorkbenchError
        If the port is in use, or `host` is not an address of this machine.
    """
    if not 0 <= port < 2**16:
        raise InputError(
            f"{port} is not a valid port: choose one below 65536, or 0 for any free port.",
            code="server.invalid_port",
        )
    try:
        return bind_sockets(port, host)
    except OSError as error:
        reason = error.strerror or error
        raise WorkbenchError(
            f"Port {port} on {host} is not available ({reason}): choose another port, or 0 for "
            "any free port.",
            code="server.port_unavailable",
        ) from None


def is_local(sockets: list[socket.socket]) -> bool:
    """Whether all `sockets` accept connections from this machine only."""
    return all(_bound_address(x).is_loopback for x in sockets)


class Urls(NamedTuple):
    """The URLs of a server.

    Attributes
    ----------
    local
        For a browser on this machine.
    network
        For browsers on other machines, the most likely first; None if the server accepts
        connections from this machine only.
    """

    local: str
    network: tuple[str, ...] | None


def urls(host: str, sockets: list[socket.socket], path: str, token: str | None) -> Urls:
    """Return the URLs of a server that listens on `sockets`, which were bound to `host`."""
    port = sockets[0].getsockname()[1]
    query = f"?{urlencode({'token': token})}" if token else ""
    tail = f":{port}{path}{query}"
    everywhere = {x.family for x in sockets if _bound_address(x).is_unspecified}
    local = f"http://{'localhost' if everywhere else _in_url(host)}{tail}"
    if is_local(sockets):
        return Urls(local, None)
    if not everywhere:
        return Urls(local, (local,))
    names = [str(x) for x in network_addresses() if FAMILIES[x.version] in everywhere]
    return Urls(local, tuple(f"http://{_in_url(name)}{tail}" for name in names))


def _bound_address(bound: socket.socket) -> Address:
    return ip_address(bound.getsockname()[0].partition("%")[0])


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
