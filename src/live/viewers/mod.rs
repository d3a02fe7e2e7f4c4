//! The viewers of channels, as tenants of a shard.
//!
//! What is sent to them is the fan-out's: it lends the bytes of publications, which nobody copies.
//! What a shard cannot do itself (resolve `since`, read history) is an errand for the control
//! plane, whose answer comes through the inbox.

mod board;
mod claims;
mod record;
mod requests;
mod watchers;

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use enchufe_core::{
    Fanout,
    fanout::{Action, ReaderId, SubscriptionId},
    ws::{self, CloseReason},
};
use tokio::sync::mpsc;

use super::{
    broker::{Claim, Start},
    clerk::{Answer, Desk},
    inbox::{Inbox, Letter},
    node::{Errand, NodeOptions, Rights, Viewer, Wish},
    presence::Readers,
    publishing::{Said, Speaker, UnderWay},
};
use crate::{
    limits,
    shard::{
        Admission, Ending, Full, Outlet, Protocol, Received, Room, Shard, Slices, Stream, Table,
        Tenant, Transmit,
    },
};
pub(super) use board::Board;
use claims::Claims;
use record::Record;
use watchers::Watchers;

/// The viewers of one shard.
pub(super) struct Viewers {
    index: usize,
    inbox: Arc<Inbox>,
    letters: Vec<Letter>,
    board: Arc<Board>,
    ways: Ways,
    fanout: Fanout,
    /// When the fan-out's time began.
    born: Instant,
    claims: Claims,
    record: Record,
    watchers: Watchers,
}

/// The ways from a shard to the control plane. The receivers live until the last shard has ended.
pub(super) struct Ways {
    pub(super) errands: mpsc::UnboundedSender<Errand>,
    pub(super) says: mpsc::UnboundedSender<Said>,
    pub(super) readers: Arc<Readers>,
}

/// A viewer's place in the fan-out.
pub(crate) struct Seat {
    reader: ReaderId,
    /// If all that it says is published.
    speaker: Option<Box<Speaker>>,
    /// If it has asked for what the control plane does.
    desk: Option<Box<Desk>>,
    rights: Rights,
    row: usize,
    /// Counts the viewer for as long as it is here.
    _place: super::node::Place,
}

/// A shard for viewers, which is not running yet.
pub(super) fn shard(
    index: usize,
    ways: Ways,
    options: &NodeOptions,
) -> std::io::Result<Shard<Viewers>> {
    Shard::new(options.patience, |waker| Viewers {
        index,
        inbox: Arc::new(Inbox::new(waker, options.inbox_len_max)),
        letters: Vec::new(),
        board: Arc::default(),
        watchers: Watchers::new(index, Arc::clone(&ways.readers)),
        ways,
        claims: Claims::default(),
        born: Instant::now(),
        record: Record::default(),
        fanout: Fanout::new(options.fanout.clone()),
    })
}

impl Viewers {
    pub(super) fn inbox(&self) -> Arc<Inbox> {
        Arc::clone(&self.inbox)
    }

    pub(super) fn board(&self) -> Arc<Board> {
        Arc::clone(&self.board)
    }

    fn open(&mut self, letter: Letter, table: &mut Table<Seat>) {
        match letter {
            Letter::Viewer(viewer) => self.take_in(viewer, table),
            Letter::Attached(channel, after, window) => {
                self.fanout.set_window(&channel, window);
                self.fanout.attached(&channel, after);
            }
            Letter::Publications(channel, items) => self.fanout.publish(&channel, items),
            Letter::Ended(channel, end) => self.fanout.ended(&channel, end),
            Letter::Started(subscription, start, claim) => self.start(subscription, start, claim),
            Letter::Refused(subscription, code, message) => {
                self.record.refused(code.as_str());
                self.fanout.refuse(subscription, code, &message);
            }
            Letter::Page(subscription, page) => self.fanout.page(subscription, page),
            Letter::Published(row) => table.read_later(row),
            Letter::Answer(reader, Answer { frame, refusal }) => {
                refusal.into_iter().for_each(|code| self.record.refused(code.as_str()));
                self.fanout.answer(reader, frame);
            }
            Letter::Presence(channel) => self.watchers.tell(&channel, &mut self.fanout),
            Letter::Question => self.claims.answer(&mut self.fanout),
            Letter::Inquiry(inquiry) => self.record.answer(inquiry, &self.fanout, table.dropped()),
            Letter::Shutdown => table.stop(),
        }
    }

