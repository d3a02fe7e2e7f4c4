//! Relaying: what comes in at one address goes out at another, both ways at once, whatever the two
//! transports are.
//!
//! A relay keeps nothing for a slow reader: while one side takes nothing, the other is not read, so
//! that the sender is slowed down by its own system and memory stays bounded. What each end of a
//! connection means for the other side is decided in one place, `relay/ending.rs`.

mod activity;
mod copy;
mod ending;
mod journal;
mod lane;
mod report;
mod session;
#[cfg(target_os = "linux")]
mod splice;

use std::{fmt, sync::Arc, time::Duration};

use tokio::{
    sync::Mutex,
    task::JoinSet,
    time::{Instant, timeout_at},
};

use crate::{
    address::Address,
    limits,
    shutdown::Shutdown,
    transport::{
        CloseCode, CloseReason, Connection, Framing, Listener, OpenOptions, Peer, SendError,
    },
};

pub use journal::{Journal, Keeping, Sink};
pub use report::{Moved, Relayed, Report, Trouble};

/// The first side of a relay.
#[derive(Debug)]
pub enum Near {
    /// Whoever connects; each gets a connection of its own on the other side.
    Listener(Listener),
    /// One connection, and never another.
    Connection(Connection),
}

/// The second side of a relay.
#[derive(Debug)]
pub enum Far {
    /// Is connected to for each connection of the first side.
    Address(Address, OpenOptions),
    /// Whoever connects, in the order in which they come.
    Listener(Listener),
}

/// How to relay.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RelayOptions {
    /// How many connections are relayed at the same time. Further ones are turned away.
    pub connections_max: usize,
    /// Ends after the first connection.
    pub once: bool,
    /// How streams are cut into messages. `None` leaves their chunks as they come.
    pub framing: Option<Framing>,
    /// The longest message that is cut off a stream, in bytes.
    pub message_bytes_max: usize,
    /// Whether what has no kind goes out over WebSocket as binary messages even if it is text.
    pub is_binary: bool,
    /// Where only one side can say that nothing more comes from it: how long the other may then be
    /// silent before it is closed.
    pub wait: Duration,
    /// How long nothing at all may move before both sides are closed.
    pub idle_timeout: Option<Duration>,
    /// How long to wait for the connections after shutdown was requested.
    pub drain_timeout: Duration,
    /// Sees everything that passes, and slows it down when it cannot keep up.
    pub journal: Option<Journal>,
    /// Is told what happens.
    pub observer: Observer,
}

impl Default for RelayOptions {
    fn default() -> Self {
        Self {
            connections_max: limits::CONNECTIONS_MAX,
            once: false,
            framing: None,
            message_bytes_max: limits::MESSAGE_BYTES_MAX,
            is_binary: false,
            wait: limits::RELAY_WAIT,
            idle_timeout: None,
            drain_timeout: limits::DRAIN_TIMEOUT,
            journal: None,
            observer: Observer::default(),
        }
    }
}

/// Something that happened on a relay.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A connection begins.
    Opened {
        /// Counted from 1.
        number: u64,
        /// Who is on the first side.
        peer: &'a Peer,
    },
    /// A connection has ended.
    Ended(&'a Report),
    /// A client was turned away, because this many were being served already.
    Refused {
        /// The client.
        peer: &'a Peer,
        /// How many connections may be relayed at the same time.
        connections_max: usize,
    },
    /// These connections did not end in time and were dropped.
    Dropped(usize),
}

type Tell = dyn Fn(&Event<'_>) + Send + Sync;

/// Is told each [`Event`] as it happens. The default one does not listen.
#[derive(Clone, Default)]
pub struct Observer(Option<Arc<Tell>>);

impl Observer {
    /// Calls `tell` for each event, on the task it happens on: it must not wait.
    pub fn new(tell: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(tell)))
    }

    fn tell(&self, event: &Event<'_>) {
        if let Some(tell) = &self.0 {
            tell(event);
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Observer").field(&self.0.is_some()).finish()
    }
}

