//! A stream that is nothing but a socket, for those who move its bytes themselves.

use std::io;
#[cfg(unix)]
use std::os::fd::{AsFd, BorrowedFd};

use tokio::{io::Interest, net::TcpStream};

/// One direction of a stream with nothing between its bytes and the socket.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bare<'a> {
    Tcp(&'a TcpStream),
    #[cfg(unix)]
    Unix(&'a tokio::net::UnixStream),
}

impl Bare<'_> {
    /// Waits until the socket may have something to read.
    ///
    /// # Errors
    ///
    /// Those of the runtime.
    ///
    /// # Cancel safety
    ///
    /// Safe.
    pub(crate) async fn readable(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.readable().await,
            #[cfg(unix)]
            Self::Unix(stream) => stream.readable().await,
        }
    }

    /// Waits until the socket may take something.
    ///
    /// # Errors
    ///
    /// Those of the runtime.
    ///
    /// # Cancel safety
    ///
    /// Safe.
    pub(crate) async fn writable(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.writable().await,
            #[cfg(unix)]
            Self::Unix(stream) => stream.writable().await,
        }
    }

    /// Does `step` when the socket may have something to read.
    ///
    /// # Errors
    ///
    /// Those of `step`; after `WouldBlock` the socket is not taken to have anything.
    #[cfg(unix)]
    pub(crate) fn try_read_by<T>(&self, step: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        match self {
            Self::Tcp(stream) => stream.try_io(Interest::READABLE, step),
            #[cfg(unix)]
            Self::Unix(stream) => stream.try_io(Interest::READABLE, step),
        }
    }

    /// Does `step` when the socket may take something.
    ///
    /// # Errors
    ///
    /// Those of `step`; after `WouldBlock` the socket is not taken to have room.
    #[cfg(target_os = "linux")]
    pub(crate) fn try_write_by<T>(&self, step: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        match self {
            Self::Tcp(stream) => stream.try_io(Interest::WRITABLE, step),
            Self::Unix(stream) => stream.try_io(Interest::WRITABLE, step),
        }
    }

    /// Reads what is there. When that does not fill the buffer there is nothing more, and the next
    /// call says so without asking the system.
    ///
    /// # Errors
    ///
    /// `WouldBlock` when there is nothing.
    #[cfg(unix)]
    pub(crate) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = buffer.len();
        let mut rest = None;
        let read = self.try_read_by(|| match rustix::io::read(self, &mut *buffer)? {
            // Sockets are registered edge-triggered: there will be a sign when more comes.
            count if 0 < count && count < room => {
                rest = Some(count);
                Err(io::ErrorKind::WouldBlock.into())
            }
            count => Ok(count),
        });
        rest.map_or(read, Ok)
    }

    /// Reads what is there.
    ///
    /// # Errors
    ///
    /// `WouldBlock` when there is nothing.
    #[cfg(not(unix))]
    pub(crate) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.try_read(buffer),
        }
    }

    /// Writes what the socket takes.
    ///
    /// # Errors
    ///
    /// `WouldBlock` when that is nothing.
    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.try_write(bytes),
            #[cfg(unix)]
            Self::Unix(stream) => stream.try_write(bytes),
        }
    }
}

#[cfg(unix)]
impl AsFd for Bare<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Unix(stream) => stream.as_fd(),
        }
    }
}
