//! Following channels: every message in order and once, or a gap, whatever happens on the way.
//!
//! It speaks `enchufe.v1`, the one wire form that has everything a follower needs: positions with
//! every message and in heartbeats, gaps as what they are, several channels on one connection, and
//! pings both ways, so that a connection that has died is found out.

use std::{collections::VecDeque, future::Future, pin::Pin, sync::Arc, time::Duration};

use enchufe_core::{ChannelName, Gap, Message, Position, Since, SlowPolicy, v1};
use jiff::Timestamp;
use serde::Serialize;
use tokio::time::{Instant, sleep_until, timeout};

use super::{
    backoff::{
        Backoff, Pauses, close_may_pass, opening_may_pass, receiving_may_pass, sending_may_pass,
    },
    event::Said,
};
use crate::{
    address::{Address, ServerAddress},
    limits,
    transport::{CloseCode, CloseReason, Connection, OpenError, OpenOptions, RecvError, SendError},
};

/// What is to be followed, and from where on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// The channel.
    pub channel: ChannelName,
    /// Where to begin.
    pub since: Since,
    /// What to do when we are too slow; without it, what the channel says.
    pub slow: Option<SlowPolicy>,
}

/// How to follow.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FollowOptions {
    /// How to connect. Its subprotocols and its longest message are set by the follower.
    pub open: OpenOptions,
    /// The longest message to take, in bytes.
    pub message_bytes_max: usize,
    /// Whether to connect again, and resume, when a connection breaks.
    pub reconnects: bool,
    /// How long to wait before that.
    pub pauses: Pauses,
}

impl Default for FollowOptions {
    fn default() -> Self {
        Self {
            open: OpenOptions::default(),
            message_bytes_max: limits::MESSAGE_BYTES_MAX,
            reconnects: true,
            pauses: Pauses::default(),
        }
    }
}

/// What a follower has to tell.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// A channel is followed from here on: what comes after this position.
    Subscribed {
        /// Which channel.
        channel: ChannelName,
        /// Where it begins.
        position: Position,
    },
    /// A message.
    Message {
        /// Of which channel.
        channel: ChannelName,
        /// Where it stands there.
        position: Position,
        /// When it was published.
        time: Timestamp,
        /// What it says.
        message: Message,
    },
    /// Messages may be missing.
    Gap {
        /// Of which channel.
        channel: ChannelName,
        /// Which, and why.
        gap: Gap,
    },
    /// Nothing is missing up to here, though no message stands there.
    Position {
        /// Of which channel.
        channel: ChannelName,
        /// The position to resume after.
        position: Position,
    },
    /// A channel has ended: nothing more will come of it.
    End {
        /// Which channel.
        channel: ChannelName,
        /// Its last position.
        position: Position,
        /// How its source ended.
        status: String,
    },
    /// The connection is lost, or did not come to stand, and will be made again.
    Lost {
        /// Why.
        error: FollowError,
        /// After how long.
        pause: Duration,
    },
    /// The connection stands again, and everything goes on where it stopped.
    Resumed,
}

/// Why following cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FollowError {
    /// No connection came to stand.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The connection broke.
    #[error(transparent)]
    Recv(#[from] RecvError),
    /// What is to be followed could not be said.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The server closed the connection.
    #[error("the server closed with code {}", .0.code)]
    Closed(CloseReason),
    /// The server closed the connection without a code.
    #[error("the server closed the connection")]
    Left,
    /// The server does not give this channel.
    #[error("the server refuses: {message} ({code})")]
    Refused {
        /// A stable word for programs.
        code: String,
        /// The server's sentence for people. It is not escaped.
        message: String,
        /// Whether it is to be tried again: the channel was there before.
        may_pass: bool,
    },
    /// What the server says is not `enchufe.v1`, or breaks its contract.
    #[error("what the server says cannot be: {why}")]
    Nonsense {
        /// What is wrong with it.
        why: String,
    },
    /// More channels than one connection may have.
    #[error("{0} channels are too many for one connection, which has at most {max}", max = limits::SUBSCRIPTIONS_MAX)]
    TooMany(usize),
}

