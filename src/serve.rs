//! The accept loop: any number of listeners, one service, and for each client a task, or a row in
//! the table of a shard.
//!
//! It is the one place that knows how many clients there are, so it is where too many are turned
//! away and where, at the end, those that are left are waited for.

mod broadcast;

use std::{sync::Arc, time::Duration};

use enchufe_core::ws::{CloseCode, CloseReason};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, timeout_at},
};

use crate::{
    limits,
    service::{Event, Hall, Observer, Service},
    shutdown::Shutdown,
    transport::{Connection, Listener, RecvError},
};

pub use broadcast::Broadcast;

/// How to serve.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ServeOptions {
    /// How many clients are served at the same time. Further ones are turned away: WebSocket
    /// clients are told to try again later (close code 1013), TCP and TLS are reset, and others,
    /// for which there is no such word, are disconnected.
    pub connections_max: usize,
    /// Ends once the first client was served, as the tutorial's echo server does.
    pub once: bool,
    /// How long to wait for the clients after shutdown was requested.
    pub drain_timeout: Duration,
    /// Is told what happens.
    pub observer: Observer,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            connections_max: limits::CONNECTIONS_MAX,
            once: false,
            drain_timeout: limits::DRAIN_TIMEOUT,
            observer: Observer::default(),
        }
    }
}

/// What a server did, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Served {
    /// The clients that were served.
    pub clients: u64,
    /// Those that were turned away, because there were too many.
    pub refused: u64,
    /// Those that did not leave in time at the end and were dropped.
    pub dropped: usize,
}

/// Serves every client of `listeners` until `shutdown` is requested.
///
/// Then nobody is accepted any more, the services tell their clients, and those that have not
/// left after [`ServeOptions::drain_timeout`] are dropped. When this returns, the listeners are
/// closed and no task or shard is left.
///
/// # Cancel safety
///
/// Dropping the future drops the listeners and all clients without a word.
pub async fn serve<S>(
    listeners: Vec<Listener>,
    service: S,
    options: ServeOptions,
    shutdown: Shutdown,
) -> Served
where
    S: Service + Send + Sync + 'static,
{
    for address in listeners.iter().flat_map(Listener::local_addresses) {
        options.observer.tell(&Event::Listening(address));
    }
    let mut server = Server {
        service: Arc::new(service),
        hall: Hall::new(options.observer.clone()),
        options,
        shutdown,
        clients: JoinSet::new(),
        refusals: JoinSet::new(),
        served: Served::default(),
    };
    server.accept(listeners).await;
    server.drain().await;
    server.served
}

struct Server<S> {
    service: Arc<S>,
    options: ServeOptions,
    shutdown: Shutdown,
    /// Those that have a task of their own.
    clients: JoinSet<()>,
    /// Those that live on shards.
    hall: Hall,
    refusals: JoinSet<()>,
    served: Served,
}

