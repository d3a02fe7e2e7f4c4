"""The servers that are compared: how each is built, started, found ready and ended."""

import contextlib
import os
import pathlib
import resource
import shlex
import socket
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
READY_SECONDS_MAX = 10
DESCRIPTORS = 20_000

# Where a crate can gather replies there are two programs in one: `each` sends every reply by
# itself, as most examples do, and without it replies leave together when no message is ready.
BUILT = {
    "floor": "floor {port}",
    "tokio-tungstenite": "tokio-tungstenite {port}",
    "tokio-tungstenite each": "tokio-tungstenite {port} each",
    "fastwebsockets": "fastwebsockets {port}",
    "fastwebsockets each": "fastwebsockets {port} each",
    "tokio-websockets": "tokio-websockets {port}",
    "tokio-websockets each": "tokio-websockets {port} each",
    "sockudo-ws": "sockudo-ws {port}",
    "sockudo-ws each": "sockudo-ws {port} each",
    "yawc": "yawc {port}",
    "yawc each": "yawc {port} each",
    "web-socket": "web-socket {port}",
    "web-socket each": "web-socket {port} each",
    "wtx": "wtx {port}",
}
# Without WebSocket: what comes is sent back.
TCP = {"floor": "floor {port} 256 tcp", "tokio::io::copy": "tokio-copy {port}"}
ENCHUFE_TCP = "serve echo tcp://127.0.0.1:{port} --quiet --max-connections 20000"
ENCHUFE = "serve echo ws://127.0.0.1:{port} --quiet --max-connections 20000"


def add_arguments(parser, servers):
    parser.add_argument("--servers", default=",".join(servers), metavar="NAME,…",
                        help="which to compare, in this order (default: %(default)s; `all` for all)")
    parser.add_argument("--add", action="append", default=[], metavar="NAME=COMMAND",
                        help="one more server, with {port} where its port goes; may be repeated")
    parser.add_argument("--no-pin", action="store_true",
                        help="leave both processes to the scheduler instead of one core each")


def commands(arguments):
    """The chosen servers' command lines by name, everything they need having been built."""
    built = build()
    tcp = getattr(arguments, "tcp", False)
    table = {name: f"{built}/{command}" for name, command in (TCP if tcp else BUILT).items()}
    table["enchufe"] = ""
    added = dict(item.split("=", 1) for item in arguments.add)
    table.update(added)
    everything = tcp or arguments.servers == "all"
    chosen = list(table) if everything else arguments.servers.split(",")
    chosen += [name for name in added if name not in chosen]
    unknown = [name for name in chosen if name not in table]
    if unknown:
        sys.exit(f"no such server: {', '.join(unknown)}; there are {', '.join(table)}")
    if "enchufe" in chosen:
        table["enchufe"] = f"{enchufe()} {ENCHUFE_TCP if tcp else ENCHUFE}"
    return {name: table[name] for name in chosen}


def build(folder=HERE):
    """Builds a folder's programs and says where they are."""
    shared = os.environ.get("CARGO_TARGET_DIR")
    target = pathlib.Path(shared, folder.name) if shared else folder / "target"
    subprocess.run(["cargo", "build", "--release", "--quiet", "--target-dir", target],
                   cwd=folder, check=True)
    return target / "release"


def enchufe():
    """The binary that ENCHUFE_BIN names, or else the repository's, built now."""
    if given := os.environ.get("ENCHUFE_BIN"):
        return pathlib.Path(given).resolve()
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
    subprocess.run(["cargo", "build", "--release", "--quiet", "--bin", "enchufe",
                    "--target-dir", target], cwd=ROOT, check=True)
    return target / "release" / "enchufe"


def cores(arguments):
    """The server's and the generator's core, or none."""
    available = sorted(os.sched_getaffinity(0))
    if arguments.no_pin or len(available) < 2:
        return None, None
    return available[0], available[1]


def pinned(core, command):
    return command if core is None else ["taskset", "-c", str(core), *command]


def raise_descriptor_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextlib.contextmanager
def running(command, core, stdin=None):
    """A server of its own for as long as the block lasts: its process and its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = shlex.split(command.format(port=port))
    # `taskset` becomes the server, so the process is the server's own.
    process = subprocess.Popen(pinned(core, words), stdin=stdin, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE)
    try:
        wait_until_listening(process, port, command)
        yield process.pid, port
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def wait_until_listening(process, port, command):
    deadline = time.monotonic() + READY_SECONDS_MAX
    address = f"0100007F:{port:04X}"
    while time.monotonic() < deadline:
        # Not by connecting, which the server would count as a client.
        for line in pathlib.Path("/proc/net/tcp").read_text().splitlines():
            fields = line.split()
            if fields[1] == address and fields[3] == "0A":
                return
        if process.poll() is not None:
            break
        time.sleep(0.02)
    process.kill()
    sys.exit(f"does not listen: {command}\n{process.stderr.read().decode()}")
