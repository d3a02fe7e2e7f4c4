"""Who is tested: programs of ours, started, listened to and ended."""

import os
import queue
import re
import subprocess
import threading

import suite

PATIENCE_S = 20

ANY_PORT = "ws://127.0.0.1:0"

FOLDER = os.path.dirname(os.path.abspath(os.environ["ENCHUFE_BIN"]))
SERVE_ECHO = [os.path.join(FOLDER, "enchufe"), "--lang", "en", "serve", "echo", "--quiet"]
SERVE_ECHO += ["--max-message", str(suite.MESSAGE_BYTES_MAX), ANY_PORT]
LIBRARY = os.path.join(FOLDER, "examples", "conformance_echo")


class Server:
    """A server that says on standard error where it listens. It ends with the `with`."""

    def __init__(self, command):
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True,
        )
        self.said = queue.Queue()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stderr:
            self.said.put(line)
        self.said.put(None)

    def address(self):
        """Host and port, once it listens."""
        heard = []
        while line := self.said.get(timeout=PATIENCE_S):
            heard.append(line)
            if found := re.search(r"ws://(\S+:\d+)", line):
                return found[1]
        raise AssertionError(f"it does not listen: {''.join(heard)}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
