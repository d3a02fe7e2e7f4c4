//! One direction of a connection: what one side sends is sent to the other.

use std::{io, sync::Arc};

use enchufe_core::Message;
use tokio_util::sync::CancellationToken;

use super::{Moved, activity::Activity, copy, ending::End, journal::Journal};
use crate::{
    limits::{GATHERED_BYTES_MAX, RELAY_DATAGRAM_BYTES},
    recording::{Direction, Kind, What},
    transport::{Incoming, Nature, Outgoing, Peer, RecvError, SendError},
};

/// One end of a lane.
#[derive(Debug, Clone)]
pub(super) struct Stop {
    pub(super) nature: Nature,
    pub(super) peer: Peer,
    /// Whether it is a stream that is cut into messages.
    pub(super) is_framed: bool,
}

impl Stop {
    fn is_raw(&self) -> bool {
        self.nature == Nature::Stream && !self.is_framed
    }
}

/// Where what passes is noted.
#[derive(Debug, Clone)]
pub(super) struct Log {
    pub(super) journal: Option<Journal>,
    pub(super) number: u64,
}

impl Log {
    pub(super) async fn note(&self, what: What) {
        if let Some(journal) = &self.journal {
            journal.note(self.number, what).await;
        }
    }
}

/// One direction of a connection.
pub(super) struct Lane {
    pub(super) direction: Direction,
    pub(super) from: Stop,
    pub(super) to: Stop,
    pub(super) incoming: Incoming,
    pub(super) outgoing: Outgoing,
    /// Whether what has no kind becomes binary messages.
    pub(super) is_binary: bool,
    pub(super) activity: Arc<Activity>,
    pub(super) log: Log,
}

/// A lane that has come to its end, and how.
pub(super) struct Ended {
    pub(super) from: Stop,
    pub(super) to: Stop,
    pub(super) direction: Direction,
    pub(super) incoming: Incoming,
    /// Nothing once it was closed.
    pub(super) outgoing: Option<Outgoing>,
    pub(super) moved: Moved,
    pub(super) end: End,
}

impl Lane {
    /// Carries until there is nothing more to carry, or until it is to stop.
    ///
    /// # Cancel safety
    ///
    /// Not safe, which is what `stop` is for: both halves come back whatever happens.
    pub(super) async fn run(mut self, stop: CancellationToken) -> Ended {
        let mut tally = Tally::new(Arc::clone(&self.activity));
        let end = stop.run_until_cancelled(self.carry(&mut tally)).await;
        let end = end.unwrap_or(End::Stopped { is_midway: tally.is_midway });
        let Self { direction, from, to, incoming, outgoing, .. } = self;
        Ended { from, to, direction, incoming, outgoing: Some(outgoing), moved: tally.moved, end }
    }

    async fn carry(&mut self, tally: &mut Tally) -> End {
        if self.log.journal.is_none()
            && let (Some(from), Some(to)) = (self.incoming.bare(), self.outgoing.bare())
        {
            return match copy::copy(from, to, tally).await {
                copy::End::Finished => End::Finished(None),
                copy::End::Unread(error) => End::Broken(RecvError::from_io(&self.from.peer, error)),
                copy::End::Undelivered(error) => {
                    End::Undeliverable(SendError::from_io(&self.to.peer, error))
                }
            };
        }
        match self.messages(tally).await {
            Ok(end) => end,
            Err(error) => End::Undeliverable(error),
        }
    }

    /// Whatever is ready together leaves together.
    async fn messages(&mut self, tally: &mut Tally) -> Result<End, SendError> {
        let mut ready = None;
        loop {
            let received = match ready.take() {
                Some(received) => received,
                None => self.incoming.recv().await,
            };
            match received {
                Ok(Some(message)) => self.pass(message, tally).await?,
                Ok(None) => {
                    self.deliver(tally).await?;
                    return Ok(End::Finished(self.incoming.closed_with().cloned()));
                }
                // The next datagram is none the worse for it.
                Err(error) if self.from.nature == Nature::Datagram && is_passing(&error) => {
                    tracing::debug!(%error, "a datagram was lost");
                    tally.moved.lost += 1;
                }
                Err(error) => {
                    // What came before it is good.
                    self.deliver(tally).await?;
                    return Ok(End::Broken(error));
                }
            }
            tokio::select! {
                biased;
                received = self.incoming.recv() => ready = Some(received),
                () = std::future::ready(()) => self.deliver(tally).await?,
            }
        }
    }

