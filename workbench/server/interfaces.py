"""The addresses of this machine in its networks."""

from __future__ import annotations

import socket
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address

import psutil

Address = IPv4Address | IPv6Address
ELSEWHERE = {socket.AF_INET: "198.51.100.1", socket.AF_INET6: "2001:db8::1"}
"""Addresses reserved for documentation, which only the default route can reach."""


def network_addresses() -> list[Address]:
    """Return the addresses under which other machines may reach this one.

    Those of the default route come first, because visitors are most likely there, and IPv4 comes
    before IPv6. Link-local addresses are left out: browsers do not accept those of IPv6, and those
    of IPv4 exist where no network assigned an address.
    """
    active = {name for name, state in psutil.net_if_stats().items() if state.isup}
    known = [
        ip_address(entry.address.partition("%")[0])
        for name, entries in psutil.net_if_addrs().items()
        if name in active
        for entry in entries
        if entry.family in ELSEWHERE
    ]
    usable = [x for x in dict.fromkeys(known) if not (x.is_loopback or x.is_link_local)]
    routed = _default_route_addresses()
    return sorted(usable, key=lambda x: (x.version, x not in routed))


def _default_route_addresses() -> set[Address]:
    """Return the addresses from which this machine sends to other networks; sends nothing."""
    result: set[Address] = set()
    for family, elsewhere in ELSEWHERE.items():
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((elsewhere, 9))  # for datagrams, this only selects a route
            result.add(ip_address(probe.getsockname()[0]))
    return result
