"""An echo server in plain Python, with a fault of one's choice: what the run must find out.

Without a fault it passes. It is the shortest server that does, and nothing to build upon.
"""

import asyncio
import base64
import codecs
import hashlib
import struct
import zlib

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
TAIL = b"\x00\x00\xff\xff"
CODES = {*range(1000, 1004), *range(1007, 1012), *range(3000, 5000)}


class Violation(Exception):
    """What the peer did wrong, as a close code."""


class Server:
    """One connection to it."""

    def __init__(self, fault=None):
        self.fault = fault

    async def serve(self, reader, writer):
        try:
            await self.shake_hands(reader, writer)
            await self.echo(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except Violation as violation:
            code = 1000 if self.fault == "closes with 1000" else violation.args[0]
            writer.write(frame(CLOSE, struct.pack(">H", code)))
        finally:
            writer.close()

    async def shake_hands(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
        key = next(line for line in head.split("\r\n") if line.lower().startswith("sec-websocket-key"))
        key = key.partition(":")[2].strip() + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        answer = f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n"
        self.deflate = None
        offer = fields.get("sec-websocket-extensions", "").split(",")[0]
        if offer and self.fault != "declines compression":
            answer += f"Sec-WebSocket-Extensions: {self.agree(offer)}\r\n"
        writer.write((answer + "\r\n").encode())

    def agree(self, offer):
        asked = [part.strip() for part in offer.split(";")[1:]]
        kept = [part for part in asked if part.startswith("server_")]
        bits = next((int(part[-2:].strip("=")) for part in kept if "=" in part), 15)
        self.forgets = "server_no_context_takeover" in kept and self.fault != "keeps its window"
        self.bits = 15 if self.fault == "has too wide a window" else bits
        self.deflate = zlib.compressobj(wbits=-self.bits)
        self.inflate = zlib.decompressobj(wbits=-15)
        if self.fault == "ignores what is asked":
            kept = []
        return "; ".join(["permessage-deflate", *kept])

    async def echo(self, reader, writer):
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
            mask = await reader.readexactly(4)
            data = unmask(await reader.readexactly(length), mask)
            if opcode == CLOSE:
                writer.write(frame(CLOSE, closing(data)))
                return
            if opcode == PING:
                writer.write(frame(PONG, data))
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
            return frame(kind, payload)
        if self.forgets:
            self.deflate = zlib.compressobj(wbits=-self.bits)
        data = self.deflate.compress(payload) + self.deflate.flush(zlib.Z_SYNC_FLUSH)
        return frame(0x40 | kind, data.removesuffix(TAIL))


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


def unmask(data, mask):
    pad = (mask * (len(data) // 4 + 1))[: len(data)]
    return (int.from_bytes(data, "big") ^ int.from_bytes(pad, "big")).to_bytes(len(data), "big")


def frame(opcode, data):
    if len(data) < 126:
        head = struct.pack(">BB", 0x80 | opcode, len(data))
    elif len(data) < 65536:
        head = struct.pack(">BBH", 0x80 | opcode, 126, len(data))
    else:
        head = struct.pack(">BBQ", 0x80 | opcode, 127, len(data))
    return head + data


def new(fault):
    """What asyncio calls for each connection to a server with this fault."""
    return lambda reader, writer: Server(fault).serve(reader, writer)
