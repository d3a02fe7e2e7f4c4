//! The node: the broker, the shards, and the errands that shards have on the control plane.

use std::{
    io::{self, Write as _},
    net::Shutdown as Direction,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use enchufe_core::{
    ChannelName, Form, Position, Since, SlowPolicy,
    fanout::{self, Counts, SubscriptionId},
    presence::Snapshot,
    ws::{CloseCode, CloseReason, encode},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout_at},
};
use tokio_util::task::TaskTracker;

use super::{
    broker::{Broker, Claim, PageLimit, Publishers, ReadError, Start},
    clerk::Clerk,
    figures::{Asked, Figures, Following, Inquiry, Ledger, StreamForm},
    home,
    inbox::{Inbox, Letter},
    presence::{self, PresenceError, Readers, Reading, Watch},
    publishing, viewers,
};
use crate::{
    crowd::Seat,
    limits,
    shard::Patience,
    transport::{Plain, Socket},
};

/// How a node is started.
#[derive(Debug, Clone)]
pub struct NodeOptions {
    /// Threads that serve viewers; at least one.
    pub shards: usize,
    /// Viewers it has at the same time.
    pub viewers_max: usize,
    /// How long viewers are waited for.
    pub patience: Patience,
    /// What a shard keeps for its viewers.
    pub fanout: fanout::Limits,
    /// Publications that wait for a shard; beyond that it is behind and catches up from history.
    pub inbox_len_max: usize,
    /// A page of history that a viewer catches up with.
    pub page: PageLimit,
}

impl Default for NodeOptions {
    fn default() -> Self {
        let shards = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            shards,
            viewers_max: limits::VIEWERS_MAX,
            patience: Patience::default(),
            fanout: fanout::Limits {
                ring_len_max: limits::RING_LEN_MAX,
                ring_bytes_max: limits::RING_BYTES_MAX,
                outbox_bytes_max: limits::OUTBOX_BYTES_MAX,
                subscriptions_max: limits::SUBSCRIPTIONS_MAX,
            },
            inbox_len_max: limits::INBOX_LEN_MAX,
            page: PageLimit { len_max: limits::PAGE_LEN_MAX, bytes_max: limits::PAGE_BYTES_MAX },
        }
    }
}

/// A WebSocket connection after its handshake, on its way to a shard.
pub struct Viewer {
    /// The socket. Non-blocking.
    pub stream: Socket<Plain>,
    /// What was read beyond the handshake.
    pub leftover: Bytes,
    /// What it is here for.
    pub wish: Wish,
    /// Counts the viewer for as long as it is here.
    pub(super) place: Place,
}

impl Viewer {
    /// The wire form it reads.
    pub fn form(&self) -> Form {
        match self.wish {
            Wish::Raw(_) => Form::Raw,
            Wish::V1(_) => Form::V1,
        }
    }
}

/// What a viewer is here for.
#[derive(Debug)]
pub enum Wish {
    /// To read one channel.
    Raw(RawStart),
    /// To speak `enchufe.v1`, in which it says itself what it reads.
    V1(Rights),
}

/// What a viewer may do besides reading, as it was decided when it came.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rights {
    /// Publish to any channel. To one whose readers may publish it may in any case.
    pub publish: bool,
}

/// What a raw viewer reads, and from where.
#[derive(Debug)]
pub struct RawStart {
    /// The channel.
    pub channel: ChannelName,
    /// Where it begins.
    pub start: Start,
    /// What becomes of it when it does not keep up, if it chose.
    pub slow: Option<SlowPolicy>,
    /// Whether what it sends is published.
    pub publishes: bool,
    /// Where publishers wait for readers.
    claim: Option<Claim>,
}

impl RawStart {
    /// Where a viewer of `channel` begins that asks for `since`, and how it chose to be treated
    /// when it does not keep up. Cancel-safe.
    ///
    /// # Errors
    ///
    /// When there is no such channel.
    pub async fn resolve(
        broker: &Broker,
        channel: ChannelName,
        since: Since,
        slow: Option<SlowPolicy>,
    ) -> Result<Self, ReadError> {
        let start = broker.resolve(&channel, since).await?;
        let claim = claim(broker, &channel, &start, slow)?;
        let publishes = broker.options(&channel)?.publish == Publishers::Readers;
        Ok(Self { channel, start, slow, publishes, claim })
    }

    /// Takes what has publishers wait.
    pub(super) fn take_claim(&mut self) -> Option<Claim> {
        self.claim.take()
    }
}

/// Has publishers wait for a reader, where they do, unless it wants the newest alone.
fn claim(
    broker: &Broker,
    channel: &ChannelName,
    start: &Start,
    slow: Option<SlowPolicy>,
) -> Result<Option<Claim>, ReadError> {
    match slow.unwrap_or(start.slow) {
        SlowPolicy::Latest => Ok(None),
        SlowPolicy::Skip | SlowPolicy::Cut => broker.claim(channel, start.after, false),
        SlowPolicy::Block => broker.claim(channel, start.after, true),
    }
}