impl<S: Service + Send + Sync + 'static> Server<S> {
    /// Takes clients until it is time to end; then the listeners are closed.
    async fn accept(&mut self, listeners: Vec<Listener>) {
        let (accepted, mut connections) = mpsc::channel(1);
        let mut accepting = JoinSet::new();
        let (stop, stopped) = self.shutdown.child();
        for listener in listeners {
            accepting.spawn(accept_from(listener, accepted.clone(), stopped.clone()));
        }
        drop(accepted);
        let mut may_come = true;
        loop {
            tokio::select! {
                biased;
                () = self.shutdown.requested() => break,
                Some(ended) = self.clients.join_next() => {
                    report(ended);
                    if self.options.once || (!may_come && self.is_empty()) {
                        break;
                    }
                }
                () = self.hall.left() => {
                    // The notice may be of one who left before another came.
                    let is_over = self.options.once || !may_come;
                    if is_over && self.is_empty() {
                        break;
                    }
                }
                Some(_) = self.refusals.join_next() => {}
                connection = connections.recv(), if may_come => match connection {
                    Some(connection) => self.admit(connection),
                    // Standard input and output have one client, and no other listener is left.
                    None if self.is_empty() => break,
                    None => may_come = false,
                },
            }
        }
        stop.request();
        // Whoever was let in at the last moment is told so, like the others.
        while let Some(connection) = connections.recv().await {
            self.refusals.spawn(part_from(connection));
        }
        while let Some(late) = accepting.join_next().await {
            for connection in late.into_iter().flatten() {
                self.refusals.spawn(part_from(connection));
            }
        }
    }

    fn admit(&mut self, connection: Connection) {
        let connections_max = if self.options.once { 1 } else { self.options.connections_max };
        let observer = self.options.observer.clone();
        let peer = connection.peer().clone();
        if self.len() >= connections_max {
            self.served.refused += 1;
            observer.tell(&Event::Refused { peer: &peer, connections_max });
            // A stream is reset at once, which takes no time.
            if connection.is_stream() || self.refusals.len() < limits::REFUSALS_MAX {
                self.refusals.spawn(refuse(connection));
            }
            return;
        }
        self.served.clients += 1;
        observer.tell(&Event::Connected(&peer));
        tracing::debug!(%peer, "connected");
        let Some(connection) = self.seat(connection) else { return };
        let serving = Arc::clone(&self.service).welcome(connection, self.shutdown.clone());
        self.clients.spawn(async move {
            let outcome = serving.await;
            observer.tell(&Event::Closed { peer: &peer, error: outcome.as_ref().err() });
            tracing::debug!(%peer, error = ?outcome.err(), "closed");
        });
    }

    fn len(&self) -> usize {
        self.clients.len() + self.hall.len()
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Hands a client to the hall if the service has a hot form for it; any other comes back.
    fn seat(&mut self, connection: Connection) -> Option<Connection> {
        let peer = connection.peer().clone();
        let entered = if connection.is_stream() {
            let Some(handler) = self.service.stream_handler(&peer) else { return Some(connection) };
            match connection.into_stream_socket() {
                Err(connection) => return Some(*connection),
                Ok((wire, peer)) => self.hall.enter_stream(wire, peer, handler),
            }
        } else {
            let Some(handler) = self.service.handler(&peer) else { return Some(connection) };
            match connection.into_ws_socket() {
                Err(connection) => return Some(*connection),
                Ok((socket, peer)) => self.hall.enter(socket, peer, handler),
            }
        };
        if let Err(error) = entered {
            tracing::error!(%peer, %error, "a client cannot be served");
            let error = RecvError::Io { peer: peer.clone(), error }.into();
            self.options.observer.tell(&Event::Closed { peer: &peer, error: Some(&error) });
        }
        None
    }

    /// Waits for the clients, but not for ever.
    async fn drain(&mut self) {
        let deadline = Instant::now() + self.options.drain_timeout;
        let leaving = async {
            while let Some(ended) = self.clients.join_next().await {
                report(ended);
            }
            while self.refusals.join_next().await.is_some() {}
            self.hall.empty().await;
        };
        self.hall.stop();
        if timeout_at(deadline, leaving).await.is_err() {
            self.served.dropped = self.len();
            self.options.observer.tell(&Event::Dropped(self.served.dropped));
            self.hall.abandon();
            self.clients.shutdown().await;
            self.refusals.shutdown().await;
            self.hall.empty().await;
        }
    }
}

/// Hands clients on until it is stopped; yields those whose handshake was under way by then.
async fn accept_from(
    mut listener: Listener,
    accepted: mpsc::Sender<Connection>,
    stopped: Shutdown,
) -> Vec<Connection> {
    loop {
        let connection = tokio::select! {
            () = stopped.requested() => break,
            connection = listener.accept() => connection,
        };
        // The receiver takes everything until the last sender has gone.
        if accepted.send(connection).await.is_err() || listener.serves_one() {
            break;
        }
    }
    drop(accepted);
    listener.late().await
}

async fn part_from(connection: Connection) {
    // It leaves either way.
    let _ = connection.close(CloseReason::new(CloseCode::GOING_AWAY, "")).await;
}

async fn refuse(connection: Connection) {
    let reason = CloseReason::new(CloseCode::TRY_AGAIN_LATER, "too many clients: try again later");
    // Whoever is turned away does not always stay to hear why.
    let _ = connection.turn_away(reason).await;
}

/// A service that panics takes its own client with it and nobody else.
fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a service panicked");
    }
}