    fn start(&mut self, subscription: SubscriptionId, start: Start, claim: Option<Claim>) {
        self.fanout.start(subscription, start.after, start.gap, start.slow);
        if let Some(claim) = claim {
            self.claims.add(subscription, claim, &mut self.fanout);
        }
    }

    fn take_in(&mut self, viewer: Viewer, table: &mut Table<Seat>) {
        let form = viewer.form();
        let Viewer { stream, leftover, wish, place } = viewer;
        let (raw, rights) = match wish {
            Wish::Raw(raw) => (Some(raw), Rights::default()),
            Wish::V1(rights) => (None, rights),
        };
        let speaks = raw.as_ref().filter(|raw| raw.publishes).map(|raw| raw.channel.clone());
        let message_bytes_max = match speaks {
            Some(_) => limits::MESSAGE_BYTES_MAX,
            None if rights.publish => limits::PUBLISH_COMMAND_BYTES_MAX,
            None => limits::COMMAND_BYTES_MAX,
        };
        let limits = ws::Limits { message_bytes_max, ..Default::default() };
        let admission = Admission {
            wire: stream.map(Stream::from),
            leftover,
            protocol: Protocol::WebSocket(ws::Decoder::new(ws::Role::Server, limits)),
        };
        let (fanout, shard) = (&mut self.fanout, self.index);
        tracing::debug!(shard = self.index, ?form, channel = ?raw.as_ref().map(|raw| raw.channel.as_str()), "a viewer");
        let mut newcomer = None;
        let admitted = table.admit(admission, |row| {
            let reader = fanout.connect(form, row);
            newcomer = Some(reader);
            let under_way = UnderWay::default();
            let speaker =
                speaks.map(|channel| Box::new(Speaker { shard, row, channel, under_way }));
            Seat { reader, speaker, desk: None, rights, row, _place: place }
        });
        if let Err(error) = admitted {
            tracing::warn!(%error, "a viewer cannot be watched and is dropped");
        }
        if let (Some(reader), Some(mut raw)) = (newcomer, raw) {
            let subscription = self
                .fanout
                .subscribe(reader, &raw.channel, raw.slow)
                .expect("a reader that has just come has no subscription");
            let claim = raw.take_claim();
            self.start(subscription, raw.start, claim);
        }
    }
}

impl Tenant for Viewers {
    type Outlet = Fanout;

    fn outlet(&mut self) -> &mut Fanout {
        &mut self.fanout
    }

    fn on_wake(&mut self, table: &mut Table<Seat>) {
        let mut letters = std::mem::take(&mut self.letters);
        self.inbox.take(&mut letters);
        for letter in letters.drain(..) {
            self.open(letter, table);
        }
        self.letters = letters;
    }

    fn on_message(
        &mut self,
        seat: &mut Seat,
        received: Received<'_>,
        _: Room<'_>,
    ) -> Result<(), Full> {
        if let Some(speaker) = &seat.speaker {
            self.ways.says.send(speaker.say(received.message.to_owned())).ok();
            return Ok(());
        }
        self.on_request(seat, received.message)
    }

    /// Nobody comes in as a stream.
    fn on_bytes(&mut self, _: &mut Seat, _: &mut [u8]) -> usize {
        0
    }

    fn on_heartbeat(&mut self, seat: &mut Seat) {
        self.fanout.heartbeat(seat.reader);
    }

