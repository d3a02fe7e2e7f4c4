"""The tutorial's clock and numbers: one for each client when served, one for all in a feed."""

import asyncio
import re

import pytest
import websockets

from conftest import PATIENCE_S

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


async def read(uri, count):
    """The first messages that somebody gets who only listens."""
    async with websockets.connect(uri) as connection:
        return [await asyncio.wait_for(connection.recv(), PATIENCE_S) for _ in range(count)]


async def read_both(uri, count):
    """The messages of two viewers who look at the same time."""
    return await asyncio.gather(read(uri, count), read(uri, count))


def test_the_clock_tells_the_time_in_utc_with_microseconds(enchufe):
    port = enchufe("serve", "clock", "ws://127.0.0.1:0", "--interval", "0..0.05").port()
    times = asyncio.run(read(f"ws://127.0.0.1:{port}", 20))
    assert all(TIME.fullmatch(time) for time in times), times
    assert times == sorted(times)


def test_the_numbers_are_digits_and_each_is_printed(enchufe):
    server = enchufe("serve", "random", "ws://127.0.0.1:0", "--interval", "0..0.05")
    numbers = asyncio.run(read(f"ws://127.0.0.1:{server.port()}", 20))
    assert all(re.fullmatch("[0-9]", number) for number in numbers), numbers
    assert [server.line() for _ in numbers] == numbers


def test_the_other_server_always_says_seven(enchufe):
    flags = ["--value", "7", "--interval", "0..0.05"]
    port = enchufe("serve", "random", "ws://127.0.0.1:0", *flags).port()
    assert asyncio.run(read(f"ws://127.0.0.1:{port}", 5)) == ["7"] * 5


def test_served_numbers_are_each_clients_own(enchufe):
    flags = ["--range", "0..1000000000", "--interval", "0..0.05"]
    port = enchufe("serve", "random", "ws://127.0.0.1:0", *flags).port()
    one, other = asyncio.run(read_both(f"ws://127.0.0.1:{port}", 10))
    assert not set(one) & set(other)


def test_numbers_that_are_fed_are_the_same_for_everybody(enchufe):
    flags = ["--range", "0..1000000000", "--interval", "0.05..0.1"]
    port = int(
        enchufe("feed", "random", *flags, "--listen", "http://127.0.0.1:0").hear(
            r"ws://127\.0\.0\.1:(\d+)/channels/feed"
        )
    )
    one, other = asyncio.run(read_both(f"ws://127.0.0.1:{port}/channels/feed", 30))
    # Who came a little later has the later messages, and they are the very same.
    later = one.index(other[0]) if other[0] in one else -other.index(one[0])
    pairs = zip(one[max(later, 0) :], other[max(-later, 0) :])
    assert all(mine == yours for mine, yours in pairs)
    assert abs(later) < 20, "they overlap"


@pytest.mark.parametrize(("path", "expected"), [("/channels/numbers", "[0-9]"), ("/", TIME)])
def test_the_demos_feeds_reach_a_client_that_knows_nothing_of_enchufe(demo, path, expected):
    _, (port, _, _) = demo
    one, other = asyncio.run(read_both(f"ws://127.0.0.1:{port}{path}", 3))
    assert all(re.fullmatch(expected, message) for message in one + other), (one, other)


def test_a_client_of_the_demo_that_only_listens_may_not_speak(demo):
    _, (port, _, _) = demo

    async def speak():
        async with websockets.connect(f"ws://127.0.0.1:{port}/") as connection:
            await connection.send("a word")
            while True:
                await asyncio.wait_for(connection.recv(), PATIENCE_S)

    with pytest.raises(websockets.ConnectionClosed) as closed:
        asyncio.run(speak())
    assert closed.value.rcvd.code == 4003
