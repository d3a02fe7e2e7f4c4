//! How a long transfer goes, on a terminal that shows nothing else: bytes, rates and time.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::{
    cli::{catalogue::Phrase, language::Language, output},
    limits,
};

/// How a transfer goes, in one line of the terminal that is written over again and again.
#[derive(Debug)]
pub(super) struct Meter {
    language: Language,
    begun: Instant,
    due: Instant,
    received: u64,
    /// What the last line said, and when.
    last: (Instant, Flow),
    is_drawn: bool,
}

/// How many bytes went which way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Flow {
    sent: u64,
    received: u64,
}

impl Meter {
    /// Begins to measure. Nothing is said of what is over soon.
    pub(super) fn new(language: Language) -> Self {
        let begun = Instant::now();
        let due = begun + limits::METER_DELAY;
        let last = (begun, Flow::default());
        Self { language, begun, due, received: 0, last, is_drawn: false }
    }

    /// So many bytes came.
    pub(super) fn received(&mut self, bytes: usize) {
        self.received += bytes as u64;
    }

    /// Waits until it is time for the next line. Cancel-safe.
    pub(super) async fn due(&self) {
        sleep_until(self.due).await;
    }

    /// Writes the line.
    pub(super) fn draw(&mut self, sent: u64) {
        let now = Instant::now();
        self.due = now + limits::METER_INTERVAL;
        let (then, before) = self.last;
        let flow = Flow { sent, received: self.received };
        if flow == Flow::default() {
            return;
        }
        let time = now.duration_since(then);
        let phrase = Phrase::Progress {
            sent: &amount(flow.sent, flow.sent - before.sent, time),
            received: &amount(flow.received, flow.received - before.received, time),
            time: &clock(now.duration_since(self.begun)),
        };
        output::status(&self.language.say(phrase));
        (self.last, self.is_drawn) = ((now, flow), true);
    }

    /// Makes room for another line: the next one of ours begins below it.
    pub(super) fn make_room(&mut self) {
        if std::mem::take(&mut self.is_drawn) {
            output::notice("");
        }
    }

    /// Leaves a last line standing, with what was sent in all and the rates of all the time.
    pub(super) fn finish(&mut self, sent: u64) {
        if self.is_drawn {
            self.last = (self.begun, Flow::default());
            self.draw(sent);
            self.make_room();
        }
    }
}

/// A number of bytes, and how many of them a second.
fn amount(bytes: u64, since: u64, time: Duration) -> String {
    let rate = u128::from(since) * 1000 / time.as_millis().max(1);
    format!("{} ({}/s)", size(bytes), size(u64::try_from(rate).unwrap_or(u64::MAX)))
}

/// A number of bytes, short: `0 B`, `999 B`, `1.5 KiB`.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut scaled = bytes / 1024 * 10 + bytes % 1024 * 10 / 1024;
    let mut units = UNITS.iter();
    let mut unit = units.next();
    while scaled >= 10_240 {
        let Some(next) = units.next() else { break };
        (scaled, unit) = (scaled / 1024, Some(next));
    }
    format!("{}.{} {}", scaled / 10, scaled % 10, unit.unwrap_or(&"B"))
}

/// A time as a clock shows it.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds / 3600 {
        0 => format!("{}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_short_to_read_and_none_is_too_many() {
        for (bytes, shown) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            ((1 << 20) - 1, "1023.9 KiB"),
            (100 << 20, "100.0 MiB"),
            (u64::MAX, "16383.9 PiB"),
        ] {
            assert_eq!(size(bytes), shown, "{bytes}");
        }
        assert_eq!(amount(3072, 1024, Duration::from_millis(500)), "3.0 KiB (2.0 KiB/s)");
        assert_eq!(amount(0, 0, Duration::ZERO), "0 B (0 B/s)");
    }

    #[test]
    fn a_time_is_shown_as_by_a_clock() {
        for (seconds, shown) in [(0, "0:00"), (61, "1:01"), (3600, "1:00:00"), (90_061, "25:01:01")]
        {
            assert_eq!(clock(Duration::from_secs(seconds)), shown);
        }
    }
}
