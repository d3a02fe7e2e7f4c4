//! What a server does with one client: the trait and the services of the tutorial.
//!
//! A service owns one connection from its first message to its end and does not know how it was
//! reached; `serve` accepts connections and gives each of them to the service, in a task of its
//! own. Where a service has a [`Handler`], its WebSocket clients live on shards instead, and where
//! it has a [`StreamHandler`], its clients of streams.

mod discard;
mod echo;
#[cfg(unix)]
mod exec;
mod feed;
mod greet;
mod guests;
mod handler;
mod observer;

use std::sync::Arc;

use enchufe_core::ws::{CloseCode, CloseReason};

use crate::{
    shutdown::Shutdown,
    transport::{Connection, Peer, RecvError, SendError},
};

pub use discard::Discard;
pub use echo::Echo;
#[cfg(unix)]
pub use exec::{Complaint, Exec, ExecRules};
pub use feed::Feed;
pub use greet::{Greet, Greeting, ParseGreetingError};
pub(crate) use guests::Hall;
pub use handler::{Flow, Handler, Replies, StreamHandler};
pub use observer::{Event, Observer};

/// What a server does with each client.
///
/// A new service is one file, one `mod` and one `pub use` here.
pub trait Service {
    /// Serves one client until it leaves, or until `shutdown` is requested: then the client is
    /// told and the future ends soon. One that does not is dropped, see
    /// [`limits::DRAIN_TIMEOUT`](crate::limits::DRAIN_TIMEOUT).
    ///
    /// # Errors
    ///
    /// Ends the connection of this client only, and is reported as [`Event::Closed`].
    ///
    /// # Cancel safety
    ///
    /// Need not be cancel-safe: when it is dropped, the client is gone with it.
    fn serve(
        &self,
        connection: Connection,
        shutdown: Shutdown,
    ) -> impl Future<Output = Result<(), ServiceError>> + Send;

    /// As [`Service::serve`], which it calls unless a service has its own. It is called for each
    /// client as soon as that is accepted and before the next one is: what is done before the
    /// future is given back is done in the order in which clients come.
    fn welcome(
        self: Arc<Self>,
        connection: Connection,
        shutdown: Shutdown,
    ) -> impl Future<Output = Result<(), ServiceError>> + Send + 'static
    where
        Self: Sized + Send + Sync + 'static,
    {
        async move { self.serve(connection, shutdown).await }
    }

    /// The hot form of the service for a client, if it has one: WebSocket clients are then served
    /// by it, in the table of a shard, and not by [`Service::serve`]. Both must do the same.
    fn handler(&self, peer: &Peer) -> Option<Box<dyn Handler>> {
        let _ = peer;
        None
    }

    /// The same for clients of a stream.
    fn stream_handler(&self, peer: &Peer) -> Option<Box<dyn StreamHandler>> {
        let _ = peer;
        None
    }
}

/// Why a client was not served to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// Receiving failed.
    #[error(transparent)]
    Recv(#[from] RecvError),
    /// Sending failed.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The service itself failed.
    #[error(transparent)]
    Failed(#[from] Box<dyn std::error::Error + Send + Sync>),
}

/// Ends a connection as its service ends: told why when the server is going away, else just let
/// go of, because then the peer was the one to close.
async fn part(connection: Connection, shutdown: &Shutdown) -> Result<(), ServiceError> {
    if shutdown.is_requested() {
        let reason = CloseReason { code: CloseCode::GOING_AWAY, reason: String::new() };
        connection.close(reason).await?;
    }
    Ok(())
}
