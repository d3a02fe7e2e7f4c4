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
    /// Whether accepting has failed since it last went well.
    is_failing: bool,
    /// Whether that was said, and its end is to be said too.
    is_said: bool,
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

    /// Begins a rest after an error, unless it concerned one connection alone. However long it goes
    /// on, it is said once.
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
        if std::mem::replace(&mut self.is_failing, true) {
            return;
        }
        if let Some(withheld) = self.throttle.warn() {
            self.is_said = true;
            tracing::warn!(%error, withheld, "cannot accept connections: they wait");
        }
    }

    /// A connection was accepted.
    pub(super) fn end(&mut self) {
        self.is_failing = false;
        if std::mem::take(&mut self.is_said) {
            tracing::warn!("connections are accepted again");
        }
    }
}
