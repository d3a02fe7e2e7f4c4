//! What still has to go out to one peer: at most one frame in the making and a few small ones.
//!
//! Both halves of a connection write: one the messages, the other pongs, pings and the answer to
//! a Close frame. So this stands between them under a lock that is never held across a wait. A
//! frame that was begun is always finished before anything else, whoever began it.

use std::io::{self, IoSlice};

use bytes::{Buf as _, Bytes};
use enchufe_core::{
    Kind, Message,
    ws::{CloseReason, HeaderBytes, Opcode, Role, encode},
};
use tokio::time::Instant;

use crate::transport::wire::Wire;

/// The sending side of a connection, as far as it needs no waiting.
#[derive(Debug)]
pub(super) struct Writer {
    role: Role,
    head: HeaderBytes,
    body: Bytes,
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
    pub(super) fn new(role: Role) -> Self {
        Self {
            role,
            head: HeaderBytes::new(),
            body: Bytes::new(),
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
        self.is_between_frames()
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

    /// Begins a message. Only between frames, and not after a Close frame.
    pub(super) fn put(&mut self, message: Message) {
        debug_assert!(self.is_between_frames() && !self.is_closing());
        match self.mask() {
            None => {
                let opcode = match message.kind {
                    Kind::Text => Opcode::Text,
                    Kind::Binary => Opcode::Binary,
                };
                self.head = encode::header(opcode, message.payload.len(), None);
                self.body = message.payload;
            }
            mask => {
                let mut frame = Vec::new();
                encode::message(&mut frame, message.as_ref(), mask);
                self.body = frame.into();
            }
        }
    }

    pub(super) fn put_pong(&mut self, payload: &[u8]) {
        self.pong = Some(Bytes::copy_from_slice(payload));
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
        (self.head, self.body) = (HeaderBytes::new(), Bytes::new());
        self.blocked_since = None;
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
            let is_done = self.is_between_frames() && !self.next_control_frame();
            let written = if is_done {
                // What TLS has kept of it is part of it.
                stream.try_flush().map(|()| 0)
            } else {
                let slices = [IoSlice::new(&self.head), IoSlice::new(&self.body)];
                stream.try_write_vectored(&slices)
            };
            match written {
                Ok(_) if is_done => {
                    self.unblock();
                    return Ok(true);
                }
                Ok(count) => self.advance(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.blocked_since.get_or_insert_with(Instant::now);
                    return Ok(false);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => self.fail(error.kind()),
            }
        }
    }

    fn is_between_frames(&self) -> bool {
        self.head.is_empty() && self.body.is_empty()
    }

    /// Begins the next small frame, if one waits. Nothing follows a Close frame.
    fn next_control_frame(&mut self) -> bool {
        let mut frame = Vec::new();
        if let Closing::Sent = self.closing {
            (self.pong, self.ping) = (None, false);
            return false;
        }
        if let Some(payload) = self.pong.take() {
            encode::frame(&mut frame, Opcode::Pong, &payload, self.mask());
        } else if std::mem::take(&mut self.ping) {
            encode::frame(&mut frame, Opcode::Ping, b"", self.mask());
        } else if let Closing::Wanted { frame: close } = &mut self.closing {
            frame = std::mem::take(close);
            self.closing = Closing::Sent;
        } else {
            return false;
        }
        self.body = frame.into();
        true
    }

    fn advance(&mut self, count: usize) {
        let of_head = count.min(self.head.len());
        self.head.drain(..of_head);
        self.body.advance(count - of_head);
        if self.body.is_empty() {
            // An empty `Bytes` still holds on to the memory it was cut from.
            self.body = Bytes::new();
        }
        self.unblock();
    }

    fn unblock(&mut self) {
        if self.blocked_since.take().is_some() {
            self.progress_at = Some(Instant::now());
        }
    }

    /// Clients mask, with a key nobody can foresee (RFC 6455 §5.3); servers do not.
    fn mask(&self) -> Option<[u8; 4]> {
        (self.role == Role::Client).then(|| fastrand::u32(..).to_ne_bytes())
    }
}
