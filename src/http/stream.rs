//! Streams over plain HTTP: Server-Sent Events and NDJSON.
//!
//! A stream is a task with a cursor of its own, which is pulled as fast as the client reads.

use std::{fmt::Write, sync::Arc};

use bytes::Bytes;
use enchufe_core::{
    ChannelName, Position, Since, SlowPolicy,
    fanout::ChannelCounts,
    json::{EndItem, GapItem, Item, PositionText},
    presence::Change,
    sse,
};
use http_body_util::{
    BodyExt,
    channel::{Channel, Sender},
};
use hyper::{
    StatusCode,
    header::{self, HeaderName, HeaderValue},
};
use serde::Serialize;
use tokio::time::{Interval, MissedTickBehavior, interval_at};

use super::{
    Connection, Site,
    answer::{Answer, Body, Refusal, answer, empty, full},
    fields::WireForm,
    presence, route,
};
use crate::{
    limits,
    live::{Cursor, CursorEvent, Following, StreamForm, Watch},
};

/// What a stream was asked for with.
pub(super) struct Asked {
    /// Which of the two forms.
    pub(super) form: WireForm,
    /// Where to begin.
    pub(super) since: Option<Since>,
    /// What to do when the reader does not keep up.
    pub(super) slow: Option<SlowPolicy>,
    /// Whether the reader may publish, too.
    pub(super) may_publish: bool,
    /// Whether to say who reads, who comes and who leaves.
    pub(super) presence: bool,
}

/// Pieces of a stream that wait for hyper to take them.
const PIECES_MAX: usize = 1;

/// Answers with a stream, or with 204 when a reader resumes at the end of an ended channel.
pub(super) async fn respond(
    site: &Arc<Site>,
    connection: Connection,
    channel: ChannelName,
    asked: Asked,
) -> Result<Answer, Refusal> {
    let broker = site.node.broker();
    route::check_choice(site, &channel, asked.slow, asked.may_publish)?;
    let default = if asked.form == WireForm::Events { Since::Now } else { Since::All };
    let since = asked.since.unwrap_or(default);
    let start = broker.resolve(&channel, since).await.map_err(|error| route::unreadable(&error))?;
    let state = broker.state(&channel).map_err(|error| route::unreadable(&error))?;
    if let (Some(end), Some(Since::After(position))) = (&state.end, asked.since)
        && end.position == position
    {
        return Ok(empty(StatusCode::NO_CONTENT));
    }
    let cursor = Cursor::open(broker, &channel, start, asked.slow)
        .await
        .map_err(|error| route::unreadable(&error))?;
    let watch = asked.presence.then(|| site.node.watch(&channel)).transpose();
    let watch = watch.map_err(|error| presence::refusal(&error))?;
    let (sender, body) = Channel::<Bytes>::new(PIECES_MAX);
    let kind = match asked.form {
        WireForm::Events => StreamForm::Events,
        _ => StreamForm::NdJson,
    };
    let reading = site.node.enter(channel.clone());
    let following = site.node.follow(channel, kind, cursor.position());
    let writer = Writer { form: asked.form, out: String::new(), counts: ChannelCounts::default() };
    let stream = Stream { sender, cursor, watch, writer, following };
    let (shutdown, ended) = (site.shutdown.clone(), connection.ended.clone());
    connection.tasks.spawn(async move {
        tokio::select! {
            () = stream.run() => {}
            () = shutdown.requested() => {}
            () = ended.cancelled() => {}
        }
        drop(reading);
    });
    Ok(with_body(asked.form, body.boxed_unsync()))
}

/// The head of a stream alone.
pub(super) fn head(form: WireForm) -> Answer {
    with_body(form, full(""))
}

fn with_body(form: WireForm, body: Body) -> Answer {
    let content_type = match form {
        WireForm::Events => "text/event-stream",
        _ => "application/x-ndjson",
    };
    let mut answer = answer(StatusCode::OK, content_type, body);
    answer.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
    // nginx holds back what it passes on, unless told not to.
    answer
        .headers_mut()
        .insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    answer
}

struct Stream {
    sender: Sender<Bytes>,
    cursor: Cursor,
    watch: Option<Watch>,
    writer: Writer,
    following: Following,
}

