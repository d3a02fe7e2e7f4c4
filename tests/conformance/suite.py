"""The suite: Autobahn's cases as kosoku has them, with what we change about them.

kosoku drives Autobahn's own case classes, which are Python: how many messages a case of sections
12 and 13 sends is an attribute of its class, and so a short run can send fewer.
"""

import fnmatch
import os
from importlib.metadata import version

# The cases talk to this machine only.
for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
    del os.environ[name]

from kosoku.cases import CASES  # noqa: E402

DRIVER = f"kosoku {version('kosoku')}"

# How many cases each section has. A suite that shrinks must not pass for one that was passed.
SECTIONS = {1: 16, 2: 11, 3: 7, 4: 10, 5: 20, 6: 145, 7: 37, 9: 54, 10: 1, 12: 90, 13: 126}
CASES_COUNT = 517

MESSAGES_FULL = 1000
MESSAGES_SHORT = 100

# The longest message of a case (9.1.6 and 9.2.6).
MESSAGE_BYTES_MAX = 16 * 1024 * 1024

# Autobahn takes whatever happens in these for information, since the RFC leaves it open.
INFORMATIONAL = {"7.1.6", "7.13.1", "7.13.2"}

# In these the server asks the client to forget its window after each message, and does so only if
# the client's offer says that it can.
FORGETFUL_CLIENT = ["13.2.*", "13.5.*", "13.6.*"]


def section(case_id):
    """`6.4.1` is in section 6."""
    return int(case_id.partition(".")[0])


def is_compressed(case_id):
    """Whether the case is about permessage-deflate."""
    return section(case_id) in (12, 13)


def is_forgetful(case_id):
    """Whether the case needs a client that offers to forget its window."""
    return any(case_id.startswith(pattern.rstrip("*")) for pattern in FORGETFUL_CLIENT)


def check_count():
    """Fails unless every case is there."""
    found = {}
    for case_id in CASES:
        found[section(case_id)] = found.get(section(case_id), 0) + 1
    assert found == SECTIONS, f"the suite has {found}, not {SECTIONS}"
    assert sum(SECTIONS.values()) == CASES_COUNT == len(CASES)


def adapt(messages):
    """Sets how many messages the cases of sections 12 and 13 send, and has these take what is
    lawful. An answer may come uncompressed (RFC 7692 §6), which kosoku hands over as text that
    they cannot hash; and a ping may come at any time (RFC 6455 §5.5.2), at which they would close
    the connection before they are through."""
    for case_id, case in CASES.items():
        if is_compressed(case_id):
            assert case.COUNT == MESSAGES_FULL, f"{case_id} sends {case.COUNT} messages"
            case.COUNT = messages
            case.onMessage = in_bytes(case.onMessage)
            case.onPing = lambda self, payload: None


def in_bytes(on_message):
    """`on_message`, handed the bytes that were received also when they came uncompressed."""

    def on_bytes(self, message, binary):
        if isinstance(message, str):
            message = message.encode("latin-1" if binary else "utf-8")
        on_message(self, message, binary)

    return on_bytes


def matching(patterns):
    """The cases that one of the patterns names, such as `6.4.1` or `12.*`; all without any."""
    named = [fnmatch.filter(CASES, pattern) for pattern in patterns or ["*"]]
    return [case_id for case_id in CASES if any(case_id in some for some in named)]
