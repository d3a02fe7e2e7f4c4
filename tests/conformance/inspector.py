"""Looks at what a peer sends with the eyes of zlib, the reference implementation of deflate.

The suite inflates with a window of 32 KiB whatever was agreed on; a peer that agreed on less and
uses more would break with others. Frames are looked at as RFC 6455 §5.2 has them.
"""

import re
import zlib

TAIL = b"\x00\x00\xff\xff"

# zlib lets a distance reach as far as what one call gave out, so calls must give out little.
OUTPUT_OCTETS = 256


class Fault(Exception):
    """What is wrong with what came."""


class Agreement:
    """What was agreed on about the messages of one side, `client` or `server`."""

    def __init__(self, head, side):
        self.is_made = "permessage-deflate" in head
        self.forgets = f"{side}_no_context_takeover" in head
        bits = re.search(rf"{side}_max_window_bits=\"?(\d+)", head)
        self.bits = int(bits[1]) if bits else 15

    def inflater(self):
        return zlib.decompressobj(wbits=-self.bits)


class Inspector:
    """Takes what one side sends after the handshake, in any pieces."""

    def __init__(self, agreement, is_masked):
        self.agreement = agreement
        self.is_masked = is_masked
        self.inflater = agreement.inflater()
        self.pending = bytearray()
        self.message = None
        self.is_compressed = False

    def take(self, octets):
        """Looks at what came; raises a `Fault`."""
        self.pending += octets
        while frame := self.frame():
            self.look_at(*frame)

    def frame(self):
        """The first byte and the payload of the next frame, once it is there."""
        pending = self.pending
        if len(pending) < 2:
            return None
        length, at = pending[1] & 0x7F, 2
        if length > 125:
            at = 4 if length == 126 else 10
            if len(pending) < at:
                return None
            length, least = int.from_bytes(pending[2:at], "big"), 126 if length == 126 else 65536
            if length < least:
                raise Fault(f"a length of {length} takes {at - 2} octets")
        if bool(pending[1] & 0x80) != self.is_masked:
            raise Fault(f"a frame is {'not ' if self.is_masked else ''}masked")
        key, at = bytes(pending[at : at + 4]), at + 4 * self.is_masked
        if len(pending) < at + length:
            return None
        first, payload = pending[0], bytes(pending[at : at + length])
        del pending[: at + length]
        return first, unmasked(payload, key) if self.is_masked else payload

    def look_at(self, first, payload):
        is_last, reserved, opcode = first & 0x80, first & 0x70, first & 0x0F
        is_first = opcode in (1, 2)
        if reserved and not (reserved == 0x40 and is_first and self.agreement.is_made):
            raise Fault(f"a frame begins with {first:#x}")
        if opcode > 2:
            return
        if is_first == (self.message is not None):
            raise Fault(f"opcode {opcode} is out of turn")
        if is_first:
            self.message, self.is_compressed = bytearray(), bool(reserved)
        self.message += payload
        if is_last:
            if self.is_compressed:
                self.inflate(bytes(self.message) + TAIL)
            self.message = None

    def inflate(self, octets):
        """Inflates a message with the window that was agreed on and not more."""
        if self.agreement.forgets:
            self.inflater = self.agreement.inflater()
        limit = OUTPUT_OCTETS if self.agreement.bits < 15 else 0
        try:
            while octets:
                self.inflater.decompress(octets, limit)
                octets = self.inflater.unconsumed_tail
        except zlib.error as error:
            raise Fault(f"zlib, with a window of {self.agreement.bits} bits: {error}") from None
        if self.inflater.eof:
            self.inflater = self.agreement.inflater()


def unmasked(payload, key):
    pad = (key * (len(payload) // 4 + 1))[: len(payload)]
    plain = int.from_bytes(payload, "big") ^ int.from_bytes(pad, "big")
    return plain.to_bytes(len(payload), "big")
