"""The servers that the tools are set against: each behaves as a row says, on a free port."""

import contextlib
import hashlib
import random
import socket
import struct
import threading

import websocket

HOST = "127.0.0.1"
REPLY = b"HOLA\n"
CLOSE_CODE, CLOSE_REASON = 1011, b"broken"
ANSWER_LEN = 1 << 20
ANSWER = random.Random(7).randbytes(ANSWER_LEN)


class Endpoint:
    """A server that lets `conduct(connection, ending)` deal with each client in a thread.

    The connection is a socket, or a websocket.Peer after the handshake. `ending` is an Event that
    is set when the server is closed: what takes its time waits on that.
    """

    def __init__(self, conduct, transport="tcp"):
        self.conduct = conduct
        self.transport = transport
        self.ending = threading.Event()
        self.threads = []
        self.sockets = []
        self.listener = socket.create_server((HOST, 0), backlog=128)
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        self.start(self.accept)
        return self

    def __exit__(self, *_):
        self.ending.set()
        for sock in [self.listener, *self.sockets]:
            # Whoever waits in a call on it comes back.
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self.threads:
            thread.join(5)

    def start(self, target, *words):
        thread = threading.Thread(target=target, args=words, daemon=True)
        self.threads.append(thread)
        thread.start()

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.sockets.append(sock)
            self.start(self.serve, sock)

    def serve(self, sock):
        # A client that breaks off is what some rows are about, and none of the server's business.
        with contextlib.suppress(OSError, ValueError), sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            over = websocket.Peer.accept(sock) if self.transport == "ws" else sock
            self.conduct(over, self.ending)
            end(sock)


def end(sock):
    """Ends a connection so that what was sent still arrives: a close with unread input resets."""
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_WR)
        sock.settimeout(2)
        while sock.recv(1 << 16):
            pass


def answers(transport, delay=0):
    """To each `hola` HOLA, after so many seconds; ends when the client does.

    A WebSocket's Close is answered at once, as most libraries do by themselves, whatever the
    program behind them is still thinking about.
    """
    def over_tcp(sock, ending):
        while sock.recv(1 << 16):
            ending.wait(delay)
            sock.sendall(REPLY)

    def over_websocket(peer, ending):
        over, sending = threading.Event(), threading.Lock()

        def reply():
            ending.wait(delay)
            with sending, contextlib.suppress(OSError):
                if not over.is_set():
                    peer.send(websocket.TEXT, REPLY.strip())

        while (frame := peer.receive()) is not None:
            _, opcode, payload = frame
            with sending:
                if opcode == websocket.CLOSE:
                    over.set()
                    return peer.send(websocket.CLOSE, payload)
                if opcode == websocket.PING:
                    peer.send(websocket.PONG, payload)
            if opcode < websocket.CLOSE:
                threading.Thread(target=reply, daemon=True).start()

    return over_websocket if transport == "ws" else over_tcp


def resets(sock, _):
    """Half an answer to the first words, and then a TCP reset."""
    sock.recv(1 << 16)
    sock.sendall(b"part\n")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def closes(peer, _):
    """A message, and then a Close with 1011."""
    peer.send(websocket.TEXT, b"part")
    peer.send(websocket.CLOSE, CLOSE_CODE.to_bytes(2, "big") + CLOSE_REASON)
    # A well-behaved client answers with a Close of its own.
    while (frame := peer.receive()) is not None and frame[1] != websocket.CLOSE:
        pass


def drops(peer, _):
    """A message, and then the end of the stream without a Close."""
    peer.send(websocket.TEXT, b"part")


class AnswersAtTheEnd:
    """Reads to the end, then sends an answer of 1 MiB, `delay` seconds later."""

    def __init__(self, delay):
        self.delay = delay
        self.received = hashlib.sha256()

    def __call__(self, sock, ending):
        while data := sock.recv(1 << 16):
            self.received.update(data)
        ending.wait(self.delay)
        sock.sendall(ANSWER)


def echoes(transport):
    """Everything as it comes, with no more in memory than one read or one frame."""
    def over_tcp(sock, _):
        while data := sock.recv(1 << 16):
            sock.sendall(data)

    def over_websocket(peer, _):
        while (frame := peer.receive()) is not None:
            final, opcode, payload = frame
            if opcode == websocket.CLOSE:
                return peer.send(websocket.CLOSE, payload)
            if opcode != websocket.PONG:
                answer = websocket.PONG if opcode == websocket.PING else opcode
                peer.send(answer, payload, final)

    return over_websocket if transport == "ws" else over_tcp


@contextlib.contextmanager
def nobody():
    """A port that is taken and on which nobody listens."""
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        yield sock.getsockname()[1]
