//! How the control plane speaks to a shard: a bounded queue with a waker.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use enchufe_core::{
    ChannelName, End, ErrorCode, Position, Publication,
    fanout::{Page, ReaderId, SubscriptionId},
};

use super::{
    broker::{Claim, Start},
    clerk::Answer,
    figures::Inquiry,
    node::Viewer,
};

/// What a shard is told.
pub(super) enum Letter {
    /// A connection comes in.
    Viewer(Viewer),
    /// The channel's tail begins, or begins again, here; so long may a message wait for others.
    Attached(ChannelName, Position, Duration),
    /// The channel's next messages.
    Publications(ChannelName, Vec<Arc<Publication>>),
    /// Nothing more will come.
    Ended(ChannelName, Arc<End>),
    /// Where a subscription begins, and that publishers wait for it, where they do.
    Started(SubscriptionId, Start, Option<Claim>),
    /// Why a subscription does not begin.
    Refused(SubscriptionId, ErrorCode, String),
    /// History that was asked for.
    Page(SubscriptionId, Page),
    /// What a reader in this row said has been published, or it has taken what it was answered: it
    /// may say more.
    Published(usize),
    /// The answer to what a viewer asked of the control plane.
    Answer(ReaderId, Answer),
    /// There is news of who reads the channel.
    Presence(ChannelName),
    /// Publishers wait, and want to know how far the readers are.
    Question,
    /// Somebody outside wants to know how the readers are.
    Inquiry(Inquiry),
    /// Tell the viewers and end.
    Shutdown,
}

/// A shard's inbox. Publications are bounded in number; everything else is bounded by what it
/// answers: one page per subscription, one viewer per accepted connection.
pub(super) struct Inbox {
    queue: Mutex<Queue>,
    publications_max: usize,
    waker: Arc<mio::Waker>,
}

#[derive(Default)]
struct Queue {
    letters: Vec<Letter>,
    publications: usize,
}

impl Inbox {
    pub(super) fn new(waker: Arc<mio::Waker>, publications_max: usize) -> Self {
        Self { queue: Mutex::default(), publications_max, waker }
    }

    pub(super) fn post(&self, letter: Letter) {
        let mut queue = self.queue();
        queue.letters.push(letter);
        self.wake_after(queue);
    }

    /// Posts publications if there is room; `false` when the shard is behind.
    pub(super) fn offer(&self, channel: &ChannelName, items: &[Arc<Publication>]) -> bool {
        let mut queue = self.queue();
        if queue.publications > 0 && queue.publications + items.len() > self.publications_max {
            return false;
        }
        queue.publications += items.len();
        queue.letters.push(Letter::Publications(channel.clone(), items.to_vec()));
        self.wake_after(queue);
        true
    }

    /// Whether no publications wait.
    pub(super) fn is_clear(&self) -> bool {
        self.queue().publications == 0
    }

    /// Everything that has come, in order; `letters` is given back as the next queue.
    pub(super) fn take(&self, letters: &mut Vec<Letter>) {
        letters.clear();
        let mut queue = self.queue();
        queue.publications = 0;
        std::mem::swap(&mut queue.letters, letters);
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake_after(&self, queue: MutexGuard<'_, Queue>) {
        let first = queue.letters.len() == 1;
        drop(queue);
        if first {
            let woken: io::Result<()> = self.waker.wake();
            if let Err(error) = woken {
                tracing::error!(%error, "a shard cannot be woken");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use enchufe_core::{Epoch, MessageRef};

    use super::*;
    use crate::limits;

    fn items(count: usize) -> Vec<Arc<Publication>> {
        let message = MessageRef { kind: enchufe_core::Kind::Text, payload: b"x" };
        let position = Position::new(Epoch(1), 1);
        let publication = Publication::new(position, jiff::Timestamp::UNIX_EPOCH, message);
        let publication = Arc::new(publication);
        vec![publication; count]
    }

    #[test]
    fn so_many_publications_wait_and_no_more_until_they_are_taken() {
        let poll = mio::Poll::new().expect("an event queue");
        let waker = mio::Waker::new(poll.registry(), mio::Token(0)).expect("a waker");
        let (inbox, channel) =
            (Inbox::new(Arc::new(waker), limits::INBOX_LEN_MAX), "feed".parse().expect("a name"));
        assert!(inbox.is_clear());
        assert!(inbox.offer(&channel, &items(limits::INBOX_LEN_MAX - 1)));
        assert!(!inbox.offer(&channel, &items(2)), "that is one too many");
        assert!(inbox.offer(&channel, &items(1)));
        assert!(!inbox.offer(&channel, &items(1)));
        // What is no publication answers a question, and has to arrive.
        inbox.post(Letter::Shutdown);
        let mut letters = Vec::new();
        inbox.take(&mut letters);
        assert_eq!(letters.len(), 3);
        assert!(inbox.is_clear() && inbox.offer(&channel, &items(limits::INBOX_LEN_MAX + 1)));
    }
}
