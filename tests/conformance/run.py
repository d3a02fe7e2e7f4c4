"""The conformance run: every case of Autobahn's suite, against our servers and our client.

See `scripts/conformance --help`.
"""

import argparse
import asyncio
import os
import sys
import time
from dataclasses import dataclass, field

import drive
import peers
import selfcheck
import suite
import table
import verdict

# Above what the cases' own deadlines add up to while all goes well.
CLIENT_TIMEOUT_S = 1200

PEERS = {
    "serve": "enchufe serve echo",
    "client": "Connection::open",
    "listener": "Listener::bind",
}


@dataclass
class Outcome:
    """How one peer did."""

    verdicts: list
    faults: list = field(default_factory=list)
    results: list = field(default_factory=list)
    seconds: float = 0

    def passed(self):
        return not self.faults and verdict.passed(self.verdicts)


def main():
    parser = argparse.ArgumentParser(prog="scripts/conformance", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a tenth of the messages in 12 and 13")
    parser.add_argument("--self-check", action="store_true", help="check that wrong peers fail")
    parser.add_argument("--peer", action="append", choices=PEERS, help="only this one (repeatable)")
    parser.add_argument("--report", metavar="FOLDER", help="write Autobahn's reports there")
    parser.add_argument("case", nargs="*", help="only these, such as 6.4.1 or '12.*'")
    arguments = parser.parse_args()
    suite.check_count()
    if arguments.self_check:
        return asyncio.run(selfcheck.run())
    messages = suite.MESSAGES_SHORT if arguments.short else suite.MESSAGES_FULL
    suite.adapt(messages)
    case_ids = suite.matching(arguments.case)
    outcomes = {}
    for name in arguments.peer or PEERS:
        outcomes[name] = asyncio.run(test(name, case_ids, messages))
        tell(name, outcomes[name], arguments.report)
    is_all = not arguments.case and not arguments.peer
    passed = all(outcome.passed() for outcome in outcomes.values())
    if is_all and not arguments.short and passed:
        table.write(outcomes, messages)
    return 0 if passed else 1


async def test(name, case_ids, messages):
    """How a peer does in these cases."""
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
    return Outcome(verdicts, faults, results, time.monotonic() - begun)


def client_runs(case_ids):
    """The client goes through the cases as it is, through those about compression with a relay in
    between, and through those that need an offer to forget its window with that."""
    forgetful = [case_id for case_id in case_ids if suite.is_forgetful(case_id)]
    others = [case_id for case_id in case_ids if case_id not in forgetful]
    direct = [case_id for case_id in others if not suite.is_compressed(case_id)]
    compressed = [case_id for case_id in others if suite.is_compressed(case_id)]
    runs = [([], direct), ([], compressed), (["--forgetful"], forgetful)]
    return [(extra, chosen) for extra, chosen in runs if chosen]


def tell(name, outcome, folder):
    """Prints what failed, then the sum, and writes the reports if wanted."""
    bad = [each for each in outcome.verdicts if each.kind in (verdict.NON_STRICT, verdict.FAILED)]
    for each in bad:
        print(each)
    for fault in outcome.faults:
        print(fault)
    counts = {kind: sum(each.kind == kind for each in outcome.verdicts) for kind in verdict.VERDICTS}
    counted = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    print(f"{PEERS[name]}: {len(outcome.verdicts)} cases: {counted} ({outcome.seconds:.0f} s)")
    if bad:
        print("not strictly OK:", " ".join(each.case_id for each in bad))
    if folder:
        from kosoku._report import write_reports

        write_reports(outcome.results, os.path.join(folder, name))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
