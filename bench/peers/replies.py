"""The rows about one request and how it ends: piped, broken off, refused, half closed."""

import re
import socket

import endpoints
import processes
import tools
from endpoints import Endpoint

SECONDS_MAX = 6
REQUEST = b"hola\n"
GUIDE = tools.ROOT / "docs/guide/connect.md"
# In the guide's table of exit codes, what each of these endings is called.
DOCUMENTED = {
    "reset": "a stream was reset in the middle",
    "refused": "nobody listens there",
    "1011": "closed with a code that means trouble",
    "dropped": "broke off without one",
}


def piped(ways):
    """`echo hola | TOOL ADDRESS`: the reply is printed, and then it ends by itself with 0."""
    for way in ways:
        for delay in (0, 1):
            with Endpoint(endpoints.answers(way.transport, delay), way.transport) as server:
                seen = processes.talk(way.command(port=server.port), REQUEST, SECONDS_MAX,
                                      hold=way.open_input)
            replied = b"HOLA" in seen.out
            yield {"way": way, "case": f"reply after {delay} s" if delay else "reply at once",
                   "right": replied and seen.code == 0,
                   "reply": "printed" if replied else "lost", "exit": code(seen),
                   "seconds": round(seen.seconds, 2)}


def abnormal(ways):
    """The server breaks off, while the input stays open: the exit code and the words."""
    for way in ways:
        cases = {"reset": endpoints.resets} if way.transport == "tcp" else {
            "1011": endpoints.closes, "dropped": endpoints.drops}
        for case, conduct in cases.items():
            with Endpoint(conduct, way.transport) as server:
                seen = processes.talk(way.command(port=server.port), REQUEST, SECONDS_MAX,
                                      hold=True)
            yield {"way": way, "case": case, "right": trouble_is_told(way, case, seen),
                   "exit": code(seen, way, case), "words": seen.words(),
                   "came before": "printed" if b"part" in seen.out else "lost"}


def refused(ways):
    """Nobody listens: the exit code and the words, whether there is more input or not."""
    for way in ways:
        for hold in [True] if way.open_input else [False, True]:
            with endpoints.nobody() as port:
                seen = processes.talk(way.command(port=port), REQUEST, SECONDS_MAX, hold)
            yield {"way": way, "case": "input open" if hold else "piped",
                   "right": trouble_is_told(way, "refused", seen),
                   "exit": code(seen, way, "refused"), "words": seen.words()}


def half_close(clients, relays):
    """The server answers only after the end of the request: the answer arrives whole."""
    request = endpoints.ANSWER[::-1]
    for way in [way for way in clients if way.transport == "tcp"]:
        for delay in (0, 1):
            conduct = endpoints.AnswersAtTheEnd(delay)
            with Endpoint(conduct) as server:
                seen = processes.talk(way.command(port=server.port), request, SECONDS_MAX)
                yield half_closed(way, delay, conduct, request, seen.out, seen.code == 0,
                                  code(seen))
    for way in [way for way in relays if way.transport == "tcp-tcp"]:
        for delay in (0, 1):
            conduct = endpoints.AnswersAtTheEnd(delay)
            near = free_port()
            with Endpoint(conduct) as server, processes.Program(
                    tools.relay_command(way, near, server.port)) as program:
                if not program.listens(near):
                    yield {"way": way, "case": title(delay), "right": False,
                           "answer": "does not listen"}
                    continue
                out, ended = through(near, request)
                yield half_closed(way, delay, conduct, request, out, ended,
                                  "—" if ended else "stays open")


def half_closed(way, delay, conduct, request, out, ended, how):
    whole = conduct.received.digest() == endpoints.hashlib.sha256(request).digest()
    answer = ("whole" if out == endpoints.ANSWER else
              f"{len(out):,} of {endpoints.ANSWER_LEN:,} bytes" if out else "lost")
    return {"way": way, "case": title(delay), "right": whole and answer == "whole" and ended,
            "request": "whole" if whole else "cut", "answer": answer, "exit": how}


def title(delay):
    return f"answer {delay} s after the end" if delay else "answer at the end"


def through(port, request):
    """What comes back over a port after the request and a half-close, and whether it then ended."""
    with socket.create_connection((endpoints.HOST, port)) as sock:
        sock.settimeout(SECONDS_MAX)
        out = bytearray()
        try:
            sock.sendall(request)
            sock.shutdown(socket.SHUT_WR)
            while data := sock.recv(1 << 16):
                out += data
        except OSError:
            return bytes(out), False
        return bytes(out), True


def trouble_is_told(way, case, seen):
    """An exit code other than 0 and some words; of ours, the code that is documented."""
    told = seen.code not in (None, 0) and bool(seen.words())
    return told and (way.tool != "enchufe" or seen.code == documented(case))


def code(seen, way=None, case=None):
    """An exit code for the table."""
    if seen.code is None:
        return "does not end"
    # Some end with -1, which arrives as 255; a signal is negative.
    said = str(seen.code) if seen.code >= 0 else f"signal {-seen.code}"
    if way and way.tool == "enchufe" and seen.code != documented(case):
        said += f" (documented: {documented(case)})"
    return said


def documented(case):
    """The exit code that the guide promises for an ending."""
    for line in GUIDE.read_text(encoding="utf-8").splitlines():
        found = re.match(r"\| (\d+) \| .*" + re.escape(DOCUMENTED[case]), line)
        if found:
            return int(found[1])
    raise LookupError(f"{GUIDE.name} does not say how it exits when {DOCUMENTED[case]}")


def free_port():
    with socket.socket() as probe:
        probe.bind((endpoints.HOST, 0))
        return probe.getsockname()[1]
