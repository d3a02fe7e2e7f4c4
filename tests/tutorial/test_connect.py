"""`enchufe connect` against the tutorial's servers, in Python."""

import asyncio
import contextlib
import random
import re
import socket
from datetime import datetime, timezone

import pytest
import websockets

from conftest import BINARY, PATIENCE_S


async def connect(address, words=b"", *flags):
    """Pipes words into `enchufe connect`; gives its exit code and what it printed."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        BINARY, "--lang", "es", "connect", address, *flags, stdin=pipe, stdout=pipe, stderr=pipe
    )
    printed, said = await asyncio.wait_for(process.communicate(words), PATIENCE_S)
    return process.returncode, printed.decode(), said.decode()


@contextlib.asynccontextmanager
async def served(handler):
    """A WebSocket server, and its address."""
    async with websockets.serve(handler, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        yield f"ws://{host}:{port}"


async def echo_once(server):
    """Serves one client as the tutorial does: until it says no more."""
    loop = asyncio.get_running_loop()
    client, _ = await loop.sock_accept(server)
    with client:
        while data := await loop.sock_recv(client, 1024):
            await loop.sock_sendall(client, data)


@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_the_echo_server_echoes_and_the_client_prints_just_that(kind, tmp_path):
    async def talk():
        family = socket.AF_INET if kind == "tcp" else socket.AF_UNIX
        with socket.socket(family, socket.SOCK_STREAM) as server:
            server.bind(("127.0.0.1", 0) if kind == "tcp" else str(tmp_path / "echo"))
            server.listen()
            server.setblocking(False)
            name = server.getsockname()
            address = f"unix:{name}" if kind == "unix" else f"tcp://127.0.0.1:{name[1]}"
            serving = asyncio.create_task(echo_once(server))
            ended = await connect(address, b"Hello, world")
            await serving
            return ended

    assert asyncio.run(talk()) == (0, "Hello, world", "")


def test_a_datagram_is_echoed():
    class Echo(asyncio.DatagramProtocol):
        def connection_made(self, transport):
            self.transport = transport

        def datagram_received(self, data, address):
            self.transport.sendto(data, address)

    async def talk():
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(Echo, ("127.0.0.1", 0))
        port = transport.get_extra_info("sockname")[1]
        try:
            return await connect(f"udp://127.0.0.1:{port}", b"Hello, world", "--count", "1")
        finally:
            transport.close()

    code, printed, _ = asyncio.run(talk())
    assert (code, printed.rstrip("\n")) == (0, "Hello, world")


def test_the_greet_server_greets():
    heard = []

    async def greet(connection):
        name = await connection.recv()
        heard.append(name)
        await connection.send(f"Hola {name}!")

    async def talk():
        async with served(greet) as address:
            return await connect(address, b"Ana\n")

    assert asyncio.run(talk()) == (0, "Hola Ana!\n", "")
    assert heard == ["Ana"], "a name comes without its line break, and as text"


def test_the_clock_is_read_for_as_long_as_asked():
    async def clock(connection):
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                now = datetime.now(timezone.utc).replace(tzinfo=None)
                await connection.send(now.isoformat(timespec="microseconds") + "Z")
                await asyncio.sleep(random.random() / 20)

    async def talk():
        async with served(clock) as address:
            return await connect(address, b"", "--count", "3")

    code, printed, _ = asyncio.run(talk())
    assert code == 0
    assert re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\n){3}", printed), printed


def test_numbers_are_read_until_the_server_has_no_more():
    async def numbers(connection):
        for number in range(10):
            await connection.send(str(number))

    async def talk():
        async with served(numbers) as address:
            return await connect(address)

    assert asyncio.run(talk()) == (0, "".join(f"{number}\n" for number in range(10)), "")


def test_a_server_that_gives_up_is_exit_code_4_with_its_reason():
    async def give_up(connection):
        await connection.close(1011, "no quedan nombres")

    async def talk():
        async with served(give_up) as address:
            return await connect(address, b"Ana\n")

    code, printed, said = asyncio.run(talk())
    assert (code, printed) == (4, "")
    assert "1011" in said and "no quedan nombres" in said


def test_a_server_that_never_answers_is_exit_code_5():
    async def listen(connection):
        await connection.wait_closed()

    async def talk():
        async with served(listen) as address:
            return await connect(address, b"Ana\n", "--wait", "0.2")

    code, printed, _ = asyncio.run(talk())
    assert (code, printed) == (5, "")


def test_nobody_there_is_exit_code_1():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        code, printed, said = asyncio.run(connect(f"tcp://127.0.0.1:{port}", b"Hello, world"))
    assert (code, printed) == (1, "")
    assert f"127.0.0.1:{port}" in said
