"""The conformance run: Autobahn's cases, each of which must pass strictly, against our servers and
our client. Without any of the options that leave something out, it writes docs/conformance.md."""

import argparse
import asyncio
import multiprocessing
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass

import drive
import peers
import selfcheck
import suite
import table
import verdict

# Above what the cases' own deadlines add up to while all goes well.
CLIENT_TIMEOUT_S = 1200

# Of so many cases it is said what was expected and what came. A fault that many cases find is one.
DETAILED = 20

PEERS = {
    "serve": "enchufe serve echo",
    "client": "Connection::open",
    "listener": "Listener::bind",
}


@dataclass
class Outcome:
    """How one peer did."""

    verdicts: list
    faults: list
    seconds: float

    def passed(self):
        return not self.faults and verdict.passed(self.verdicts)


def main():
    parser = argparse.ArgumentParser(prog="scripts/conformance", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a tenth of the messages in sections 12 and 13")
    parser.add_argument("--self-check", action="store_true", help="whether wrong servers and clients are found out")
    parser.add_argument("--peer", action="append", choices=PEERS, help="only this one (repeatable)")
    parser.add_argument("--report", metavar="FOLDER", help="write Autobahn's own reports there")
    parser.add_argument("case", nargs="*", help="only these, such as 6.4.1 or '12.*'")
    arguments = parser.parse_args()
    suite.check_count()
    if arguments.self_check:
        return asyncio.run(selfcheck.run())
    messages = suite.MESSAGES_SHORT if arguments.short else suite.MESSAGES_FULL
    case_ids = suite.matching(arguments.case)
    if not case_ids:
        parser.error(f"no case is called {' or '.join(arguments.case)}")
    outcomes = test_all(arguments.peer or list(PEERS), case_ids, messages, arguments.report)
    is_all = not arguments.case and not arguments.peer
    passed = all(outcome.passed() for outcome in outcomes.values())
    if is_all and not arguments.short and passed:
        table.write(outcomes, messages)
    return 0 if passed else 1


def test_all(names, case_ids, messages, folder):
    """How each peer did. They are tested side by side, each from a process of its own, since most
    of the time one waits for the other."""
    spawning = multiprocessing.get_context("spawn")
    outcomes = {}
    with ProcessPoolExecutor(len(names), spawning, suite.adapt, (messages,)) as pool:
        waiting = {pool.submit(work, name, case_ids, messages, folder): name for name in names}
        for done in as_completed(waiting):
            outcomes[waiting[done]] = done.result()
            tell(waiting[done], done.result())
    return outcomes


def work(name, case_ids, messages, folder):
    """Tests a peer, and writes the suite's reports if wanted."""
    outcome, results = asyncio.run(test(name, case_ids, messages))
    if folder:
        from kosoku._report import write_reports

        write_reports(results, os.path.join(folder, name))
    return outcome


async def test(name, case_ids, messages):
    """How a peer does in these cases, and the suite's reports."""
    begun = time.monotonic()
    faults, results, found = [], [], {}
    if name == "client":
        for extra, chosen in client_runs(case_ids):
            command = [peers.LIBRARY, "client", *extra]
            run = await drive.against_client(command, chosen, CLIENT_TIMEOUT_S)
            results += run[0]
            found |= run[1]
            faults += [run[2]] if run[2] else []
    else:
        command = peers.SERVE_ECHO if name == "serve" else [peers.LIBRARY, "server", peers.ANY_PORT]
        with peers.Server(command) as server:
            results, found = await drive.against_server(server.address(), case_ids)
    verdicts = verdict.judge_all(case_ids, results, found, messages)
    return Outcome(verdicts, faults, time.monotonic() - begun), results


def client_runs(case_ids):
    """The client goes through the cases as it is, through those about compression with a relay in
    between, and through those that need an offer to forget its window with that."""
    forgetful = [case_id for case_id in case_ids if suite.is_forgetful(case_id)]
    others = [case_id for case_id in case_ids if case_id not in forgetful]
    direct = [case_id for case_id in others if not suite.is_compressed(case_id)]
    compressed = [case_id for case_id in others if suite.is_compressed(case_id)]
    runs = [([], direct), ([], compressed), (["--forgetful"], forgetful)]
    return [(extra, chosen) for extra, chosen in runs if chosen]


def tell(name, outcome):
    """Prints what is wrong, the sum, and which cases are not strictly OK."""
    bad = [each for each in outcome.verdicts if each.kind in (verdict.NON_STRICT, verdict.FAILED)]
    for each in [*outcome.faults, *bad[:DETAILED]]:
        print(each)
    kinds = [each.kind for each in outcome.verdicts]
    counted = ", ".join(f"{kinds.count(kind)} {kind}" for kind in verdict.VERDICTS)
    print(f"{PEERS[name]}: {len(kinds)} cases: {counted} ({outcome.seconds:.0f} s)")
    if bad:
        print("not strictly OK:", " ".join(each.case_id for each in bad))
    sys.stdout.flush()


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads that listen to peers may still hold what the interpreter's end would tear down, which
    # aborts it now and then.
    os._exit(code or 0)
