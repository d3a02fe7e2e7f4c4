//! What came of it.

use std::{sync::atomic::Ordering, time::Duration};

use serde::Serialize;

use super::{LoadOptions, Pace, Tally, Trouble};

/// What came of loading a server. Messages of the warm-up are not in it.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// Connections that came to stand.
    pub connections: usize,
    /// Connections that did not come to stand.
    pub refused: u64,
    /// Connections that were lost.
    pub broken: u64,
    /// Why the first of those was lost, or did not come to stand.
    pub trouble: Option<Trouble>,
    /// The bytes of each message.
    pub size: usize,
    /// Messages under way on each connection, if that was what was asked for.
    pub in_flight: Option<usize>,
    /// Messages due in a second, if that was what was asked for.
    pub rate: Option<f64>,
    /// From the first message to the last answer, in seconds.
    pub seconds: f64,
    /// Messages sent.
    pub sent: u64,
    /// Answers to them.
    pub answered: u64,
    /// Messages that were never answered.
    pub lost: u64,
    /// Answers that do not repeat the message.
    pub different: u64,
    /// What came without having been asked for: messages, or on streams pieces of bytes.
    pub unasked: u64,
    /// Answers in a second.
    pub answers_per_second: f64,
    /// How long answers took, in microseconds; nothing when there was none.
    pub latency_us: Option<Latency>,
    /// The server's processor time for each answer, in microseconds.
    pub cpu_us_per_message: Option<f64>,
    /// Whether it was stopped before its time was over: all of this is what there was until then.
    pub interrupted: bool,
}

/// How long answers took, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
#[allow(missing_docs)]
pub struct Latency {
    pub min: f64,
    pub mean: f64,
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    pub p999: f64,
    pub max: f64,
}

/// What is known of a run apart from its counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Course {
    /// From the first message to the last answer.
    pub(super) elapsed: Duration,
    /// The server's processor time meanwhile.
    pub(super) cpu: Option<Duration>,
    /// Whether it was stopped before its time was over.
    pub(super) is_interrupted: bool,
}

impl Report {
    pub(super) fn new(
        tally: &Tally,
        connections: usize,
        course: Course,
        options: &LoadOptions,
    ) -> Self {
        let Course { elapsed, cpu, is_interrupted } = course;
        let read = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed);
        let answered = read(&tally.answered);
        let seconds = elapsed.as_secs_f64();
        let latency_us = tally.latency();
        let per_answer = |total: f64| if answered == 0 { 0.0 } else { total / answered as f64 };
        Self {
            connections,
            refused: read(&tally.refused),
            broken: read(&tally.broken),
            trouble: tally.trouble(),
            size: options.size,
            in_flight: match options.pace {
                Pace::InFlight(count) => Some(count),
                Pace::Rate(_) => None,
            },
            rate: match options.pace {
                Pace::InFlight(_) => None,
                Pace::Rate(rate) => Some(rate),
            },
            seconds,
            sent: read(&tally.sent),
            answered,
            lost: read(&tally.lost),
            different: read(&tally.different),
            unasked: read(&tally.unasked),
            answers_per_second: if seconds > 0.0 { answered as f64 / seconds } else { 0.0 },
            latency_us,
            cpu_us_per_message: cpu.map(|cpu| per_answer(cpu.as_secs_f64() * 1e6)),
            interrupted: is_interrupted,
        }
    }

    /// Whether every connection stood to the end and every message was answered as it was sent.
    pub fn is_flawless(&self) -> bool {
        let flaws = [self.refused, self.broken, self.lost, self.different, self.unasked];
        flaws.iter().all(|count| *count == 0)
    }
}