    /// Hands one message on.
    async fn pass(&mut self, message: Message, tally: &mut Tally) -> Result<(), SendError> {
        let message = self.of_a_kind(message);
        tally.begin();
        if self.log.journal.is_some() {
            let kind = if self.from.is_raw() { Kind::Bytes } else { message.kind.into() };
            let (direction, payload) = (self.direction, message.payload.clone());
            self.log.note(What::Payload { direction, kind, payload }).await;
        }
        if !(self.from.is_raw() && self.to.nature == Nature::Datagram) {
            return self.put(message, tally).await;
        }
        let Message { kind, mut payload } = message;
        while !payload.is_empty() {
            let piece = payload.split_to(payload.len().min(RELAY_DATAGRAM_BYTES));
            self.put(Message { kind, payload: piece }, tally).await?;
        }
        Ok(())
    }

    /// The message with the kind that the other side is to see.
    fn of_a_kind(&self, message: Message) -> Message {
        match self.from.nature {
            Nature::Ws => message,
            _ if self.is_binary || self.from.is_raw() => message,
            _ => Message::detect(message.payload),
        }
    }

    async fn put(&mut self, message: Message, tally: &mut Tally) -> Result<(), SendError> {
        let bytes = message.payload.len();
        // To gather is to copy, which pays for short ones.
        let is_gathered = match self.to.nature {
            Nature::Ws => true,
            Nature::Stream => bytes < GATHERED_BYTES_MAX / 4,
            Nature::Datagram => false,
        };
        let sent = match is_gathered {
            true => self.outgoing.feed(message).await,
            false => self.outgoing.send(message).await,
        };
        match sent {
            Ok(()) => {
                tally.moved.bytes += bytes as u64;
                tally.moved.messages += u64::from(!(self.from.is_raw() && self.to.is_raw()));
                Ok(())
            }
            Err(SendError::Closed { peer }) => Err(SendError::Closed { peer }),
            Err(error) if self.to.nature == Nature::Datagram => {
                tracing::debug!(%error, "a datagram was lost");
                tally.moved.lost += 1;
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Sends what was gathered.
    async fn deliver(&mut self, tally: &mut Tally) -> Result<(), SendError> {
        self.outgoing.flush().await?;
        tally.end();
        Ok(())
    }
}

/// Whether the next datagram may well be received.
fn is_passing(error: &RecvError) -> bool {
    match error {
        RecvError::Refused { .. } | RecvError::DatagramTooLong { .. } => true,
        RecvError::Io { error, .. } => {
            matches!(
                error.kind(),
                io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable
            )
        }
        _ => false,
    }
}

/// What a lane has carried so far, and whether it is in the middle of something.
pub(super) struct Tally {
    pub(super) moved: Moved,
    is_midway: bool,
    activity: Arc<Activity>,
}

impl Tally {
    pub(super) fn new(activity: Arc<Activity>) -> Self {
        Self { moved: Moved::default(), is_midway: false, activity }
    }

    /// Something came that is to be delivered.
    pub(super) fn begin(&mut self) {
        self.activity.touch();
        if !self.is_midway {
            self.is_midway = true;
            self.activity.begin();
        }
    }

    /// A part of it was delivered.
    pub(super) fn delivered(&mut self, bytes: usize) {
        self.moved.bytes += bytes as u64;
        self.activity.touch();
    }

    /// All that came was delivered.
    pub(super) fn end(&mut self) {
        if self.is_midway {
            self.is_midway = false;
            self.activity.end();
        }
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        self.end();
    }
}
