//! What still has to go out to one peer: messages that were put together, and a few small frames.
//!
//! Both halves of a connection write: one the messages, the other pongs, pings and the answer to
//! a Close frame. So this stands between them under a lock that is never held across a wait.
//! Everything that waits leaves in one write; a frame that was begun is always finished before
//! anything else, whoever began it.

use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    mem,
};

use arrayvec::ArrayVec;
use bytes::{Buf as _, Bytes};
use enchufe_core::{
    Kind, Message, MessageRef,
    ws::{
        CloseReason, Opcode, Role,
        deflate::{Deflater, Direction},
        encode,
    },
};
use tokio::time::Instant;

use super::keys::Keys;
use crate::{limits, transport::wire::Wire};

/// From which length on a payload is lent to the system from where it lies, in bytes. A shorter
/// one is copied next to its neighbours.
const LENT_BYTES_MIN: usize = 4 << 10;
/// How many pieces of memory one write takes. Between two of them lies a lent payload.
const SLICES_MAX: usize = 32;

/// The sending side of a connection, as far as it needs no waiting.
#[derive(Debug)]
pub(super) struct Writer {
    /// Masking keys, once there was a frame to mask.
    keys: Option<Box<Keys>>,
    role: Role,
    /// What is written next, from the front.
    pieces: VecDeque<Bytes>,
    /// Frames behind that, to which more can be added.
    gathered: Vec<u8>,
    waiting_bytes: usize,
    /// Whether the socket took less than what waited. Small frames then wait until it has all.
    is_held: bool,
    /// How we may compress.
    deflate: Option<Direction>,
    /// Without context takeover there is none unless something waits.
    deflater: Option<Box<Deflater>>,
    /// The latest ping that is not answered yet. Earlier ones need no answer of their own
    /// (RFC 6455 §5.5.3), so that a peer which only pings costs no more than this.
    pong: Option<Bytes>,
    ping: bool,
    closing: Closing,
    failed: Option<io::ErrorKind>,
    blocked_since: Option<Instant>,
    progress_at: Option<Instant>,
}

#[derive(Debug)]
enum Closing {
    Open,
    Wanted { frame: Vec<u8> },
    Sent,
}

impl Writer {
    pub(super) fn new(role: Role, deflate: Option<Direction>) -> Self {
        Self {
            role,
            keys: None,
            pieces: VecDeque::new(),
            gathered: Vec::new(),
            waiting_bytes: 0,
            is_held: false,
            deflate,
            deflater: None,
            pong: None,
            ping: false,
            closing: Closing::Open,
            failed: None,
            blocked_since: None,
            progress_at: None,
        }
    }

    /// Whether a Close frame was sent, or will be: no message may follow.
    pub(super) fn is_closing(&self) -> bool {
        !matches!(self.closing, Closing::Open)
    }

    /// Whether nothing waits and nothing had to.
    pub(super) fn is_fresh(&self) -> bool {
        self.is_empty()
            && self.pong.is_none()
            && !self.ping
            && !self.is_closing()
            && self.failed.is_none()
            && self.progress_at.is_none()
    }

    /// Since when the socket has taken nothing of a frame that was begun.
    pub(super) fn blocked_since(&self) -> Option<Instant> {
        self.blocked_since
    }

    /// When the peer, or the way to it, last made room for a frame that had to wait.
    pub(super) fn progress_at(&self) -> Option<Instant> {
        self.progress_at
    }

    /// Whether a further message had better wait until something has gone.
    pub(super) fn is_full(&self) -> bool {
        self.waiting_bytes >= limits::GATHERED_BYTES_MAX
    }

    /// Adds a message behind what waits. Not after a Close frame.
    pub(super) fn put(&mut self, message: Message) {
        debug_assert!(!self.is_closing());
        let Message { kind, payload } = message;
        let (mask, before) = (self.mask(), self.gathered.len());
        match self.deflate {
            Some(direction) if payload.len() >= encode::COMPRESSED_BYTES_MIN => {
                let deflater =
                    self.deflater.get_or_insert_with(|| Box::new(Deflater::new(direction)));
                encode::shortest(&mut self.gathered, kind, &payload, mask, deflater);
            }
            None if mask.is_none() && payload.len() >= LENT_BYTES_MIN => {
                let opcode = match kind {
                    Kind::Text => Opcode::Text,
                    Kind::Binary => Opcode::Binary,
                };
                let header = encode::header(opcode, payload.len(), None);
                self.gathered.extend_from_slice(&header);
                self.seal();
                self.waiting_bytes += header.len() + payload.len();
                self.pieces.push_back(payload);
                return;
            }
            _ => encode::message(&mut self.gathered, MessageRef { kind, payload: &payload }, mask),
        }
        self.waiting_bytes += self.gathered.len() - before;
    }

