"""Compression as the public package negotiates it, on all the terms it can ask for."""

import asyncio
import itertools
import random

import pytest
import websockets
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from conftest import PATIENCE_S

TEXT = '{"name":"Íñigo","value":7}\n' * 1_500
NOISE = random.Random(7692).randbytes(70_000)
TERMS = list(itertools.product([False, True], [False, True], [None, 8, 9, 15], [None, 9, True]))


async def echoed(uri, terms, messages):
    """What comes back of each message, with compression on these terms and no others."""
    server_no_takeover, client_no_takeover, server_bits, client_bits = terms
    offer = ClientPerMessageDeflateFactory(
        server_no_context_takeover=server_no_takeover,
        client_no_context_takeover=client_no_takeover,
        server_max_window_bits=server_bits,
        client_max_window_bits=client_bits,
    )
    uri_options = {"extensions": [offer], "compression": None, "max_size": 1 << 21}
    async with websockets.connect(uri, **uri_options) as connection:
        protocol = getattr(connection, "protocol", connection)
        assert [extension.name for extension in protocol.extensions] == ["permessage-deflate"]
        answers = []
        for message in messages:
            await connection.send(message)
            answers.append(await asyncio.wait_for(connection.recv(), PATIENCE_S))
        return answers


def test_messages_come_back_on_all_terms(enchufe):
    port = enchufe("serve", "echo", "ws://127.0.0.1:0").port()
    messages = ["", "Hola", TEXT, NOISE, b"", TEXT[::-1], "Hola", TEXT]
    for terms in TERMS:
        answers = asyncio.run(echoed(f"ws://127.0.0.1:{port}", terms, messages))
        assert answers == messages, terms


def test_what_inflates_beyond_the_limit_is_refused_with_1009(enchufe):
    port = enchufe("serve", "echo", "ws://127.0.0.1:0").port()
    with pytest.raises(websockets.ConnectionClosed) as closed:
        terms = (True, True, None, True)
        asyncio.run(echoed(f"ws://127.0.0.1:{port}", terms, ["A" * (1 << 20) + "na"]))
    assert closed.value.rcvd.code == 1009