impl FollowError {
    /// Whether it may help to connect again.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Open(error) => opening_may_pass(error),
            Self::Recv(error) => receiving_may_pass(error),
            Self::Send(error) => sending_may_pass(error),
            // Only `end` is the end: whoever closes before, says goodbye too early.
            Self::Closed(reason) => close_may_pass(reason.code) || reason.code == CloseCode::NORMAL,
            Self::Left => true,
            Self::Refused { may_pass, .. } => *may_pass,
            Self::Nonsense { .. } | Self::TooMany(_) => false,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Open(OpenError::Refusal { refusal, .. }) => refusal.retry_after,
            _ => None,
        }
    }

    /// Whether nobody was reached who could have said anything.
    fn is_unreached(&self) -> bool {
        match self {
            Self::Open(OpenError::Refusal { .. } | OpenError::NoAnswer { .. }) => false,
            Self::Open(_) => true,
            _ => false,
        }
    }
}

/// Follows channels of one server.
pub struct Follower {
    server: ServerAddress,
    options: Arc<OpenOptions>,
    reconnects: bool,
    cursors: Vec<Cursor>,
    stage: Stage,
    backoff: Backoff,
    /// Since when the connection stands.
    standing: Option<Instant>,
    /// Whether a server was ever reached.
    was_reached: bool,
    pending: VecDeque<Event>,
}

struct Cursor {
    channel: ChannelName,
    since: Since,
    slow: Option<SlowPolicy>,
    /// What everything is told through.
    last: Option<Position>,
    has_ended: bool,
}

type Opening = Pin<Box<dyn Future<Output = Result<Connection, FollowError>> + Send>>;

enum Stage {
    Pausing(Instant),
    Opening(Opening),
    Open(Box<Connection>),
    Closing(Pin<Box<dyn Future<Output = ()> + Send>>),
    Over,
}

impl std::fmt::Debug for Follower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let positions = self.positions().collect::<Vec<_>>();
        f.debug_struct("Follower").field("positions", &positions).finish_non_exhaustive()
    }
}

impl Follower {
    /// Prepares to follow channels of `server`. Nothing happens before [`Self::next`].
    ///
    /// # Errors
    ///
    /// When there are more channels than one connection may have.
    pub fn new(
        server: ServerAddress,
        subscriptions: Vec<Subscription>,
        mut options: FollowOptions,
    ) -> Result<Self, FollowError> {
        if subscriptions.len() > limits::SUBSCRIPTIONS_MAX {
            return Err(FollowError::TooMany(subscriptions.len()));
        }
        options.open.ws.protocols = vec![v1::NAME.to_owned()];
        options.open.ws.needs_protocol = true;
        options.open.ws.message_bytes_max = event_bytes_max(options.message_bytes_max);
        let mut cursors: Vec<Cursor> = Vec::with_capacity(subscriptions.len());
        for Subscription { channel, since, slow } in subscriptions {
            if cursors.iter().any(|cursor| cursor.channel == channel) {
                continue;
            }
            let last = match since {
                Since::After(position) => Some(position),
                _ => None,
            };
            cursors.push(Cursor { channel, since, slow, last, has_ended: false });
        }
        Ok(Self {
            server,
            options: Arc::new(options.open),
            reconnects: options.reconnects,
            cursors,
            stage: Stage::Pausing(Instant::now()),
            backoff: Backoff::with(options.pauses),
            standing: None,
            was_reached: false,
            pending: VecDeque::new(),
        })
    }

    /// The position of each channel that everything was told through by [`Self::next`]: where to
    /// resume.
    pub fn positions(&self) -> impl Iterator<Item = (&ChannelName, Position)> {
        self.cursors.iter().filter_map(|cursor| Some((&cursor.channel, cursor.last?)))
    }