impl Stream {
    /// Until the end of the channel, or until the client has gone.
    async fn run(mut self) {
        // A gap that comes first brings its position with it: said earlier, a reader that is cut off
        // in between would resume beyond a gap that it never heard of.
        if !self.cursor.begins_with_gap() {
            self.writer.position(self.cursor.position());
        }
        let mut heartbeat = heartbeat();
        loop {
            if !self.writer.out.is_empty() {
                let piece = Bytes::from(std::mem::take(&mut self.writer.out));
                // It waits for a slow client; the connection gives up one that takes nothing.
                self.writer.counts.bytes += piece.len() as u64;
                let sent = tokio::select! {
                    sent = self.sender.send_data(piece) => sent,
                    () = self.cursor.cut() => return self.count_cut(),
                };
                if sent.is_err() {
                    return;
                }
                let counts = std::mem::take(&mut self.writer.counts);
                self.following.count(&counts, self.cursor.position());
            }
            tokio::select! {
                event = self.cursor.next() => match event {
                    CursorEvent::Publications(items) => {
                        for item in &items {
                            self.writer.item(item);
                        }
                    }
                    CursorEvent::Gap(gap) => self.writer.gap(&gap, self.cursor.position()),
                    CursorEvent::Cut => return self.count_cut(),
                    CursorEvent::End(end) => {
                        self.writer.end(&end);
                        let piece = Bytes::from(std::mem::take(&mut self.writer.out));
                        // Whoever has gone has no use for the end.
                        self.sender.send_data(piece).await.ok();
                        return;
                    }
                },
                changes = changes(&mut self.watch) => {
                    for change in &changes {
                        self.writer.change(change);
                    }
                }
                _ = heartbeat.tick() => self.writer.position(self.cursor.position()),
            }
        }
    }

    fn count_cut(&self) {
        let cut = ChannelCounts { cut: 1, ..ChannelCounts::default() };
        self.following.count(&cut, self.cursor.position());
    }
}

/// What has changed in who reads, for one that wants to know. Cancel-safe.
async fn changes(watch: &mut Option<Watch>) -> Vec<Change> {
    match watch {
        Some(watch) => watch.next().await,
        None => std::future::pending().await,
    }
}

fn heartbeat() -> Interval {
    let start = tokio::time::Instant::now() + limits::PING_INTERVAL;
    let mut heartbeat = interval_at(start, limits::PING_INTERVAL);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    heartbeat
}

/// Encodes for one of the two forms.
struct Writer {
    form: WireForm,
    out: String,
    /// What stands in `out`.
    counts: ChannelCounts,
}

impl Writer {
    fn position(&mut self, position: Position) {
        #[derive(Serialize)]
        struct Line {
            position: PositionText,
        }
        match self.form {
            WireForm::Events => sse::position(&mut self.out, position),
            _ => self.line(&Line { position: PositionText(position) }),
        }
    }

    fn item(&mut self, publication: &enchufe_core::Publication) {
        self.counts.delivered += 1;
        match self.form {
            WireForm::Events => sse::message(&mut self.out, publication),
            _ => self.line(&Item::new(publication)),
        }
    }

    fn gap(&mut self, gap: &enchufe_core::Gap, resume: Position) {
        #[derive(Serialize)]
        struct Line {
            gap: GapItem,
        }
        self.counts.gap(gap.reason, gap.missing);
        match self.form {
            WireForm::Events => sse::gap(&mut self.out, gap, resume),
            _ => self.line(&Line { gap: gap.into() }),
        }
    }

    fn change(&mut self, change: &Change) {
        match self.form {
            WireForm::Events => sse::change(&mut self.out, change),
            _ => self.line(change),
        }
    }

    fn end(&mut self, end: &enchufe_core::End) {
        #[derive(Serialize)]
        struct Line<'a> {
            end: EndItem<'a>,
        }
        match self.form {
            WireForm::Events => sse::end(&mut self.out, end),
            _ => self.line(&Line { end: end.into() }),
        }
    }

    fn line(&mut self, value: &impl Serialize) {
        let json = serde_json::to_string(value).expect("plain data with text keys");
        writeln!(self.out, "{json}").expect("writing to a string cannot fail");
    }
}
