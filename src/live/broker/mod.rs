//! Where the logs of channels live.
//!
//! A broker appends, answers where a reader begins, and is read in two ways: `tail` follows a
//! channel, `history` yields pages. Every reader's every message comes through one of the two,
//! even on a single machine, so that a broker of another kind changes nothing for them.

mod claim;
pub mod embedded;
mod options;
mod rules;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use enchufe_core::{
    ChannelName, End, ErrorCode, Gap, Message, Position, Publication, Since, SlowPolicy,
    fanout::Page,
};
use tokio::sync::watch;

use super::figures::Meter;
use crate::limits;

pub(super) use claim::Claim;
use embedded::Embedded;
pub use options::{ChannelOptions, ChoiceRefused, Publishers};
pub use rules::{ParsePatternError, Pattern, Rule, Rules};

/// The broker in use. Cloning it shares the logs.
#[derive(Clone)]
#[non_exhaustive]
pub enum Broker {
    /// Logs in this process.
    Embedded(Arc<Embedded>),
}

/// How a channel stands.
#[derive(Debug, Clone)]
pub struct ChannelState {
    /// The position of the newest message (offset 0: none yet).
    pub head: Position,
    /// The position before the oldest message that is still there.
    pub before_oldest: Position,
    /// How it was declared.
    pub options: ChannelOptions,
    /// Its end, once its source has ended.
    pub end: Option<Arc<End>>,
    /// Memory that its messages take, in bytes, bookkeeping included.
    pub bytes: usize,
    /// Messages published to it so far.
    pub published: u64,
    /// Bytes of those, without bookkeeping.
    pub published_bytes: u64,
}

/// What makes a publish repeatable: the same key with the same messages is answered with the
/// first answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(Bytes);

/// A key that is empty or longer than [`limits::IDEMPOTENCY_KEY_BYTES_MAX`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an Idempotency-Key has 1 to {max} bytes, this one has {0}", max = limits::IDEMPOTENCY_KEY_BYTES_MAX)]
pub struct BadIdempotencyKey(usize);

impl TryFrom<&[u8]> for IdempotencyKey {
    type Error = BadIdempotencyKey;

    fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
        let valid = 1..=limits::IDEMPOTENCY_KEY_BYTES_MAX;
        if !valid.contains(&bytes.len()) {
            return Err(BadIdempotencyKey(bytes.len()));
        }
        Ok(Self(Bytes::copy_from_slice(bytes)))
    }
}

/// What was published, as safely as configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The position of the first message.
    pub first: Position,
    /// The position of the last one.
    pub last: Position,
    /// It had been published before, under the same key.
    pub duplicate: bool,
}

/// Where a reader begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// The reader gets what comes after this.
    pub after: Position,
    /// The newest message at that time.
    pub head: Position,
    /// What it has to be told first: a position of a log that is gone is a reset.
    pub gap: Option<Gap>,
    /// What becomes of it when it does not keep up, unless it chooses.
    pub slow: SlowPolicy,
}

/// How much one page of history holds at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageLimit {
    /// Messages.
    pub len_max: usize,
    /// Bytes, bookkeeping included; one message is always allowed.
    pub bytes_max: usize,
}

/// What a tail yields.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum TailEvent {
    /// The next messages, at least one.
    Publications(Vec<Arc<Publication>>),
    /// Messages are missing before what comes next.
    Gap(Gap),
    /// Nothing more will come.
    End(Arc<End>),
}

/// Why reading failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// No such channel.
    #[error("there is no channel '{0}'")]
    UnknownChannel(ChannelName),
    /// It would have been made, were there not as many as there may be.
    #[error("this server has its {0} channels")]
    TooManyChannels(usize),
}

/// Why publishing failed. Nothing was appended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// No such channel.
    #[error("there is no channel '{0}'")]
    UnknownChannel(ChannelName),
    /// It would have been made, were there not as many as there may be.
    #[error("this server has its {0} channels")]
    TooManyChannels(usize),
    /// The channel's source has ended.
    #[error("the channel '{channel}' has ended ({status})")]
    Ended {
        /// Which channel.
        channel: ChannelName,
        /// How its source ended.
        status: String,
    },
    /// No message at all.
    #[error("there is nothing to publish")]
    Empty,
    /// More messages than one batch may have.
    #[error("a batch has at most {max} messages, this one has {0}", max = limits::BATCH_LEN_MAX)]
    BatchTooLong(usize),
    /// A message is larger than allowed.
    #[error("a message has at most {max} bytes, this one has {0}", max = limits::MESSAGE_BYTES_MAX)]
    TooLarge(usize),
    /// The key was used for other messages.
    #[error("this Idempotency-Key was used with another body")]
    KeyReused,
}

