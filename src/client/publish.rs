//! Publishing: each message is there once, or it is said which may not be.
//!
//! A batch is one request, and one request is under way at a time: only so do messages keep their
//! order whatever is refused or breaks, and a caller who gathers meanwhile what there is to send
//! loses nothing by it. Every request has a key of its own (`Idempotency-Key`), under which it is
//! repeated until it is known what became of it.

use std::{fmt, sync::Arc, time::Duration};

use bytes::{BufMut as _, Bytes, BytesMut};
use enchufe_core::{
    ChannelName, Kind, Message, Position,
    draft::{self, Draft},
    position::ParsePositionError,
};
use serde::Deserialize;
use tokio::time::{Instant, sleep_until};

use super::{
    backoff::{Backoff, Pauses, opening_may_pass, status_may_pass},
    exchange::{Answer, Broken, Exchange, Post},
};
use crate::{
    address::ServerAddress,
    limits,
    transport::{OpenError, OpenOptions, ws::Refusal},
};

/// How to publish.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PublishOptions {
    /// How to connect, and which header fields to send.
    pub open: OpenOptions,
    /// How long it is tried to have a batch acknowledged.
    pub timeout: Duration,
    /// How long to wait before it is tried again.
    pub pauses: Pauses,
    /// Is told when it is.
    pub observer: RetryObserver,
}

impl Default for PublishOptions {
    fn default() -> Self {
        Self {
            open: OpenOptions::default(),
            timeout: limits::PUBLISH_TIMEOUT,
            pauses: Pauses::default(),
            observer: RetryObserver::default(),
        }
    }
}

/// Is told why a request is tried again, and after how long.
#[derive(Clone)]
pub struct RetryObserver(Arc<Tell>);

type Tell = dyn Fn(&AttemptError, Duration) + Send + Sync;

impl RetryObserver {
    /// Calls `tell` before each pause.
    pub fn new(tell: impl Fn(&AttemptError, Duration) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }
}

impl Default for RetryObserver {
    /// Puts it into the log.
    fn default() -> Self {
        Self::new(|error, pause| tracing::info!(%error, ?pause, "publishing again"))
    }
}

impl fmt::Debug for RetryObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RetryObserver")
    }
}

/// A batch that is acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Published {
    /// Where its first message stands.
    pub first: Position,
    /// Where its last message stands.
    pub last: Position,
    /// Whether an earlier attempt had published it already.
    pub was_repeated: bool,
    /// Whether the channel's log is another one than that of the last batch: what was acknowledged
    /// before may be gone with it.
    pub is_reset: bool,
    /// Whether the batch may be in the log before, too: an attempt whose outcome nobody knows came
    /// before the reset.
    pub may_be_doubled: bool,
}

/// Why one attempt failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttemptError {
    /// No connection came to stand.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The request cannot be made.
    #[error("the request cannot be made: {0}")]
    Request(String),
    /// The connection was lost before the answer had come.
    #[error("the connection was lost before the answer")]
    Lost,
    /// What answered does not speak HTTP.
    #[error("what answers there does not speak HTTP")]
    NotHttp,
    /// The answer did not come in time.
    #[error("no answer came within {:.0} s", .0.as_secs_f64())]
    Late(Duration),
    /// The server refused.
    #[error("the server answered {}", .0.summary())]
    Refused(Box<Refusal>),
    /// The server answered what no enchufe answers.
    #[error("what the server answered cannot be: {0}")]
    Nonsense(String),
}

impl AttemptError {
    /// Whether it may help to try again.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Open(error) => opening_may_pass(error),
            Self::Lost | Self::Late(_) => true,
            Self::Refused(refusal) => status_may_pass(refusal.status),
            Self::Request(_) | Self::NotHttp | Self::Nonsense(_) => false,
        }
    }

    /// Whether the batch may have been published all the same. A server that refuses with a status
    /// below 500 has not; one that stands between may not know.
    fn leaves_doubt(&self) -> bool {
        match self {
            Self::Open(_) | Self::Request(_) => false,
            Self::Lost | Self::Late(_) | Self::NotHttp | Self::Nonsense(_) => true,
            Self::Refused(refusal) => refusal.status >= 500,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(refusal) => refusal.retry_after,
            _ => None,
        }
    }
}

/// Why a batch is not acknowledged.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct PublishError {
    /// Why the last attempt failed.
    pub error: AttemptError,
    /// Whether the batch may have been published all the same.
    pub is_in_doubt: bool,
    /// For how long it was tried, when the time was over.
    pub gave_up_after: Option<Duration>,
}

/// Publishes to one channel.
#[derive(Debug)]
pub struct Publisher {
    exchange: Exchange,
    timeout: Duration,
    pauses: Pauses,
    observer: RetryObserver,
    /// What the keys of this publisher begin with.
    name: String,
    number: u64,
    /// The position of the last message that is acknowledged.
    last: Option<Position>,
}

