//! Sends each client what a source of its own yields: the tutorial's clock and number servers.

use enchufe_core::ws::{CloseCode, CloseReason};

use super::{Event, Observer, Service, ServiceError, part};
use crate::{
    limits,
    shutdown::Shutdown,
    source::Source,
    transport::{Connection, Framing, SendError},
};

/// Gives each client a source of its own, made when it connects; on streams, one message a line.
///
/// What a client sends is read, so that its leaving is noticed at once, and ignored.
#[derive(Debug, Clone)]
pub struct Feed<F> {
    source: F,
    count: Option<u64>,
    observer: Observer,
}

impl<F> Feed<F> {
    /// A service that makes sources by calling `source` and tells `observer` each message sent.
    pub fn new(source: F, observer: Observer) -> Self {
        Self { source, count: None, observer }
    }

    /// The same service, which closes once a client has had so many messages: one time, and it is
    /// the daytime service of RFC 867.
    pub fn up_to(self, count: Option<u64>) -> Self {
        Self { count, ..self }
    }
}

impl<F, S> Service for Feed<F>
where
    F: Fn() -> S + Send + Sync,
    S: Source + Send,
{
    async fn serve(&self, connection: Connection, shutdown: Shutdown) -> Result<(), ServiceError> {
        let mut connection = connection.with_framing(Framing::Lines);
        let peer = connection.peer().clone();
        let mut source = (self.source)();
        // A stream whose peer has nothing to say is still read by it.
        let ends_with_input = !connection.is_stream();
        let (mut is_reading, mut is_writing) = (true, true);
        let mut left = self.count;
        loop {
            let next = tokio::select! {
                () = shutdown.requested() => break,
                received = connection.recv(), if is_reading => {
                    is_reading = received?.is_some();
                    if !is_reading && ends_with_input {
                        break;
                    }
                    continue;
                }
                next = next(&mut source, left), if is_writing => next,
            };
            let Some(message) = next else {
                if !ends_with_input {
                    return part_from_stream(connection).await;
                }
                let reason = CloseReason { code: CloseCode::NORMAL, reason: String::new() };
                return Ok(connection.close(reason).await?);
            };
            // Sending to a client that does not read must not keep the server from ending.
            let sending = async { connection.send(message.clone()).await.map(Some) };
            match shutdown.or(sending).await {
                Ok(Some(())) => left = left.map(|left| left - 1),
                Ok(None) => break,
                // It closes, or was told what it broke and may take its time to read that.
                // Receiving sees to it, and says how it ended.
                Err(SendError::Closed { .. }) if is_reading && ends_with_input => {
                    is_writing = false;
                    continue;
                }
                Err(error) => return Err(error.into()),
            }
            self.observer.tell(&Event::Sent { peer: &peer, message: &message });
        }
        part(connection, &shutdown).await
    }
}

/// The next message of those that are left.
async fn next(source: &mut impl Source, left: Option<u64>) -> Option<enchufe_core::Message> {
    if left == Some(0) { None } else { source.next().await }
}

/// Ends a stream without losing what was sent last: to close on what the client has sent and nobody
/// has read would reset the connection.
async fn part_from_stream(mut connection: Connection) -> Result<(), ServiceError> {
    connection.finish().await?;
    let read = async { while let Ok(Some(_)) = connection.recv().await {} };
    // Whoever stays is dropped.
    let _ = tokio::time::timeout(limits::LINGER, read).await;
    Ok(())
}
