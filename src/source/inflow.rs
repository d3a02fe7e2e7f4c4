//! Messages that somebody else reads, a thread or a task, until the source is asked for them.

use std::collections::VecDeque;

use enchufe_core::Message;
use tokio::sync::mpsc;

/// Where readers put what they have read. They wait while it is full, and so does who writes to
/// them: a source is read as fast as it is published.
pub(super) type Outflow = mpsc::Sender<Vec<Message>>;

/// What readers have read, in the order in which they have put it here.
#[derive(Debug)]
pub(super) struct Inflow {
    batches: mpsc::Receiver<Vec<Message>>,
    batch: VecDeque<Message>,
}

impl Inflow {
    /// A way from readers to the source on which so many batches may wait. What one read yields is a
    /// batch, which keeps its order and has nothing of others in between.
    pub(super) fn new(batches_max: usize) -> (Outflow, Self) {
        let (outflow, batches) = mpsc::channel(batches_max);
        (outflow, Self { batches, batch: VecDeque::new() })
    }

    /// The next message; `None` once no reader is left. Cancel-safe.
    pub(super) async fn next(&mut self) -> Option<Message> {
        loop {
            if let Some(message) = self.batch.pop_front() {
                return Some(message);
            }
            self.batch = self.batches.recv().await?.into();
        }
    }

    /// Takes nothing more from the readers, and counts what they had read for nobody.
    pub(super) fn close(&mut self) -> usize {
        self.batches.close();
        let mut unread = std::mem::take(&mut self.batch).len();
        while let Ok(batch) = self.batches.try_recv() {
            unread += batch.len();
        }
        unread
    }
}
