//! A shard: one plain thread with a table of WebSockets and an event loop.
//!
//! A socket enters after its handshake, is registered once, edge-triggered, and from then on costs
//! a row in the table: there is one read buffer for all of them. What is decoded there is lent to
//! the shard's [`Tenant`], and what the tenant has to say is lent by its [`Outlet`] to as few
//! writes as the socket allows. Between slices of sends the loop polls sockets, inbox and timers,
//! so that a broadcast to many does not keep anyone waiting.
//!
//! The viewers of channels are one kind of tenant, the clients of a service another. The protocol
//! (answering pings and closes, asking for signs of life, ending a connection without losing its
//! last words) is the shard's, the same for both.

mod alarm;
mod deadlines;
mod flush;
mod receive;
mod room;
mod socket;
mod stream;
mod table;
#[cfg(test)]
mod tests;

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use arrayvec::ArrayVec;
use enchufe_core::{
    MessageRef,
    ws::{CloseCode, CloseReason, Violation},
};
use mio::{Events, Poll, Token};

use crate::{limits, transport};
use alarm::Alarm;
pub use deadlines::Patience;
use socket::{Phase, Socket};
pub(crate) use {
    enchufe_core::fanout::{SLICES_MAX, Transmit},
    room::Room,
    socket::Protocol,
    stream::Stream,
    table::{Admission, Key, Table},
};

const WAKE: Token = Token(usize::MAX);
const ALARM: Token = Token(usize::MAX - 1);

/// A connection's socket, non-blocking, with TLS on it or without.
pub(crate) type Wire = transport::Socket<Stream>;

/// Slices of one write, borrowed from whoever keeps the bytes.
pub(crate) type Slices<'a> = ArrayVec<&'a [u8], SLICES_MAX>;

/// What lives on a shard: takes what its peers say, and has an [`Outlet`] for the answers.
pub(crate) trait Tenant {
    /// What is sent, and to whom.
    type Outlet: Outlet;

    /// Where what is to be sent comes from.
    fn outlet(&mut self) -> &mut Self::Outlet;

    /// The waker was used: takes what came through the inbox. Newcomers are admitted to the table.
    fn on_wake(&mut self, table: &mut Table<Seat<Self>>);

    /// A message came. What is written into `room` leaves ahead of what the outlet has by then.
    fn on_message(
        &mut self,
        seat: &mut Seat<Self>,
        message: Received<'_>,
        room: Room<'_>,
    ) -> Result<(), Full>;

    /// Bytes of a stream came, which the tenant may write to. Says how many of them, from the front,
    /// are now what is to be sent.
    fn on_bytes(&mut self, seat: &mut Seat<Self>, bytes: &mut [u8]) -> usize;

    /// Nothing came for a while; a ping is on its way.
    fn on_heartbeat(&mut self, seat: &mut Seat<Self>);

    /// The connection has ended.
    fn on_end(&mut self, seat: Seat<Self>, ending: Ending);

    /// What time it is now, said once a round before anything else.
    fn on_time(&mut self, _: Instant) {}

    /// By when the tenant wants to be told the time again.
    fn next_due(&self) -> Option<Instant> {
        None
    }

    /// The loop has made its round.
    fn on_round(&mut self, table: &Table<Seat<Self>>);
}

/// What a tenant keeps of a connection.
pub(crate) type Seat<T> = <<T as Tenant>::Outlet as Outlet>::Seat;

/// What waits to be sent on a shard's connections.
pub(crate) trait Outlet {
    /// What is kept of a connection.
    type Seat;

    /// Whether answers go out as soon as what was read has been dealt with, and not in slices.
    const ANSWERS_AT_ONCE: bool;

    /// Queues a control frame.
    fn push(&mut self, seat: &mut Self::Seat, frame: &[u8]) -> Result<(), Full>;

    /// Queues a Close frame of ours; nothing may follow it. The first one counts.
    fn close(&mut self, seat: &mut Self::Seat, reason: &CloseReason);

    /// Queues the Close frame that answers the peer's, or its violation, in exactly these words.
    fn finish(&mut self, seat: &mut Self::Seat, reason: &CloseReason);

    /// The peer of a stream sends nothing more: nothing may follow what waits to be sent.
    fn end(&mut self, seat: &mut Self::Seat);

    /// Whether a Close frame was queued, or a stream is at its end.
    fn is_closing(&self, seat: &Self::Seat) -> bool;