impl ReadError {
    /// The stable word for programs.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::UnknownChannel(_) => ErrorCode::UnknownChannel,
            Self::TooManyChannels(_) => ErrorCode::TooManyChannels,
        }
    }
}

impl PublishError {
    /// The stable word for programs.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::UnknownChannel(_) => ErrorCode::UnknownChannel,
            Self::TooManyChannels(_) => ErrorCode::TooManyChannels,
            Self::Ended { .. } => ErrorCode::Ended,
            Self::Empty => ErrorCode::EmptyBatch,
            Self::BatchTooLong(_) => ErrorCode::BatchTooLong,
            Self::TooLarge(_) => ErrorCode::MessageTooLarge,
            Self::KeyReused => ErrorCode::KeyReused,
        }
    }
}

impl From<ReadError> for PublishError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::UnknownChannel(channel) => Self::UnknownChannel(channel),
            ReadError::TooManyChannels(max) => Self::TooManyChannels(max),
        }
    }
}

impl Broker {
    /// A broker that keeps its logs in memory, with the channels that are declared and no others.
    pub fn memory() -> Self {
        Self::memory_with(Rules::default())
    }

    /// A broker that keeps its logs in memory. A channel that a rule matches is made when somebody
    /// first reads it or publishes to it.
    pub fn memory_with(rules: Rules) -> Self {
        Self::Embedded(Arc::new(Embedded::new(rules)))
    }

    /// Other rules from now on. Channels that were made on first use get the options of the rule
    /// that matches them now; one that none matches any more stays as it is until it is idle.
    pub fn set_rules(&self, rules: Rules) {
        match self {
            Self::Embedded(broker) => broker.set_rules(rules),
        }
    }

    /// Makes a channel, which stays. One that is there already has the new options.
    pub fn declare(&self, channel: &ChannelName, options: ChannelOptions) {
        match self {
            Self::Embedded(broker) => broker.declare(channel, options),
        }
    }

    /// All channels, in the order of their names.
    pub fn channels(&self) -> Vec<(ChannelName, ChannelState)> {
        match self {
            Self::Embedded(broker) => broker.channels(),
        }
    }

    /// At most so many channels in the order of their names, those after `after`.
    pub fn channels_after(
        &self,
        after: Option<&ChannelName>,
        len_max: usize,
    ) -> Vec<(ChannelName, ChannelState)> {
        match self {
            Self::Embedded(broker) => broker.channels_after(after, len_max),
        }
    }

    /// How many channels there are.
    pub fn channel_count(&self) -> usize {
        match self {
            Self::Embedded(broker) => broker.channel_count(),
        }
    }

    /// What holds for a channel, or would hold were it made now. Nothing is made.
    ///
    /// # Errors
    ///
    /// When there is no such channel and no rule for it.
    pub fn options(&self, channel: &ChannelName) -> Result<ChannelOptions, ReadError> {
        match self {
            Self::Embedded(broker) => broker.options(channel),
        }
    }

    /// Lets go of messages that are too old and of channels that have been idle for too long. A
    /// [`Node`](crate::live::Node) sees to that by itself, every [`EXPIRY_INTERVAL`](limits::EXPIRY_INTERVAL).
    pub fn expire(&self) {
        match self {
            Self::Embedded(broker) => broker.expire(),
        }
    }

