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
    time::{Instant, Sleep, sleep},
};

use crate::{limits, transport::wire::Wire};

/// What one read takes of what nobody wants any more, in bytes.
const DISCARD_BYTES: usize = 8 << 10;

/// A socket whose writes fail once the peer has taken nothing for too long.
pub(super) struct Patient {
    stream: Wire,
    dead_after: Duration,
    exchange: Exchange,
    /// Runs while the socket takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
    /// Something was read that nothing was written after: more that comes belongs to it.
    is_asking: bool,
    /// Runs once the peer has shut its side behind a request, anew from every write on.
    half_closed: Option<Pin<Box<Sleep>>>,
    /// Runs once the write side is shut and the peer is still sending.
    lingering: Option<Pin<Box<Sleep>>>,
}

/// What whoever answers tells the socket.
#[derive(Debug, Clone, Default)]
pub(super) struct Exchange(Arc<Flags>);

#[derive(Debug, Default)]
struct Flags {
    answering: AtomicBool,
    linger: AtomicBool,
}

impl Exchange {
    /// A request was understood and is being answered.
    pub(super) fn begin(&self) {
        self.0.answering.store(true, Ordering::Relaxed);
    }

    /// Asks for what still comes to be read, and ignored, when the connection ends. To close on
    /// unread bytes would reset it, and the answer that says why could be lost.
    pub(super) fn linger(&self) {
        self.0.linger.store(true, Ordering::Relaxed);
    }
}

impl Patient {
    pub(super) fn new(stream: Wire, dead_after: Duration, exchange: Exchange) -> Self {
        let (stalled, half_closed, lingering) = (None, None, None);
        Self { stream, dead_after, exchange, stalled, is_asking: false, half_closed, lingering }
    }

    pub(super) fn into_inner(self) -> Wire {
        self.stream
    }

    fn write(
        &mut self,
        context: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut Wire>, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let written = ready!(self.await_peer(context, write))?;
        self.is_asking = false;
        if let Some(half_closed) = &mut self.half_closed {
            half_closed.as_mut().reset(Instant::now() + limits::HALF_CLOSED_TIMEOUT);
        }
        Poll::Ready(Ok(written))
    }

    /// Waits for what only the peer can make possible, by taking something, and not for ever.
    fn await_peer<T>(
        &mut self,
        context: &mut Context<'_>,
        work: impl FnOnce(Pin<&mut Wire>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if let Poll::Ready(done) = work(Pin::new(&mut self.stream), context) {
            self.stalled = None;
            return Poll::Ready(done);
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
            let answering = &this.exchange.0.answering;
            if buffer.filled().len() > before {
                if !std::mem::replace(&mut this.is_asking, true) {
                    answering.store(false, Ordering::Relaxed);
                }
                return Poll::Ready(Ok(()));
            }
            if !answering.load(Ordering::Relaxed) {
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
        self.await_peer(context, |stream, context| stream.poll_flush(context))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.lingering.is_none() {
            ready!(this.await_peer(context, |stream, context| stream.poll_shutdown(context)))?;
            if !this.exchange.0.linger.load(Ordering::Relaxed) {
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
