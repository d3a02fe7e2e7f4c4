"""Just enough of RFC 6455, for both sides, to set tools against servers that behave as a row says."""

import base64
import functools
import hashlib
import os

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
# A key that is always the same is good enough here and masks faster.
KEY = b"\x5a\xc3\x17\x88"
LINE_LEN_MAX = 8192
LINES_MAX = 100


class Peer:
    """One end of a WebSocket connection over a blocking socket."""

    def __init__(self, sock, masks):
        self.sock = sock
        self.masks = masks
        self.file = sock.makefile("rb", buffering=1 << 16)

    @classmethod
    def accept(cls, sock):
        """The server's side, after its part of the handshake."""
        peer = cls(sock, masks=False)
        key = peer.fields().get(b"sec-websocket-key", b"")
        answer = base64.b64encode(hashlib.sha1(key + GUID).digest())
        sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                     b"Connection: Upgrade\r\nSec-WebSocket-Accept: " + answer + b"\r\n\r\n")
        return peer

    @classmethod
    def connect(cls, sock, port):
        """The client's side, after its part of the handshake."""
        peer = cls(sock, masks=True)
        sock.sendall(request(port))
        peer.fields()
        return peer

    def fields(self):
        """The fields of the other side's part of the handshake; ConnectionError if it is none."""
        if not (first := self.file.readline(LINE_LEN_MAX)):
            raise ConnectionError("closed before the handshake")
        if not (first.startswith(b"GET ") or b" 101 " in first):
            raise ConnectionError(f"no handshake: {first!r}")
        found = {}
        for _ in range(LINES_MAX):
            line = self.file.readline(LINE_LEN_MAX)
            name, colon, value = line.partition(b":")
            if not colon:
                return found
            found[name.strip().lower()] = value.strip()
        raise ConnectionError("a handshake without an end")

    def receive(self, unmask=True):
        """The next frame as (final, opcode, payload), or None when the other side just ends."""
        head = self.file.read(2)
        if len(head) < 2:
            return None
        length = head[1] & 0x7F
        if length > 125:
            length = int.from_bytes(self.file.read(2 if length == 126 else 8), "big")
        key = self.file.read(4) if head[1] & 0x80 else b""
        payload = self.file.read(length)
        if len(payload) < length:
            return None
        return bool(head[0] & 0x80), head[0] & 0x0F, mask(payload, key) if unmask else payload

    def payload(self):
        """What the next frame of a message carries; empty at the end.

        Pings are not answered: another thread may be in the middle of a frame.
        """
        while (frame := self.receive()) is not None:
            _, opcode, payload = frame
            if opcode == CLOSE:
                break
            if opcode not in (PING, PONG) and payload:
                return payload
        return b""

    def send(self, opcode, payload, final=True):
        self.sock.sendall(encode(opcode, payload, KEY if self.masks else b"", final))


def request(port):
    """A client's part of the handshake."""
    key = base64.b64encode(os.urandom(16))
    return (b"GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: %s\r\n\r\n" % (port, key))


def encode(opcode, payload, key=b"", final=True):
    """A frame, masked if there is a key."""
    masked = 0x80 if key else 0
    head = bytes([(0x80 if final else 0) | opcode])
    if len(payload) < 126:
        head += bytes([masked | len(payload)])
    elif len(payload) < 1 << 16:
        head += bytes([masked | 126]) + len(payload).to_bytes(2, "big")
    else:
        head += bytes([masked | 127]) + len(payload).to_bytes(8, "big")
    return head + key + mask(payload, key)


def mask(payload, key):
    if not key or not payload:
        return payload
    number = int.from_bytes(payload, "little") ^ repeated(key, len(payload))
    return number.to_bytes(len(payload), "little")


@functools.lru_cache(maxsize=64)
def repeated(key, length):
    return int.from_bytes((key * (length // 4 + 1))[:length], "little")