    fn on_end(&mut self, seat: Seat, ending: Ending) {
        tracing::debug!(?ending, "a viewer has gone");
        self.fanout.disconnect(seat.reader);
    }

    fn on_time(&mut self, now: Instant) {
        self.fanout.elapse(now.saturating_duration_since(self.born));
    }

    fn next_due(&self) -> Option<Instant> {
        Some(self.born + self.fanout.next_due()?)
    }

    fn on_round(&mut self, table: &Table<Seat>) {
        let shard = self.index;
        while let Some(action) = self.fanout.next_action() {
            let errand = match action {
                Action::Attach(channel) => Errand::Attach { shard, channel },
                Action::Detach(channel) => Errand::Detach { shard, channel },
                Action::History { subscription, channel, after } => {
                    Errand::History { shard, subscription, channel, after }
                }
            };
            self.ways.errands.send(errand).ok();
        }
        self.record.keep(self.fanout.take_departed());
        self.watchers.on_round(&mut self.fanout);
        self.board.write(self.fanout.counts(), table.dropped(), self.fanout.unfinished());
    }
}

impl Outlet for Fanout {
    type Seat = Seat;

    const ANSWERS_AT_ONCE: bool = false;

    fn push(&mut self, seat: &mut Seat, frame: &[u8]) -> Result<(), Full> {
        Self::push(self, seat.reader, Bytes::copy_from_slice(frame)).map_err(|_| Full)
    }

    fn close(&mut self, seat: &mut Seat, reason: &CloseReason) {
        Self::close(self, seat.reader, reason.code, &reason.reason);
    }

    fn finish(&mut self, seat: &mut Seat, reason: &CloseReason) {
        Self::finish(self, seat.reader, reason);
    }

    /// Nobody comes in as a stream.
    fn end(&mut self, _: &mut Seat) {}

    fn is_closing(&self, seat: &Seat) -> bool {
        Self::is_closing(self, seat.reader)
    }

    fn is_filling(&self, seat: &Seat) -> bool {
        Self::is_filling(self, seat.reader) || Outlet::is_full(self, seat)
    }

    /// Whether too much of what it said or asked is under way, or it does not take what it was
    /// answered. One that lets too many other answers gather is dropped instead.
    fn is_full(&self, seat: &Seat) -> bool {
        seat.speaker.as_ref().is_some_and(|speaker| speaker.under_way.is_full())
            || seat
                .desk
                .as_ref()
                .is_some_and(|desk| desk.is_full() || Self::is_full(self, seat.reader))
    }

    fn next_ready(&mut self, slice: &mut usize) -> Option<usize> {
        loop {
            let reader = Self::next_ready(self, slice)?;
            if let Some(row) = self.token(reader) {
                return Some(row);
            }
        }
    }

    fn has_ready(&self) -> bool {
        Self::has_ready(self)
    }

    fn transmit<'a>(
        &'a mut self,
        seat: &'a mut Seat,
        _: &'a [u8],
        bytes_max: usize,
        slices: &mut Slices<'a>,
    ) -> Transmit {
        self.poll_transmit(seat.reader, bytes_max, slices)
    }

    fn sent(&mut self, seat: &mut Seat, _: &[u8], bytes: usize) {
        // Who never asked is never held up by answers.
        let held_up = seat.desk.as_ref().filter(|_| Self::is_full(self, seat.reader));
        Self::sent(self, seat.reader, bytes);
        if let Some(desk) = held_up
            && !Self::is_full(self, seat.reader)
        {
            desk.resume();
        }
    }

    fn is_done(&mut self, seat: &Seat) -> bool {
        Self::is_done(self, seat.reader)
    }

    fn blocked(&mut self, seat: &mut Seat, _: &[u8]) {
        Self::blocked(self, seat.reader);
    }

    fn writable(&mut self, seat: &mut Seat) {
        Self::writable(self, seat.reader);
    }

    fn again(&mut self, seat: &mut Seat) {
        Self::again(self, seat.reader);
    }
}
