"""Starting programs, watching what they cost, and ending them with whatever they started."""

import contextlib
import os
import pathlib
import re
import resource
import signal
import subprocess
import threading
import time

DESCRIPTORS = 65_536
POLL_SECONDS = 0.01
ENVIRONMENT = {**os.environ, "LC_ALL": "C.UTF-8", "ENCHUFE_LANG": "en", "NO_COLOR": "1"}


def wait_for(condition, seconds):
    """Whether the condition came true in so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


class Program:
    """A program in a session of its own, and ended with everything in that session.

    It is not reaped before that: until then its number, which is the session's too, is nobody
    else's.
    """

    def __init__(self, words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                 stderr=subprocess.PIPE, core=None, watched=True):
        on = [] if core is None else ["taskset", "-c", str(core)]
        self.process = subprocess.Popen([*on, *words], stdin=stdin, stdout=stdout, stderr=stderr,
                                        bufsize=0, start_new_session=True, env=ENVIRONMENT)
        self.pid = self.process.pid
        self.peaks = {}
        self.ended = threading.Event()
        self.watch = threading.Thread(target=self.watch_memory, daemon=True)
        if watched:
            self.watch.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def watch_memory(self):
        # The mark that the kernel keeps never falls, so that nothing between two looks is missed
        # but what a process does in its last moments.
        while not self.ended.wait(POLL_SECONDS * 2):
            for pid in [self.pid, *descendants(self.pid)]:
                if kib := status(pid, "VmHWM"):
                    self.peaks[pid] = kib

    def peak_mib(self):
        """The largest resident set so far, those of its children added."""
        return sum(self.peaks.values()) / 1024

    def listens(self, port, seconds=10):
        """Whether it listens on the port before long."""
        return wait_for(lambda: listening(port) or self.has_ended(), seconds) and listening(port)

    def has_ended(self):
        flags = os.WEXITED | os.WNOWAIT | os.WNOHANG
        return os.waitid(os.P_PID, self.pid, flags) is not None

    def kill(self):
        """Kills it and what it has started, and waits until nothing of that is left."""
        def killed():
            for pid in (left := members(self.pid)):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return not left

        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        wait_for(killed, 10)

    def end(self):
        self.ended.set()
        if self.watch.is_alive():
            self.watch.join()
        self.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream:
                stream.close()


class Collector(threading.Thread):
    """Reads a pipe to its end, and keeps the beginning."""

    KEPT_LEN_MAX = 4 << 20

    def __init__(self, stream):
        super().__init__(daemon=True)
        self.stream = stream
        self.kept = bytearray()
        self.start()

    def run(self):
        while data := self.stream.read(1 << 16):
            self.kept += data[:self.KEPT_LEN_MAX - len(self.kept)]


class Outcome:
    """What a program said and how it ended. The code is None if it had to be ended."""

    def __init__(self, code, out, err, seconds):
        self.code = code
        self.out = out
        self.err = err
        self.seconds = seconds

    def words(self):
        """The first thing it complained of, wherever it did."""
        for text in (self.err, self.out):
            lines = (plain(line) for line in text.decode(errors="replace").splitlines())
            for line in lines:
                if line and not re.match(r"([<>] ?)*(part|hola|Connect(ed|ion) to .*)?$", line,
                                         re.IGNORECASE):
                    return line
        return ""


def plain(line):
    """A line without what moves a terminal's cursor, and without what changes from run to run."""
    line = re.sub(r"\x1b(\[[0-9;]*[A-Za-z]|[78])", "", line)
    line = re.sub(r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d |\[\d+\] ", "", line.strip())
    return re.sub(r"\b(127\.0\.0\.1'?(:|, | port )|localhost:)\d+", r"\1PORT", line).strip()


def talk(words, request, seconds, hold=False):
    """Runs a program with a request for its input, which `hold` leaves open after that."""
    begun = time.monotonic()
    with Program(words) as program:
        process = program.process
        out, err = Collector(process.stdout), Collector(process.stderr)
        try:
            for start in range(0, len(request), 1 << 16):
                process.stdin.write(request[start:start + (1 << 16)])
            if not hold:
                process.stdin.close()
        except BrokenPipeError:
            pass  # It has ended already; what it says of that is what counts.
        ended = wait_for(program.has_ended, seconds)
        took = time.monotonic() - begun
        program.kill()
        out.join(5), err.join(5)
    code = process.returncode if ended else None
    return Outcome(code, bytes(out.kept), bytes(err.kept), took)


def status(pid, field):
    """A figure of /proc/PID/status, in KiB, or 0 if the process has ended."""
    return figure(pid, "status", field)


def figure(pid, file, field):
    try:
        text = pathlib.Path(f"/proc/{pid}/{file}").read_text()
    except OSError:
        return 0
    found = re.search(rf"^{field}:\s+(\d+)", text, re.MULTILINE)
    return int(found[1]) if found else 0


def descendants(pid):
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = task.read_text().split()
        except OSError:
            continue  # It has just ended.
        for child in map(int, children):
            found += [child, *descendants(child)]
    return found


def members(session):
    """The processes of a session that have not ended."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(path.parent.name))
    return found


def proportional_kib(pid):
    """A process's memory, what it shares divided among those that share it."""
    return figure(pid, "smaps_rollup", "Pss")


def available_kib():
    text = pathlib.Path("/proc/meminfo").read_text()
    return int(re.search(r"^MemAvailable:\s+(\d+)", text, re.MULTILINE)[1])


def listening(port):
    # Not by connecting, which many of these tools would count as their one client.
    wanted = f":{port:04X} "
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in pathlib.Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"{fields[1]} ".endswith(wanted):
                return True
    return False


def descriptors():
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def raise_descriptor_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(hard, DESCRIPTORS),) * 2)
    except (ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
