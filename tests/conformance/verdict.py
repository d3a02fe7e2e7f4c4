"""What counts: each case's report, judged more strictly than the suite does."""

from collections import Counter
from dataclasses import dataclass

import negotiation
import suite

OK, NON_STRICT, INFORMATIONAL, FAILED = "OK", "non-strict", "informational", "failed"
VERDICTS = [OK, NON_STRICT, INFORMATIONAL, FAILED]

# Text of this length and more gets shorter when it is compressed, with or without a window.
SURELY_SHORTER = 1024


@dataclass(frozen=True)
class Verdict:
    """How a case went, and if it did not go well, what was expected and what came."""

    case_id: str
    kind: str
    expected: str = ""
    came: str = ""
    payload_octets: int = 0
    wire_octets: int = 0

    def __str__(self):
        return f"{self.case_id} {self.kind}\n  expected: {self.expected}\n  came: {self.came}"


def judge_all(case_ids, results, found, messages):
    """A verdict for each case that was to run, whether it ran or not. `found` is what else was
    noticed to be wrong with a case."""
    by_id = {}
    for result in results:
        by_id.setdefault(result.case_id, []).append(result)
    verdicts = []
    for case_id in case_ids:
        reports = by_id.pop(case_id, [])
        if case_id in found:
            expected = "what zlib takes, in the frames of RFC 6455 §5.2"
            verdicts.append(Verdict(case_id, FAILED, expected, found[case_id]))
        elif len(reports) == 1:
            verdicts.append(judge(reports[0], messages))
        else:
            came = f"{len(reports)} reports"
            verdicts.append(Verdict(case_id, FAILED, "one report", came))
    assert not by_id, f"cases ran that were not to run: {' '.join(by_id)}"
    return verdicts


def judge(result, messages):
    """OK is what the suite calls so of the messages and of the closing, and in sections 12 and 13
    also every message echoed, a lawful answer to the offer, and text that came back compressed.
    Informational is only what Autobahn declares so. Everything else has failed."""
    case_id, came = result.case_id, (result.behavior.value, result.behavior_close.value)
    if came == ("OK", "OK"):
        if not suite.is_compressed(case_id):
            return Verdict(case_id, OK)
        return judge_compressed(result, messages)
    if came == ("INFORMATIONAL", "INFORMATIONAL") and case_id in suite.INFORMATIONAL:
        return Verdict(case_id, INFORMATIONAL)
    kind = NON_STRICT if came == ("NON-STRICT", "OK") else FAILED
    return Verdict(case_id, kind, result.expectation, describe(result))


def judge_compressed(result, messages):
    """What the suite does not look at in sections 12 and 13."""
    case_id, case = result.case_id, suite.CASES[result.case_id]
    traffic = result.traffic_stats.__json__() if result.traffic_stats else {}
    counts = [traffic.get(f"{way}WebSocketMessages") for way in ("outgoing", "incoming")]
    if counts != [messages, messages]:
        return Verdict(case_id, FAILED, f"{messages} messages each way", f"{counts}")
    wrong = negotiation.fault(result.http_request, result.http_response)
    if wrong:
        return Verdict(case_id, FAILED, "a lawful answer to the offer", wrong)
    payload, wire = (traffic[f"incomingOctets{level}Level"] for level in ("App", "WebSocket"))
    is_text = case.TESTDATA["file"].endswith(("json", "html", "txt"))
    if is_text and case.LEN >= SURELY_SHORTER and wire >= payload:
        expected = f"{payload} octets of text that come back compressed"
        return Verdict(case_id, FAILED, expected, f"{wire} octets")
    return Verdict(case_id, OK, payload_octets=payload, wire_octets=wire)


def describe(result):
    """What came, in one line."""
    parts = [
        f"messages {result.behavior.value} ({result.result})",
        f"closing {result.behavior_close.value} ({result.result_close})",
        f"close code {result.remote_close_code}, reason {result.remote_close_reason!r}",
        f"clean: {result.was_clean}, {result.duration} ms",
    ]
    received = repr(result.received)
    if result.received:
        parts.append(f"received {received if len(received) < 200 else received[:200] + '…'}")
    return "; ".join(parts)


def tally(verdicts):
    """How many cases of each section went how."""
    counts = {number: Counter() for number in suite.SECTIONS}
    for verdict in verdicts:
        counts[suite.section(verdict.case_id)][verdict.kind] += 1
    return counts


def passed(verdicts):
    """Whether none failed and none was non-strict."""
    return all(verdict.kind in (OK, INFORMATIONAL) for verdict in verdicts)
