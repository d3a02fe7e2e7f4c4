"""The row about 100 MiB through an echo whose reader is slow: is it the same, and what is kept."""

import functools
import hashlib
import os
import random
import re
import socket
import subprocess
import threading
import time

import endpoints
import processes
import websocket
from endpoints import Endpoint
from replies import code, free_port

MIB = 1 << 20
LINE_LEN = 1024
MESSAGE_LEN = 1 << 16
# The reader takes nothing until the sender has got nowhere for so long,
STALL_SECONDS = 1
# then so much at so many bytes a second, and the rest as fast as it comes.
SLOW_LEN = 16 * MIB
SLOW_BYTES_PER_SECOND = 8 * MIB
IDLE_SECONDS_MAX = 8
SECONDS_MAX = 60
# Bounded is what stays, beyond what the tool takes anyway, under half of what passes.
GROWTH_MIB_MAX = 50


def chunk(index):
    """MiB number `index` of the payload: lines of text, so that tools that take lines can send it."""
    head = f"{index:08} ".encode()
    return head + lines()[len(head):]


@functools.cache
def lines():
    letters = random.Random(11)
    line = lambda: letters.randbytes(LINE_LEN // 2).hex().encode()[:LINE_LEN - 1] + b"\n"
    return b"".join(line() for _ in range(MIB // LINE_LEN))


class Feeder(threading.Thread):
    """Writes the payload, and knows how far it has got."""

    def __init__(self, write, mib):
        super().__init__(daemon=True)
        self.write, self.mib = write, mib
        self.sent, self.moved, self.done = 0, time.monotonic(), False

    def run(self):
        try:
            for index in range(self.mib):
                data = chunk(index)
                for start in range(0, MIB, MESSAGE_LEN):
                    self.write(data[start:start + MESSAGE_LEN])
                    self.sent += MESSAGE_LEN
                    self.moved = time.monotonic()
        except (OSError, ValueError):
            return  # The tool has ended; what arrived is counted at the other end.
        self.done = True

    def stalled(self):
        return self.done or time.monotonic() - self.moved > STALL_SECONDS


class Reader(threading.Thread):
    """Reads what comes back: not at first, then slowly, then as it comes."""

    def __init__(self, read, feeder, decorated):
        super().__init__(daemon=True)
        self.read, self.feeder = read, feeder
        self.picked = Picker() if decorated else None
        self.length, self.moved, self.digest = 0, time.monotonic(), hashlib.sha256()
        self.taken_at_first = 0
        self.ending, self.done = threading.Event(), False

    def run(self):
        processes.wait_for(self.feeder.stalled, SECONDS_MAX / 2)
        self.taken_at_first = self.feeder.sent
        begun = self.moved = time.monotonic()
        while self.length < self.feeder.mib * MIB:
            try:
                data = self.read()
            except (OSError, ValueError):
                break
            if not data:
                break
            self.count(self.picked(data) if self.picked else data)
            if self.length < SLOW_LEN:
                due = begun + self.length / SLOW_BYTES_PER_SECOND
                self.ending.wait(max(0, due - time.monotonic()))
        self.done = True

    def count(self, data):
        self.digest.update(data)
        self.length += len(data)
        self.moved = time.monotonic()

    def over(self):
        return self.done or time.monotonic() - max(self.moved, self.feeder.moved) > IDLE_SECONDS_MAX


class Picker:
    """Picks the payload's lines out of an output that is made for people."""

    def __init__(self):
        self.rest = b""
        self.line = re.compile(rb"[0-9a-f][0-9a-f ]{%d}" % (LINE_LEN - 2))

    def __call__(self, data):
        *whole, self.rest = (self.rest + data).split(b"\n")
        found = (self.line.search(line) for line in whole)
        return b"".join(match[0] + b"\n" for match in found if match)


def as_client(ways, mib):
    """The tool connects to an echo; its input is fed, its output read slowly."""
    for way in ways:
        with Endpoint(endpoints.echoes(way.transport), way.transport) as server:
            words = way.command(port=server.port)
            with processes.Program(words, stderr=subprocess.DEVNULL) as program:
                process = program.process
                processes.wait_for(lambda: server.sockets, 10)
                feeder = Feeder(lambda data: write_all(process.stdin, data), mib)
                output = process.stdout.fileno()
                reader = Reader(lambda: os.read(output, 1 << 16), feeder, way.decorated)
                # How it ends is another row's: its input stays open until all has come back.
                yield {"way": way, "case": "client", **exchange(program, feeder, reader)}


def as_server(ways, mib):
    """The tool is the echo; its client is fed, and reads slowly."""
    for way in ways:
        port = free_port()
        with serving(way, port) as program:
            if not program.listens(port):
                yield {"way": way, "case": "server", "right": False, "echo": "does not listen"}
                continue
            with socket.create_connection((endpoints.HOST, port)) as sock:
                write, read = over(sock, way.transport, port)
                feeder = Feeder(write, mib)
                reader = Reader(read, feeder, decorated=False)
                yield {"way": way, "case": "server", **exchange(program, feeder, reader)}


def serving(way, port):
    """The tool as a server, with its output joined to its input if that is how it echoes."""
    if not way.looped:
        return processes.Program(way.command(port=port), stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    ours, theirs = os.pipe()
    try:
        return processes.Program(way.command(port=port), stdin=ours, stdout=theirs,
                                 stderr=subprocess.DEVNULL)
    finally:
        os.close(ours)
        os.close(theirs)


def over(sock, transport, port):
    """How the payload is written to a connection and read from it."""
    if transport == "tcp":
        return sock.sendall, lambda: sock.recv(1 << 16)
    peer = websocket.Peer.connect(sock, port)
    return lambda data: peer.send(websocket.BINARY, data), peer.payload


def exchange(program, feeder, reader):
    """Sends and reads until everything has come back or nothing more does."""
    processes.wait_for(lambda: program.peaks, 2)
    before = program.peak_mib()
    begun = time.monotonic()
    feeder.start(), reader.start()
    processes.wait_for(reader.over, SECONDS_MAX)
    seconds = time.monotonic() - begun
    # A look at its memory after the last byte.
    wanted = program.peaks.copy()
    processes.wait_for(lambda: program.peaks != wanted, 0.1)
    peak = program.peak_mib()
    whole = expected(feeder.mib)
    same = reader.digest.digest() == whole
    total = feeder.mib * MIB
    echo = ("the same" if same else
            f"{reader.length / MIB:.1f} of {feeder.mib} MiB" if reader.length < total else
            "not the same")
    reader.ending.set()
    return {"right": same and peak - before <= GROWTH_MIB_MAX, "echo": echo,
            "taken while nobody read": f"{reader.taken_at_first / MIB:.1f} MiB",
            "peak": f"{peak:.0f} MiB ({before:.0f} before)", "peak_mib": round(peak, 1),
            "before_mib": round(before, 1), "seconds": round(seconds, 1)}


@functools.cache
def expected(mib):
    digest = hashlib.sha256()
    for index in range(mib):
        digest.update(chunk(index))
    return digest.digest()


def write_all(stream, data):
    view = memoryview(data)
    while view:
        view = view[stream.write(view):]
