//! After which ends a lost connection is made again, and when.

use std::time::Duration;

use enchufe_core::{
    Position,
    ws::{CloseCode, CloseReason},
};

use crate::{
    address::WsAddress,
    cli::failure::Failure,
    limits,
    resolve::ResolveError,
    transport::{OpenError, RecvError, SendError},
};

/// Whether it may help to connect again: the network was at fault, or the server for a while. What
/// a close code asks of a client stands beside it in `core/src/ws/codes.rs`.
pub(super) fn may_help(failure: &Failure) -> bool {
    match failure {
        Failure::Open(error) => match error {
            OpenError::Refused { .. }
            | OpenError::TimedOut { .. }
            | OpenError::Unreachable { .. }
            | OpenError::NoAnswer { .. }
            | OpenError::NoDescriptors { .. }
            | OpenError::Io { .. } => true,
            OpenError::Unresolved { error, .. } => {
                matches!(error, ResolveError::Unavailable { .. })
            }
            OpenError::Refusal { refusal, .. } => matches!(refusal.status, 429 | 500..=599),
            _ => false,
        },
        Failure::Recv(error) => matches!(
            error,
            RecvError::Reset { .. }
                | RecvError::Abnormal { .. }
                | RecvError::Silent { .. }
                | RecvError::Io { .. }
        ),
        Failure::Send(error) => matches!(
            error,
            SendError::Closed { .. } | SendError::TimedOut { .. } | SendError::Io { .. }
        ),
        Failure::Closed(reason) => {
            matches!(reason.code.number(), 1001 | 1011..=1014 | 4001 | 4002)
        }
        _ => false,
    }
}

/// How long the server asked to be left alone.
pub(super) fn retry_after(failure: &Failure) -> Option<Duration> {
    match failure {
        Failure::Open(OpenError::Refusal { refusal, .. }) => refusal.retry_after,
        _ => None,
    }
}

/// The position that a feed asks to be resumed after, when it closes so.
pub(in crate::cli) fn position(reason: &CloseReason) -> Option<Position> {
    let resumes = [CloseCode::GOING_AWAY, CloseCode::SLOW, CloseCode::GAP];
    resumes.contains(&reason.code).then(|| reason.reason.parse().ok()).flatten()
}

/// Makes the address begin after the position.
pub(super) fn resume(address: &mut WsAddress, after: Position) {
    let path = address.path.as_deref().unwrap_or("/");
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut pairs: Vec<String> = query.split('&').map(str::to_owned).collect();
    pairs.retain(|pair| !pair.is_empty() && pair != "since" && !pair.starts_with("since="));
    pairs.push(format!("since={after}"));
    address.path = Some(format!("{path}?{}", pairs.join("&")));
}

/// Whether the address asks a feed for what was said before.
pub(super) fn asks_for_history(address: &WsAddress) -> bool {
    let path = address.path.as_deref().unwrap_or_default();
    let query = path.split_once('?').map_or("", |(_, query)| query);
    query.split('&').any(|pair| pair.starts_with("since=") && pair != "since=now")
}

/// When to try again: pauses that double up to a bound, each drawn anew from 0 to all of it, so
/// that clients that were lost together do not come back together.
#[derive(Debug)]
pub(super) struct Backoff {
    tries: u32,
    tries_max: Option<u32>,
}

impl Backoff {
    /// `tries_max` bounds the tries in a row.
    pub(super) fn new(tries_max: Option<u32>) -> Self {
        Self { tries: 0, tries_max }
    }

    /// A connection has stood for so long. One that did not last is no success: a server that
    /// accepts and closes at once is not hammered.
    pub(super) fn stood(&mut self, time: Duration) {
        if time >= limits::RECONNECT_STABLE_AFTER {
            self.tries = 0;
        }
    }

    /// How long to wait before the next try, or nothing when there were enough. `fraction` draws
    /// from 0 to 1.
    pub(super) fn pause(
        &mut self,
        retry_after: Option<Duration>,
        fraction: impl FnOnce() -> f64,
    ) -> Option<Duration> {
        if self.tries_max.is_some_and(|tries_max| self.tries >= tries_max) {
            return None;
        }
        let doubled = 2_u32
            .checked_pow(self.tries)
            .and_then(|factor| limits::RECONNECT_PAUSE_MIN.checked_mul(factor));
        let bound = doubled.unwrap_or(Duration::MAX).min(limits::RECONNECT_PAUSE_MAX);
        self.tries = self.tries.saturating_add(1);
        let asked = retry_after.unwrap_or_default().min(limits::RETRY_AFTER_MAX);
        Some(asked + bound.mul_f64(fraction().clamp(0.0, 1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Peer;

    fn closed(code: u16) -> Failure {
        let code = CloseCode::new(code).expect("a code that may be sent");
        Failure::Closed(CloseReason::new(code, ""))
    }

    #[test]
    fn only_ends_that_may_pass_are_tried_again() {
        for code in [1001, 1011, 1012, 1013, 1014, 4001, 4002] {
            assert!(may_help(&closed(code)), "{code}");
        }
        for code in
            [1000, 1002, 1003, 1007, 1008, 1009, 1010, 3000, 3999, 4000, 4003, 4004, 4005, 4999]
        {
            assert!(!may_help(&closed(code)), "{code}");
        }
        let peer = Peer::Stdio;
        assert!(may_help(&Failure::Recv(RecvError::Abnormal { peer: peer.clone() })));
        let reason = String::new();
        let violation = RecvError::Violation { peer, code: CloseCode::PROTOCOL, reason };
        assert!(!may_help(&Failure::Recv(violation)));
        let address = String::new();
        assert!(may_help(&Failure::Open(OpenError::Refused { address: address.clone() })));
        assert!(!may_help(&Failure::Open(OpenError::PermissionDenied { address })));
    }

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

    #[test]
    fn a_feed_is_resumed_where_it_stopped() {
        let position: Position = "6251a3-42".parse().expect("a position");
        for (before, after) in [
            (None, "/?since=6251a3-42"),
            (Some("/channels/a"), "/channels/a?since=6251a3-42"),
            (Some("/a?since=all&slow=cut"), "/a?slow=cut&since=6251a3-42"),
        ] {
            let text = format!("ws://localhost:1{}", before.unwrap_or_default());
            let address = crate::address::Address::parse_connect(&text).expect("an address");
            let crate::address::Address::Ws(mut address) = address else { panic!("{text}") };
            resume(&mut address, position);
            assert_eq!(address.path.as_deref(), Some(after));
        }
    }

    #[test]
    fn a_reason_that_is_no_position_resumes_nothing() {
        let reason = |code, text: &str| position(&CloseReason::new(code, text));
        assert!(reason(CloseCode::SLOW, "6251a3-42").is_some());
        assert!(reason(CloseCode::GOING_AWAY, "6251a3-42").is_some());
        assert!(reason(CloseCode::GOING_AWAY, "restart").is_none());
        assert!(reason(CloseCode::NORMAL, "6251a3-42").is_none());
    }
}
