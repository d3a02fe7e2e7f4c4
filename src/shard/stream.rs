//! The socket of a connection as an event queue watches it: over TCP, or a Unix-domain socket.

use std::{
    io::{self, IoSlice, Read, Write},
    net::Shutdown,
};

use mio::{Interest, Registry, Token, event::Source, net::TcpStream};
#[cfg(target_os = "linux")]
use rustix::net::{RecvFlags, SendFlags};

use crate::transport::Plain;

/// Whoever writes to a connection that has gone gets an error, and not a signal besides.
#[cfg(target_os = "linux")]
const NO_SIGNAL: SendFlags = SendFlags::NOSIGNAL;

/// A connected socket that does not block.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(mio::net::UnixStream),
}

impl From<Plain> for Stream {
    fn from(stream: Plain) -> Self {
        match stream {
            Plain::Tcp(stream) => Self::Tcp(TcpStream::from_std(stream)),
            #[cfg(unix)]
            Plain::Unix(stream) => Self::Unix(mio::net::UnixStream::from_std(stream)),
        }
    }
}

/// Does the same with whichever it is.
macro_rules! whichever {
    ($self:expr, $stream:ident => $work:expr) => {
        match $self {
            Stream::Tcp($stream) => $work,
            #[cfg(unix)]
            Stream::Unix($stream) => $work,
        }
    };
}

impl Stream {
    pub(super) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        whichever!(self, stream => stream.shutdown(how))
    }
}

/// The system is called without the C library in between, whose calls are points at which a thread
/// may be cancelled: to say so costs four atomic operations for each message.
impl Read for Stream {
    #[cfg(target_os = "linux")]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (received, _) =
            whichever!(self, stream => rustix::net::recv(stream, buffer, RecvFlags::empty()))?;
        Ok(received)
    }

    #[cfg(not(target_os = "linux"))]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        whichever!(self, stream => stream.read(buffer))
    }
}

impl Write for Stream {
    #[cfg(target_os = "linux")]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(whichever!(self, stream => rustix::net::send(stream, bytes, NO_SIGNAL))?)
    }

    #[cfg(not(target_os = "linux"))]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        whichever!(self, stream => stream.write(bytes))
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        whichever!(self, stream => stream.write_vectored(slices))
    }

    fn flush(&mut self) -> io::Result<()> {
        whichever!(self, stream => stream.flush())
    }
}

impl Source for Stream {
    fn register(
        &mut self,
        registry: &Registry,
        token: Token,
        for_what: Interest,
    ) -> io::Result<()> {
        whichever!(self, stream => stream.register(registry, token, for_what))
    }

    fn reregister(
        &mut self,
        registry: &Registry,
        token: Token,
        for_what: Interest,
    ) -> io::Result<()> {
        whichever!(self, stream => stream.reregister(registry, token, for_what))
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        whichever!(self, stream => stream.deregister(registry))
    }
}
