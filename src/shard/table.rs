//! The table of a shard: its sockets, and when to look after them.

use std::{io, time::Instant};

use bytes::Bytes;
use mio::{Interest, Registry, Token};
use slab::Slab;

use super::{
    Patience, Wire,
    deadlines::Deadlines,
    socket::{Phase, Protocol, Socket},
};
use crate::limits;

/// A connection after its handshake.
pub(crate) struct Admission {
    pub(crate) wire: Wire,
    /// What was read beyond the handshake.
    pub(crate) leftover: Bytes,
    pub(crate) protocol: Protocol,
}

/// The memory that unfinished messages take.
#[derive(Default)]
struct Unfinished {
    bytes: usize,
    /// What one peer may need for the longest message.
    longest: usize,
}

impl Unfinished {
    fn allow(&mut self, message_bytes_max: usize) {
        self.longest = self.longest.max(message_bytes_max);
    }

    fn change(&mut self, before: usize, after: usize) {
        self.bytes = self.bytes - before + after;
    }

    fn is_too_much(&self) -> bool {
        let bytes_max = limits::SHARD_UNFINISHED_BYTES_MAX.max(self.longest.saturating_mul(2));
        self.bytes > bytes_max
    }
}

/// A row, and which of the connections that have had it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) index: usize,
    pub(super) serial: u32,
}

/// A shard's sockets, each with the seat its tenant has given it.
pub(crate) struct Table<S> {
    registry: Registry,
    pub(super) sockets: Slab<Socket<S>>,
    pub(super) deadlines: Deadlines,
    /// Sockets that had more to read than one turn takes, each of them once.
    unread: Vec<Key>,
    pub(super) newcomers: Vec<usize>,
    pub(super) now: Instant,
    pub(super) dropped: u64,
    unfinished: Unfinished,
    serial: u32,
    stopping: bool,
    abandoned: bool,
}

impl<S> Table<S> {
    pub(super) fn new(registry: Registry, patience: Patience) -> Self {
        Self {
            registry,
            sockets: Slab::new(),
            deadlines: Deadlines::new(patience),
            unread: Vec::new(),
            newcomers: Vec::new(),
            now: Instant::now(),
            dropped: 0,
            unfinished: Unfinished::default(),
            serial: 0,
            stopping: false,
            abandoned: false,
        }
    }

    /// Takes a connection in, with the seat that `seat` makes for its row.
    ///
    /// # Errors
    ///
    /// When the system does not watch it. The connection is dropped then.
    pub(crate) fn admit(
        &mut self,
        admission: Admission,
        seat: impl FnOnce(usize) -> S,
    ) -> io::Result<()> {
        let Admission { mut wire, leftover, protocol } = admission;
        if let Protocol::WebSocket(decoder) = &protocol {
            self.unfinished.allow(decoder.limits().message_bytes_max);
        }
        let entry = self.sockets.vacant_entry();
        let index = entry.key();
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.registry.register(wire.get_mut(), Token(index), interest).inspect_err(|_| {
            self.dropped += 1;
        })?;
        self.serial = self.serial.wrapping_add(1);
        let key = Key { index, serial: self.serial };
        let has_more = !leftover.is_empty() || wire.has_plaintext();
        entry.insert(Socket {
            wire,
            protocol,
            seat: seat(index),
            unfinished: 0,
            serial: self.serial,
            stuck: false,
            has_turn: has_more,
            phase: Phase::Open,
            alive: self.now,
            kept: (!leftover.is_empty()).then(|| Box::from(leftover.as_ref())),
            violation: None,
        });
        self.newcomers.push(index);
        self.deadlines.ping(self.now, key);
        if has_more {
            self.unread.push(key);
        }
        Ok(())
    }

    /// Every connection is told that this is the end; when the last has gone, so has the shard.
    pub(crate) fn stop(&mut self) {
        self.stopping = true;
    }

    /// Drops every connection, without a word.
    pub(crate) fn abandon(&mut self) {
        self.stopping = true;
        self.abandoned = true;
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping
    }

    /// Whether nobody is left, or to be left.
    pub(super) fn is_deserted(&self) -> bool {
        self.abandoned || (self.stopping && self.sockets.is_empty())
    }

    /// Connections that did not end as they should have.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    pub(super) fn indices(&self) -> Vec<usize> {
        self.sockets.iter().map(|(index, _)| index).collect()
    }

    pub(super) fn get(&self, key: Key) -> Option<&Socket<S>> {
        self.sockets.get(key.index).filter(|socket| socket.serial == key.serial)
    }

    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut Socket<S>> {
        self.sockets.get_mut(key.index).filter(|socket| socket.serial == key.serial)
    }

    /// Counts what has become of a peer's unfinished message. If the messages of all take too much
    /// now, this says who takes the most.
    #[inline]
    pub(super) fn count_unfinished(&mut self, index: usize) -> Option<usize> {
        let socket = self.sockets.get_mut(index)?;
        let bytes = socket.protocol.unfinished_bytes();
        if bytes == socket.unfinished {
            return None;
        }
        let before = std::mem::replace(&mut socket.unfinished, bytes);
        self.unfinished.change(before, bytes);
        if bytes <= before || !self.unfinished.is_too_much() {
            return None;
        }
        self.sockets.iter().max_by_key(|(_, socket)| socket.unfinished).map(|(index, _)| index)
    }

    /// Reads a connection in a later round, also when nothing new comes: what is left of it was not
    /// to be read before.
    pub(crate) fn read_later(&mut self, index: usize) {
        let Some(socket) = self.sockets.get_mut(index) else { return };
        if !std::mem::replace(&mut socket.has_turn, true) {
            let key = socket.key(index);
            self.unread.push(key);
        }
    }

    pub(super) fn has_unread(&self) -> bool {
        !self.unread.is_empty()
    }

    pub(super) fn take_unread(&mut self) -> Vec<Key> {
        std::mem::take(&mut self.unread)
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    pub(super) fn remove(&mut self, index: usize) -> Option<Socket<S>> {
        let mut socket = self.sockets.try_remove(index)?;
        self.unfinished.change(socket.unfinished, 0);
        // It goes with the descriptor in any case.
        self.registry.deregister(socket.wire.get_mut()).ok();
        Some(socket)
    }
}
