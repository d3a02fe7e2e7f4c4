//! What the end of one side means for the other.
//!
//! | One side | The other is a stream | The other is a WebSocket |
//! |---|---|---|
//! | a stream says that nothing more comes | is told the same; its answers go on | is closed (1000) once nothing came from it for a while |
//! | a WebSocket closes | ends, once all is delivered | is closed with the same code and reason |
//! | breaks off | is reset | is closed (1014) |
//! | takes nothing more | ends when what it still sent is delivered | the same |
//!
//! A stream that ends well has delivered everything; one that is reset has not. So what was cut off
//! never looks like a whole.

use std::time::Duration;

use crate::transport::{CloseCode, CloseReason, Nature, OpenError, RecvError, SendError};

/// Why one direction carries nothing more.
#[derive(Debug)]
pub(super) enum End {
    /// Nothing more comes, and all is delivered. WebSockets may have said why.
    Finished(Option<CloseReason>),
    /// Its sender is gone, or nothing more can be understood of it.
    Broken(RecvError),
    /// Its receiver takes nothing more.
    Undeliverable(SendError),
    /// It was to stop.
    Stopped {
        /// Not all that came was delivered.
        is_midway: bool,
    },
}

impl End {
    fn is_midway(&self) -> bool {
        matches!(self, Self::Stopped { is_midway: true } | Self::Undeliverable(_))
    }
}

/// What ends a connection from outside.
#[derive(Debug, Clone, Copy)]
pub(super) enum Interruption {
    /// The relay ends.
    Shutdown,
    /// Nothing has moved for so long.
    Idle(Duration),
}

/// What a side is told in the end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Farewell {
    /// Nothing: it knows, or it is gone.
    Nothing,
    /// That it has everything. A WebSocket is told the reason.
    Close(CloseReason),
    /// That something is missing, and what happened.
    Abort(&'static str),
}

impl Farewell {
    /// What a WebSocket is told that is aborted: 1014, bad gateway.
    pub(super) fn bad_gateway(text: &str) -> CloseReason {
        CloseReason::new(CloseCode::new(1014).expect("1014 may be sent"), text)
    }
}

const BROKE_OFF: &str = "the other side broke the connection off";
const TOOK_NO_MORE: &str = "the other side closed before everything was delivered";
const ENDED_MIDWAY: &str = "the relay ends";

/// What both sides are told: first the one from which the `first` direction came, whose end was the
/// first; then the other one.
pub(super) fn farewells(
    from: Nature,
    first: &End,
    second: &End,
    interruption: Option<Interruption>,
) -> [Farewell; 2] {
    let close = |code, text: &str| Farewell::Close(CloseReason::new(code, text));
    if let Some(interruption) = interruption {
        let text = match interruption {
            Interruption::Shutdown => "",
            Interruption::Idle(_) => "nothing came for too long",
        };
        // What goes to a side is what comes from the other.
        return [second, first].map(|end| match end.is_midway() {
            true => Farewell::Abort(ENDED_MIDWAY),
            false => close(CloseCode::GOING_AWAY, text),
        });
    }
    let normal = || CloseReason::new(CloseCode::NORMAL, "");
    match (first, second) {
        (End::Broken(_), _) => [Farewell::Abort(BROKE_OFF), Farewell::Abort(BROKE_OFF)],
        // It said goodbye for both directions.
        (End::Finished(reason), _) if from != Nature::Stream => {
            [Farewell::Nothing, Farewell::Close(reason.clone().unwrap_or_else(normal))]
        }
        (End::Finished(_), End::Broken(_)) => [Farewell::Abort(BROKE_OFF), Farewell::Nothing],
        (End::Finished(_), End::Undeliverable(_)) => {
            [Farewell::Nothing, close(CloseCode::GOING_AWAY, "")]
        }
        (End::Finished(_), _) => [Farewell::Close(normal()), Farewell::Close(normal())],
        (_, End::Broken(_)) => [Farewell::Abort(BROKE_OFF), Farewell::Nothing],
        (_, End::Finished(Some(reason))) => [Farewell::Close(reason.clone()), Farewell::Nothing],
        // A stream that ends has no reason for having left something; most likely it was reset, which
        // the system says once, to whoever asks first.
        _ => [Farewell::Abort(TOOK_NO_MORE), Farewell::Abort(TOOK_NO_MORE)],
    }
}

