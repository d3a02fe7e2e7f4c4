//! What a viewer of `enchufe.v1` asks of the control plane, dealt with one after the other.
//!
//! A shard does not wait. Publishing may take until others have read, and history has to be fetched,
//! so both go to a task, the viewer's clerk, which exists from the first of them on. It answers in
//! order. A viewer of whom too much is under way, or who does not take the answers, is not read any
//! further until that is over: so nothing is lost, and whoever asks too fast waits alone.

use std::sync::Arc;

use bytes::Bytes;
use enchufe_core::{
    ChannelName, ErrorCode, Gap, Message, Since,
    fanout::ReaderId,
    json::PositionText,
    v1::{self, Event, RequestId},
};
use tokio::sync::mpsc;

use super::{
    broker::{Broker, IdempotencyKey, PageLimit, Publishers, ReadError},
    inbox::{Inbox, Letter},
    node::Rights,
    publishing::UnderWay,
};
use crate::limits;

/// Something to be dealt with.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) id: Option<RequestId>,
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    Publish { channel: ChannelName, message: Message, key: Option<String> },
    History { channel: ChannelName, since: Option<Since>, limit: Option<u64> },
}

impl Ask {
    /// What it counts for as long as it is under way, in bytes.
    fn cost(&self) -> usize {
        match &self.what {
            What::Publish { message, .. } => message.payload.len() + limits::REQUEST_BYTES,
            // Its answer may be long: there is one at a time.
            What::History { .. } => limits::PUBLISHING_BYTES_MAX,
        }
    }
}

/// Where a viewer's shard hands in what the viewer asks.
pub(super) struct Desk {
    asks: mpsc::UnboundedSender<Ask>,
    under_way: UnderWay,
    inbox: Arc<Inbox>,
    row: usize,
}

/// The task behind a desk.
pub(super) struct Clerk {
    asks: mpsc::UnboundedReceiver<Ask>,
    under_way: UnderWay,
    inbox: Arc<Inbox>,
    row: usize,
    reader: ReaderId,
    rights: Rights,
}

/// What a viewer is answered.
pub(super) struct Answer {
    pub(super) frame: Bytes,
    /// The code, if it is an error.
    pub(super) refusal: Option<ErrorCode>,
}

/// A desk and its clerk for a viewer in this row of the shard with this inbox.
pub(super) fn open(
    inbox: &Arc<Inbox>,
    row: usize,
    reader: ReaderId,
    rights: Rights,
) -> (Desk, Clerk) {
    let ((sender, asks), under_way) = (mpsc::unbounded_channel(), UnderWay::default());
    let desk = Desk { asks: sender, under_way: under_way.clone(), inbox: Arc::clone(inbox), row };
    (desk, Clerk { asks, under_way, inbox: Arc::clone(inbox), row, reader, rights })
}

impl Desk {
    pub(super) fn hand_in(&self, ask: Ask) {
        self.under_way.add(ask.cost());
        // The clerk stays for as long as there is a desk, unless the runtime ends.
        self.asks.send(ask).ok();
    }

    /// Whether so much is under way that no more may come.
    pub(super) fn is_full(&self) -> bool {
        self.under_way.is_full()
    }

    /// The viewer has taken what it had not taken before: it may be read again.
    pub(super) fn resume(&self) {
        self.inbox.post(Letter::Published(self.row));
    }
}

impl Clerk {
    /// Until the viewer has gone and what it asked before is done.
    pub(super) async fn run(mut self, broker: Broker) {
        while let Some(ask) = self.asks.recv().await {
            let cost = ask.cost();
            let answer = match ask.what {
                What::Publish { channel, message, key } => {
                    self.publish(&broker, ask.id.as_ref(), &channel, message, key).await
                }
                What::History { channel, since, limit } => {
                    history(&broker, ask.id.as_ref(), &channel, since, limit).await
                }
            };
            self.inbox.post(Letter::Answer(self.reader, answer));
            if self.under_way.remove(cost) {
                self.inbox.post(Letter::Published(self.row));
            }
        }
    }

    async fn publish(
        &self,
        broker: &Broker,
        id: Option<&RequestId>,
        channel: &ChannelName,
        message: Message,
        key: Option<String>,
    ) -> Answer {
        let refuse = |code, why: &dyn std::fmt::Display| refuse(id, code, why, channel);
        let options = match broker.options(channel) {
            Ok(options) => options,
            Err(error) => return refuse(error.code(), &error),
        };
        if !self.rights.publish && options.publish != Publishers::Readers {
            let why = "this connection may not publish: it was opened without the authority";
            return refuse(ErrorCode::Unauthorized, &why);
        }
        if options.generated {
            let why = format!("the messages of '{channel}' are made up here alone");
            return refuse(ErrorCode::Generated, &why);
        }
        let key = key.map(|key| IdempotencyKey::try_from(key.as_bytes())).transpose();
        let key = match key {
            Ok(key) => key,
            Err(error) => return refuse(ErrorCode::BadKey, &error),
        };
        match broker.publish(channel, vec![message], key).await {
            Ok(receipt) => {
                let (position, duplicate) = (PositionText(receipt.first), receipt.duplicate);
                let event = Event::Published { channel, position, duplicate };
                Answer { frame: v1::answer(&event, id), refusal: None }
            }
            Err(error) => refuse(error.code(), &error),
        }
    }
}

async fn history(
    broker: &Broker,
    id: Option<&RequestId>,
    channel: &ChannelName,
    since: Option<Since>,
    limit: Option<u64>,
) -> Answer {
    let max = limits::HISTORY_PAGE_LEN_MAX;
    let len_max = limit.map_or(Some(limits::HISTORY_PAGE_LEN), |limit| limit.try_into().ok());
    let Some(len_max) = len_max.filter(|len_max| (1..=max).contains(len_max)) else {
        let why = format!("{} is not a limit: expected 1 to {max}", limit.unwrap_or_default());
        return refuse(id, ErrorCode::BadLimit, &why, channel);
    };
    let since = since.unwrap_or(Since::Last(len_max as u64));
    let limit = PageLimit { len_max, bytes_max: limits::HISTORY_PAGE_BYTES_MAX };
    let read = async {
        let start = broker.resolve(channel, since).await?;
        let page = broker.history(channel, start.after, limit).await?;
        Ok::<_, ReadError>((start, page))
    };
    match read.await {
        Ok((start, page)) => {
            let (gap, bounds) = (Gap::before_page(start.gap, page.gap), [page.through, start.head]);
            let event = Event::history(channel, &page.items, gap.as_ref(), bounds);
            Answer { frame: v1::answer(&event, id), refusal: None }
        }
        Err(error) => refuse(id, error.code(), &error, channel),
    }
}

fn refuse(
    id: Option<&RequestId>,
    code: ErrorCode,
    why: &dyn std::fmt::Display,
    channel: &ChannelName,
) -> Answer {
    let frame = v1::answer(&Event::error(code, &why.to_string(), Some(channel)), id);
    Answer { frame, refusal: Some(code) }
}