    /// The next thing to tell; `None` once every channel has ended, and after an error.
    ///
    /// # Errors
    ///
    /// When it does not help to connect again, or nobody was there to begin with.
    ///
    /// # Cancel safety
    ///
    /// Safe: nothing is lost.
    pub async fn next(&mut self) -> Result<Option<Event>, FollowError> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                return Ok(Some(event));
            }
            match &mut self.stage {
                Stage::Over => return Ok(None),
                Stage::Closing(goodbye) => {
                    goodbye.await;
                    self.stage = Stage::Over;
                }
                Stage::Pausing(until) => {
                    sleep_until(*until).await;
                    self.stage = Stage::Opening(self.open());
                }
                Stage::Opening(opening) => match opening.await {
                    Ok(connection) => self.opened(connection),
                    Err(error) => self.lose(error)?,
                },
                Stage::Open(connection) => {
                    let heard = match connection.recv().await {
                        Ok(Some(message)) => self.hear(&message),
                        Ok(None) => Err(match connection.closed_with() {
                            Some(reason) => FollowError::Closed(reason.clone()),
                            None => FollowError::Left,
                        }),
                        Err(error) => Err(error.into()),
                    };
                    match heard {
                        Ok(Some(event)) => return Ok(Some(event)),
                        Ok(None) => {}
                        Err(error) => self.lose(error)?,
                    }
                }
            }
        }
    }

    /// Says goodbye to the server, for a bounded time.
    ///
    /// # Cancel safety
    ///
    /// The connection is closed, though perhaps without a word.
    pub async fn close(mut self) {
        if let Stage::Open(connection) = std::mem::replace(&mut self.stage, Stage::Over) {
            goodbye(*connection).await;
        }
    }

    fn open(&self) -> Opening {
        let going_on: Vec<&Cursor> =
            self.cursors.iter().filter(|cursor| !cursor.has_ended).collect();
        let Some(first) = going_on.first() else {
            // Nothing is asked for, and so nobody is asked.
            return Box::pin(std::future::ready(Err(FollowError::Left)));
        };
        let address = Address::Ws(self.server.web_socket(&first.channel));
        let commands: Vec<Message> = going_on.iter().map(|cursor| cursor.command()).collect();
        let options = Arc::clone(&self.options);
        Box::pin(async move {
            let mut connection = Connection::open(&address, &options).await?;
            for command in commands {
                connection.feed(command).await?;
            }
            connection.flush().await?;
            Ok(connection)
        })
    }

    fn opened(&mut self, connection: Connection) {
        if std::mem::replace(&mut self.was_reached, true) {
            self.pending.push_back(Event::Resumed);
        }
        self.standing = Some(Instant::now());
        self.stage = Stage::Open(Box::new(connection));
    }

    /// Deals with the end of a connection, or with none: another is made, if that may help.
    fn lose(&mut self, error: FollowError) -> Result<(), FollowError> {
        self.stage = Stage::Over;
        if let Some(since) = self.standing.take() {
            self.backoff.stood(since.elapsed());
        }
        let is_first = !self.was_reached && error.is_unreached();
        if !self.reconnects || is_first || !error.may_pass() {
            return Err(error);
        }
        self.was_reached = true;
        let pause = self.backoff.pause(error.retry_after(), fastrand::f64).unwrap_or_default();
        self.stage = Stage::Pausing(Instant::now() + pause);
        self.pending.push_back(Event::Lost { error, pause });
        Ok(())
    }

    fn hear(&mut self, message: &Message) -> Result<Option<Event>, FollowError> {
        let nonsense = |why: String| FollowError::Nonsense { why };
        let said = Said::parse(&message.payload).map_err(nonsense)?;
        let event = match said {
            Said::Other => None,
            Said::Error { code, message, channel } => {
                let cursor = self.cursors.iter().find(|cursor| {
                    channel.as_deref() == Some(cursor.channel.as_str()) && cursor.last.is_some()
                });
                let may_pass = code == "stuck" || (code == "unknown_channel" && cursor.is_some());
                return Err(FollowError::Refused { code, message, may_pass });
            }
            Said::Subscribed { channel, position } => self.cursor(&channel)?.begin(position),
            Said::Message { channel, position, time, message } => {
                let cursor = self.cursor(&channel)?;
                cursor.advance(position, true)?;
                let channel = cursor.channel.clone();
                Some(Event::Message { channel, position, time, message })
            }
            Said::Position { channel, position } => {
                let cursor = self.cursor(&channel)?;
                cursor.advance(position, false)?;
                Some(Event::Position { channel: cursor.channel.clone(), position })
            }
            Said::Gap { channel, gap } => {
                let cursor = self.cursor(&channel)?;
                // Who resumes here is not told of it again.
                cursor.last = Some(gap.next.before());
                Some(Event::Gap { channel: cursor.channel.clone(), gap })
            }
            Said::End { channel, position, status } => {
                let cursor = self.cursor(&channel)?;
                cursor.advance(position, false)?;
                cursor.has_ended = true;
                let channel = cursor.channel.clone();
                if self.cursors.iter().all(|cursor| cursor.has_ended)
                    && let Stage::Open(connection) = std::mem::replace(&mut self.stage, Stage::Over)
                {
                    self.stage = Stage::Closing(Box::pin(goodbye(*connection)));
                }
                Some(Event::End { channel, position, status })
            }
        };
        if event.is_some() {
            self.backoff.succeeded();
        }
        Ok(event)
    }

    fn cursor(&mut self, channel: &str) -> Result<&mut Cursor, FollowError> {
        let found = self.cursors.iter_mut().find(|cursor| cursor.channel.as_str() == channel);
        found.ok_or_else(|| FollowError::Nonsense {
            why: format!("it speaks of the channel {channel:?}, which nobody asked for"),
        })
    }
}

