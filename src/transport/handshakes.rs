//! Clients between being accepted and being served: each shakes hands in its own time and keeps no
//! other waiting.

use std::future::Future;

use tokio::task::JoinSet;

use super::{
    Peer,
    carrier::{self, Carrier},
    throttle::Throttle,
};
use crate::limits;

/// The handshakes of one listener that go on, or are done and wait to be accepted.
#[derive(Debug)]
pub(super) struct Handshakes<T> {
    /// An outcome of `None` was a client that wanted something else, or asked badly.
    under_way: JoinSet<Option<T>>,
    throttle: Throttle,
}

impl<T> Default for Handshakes<T> {
    fn default() -> Self {
        Self { under_way: JoinSet::new(), throttle: Throttle::default() }
    }
}

impl<T: Send + 'static> Handshakes<T> {
    /// The next client whose handshake succeeded. Everyone that `listener` takes begins one with
    /// `admit`, which says `None` of whoever is no client.
    ///
    /// # Cancel safety
    ///
    /// Safe: handshakes are kept for the next call. Dropping them ends them.
    pub(super) async fn accept<F>(
        &mut self,
        listener: &mut carrier::Listener,
        admit: impl Fn(Carrier, Peer) -> F,
    ) -> T
    where
        F: Future<Output = Option<T>> + Send + 'static,
    {
        loop {
            tokio::select! {
                Some(outcome) = self.under_way.join_next() => {
                    if let Ok(Some(client)) = outcome {
                        return client;
                    }
                }
                (carrier, peer) = listener.accept(), if self.has_room() => {
                    self.begin(admit(carrier, peer));
                }
            }
        }
    }

    /// Whether a further one may begin. While none may, further clients wait in the kernel.
    fn has_room(&self) -> bool {
        self.under_way.len() < limits::HANDSHAKES_MAX
    }

    fn begin(&mut self, handshake: impl Future<Output = Option<T>> + Send + 'static) {
        self.under_way.spawn(handshake);
        if !self.has_room()
            && let Some(withheld) = self.throttle.warn()
        {
            let handshakes_max = limits::HANDSHAKES_MAX;
            tracing::warn!(handshakes_max, withheld, "too many handshakes: others have to wait");
        }
    }

    /// Those that succeed within [`limits::LATE_HANDSHAKES_TIMEOUT`]; the others are dropped.
    pub(super) async fn late(mut self) -> Vec<T> {
        let mut late = Vec::new();
        let finish = async {
            while let Some(outcome) = self.under_way.join_next().await {
                late.extend(outcome.ok().flatten());
            }
        };
        // Whoever has not even asked by then is simply disconnected.
        let _ = tokio::time::timeout(limits::LATE_HANDSHAKES_TIMEOUT, finish).await;
        late
    }
}