impl Publisher {
    /// Prepares to publish to a channel of `server`. Nothing happens before [`Self::publish`].
    pub fn new(server: &ServerAddress, channel: &ChannelName, options: PublishOptions) -> Self {
        let PublishOptions { open, timeout, pauses, observer } = options;
        let exchange = Exchange::new(server.web_socket(channel), open);
        let name = format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..));
        Self { exchange, timeout, pauses, observer, name, number: 0, last: None }
    }

    /// Publishes messages, all of them or none, in their order and behind those of the last call.
    ///
    /// # Errors
    ///
    /// When it does not help to try again, when the time is over, or when nobody was there to begin
    /// with. The error says whether the messages may have been published all the same.
    ///
    /// # Cancel safety
    ///
    /// Not safe: whether the messages were published is then not known.
    pub async fn publish(&mut self, messages: &[Message]) -> Result<Published, PublishError> {
        let (media_type, body) = body(messages);
        self.number += 1;
        let key = format!("{}-{}", self.name, self.number);
        let post = Post { key, media_type, body };
        let begun = Instant::now();
        let mut deadline = begun + self.timeout;
        let mut backoff = Backoff::with(self.pauses);
        let mut is_in_doubt = false;
        loop {
            let attempted = Instant::now();
            let was_kept = self.exchange.has_line();
            let until = deadline.min(attempted + limits::EXCHANGE_TIMEOUT);
            let error = match self.attempt(&post, until).await {
                Ok(receipt) => return Ok(self.acknowledged(&receipt, is_in_doubt)),
                Err(error) => error,
            };
            if error.leaves_doubt() && !is_in_doubt {
                is_in_doubt = true;
                // The key is not known for ever.
                deadline = deadline.min(attempted + limits::PUBLISH_DOUBT_MAX);
            }
            let is_first = self.last.is_none() && !is_in_doubt;
            let is_unreached = matches!(error, AttemptError::Open(_)) && is_first;
            if is_unreached || !error.may_pass() {
                return Err(PublishError { error, is_in_doubt, gave_up_after: None });
            }
            let pause = match &error {
                // Servers close what is idle.
                AttemptError::Lost if was_kept => Duration::ZERO,
                error => backoff.pause(error.retry_after(), fastrand::f64).unwrap_or(Duration::MAX),
            };
            if Instant::now() + pause >= deadline {
                let gave_up_after = Some(begun.elapsed());
                return Err(PublishError { error, is_in_doubt, gave_up_after });
            }
            if !pause.is_zero() {
                (self.observer.0)(&error, pause);
                sleep_until(Instant::now() + pause).await;
            }
        }
    }

    async fn attempt(&mut self, post: &Post, until: Instant) -> Result<Receipt, AttemptError> {
        let answer = self.exchange.post(post, until).await.map_err(|broken| match broken {
            Broken::Open(error) => AttemptError::Open(error),
            Broken::Request(why) => AttemptError::Request(why),
            Broken::Late(time) => AttemptError::Late(time),
            Broken::Nonsense(why) => AttemptError::Nonsense(why),
            Broken::Lost(error) if error.is_parse() => {
                tracing::debug!(%error, "no answer in HTTP");
                AttemptError::NotHttp
            }
            Broken::Lost(error) => {
                tracing::debug!(%error, "no answer");
                AttemptError::Lost
            }
        })?;
        match answer {
            Answer::Refusal(refusal) => Err(AttemptError::Refused(refusal)),
            Answer::Success(body) => Receipt::read(&body).map_err(AttemptError::Nonsense),
        }
    }

    fn acknowledged(&mut self, receipt: &Receipt, was_in_doubt: bool) -> Published {
        let Receipt { first, last, duplicate } = *receipt;
        let is_reset = self.last.is_some_and(|before| before.epoch != last.epoch);
        self.last = Some(last);
        let may_be_doubled = is_reset && was_in_doubt && !duplicate;
        Published { first, last, was_repeated: duplicate, is_reset, may_be_doubled }
    }
}

/// What a server answers that has published.
#[derive(Debug)]
struct Receipt {
    first: Position,
    last: Position,
    duplicate: bool,
}

impl Receipt {
    fn read(body: &Bytes) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Wire {
            first: String,
            last: String,
            #[serde(default)]
            duplicate: bool,
        }
        let wire: Wire = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let position =
            |text: &str| text.parse().map_err(|error: ParsePositionError| error.to_string());
        let (first, last) = (position(&wire.first)?, position(&wire.last)?);
        Ok(Self { first, last, duplicate: wire.duplicate })
    }
}

/// The messages as the body of a request: one as it is, several as lines of JSON.
fn body(messages: &[Message]) -> (&'static str, Bytes) {
    match messages {
        [Message { kind: Kind::Text, payload }] => ("text/plain; charset=utf-8", payload.clone()),
        [Message { kind: Kind::Binary, payload }] => ("application/octet-stream", payload.clone()),
        messages => {
            let mut body = BytesMut::new();
            for message in messages {
                let line = serde_json::to_vec(&Draft::of(message.as_ref()));
                body.put_slice(&line.expect("a draft is plain data"));
                body.put_u8(b'\n');
            }
            (draft::MEDIA_TYPE, body.freeze())
        }
    }
}
