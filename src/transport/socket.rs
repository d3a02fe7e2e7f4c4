//! A connection that belongs to no runtime: what a shard is handed after the handshake.

use std::io::{self, IoSlice, Read, Write};

use super::tls::Session;

/// A socket that does not block, with TLS on it or without. Reading and writing are of what is
/// meant, not of what is on the wire.
///
/// With TLS some of what was taken to be sent may be kept: then it [has something
/// unsent](Self::has_unsent), and [`flush`](Write::flush) has to be called, or more be written, once
/// the socket is writable. A read must go on until `WouldBlock`: a short one says nothing about the
/// socket.
#[derive(Debug)]
pub struct Socket<S> {
    socket: S,
    session: Option<Box<Session>>,
}

impl<S> From<S> for Socket<S> {
    /// Without TLS.
    fn from(socket: S) -> Self {
        Self { socket, session: None }
    }
}

impl<S> Socket<S> {
    pub(super) fn new(socket: S, session: Option<Box<Session>>) -> Self {
        Self { socket, session }
    }

    /// The same connection, its socket in other hands.
    pub fn map<T>(self, change: impl FnOnce(S) -> T) -> Socket<T> {
        Socket { socket: change(self.socket), session: self.session }
    }

    /// The socket below.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.socket
    }

    /// Whether there is TLS on it.
    pub fn is_secure(&self) -> bool {
        self.session.is_some()
    }

    /// Whether a read has something to say at once though the socket has nothing.
    pub fn has_plaintext(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.has_plaintext())
    }

    /// Whether something was taken to be sent that the socket has not taken yet.
    pub fn has_unsent(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.has_unsent())
    }
}

impl<S: Read + Write> Socket<S> {
    /// Says, behind what was sent, that nothing more will come. With TLS alone this is said in so
    /// many words; then the socket's write side can be shut.
    ///
    /// # Errors
    ///
    /// Those of [`flush`](Write::flush).
    pub fn close(&mut self) -> io::Result<()> {
        match &mut self.session {
            None => Ok(()),
            Some(session) => session.close(&mut self.socket),
        }
    }
}

impl<S: Read + Write> Read for Socket<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.session {
            None => self.socket.read(buffer),
            Some(session) => session.read(&mut self.socket, buffer),
        }
    }
}

impl<S: Read + Write> Write for Socket<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.session {
            None => self.socket.write(bytes),
            Some(session) => session.write(&mut self.socket, &[IoSlice::new(bytes)]),
        }
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match &mut self.session {
            None => self.socket.write_vectored(slices),
            Some(session) => session.write(&mut self.socket, slices),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.session {
            None => Ok(()),
            Some(session) => session.flush(&mut self.socket),
        }
    }
}
