//! What went over a connection and when, as a file that can be played again.
//!
//! A recording is JSON lines, so that `jq`, `grep` and people can read it, and so that one that
//! was cut short is good up to where it was cut. The first line says what it is:
//!
//! ```text
//! {"enchufe":"recording","version":1,"started":"2026-01-02T03:04:05.678901Z","from":"tcp://127.0.0.1:7000","to":"ws://localhost:8765"}
//! {"t":0.000215,"conn":1,"event":"open","peer":"('127.0.0.1', 54321)"}
//! {"t":0.001822,"conn":1,"dir":">","kind":"bytes","text":"Ana\n"}
//! {"t":0.002144,"conn":1,"dir":"<","kind":"text","text":"Hola Ana!"}
//! {"t":0.002310,"conn":1,"dir":">","event":"end"}
//! {"t":1.002401,"conn":1,"event":"close"}
//! ```
//!
//! A payload stands in `text` when it is UTF-8 and in `base64` when it is not. What comes to be
//! known later may add keys to a line; readers pass over those they do not know.

mod line;
mod read;
mod write;

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;

use crate::core;

pub use {
    read::{ReadError, Reader},
    write::{CreateError, Writer, check},
};

/// The version of the format that is written, and the only one that is read.
pub const VERSION: u32 = 1;

/// What the first line of a recording says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// When it began: the times of all entries count from here.
    pub started: Timestamp,
    /// The first address, from whose side what goes [forth](Direction::Forth) comes. Without
    /// credentials: see [`Address::redacted`](crate::address::Address::redacted).
    pub from: String,
    /// The second address, likewise.
    pub to: String,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// How long after [`Header::started`], in whole microseconds once it is read again.
    pub at: Duration,
    /// On which connection, counted from 1.
    pub connection: u64,
    /// What.
    pub what: What,
}

/// What happened on a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A message came, or a chunk of a stream.
    Payload {
        /// Which way it went.
        direction: Direction,
        /// What it is.
        kind: Kind,
        /// The message itself. Of [`Kind::Text`] it is UTF-8.
        payload: Bytes,
    },
    /// The connection began.
    Open {
        /// Who is at the end of the first address.
        peer: String,
    },
    /// One side said that nothing more would come from it, and may go on receiving.
    End {
        /// The way on which nothing more comes.
        direction: Direction,
    },
    /// The connection ended.
    Close {
        /// The way that the close came, when a peer closed. Nothing when it was the relay's end.
        direction: Option<Direction>,
        /// The close code of a WebSocket.
        code: Option<u16>,
        /// The reason that stood beside it.
        reason: String,
        /// What went wrong, if anything.
        error: Option<String>,
    },
}

/// Which way something went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the first address's side to the second's, written `>`.
    Forth,
    /// From the second address's side to the first's, written `<`.
    Back,
}

impl Direction {
    /// `>` or `<`.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Forth => ">",
            Self::Back => "<",
        }
    }
}

/// What a payload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A text message.
    Text,
    /// A binary message.
    Binary,
    /// A chunk of a stream, which may have been cut anywhere.
    Bytes,
}

impl From<core::Kind> for Kind {
    fn from(kind: core::Kind) -> Self {
        match kind {
            core::Kind::Text => Self::Text,
            core::Kind::Binary => Self::Binary,
        }
    }
}

#[cfg(test)]
mod tests;
