//! A row of the table: one connection.

use std::time::Instant;

use enchufe_core::ws::{self, Violation};

use super::{Key, Wire};
use crate::limits;

/// What the processor's cache holds as one piece. A frame's header is shorter.
const CACHE_LINE_BYTES: usize = 64;

pub(super) struct Socket<S> {
    pub(super) wire: Wire,
    pub(super) protocol: Protocol,
    pub(super) seat: S,
    /// How much memory its unfinished message takes, as the table has counted it.
    pub(super) unfinished: usize,
    /// Tells this connection from another that had the same row.
    pub(super) serial: u32,
    /// The last write was not taken whole.
    pub(super) stuck: bool,
    /// It is to be read in the next round, and not before: whoever always has more has no more
    /// turns than others.
    pub(super) has_turn: bool,
    pub(super) phase: Phase,
    /// When the peer last showed life: sent something, or took what had been stuck.
    pub(super) alive: Instant,
    /// What was read and may not be decoded yet.
    pub(super) kept: Option<Box<[u8]>>,
    pub(super) violation: Option<Box<Violation>>,
}

impl<S> Socket<S> {
    pub(super) fn key(&self, index: usize) -> Key {
        Key { index, serial: self.serial }
    }

    /// How much room answers need in front of what is read: an answer as long as the message whose
    /// rest comes is written before anything else is decoded. More of it would only be more memory
    /// for the processor's cache to hold.
    pub(super) fn room_bytes(&self) -> usize {
        let room = self.unfinished.saturating_add(CACHE_LINE_BYTES);
        room.next_multiple_of(CACHE_LINE_BYTES).min(limits::SHARD_ROOM_BYTES)
    }
}

/// What the bytes of a connection mean.
pub(crate) enum Protocol {
    /// Messages, decoded within the limits that the peer was told.
    WebSocket(ws::Decoder),
    /// Themselves. Nobody is pinged, and who is idle stays.
    Stream,
}

impl Protocol {
    pub(super) fn is_stream(&self) -> bool {
        matches!(self, Self::Stream)
    }

    /// How much memory its unfinished message takes.
    pub(super) fn unfinished_bytes(&self) -> usize {
        match self {
            Self::WebSocket(decoder) => decoder.unfinished_bytes(),
            Self::Stream => 0,
        }
    }
}

/// How far a connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Messages go both ways.
    Open,
    /// The peer has shut its side behind what is answered by a Close, which it may still read.
    Parting,
    /// The close has gone out and the write side is shut: what still comes is read and ignored,
    /// so that the peer gets the close instead of a reset.
    Draining,
}