    /// Answers a ping. While the socket takes nothing, only the latest answer is kept.
    pub(super) fn put_pong(&mut self, payload: &[u8]) {
        if self.failed.is_some() {
            return;
        }
        if self.is_held || self.is_full() || self.is_closing() {
            self.pong = Some(Bytes::copy_from_slice(payload));
        } else {
            self.put_frame(Opcode::Pong, payload);
        }
    }

    pub(super) fn put_ping(&mut self) {
        self.ping = true;
    }

    /// Puts a Close frame last. The first reason stays.
    pub(super) fn put_close(&mut self, reason: Option<&CloseReason>) {
        if !self.is_closing() {
            let mut frame = Vec::new();
            encode::close(&mut frame, reason, self.mask());
            self.closing = Closing::Wanted { frame };
        }
    }

    /// Gives up on whatever is left.
    pub(super) fn fail(&mut self, kind: io::ErrorKind) {
        self.failed.get_or_insert(kind);
        self.pieces = VecDeque::new();
        self.gathered = Vec::new();
        self.waiting_bytes = 0;
        self.deflater = None;
        self.blocked_since = None;
    }

    /// Why nothing more can be sent, if so.
    pub(super) fn failure(&self) -> Option<io::Error> {
        self.failed.map(io::Error::from)
    }

    /// Writes as much as the socket takes without waiting. `Ok(true)` when that was everything.
    ///
    /// # Errors
    ///
    /// Those of the socket, again at each later call.
    pub(super) fn flush(&mut self, stream: &Wire) -> io::Result<bool> {
        loop {
            if let Some(kind) = self.failed {
                return Err(kind.into());
            }
            if !self.is_held {
                self.put_small_frames();
            }
            self.seal();
            let written = if self.is_empty() {
                // What TLS has kept of it is part of it.
                stream.try_flush().map(|()| 0)
            } else {
                let slices: ArrayVec<_, SLICES_MAX> =
                    self.pieces.iter().take(SLICES_MAX).map(|piece| IoSlice::new(piece)).collect();
                stream.try_write_vectored(&slices)
            };
            match written {
                Ok(_) if self.is_empty() => {
                    self.unblock();
                    // Small frames may have waited for this.
                    if !mem::take(&mut self.is_held) {
                        self.rest();
                        return Ok(true);
                    }
                }
                Ok(count) => self.advance(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.is_held = true;
                    self.blocked_since.get_or_insert_with(Instant::now);
                    return Ok(false);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => self.fail(error.kind()),
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.waiting_bytes == 0
    }

    /// Makes a piece of what was gathered.
    fn seal(&mut self) {
        if !self.gathered.is_empty() {
            self.pieces.push_back(mem::take(&mut self.gathered).into());
        }
    }

    /// Everything has gone: an idle connection keeps no memory but for context takeover.
    fn rest(&mut self) {
        self.pieces = VecDeque::new();
        if self.deflate.is_some_and(|direction| !direction.context_takeover) {
            self.deflater = None;
        }
    }

    /// Puts the small frames that wait behind everything else. Nothing follows a Close frame.
    fn put_small_frames(&mut self) {
        if let Closing::Sent = self.closing {
            (self.pong, self.ping) = (None, false);
            return;
        }
        if let Some(payload) = self.pong.take() {
            self.put_frame(Opcode::Pong, &payload);
        }
        if mem::take(&mut self.ping) {
            self.put_frame(Opcode::Ping, b"");
        }
        if let Closing::Wanted { frame } = &mut self.closing {
            self.waiting_bytes += frame.len();
            self.gathered.append(frame);
            self.closing = Closing::Sent;
        }
    }

    fn put_frame(&mut self, opcode: Opcode, payload: &[u8]) {
        let (mask, before) = (self.mask(), self.gathered.len());
        encode::frame(&mut self.gathered, opcode, payload, mask);
        self.waiting_bytes += self.gathered.len() - before;
    }

    fn advance(&mut self, mut count: usize) {
        self.waiting_bytes -= count;
        while let Some(piece) = self.pieces.front_mut().filter(|_| count > 0) {
            let of_piece = count.min(piece.len());
            piece.advance(of_piece);
            count -= of_piece;
            if piece.is_empty() {
                self.pieces.pop_front();
            }
        }
        if self.is_empty() {
            self.is_held = false;
        }
        self.unblock();
    }

    fn unblock(&mut self) {
        if self.blocked_since.take().is_some() {
            self.progress_at = Some(Instant::now());
        }
    }

    /// Clients mask, with a key nobody can foresee (RFC 6455 §5.3); servers do not.
    fn mask(&mut self) -> Option<[u8; 4]> {
        (self.role == Role::Client).then(|| self.keys.get_or_insert_default().next())
    }
}