impl Cursor {
    /// What asks for what comes next.
    fn command(&self) -> Message {
        #[derive(Serialize)]
        struct Command<'a> {
            subscribe: Subscribe<'a>,
        }
        #[derive(Serialize)]
        struct Subscribe<'a> {
            channel: &'a str,
            since: String,
            #[serde(skip_serializing_if = "Option::is_none")]
            slow: Option<&'static str>,
        }
        let since = self.last.map_or(self.since, Since::After);
        let subscribe = Subscribe {
            channel: self.channel.as_str(),
            since: since.to_string(),
            slow: self.slow.map(SlowPolicy::as_str),
        };
        let command = serde_json::to_string(&Command { subscribe });
        Message::text(command.expect("a command is plain data with text keys"))
    }

    /// The subscription stands. One that resumes stands where it stopped, whatever is said of it:
    /// a gap is told only after this.
    fn begin(&mut self, position: Position) -> Option<Event> {
        let last = *self.last.get_or_insert(position);
        Some(Event::Subscribed { channel: self.channel.clone(), position: last })
    }

    /// Everything through here was told. A message is new, a heartbeat may repeat.
    fn advance(&mut self, position: Position, is_message: bool) -> Result<(), FollowError> {
        let nonsense = |why: &str, last: Position| {
            let why = format!("{position} {why} {last}");
            Err(FollowError::Nonsense { why })
        };
        match self.last {
            Some(last) if last.epoch != position.epoch => {
                return nonsense("is of another log, and no gap was told after", last);
            }
            Some(last) if position.offset < last.offset => return nonsense("came after", last),
            Some(last) if is_message && position.offset == last.offset => {
                return nonsense("came twice, after", last);
            }
            _ => {}
        }
        self.last = Some(position);
        Ok(())
    }
}

async fn goodbye(connection: Connection) {
    let closing = connection.close(CloseReason::new(CloseCode::NORMAL, ""));
    // Whoever does not answer is not waited for: everything is told.
    timeout(limits::HANG_UP_TIMEOUT, closing).await.ok();
}

/// How long the event of a message of so many bytes can be: each may be six in JSON.
fn event_bytes_max(message_bytes_max: usize) -> usize {
    message_bytes_max.saturating_mul(6).saturating_add(limits::EVENT_BYTES_MAX)
}
