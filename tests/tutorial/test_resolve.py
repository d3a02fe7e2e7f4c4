"""The tutorial's getaddrinfo: the same list from Python and from us."""

import socket
import subprocess

import pytest

from conftest import BINARY

PROTOCOLS = {
    socket.IPPROTO_IP: "IPPROTO_IP",
    socket.IPPROTO_TCP: "IPPROTO_TCP",
    socket.IPPROTO_UDP: "IPPROTO_UDP",
}


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
@pytest.mark.parametrize("service", ["80", "http"])
@pytest.mark.parametrize("protocol", [0, socket.IPPROTO_TCP, socket.IPPROTO_UDP])
def test_resolve_lists_what_python_gets(host, service, protocol):
    chosen = ["--proto", PROTOCOLS[protocol].removeprefix("IPPROTO_").lower()] if protocol else []
    command = [BINARY, "resolve", host, service, *chosen]
    resolved = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        answers = socket.getaddrinfo(host, service, proto=protocol, flags=socket.AI_CANONNAME)
    except socket.gaierror:
        # Not every machine has services by name, nor for every protocol.
        assert (resolved.returncode, resolved.stdout) == (1, "")
        return
    expected = [
        f"({family.name}, {kind.name}, {PROTOCOLS[number]}, {name!r}, {address})"
        for family, kind, number, name, address in answers
    ]
    assert resolved.stdout.splitlines() == expected
