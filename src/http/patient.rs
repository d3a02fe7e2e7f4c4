//! A client's socket with an end to our patience: one that takes nothing of its answer is given up,
//! one that has only shut its side is not.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep},
};

use crate::limits;

/// What one read takes of what nobody wants any more, in bytes.
const DISCARD_BYTES: usize = 8 << 10;

/// A socket whose writes fail once the peer has taken nothing for too long.
pub(super) struct Patient {
    stream: TcpStream,
    dead_after: Duration,
    linger: Linger,
    /// Runs while the socket takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
    /// Something was read that nothing has been written after.
    is_asking: bool,
    /// Runs once the peer has shut its side behind a request.
    half_closed: Option<Pin<Box<Sleep>>>,
    /// Runs once the write side is shut and the peer is still sending.
    lingering: Option<Pin<Box<Sleep>>>,
}

/// Asks for what still comes to be read, and ignored, when the connection ends. To close on unread
/// bytes would reset it, and the answer that says why could be lost.
#[derive(Debug, Clone, Default)]
pub(super) struct Linger(Arc<AtomicBool>);

impl Linger {
    pub(super) fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Patient {
    pub(super) fn new(stream: TcpStream, dead_after: Duration, linger: Linger) -> Self {
        let (stalled, half_closed, lingering) = (None, None, None);
        Self { stream, dead_after, linger, stalled, is_asking: false, half_closed, lingering }
    }

    pub(super) fn into_inner(self) -> TcpStream {
        self.stream
    }

    fn write(
        &mut self,
        context: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut TcpStream>, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(written) = write(Pin::new(&mut self.stream), context) {
            self.stalled = None;
            self.is_asking = false;
            if let Some(half_closed) = &mut self.half_closed {
                half_closed.as_mut().reset(Instant::now() + limits::HALF_CLOSED_TIMEOUT);
            }
            return Poll::Ready(written);
        }
        let dead_after = self.dead_after;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(dead_after)));
        ready!(stalled.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.half_closed.is_none() {
            let before = buffer.filled().len();
            ready!(Pin::new(&mut this.stream).poll_read(context, buffer))?;
            if buffer.filled().len() > before {
                this.is_asking = true;
                return Poll::Ready(Ok(()));
            }
            if !this.is_asking {
                return Poll::Ready(Ok(()));
            }
        }
        // It may have shut its side because its request was all it had to say, as programs do that
        // pass on their input. For hyper the end would mean that nobody waits for an answer.
        let time = limits::HALF_CLOSED_TIMEOUT;
        this.half_closed.get_or_insert_with(|| Box::pin(sleep(time))).as_mut().poll(context).map(Ok)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.write(context, |stream, context| stream.poll_write(context, bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.write(context, |stream, context| stream.poll_write_vectored(context, slices))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.lingering.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
            if !this.linger.0.load(Ordering::Relaxed) {
                return Poll::Ready(Ok(()));
            }
        }
        let lingering = this.lingering.get_or_insert_with(|| Box::pin(sleep(limits::LINGER)));
        while lingering.as_mut().poll(context).is_pending() {
            let mut bytes = [0; DISCARD_BYTES];
            let mut buffer = ReadBuf::new(&mut bytes);
            let read = ready!(Pin::new(&mut this.stream).poll_read(context, &mut buffer));
            if read.is_err() || buffer.filled().is_empty() {
                break;
            }
        }
        Poll::Ready(Ok(()))
    }
}
