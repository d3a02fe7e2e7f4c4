//! The viewers of channels, as tenants of a shard.
//!
//! What is sent to them is the fan-out's: it lends the bytes of publications, which nobody copies.
//! What a shard cannot do itself (resolve `since`, read history) is an errand for the control
//! plane, whose answer comes through the inbox.

mod board;
mod requests;

use std::sync::Arc;

use bytes::Bytes;
use enchufe_core::{
    Fanout,
    fanout::{Action, Limits, ReaderId},
    ws::{self, CloseReason},
};
use tokio::sync::mpsc;

use super::{
    inbox::{Inbox, Letter},
    node::{Errand, Viewer},
};
use crate::{
    limits,
    shard::{
        Admission, Ending, Full, Outlet, Protocol, Received, Room, Shard, Slices, Stream, Table,
        Tenant, Transmit,
    },
};
pub(super) use board::Board;

/// The viewers of one shard.
pub(super) struct Viewers {
    index: usize,
    inbox: Arc<Inbox>,
    letters: Vec<Letter>,
    board: Arc<Board>,
    errands: mpsc::UnboundedSender<Errand>,
    fanout: Fanout,
}

/// A viewer's place in the fan-out.
pub(crate) struct Seat {
    reader: ReaderId,
    /// Counts the viewer for as long as it is here.
    _place: super::node::Place,
}

/// A shard for viewers, which is not running yet.
pub(super) fn shard(
    index: usize,
    errands: mpsc::UnboundedSender<Errand>,
    patience: super::Patience,
) -> std::io::Result<Shard<Viewers>> {
    Shard::new(patience, |waker| Viewers {
        index,
        inbox: Arc::new(Inbox::new(waker)),
        letters: Vec::new(),
        board: Arc::default(),
        errands,
        fanout: Fanout::new(Limits {
            ring_len_max: limits::RING_LEN_MAX,
            ring_bytes_max: limits::RING_BYTES_MAX,
            outbox_bytes_max: limits::OUTBOX_BYTES_MAX,
            subscriptions_max: limits::SUBSCRIPTIONS_MAX,
        }),
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
            Letter::Attached(channel, after) => self.fanout.attached(&channel, after),
            Letter::Publications(channel, items) => self.fanout.publish(&channel, items),
            Letter::Ended(channel, end) => self.fanout.ended(&channel, end),
            Letter::Started(subscription, start) => {
                self.fanout.start(subscription, start.after, start.gap, start.slow);
            }
            Letter::Refused(subscription, code, message) => {
                self.fanout.refuse(subscription, code, &message);
            }
            Letter::Page(subscription, page) => self.fanout.page(subscription, page),
            Letter::Shutdown => table.stop(),
        }
    }

    fn take_in(&mut self, viewer: Viewer, table: &mut Table<Seat>) {
        let form = viewer.form();
        let Viewer { stream, leftover, raw, place } = viewer;
        let limits =
            ws::Limits { message_bytes_max: limits::COMMAND_BYTES_MAX, ..Default::default() };
        let admission = Admission {
            wire: stream.map(Stream::from),
            leftover,
            protocol: Protocol::WebSocket(ws::Decoder::new(ws::Role::Server, limits)),
        };
        let fanout = &mut self.fanout;
        let mut newcomer = None;
        let admitted = table.admit(admission, |row| {
            let reader = fanout.connect(form, row);
            newcomer = Some(reader);
            Seat { reader, _place: place }
        });
        if let Err(error) = admitted {
            tracing::warn!(%error, "a viewer cannot be watched and is dropped");
        }
        if let (Some(reader), Some(raw)) = (newcomer, raw) {
            let subscription = self
                .fanout
                .subscribe(reader, &raw.channel, raw.slow)
                .expect("a reader that has just come has no subscription");
            let start = raw.start;
            self.fanout.start(subscription, start.after, start.gap, start.slow);
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
        self.on_request(seat.reader, received.message)
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
            // The receiver lives until the last shard has ended.
            self.errands.send(errand).ok();
        }
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
        Self::is_filling(self, seat.reader)
    }

    /// A viewer that lets too many answers gather is dropped instead.
    fn is_full(&self, _: &Seat) -> bool {
        false
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
        Self::sent(self, seat.reader, bytes);
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