/// Why a viewer was not taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ViewError {
    /// As many as allowed are here.
    #[error("this server has its {0} viewers")]
    Full(usize),
    /// The server is ending.
    #[error("this server is ending")]
    Ending,
}

/// One of the places for viewers; free again when dropped.
#[derive(Debug)]
pub struct Place {
    viewers: Arc<AtomicUsize>,
    /// Counts it for its address, too.
    seat: Option<Arc<Seat>>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.viewers.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection over HTTP; counted until it is dropped.
#[derive(Debug)]
pub struct Talking(Arc<AtomicUsize>);

impl Drop for Talking {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How a node stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// WebSocket viewers.
    pub viewers: usize,
    /// Connections over HTTP.
    pub talking: usize,
    /// Viewers dropped because they showed no life or did not take the end of the connection.
    pub dropped: u64,
    /// Subscriptions, and readers over plain HTTP, that have not yet had everything through the
    /// end of their channel.
    pub unfinished: usize,
    /// Publications delivered to WebSocket viewers.
    pub delivered: u64,
    /// Gaps told to WebSocket viewers.
    pub gaps: u64,
    /// Publications left out for viewers of the newest only.
    pub conflated: u64,
    /// Viewers cut for being slow.
    pub cut: u64,
}

/// What a shard asks of the control plane.
pub(super) enum Errand {
    Attach {
        shard: usize,
        channel: ChannelName,
    },
    Detach {
        shard: usize,
        channel: ChannelName,
    },
    Resolve {
        shard: usize,
        subscription: SubscriptionId,
        channel: ChannelName,
        since: Since,
        slow: Option<SlowPolicy>,
        may_publish: bool,
    },
    History {
        shard: usize,
        subscription: SubscriptionId,
        channel: ChannelName,
        after: Position,
    },
    /// Deal with what a viewer asks.
    Employ(Clerk),
}

/// The broker and the shards of one process. Cloning it shares them.
#[derive(Clone)]
pub struct Node {
    broker: Broker,
    inboxes: Arc<[Arc<Inbox>]>,
    boards: Arc<[Arc<viewers::Board>]>,
    next_shard: Arc<AtomicUsize>,
    viewers: Arc<AtomicUsize>,
    talking: Arc<AtomicUsize>,
    ledger: Arc<Ledger>,
    readers: Arc<Readers>,
    viewers_max: Arc<AtomicUsize>,
    threads: TaskTracker,
    _ending: Arc<Ending>,
}

/// Ends the shards when the last clone of the node has gone.
struct Ending(Arc<[Arc<Inbox>]>);

impl Drop for Ending {
    fn drop(&mut self) {
        for inbox in self.0.iter() {
            inbox.post(Letter::Shutdown);
        }
    }
}

impl Node {
    /// Starts the shards. Must be called on a tokio runtime.
    ///
    /// # Errors
    ///
    /// When the system gives no event queue or no thread.
    pub fn start(broker: Broker, options: &NodeOptions) -> io::Result<Self> {
        let (errands, receiver) = mpsc::unbounded_channel();
        let (says, said) = mpsc::unbounded_channel();
        let threads = TaskTracker::new();
        let (mut inboxes, mut boards) = (Vec::new(), Vec::new());
        let shards = options.shards.max(1);
        let (readers, bell) = Readers::new(broker.clone(), shards);
        for index in 0..shards {
            let (errands, says, readers) = (errands.clone(), says.clone(), Arc::clone(&readers));
            let ways = viewers::Ways { errands, says, readers };
            let shard = viewers::shard(index, ways, options)?;
            inboxes.push(shard.tenant().inbox());
            boards.push(shard.tenant().board());
            // A plain thread, which no runtime waits for: the tracker only counts it.
            let running = threads.token();
            std::thread::Builder::new().name(format!("shard-{index}")).spawn(move || {
                shard.run();
                drop(running);
            })?;
        }
        tracing::info!(shards = inboxes.len(), viewers_max = options.viewers_max, "started");
        let inboxes: Arc<[_]> = inboxes.into();
        tokio::spawn(run_errands(broker.clone(), Arc::clone(&inboxes), options.page, receiver));
        tokio::spawn(broker.keep_expiring());
        tokio::spawn(presence::tell(Arc::downgrade(&readers), Arc::clone(&inboxes), bell));
        tokio::spawn(publishing::run(broker.clone(), Arc::clone(&inboxes), said));
        let ending = Arc::new(Ending(Arc::clone(&inboxes)));
        Ok(Self {
            broker,
            _ending: ending,
            inboxes,
            boards: boards.into(),
            next_shard: Arc::default(),
            viewers: Arc::default(),
            talking: Arc::default(),
            ledger: Arc::default(),
            readers,
            viewers_max: Arc::new(AtomicUsize::new(options.viewers_max)),
            threads,
        })
    }

