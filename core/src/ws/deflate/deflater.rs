//! Compressing what is sent.

use std::fmt;

use flate2::{Compress, Compression, FlushCompress};

use super::{Direction, TAIL};

/// What one step of compressing makes room for at least, in bytes.
const ROOM_BYTES_MIN: usize = 64;
/// The level that ADR 0007 measured to be worth its time.
const LEVEL: u32 = 2;

/// Compresses the messages of one direction. With context takeover it belongs to one connection;
/// without, any number of them can share it.
pub struct Deflater {
    direction: Direction,
    engine: Compress,
    /// Whether the engine remembers earlier messages.
    is_used: bool,
}

impl Deflater {
    /// A compressor for what was agreed on. It takes memory for its tables at once, so make it when
    /// there is something to compress.
    pub fn new(direction: Direction) -> Self {
        // No raw stream has a window of 8 bits in zlib. It gets 9, of which distances leave out
        // the longest match and the look-ahead: they reach back 250 bytes, and 256 are allowed.
        let bits = direction.window_bits.number().max(9);
        let engine = Compress::new_with_window_bits(Compression::new(LEVEL), false, bits);
        Self { direction, engine, is_used: false }
    }

    /// What it was made for.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// Appends one message's compressed payload, without the tail that every message has (RFC 7692
    /// §7.2.1). With context takeover it must then be sent, in this order, or be
    /// [forgotten](Self::forget).
    pub fn compress(&mut self, payload: &[u8], out: &mut Vec<u8>) {
        if payload.is_empty() {
            // An empty stored block, which leaves the engine as it is (RFC 7692 §7.2.3.6).
            out.push(0);
            return;
        }
        if !self.direction.context_takeover {
            self.forget();
        }
        self.is_used = true;
        let mut rest = payload;
        // Most text shrinks to less than half.
        out.reserve(payload.len() / 2 + ROOM_BYTES_MIN);
        loop {
            let before = self.engine.total_in();
            self.engine
                .compress_vec(rest, out, FlushCompress::Sync)
                .expect("a stream that is neither finished nor misused takes all input");
            let taken = usize::try_from(self.engine.total_in() - before);
            rest = &rest[taken.expect("it is at most what was given")..];
            // A flush is over when it leaves room.
            if rest.is_empty() && out.len() < out.capacity() {
                break;
            }
            out.reserve(rest.len() / 2 + ROOM_BYTES_MIN);
        }
        debug_assert!(out.ends_with(&TAIL), "a flush ends with an empty block");
        out.truncate(out.len() - TAIL.len());
    }

    /// Forgets earlier messages, so that the next one refers to none of them. To be called when a
    /// message that was compressed with context takeover is not sent after all.
    pub fn forget(&mut self) {
        if self.is_used {
            self.engine.reset();
            self.is_used = false;
        }
    }
}

impl fmt::Debug for Deflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deflater").field("direction", &self.direction).finish_non_exhaustive()
    }
}
