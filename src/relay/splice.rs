//! Bytes from one socket to another without their being copied into memory of ours: splice(2).
//!
//! The kernel lends the pages they lie in through a pipe. That takes two descriptors and is dearer
//! than a copy for a few bytes, so it is for bulk alone.

use std::{io, os::fd::OwnedFd};

use rustix::pipe::{PipeFlags, SpliceFlags};
use tokio::time::timeout;

use super::{copy::End, lane::Tally};
use crate::{
    limits::{RELAY_PIPE_BYTES, RELAY_PIPE_IDLE},
    transport::Bare,
};

/// A pipe whose ends do not block.
pub(super) struct Pipe {
    reader: OwnedFd,
    writer: OwnedFd,
    bytes: usize,
}

impl Pipe {
    /// None when the system has no descriptors left, or no room for one that would pay: a user has
    /// so many pages in pipes and no more (pipe(7)).
    pub(super) fn new() -> Option<Self> {
        let flags = PipeFlags::NONBLOCK | PipeFlags::CLOEXEC;
        let (reader, writer) = rustix::pipe::pipe_with(flags).ok()?;
        let bytes = rustix::pipe::fcntl_setpipe_size(&writer, RELAY_PIPE_BYTES).ok()?;
        Some(Self { reader, writer, bytes })
    }
}

/// Why bytes do not go through a pipe any more.
pub(super) enum Pause {
    End(End),
    /// Nothing came for a while.
    Quiet,
    /// One of the sockets cannot do that.
    Unable,
}

/// Carries bytes until one of the sockets ends it, or until they are no bulk any more.
///
/// # Cancel safety
///
/// Not safe: what is in the pipe is lost.
pub(super) async fn splice(from: Bare<'_>, to: Bare<'_>, pipe: &Pipe, tally: &mut Tally) -> Pause {
    let flags = SpliceFlags::MOVE | SpliceFlags::NONBLOCK;
    loop {
        tokio::task::consume_budget().await;
        let fill = || -> io::Result<usize> {
            Ok(rustix::pipe::splice(from, None, &pipe.writer, None, pipe.bytes, flags)?)
        };
        // The pipe is empty: what would block is the socket.
        let mut filled = match from.try_read_by(fill) {
            Ok(0) => return Pause::End(End::Finished),
            Ok(filled) => filled,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                match timeout(RELAY_PIPE_IDLE, from.readable()).await {
                    Ok(Ok(())) => continue,
                    Ok(Err(error)) => return Pause::End(End::Unread(error)),
                    Err(_elapsed) => return Pause::Quiet,
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => return Pause::Unable,
            Err(error) => return Pause::End(End::Unread(error)),
        };
        tally.begin();
        while filled > 0 {
            let empty = || -> io::Result<usize> {
                Ok(rustix::pipe::splice(&pipe.reader, None, to, None, filled, flags)?)
            };
            match to.try_write_by(empty) {
                Ok(emptied) => {
                    filled -= emptied;
                    tally.delivered(emptied);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if let Err(error) = to.writable().await {
                        return Pause::End(End::Undelivered(error));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Pause::End(End::Undelivered(error)),
            }
        }
        tally.end();
    }
}
