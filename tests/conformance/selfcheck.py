"""Whether the run can fail: servers and clients that are wrong on purpose must be found out."""

import asyncio
import os
import sys

import drive
import suite
import verdict
import wrong

MESSAGES = 20
TIMEOUT_S = 30

# Every kind of case that one of the faults is about.
CASES = "1.1.2 3.2 4.1.3 5.15 6.3.1 6.4.1 7.1.6 7.5.1 7.7.1 12.1.4 12.2.5 13.2.4 13.3.7 13.7.4".split()

# What must come of each fault in those cases, besides OK and informational.
FAULTS = {
    None: {},
    "takes any text": {"6.3.1": verdict.FAILED, "6.4.1": verdict.FAILED},
    "checks text late": {"6.4.1": verdict.NON_STRICT},
    "closes with 1000": {
        case_id: verdict.FAILED for case_id in ("3.2", "4.1.3", "5.15", "6.3.1", "6.4.1", "7.5.1")
    },
    "answers in binary": {
        case_id: verdict.FAILED
        for case_id in ("1.1.2", "3.2", "4.1.3", "5.15", "12.1.4", "13.2.4", "13.3.7", "13.7.4")
    },
    "declines compression": {
        case_id: verdict.FAILED for case_id in CASES if suite.is_compressed(case_id)
    },
    "answers uncompressed": {
        case_id: verdict.FAILED for case_id in ("12.1.4", "13.2.4", "13.3.7", "13.7.4")
    },
    "keeps its window": {"13.2.4": verdict.FAILED, "13.7.4": verdict.FAILED},
    "has too wide a window": {"13.3.7": verdict.FAILED, "13.7.4": verdict.FAILED},
    "ignores what is asked": {
        case_id: verdict.FAILED for case_id in ("13.2.4", "13.3.7")
    },
}


async def run():
    """Prints what was not found out, and gives the exit code."""
    suite.adapt(MESSAGES)
    checks = [missed_of(fault, expected) for fault, expected in FAULTS.items()]
    checks.append(missed_of_a_client_that_leaves())
    missed = sum(await asyncio.gather(*checks), [])
    missed += missed_of_a_suite_that_shrank()
    print("\n".join(missed) or f"{len(FAULTS) - 1} wrong servers and two wrong clients were found out")
    return 1 if missed else 0


async def missed_of(fault, expected):
    """Where the verdicts on a server with this fault are not as they should be."""
    server = await asyncio.start_server(wrong.new(fault), "127.0.0.1", 0, limit=1 << 20)
    async with server:
        host, port = server.sockets[0].getsockname()
        results, noticed = await drive.against_server(f"{host}:{port}", CASES)
    found = {
        each.case_id: each.kind
        for each in verdict.judge_all(CASES, results, noticed, MESSAGES)
        if each.kind in (verdict.NON_STRICT, verdict.FAILED)
    }
    return [
        f"a server that {fault or 'is right'}: {case_id} is {found.get(case_id)}, "
        f"and not {expected.get(case_id)}"
        for case_id in CASES
        if found.get(case_id) != expected.get(case_id)
    ]


async def missed_of_a_client_that_leaves():
    """A client that says that it is done and has run nothing, and one that crashes."""
    missed = []
    for program, is_fault in ((LEAVES, False), ("raise SystemExit(3)", True)):
        command = [sys.executable, "-c", program]
        results, noticed, fault = await drive.against_client(command, CASES, TIMEOUT_S)
        verdicts = verdict.judge_all(CASES, results, noticed, MESSAGES)
        if any(each.kind != verdict.FAILED for each in verdicts) or bool(fault) != is_fault:
            missed.append(f"a client that leaves: {verdicts}, {fault}")
    return missed


LEAVES = f"""
import asyncio, sys, types, urllib.parse
sys.path.insert(0, {os.path.dirname(__file__)!r})
import drive
to = urllib.parse.urlsplit(sys.argv[1])
asyncio.run(drive.end(types.SimpleNamespace(address=to.hostname, port=to.port)))
"""


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
