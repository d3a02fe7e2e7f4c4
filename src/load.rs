//! A load generator for servers that answer: many connections, messages of one size, and how long
//! each answer took.
//!
//! With a number in flight each connection sends the next message when an answer has come: it
//! finds out how much a server can do. At a rate messages are due at fixed times whatever the
//! server does, and each answer is timed from when its message was due, not from when it could at
//! last be sent: a server that stalls for a second is seen to have made everybody wait.

mod account;
mod client;
mod payload;
mod process;
mod publisher;
mod report;
mod tally;
mod trouble;
mod view;
mod viewer;

use std::{
    convert::Infallible,
    net::IpAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, timeout_at},
};

use crate::{
    address::Address,
    limits,
    shutdown::Shutdown,
    transport::{Connection, OpenOptions},
};
use client::{Client, Plan};
pub use process::ProcessError;
use process::Usage;
use report::Course;
pub use report::{Latency, Report};
pub use tally::{Progress, Tally};
pub use trouble::Trouble;
pub use view::{ViewError, Viewing, view};

/// How to load a server.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LoadOptions {
    /// How many connections, at most [`limits::LOAD_CONNECTIONS_MAX`].
    pub connections: usize,
    /// The bytes of each message, from 1 to [`limits::LOAD_MESSAGE_BYTES_MAX`].
    pub size: usize,
    /// When messages are sent.
    pub pace: Pace,
    /// For how long messages are sent.
    pub duration: Duration,
    /// How many messages are sent at most, by all connections together.
    pub count: Option<u64>,
    /// What comes before this has passed is not in the report.
    pub warmup: Duration,
    /// Addresses of this machine to connect from, in turn: one has ports for about 28,000
    /// connections to the same server.
    pub sources: Vec<IpAddr>,
    /// A process of this machine whose processor time is reported: the server's.
    pub pid: Option<u32>,
    /// Over WebSocket, whether messages are binary instead of text.
    pub binary: bool,
    /// How connections are opened.
    pub open: OpenOptions,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            connections: 1,
            size: 64,
            pace: Pace::InFlight(1),
            duration: Duration::from_secs(10),
            count: None,
            warmup: Duration::ZERO,
            sources: Vec::new(),
            pid: None,
            binary: false,
            open: OpenOptions::default(),
        }
    }
}

impl LoadOptions {
    fn check(&self, address: &Address) -> Result<(), LoadError> {
        if matches!(address, Address::Udp(_) | Address::Unixgram(_)) {
            return Err(LoadError::Datagrams(address.to_string()));
        }
        let in_flight = match self.pace {
            Pace::InFlight(count) => count,
            Pace::Rate(_) => 1,
        };
        let bounds = [
            ("connections", self.connections, limits::LOAD_CONNECTIONS_MAX),
            ("in-flight", in_flight, limits::LOAD_IN_FLIGHT_MAX),
            ("size", self.size, limits::LOAD_MESSAGE_BYTES_MAX),
        ];
        match bounds.into_iter().find(|(_, value, max)| value > max) {
            Some((what, value, max)) => Err(LoadError::Bound { what, value, max }),
            None => Ok(()),
        }
    }

    /// How the connection `index` is opened.
    fn open_from(&self, index: usize) -> OpenOptions {
        let mut open = self.open.clone();
        if !self.sources.is_empty() {
            let source = self.sources[index % self.sources.len()];
            open.local = Some((source, 0).into());
        }
        open
    }
}

/// When messages are sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// Each connection has so many messages under way, at most [`limits::LOAD_IN_FLIGHT_MAX`].
    InFlight(usize),
    /// So many messages a second by all connections together, evenly spread, whatever the server
    /// does.
    Rate(f64),
}

