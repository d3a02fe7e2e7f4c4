//! What is expected to be received, in which order and until when.
//!
//! A message is matched as it is; a stream, which has none, by lines. A question without a line
//! break is looked at once nothing more of it comes.

use std::{collections::VecDeque, time::Duration};

use bytes::Bytes;
use memchr::memchr;
use tokio::time::{Instant, sleep_until};

use crate::{
    cli::{
        escape,
        exit_code::Exit,
        failure::{Failure, Unmet, Why},
        values::Pattern,
    },
    limits,
};

/// The patterns that are still to come, and what came instead.
#[derive(Debug)]
pub(super) struct Expectations {
    patterns: Vec<Pattern>,
    /// How many of them were there.
    met: usize,
    within: Duration,
    /// Once the first connection stands.
    deadline: Option<Instant>,
    /// The beginning of a line of a stream; None where there are messages.
    line: Option<Line>,
    /// What came after the last match.
    heard: VecDeque<String>,
    /// What is not kept of that.
    forgotten: u64,
}

#[derive(Debug, Default)]
struct Line {
    begun: Vec<u8>,
    /// It was looked at as it is.
    is_looked_at: bool,
}

impl Expectations {
    pub(super) fn new(patterns: Vec<Pattern>, within: Duration) -> Self {
        let (heard, line) = (VecDeque::new(), None);
        Self { patterns, met: 0, within, deadline: None, line, heard, forgotten: 0 }
    }

    /// A connection stands. Of several, the first counts.
    pub(super) fn begin(&mut self, counts_lines: bool) {
        self.deadline.get_or_insert_with(|| Instant::now() + self.within);
        self.line = counts_lines.then(Line::default);
    }

    /// Whether something was expected, and all of it came.
    pub(super) fn are_met(&self) -> bool {
        !self.patterns.is_empty() && !self.are_pending()
    }

    /// Whether something is still to come.
    pub(super) fn are_pending(&self) -> bool {
        self.met < self.patterns.len()
    }

    /// Takes what was received.
    pub(super) fn hear(&mut self, payload: &Bytes) {
        if !self.are_pending() {
            return;
        }
        let Some(mut line) = self.line.take() else { return self.look_at(payload) };
        let mut rest = &payload[..];
        line.is_looked_at = false;
        while let Some(end) = memchr(b'\n', rest) {
            line.begun.extend_from_slice(&rest[..end]);
            self.look_at(line.begun.strip_suffix(b"\r").unwrap_or(&line.begun));
            line.begun.clear();
            rest = &rest[end + 1..];
        }
        for part in rest.chunks(limits::EXPECT_LINE_BYTES_MAX) {
            // What is so long is no line.
            if line.begun.len() + part.len() > limits::EXPECT_LINE_BYTES_MAX {
                self.look_at(&line.begun);
                line.begun.clear();
            }
            line.begun.extend_from_slice(part);
        }
        self.line = Some(line);
    }

    /// Whether part of a line waits to be looked at.
    pub(super) fn have_partial_line(&self) -> bool {
        let waits = |line: &Line| !line.begun.is_empty() && !line.is_looked_at;
        self.are_pending() && self.line.as_ref().is_some_and(waits)
    }

    /// Looks at the part of a line whose rest has not come. It is done with only when it matches:
    /// else the rest may still come.
    pub(super) fn look_at_partial_line(&mut self) {
        let Some(mut line) = self.line.take().filter(|_| self.are_pending()) else { return };
        line.is_looked_at = true;
        if self.patterns[self.met].is_in(&line.begun) {
            self.look_at(&line.begun);
            line.begun.clear();
        }
        self.line = Some(line);
    }

    /// Nothing more comes on this connection.
    pub(super) fn finish(&mut self) {
        if let Some(line) = self.line.take().filter(|line| !line.begun.is_empty()) {
            self.look_at(&line.begun);
        }
    }

    fn look_at(&mut self, message: &[u8]) {
        let Some(pattern) = self.patterns.get(self.met) else { return };
        if pattern.is_in(message) {
            self.met += 1;
            self.heard.clear();
            self.forgotten = 0;
            return;
        }
        if self.heard.len() == limits::EXPECT_SHOWN_LEN_MAX {
            self.heard.pop_front();
            self.forgotten += 1;
        }
        self.heard.push_back(excerpt(message));
    }

    /// Waits until it is too late; for ever when nothing is expected any more.
    ///
    /// # Cancel safety
    ///
    /// Safe.
    pub(super) async fn overdue(&self) {
        match self.deadline.filter(|_| self.are_pending()) {
            Some(deadline) => sleep_until(deadline).await,
            None => std::future::pending().await,
        }
    }

    /// What is said when it is too late.
    pub(super) fn too_late(&mut self) -> Failure {
        self.unmet(Why::TooLate(self.within))
    }

    /// How a talk ends that has ended so: well only with everything that was expected.
    pub(super) fn judge(&mut self, result: Result<Exit, Failure>) -> Result<Exit, Failure> {
        if !self.are_pending() {
            return result;
        }
        match result {
            Ok(Exit::Success) => Err(self.unmet(Why::Ended)),
            Err(
                failure @ (Failure::Open(_)
                | Failure::Recv(_)
                | Failure::Send(_)
                | Failure::Closed(_)
                | Failure::NoReply { .. }),
            ) => Err(self.unmet(Why::Failed(Box::new(failure)))),
            other => other,
        }
    }

