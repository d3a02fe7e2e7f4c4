//! After which ends it is tried again, and when.

use std::time::Duration;

use crate::{
    core::ws::CloseCode,
    limits,
    resolve::ResolveError,
    transport::{OpenError, RecvError, SendError},
};

/// Whether it may help to connect again: the network was at fault, or the server for a while.
pub(crate) fn opening_may_pass(error: &OpenError) -> bool {
    match error {
        OpenError::Refused { .. }
        | OpenError::TimedOut { .. }
        | OpenError::Unreachable { .. }
        | OpenError::NoAnswer { .. }
        | OpenError::NoDescriptors { .. }
        | OpenError::Io { .. } => true,
        OpenError::Unresolved { error, .. } => matches!(error, ResolveError::Unavailable { .. }),
        OpenError::Refusal { refusal, .. } => status_may_pass(refusal.status),
        _ => false,
    }
}

/// Whether a request that was answered with this status may succeed later.
pub(super) fn status_may_pass(status: u16) -> bool {
    matches!(status, 429 | 500..=599)
}

/// Whether a connection that broke so may stand again.
pub(crate) fn receiving_may_pass(error: &RecvError) -> bool {
    matches!(
        error,
        RecvError::Reset { .. }
            | RecvError::Abnormal { .. }
            | RecvError::Silent { .. }
            | RecvError::Io { .. }
    )
}

/// As [`receiving_may_pass`].
pub(crate) fn sending_may_pass(error: &SendError) -> bool {
    matches!(error, SendError::Closed { .. } | SendError::TimedOut { .. } | SendError::Io { .. })
}

/// Whether to come back after this code: what each asks of a client stands beside it in
/// `core/src/ws/codes.rs`.
pub(crate) fn close_may_pass(code: CloseCode) -> bool {
    matches!(code.number(), 1001 | 1011..=1014 | 4001 | 4002)
}

/// How long to wait before a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pauses {
    /// The longest pause before the first try; each later one may be twice as long.
    pub first: Duration,
    /// The longest pause before any try.
    pub longest: Duration,
}

impl Default for Pauses {
    fn default() -> Self {
        Self { first: limits::RECONNECT_PAUSE_MIN, longest: limits::RECONNECT_PAUSE_MAX }
    }
}

/// When to try again: pauses that double up to a bound, each drawn anew from 0 to all of it, so
/// that clients that were lost together do not come back together.
#[derive(Debug)]
pub(crate) struct Backoff {
    pauses: Pauses,
    tries: u32,
    tries_max: Option<u32>,
}

impl Backoff {
    /// `tries_max` bounds the tries in a row.
    pub(crate) fn new(tries_max: Option<u32>) -> Self {
        Self { pauses: Pauses::default(), tries: 0, tries_max }
    }

    /// Any number of tries, with these pauses.
    pub(super) fn with(pauses: Pauses) -> Self {
        Self { pauses, tries: 0, tries_max: None }
    }

    /// The other side does what it should: the pauses begin anew.
    pub(super) fn succeeded(&mut self) {
        self.tries = 0;
    }

    /// A connection has stood for so long. One that did not last is no success: a server that
    /// accepts and closes at once is not hammered.
    pub(crate) fn stood(&mut self, time: Duration) {
        if time >= limits::RECONNECT_STABLE_AFTER {
            self.tries = 0;
        }
    }

    /// How long to wait before the next try, or nothing when there were enough. `fraction` draws
    /// from 0 to 1.
    pub(crate) fn pause(
        &mut self,
        retry_after: Option<Duration>,
        fraction: impl FnOnce() -> f64,
    ) -> Option<Duration> {
        if self.tries_max.is_some_and(|tries_max| self.tries >= tries_max) {
            return None;
        }
        let doubled =
            2_u32.checked_pow(self.tries).and_then(|factor| self.pauses.first.checked_mul(factor));
        let bound = doubled.unwrap_or(Duration::MAX).min(self.pauses.longest);
        self.tries = self.tries.saturating_add(1);
        let asked = retry_after.unwrap_or_default().min(limits::RETRY_AFTER_MAX);
        Some(asked + bound.mul_f64(fraction().clamp(0.0, 1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_their_bound() {
        let mut backoff = Backoff::new(None);
        let mut longest = || backoff.pause(None, || 1.0).expect("no end").as_secs_f64();
        let pauses: Vec<f64> = (0..8).map(|_| longest()).collect();
        assert_eq!(pauses, [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]);
        for _ in 0..100 {
            assert_eq!(longest(), 30.0);
        }
        assert_eq!(backoff.pause(None, || 0.0), Some(Duration::ZERO));
    }

    #[test]
    fn only_a_connection_that_lasted_begins_the_pauses_anew() {
        let mut backoff = Backoff::new(Some(2));
        let mut longest = |stood| {
            backoff.stood(stood);
            backoff.pause(None, || 1.0).map(|pause| pause.as_millis())
        };
        let (short, long) = (Duration::from_secs(1), limits::RECONNECT_STABLE_AFTER);
        assert_eq!(longest(short), Some(500));
        assert_eq!(longest(short), Some(1000));
        assert_eq!(longest(short), None, "two tries in a row were allowed");
        assert_eq!(longest(long), Some(500));
    }

    #[test]
    fn a_server_is_left_alone_as_long_as_it_asks_within_a_bound() {
        let mut backoff = Backoff::new(None);
        let mut pause = |seconds| backoff.pause(Some(Duration::from_secs(seconds)), || 0.0);
        assert_eq!(pause(7), Some(Duration::from_secs(7)));
        assert_eq!(pause(1_000_000), Some(limits::RETRY_AFTER_MAX));
    }
}
