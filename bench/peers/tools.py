"""The tools that are compared: where each is found, and how it is called for each task."""

import dataclasses
import functools
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "echo"))

import servers  # noqa: E402  (of bench/echo: builds `enchufe`, or takes ENCHUFE_BIN)

# The order of the tables.
TOOLS = ["enchufe", "socat", "ncat", "nc", "websocat", "wscat", "websockets", "websocketd",
         "websockify"]
VERSION_WORDS = {"socat": ["-V"], "nc": ["-h"]}


@dataclasses.dataclass(frozen=True)
class Way:
    """One way to call a tool. `{port}`, `{near}` and `{far}` are where it listens and connects."""

    tool: str
    name: str
    transport: str
    words: str
    # As a server: what it sends back is joined to what it receives by us, not by itself.
    looped: bool = False
    # As a client: its output is for people, and messages have to be picked out of it.
    decorated: bool = False
    # As a client: it says what it is told to say, and its input only keeps it there.
    open_input: bool = False

    def command(self, **ports):
        return [word.format(**ports, program=program(self.tool)) for word in self.words.split()]


def ways(transport, *rows):
    return [Way(tool, name, transport, words, **more) for tool, name, words, *rest in rows
            for more in [rest[0] if rest else {}]]


TCP, WS = "127.0.0.1 {port}", "ws://127.0.0.1:{port}/"

# `echo hola | TOOL address`: as one would type it first, and with the option that helps.
CLIENTS = [
    *ways("tcp",
          ("enchufe", "enchufe connect tcp://", "{program} connect tcp://127.0.0.1:{port}"),
          ("socat", "socat", "{program} - TCP:127.0.0.1:{port}"),
          ("socat", "socat -t 5", "{program} -t 5 - TCP:127.0.0.1:{port}"),
          ("ncat", "ncat", "{program} " + TCP),
          ("nc", "nc", "{program} " + TCP),
          ("nc", "nc -N -v", "{program} -N -v " + TCP)),
    *ways("ws",
          ("enchufe", "enchufe connect ws://", "{program} connect " + WS),
          ("websocat", "websocat", "{program} " + WS),
          ("websocat", "websocat -n", "{program} -n " + WS),
          ("websocat", "websocat -E", "{program} -E " + WS),
          ("wscat", "wscat -c", "{program} -c " + WS),
          ("wscat", "wscat -c … -x hola, input open", "{program} -x hola -c " + WS,
           {"open_input": True}),
          ("websockets", "websockets", "{program} " + WS)),
]

# A bulk transfer over one connection.
BULK_CLIENTS = [
    *ways("tcp",
          ("enchufe", "enchufe connect tcp://", "{program} connect tcp://127.0.0.1:{port}"),
          ("socat", "socat", "{program} - TCP:127.0.0.1:{port}"),
          ("ncat", "ncat", "{program} " + TCP),
          ("nc", "nc", "{program} " + TCP)),
    *ways("ws",
          ("enchufe", "enchufe connect ws://", "{program} connect --framing raw " + WS),
          ("websocat", "websocat -b", "{program} -b " + WS),
          ("wscat", "wscat -c", "{program} -c " + WS, {"decorated": True}),
          ("websockets", "websockets", "{program} " + WS, {"decorated": True})),
]

# What comes is sent back, to as many clients as there are.
ECHO_SERVERS = [
    *ways("tcp",
          ("enchufe", "enchufe serve echo tcp://",
           "{program} serve echo tcp://127.0.0.1:{port} --quiet"),
          ("socat", "socat TCP-LISTEN,fork PIPE",
           "{program} TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork,backlog=4096 PIPE"),
          ("socat", "socat TCP-LISTEN,fork EXEC:cat",
           "{program} TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork,backlog=4096 EXEC:cat"),
          ("ncat", "ncat -lk -e /bin/cat",
           "{program} -l -k -m 6000 -e /bin/cat 127.0.0.1 {port}"),
          ("nc", "nc -l, its output joined to its input", "{program} -l 127.0.0.1 {port}",
           {"looped": True})),
    *ways("ws",
          ("enchufe", "enchufe serve echo ws://",
           "{program} serve echo ws://127.0.0.1:{port} --quiet"),
          ("websocat", "websocat -b ws-l: mirror:", "{program} -b ws-l:127.0.0.1:{port} mirror:"),
          ("websocketd", "websocketd cat",
           "{program} --address=127.0.0.1 --port={port} --loglevel=error --binary=true cat")),
]

