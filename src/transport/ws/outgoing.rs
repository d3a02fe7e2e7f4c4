//! The sending half of a WebSocket.

use std::sync::Arc;

use enchufe_core::{Message, ws::CloseReason};
use tokio::time::{Instant, sleep_until};

use super::shared::Shared;
use crate::{limits, transport::SendError};

/// The sending half.
#[derive(Debug)]
pub(crate) struct Outgoing {
    shared: Arc<Shared>,
}

impl Outgoing {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Sends one message, behind those that were [fed](Self::feed), and waits until the system has
    /// taken all of it.
    ///
    /// # Errors
    ///
    /// [`SendError::Closed`] once either side has closed, [`SendError::TimedOut`] when the peer
    /// has taken nothing for as long as it may, or an I/O error.
    ///
    /// # Cancel safety
    ///
    /// Dropped while earlier messages fill the queue, nothing of this one is sent. Dropped later,
    /// it goes out whole, before whatever is sent next.
    pub(crate) async fn send(&mut self, message: Message) -> Result<(), SendError> {
        self.feed(message).await?;
        self.flush().await
    }

    /// Queues one message, to leave together with what is fed behind it: when
    /// [flushed](Self::flush), when the other half of the connection waits, or when
    /// [`limits::GATHERED_BYTES_MAX`] wait already, which are then sent first.
    ///
    /// # Errors
    ///
    /// As [`Self::send`].
    ///
    /// # Cancel safety
    ///
    /// Safe: the message is queued whole or not at all.
    pub(crate) async fn feed(&mut self, message: Message) -> Result<(), SendError> {
        // A peer that always takes what we send must not keep other tasks waiting.
        tokio::task::consume_budget().await;
        let mut message = Some(message);
        while !self.queue(&mut message)? {
            self.room().await?;
        }
        Ok(())
    }

    /// Waits until the system has taken all that was fed.
    ///
    /// # Errors
    ///
    /// As [`Self::send`], except that a connection that is closing is flushed, too.
    ///
    /// # Cancel safety
    ///
    /// Safe: what is left goes out before whatever is sent next.
    pub(crate) async fn flush(&mut self) -> Result<(), SendError> {
        while !self.shared.flush()? {
            self.room().await?;
        }
        Ok(())
    }

    /// Queues the message if there is room, which may have to be made first. False when there is
    /// none.
    fn queue(&self, message: &mut Option<Message>) -> Result<bool, SendError> {
        let Shared { stream, peer, .. } = &*self.shared;
        let failed = |error| SendError::from_io(peer, error);
        self.shared.write(|writer| {
            if writer.is_closing() {
                return Err(SendError::Closed { peer: peer.clone() });
            }
            writer.failure().map_or(Ok(()), |error| Err(failed(error)))?;
            if writer.is_full() && !writer.flush(stream).map_err(failed)? {
                return Ok(false);
            }
            if let Some(message) = message.take() {
                writer.put(message);
            }
            Ok(true)
        })
    }

    /// Sends a Close frame after whatever was begun, and no more. The answer is for the other half
    /// to receive, which ends whether it comes or not.
    ///
    /// # Errors
    ///
    /// [`SendError::TimedOut`] when the frame did not go out in time, or an I/O error.
    ///
    /// # Cancel safety
    ///
    /// The other half still tries to send the frame.
    pub(crate) async fn close(&self, reason: &CloseReason) -> Result<(), SendError> {
        self.shared.begin_close(Some(reason));
        let deadline = self.shared.close_deadline().unwrap_or_else(Instant::now);
        while !self.shared.flush()? {
            tokio::select! {
                // An error here is one of writing, which flushing reports.
                _ = self.shared.stream.writable() => {}
                () = sleep_until(deadline) => {
                    let peer = self.shared.peer.clone();
                    return Err(SendError::TimedOut { peer, timeout: limits::CLOSE_TIMEOUT });
                }
            }
        }
        Ok(())
    }

    /// Waits until the socket may take more.
    async fn room(&self) -> Result<(), SendError> {
        let blocked_since = || self.shared.write(|writer| writer.blocked_since());
        let since = blocked_since();
        let keepalive = self.shared.keepalive;
        let gone_at = keepalive.zip(since).map(|(keepalive, since)| since + keepalive.dead_after);
        tokio::select! {
            _ = self.shared.stream.writable() => Ok(()),
            () = sleep_until(gone_at.unwrap_or_else(Instant::now)), if gone_at.is_some() => {
                if blocked_since() != since {
                    return Ok(());
                }
                self.shared.give_up();
                let timeout = keepalive.unwrap_or_default().dead_after;
                Err(SendError::TimedOut { peer: self.shared.peer.clone(), timeout })
            }
        }
    }
}
