//! One viewer of a channel, by `enchufe.v1`: each message says where it stands.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use jiff::Timestamp;
use serde::Deserialize;
use tokio::{sync::watch, time::Instant};

use super::{
    Tally, Trouble,
    account::{Account, Course},
    publisher::Timetable,
};
use crate::{
    core::{ChannelName, Message, Position},
    transport::{Connection, RecvError},
};

/// What all viewers have in common.
pub(super) struct Audience {
    pub(super) channel: ChannelName,
    pub(super) course: Arc<Course>,
    pub(super) tally: Arc<Tally>,
    /// If we publish: from when a message was due its delivery is timed.
    pub(super) timetable: Option<Timetable>,
    /// Gaps that viewers were told of.
    pub(super) gaps: AtomicU64,
}

/// A viewer, and what it had.
pub(super) struct Viewer {
    connection: Connection,
    index: usize,
    pub(super) account: Account,
}

/// What the server says, as far as it matters here.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Event<'a> {
    Subscribed {
        position: String,
    },
    Message(#[serde(borrow)] Item<'a>),
    Gap {},
    End {},
    Error {
        message: String,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Item<'a> {
    position: &'a str,
    time: &'a str,
    data: Option<std::borrow::Cow<'a, str>>,
}

impl Viewer {
    /// Subscribes to what comes after a position, or now; says where that is.
    pub(super) async fn subscribe(
        mut connection: Connection,
        index: usize,
        channel: &ChannelName,
        since: Option<Position>,
    ) -> Result<(Self, Position), Trouble> {
        let since = since.map_or("now".to_owned(), |position| position.to_string());
        let command = serde_json::json!({ "subscribe": { "channel": channel, "since": since } });
        if connection.send(Message::text(command.to_string())).await.is_err() {
            return Err(Trouble::Closed(None));
        }
        loop {
            let message = match connection.recv().await {
                Ok(Some(message)) => message,
                Ok(None) => return Err(Trouble::Closed(connection.closed_with().cloned())),
                Err(error) => return Err(Trouble::Recv(Arc::new(error))),
            };
            match serde_json::from_slice(&message.payload) {
                Ok(Event::Subscribed { position }) => {
                    let Ok(position) = position.parse() else { continue };
                    let account = Account::default();
                    return Ok((Self { connection, index, account }, position));
                }
                Ok(Event::Error { message }) => return Err(Trouble::Refused(message)),
                _ => {}
            }
        }
    }

    /// Reads until it has what comes last, which `last` says once it is known, or until it is told
    /// to stop (`None`).
    pub(super) async fn run(
        mut self,
        audience: Arc<Audience>,
        mut last: watch::Receiver<Last>,
    ) -> (Account, Option<Trouble>) {
        let trouble = loop {
            let goal = *last.borrow_and_update();
            if goal.is_reached(self.account.newest) {
                break None;
            }
            tokio::select! {
                biased;
                changed = last.changed() => {
                    if changed.is_err() {
                        break None;
                    }
                }
                received = self.connection.recv() => match self.on_received(received, &audience) {
                    Ok(true) => {}
                    Ok(false) => break None,
                    Err(trouble) => break Some(trouble),
                },
            }
        };
        (self.account, trouble)
    }

    /// Whether more may come.
    fn on_received(
        &mut self,
        received: Result<Option<Message>, RecvError>,
        audience: &Audience,
    ) -> Result<bool, Trouble> {
        let now = Instant::now();
        let message = match received {
            Ok(Some(message)) => message,
            Ok(None) => return Err(Trouble::Closed(self.connection.closed_with().cloned())),
            Err(error) => return Err(Trouble::Recv(Arc::new(error))),
        };
        match serde_json::from_slice(&message.payload) {
            Ok(Event::Message(item)) => {
                if let Ok(position) = item.position.parse::<Position>() {
                    self.account.took(position.offset);
                    audience.course.note(position.offset);
                    let waited = audience.waited(&item, now);
                    audience.tally.answered(self.index, now, waited.into_iter());
                }
            }
            Ok(Event::Gap {}) => drop(audience.gaps.fetch_add(1, Ordering::Relaxed)),
            Ok(Event::End {}) => return Ok(false),
            _ => {}
        }
        Ok(true)
    }
}

impl Audience {
    /// How long a message took that has come just now: from when it was due, if it is ours, or else
    /// from when the server took it, by this machine's clock.
    fn waited(&self, item: &Item<'_>, now: Instant) -> Option<std::time::Duration> {
        let ours = self.timetable.and_then(|timetable| {
            let number = timetable.payload.number(item.data.as_ref()?.as_bytes())?;
            Some(now.saturating_duration_since(timetable.due(number)))
        });
        ours.or_else(|| {
            let time: Timestamp = item.time.parse().ok()?;
            Some(Timestamp::now().duration_since(time).try_into().unwrap_or_default())
        })
    }
}

/// Until when viewers read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Last {
    /// It is not known yet.
    Unknown,
    /// Through this offset.
    Through(u64),
    /// They stop now.
    Now,
}

impl Last {
    fn is_reached(self, newest: u64) -> bool {
        match self {
            Self::Unknown => false,
            Self::Through(offset) => newest >= offset,
            Self::Now => true,
        }
    }
}
