"""The address a server listens on: taken before anything slow starts, so that errors come early."""

from __future__ import annotations

import socket
from ipaddress import ip_address

from tornado.netutil import bind_sockets

from workbench.errors import WorkbenchError


def listen(host: str, port: int) -> list[socket.socket]:
    """Return sockets that listen on `host` and `port` (0: any free one).

    Raises
    ------
    WorkbenchError
        When the port is taken or impossible, or the host is not this machine's.
    """
    if not 0 <= port < 2**16:
        raise WorkbenchError(f"Port {port} does not exist: choose one below 65536, or 0 for any.")
    try:
        return bind_sockets(port, host)
    except OSError as error:
        reason = error.strerror or error
        raise WorkbenchError(
            f"Port {port} on {host} cannot be used ({reason}): choose another one, or 0 for any."
        ) from None


def is_local(sockets: list[socket.socket]) -> bool:
    """Whether only this machine can reach what listens on all of `sockets`."""
    return all(ip_address(one.getsockname()[0]).is_loopback for one in sockets)


def url(host: str, port: int, base_url: str, token: str | None) -> str:
    """Return the address that a person opens."""
    name = "localhost" if host in ("", "0.0.0.0", "::") else host
    query = f"?token={token}" if token else ""
    return f"http://{name}:{port}{base_url}{query}"
