"""The addresses that a server listens on and that visitors open."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from ipaddress import ip_address
from types import SimpleNamespace

import psutil
import pytest

from tests.raises import raises
from workbench.server import address, interfaces
from workbench.server.address import urls

IPV6 = pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")


@contextmanager
def listening(host, port=0):
    sockets = address.listen(host, port)
    try:
        yield sockets
    finally:
        for x in sockets:
            x.close()


@pytest.fixture
def network(monkeypatch):
    """Replace this machine's interfaces, and the addresses of its default route."""

    def replace(addresses, *, routed=(), down=()):
        families = {4: socket.AF_INET, 6: socket.AF_INET6}
        entries = {
            name: [entry(families[ip_address(x).version], x) for x in texts] + [MAC]
            for name, texts in addresses.items()
        }
        monkeypatch.setattr(psutil, "net_if_addrs", lambda: entries)
        states = {name: SimpleNamespace(isup=name not in down) for name in addresses}
        monkeypatch.setattr(psutil, "net_if_stats", lambda: states)
        found = {ip_address(x) for x in routed}
        monkeypatch.setattr(interfaces, "_default_route_addresses", lambda: found)

    return replace


def entry(family, address):
    return SimpleNamespace(family=family, address=address)


MAC = entry(psutil.AF_LINK, "00:00:5e:00:53:01")


@pytest.mark.parametrize("port", [-1, 70_000])
def test_an_invalid_port_is_reported(port):
    with raises("server.invalid_port", port):
        address.listen("localhost", port)


def test_any_free_port():
    with listening("localhost") as sockets:
        assert len({x.getsockname()[1] for x in sockets}) == 1
        assert sockets[0].getsockname()[1] > 0


@pytest.mark.parametrize(
    ("host", "local"), [("localhost", True), ("127.0.0.1", True), ("0.0.0.0", False), ("", False)]
)
def test_a_server_is_local_if_only_this_machine_can_connect(host, local):
    with listening(host) as sockets:
        assert address.is_local(sockets) == local


def test_the_url_of_a_local_server_is_not_for_other_machines(network):
    network({"eth0": ["192.0.2.7"]})
    with listening("localhost") as sockets:
        port = sockets[0].getsockname()[1]
        assert urls("localhost", sockets, "/", None) == (f"http://localhost:{port}/", None)


def test_a_server_on_all_ipv4_addresses_has_a_url_for_each(network):
    network(
        {
            "lo": ["127.0.0.1", "::1"],
            "docker0": ["172.17.0.1"],
            "wlan0": ["192.0.2.7", "2001:db8::7", "fe80::7%wlan0"],
            "eth0": ["198.51.100.4"],
            "eth1": ["169.254.3.4"],
        },
        routed=["192.0.2.7"],
        down=["eth0"],
    )
    with listening("0.0.0.0") as sockets:
        port = sockets[0].getsockname()[1]
        result = urls("0.0.0.0", sockets, "/x/", "a word & more")
    tail = f":{port}/x/?token=a+word+%26+more"
    assert result.local == f"http://localhost{tail}"
    assert result.network == (f"http://192.0.2.7{tail}", f"http://172.17.0.1{tail}")


@IPV6
def test_ipv6_addresses_are_in_brackets_and_follow_those_of_ipv4(network):
    network({"eth0": ["2001:db8::7", "192.0.2.7"]})
    with listening("") as sockets:
        port = sockets[0].getsockname()[1]
        both = urls("", sockets, "/", None).network
    with listening("::") as sockets:
        only_6 = urls("::", sockets, "/", None).network
    assert both == (f"http://192.0.2.7:{port}/", f"http://[2001:db8::7]:{port}/")
    assert [x.rpartition(":")[0] for x in only_6] == ["http://[2001:db8::7]"]
    with listening("::1") as sockets:
        port = sockets[0].getsockname()[1]
        assert urls("::1", sockets, "/", None) == (f"http://[::1]:{port}/", None)


def test_without_a_network_there_is_no_url_for_other_machines(network):
    network({"lo": ["127.0.0.1"]})
    with listening("0.0.0.0") as sockets:
        assert urls("0.0.0.0", sockets, "/", None).network == ()


def test_the_interfaces_of_this_machine_are_read():
    found = interfaces.network_addresses()
    assert not any(x.is_loopback or x.is_link_local for x in found)
    assert interfaces._default_route_addresses() <= {*found, ip_address("127.0.0.1")}
