//! A server that knows no connections, made to look as if it did: each peer's datagrams go to a
//! connection of its own.
//!
//! One task per socket receives and hands out, so that the connections go on while nobody
//! accepts. A datagram for which there is no room is dropped, and nothing ever waits for a slow
//! connection.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, interval};

use super::{DatagramLimits, From, Incoming, Outgoing, Peer, Socket};
use crate::limits::RETRY_PAUSE;
use crate::transport::throttle::Throttle;

/// What a datagram is charged in the queues beyond its bytes.
const OVERHEAD_BYTES: usize = 64;

/// How many times per idle timeout it is looked whose time is over.
const SWEEPS_PER_TIMEOUT: u32 = 8;

/// The sockets of one served address.
#[derive(Debug)]
pub(in crate::transport) struct Server {
    arrivals: mpsc::Receiver<(Incoming, Outgoing, Peer)>,
}

impl Server {
    /// Begins to receive. At most `backlog` new peers wait to be accepted.
    pub(in crate::transport) fn start(
        sockets: Vec<Socket>,
        backlog: u32,
        limits: &DatagramLimits,
    ) -> Self {
        let backlog =
            usize::try_from(backlog).unwrap_or(usize::MAX).clamp(1, limits.peers_max.max(1));
        let (sender, arrivals) = mpsc::channel(backlog);
        let table = Arc::new(Table {
            seats: Mutex::default(),
            freed: Notify::new(),
            budget: Arc::new(Semaphore::new(limits.queued_bytes_max.min(Semaphore::MAX_PERMITS))),
            limits: limits.clone(),
        });
        for (index, socket) in sockets.into_iter().enumerate() {
            let receiver = Receiver {
                socket: Arc::new(socket),
                index,
                table: Arc::clone(&table),
                arrivals: sender.clone(),
                throttle: Throttle::default(),
            };
            tokio::spawn(receiver.run());
        }
        Self { arrivals }
    }

    /// The next new peer. Safe to cancel.
    pub(in crate::transport) async fn accept(&mut self) -> (Incoming, Outgoing, Peer) {
        match self.arrivals.recv().await {
            Some(arrival) => arrival,
            // The tasks hold the other end until this one is gone, or the runtime is ending.
            None => std::future::pending().await,
        }
    }
}

/// A datagram in a queue; dropping it gives its bytes back to the budget.
#[derive(Debug)]
pub(super) struct Datagram {
    pub(super) payload: Bytes,
    _charge: OwnedSemaphorePermit,
}

/// Who sent it, and to which of the sockets.
type Key = (usize, Peer);

/// The peers of one server.
#[derive(Debug)]
struct Table {
    seats: Mutex<HashMap<Key, Place>>,
    /// Told whenever a peer is forgotten.
    freed: Notify,
    /// The bytes that may still be queued.
    budget: Arc<Semaphore>,
    limits: DatagramLimits,
}

/// The server's side of a connection.
#[derive(Debug)]
struct Place {
    queue: mpsc::Sender<Datagram>,
    heard_at: Instant,
    ended: Arc<AtomicBool>,
}

impl Table {
    fn seats(&self) -> MutexGuard<'_, HashMap<Key, Place>> {
        // Nothing that could panic happens under the lock.
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets the peers from which nothing came.
    fn sweep(&self) {
        let now = Instant::now();
        self.seats().retain(|_, place| {
            let idle = now.duration_since(place.heard_at) >= self.limits.idle_timeout;
            if idle {
                place.ended.store(true, Ordering::Relaxed);
            }
            !idle
        });
    }
}

/// A connection's side of its place in the table, held by both of its halves; the peer is
/// forgotten when both are gone.
#[derive(Debug)]
pub(super) struct Seat {
    table: Arc<Table>,
    key: Key,
    ended: Arc<AtomicBool>,
}

impl Seat {
    /// Whether the peer was forgotten.
    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// Forgets the peer: what it sends from now on begins a new connection.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Entry::Occupied(place) = self.table.seats().entry(self.key.clone())
            && Arc::ptr_eq(&place.get().ended, &self.ended)
        {
            place.remove();
        }
        self.table.freed.notify_waiters();
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.end();
    }
}

