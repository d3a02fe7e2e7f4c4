"""The row about 5,000 connections at once to the tool as an echo server."""

import selectors
import socket
import subprocess
import time

import endpoints
import processes
import websocket
from replies import free_port

SECONDS_MAX = 30
SAMPLE = 500
# So many connections are opened only if the first few let one expect that they fit into this.
EXPECTED_GIB_MAX = 8
HELLO = b"hola\n"


class Client:
    """One connection: it says hola and wants hola back."""

    def __init__(self, port, transport):
        self.sock = socket.socket()
        self.sock.setblocking(False)
        self.transport = transport
        self.begins = websocket.request(port) if transport == "ws" else HELLO
        self.got = b""
        self.greeted = False
        self.sock.connect_ex((endpoints.HOST, port))

    def writable(self):
        """Sends the first words; what it waits for next is to read."""
        if error := self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(error, "cannot connect")
        self.sock.send(self.begins)

    def readable(self):
        """Whether the answer is there; OSError when it will never be."""
        data = self.sock.recv(4096)
        if not data:
            raise ConnectionError("ended")
        self.got += data
        if self.transport == "tcp":
            return self.got == HELLO
        if not self.greeted and b"\r\n\r\n" in self.got:
            head, _, self.got = self.got.partition(b"\r\n\r\n")
            if b" 101 " not in head.splitlines()[0]:
                raise ConnectionError("refused")
            self.greeted = True
            self.sock.send(websocket.encode(websocket.BINARY, HELLO, websocket.KEY))
        return self.greeted and HELLO in self.got


def at_once(ways, count):
    """How many of so many connections are answered while all of them stay open."""
    for way in ways:
        if way.looped:
            continue
        first = crowd(way, min(SAMPLE, count))
        gib = first["used_mib"] / first["connections"] * count / 1024
        if first["connections"] == count or not first["right"]:
            # Where some hundred are too many, thousands are.
            yield {"way": way, **first}
        elif gib > EXPECTED_GIB_MAX:
            yield {"way": way, **first, "right": False,
                   "answered": f"{first['answered']} (all of them would take {gib:.0f} GiB)"}
        else:
            yield {"way": way, **crowd(way, count)}


def crowd(way, count):
    """Opens so many connections, waits for their answers, and looks at what they cost."""
    port = free_port()
    available = processes.available_kib()
    with processes.Program(way.command(port=port), stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                           watched=False) as program:
        if not program.listens(port):
            return {"right": False, "connections": count, "answered": "does not listen",
                    "used_mib": 0}
        clients = []
        try:
            begun = time.monotonic()
            answered, lost = converse(way, port, count, clients)
            seconds = time.monotonic() - begun
            pids = processes.members(program.pid)
            resident = sum(processes.status(pid, "VmRSS") for pid in pids)
            proportional = sum(map(processes.proportional_kib, pids))
            fallen = available - processes.available_kib()
        finally:
            for client in clients:
                client.sock.close()
    return {"right": answered == count, "connections": count,
            "answered": f"{answered:,} of {count:,}", "lost": lost,
            "seconds": f"{seconds:.1f}" if answered == count else f"ended after {seconds:.0f}",
            "processes": len(pids), "rss": mib(resident), "proportional": mib(proportional),
            # What the kernel keeps for processes is in no process's own figure.
            "used_mib": max(proportional, fallen) / 1024}


def mib(kib):
    return f"{kib / 1024:,.0f} MiB"


def converse(way, port, count, clients):
    """How many were answered, and how many broke off."""
    deadline = time.monotonic() + SECONDS_MAX
    answered = lost = 0
    with selectors.DefaultSelector() as selector:
        for _ in range(count):
            client = Client(port, way.transport)
            clients.append(client)
            selector.register(client.sock, selectors.EVENT_WRITE, client)
        while answered + lost < count and time.monotonic() < deadline:
            for key, _ in selector.select(timeout=0.5):
                client = key.data
                try:
                    if key.events == selectors.EVENT_WRITE:
                        client.writable()
                        selector.modify(client.sock, selectors.EVENT_READ, client)
                    elif client.readable():
                        answered += 1
                        selector.unregister(client.sock)
                except OSError:
                    lost += 1
                    selector.unregister(client.sock)
    return answered, lost
