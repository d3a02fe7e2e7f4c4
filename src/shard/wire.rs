//! The socket of a connection, as a shard reads and writes it.

use std::{
    io::{self, IoSlice, Read as _, Write as _},
    net::Shutdown,
};

use arrayvec::ArrayVec;
use mio::net::TcpStream;

use super::{SLICES_MAX, Slices};

/// A non-blocking socket.
#[derive(Debug)]
pub(crate) enum Wire {
    /// Bytes as they are.
    Plain(TcpStream),
}

impl Wire {
    pub(super) fn source(&mut self) -> &mut TcpStream {
        match self {
            Self::Plain(stream) => stream,
        }
    }

    /// Whether something can be read that the system knows nothing of.
    pub(super) fn has_plaintext(&self) -> bool {
        match self {
            Self::Plain(_) => false,
        }
    }

    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
        }
    }

    /// Whether reading fewer bytes than there was room for says that nothing is left.
    pub(super) fn is_empty_after_short_read(&self) -> bool {
        matches!(self, Self::Plain(_))
    }

    pub(super) fn write(&mut self, slices: &Slices<'_>) -> io::Result<usize> {
        let Self::Plain(stream) = self;
        match slices.as_slice() {
            [one] => stream.write(one),
            many => {
                let many: ArrayVec<IoSlice<'_>, SLICES_MAX> =
                    many.iter().map(|slice| IoSlice::new(slice)).collect();
                stream.write_vectored(&many)
            }
        }
    }

    /// Sends what was accepted and is still here.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
        }
    }

    /// Tells the peer, behind what was sent, that nothing more will come.
    pub(super) fn shut_down(&mut self) {
        match self {
            // It fails only when the connection is gone already.
            Self::Plain(stream) => stream.shutdown(Shutdown::Write).ok(),
        };
    }
}