    /// Whether so much waits that it had better go out before more is decoded.
    fn is_filling(&self, seat: &Self::Seat) -> bool;

    /// Whether nothing more may be decoded until what waits has gone out.
    fn is_full(&self, seat: &Self::Seat) -> bool;

    /// The next connection that may have something to send, `slice` of them at most.
    fn next_ready(&mut self, slice: &mut usize) -> Option<usize>;

    /// Whether some connection may have something to send.
    fn has_ready(&self) -> bool;

    /// Lends what is to be sent, about `bytes_max` bytes of it. `front` was written into the
    /// [`Room`] of the messages that are answered.
    fn transmit<'a>(
        &'a mut self,
        seat: &'a mut Self::Seat,
        front: &'a [u8],
        bytes_max: usize,
        slices: &mut Slices<'a>,
    ) -> Transmit;

    /// The socket has taken so many bytes of that. What it left of `front` has to be kept.
    fn sent(&mut self, seat: &mut Self::Seat, front: &[u8], bytes: usize);

    /// Whether nothing more is to be done for a connection whose socket has just taken all that it
    /// was lent. An outlet that cannot tell says no, and is asked to transmit again.
    fn is_done(&mut self, _: &Self::Seat) -> bool {
        false
    }

    /// The socket takes nothing, and so nothing of `front`, until [`Outlet::writable`].
    fn blocked(&mut self, seat: &mut Self::Seat, front: &[u8]);

    /// The socket takes bytes again.
    fn writable(&mut self, seat: &mut Self::Seat);

    /// Writing stopped before everything was written: the connection's turn comes again.
    fn again(&mut self, seat: &mut Self::Seat);
}

/// A message as it lies in the shard's buffer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Received<'a> {
    pub(crate) message: MessageRef<'a>,
    /// Whether the peer had compressed it.
    pub(crate) compressed: bool,
}

/// More waits for a peer than it may let gather: it does not read, and is dropped.
#[derive(Debug)]
pub(crate) struct Full;

/// How a connection ended.
#[derive(Debug)]
pub(crate) enum Ending {
    /// With a Close frame, the peer's or ours.
    Closed,
    /// The peer went without one.
    Abnormal,
    /// It broke the protocol or a limit, and was told so.
    Violation(Violation),
    /// It gave no sign of life for too long.
    Silent,
    /// It does not read what it is sent.
    Deaf,
    /// The connection broke.
    Broken(io::Error),
}

/// The thread's state.
pub(crate) struct Shard<T: Tenant> {
    poll: Poll,
    alarm: Alarm,
    table: Table<Seat<T>>,
    tenant: T,
    buffer: Vec<u8>,
    /// Every connection was told that this is the end.
    told: bool,
}

impl<T: Tenant> Shard<T> {
    /// A shard and the waker by which its tenant hears of the inbox, which `tenant` is made with.
    ///
    /// # Errors
    ///
    /// When the system gives no event queue.
    pub(crate) fn new(
        patience: Patience,
        tenant: impl FnOnce(Arc<mio::Waker>) -> T,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Arc::new(mio::Waker::new(poll.registry(), WAKE)?);
        let alarm = Alarm::new(poll.registry(), ALARM)?;
        let table = Table::new(poll.registry().try_clone()?, patience);
        let buffer = vec![0; limits::SHARD_ROOM_BYTES + limits::SHARD_BUFFER_BYTES];
        Ok(Self { poll, alarm, table, tenant: tenant(waker), buffer, told: false })
    }

    /// The tenant, before the shard runs.
    pub(crate) fn tenant(&self) -> &T {
        &self.tenant
    }

    /// Runs until it was told to stop and the last connection has gone.
    pub(crate) fn run(mut self) {
        let mut events = Events::with_capacity(1024);
        while !self.table.is_deserted() {
            let is_busy = self.tenant.outlet().has_ready() || self.table.has_unread();
            let timeout = match is_busy {
                true => Some(Duration::ZERO),
                false => {
                    let due = self.table.next_deadline().into_iter().chain(self.tenant.next_due());
                    self.alarm.wait(due.min(), self.table.now)
                }
            };
            if let Err(error) = self.poll.poll(&mut events, timeout)
                && error.kind() != io::ErrorKind::Interrupted
            {
                tracing::error!(%error, "the event queue failed");
                return;
            }
            self.table.now = Instant::now();
            self.tenant.on_time(self.table.now);
            for key in self.table.take_unread() {
                if let Some(socket) = self.table.get_mut(key) {
                    socket.has_turn = false;
                    self.receive(key.index, true);
                }
            }
            for event in &events {
                match event.token() {
                    WAKE => self.on_wake(),
                    ALARM => self.alarm.rang(),
                    Token(index) => self.on_ready(index, event),
                }
            }
            self.on_deadlines();
            self.flush_slice();
            self.tenant.on_round(&self.table);
        }
    }

