//! What happens on a server, told to whoever shows it.
//!
//! The library prints nothing. Whoever wants to see what a server does hands in an [`Observer`]
//! and puts its events into words.

use std::{fmt, sync::Arc};

use enchufe_core::Message;

use super::ServiceError;
#[cfg(unix)]
use crate::transport::child::Status;
use crate::{address::Address, transport::Peer};

/// Something that happened on a server.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// It takes connections on this address, with the port that was chosen.
    Listening(&'a Address),
    /// A client connected.
    Connected(&'a Peer),
    /// A client was turned away, because this many were being served already.
    Refused {
        /// The client.
        peer: &'a Peer,
        /// How many clients may be served at the same time.
        connections_max: usize,
    },
    /// The service received a message that it wants to be seen.
    Received {
        /// Where from.
        peer: &'a Peer,
        /// The message. It came from a stranger: escape it before it is shown on a terminal.
        message: &'a Message,
    },
    /// The service sent a message that it wants to be seen.
    Sent {
        /// Where to.
        peer: &'a Peer,
        /// The message. It may repeat what came from a stranger.
        message: &'a Message,
    },
    /// The program that ran for a client has ended by itself.
    #[cfg(unix)]
    Ended {
        /// The client.
        peer: &'a Peer,
        /// How it ended.
        status: &'a Status,
    },
    /// A client is no longer served.
    Closed {
        /// The client.
        peer: &'a Peer,
        /// Why, when neither the client nor the server meant it to end.
        error: Option<&'a ServiceError>,
    },
    /// These clients did not leave in time and were dropped at the end.
    Dropped(usize),
}

type Tell = dyn Fn(&Event<'_>) + Send + Sync;

/// Is told each [`Event`] as it happens. The default one does not listen.
#[derive(Clone, Default)]
pub struct Observer(Option<Arc<Tell>>);

impl Observer {
    /// Calls `tell` for each event, on the task or the shard it happens on: it must not wait, or
    /// every client of the shard does.
    pub fn new(tell: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(tell)))
    }

    /// Tells that `event` happened.
    pub fn tell(&self, event: &Event<'_>) {
        if let Some(tell) = &self.0 {
            tell(event);
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Observer").field(&self.0.is_some()).finish()
    }
}
