//! A shard: one plain thread with a table of sockets and an event loop.
//!
//! A socket enters through the inbox after its handshake, is registered once, edge-triggered, and
//! from then on costs a row in the table: there is one read buffer for all of them, and what is
//! sent is borrowed from the publications. Between slices of sends the loop polls sockets, inbox
//! and timers, so that a broadcast to many does not keep anyone waiting.

mod board;
mod deadlines;
mod flush;
mod receive;
mod socket;

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use enchufe_core::{
    Fanout,
    fanout::{Action, Limits, ReaderId},
    ws::{self, CloseCode},
};
use mio::{Events, Interest, Poll, Token};
use slab::Slab;
use tokio::sync::mpsc;

use super::{
    inbox::{Inbox, Letter},
    node::{Errand, Patience, Viewer},
};
use crate::limits;
pub(super) use board::Board;
use deadlines::Deadlines;
use socket::{Phase, Socket};

const WAKE: Token = Token(usize::MAX);

/// The thread's state.
pub(super) struct Shard {
    index: usize,
    poll: Poll,
    inbox: Arc<Inbox>,
    board: Arc<Board>,
    errands: mpsc::UnboundedSender<Errand>,
    sockets: Slab<Socket>,
    fanout: Fanout,
    deadlines: Deadlines,
    /// Sockets that had more to read than one turn takes.
    unread: Vec<(usize, ReaderId)>,
    buffer: Vec<u8>,
    now: Instant,
    stopping: bool,
    dropped: u64,
}

impl Shard {
    pub(super) fn new(
        index: usize,
        errands: mpsc::UnboundedSender<Errand>,
        patience: Patience,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        let inbox = Arc::new(Inbox::new(mio::Waker::new(poll.registry(), WAKE)?));
        let fanout = Fanout::new(Limits {
            ring_len_max: limits::RING_LEN_MAX,
            ring_bytes_max: limits::RING_BYTES_MAX,
            outbox_bytes_max: limits::OUTBOX_BYTES_MAX,
            subscriptions_max: limits::SUBSCRIPTIONS_MAX,
        });
        Ok(Self {
            index,
            poll,
            inbox,
            board: Arc::default(),
            errands,
            sockets: Slab::new(),
            fanout,
            deadlines: Deadlines::new(patience),
            unread: Vec::new(),
            buffer: vec![0; limits::SHARD_BUFFER_BYTES],
            now: Instant::now(),
            stopping: false,
            dropped: 0,
        })
    }

    pub(super) fn inbox(&self) -> Arc<Inbox> {
        Arc::clone(&self.inbox)
    }

    pub(super) fn board(&self) -> Arc<Board> {
        Arc::clone(&self.board)
    }

    /// Runs until it was told to shut down and the last viewer has gone.
    pub(super) fn run(mut self) {
        let mut events = Events::with_capacity(1024);
        let mut letters = Vec::new();
        while !(self.stopping && self.sockets.is_empty()) {
            let busy = self.fanout.has_ready() || !self.unread.is_empty();
            let timeout =
                if busy { Some(Duration::ZERO) } else { self.deadlines.next_in(Instant::now()) };
            if let Err(error) = self.poll.poll(&mut events, timeout)
                && error.kind() != io::ErrorKind::Interrupted
            {
                tracing::error!(%error, "the event queue failed");
                return;
            }
            self.now = Instant::now();
            for (key, reader) in std::mem::take(&mut self.unread) {
                if self.sockets.get(key).is_some_and(|socket| socket.reader == reader) {
                    self.receive(key, true);
                }
            }
            for event in &events {
                match event.token() {
                    WAKE => {
                        self.inbox.take(&mut letters);
                        for letter in letters.drain(..) {
                            self.open(letter);
                        }
                    }
                    Token(key) => self.on_ready(key, event),
                }
            }
            self.on_deadlines();
            self.flush_slice();
            self.run_actions();
            let unfinished = self.fanout.unfinished();
            self.board.write(self.fanout.counts(), self.dropped, unfinished);
        }
    }

