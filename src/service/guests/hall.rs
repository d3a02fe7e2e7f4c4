//! Where the clients of a service with a hot form are served: the shards, and who is there.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use enchufe_core::ws::deflate::Direction;
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

use super::{Answers, Compressors, Guests, Hot, Inbox};
use crate::{
    service::{Handler, Observer, StreamHandler},
    shard::{Admission, Patience, Protocol, Shard, Stream},
    transport::{Peer, Wire, ws},
};

/// What a shard is told.
pub(super) enum Letter {
    Newcomer(Box<Newcomer>),
    /// Tell the clients and end.
    Stop,
    /// Drop whoever is left.
    Abandon,
}

/// A client that comes in.
pub(super) struct Newcomer {
    pub(super) admission: Admission,
    pub(super) service: Hot,
    pub(super) peer: Peer,
    /// How we may compress.
    pub(super) deflate: Option<Direction>,
    pub(super) visit: Visit,
}

/// The shards of one server. They are started for the first client, and end with this.
pub(crate) struct Hall {
    doors: Vec<Door>,
    next: usize,
    visits: Arc<Visits>,
    threads: TaskTracker,
    observer: Observer,
}

/// The only way into a shard.
struct Door(Arc<Inbox>);

#[derive(Default)]
struct Visits {
    count: AtomicUsize,
    left: Notify,
}

/// One client's presence, over when dropped.
pub(super) struct Visit(Arc<Visits>);

impl Drop for Visit {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::AcqRel);
        self.0.left.notify_one();
    }
}

impl Hall {
    pub(crate) fn new(observer: Observer) -> Self {
        let (doors, visits, threads) = (Vec::new(), Arc::default(), TaskTracker::new());
        Self { doors, next: 0, visits, threads, observer }
    }

    /// How many clients are in it.
    pub(crate) fn len(&self) -> usize {
        self.visits.count.load(Ordering::Acquire)
    }

    /// Waits until some client has left. Cancel-safe.
    pub(crate) async fn left(&self) {
        self.visits.left.notified().await;
    }

    /// Hands a WebSocket client to a shard; the shards take turns.
    ///
    /// # Errors
    ///
    /// When the system gives no event queue or thread for the shards, or takes the socket away.
    pub(crate) fn enter(
        &mut self,
        socket: ws::Socket,
        peer: Peer,
        handler: Box<dyn Handler>,
    ) -> io::Result<()> {
        let ws::Socket { stream, received: leftover, decoder, deflate } = socket;
        let wire = stream.into_socket()?.map(Stream::from);
        let admission = Admission { wire, leftover, protocol: Protocol::WebSocket(decoder) };
        self.post(admission, Hot::Messages(handler), peer, deflate)
    }

    /// The same for a client of a stream.
    ///
    /// # Errors
    ///
    /// As [`Hall::enter`].
    pub(crate) fn enter_stream(
        &mut self,
        wire: Wire,
        peer: Peer,
        handler: Box<dyn StreamHandler>,
    ) -> io::Result<()> {
        let wire = wire.into_socket()?.map(Stream::from);
        let admission = Admission { wire, leftover: Bytes::new(), protocol: Protocol::Stream };
        self.post(admission, Hot::Bytes(handler), peer, None)
    }

    fn post(
        &mut self,
        admission: Admission,
        service: Hot,
        peer: Peer,
        deflate: Option<Direction>,
    ) -> io::Result<()> {
        if self.doors.is_empty() {
            let threads = std::thread::available_parallelism().map_or(1, usize::from);
            self.doors = (0..threads).map(|index| self.open(index)).collect::<Result<_, _>>()?;
        }
        self.visits.count.fetch_add(1, Ordering::AcqRel);
        let visit = Visit(Arc::clone(&self.visits));
        let door = &self.doors[self.next % self.doors.len()];
        self.next = self.next.wrapping_add(1);
        let newcomer = Newcomer { admission, service, peer, deflate, visit };
        door.0.post(Letter::Newcomer(Box::new(newcomer)));
        Ok(())
    }

    fn open(&self, index: usize) -> io::Result<Door> {
        let observer = self.observer.clone();
        let shard = Shard::new(Patience::default(), |waker| Guests {
            inbox: Arc::new(Inbox::new(waker)),
            answers: Answers::default(),
            compressors: Compressors::default(),
            observer,
        })?;
        let door = Door(Arc::clone(&shard.tenant().inbox));
        // A plain thread, which no runtime waits for: the tracker only counts it.
        let running = self.threads.token();
        std::thread::Builder::new().name(format!("service-{index}")).spawn(move || {
            shard.run();
            drop(running);
        })?;
        Ok(door)
    }

    /// Tells every client that this is the end.
    pub(crate) fn stop(&self) {
        self.doors.iter().for_each(|door| door.0.post(Letter::Stop));
    }

    /// Waits until all have left after [`Hall::stop`], and the shards with them. Cancel-safe.
    pub(crate) async fn empty(&self) {
        self.threads.close();
        self.threads.wait().await;
    }

    /// Drops whoever is left.
    pub(crate) fn abandon(&self) {
        self.doors.iter().for_each(|door| door.0.post(Letter::Abandon));
    }
}

impl Drop for Door {
    /// The shard would wait for ever.
    fn drop(&mut self) {
        self.0.post(Letter::Abandon);
    }
}

#[cfg(test)]
mod tests;