    fn on_wake(&mut self) {
        self.tenant.on_wake(&mut self.table);
        let is_ending = self.table.is_stopping() && !self.table.is_deserted();
        if is_ending && !(self.told && self.table.newcomers.is_empty()) {
            // Whoever comes in now is told like those who were here before.
            self.told = true;
            for index in self.table.indices() {
                self.close(index, &CloseReason::new(CloseCode::GOING_AWAY, ""));
            }
        }
        self.table.newcomers.clear();
    }

    fn on_ready(&mut self, index: usize, event: &mio::event::Event) {
        let Some(socket) = self.table.sockets.get_mut(index) else { return };
        if event.is_writable() {
            self.tenant.outlet().writable(&mut socket.seat);
            if socket.stuck && T::Outlet::ANSWERS_AT_ONCE {
                self.flush(index, &[]);
                self.resume(index);
            }
        }
        let to_the_end = event.is_read_closed() || event.is_error();
        let has_turn = self.table.sockets.get(index).is_some_and(|socket| socket.has_turn);
        if (event.is_readable() || to_the_end) && !has_turn {
            self.receive(index, to_the_end);
        }
    }

    /// Says goodbye, and lets the time for the peer to leave begin.
    fn close(&mut self, index: usize, reason: &CloseReason) {
        let Some(socket) = self.table.sockets.get_mut(index) else { return };
        self.tenant.outlet().close(&mut socket.seat, reason);
        if socket.protocol.is_stream() && socket.phase == Phase::Open {
            // There are no words for it that the peer could answer.
            socket.phase = Phase::Parting;
        }
        let key = socket.key(index);
        self.table.deadlines.linger(self.table.now, key);
        self.answer(index, &[]);
    }

    fn on_deadlines(&mut self) {
        while let Some(key) = self.table.deadlines.ping_due(self.table.now) {
            let now = self.table.now;
            let dead_after = self.table.deadlines.patience.dead_after;
            let Some(socket) = self.table.get_mut(key) else { continue };
            let silence = now.duration_since(socket.alive);
            let is_stream = socket.protocol.is_stream();
            let ending = if socket.stuck { Ending::Deaf } else { Ending::Silent };
            if silence >= dead_after && (socket.stuck || !is_stream) {
                self.drop_socket(key.index, ending);
                continue;
            }
            if is_stream {
                self.table.deadlines.ping(now, key);
                continue;
            }
            if socket.phase == Phase::Open && !self.tenant.outlet().is_closing(&socket.seat) {
                // Before the ping, which waits in the same outbox: whose outbox is not empty is told
                // nothing of where it stands.
                self.tenant.on_heartbeat(&mut socket.seat);
                // A full outbox is a reader that does not read: its deadline will come.
                self.tenant.outlet().push(&mut socket.seat, &[0x89, 0]).ok();
                let was_stuck = socket.stuck;
                self.answer(key.index, &[]);
                if was_stuck && T::Outlet::ANSWERS_AT_ONCE {
                    // What had waited may have gone just now: then no event says so.
                    self.resume(key.index);
                }
            }
            self.table.deadlines.ping(now, key);
        }
        while let Some(key) = self.table.deadlines.linger_due(self.table.now) {
            if self.table.get(key).is_some() {
                self.drop_socket(key.index, Ending::Deaf);
            }
        }
    }

    /// Drops a connection that did not end as it should.
    fn drop_socket(&mut self, index: usize, ending: Ending) {
        tracing::debug!(?ending, "a connection is dropped");
        self.table.dropped += 1;
        self.remove(index, ending);
    }

    fn remove(&mut self, index: usize, ending: Ending) {
        if let Some(Socket { seat, violation, .. }) = self.table.remove(index) {
            let ending = match violation {
                Some(violation) => Ending::Violation(*violation),
                None if self.tenant.outlet().is_closing(&seat) => Ending::Closed,
                None => ending,
            };
            self.tenant.on_end(seat, ending);
        }
    }
}
