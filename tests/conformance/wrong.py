"""An echo server and an echo client in plain Python, with a fault of one's choice: what the run
must find out. Without a fault they pass. They are the shortest that do, and nothing to build upon.
"""

import asyncio
import base64
import codecs
import hashlib
import os
import struct
import sys
import urllib.parse
import zlib

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
TAIL = b"\x00\x00\xff\xff"
LINE_OCTETS = 1 << 20

SWITCHING = (
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
)
OFFER = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: "
    "permessage-deflate; client_no_context_takeover; client_max_window_bits\r\n\r\n"
)
CODES = {*range(1000, 1004), *range(1007, 1012), *range(3000, 5000)}


class Violation(Exception):
    """What the peer did wrong, as a close code."""


class Peer:
    """One connection of it."""

    def __init__(self, fault=None, is_client=False):
        self.fault = fault
        self.is_client = is_client
        self.deflate = None

    async def serve(self, reader, writer):
        """A server's part, from the request to the end."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            key = field(head, "sec-websocket-key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
            accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
            answer = f"{SWITCHING}Sec-WebSocket-Accept: {accept}\r\n"
            offer = field(head, "sec-websocket-extensions").split(",")[0]
            if offer and self.fault != "declines compression":
                answer += f"Sec-WebSocket-Extensions: {self.agree(offer)}\r\n"
            writer.write(f"{answer}\r\n".encode())
            await self.echo(reader, writer)
        finally:
            writer.close()

    async def go_to(self, host, port, target):
        """A client's part, from the request to the end."""
        reader, writer = await asyncio.open_connection(host, port, limit=LINE_OCTETS)
        try:
            writer.write(f"GET {target} HTTP/1.1\r\nHost: {host}:{port}\r\n{OFFER}".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            if answer := field(head, "sec-websocket-extensions"):
                self.agree(answer)
            await self.echo(reader, writer)
        finally:
            writer.close()

    def agree(self, offer):
        """Takes what an offer or an answer says of this side, and gives a server's answer."""
        side = "client_" if self.is_client else "server_"
        asked = [part.strip() for part in offer.split(";")[1:]]
        kept = [part for part in asked if part.startswith(side)]
        bits = next((int(part[-2:].strip("=")) for part in kept if "=" in part), 15)
        self.forgets = f"{side}no_context_takeover" in kept and self.fault != "keeps its window"
        self.bits = 15 if self.fault == "has too wide a window" else bits
        self.deflate = zlib.compressobj(wbits=-self.bits)
        self.inflate = zlib.decompressobj(wbits=-15)
        if self.fault == "ignores what is asked":
            kept = []
        return "; ".join(["permessage-deflate", *kept])

    async def echo(self, reader, writer):
        """Sends back what comes until it is closed, and then closes as a peer should."""
        try:
            await self.echo_all(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except Violation as violation:
            code = 1000 if self.fault == "closes with 1000" else violation.args[0]
            writer.write(self.frame(CLOSE, struct.pack(">H", code)))

    async def echo_all(self, reader, writer):
        kind, payload, is_compressed, utf8 = None, b"", False, None
        while True:
            first, second = await reader.readexactly(2)
            is_last, reserved, opcode = first & 0x80, first & 0x70, first & 0x0F
            length = second & 0x7F
            if length > 125:
                length = int.from_bytes(await reader.readexactly(2 if length == 126 else 8), "big")
            starts = opcode in (TEXT, BINARY)
            if reserved and not (reserved == 0x40 and self.deflate and starts):
                raise Violation(1002)
            if opcode not in (0, TEXT, BINARY, CLOSE, PING, PONG):
                raise Violation(1002)
            if opcode >= CLOSE and (length > 125 or not is_last):
                raise Violation(1002)
            if opcode < CLOSE and starts == (kind is not None):
                raise Violation(1002)
            mask = bytes(4) if self.is_client else await reader.readexactly(4)
            data = masked(await reader.readexactly(length), mask)
            if opcode == CLOSE:
                writer.write(self.frame(CLOSE, closing(data)))
                return
            if opcode == PING:
                writer.write(self.frame(PONG, data))
            if opcode >= CLOSE:
                continue
            if starts:
                kind, payload, is_compressed = opcode, b"", bool(reserved)
                utf8 = codecs.getincrementaldecoder("utf-8")()
            payload += data
            if kind == TEXT and not is_compressed and self.fault != "takes any text":
                if self.fault != "checks text late":
                    check(utf8, data, bool(is_last))
                elif is_last:
                    check(utf8, payload, True)
            if is_last:
                if is_compressed:
                    payload = self.inflate.decompress(payload + TAIL)
                writer.write(self.answer(kind, payload, is_compressed))
                await writer.drain()
                kind = None

    def answer(self, kind, payload, is_compressed):
        if self.fault == "answers in binary":
            kind = BINARY
        if not is_compressed or self.fault == "answers uncompressed":
            return self.frame(kind, payload)
        if self.forgets:
            self.deflate = zlib.compressobj(wbits=-self.bits)
        data = self.deflate.compress(payload) + self.deflate.flush(zlib.Z_SYNC_FLUSH)
        return self.frame(0x40 | kind, data.removesuffix(TAIL))

    def frame(self, first, data):
        is_masked = self.is_client and self.fault != "masks nothing"
        if len(data) < 126:
            head = struct.pack(">BB", 0x80 | first, len(data) | 0x80 * is_masked)
        elif len(data) < 65536:
            head = struct.pack(">BBH", 0x80 | first, 126 | 0x80 * is_masked, len(data))
        else:
            head = struct.pack(">BBQ", 0x80 | first, 127 | 0x80 * is_masked, len(data))
        key = os.urandom(4)
        return head + key + masked(data, key) if is_masked else head + data


def check(utf8, data, is_last):
    try:
        utf8.decode(data, is_last)
    except UnicodeDecodeError:
        raise Violation(1007) from None


def closing(data):
    """What to answer to a Close frame."""
    if not data:
        return b""
    if len(data) == 1 or int.from_bytes(data[:2], "big") not in CODES:
        raise Violation(1002)
    check(codecs.getincrementaldecoder("utf-8")(), data[2:], True)
    return data[:2]


def masked(data, key):
    pad = (key * (len(data) // 4 + 1))[: len(data)]
    return (int.from_bytes(data, "big") ^ int.from_bytes(pad, "big")).to_bytes(len(data), "big")


def field(head, name):
    """The value of a header field."""
    for line in head.split("\r\n"):
        if line.lower().startswith(f"{name}:"):
            return line.partition(":")[2].strip()
    return ""


async def serve(fault):
    """A server with this fault, on a port of its own."""
    answer = lambda reader, writer: Peer(fault).serve(reader, writer)  # noqa: E731
    return await asyncio.start_server(answer, "127.0.0.1", 0, limit=LINE_OCTETS)


async def go_through(fault, count, url):
    """A client with this fault, through so many cases."""
    to = urllib.parse.urlsplit(url)
    targets = [f"/runCase?case={number}" for number in range(1, count + 1)]
    for target in [*targets, "/updateReports"]:
        await Peer(fault, is_client=True).go_to(to.hostname, to.port, target)


if __name__ == "__main__":
    asyncio.run(go_through(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