/// The task of one socket.
struct Receiver {
    socket: Arc<Socket>,
    index: usize,
    table: Arc<Table>,
    arrivals: mpsc::Sender<(Incoming, Outgoing, Peer)>,
    throttle: Throttle,
}

impl Receiver {
    /// Runs until nobody accepts any more and the last connection is gone.
    async fn run(mut self) {
        let bytes_max = self.socket.bytes_max();
        let mut buffer = BytesMut::with_capacity(bytes_max + 1);
        let period = self.table.limits.idle_timeout / SWEEPS_PER_TIMEOUT;
        let mut sweeps = interval(period.max(Duration::from_millis(1)));
        let arrivals = self.arrivals.clone();
        let table = Arc::clone(&self.table);
        loop {
            let freed = table.freed.notified();
            if arrivals.is_closed() && table.seats().is_empty() {
                return;
            }
            buffer.clear();
            buffer.reserve(bytes_max + 1);
            tokio::select! {
                received = self.socket.recv_from(&mut buffer) => match received {
                    Ok(peer) if buffer.len() > bytes_max => {
                        self.dropped(&peer, "it is longer than what is taken");
                    }
                    Ok(peer) => self.hand_out(&peer, &buffer),
                    // Some systems report here that an answer of ours was refused.
                    Err(error) => {
                        if let Some(withheld) = self.throttle.warn() {
                            tracing::warn!(%error, withheld, "cannot receive datagrams");
                        }
                        tokio::time::sleep(RETRY_PAUSE).await;
                    }
                },
                _ = sweeps.tick() => {
                    table.sweep();
                    if let Some(dropped) = self.throttle.overdue() {
                        tracing::warn!(dropped, "more datagrams were dropped");
                    }
                }
                () = freed => {}
                () = arrivals.closed(), if !arrivals.is_closed() => {}
            }
        }
    }

    fn hand_out(&mut self, peer: &Peer, payload: &[u8]) {
        let charge = u32::try_from(payload.len() + OVERHEAD_BYTES).unwrap_or(u32::MAX);
        let Ok(charge) = Arc::clone(&self.table.budget).try_acquire_many_owned(charge) else {
            return self.dropped(peer, "too many bytes are waiting");
        };
        let datagram = Datagram { payload: Bytes::copy_from_slice(payload), _charge: charge };
        match self.queue_of(peer) {
            Ok(queue) => match queue.try_send(datagram) {
                Ok(()) => {}
                // Its receiving half is gone.
                Err(mpsc::error::TrySendError::Closed(_)) => {}
                Err(mpsc::error::TrySendError::Full(_)) => {
                    self.dropped(peer, "its connection does not receive fast enough");
                }
            },
            Err(reason) => self.dropped(peer, reason),
        }
    }

    /// The queue of a peer's connection, which is made where there is none.
    fn queue_of(&self, peer: &Peer) -> Result<mpsc::Sender<Datagram>, &'static str> {
        let key = (self.index, peer.clone());
        let mut seats = self.table.seats();
        if let Some(place) = seats.get_mut(&key) {
            place.heard_at = Instant::now();
            return Ok(place.queue.clone());
        }
        if seats.len() >= self.table.limits.peers_max {
            return Err("too many peers are known");
        }
        let Ok(arrival) = self.arrivals.try_reserve() else {
            return Err("too many peers wait to be accepted");
        };
        let (sender, queue) = mpsc::channel(self.table.limits.queue_len_max.max(1));
        let ended = Arc::new(AtomicBool::new(false));
        let place =
            Place { queue: sender.clone(), heard_at: Instant::now(), ended: Arc::clone(&ended) };
        seats.insert(key.clone(), place);
        drop(seats);
        let seat = Arc::new(Seat { table: Arc::clone(&self.table), key, ended });
        let from = From::Shared { queue, _seat: Arc::clone(&seat) };
        arrival.send((
            Incoming { from, peer: peer.clone() },
            Outgoing { socket: Arc::clone(&self.socket), seat: Some(seat), peer: peer.clone() },
            peer.clone(),
        ));
        Ok(sender)
    }

    fn dropped(&mut self, peer: &Peer, reason: &'static str) {
        if let Some(withheld) = self.throttle.warn() {
            tracing::warn!(peer = peer.escaped(), reason, withheld, "a datagram was dropped");
        }
    }
}
