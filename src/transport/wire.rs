//! A connection over TCP or a Unix-domain socket on tokio, with TLS on it or without.
//!
//! It has the methods of [`TcpStream`] by which WebSocket works on it, and is what hyper reads and
//! writes before. When the protocol has left HTTP, it can leave tokio, too.

use std::io::{self, IoSlice, Read, Write};
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::carrier::Carrier;
use super::tls::Session;
use super::{Plain, Socket};
use crate::limits;

/// A connection, with TLS on it or without.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: Carrier,
    session: Option<Mutex<Box<Session>>>,
}

impl From<Carrier> for Wire {
    fn from(stream: Carrier) -> Self {
        Self { stream, session: None }
    }
}

impl From<TcpStream> for Wire {
    fn from(stream: TcpStream) -> Self {
        Self::from(Carrier::from(stream))
    }
}

#[cfg(unix)]
impl From<tokio::net::UnixStream> for Wire {
    fn from(stream: tokio::net::UnixStream) -> Self {
        Self::from(Carrier::Unix(stream))
    }
}

impl Wire {
    pub(super) fn with_tls(stream: Carrier, session: Box<Session>) -> Self {
        Self { stream, session: Some(Mutex::new(session)) }
    }

    /// Takes it off tokio.
    pub(crate) fn into_socket(self) -> io::Result<Socket<Plain>> {
        let session = self.session.map(|session| {
            // What it guards is whole after each of its methods, also when one panicked.
            session.into_inner().unwrap_or_else(PoisonError::into_inner)
        });
        Ok(Socket::new(self.stream.into_plain()?, session))
    }

    /// The connection below, for its options.
    pub(crate) fn carrier(&self) -> &Carrier {
        &self.stream
    }

    fn session(&self) -> Option<MutexGuard<'_, Box<Session>>> {
        self.session.as_ref().map(|session| session.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until a read may yield something.
    ///
    /// # Cancel safety
    ///
    /// Safe.
    pub(super) async fn readable(&self) -> io::Result<()> {
        if self.session().is_some_and(|session| session.has_plaintext()) {
            return Ok(());
        }
        self.stream.readable().await
    }

    /// Waits until the socket may take something.
    ///
    /// # Cancel safety
    ///
    /// Safe.
    pub(super) async fn writable(&self) -> io::Result<()> {
        self.stream.writable().await
    }

    /// Reads what is there into the room that the buffer has.
    ///
    /// # Errors
    ///
    /// `WouldBlock` when there is nothing, `UnexpectedEof` when a TLS connection was cut.
    pub(super) fn try_read_buf(&self, buffer: &mut BytesMut) -> io::Result<usize> {
        let Some(mut session) = self.session() else { return self.stream.try_read_buf(buffer) };
        let start = buffer.len();
        // No more than TLS yields at once: the room has to be cleared first.
        let room = (buffer.capacity() - start).min(limits::WS_READ_BYTES);
        buffer.resize(start + room, 0);
        let read = session.read(&mut Ready(&self.stream), &mut buffer[start..]);
        buffer.truncate(start + *read.as_ref().unwrap_or(&0));
        read
    }

    /// Writes what the socket takes, or what TLS keeps for it.
    ///
    /// # Errors
    ///
    /// `WouldBlock` when that is nothing.
    pub(super) fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self.session() {
            None => self.stream.try_write_vectored(slices),
            Some(mut session) => session.write(&mut Ready(&self.stream), slices),
        }
    }

    /// Writes what TLS has kept.
    ///
    /// # Errors
    ///
    /// `WouldBlock` while something is left.
    pub(super) fn try_flush(&self) -> io::Result<()> {
        match self.session() {
            None => Ok(()),
            Some(mut session) => session.flush(&mut Ready(&self.stream)),
        }
    }

    /// Tells the peer, behind what was sent, that nothing more will come.
    pub(super) fn shut_down(&self, how: Shutdown) {
        // Both fail only when the connection is gone already, or takes nothing more anyway.
        if let Some(mut session) = self.session() {
            let _ = session.close(&mut Ready(&self.stream));
        }
        let _ = self.stream.shut_down(how);
    }

    /// Has the connection reset when it is closed, which TCP alone can be.
    pub(super) fn reset_when_closed(&self) {
        if let Some(stream) = self.stream.tcp() {
            // It fails only when the connection is gone already.
            let linger = Some(std::time::Duration::ZERO);
            let _ = socket2::SockRef::from(stream).set_linger(linger);
        }
    }

    /// As [`Self::shut_down`] for writing, and waits until that has gone out.
    ///
    /// # Cancel safety
    ///
    /// Safe to call again.
    pub(super) async fn finish(&self) -> io::Result<()> {
        loop {
            let closed = match self.session() {
                None => Ok(()),
                Some(mut session) => session.close(&mut Ready(&self.stream)),
            };
            match closed {
                Ok(()) => return self.stream.shut_down(Shutdown::Write),
                Err(error) if is_blocked(&error) => self.writable().await?,
                Err(error) => return Err(error),
            }
        }
    }
}

/// What the socket takes or has right now, for [`Session`].
struct Ready<'a>(&'a Carrier);

impl Read for Ready<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(buffer)
    }
}

impl Write for Ready<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Drives a handshake to its end.
///
/// # Cancel safety
///
/// Not safe: what was said so far is lost with it.
pub(super) async fn shake_hands(stream: Carrier, mut session: Box<Session>) -> io::Result<Wire> {
    loop {
        match session.handshake(&mut Ready(&stream)) {
            Ok(()) => return Ok(Wire::with_tls(stream, session)),
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
            Err(_) => {}
        }
        if session.has_unsent() {
            // A peer that sends and takes nothing gets no further.
            stream.writable().await?;
        } else {
            stream.readable().await?;
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { stream, session } = &mut *self;
        let Some(session) = unlocked(session) else {
            return Pin::new(stream).poll_read(context, buffer);
        };
        loop {
            match session.read(&mut Ready(stream), buffer.initialize_unfilled()) {
                Ok(count) => {
                    buffer.advance(count);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if is_blocked(&error) => ready!(stream.poll_read_ready(context))?,
                // HTTP knows by itself whether it was cut off.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Poll::Ready(Ok(()));
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Self { stream, session } = &mut *self;
        let Some(session) = unlocked(session) else {
            return Pin::new(stream).poll_write_vectored(context, slices);
        };
        loop {
            match session.write(&mut Ready(stream), slices) {
                Err(error) if is_blocked(&error) => ready!(stream.poll_write_ready(context))?,
                written => return Poll::Ready(written),
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, session } = &mut *self;
        let Some(session) = unlocked(session) else { return Poll::Ready(Ok(())) };
        loop {
            match session.flush(&mut Ready(stream)) {
                Err(error) if is_blocked(&error) => ready!(stream.poll_write_ready(context))?,
                flushed => return Poll::Ready(flushed),
            }
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, session } = &mut *self;
        if let Some(session) = unlocked(session) {
            loop {
                match session.close(&mut Ready(stream)) {
                    Err(error) if is_blocked(&error) => ready!(stream.poll_write_ready(context))?,
                    Err(error) => return Poll::Ready(Err(error)),
                    Ok(()) => break,
                }
            }
        }
        Pin::new(stream).poll_shutdown(context)
    }
}

fn unlocked(session: &mut Option<Mutex<Box<Session>>>) -> Option<&mut Session> {
    let session = session.as_mut()?.get_mut();
    Some(session.unwrap_or_else(PoisonError::into_inner))
}

fn is_blocked(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}