/// Why nothing could be measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// No connection came to stand. This is why the first did not.
    #[error(transparent)]
    Open(#[from] crate::transport::OpenError),
    /// The process cannot be observed.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// Datagrams may be lost and come in any order, so that no answer is told from another.
    #[error("'{0}' is an address of datagrams, whose answers cannot be told from each other")]
    Datagrams(String),
    /// More was asked for than there may be.
    #[error("{what} is {value}, and {max} at most")]
    Bound {
        /// The field of [`LoadOptions`].
        what: &'static str,
        /// What it says.
        value: usize,
        /// What it may say.
        max: usize,
    },
}

/// Loads the server at `address` until the time is over, all messages are sent, or `shutdown` is
/// requested; then waits for what is under way for at most [`limits::LOAD_DRAIN`]. What happens
/// meanwhile can be read off `tally`.
///
/// # Errors
///
/// When no connection comes to stand, or the process of [`LoadOptions::pid`] cannot be observed.
/// Whatever fails later is counted in the report.
///
/// # Cancel safety
///
/// Dropping the future drops all connections.
pub async fn load(
    address: &Address,
    options: &LoadOptions,
    tally: &Arc<Tally>,
    shutdown: &Shutdown,
) -> Result<Report, LoadError> {
    // Found out before anybody is connected to.
    options.check(address)?;
    options.pid.map(Usage::of).transpose()?;
    let connections = connect(address, options, tally, shutdown).await?;
    let begin = Instant::now();
    let measured = begin + options.warmup;
    let end = measured + options.duration;
    let left = options.count.unwrap_or(u64::MAX).into();
    let plan = Arc::new(Plan { options: options.clone(), begin, measured, end, left });
    let count = connections.len();
    let mut clients = JoinSet::new();
    for (index, connection) in connections.into_iter().enumerate() {
        let client = Client::new(Arc::clone(&plan), Arc::clone(tally), index, count);
        clients.spawn(client.run(connection, shutdown.clone()));
    }
    timeout_at(measured, shutdown.requested()).await.ok();
    let before = options.pid.map(Usage::of).transpose()?;
    // Each has a bound on how long it goes on behind the last message.
    while clients.join_next().await.is_some() {}
    let elapsed = tally.last_answer().map_or(Duration::ZERO, |last| last - measured);
    let after = options.pid.map(Usage::of).transpose();
    let cpu = match (before, after) {
        (Some(before), Ok(Some(after))) => Some(after.since(before)),
        // The server has ended, which the errors tell.
        _ => None,
    };
    let is_interrupted = shutdown.is_requested();
    Ok(Report::new(tally, count, Course { elapsed, cpu, is_interrupted }, options))
}

/// Opens all connections, many at a time.
async fn connect(
    address: &Address,
    options: &LoadOptions,
    tally: &Arc<Tally>,
    shutdown: &Shutdown,
) -> Result<Vec<Connection>, LoadError> {
    let turns = Arc::new(Semaphore::new(limits::LOAD_OPENING_MAX));
    let mut opening = JoinSet::new();
    for index in 0..options.connections {
        let open = options.open_from(index);
        let (address, turns) = (address.clone(), Arc::clone(&turns));
        opening.spawn(async move {
            let _turn = turns.acquire_owned().await;
            Connection::open(&address, &open).await
        });
    }
    let mut connections = Vec::new();
    let mut first_error = None;
    loop {
        let next = shutdown.or(async { Ok::<_, Infallible>(opening.join_next().await) }).await;
        let Ok(Some(opened)) = next else { break };
        match opened {
            Ok(Ok(connection)) => {
                tally.connected.fetch_add(1, Ordering::Relaxed);
                connections.push(connection);
            }
            Ok(Err(error)) => {
                tally.refused.fetch_add(1, Ordering::Relaxed);
                first_error.get_or_insert(error);
            }
            Err(error) => tracing::error!(%error, "a connection's task failed"),
        }
    }
    match first_error {
        Some(error) if connections.is_empty() => Err(error.into()),
        Some(error) => {
            tally.note(Trouble::Open(Arc::new(error)));
            Ok(connections)
        }
        None => Ok(connections),
    }
}