# Each client of `near` gets a connection to `far`. The transport says what is at either side.
RELAYS = [
    *ways("tcp-tcp",
          ("enchufe", "enchufe relay",
           "{program} relay tcp://127.0.0.1:{near} tcp://127.0.0.1:{far} --quiet"),
          ("socat", "socat",
           "{program} TCP-LISTEN:{near},bind=127.0.0.1,reuseaddr,fork TCP:127.0.0.1:{far}"),
          ("socat", "socat -t 5 -b 65536", "{program} -t 5 -b 65536 "
           "TCP-LISTEN:{near},bind=127.0.0.1,reuseaddr,fork TCP:127.0.0.1:{far}"),
          ("ncat", "ncat -lk -c 'ncat …'", "{program} -l -k 127.0.0.1 {near} -c {nested}"),
          ("websocat", "websocat -b tcp-l: tcp:",
           "{program} -b tcp-l:127.0.0.1:{near} tcp:127.0.0.1:{far}")),
    *ways("tcp-ws",
          ("enchufe", "enchufe relay tcp:// ws://",
           "{program} relay tcp://127.0.0.1:{near} ws://127.0.0.1:{far}/ --quiet"),
          ("websocat", "websocat -b tcp-l: ws://",
           "{program} -b tcp-l:127.0.0.1:{near} ws://127.0.0.1:{far}/")),
    *ways("ws-tcp",
          ("enchufe", "enchufe relay ws:// tcp://",
           "{program} relay ws://127.0.0.1:{near} tcp://127.0.0.1:{far} --quiet"),
          ("websocat", "websocat -b ws-l: tcp:",
           "{program} -b ws-l:127.0.0.1:{near} tcp:127.0.0.1:{far}"),
          ("websocketd", "websocketd nc", "{program} --address=127.0.0.1 --port={near} "
           "--loglevel=error --binary=true {nc} 127.0.0.1 {far}"),
          ("websockify", "websockify", "{program} 127.0.0.1:{near} 127.0.0.1:{far}")),
]


def relay_command(way, near, far):
    """A relay's words; what runs inside of it is one word, or another tool."""
    words = []
    for word in way.words.split():
        word = word.replace("{nested}", f"{program('ncat')} 127.0.0.1 {{far}}")
        words.append(word.format(near=near, far=far, program=program(way.tool),
                                 nc=program("nc") or "nc"))
    return words


def folder():
    """Where bench/peers/install puts what is not Debian's."""
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target.resolve() / "peers"


@functools.cache
def program(tool):
    """Where a tool is, or None."""
    if tool == "enchufe":
        # bench/relay takes the same one.
        os.environ["ENCHUFE_BIN"] = str(servers.enchufe())
        return os.environ["ENCHUFE_BIN"]
    installed = {"websocat": "rust/bin", "wscat": "node/node_modules/.bin",
                 "websockets": "python/bin", "websockify": "python/bin"}
    if tool in installed:
        path = folder() / installed[tool] / tool
        return str(path) if path.exists() else None
    if tool == "nc":
        # Another netcat may be behind the shorter name.
        return shutil.which("nc.openbsd")
    return shutil.which(tool)


@functools.cache
def version(tool):
    """What a tool says it is; empty if it is not there."""
    if not program(tool):
        return ""
    if tool in ("nc", "websocketd", "websockify"):
        return packaged(tool)
    words = [program(tool), *VERSION_WORDS.get(tool, ["--version"])]
    said = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=20, check=False)
    lines = [line for line in said.stdout.splitlines() if any(map(str.isdigit, line))]
    return next((number(line) for line in lines if number(line)), "")


def number(line):
    """The first word of a line that is a version."""
    for word in line.replace(",", " ").split():
        if word[0].isdigit() and "." in word:
            return word
    return ""


def packaged(tool):
    """The version of a tool that does not say it itself."""
    package = {"nc": "netcat-openbsd"}.get(tool, tool)
    words = (["dpkg-query", "-W", "-f", "${Version}", package] if tool != "websockify" else
             [str(folder() / "python/bin/python"), "-c",
              "from importlib.metadata import version; print(version('websockify'))"])
    try:
        return subprocess.run(words, capture_output=True, text=True, timeout=20,
                              check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "?"
