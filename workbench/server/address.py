"""The address of a server; its port is bound before slow imports, so that errors appear early."""

from __future__ import annotations

import socket
from ipaddress import ip_address

from tornado.netutil import bind_sockets

from workbench.errors import InputError, WorkbenchError


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
    return all(ip_address(x.getsockname()[0]).is_loopback for x in sockets)


def url(host: str, port: int, base_url: str, token: str | None) -> str:
    """Return the URL to open in a browser."""
    name = "localhost" if host in ("", "0.0.0.0", "::") else host
    query = f"?token={token}" if token else ""
    return f"http://{name}:{port}{base_url}{query}"
