"""What the tests share: the program under test, started, listened to and ended."""

import os
import queue
import re
import signal
import socket
import subprocess
import threading

import pytest

PATIENCE_S = 20
BINARY = os.path.abspath(os.environ["ENCHUFE_BIN"])

# The tests talk to this machine only.
for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
    del os.environ[name]


def has_ipv6():
    """Whether this machine has the loopback address of IPv6."""
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            return False
    return True


NEEDS_IPV6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")


class Program:
    """`enchufe` with these arguments, in the language of the tutorial."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [BINARY, "--lang", "es", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.printed = lines_of(self.process.stdout)
        self.said = lines_of(self.process.stderr)

    def line(self):
        """The next line of its output."""
        return self.printed.get(timeout=PATIENCE_S)

    def hear(self, pattern):
        """Waits until it says something like that on standard error, and gives the first group."""
        while True:
            line = self.said.get(timeout=PATIENCE_S)
            assert line is not None, f"it ended without saying {pattern}"
            if found := re.search(pattern, line):
                return found[1]

    def address(self):
        """The next address that it listens on."""
        return self.hear(r"^escuchando en (\S+)$")

    def port(self):
        """The port of that address."""
        return int(self.address().rpartition(":")[2])

    def stop(self):
        """Asks it to stop, and gives its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)


def lines_of(stream):
    """The lines of a stream as they come, and None at its end."""
    lines = queue.Queue()

    def read():
        for line in stream:
            lines.put(line.rstrip("\n"))
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    return lines


@pytest.fixture
def enchufe():
    """Starts programs; they end with the test."""
    programs = []

    def start(*arguments):
        programs.append(Program(*arguments))
        return programs[-1]

    yield start
    for program in programs:
        program.process.kill()
        program.process.wait()


@pytest.fixture
def demo(enchufe):
    """The whole tutorial on free ports: the program, and the ports of page, greet and echo."""
    for base in range(21_000 + os.getpid() % 10_000, 65_000, 7):
        program = enchufe("demo", "--port-base", str(base))
        heard = []
        while line := program.said.get(timeout=PATIENCE_S):
            heard.append(line)
            if "Ctrl-C" in line:
                break
        if not any("ocupado" in line for line in heard):
            return program, (base, base + 1, base + 2)
        program.stop()
    raise AssertionError("there are no three free ports in a row")
