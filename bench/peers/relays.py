"""The row about relays: bytes per second of processor time, TCP to TCP and to WebSocket."""

import importlib.machinery
import importlib.util
import os
import socket
import statistics
import subprocess
import threading
import time

import endpoints
import processes
import tools
import websocket
from endpoints import Endpoint

MIB = 1 << 20
MESSAGE_LEN = 1 << 16
SECONDS_MAX = 60


def bench_relay():
    """bench/relay/run as a module: what it measures is not measured anew here."""
    path = str(tools.HERE.parent / "relay/run")
    loader = importlib.machinery.SourceFileLoader("bench_relay", path)
    spec = importlib.util.spec_from_loader("bench_relay", loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def relays(ways, rounds, mib, pin):
    """Every relay in turn, as many rounds; the medians of what each made of its processor time."""
    bench = bench_relay()
    tools.program("enchufe")
    bench.build()
    for transport, measure in (("tcp-tcp", stream), ("tcp-ws", to_websocket),
                               ("ws-tcp", from_websocket)):
        chosen = [way for way in ways if way.transport == transport]
        samples = {way: [] for way in chosen}
        for _ in range(rounds):
            for way in chosen:
                samples[way].append(measure(bench, way, mib, pin))
        yield from results(transport, samples)


def results(transport, samples):
    medians = {}
    for way, values in samples.items():
        good = [value for value in values if "error" not in value]
        medians[way] = (statistics.median(value["per_cpu"] for value in good)
                        if len(good) == len(values) else 0)
    best = max((median for way, median in medians.items() if way.tool != "enchufe"), default=0)
    for way, values in samples.items():
        if not medians[way]:
            said = next(value["error"] for value in values if "error" in value)
            yield {"way": way, "case": transport, "right": False, "per CPU second": said}
            continue
        per_cpu = [value["per_cpu"] for value in values]
        per_second = statistics.median(value["per_second"] for value in values)
        yield {"way": way, "case": transport, "right": True,
               "per CPU second": f"{medians[way]:.2f} GiB ({min(per_cpu):.2f}–{max(per_cpu):.2f})",
               "× the best peer": f"{medians[way] / best:.2f}" if best else "—",
               "per second": f"{per_second:.2f} GiB", "samples": values}


def stream(bench, way, mib, pin):
    """TCP to TCP, as bench/relay measures it."""
    try:
        return bench.measure(lambda near, far: tools.relay_command(way, near, far), mib, 1,
                             1 << 18, pin)
    except (SystemExit, subprocess.SubprocessError) as error:
        return {"error": f"does not carry it: {error}"}


def from_websocket(bench, way, mib, pin):
    """A WebSocket client sends; what comes out over TCP is counted."""
    taken = Taken(mib)

    def conduct(sock, _):
        buffer = bytearray(1 << 20)
        while count := sock.recv_into(buffer):
            taken.add(count)

    frame = websocket.encode(websocket.BINARY, bytes(MESSAGE_LEN), websocket.KEY)

    def send(sock, near):
        websocket.Peer.connect(sock, near)
        feed(sock, frame, MESSAGE_LEN, mib)

    return measure(bench, way, Endpoint(conduct), send, taken, pin)


def to_websocket(bench, way, mib, pin):
    """A TCP client sends; what comes out in WebSocket messages is counted."""
    taken = Taken(mib)

    def conduct(peer, _):
        while (frame := peer.receive(unmask=False)) is not None and frame[1] != websocket.CLOSE:
            if frame[1] < websocket.CLOSE:
                taken.add(len(frame[2]))

    def send(sock, _):
        feed(sock, bytes(MESSAGE_LEN), MESSAGE_LEN, mib)

    return measure(bench, way, Endpoint(conduct, "ws"), send, taken, pin)


class Taken:
    """How much has come out, and whether that is all."""

    def __init__(self, mib):
        self.wanted, self.length = mib * MIB, 0
        self.whole = threading.Event()

    def add(self, count):
        self.length += count
        if self.length >= self.wanted:
            self.whole.set()


def feed(sock, unit, payload_len, mib):
    """Sends a unit as often as its payload fits into so many MiB, several of them in one call."""
    several = 16
    for _ in range(mib * MIB // payload_len // several):
        sock.sendall(unit * several)


def measure(bench, way, endpoint, send, taken, pin):
    """One transfer through a fresh relay, which has a core of its own where there are two."""
    cores = sorted(os.sched_getaffinity(0))
    pinned = pin and len(cores) > 1
    near = bench.free_port()
    if pinned:
        os.sched_setaffinity(0, cores[:-1])
    try:
        with endpoint, processes.Program(
                tools.relay_command(way, near, endpoint.port), stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, watched=False,
                core=cores[-1] if pinned else None) as program:
            if not program.listens(near):
                return {"error": "does not listen"}
            return transfer(bench, program, near, send, taken)
    finally:
        os.sched_setaffinity(0, cores)


def transfer(bench, program, near, send, taken):
    with socket.create_connection((endpoints.HOST, near)) as sock:
        sock.settimeout(SECONDS_MAX)
        begun, before = time.monotonic(), bench.cpu(program.pid)
        try:
            send(sock, near)
        except OSError as error:
            return {"error": f"breaks off: {error}"}
        if not taken.whole.wait(SECONDS_MAX):
            return {"error": f"{taken.length / taken.wanted:.0%} came out"}
        seconds = time.monotonic() - begun
        # Its children are still there: the connection is open.
        spent = bench.cpu(program.pid) - before
    gib = taken.wanted / 2**30
    return {"per_cpu": gib / max(spent, 1e-9), "per_second": gib / seconds}