    /// Where the channels are.
    pub fn broker(&self) -> &Broker {
        &self.broker
    }

    /// Takes a place for a viewer, before its handshake is answered.
    ///
    /// # Errors
    ///
    /// When there is none, or the server is ending.
    pub fn reserve(&self) -> Result<Place, ViewError> {
        if self.threads.is_closed() {
            return Err(ViewError::Ending);
        }
        let order = Ordering::Relaxed;
        let max = self.viewers_max.load(order);
        let taken =
            self.viewers.fetch_update(order, order, |count| (count < max).then(|| count + 1));
        let place = || Place { viewers: Arc::clone(&self.viewers), seat: None };
        taken.map(|_| place()).map_err(|_| ViewError::Full(max))
    }

    /// As [`Node::reserve`], for somebody whose connection is counted for its address until the
    /// viewer has gone.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn reserve_for(&self, seat: &Arc<Seat>) -> Result<Place, ViewError> {
        let mut place = self.reserve()?;
        place.seat = Some(Arc::clone(seat));
        Ok(place)
    }

    /// So many viewers may be here from now on. Whoever is here already stays.
    pub fn set_viewers_max(&self, viewers_max: usize) {
        self.viewers_max.store(viewers_max, Ordering::Relaxed);
    }

    /// Hands a WebSocket connection to a shard; the shards take turns. `stream` is non-blocking.
    ///
    /// # Errors
    ///
    /// When the server is ending; the viewer is told so as those are who were there before.
    pub fn view(
        &self,
        stream: impl Into<Socket<Plain>>,
        leftover: Bytes,
        wish: Wish,
        place: Place,
    ) -> Result<(), ViewError> {
        let mut stream = stream.into();
        if self.threads.is_closed() {
            turn_away(&mut stream, &wish);
            return Err(ViewError::Ending);
        }
        let shard = self.next_shard.fetch_add(1, Ordering::Relaxed) % self.inboxes.len();
        self.inboxes[shard].post(Letter::Viewer(Viewer { stream, leftover, wish, place }));
        Ok(())
    }

    /// Counts a reader over plain HTTP that begins after a position.
    pub fn follow(&self, channel: ChannelName, form: StreamForm, after: Position) -> Following {
        Following::new(&self.ledger, channel, form, after)
    }

    /// Counts a connection over HTTP.
    pub fn talk(&self) -> Talking {
        self.talking.fetch_add(1, Ordering::Relaxed);
        Talking(Arc::clone(&self.talking))
    }

    /// Counts a request that is refused with this code.
    pub fn refused(&self, code: &'static str) {
        self.ledger.refused(code);
    }

    /// How it stands in all detail. It asks each shard, at most for
    /// [`limits::SHARD_ANSWER_TIMEOUT`]. Cancel-safe: what was asked for in vain is counted the
    /// next time.
    pub async fn figures(&self) -> Figures {
        let shards = self.ask(Inquiry::Figures).await;
        let mut figures = self.ledger.sum(Asked { shards, channels: self.broker.channels() });
        figures.viewers = self.viewers.load(Ordering::Relaxed);
        figures.viewers_max = self.viewers_max.load(Ordering::Relaxed);
        figures.connections.http = self.talking.load(Ordering::Relaxed);
        figures.publish_latency = self.broker.meter().read();
        figures
    }

    /// Which shards do not answer within [`limits::SHARD_ANSWER_TIMEOUT`]. Cancel-safe.
    pub async fn silent_shards(&self) -> Vec<usize> {
        let signs = self.ask(Inquiry::Sign).await.into_iter().enumerate();
        signs.filter(|(_, sign)| sign.is_none()).map(|(shard, _)| shard).collect()
    }

    /// Asks all shards at once.
    async fn ask<T>(&self, inquiry: fn(oneshot::Sender<T>) -> Inquiry) -> Vec<Option<T>> {
        let asked: Vec<_> = self
            .inboxes
            .iter()
            .map(|inbox| {
                let (asker, answer) = oneshot::channel();
                inbox.post(Letter::Inquiry(inquiry(asker)));
                answer
            })
            .collect();
        let deadline = Instant::now() + limits::SHARD_ANSWER_TIMEOUT;
        let mut answers = Vec::with_capacity(asked.len());
        for answer in asked {
            answers.push(timeout_at(deadline, answer).await.ok().and_then(Result::ok));
        }
        answers
    }

    /// Has a reader of the control plane be among those who read a channel, until what is returned
    /// is dropped. The viewers of [`Node::view`] are among them by themselves.
    pub fn enter(&self, channel: ChannelName) -> Reading {
        self.readers.enter(channel)
    }

