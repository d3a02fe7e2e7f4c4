"""Drives the cases against a server, or has a client drive itself through them.

Sections 12 and 13 go through a relay that looks at what is sent.
"""

import asyncio
import contextlib
import re

from kosoku import FailureError, run_fuzzingclient, run_fuzzingserver

import suite
from relay import Relay

PATIENCE_S = 20
# Sections 1 to 10 take ten seconds, and a case of the others at most a few.
DIRECT_TIMEOUT_S = 300
CASE_TIMEOUT_S = 300


async def against_server(address, case_ids):
    """The reports of these cases against the server at this address, and what the relay found. A
    server that leaves a case without an end gets no further cases."""
    results, found = [], {}
    with contextlib.suppress(asyncio.TimeoutError):
        if direct := [case_id for case_id in case_ids if not suite.is_compressed(case_id)]:
            results += await reports_of(run_fuzzingclient(address, direct), DIRECT_TIMEOUT_S)
        if relayed := [case_id for case_id in case_ids if suite.is_compressed(case_id)]:
            async with Relay(address, "server") as relay:
                for case_id in relayed:
                    run = run_fuzzingclient(f"ws://{relay.address}/{case_id}", [case_id])
                    results += await reports_of(run, CASE_TIMEOUT_S)
            found = {target.removeprefix("/"): fault for target, fault in relay.faults.items()}
    return results, found


async def against_client(command, case_ids, timeout_s):
    """The reports of these cases against a client, which is started with the address to go to,
    what the relay found, and what is wrong with how it ended."""
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(run_fuzzingserver(case_ids, port=0))
        address = f"{server.address}:{server.port}"
        relay = None
        if suite.is_compressed(case_ids[0]):
            relay = await stack.enter_async_context(Relay(address, "client"))
            address = relay.address
        wrong = await finish(command, f"ws://{address}", timeout_s)
        # A client that did not end well may not have said that it is done.
        if wrong:
            with contextlib.suppress(ConnectionError):
                await end(server)
        results = await reports_of(server.get_result(), PATIENCE_S)
    found = {}
    for target, fault in relay.faults.items() if relay else ():
        number = re.search(r"case=(\d+)", target)
        found[case_ids[int(number[1]) - 1] if number else target] = fault
    return results, found, wrong


async def reports_of(run, timeout_s):
    """The reports, whether all cases passed or not."""
    try:
        return await asyncio.wait_for(run, timeout_s)
    except FailureError as failure:
        return failure.results


async def finish(command, url, timeout_s):
    """Runs a client to its end, and gives what is wrong with that."""
    client = await asyncio.create_subprocess_exec(*command, url)
    try:
        status = await asyncio.wait_for(client.wait(), timeout_s)
        return f"the client ended with {status}" if status else None
    except asyncio.TimeoutError:
        client.kill()
        await client.wait()
        return f"the client did not end within {timeout_s} s"


async def end(server):
    """Ends a run as a client does."""
    _, writer = await asyncio.open_connection(server.address, server.port)
    writer.write(
        b"GET /updateReports HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        b"Sec-WebSocket-Version: 13\r\n\r\n"
    )
    await writer.drain()
    writer.close()