    /// Calls [`expire`](Self::expire) until the last clone of the broker has gone.
    pub(super) fn keep_expiring(&self) -> impl Future<Output = ()> + Send + 'static {
        let Self::Embedded(broker) = self;
        let broker = Arc::downgrade(broker);
        async move {
            loop {
                tokio::time::sleep(limits::EXPIRY_INTERVAL).await;
                let Some(broker) = broker.upgrade() else { return };
                broker.expire();
            }
        }
    }

    /// How one channel stands. Nothing is made.
    ///
    /// # Errors
    ///
    /// When there is no such channel.
    pub fn state(&self, channel: &ChannelName) -> Result<ChannelState, ReadError> {
        match self {
            Self::Embedded(broker) => broker.state(channel),
        }
    }

    /// Appends all of `batch` or nothing, and answers once it is as safe as configured. Where the
    /// channel has [`patience`](ChannelOptions::patience) it waits its turn, and then for readers.
    ///
    /// # Errors
    ///
    /// When the channel is not there or has ended, or the batch or its key is not acceptable.
    /// Nothing was appended.
    ///
    /// # Cancel safety
    ///
    /// Not cancel-safe: whether a cancelled publish took place is unknown, so repeat it with
    /// the same key.
    pub async fn publish(
        &self,
        channel: &ChannelName,
        batch: Vec<Message>,
        key: Option<IdempotencyKey>,
    ) -> Result<Receipt, PublishError> {
        let begun = Instant::now();
        let published = match self {
            Self::Embedded(broker) => broker.publish(channel, &batch, key).await,
        };
        if published.is_ok() {
            self.meter().count(begun.elapsed());
        }
        published
    }

    /// How long publishing took.
    pub(super) fn meter(&self) -> &Meter {
        match self {
            Self::Embedded(broker) => broker.meter(),
        }
    }

    /// Says that nothing more will come. What is there stays, and so does the first end.
    ///
    /// # Errors
    ///
    /// When there is no such channel and none can be made.
    ///
    /// # Cancel safety
    ///
    /// Whether a cancelled end took place is unknown; saying it again changes nothing.
    pub async fn end(&self, channel: &ChannelName, status: String) -> Result<(), ReadError> {
        match self {
            Self::Embedded(broker) => broker.end(channel, status),
        }
    }

    /// Where a reader who asks for `since` begins. Cancel-safe.
    ///
    /// # Errors
    ///
    /// When there is no such channel and none can be made.
    pub async fn resolve(&self, channel: &ChannelName, since: Since) -> Result<Start, ReadError> {
        match self {
            Self::Embedded(broker) => broker.resolve(channel, since),
        }
    }

    /// Follows the channel after a position. Cancel-safe.
    ///
    /// # Errors
    ///
    /// When there is no such channel and none can be made.
    pub async fn tail(&self, channel: &ChannelName, after: Position) -> Result<Tail, ReadError> {
        match self {
            Self::Embedded(broker) => Ok(Tail::Embedded(broker.tail(channel, after)?)),
        }
    }

    /// Has publishers wait for a reader that begins after a position, where they wait for readers or
    /// for one that `blocks`.
    ///
    /// # Errors
    ///
    /// When there is no such channel and none can be made.
    pub(super) fn claim(
        &self,
        channel: &ChannelName,
        after: Position,
        blocks: bool,
    ) -> Result<Option<Claim>, ReadError> {
        match self {
            Self::Embedded(broker) => broker.claim(channel, after, blocks),
        }
    }

    /// Changes as often as publishers that wait want to know how far the readers are.
    ///
    /// # Errors
    ///
    /// When there is no such channel and none can be made.
    pub(super) fn questions(
        &self,
        channel: &ChannelName,
    ) -> Result<watch::Receiver<()>, ReadError> {
        match self {
            Self::Embedded(broker) => broker.questions(channel),
        }
    }

    /// What comes after a position, as far as one page goes; only here may messages be declared
    /// expired. Cancel-safe.
    ///
    /// # Errors
    ///
    /// When there is no such channel and none can be made.
    pub async fn history(
        &self,
        channel: &ChannelName,
        after: Position,
        limit: PageLimit,
    ) -> Result<Page, ReadError> {
        match self {
            Self::Embedded(broker) => broker.history(channel, after, limit),
        }
    }
}

/// A cursor that waits for what comes.
#[non_exhaustive]
pub enum Tail {
    /// Of an embedded log.
    Embedded(embedded::Tail),
}

impl Tail {
    /// The next event; pends after the end. Cancel-safe: what is not returned is not skipped.
    pub async fn next(&mut self) -> TailEvent {
        match self {
            Self::Embedded(tail) => tail.next().await,
        }
    }

    /// The next event, if there is one already.
    pub fn try_next(&mut self) -> Option<TailEvent> {
        match self {
            Self::Embedded(tail) => tail.try_next(),
        }
    }

    /// How long a message may wait for others on its way to the viewers, as the channel has it now.
    pub(super) fn flush_window(&self) -> Duration {
        match self {
            Self::Embedded(tail) => tail.flush_window(),
        }
    }

    /// Everything through here has been yielded.
    pub fn position(&self) -> Position {
        match self {
            Self::Embedded(tail) => tail.position(),
        }
    }
}