    fn unmet(&mut self, why: Why) -> Failure {
        let line = self.line.take().filter(|line| !line.begun.is_empty());
        Failure::Unmet(Box::new(Unmet {
            pattern: self.patterns[self.met].as_str().to_owned(),
            number: self.met + 1,
            of: self.patterns.len(),
            why,
            forgotten: self.forgotten,
            heard: self.heard.drain(..).chain(line.map(|line| excerpt(&line.begun))).collect(),
        }))
    }
}

/// What is shown of a message: one line, not too long.
fn excerpt(message: &[u8]) -> String {
    let begin = &message[..message.len().min(limits::EXPECT_SHOWN_BYTES_MAX)];
    let rest = message.len() - begin.len();
    match rest {
        0 => escape::line(begin),
        _ => format!("{}… (+{rest})", escape::line(begin)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::values::pattern;

    fn expecting(patterns: &[&str], counts_lines: bool) -> Expectations {
        let patterns = patterns.iter().map(|text| pattern(text).expect("a pattern")).collect();
        let mut expected = Expectations::new(patterns, Duration::from_secs(1));
        // What a runtime's clock would begin.
        expected.line = counts_lines.then(Line::default);
        expected
    }

    fn unmet(expected: &mut Expectations) -> Unmet {
        match expected.judge(Ok(Exit::Success)) {
            Err(Failure::Unmet(unmet)) => *unmet,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn patterns_are_met_in_their_order_and_what_comes_between_is_no_matter() {
        let mut expected = expecting(&["a", "b"], false);
        for (message, are_met) in [("b", false), ("a", false), ("x", false), ("b", true)] {
            expected.hear(&Bytes::from(message));
            assert_eq!(expected.are_met(), are_met, "{message}");
        }
    }

    #[test]
    fn lines_of_a_stream_are_matched_wherever_it_was_cut() {
        for size in 1..20 {
            let mut expected = expecting(&["^220 ok$", "^250$"], true);
            for chunk in b"220-hi\r\n220 ok\r\n250".chunks(size) {
                expected.hear(&Bytes::copy_from_slice(chunk));
            }
            assert!(expected.are_pending(), "the last line may go on");
            assert!(expected.have_partial_line());
            expected.look_at_partial_line();
            assert!(expected.are_met(), "{size}");
        }
    }

    #[test]
    fn a_question_that_does_not_match_may_still_go_on() {
        let mut expected = expecting(&["^login: ana$"], true);
        expected.hear(&Bytes::from("login:"));
        expected.look_at_partial_line();
        assert!(!expected.have_partial_line(), "it is looked at once");
        expected.hear(&Bytes::from(" ana"));
        assert!(expected.have_partial_line());
        expected.finish();
        assert!(expected.are_met());
    }

    #[test]
    fn what_came_instead_is_kept_up_to_a_bound() {
        let mut expected = expecting(&["^b$", "never"], false);
        expected.hear(&Bytes::from("before"));
        expected.hear(&Bytes::from("b"));
        let too_many = limits::EXPECT_SHOWN_LEN_MAX + 3;
        for number in 0..too_many {
            expected.hear(&Bytes::from(format!("{number}\n")));
        }
        expected.hear(&vec![b'x'; limits::EXPECT_SHOWN_BYTES_MAX + 5].into());
        let unmet = unmet(&mut expected);
        assert_eq!((unmet.number, unmet.of, unmet.forgotten), (2, 2, 4));
        assert_eq!(unmet.heard.len(), limits::EXPECT_SHOWN_LEN_MAX);
        assert_eq!(unmet.heard[0], "4\\n");
        assert!(unmet.heard.last().is_some_and(|last| last.ends_with("x… (+5)")), "{unmet:?}");
    }

    #[test]
    fn what_is_no_line_is_matched_in_pieces_and_not_kept() {
        let mut expected = expecting(&["never"], true);
        for _ in 0..10 {
            expected.hear(&vec![b'x'; limits::EXPECT_LINE_BYTES_MAX].into());
            let kept = expected.line.as_ref().expect("a stream").begun.len();
            assert!(kept <= limits::EXPECT_LINE_BYTES_MAX);
        }
        let unmet = unmet(&mut expected);
        assert_eq!(unmet.forgotten + unmet.heard.len() as u64, 10);
    }

    #[test]
    fn ends_that_were_asked_for_and_errors_of_the_input_stay_what_they_are() {
        let mut expected = expecting(&["a"], false);
        assert!(matches!(expected.judge(Ok(Exit::Terminated)), Ok(Exit::Terminated)));
        let input = Failure::Input(std::io::Error::other("x"));
        assert!(matches!(expected.judge(Err(input)), Err(Failure::Input(_))));
        expected.hear(&Bytes::from("a"));
        assert!(matches!(expected.judge(Ok(Exit::Success)), Ok(Exit::Success)));
    }
}
