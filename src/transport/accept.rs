//! What an accept loop does when accepting fails: it says so, rests, and goes on.
//!
//! A server that runs out of descriptors must not end, and must not spin either: the connection it
//! could not take stays in the backlog and would wake it again at once.

use std::io;

use tokio::time::{Instant, sleep_until};

use super::throttle::Throttle;
use crate::limits::ACCEPT_PAUSE;

/// The rests of one accept loop.
#[derive(Debug, Default)]
pub(super) struct Rests {
    until: Option<Instant>,
    throttle: Throttle,
}

impl Rests {
    /// Waits until the current rest, if there is one, is over. Safe to cancel.
    pub(super) async fn wait(&mut self) {
        if let Some(until) = self.until {
            sleep_until(until).await;
            self.until = None;
        }
    }

    /// Begins a rest after an error, unless it concerned one connection alone.
    pub(super) fn begin(&mut self, error: &io::Error) {
        if matches!(
            error.kind(),
            io::ErrorKind::ConnectionAborted
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::Interrupted
        ) {
            tracing::debug!(%error, "a connection was gone before it was accepted");
            return;
        }
        self.until = Some(Instant::now() + ACCEPT_PAUSE);
        if let Some(withheld) = self.throttle.warn() {
            tracing::warn!(%error, withheld, "cannot accept connections");
        }
    }
}