    fn on_ready(&mut self, key: usize, event: &mio::event::Event) {
        let Some(socket) = self.sockets.get(key) else { return };
        let reader = socket.reader;
        if event.is_writable() {
            self.fanout.writable(reader);
        }
        let to_the_end = event.is_read_closed() || event.is_error();
        if event.is_readable() || to_the_end {
            self.receive(key, to_the_end);
        }
    }

    fn open(&mut self, letter: Letter) {
        match letter {
            Letter::Viewer(viewer) => self.take_in(viewer),
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
            Letter::Shutdown => self.stop(),
        }
    }

    fn take_in(&mut self, viewer: Viewer) {
        let form = viewer.form();
        let Viewer { stream, leftover, raw, place } = viewer;
        let mut stream = mio::net::TcpStream::from_std(stream);
        let entry = self.sockets.vacant_entry();
        let key = entry.key();
        let interest = Interest::READABLE | Interest::WRITABLE;
        if let Err(error) = self.poll.registry().register(&mut stream, Token(key), interest) {
            tracing::warn!(%error, "a viewer cannot be watched and is dropped");
            self.dropped += 1;
            return;
        }
        let reader = self.fanout.connect(form, key);
        entry.insert(Socket {
            stream,
            decoder: ws::Decoder::new(
                ws::Role::Server,
                ws::Limits { message_bytes_max: limits::COMMAND_BYTES_MAX, ..Default::default() },
            ),
            reader,
            alive: self.now,
            stuck: false,
            phase: Phase::Open,
            _place: place,
        });
        self.deadlines.ping(self.now, key, reader);
        if let Some(raw) = raw {
            let subscription = self
                .fanout
                .subscribe(reader, &raw.channel, raw.slow)
                .expect("a reader that has just come has no subscription");
            let start = raw.start;
            self.fanout.start(subscription, start.after, start.gap, start.slow);
        }
        if self.stopping {
            self.fanout.close(reader, CloseCode::GOING_AWAY, "");
            self.deadlines.linger(self.now, key, reader);
        }
        if !leftover.is_empty() {
            let mut leftover = Vec::from(leftover);
            self.decode(key, &mut leftover);
        }
    }

    fn run_actions(&mut self) {
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
    }

    fn on_deadlines(&mut self) {
        while let Some((key, reader)) = self.deadlines.ping_due(self.now) {
            let Some(socket) = self.sockets.get(key).filter(|socket| socket.reader == reader)
            else {
                continue;
            };
            if self.now.duration_since(socket.alive) >= self.deadlines.patience.dead_after {
                tracing::debug!("a viewer shows no life and is dropped");
                self.drop_socket(key);
                continue;
            }
            if socket.phase == Phase::Open {
                let ping = bytes::Bytes::from_static(&[0x89, 0]);
                // A full outbox is a reader that does not read: its deadline will come.
                self.fanout.push(reader, ping).ok();
                self.fanout.heartbeat(reader);
            }
            self.deadlines.ping(self.now, key, reader);
        }
        while let Some((key, reader)) = self.deadlines.linger_due(self.now) {
            if self.sockets.get(key).is_some_and(|socket| socket.reader == reader) {
                tracing::debug!("a viewer did not take the end of its connection");
                self.drop_socket(key);
            }
        }
    }

    fn stop(&mut self) {
        self.stopping = true;
        for (key, socket) in &self.sockets {
            self.fanout.close(socket.reader, CloseCode::GOING_AWAY, "");
            self.deadlines.linger(self.now, key, socket.reader);
        }
    }

    /// Drops a connection that did not end as it should.
    fn drop_socket(&mut self, key: usize) {
        self.dropped += 1;
        self.remove(key);
    }

    fn remove(&mut self, key: usize) {
        if let Some(mut socket) = self.sockets.try_remove(key) {
            self.poll.registry().deregister(&mut socket.stream).ok();
            self.fanout.disconnect(socket.reader);
        }
    }
}