/// Relays until `shutdown` is requested, or until the one connection has ended where there is no
/// more than one.
///
/// When shutdown is requested nobody is accepted any more, both sides of every connection are told,
/// and those that have not ended after [`RelayOptions::drain_timeout`] are dropped.
///
/// # Cancel safety
///
/// Dropping the future drops the listeners and all connections without a word.
pub async fn relay(near: Near, far: Far, options: RelayOptions, shutdown: Shutdown) -> Relayed {
    let far = match far {
        Far::Address(address, options) => session::Far::Address(address, Box::new(options)),
        Far::Listener(listener) => session::Far::Listener(Box::new(Mutex::new(listener))),
    };
    let mut relay = Relay {
        far: Arc::new(far),
        options: Arc::new(options),
        shutdown,
        sessions: JoinSet::new(),
        refusals: JoinSet::new(),
        relayed: Relayed::default(),
    };
    let begun = Instant::now();
    match near {
        Near::Connection(connection) => relay.one(connection).await,
        Near::Listener(listener) => relay.accept(listener).await,
    }
    relay.drain().await;
    relay.relayed.duration = begun.elapsed();
    relay.relayed
}

struct Relay {
    far: Arc<session::Far>,
    options: Arc<RelayOptions>,
    shutdown: Shutdown,
    sessions: JoinSet<Report>,
    refusals: JoinSet<Result<(), SendError>>,
    relayed: Relayed,
}

impl Relay {
    async fn one(&mut self, connection: Connection) {
        self.begin(connection);
        tokio::select! {
            Some(ended) = self.sessions.join_next() => self.count(ended),
            () = self.shutdown.requested() => {}
        }
    }

    /// Takes clients until it is time to end; then the listener is closed.
    async fn accept(&mut self, mut listener: Listener) {
        loop {
            tokio::select! {
                biased;
                () = self.shutdown.requested() => break,
                Some(ended) = self.sessions.join_next() => {
                    self.count(ended);
                    if self.options.once {
                        break;
                    }
                }
                Some(_) = self.refusals.join_next() => {}
                connection = listener.accept() => self.admit(connection),
            }
        }
        for late in listener.late().await {
            let reason = CloseReason::new(CloseCode::GOING_AWAY, "");
            self.refusals.spawn(late.close(reason));
        }
    }

    fn admit(&mut self, connection: Connection) {
        let connections_max = if self.options.once { 1 } else { self.options.connections_max };
        if self.sessions.len() < connections_max {
            self.begin(connection);
            return;
        }
        self.relayed.refused += 1;
        let peer = connection.peer();
        self.options.observer.tell(&Event::Refused { peer, connections_max });
        // A stream is reset at once, which takes no time.
        if connection.is_stream() || self.refusals.len() < limits::REFUSALS_MAX {
            let code = CloseCode::TRY_AGAIN_LATER;
            let reason = CloseReason::new(code, "too many connections: try again later");
            self.refusals.spawn(connection.turn_away(reason));
        }
    }

    fn begin(&mut self, connection: Connection) {
        self.relayed.connections += 1;
        let number = self.relayed.connections;
        self.options.observer.tell(&Event::Opened { number, peer: connection.peer() });
        let (far, options) = (Arc::clone(&self.far), Arc::clone(&self.options));
        self.sessions.spawn(session::run(number, connection, far, options, self.shutdown.clone()));
    }

    fn count(&mut self, ended: Result<Report, tokio::task::JoinError>) {
        match ended {
            Ok(report) => {
                self.options.observer.tell(&Event::Ended(&report));
                self.relayed.add(report);
            }
            Err(error) => tracing::error!(%error, "a connection's task panicked"),
        }
    }

    /// Waits for what is left, but not for ever.
    async fn drain(&mut self) {
        let deadline = Instant::now() + self.options.drain_timeout;
        loop {
            let ended = timeout_at(deadline, self.sessions.join_next()).await;
            match ended {
                Ok(Some(ended)) => self.count(ended),
                Ok(None) => break,
                Err(_elapsed) => {
                    self.relayed.dropped = self.sessions.len();
                    self.options.observer.tell(&Event::Dropped(self.relayed.dropped));
                    self.sessions.shutdown().await;
                    break;
                }
            }
        }
        let refusing = async { while self.refusals.join_next().await.is_some() {} };
        if timeout_at(deadline, refusing).await.is_err() {
            self.refusals.shutdown().await;
        }
    }
}
