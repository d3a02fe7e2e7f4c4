"""Passes connections on, and has an inspector look at what one side sends."""

import asyncio
import contextlib

from inspector import Agreement, Fault, Inspector

PIECE_OCTETS = 1 << 18
PATIENCE_S = 20


class Relay:
    """Listens on a port of its own, and passes on to `host:port`. `side` is who is tested."""

    def __init__(self, address, side):
        self.host, _, self.port = address.rpartition(":")
        self.side = side
        self.faults = {}
        self.connections = []

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0, limit=PIECE_OCTETS)
        self.address = "%s:%d" % self.server.sockets[0].getsockname()
        return self

    async def __aexit__(self, *_):
        """What was still under way is looked at to its end, if it has one."""
        self.server.close()
        if self.connections:
            _, endless = await asyncio.wait(self.connections, timeout=PATIENCE_S)
            for connection in endless:
                connection.cancel()
        await self.server.wait_closed()

    async def serve(self, reader, writer):
        """One connection. Its fault is noted under what it asked for."""
        self.connections.append(asyncio.current_task())
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            upstream, downstream = await asyncio.open_connection(
                self.host, self.port, limit=PIECE_OCTETS
            )
            request = await pass_head(reader, downstream)
            response = await pass_head(upstream, writer)
            inspector = Inspector(Agreement(response, self.side), is_masked=self.side == "client")
            looks = [inspector, None] if self.side == "client" else [None, inspector]
            noted = await asyncio.gather(
                pump(reader, downstream, looks[0]), pump(upstream, writer, looks[1])
            )
            if fault := noted[0] or noted[1]:
                self.faults[request.split()[1]] = fault
        writer.close()


async def pass_head(reader, writer):
    head = await reader.readuntil(b"\r\n\r\n")
    writer.write(head)
    return head.decode("latin-1")


async def pump(reader, writer, inspector):
    """Passes on what comes, and gives the first fault that the inspector found in it."""
    fault = None
    with contextlib.suppress(ConnectionError):
        while octets := await reader.read(PIECE_OCTETS):
            writer.write(octets)
            await writer.drain()
            if inspector and not fault:
                try:
                    inspector.take(octets)
                except Fault as found:
                    fault = str(found)
    with contextlib.suppress(OSError):
        writer.write_eof()
    return fault
