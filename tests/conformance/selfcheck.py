"""Whether the run can fail: servers and clients that are wrong on purpose must be found out."""

import asyncio
import sys

import drive
import suite
import verdict
import wrong

MESSAGES = 20
TIMEOUT_S = 30

COMPRESSED = ["12.1.4", "12.2.5", "13.2.4", "13.3.7", "13.7.4"]
# Every kind of case that one of the faults is about.
CASES = "1.1.2 3.2 4.1.3 5.15 6.3.1 6.4.1 7.1.6 7.5.1 7.7.1".split() + COMPRESSED

# The cases that each fault of a server must fail in; all others must pass.
SERVERS = {
    "": [],
    "takes any text": ["6.3.1", "6.4.1"],
    "checks text late": ["6.4.1"],
    "closes with 1000": ["3.2", "4.1.3", "5.15", "6.3.1", "6.4.1", "7.5.1"],
    "answers in binary": ["1.1.2", "3.2", "4.1.3", "5.15", "12.1.4", "13.2.4", "13.3.7", "13.7.4"],
    "declines compression": COMPRESSED,
    "answers uncompressed": ["12.1.4", "13.2.4", "13.3.7", "13.7.4"],
    "keeps its window": ["13.2.4", "13.7.4"],
    "has too wide a window": ["13.3.7", "13.7.4"],
    "ignores what is asked": ["13.2.4", "13.3.7"],
}
CLIENTS = {
    "": [],
    "masks nothing": COMPRESSED,
    "keeps its window": ["13.2.4", "13.7.4"],
    "has too wide a window": ["13.3.7", "13.7.4"],
}

# What is not strict must be told from what is wrong.
NON_STRICT = ("checks text late", "6.4.1")


async def run():
    """Prints what was not found out, and gives the exit code."""
    suite.adapt(MESSAGES)
    checks = [missed_of_server(fault, failing) for fault, failing in SERVERS.items()]
    checks += [missed_of_client(fault, failing) for fault, failing in CLIENTS.items()]
    checks.append(missed_of_clients_that_leave())
    missed = sum(await asyncio.gather(*checks), missed_of_a_suite_that_shrank())
    counted = f"{len(SERVERS) - 1} wrong servers and {len(CLIENTS) + 1} wrong clients"
    print("\n".join(missed) or f"{counted} were found out")
    return 1 if missed else 0


async def missed_of_server(fault, failing):
    """Where the verdicts on a server with this fault are not as they should be."""
    server = await wrong.serve(fault)
    async with server:
        host, port = server.sockets[0].getsockname()
        results, noticed = await drive.against_server(f"{host}:{port}", CASES)
    verdicts = verdict.judge_all(CASES, results, noticed, MESSAGES)
    missed = differences("server", fault, failing, verdicts)
    for each in verdicts:
        if (each.kind == verdict.NON_STRICT) != ((fault, each.case_id) == NON_STRICT):
            missed.append(f"a server that {fault}: {each}")
    return missed


async def missed_of_client(fault, failing):
    """The same for a client."""
    command = [sys.executable, wrong.__file__, fault, str(len(COMPRESSED))]
    results, noticed, ending = await drive.against_client(command, COMPRESSED, TIMEOUT_S)
    verdicts = verdict.judge_all(COMPRESSED, results, noticed, MESSAGES)
    return differences("client", fault, failing, verdicts) + ([ending] if ending else [])


def differences(peer, fault, failing, verdicts):
    """What was not found out, and what was though it is right."""
    return [
        f"a {peer} that {fault or 'is right'} has not failed, or should not have: {each}"
        for each in verdicts
        if verdict.passed([each]) == (each.case_id in failing)
    ]


async def missed_of_clients_that_leave():
    """A client that says that it is done and has run nothing, and one that crashes."""
    missed = []
    leaving = [sys.executable, wrong.__file__, "", "0"]
    crashing = [sys.executable, "-c", "raise SystemExit(3)"]
    for command in (leaving, crashing):
        results, noticed, ending = await drive.against_client(command, CASES, TIMEOUT_S)
        verdicts = verdict.judge_all(CASES, results, noticed, MESSAGES)
        if any(each.kind != verdict.FAILED for each in verdicts):
            missed.append(f"a client that ran nothing: {verdicts}")
        if (command == crashing) != bool(ending):
            missed.append(f"a client that ran nothing ended with: {ending}")
    return missed


def missed_of_a_suite_that_shrank():
    """A suite that has lost a case."""
    lost = suite.CASES.popitem()
    try:
        suite.check_count()
    except AssertionError:
        return []
    finally:
        suite.CASES.update([lost])
    return ["a suite that lost a case passes for whole"]