    /// Who reads a channel, over whatever wire form, as it was at most
    /// [`limits::PRESENCE_INTERVAL`] ago.
    ///
    /// # Errors
    ///
    /// When there is no such channel, or it does not say.
    pub fn presence(&self, channel: &ChannelName) -> Result<Snapshot, PresenceError> {
        Ok(self.readers.ask(channel)?.snapshot.clone())
    }

    /// Tells who reads a channel, and who comes and leaves.
    ///
    /// # Errors
    ///
    /// As [`Node::presence`].
    pub fn watch(&self, channel: &ChannelName) -> Result<Watch, PresenceError> {
        self.readers.permit(channel)?;
        Ok(self.readers.follow(channel.clone()))
    }

    /// How it stands, summed over the shards.
    pub fn stats(&self) -> Stats {
        let mut stats = Stats {
            viewers: self.viewers.load(Ordering::Relaxed),
            talking: self.talking.load(Ordering::Relaxed),
            unfinished: self.ledger.following(),
            ..Stats::default()
        };
        for board in self.boards.iter() {
            let (counts, dropped, unfinished): (Counts, u64, usize) = board.read();
            stats.dropped += dropped;
            stats.unfinished += unfinished;
            stats.delivered += counts.delivered;
            stats.gaps += counts.gaps;
            stats.conflated += counts.conflated;
            stats.cut += counts.cut;
        }
        stats
    }

    /// Closes every viewer's connection with 1001 and ends the shards. Returns once they have
    /// ended, which is bounded by [`limits::LINGER`]. Cancel-safe: the shards end all the same.
    pub async fn shutdown(&self) {
        if self.threads.close() {
            let viewers = self.viewers.load(Ordering::Relaxed);
            tracing::info!(viewers, "ending");
        }
        for inbox in self.inboxes.iter() {
            inbox.post(Letter::Shutdown);
        }
        self.threads.wait().await;
        tracing::info!("the shards have ended");
    }
}

#[cfg(test)]
mod tests;

/// Closes a connection with 1001 and, for a raw viewer, the position to resume after.
fn turn_away(stream: &mut Socket<Plain>, wish: &Wish) {
    let position = match wish {
        Wish::Raw(raw) => raw.start.after.to_string(),
        Wish::V1(_) => String::new(),
    };
    let mut frame = Vec::new();
    let reason = CloseReason::new(CloseCode::GOING_AWAY, position);
    encode::close(&mut frame, Some(&reason), None);
    // So little fits into a socket to which nothing was sent but the answer to its handshake, and
    // whoever has left already need not be told.
    let _ = stream
        .write_all(&frame)
        .and_then(|()| stream.close())
        .and_then(|()| stream.get_mut().shutdown(Direction::Write));
}

/// Runs the errands of all shards until the last shard has ended.
async fn run_errands(
    broker: Broker,
    inboxes: Arc<[Arc<Inbox>]>,
    page: PageLimit,
    mut errands: mpsc::UnboundedReceiver<Errand>,
) {
    let mut homes = home::Homes::new(broker.clone(), Arc::clone(&inboxes));
    while let Some(errand) = errands.recv().await {
        match errand {
            Errand::Attach { shard, channel } => homes.attach(shard, channel),
            Errand::Detach { shard, channel } => homes.detach(shard, &channel),
            Errand::Employ(clerk) => drop(tokio::spawn(clerk.run(broker.clone()))),
            Errand::Resolve { shard, subscription, channel, since, slow, may_publish } => {
                let (broker, inbox) = (broker.clone(), Arc::clone(&inboxes[shard]));
                tokio::spawn(async move {
                    let options = broker.options(&channel);
                    if let Ok(Err(error)) =
                        options.map(|options| options.check_choice(slow, may_publish))
                    {
                        let refused =
                            Letter::Refused(subscription, error.code(), error.to_string());
                        return inbox.post(refused);
                    }
                    let start = broker.resolve(&channel, since).await;
                    let claimed = start
                        .and_then(|start| Ok((start, claim(&broker, &channel, &start, slow)?)));
                    inbox.post(match claimed {
                        Ok((start, claim)) => Letter::Started(subscription, start, claim),
                        Err(error) => refused(subscription, &error),
                    });
                });
            }
            Errand::History { shard, subscription, channel, after } => {
                let (broker, inbox) = (broker.clone(), Arc::clone(&inboxes[shard]));
                tokio::spawn(async move {
                    inbox.post(match broker.history(&channel, after, page).await {
                        Ok(page) => Letter::Page(subscription, page),
                        Err(error) => refused(subscription, &error),
                    });
                });
            }
        }
    }
}

fn refused(subscription: SubscriptionId, error: &ReadError) -> Letter {
    Letter::Refused(subscription, error.code(), error.to_string())
}
