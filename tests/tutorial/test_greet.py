"""The tutorial's greeting: the public package's client against our server."""

import asyncio

import pytest
import websockets

from conftest import NEEDS_IPV6, PATIENCE_S

HOSTS = ["localhost", "127.0.0.1", pytest.param("[::1]", marks=NEEDS_IPV6)]


async def greet(uri, names):
    """Sends each name, as the tutorial's client sends one, and gives the answers."""
    answers = []
    async with websockets.connect(uri) as connection:
        for name in names:
            await connection.send(name)
            answers.append(await asyncio.wait_for(connection.recv(), PATIENCE_S))
    return answers


@pytest.mark.parametrize("host", HOSTS)
def test_whoever_says_a_name_is_greeted_on_both_families_of_localhost(enchufe, host):
    server = enchufe("serve", "greet", "ws://localhost:0")
    assert asyncio.run(greet(f"ws://{host}:{server.port()}", ["Ana"])) == ["Hola Ana!"]
    assert [server.line(), server.line()] == ["< Ana", "> Hola Ana!"]
    assert server.stop() == 0


@pytest.mark.parametrize("host", HOSTS)
def test_the_demo_greets_as_well(demo, host):
    _, (_, port, _) = demo
    assert asyncio.run(greet(f"ws://{host}:{port}", ["Ana"])) == ["Hola Ana!"]


def test_any_path_will_do_and_more_than_one_name(enchufe):
    port = enchufe("serve", "greet", "ws://localhost:0").port()
    answers = asyncio.run(greet(f"ws://localhost:{port}/a/path?and=query", ["Ana", "Íñigo"]))
    assert answers == ["Hola Ana!", "Hola Íñigo!"]


def test_many_are_greeted_at_once(enchufe):
    port = enchufe("serve", "greet", "ws://localhost:0").port()
    everybody = [f"Ana {number}" for number in range(50)]

    async def together():
        return await asyncio.gather(
            *(greet(f"ws://localhost:{port}", [name]) for name in everybody)
        )

    assert asyncio.run(together()) == [[f"Hola {name}!"] for name in everybody]


def test_a_name_that_is_too_long_is_refused_with_1009_and_the_next_one_is_greeted(enchufe):
    port = enchufe("serve", "greet", "ws://localhost:0").port()
    with pytest.raises(websockets.ConnectionClosed) as closed:
        asyncio.run(greet(f"ws://localhost:{port}", ["A" * (1 << 20) + "na"]))
    assert closed.value.rcvd.code == 1009
    assert asyncio.run(greet(f"ws://localhost:{port}", ["Ana"])) == ["Hola Ana!"]


def test_a_server_that_is_asked_to_stop_says_so_with_1001(enchufe):
    server = enchufe("serve", "greet", "ws://localhost:0")

    async def until_it_closes(uri):
        async with websockets.connect(uri) as connection:
            stopping = asyncio.get_running_loop().run_in_executor(None, server.stop)
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await asyncio.wait_for(connection.recv(), PATIENCE_S)
            return closed.value.rcvd.code, await stopping

    assert asyncio.run(until_it_closes(f"ws://localhost:{server.port()}")) == (1001, 0)
