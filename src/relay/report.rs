//! What was relayed, counted.

use std::time::Duration;

use crate::{
    recording::Direction,
    transport::{CloseReason, OpenError, Peer, RecvError, SendError},
};

/// What went one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moved {
    /// In bytes of payload, without any framing.
    pub bytes: u64,
    /// Messages. What goes from stream to stream has none.
    pub messages: u64,
    /// Datagrams that could not be received or sent.
    pub lost: u64,
}

impl Moved {
    fn add(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.messages += other.messages;
        self.lost += other.lost;
    }
}

/// How a connection went.
#[derive(Debug)]
pub struct Report {
    /// Counted from 1.
    pub number: u64,
    /// Who was on the first side.
    pub peer: Peer,
    /// How long it stood.
    pub duration: Duration,
    /// From the first side to the second.
    pub forth: Moved,
    /// From the second side to the first.
    pub back: Moved,
    /// Which side closed as WebSockets do, and with what.
    pub closed: Option<(Direction, CloseReason)>,
    /// What went wrong, if anything.
    pub trouble: Option<Trouble>,
}

impl Report {
    pub(super) fn new(number: u64, peer: Peer) -> Self {
        Self {
            number,
            peer,
            duration: Duration::ZERO,
            forth: Moved::default(),
            back: Moved::default(),
            closed: None,
            trouble: None,
        }
    }
}

/// What went wrong with a connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Trouble {
    /// The second side could not be connected to.
    #[error(transparent)]
    Open(OpenError),
    /// A side broke off.
    #[error(transparent)]
    Recv(RecvError),
    /// A side did not take all that came for it.
    #[error(transparent)]
    Send(SendError),
    /// Nothing moved for too long.
    #[error("nothing came for {} s", _0.as_secs_f64())]
    Idle(Duration),
}

/// What a relay did, counted.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Relayed {
    /// How long it ran.
    pub duration: Duration,
    /// The connections that were relayed.
    pub connections: u64,
    /// Those that were turned away, because there were too many.
    pub refused: u64,
    /// Those with which something went wrong.
    pub failed: u64,
    /// Those that did not end in time at the end and were dropped.
    pub dropped: usize,
    /// From the first side to the second.
    pub forth: Moved,
    /// From the second side to the first.
    pub back: Moved,
    /// How the last connection to end went.
    pub last: Option<Report>,
}

impl Relayed {
    pub(super) fn add(&mut self, report: Report) {
        self.forth.add(report.forth);
        self.back.add(report.back);
        self.failed += u64::from(report.trouble.is_some());
        self.last = Some(report);
    }
}
