"""The tutorial's echo: its client against our server, over everything that a socket can be."""

import socket

import pytest

from conftest import NEEDS_IPV6, PATIENCE_S


def connect(family, address):
    """A stream socket, connected."""
    client = socket.socket(family, socket.SOCK_STREAM)
    client.settimeout(PATIENCE_S)
    client.connect(address)
    return client


def hello(client):
    """What the tutorial's client does once it is connected, and what it prints."""
    client.sendall(b"Hello, world")
    return f"Received {client.recv(1024)!r}"


@pytest.mark.parametrize(
    ("family", "host"),
    [(socket.AF_INET, "127.0.0.1"), pytest.param(socket.AF_INET6, "::1", marks=NEEDS_IPV6)],
)
def test_the_client_gets_its_words_back_and_the_server_says_who_it_was(enchufe, family, host):
    server = enchufe("serve", "echo", f"tcp://[{host}]:0" if ":" in host else f"tcp://{host}:0")
    with connect(family, (host, server.port())) as client:
        assert hello(client) == "Received b'Hello, world'"
        assert server.line() == f"Conectado IP: {client.getsockname()}"
    assert server.stop() == 0


def test_the_demo_has_the_same_echo(demo):
    _, (_, _, port) = demo
    with connect(socket.AF_INET, ("127.0.0.1", port)) as client:
        assert hello(client) == "Received b'Hello, world'"


def test_a_hundred_clients_are_served_at_once_where_the_original_serves_one(enchufe):
    port = enchufe("serve", "echo", "tcp://127.0.0.1:0").port()
    clients = [connect(socket.AF_INET, ("127.0.0.1", port)) for _ in range(100)]
    # The last to come is the first to be answered.
    for number, client in reversed(list(enumerate(clients))):
        client.sendall(b"%d" % number)
        assert client.recv(1024) == b"%d" % number
        client.close()


def test_everything_comes_back_until_the_client_says_no_more(enchufe):
    port = enchufe("serve", "echo", "tcp://127.0.0.1:0").port()
    with connect(socket.AF_INET, ("127.0.0.1", port)) as client:
        text = bytes(range(256)) * 16
        client.sendall(text)
        client.shutdown(socket.SHUT_WR)
        assert b"".join(iter(lambda: client.recv(1024), b"")) == text


def test_once_ends_after_the_first_client_as_the_original_does(enchufe):
    server = enchufe("serve", "echo", "tcp://127.0.0.1:0", "--once")
    with connect(socket.AF_INET, ("127.0.0.1", server.port())) as client:
        assert hello(client) == "Received b'Hello, world'"
    assert server.process.wait(PATIENCE_S) == 0


def test_a_datagram_comes_back_whole(enchufe):
    port = enchufe("serve", "echo", "udp://127.0.0.1:0").port()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(PATIENCE_S)
        client.sendto(b"Hello, world", ("127.0.0.1", port))
        assert client.recvfrom(1024) == (b"Hello, world", ("127.0.0.1", port))


def test_a_unix_socket_is_a_stream_like_tcp(enchufe, tmp_path):
    path = str(tmp_path / "echo")
    server = enchufe("serve", "echo", f"unix:{path}")
    server.address()
    with connect(socket.AF_UNIX, path) as client:
        assert hello(client) == "Received b'Hello, world'"
    assert server.stop() == 0
    assert not (tmp_path / "echo").exists()


def test_a_unix_datagram_comes_back_to_the_name_of_its_sender(enchufe, tmp_path):
    path = str(tmp_path / "echo")
    enchufe("serve", "echo", f"unixgram:{path}").address()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
        client.settimeout(PATIENCE_S)
        client.bind(str(tmp_path / "client"))
        client.sendto(b"Hello, world", path)
        assert client.recvfrom(1024) == (b"Hello, world", path)