/// The ends of both directions, in the order in which they explain: what a side that cannot be sent
/// to has said or done is why it cannot, whichever was found out first.
pub(super) fn causes_first<T>(mut ends: [(End, T); 2]) -> [(End, T); 2] {
    ends.sort_by_key(|(end, _)| matches!(end, End::Undeliverable(_)));
    ends
}

/// What a client is told of why the other side could not be connected to: what it may know, and no
/// address.
pub(super) fn refusal(error: &OpenError) -> &'static str {
    match error {
        OpenError::Refused { .. } => "the other side refused the connection",
        OpenError::TimedOut { .. } => "the other side did not answer in time",
        OpenError::Tls { .. } => "the other side is not trusted",
        OpenError::Refusal { .. } | OpenError::NoAnswer { .. } | OpenError::Handshake { .. } => {
            "the other side opened no WebSocket"
        }
        _ => "the other side cannot be reached",
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::transport::Peer;

    fn broken() -> End {
        End::Broken(RecvError::Reset { peer: Peer::Stdio })
    }

    fn undeliverable() -> End {
        let error = io::ErrorKind::BrokenPipe.into();
        End::Undeliverable(SendError::from_io(&Peer::Stdio, error))
    }

    fn closed(code: u16) -> CloseReason {
        CloseReason::new(CloseCode::new(code).expect("a code"), "why")
    }

    const STOPPED: End = End::Stopped { is_midway: false };

    #[test]
    fn a_close_code_is_carried_and_none_is_a_normal_one() {
        let end = End::Finished(Some(closed(4321)));
        let [x, y] = farewells(Nature::Ws, &end, &STOPPED, None);
        assert_eq!((x, y), (Farewell::Nothing, Farewell::Close(closed(4321))));
        let [_, y] = farewells(Nature::Ws, &End::Finished(None), &STOPPED, None);
        assert!(matches!(y, Farewell::Close(reason) if reason.code == CloseCode::NORMAL));
    }

    #[test]
    fn what_breaks_off_never_looks_like_a_whole() {
        for from in [Nature::Stream, Nature::Ws, Nature::Datagram] {
            let [_, y] = farewells(from, &broken(), &STOPPED, None);
            assert_eq!(y, Farewell::Abort(BROKE_OFF));
            // In answer to an end that was good, or after what could not be delivered.
            let [x, _] = farewells(Nature::Stream, &End::Finished(None), &broken(), None);
            assert_eq!(x, Farewell::Abort(BROKE_OFF));
            let [x, _] = farewells(from, &undeliverable(), &broken(), None);
            assert_eq!(x, Farewell::Abort(BROKE_OFF));
        }
    }

    #[test]
    fn who_closes_early_has_its_last_words_delivered() {
        let last = End::Finished(Some(closed(4000)));
        let [x, y] = farewells(Nature::Ws, &undeliverable(), &last, None);
        assert_eq!((x, y), (Farewell::Close(closed(4000)), Farewell::Nothing));
    }

    #[test]
    fn what_a_side_did_explains_why_it_cannot_be_sent_to() {
        for ends in [[undeliverable(), broken()], [broken(), undeliverable()]] {
            let [first, _] = causes_first(ends.map(|end| (end, ())));
            assert!(matches!(first, (End::Broken(_), ())));
        }
        let [first, _] = causes_first([(undeliverable(), 1), (undeliverable(), 2)]);
        assert_eq!(first.1, 1, "else it is what came first");
    }

    #[test]
    fn who_was_not_heard_to_the_end_is_told_so() {
        for from in [Nature::Stream, Nature::Ws] {
            let [x, _] = farewells(from, &undeliverable(), &End::Finished(None), None);
            assert_eq!(x, Farewell::Abort(TOOK_NO_MORE));
        }
    }

    #[test]
    fn who_is_interrupted_in_the_middle_of_something_is_told_that_it_is_not_whole() {
        let midway = End::Stopped { is_midway: true };
        let [x, y] = farewells(Nature::Stream, &midway, &STOPPED, Some(Interruption::Shutdown));
        assert!(matches!(x, Farewell::Close(reason) if reason.code == CloseCode::GOING_AWAY));
        assert_eq!(y, Farewell::Abort(ENDED_MIDWAY));
    }
}
