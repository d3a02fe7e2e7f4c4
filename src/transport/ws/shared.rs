//! What the two halves of a WebSocket share.

use std::{
    io,
    net::Shutdown,
    sync::{Mutex, MutexGuard, PoisonError},
};

use enchufe_core::ws::CloseReason;
use tokio::{sync::Notify, time::Instant};

use super::{Keepalive, writer::Writer};
use crate::{
    limits,
    transport::{Peer, SendError, wire::Wire},
};

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) stream: Wire,
    pub(super) peer: Peer,
    pub(super) keepalive: Option<Keepalive>,
    /// Tells the receiving half that the other one closes.
    pub(super) closing: Notify,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    writer: Writer,
    /// Until when the peer may answer our Close frame.
    close_deadline: Option<Instant>,
}

impl Shared {
    pub(super) fn new(
        stream: Wire,
        peer: Peer,
        writer: Writer,
        keepalive: Option<Keepalive>,
    ) -> Self {
        let state = Mutex::new(State { writer, close_deadline: None });
        Self { stream, peer, keepalive, closing: Notify::new(), state }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What it guards is consistent after each of its methods, also when one panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works on the sending side, which both halves do.
    pub(super) fn write<T>(&self, work: impl FnOnce(&mut Writer) -> T) -> T {
        work(&mut self.state().writer)
    }

    /// Sends what the socket takes without waiting. `Ok(true)` when that was everything.
    pub(super) fn flush(&self) -> Result<bool, SendError> {
        self.write(|writer| writer.flush(&self.stream))
            .map_err(|error| SendError::from_io(&self.peer, error))
    }

    /// Until when the peer may answer our Close frame; `None` when there is none.
    pub(super) fn close_deadline(&self) -> Option<Instant> {
        self.state().close_deadline
    }

    /// Queues a Close frame and lets the time for its answer begin.
    pub(super) fn begin_close(&self, reason: Option<&CloseReason>) {
        let mut state = self.state();
        state.writer.put_close(reason);
        state.close_deadline.get_or_insert_with(|| Instant::now() + limits::CLOSE_TIMEOUT);
        drop(state);
        self.closing.notify_one();
    }

    /// Tells the peer's system, behind what was sent, that nothing more will come.
    pub(super) fn shut_down(&self, how: Shutdown) {
        self.stream.shut_down(how);
    }

    /// Gives the peer up: both halves find the connection ended.
    pub(super) fn give_up(&self) {
        self.write(|writer| writer.fail(io::ErrorKind::TimedOut));
        self.shut_down(Shutdown::Both);
    }
}
