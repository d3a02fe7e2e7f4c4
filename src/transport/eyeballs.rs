//! Connecting to the first address of a host that answers (RFC 8305, Happy Eyeballs).
//!
//! A host may have addresses that lead nowhere: a family that the network on the way does not
//! carry, a machine that is gone. None of them may keep a connection waiting for long.

use std::collections::HashSet;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use socket2::{Domain, Socket, Type};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::{OpenError, OpenOptions, endpoint};
use crate::address::HostPort;
use crate::limits::{
    CONNECT_ADDRESSES_MAX, CONNECT_STAGGER, RESOLUTION_DELAY, RESOLUTION_PATIENCE,
};
use crate::resolve::{Family, ResolveError, SocketType};

/// Connects to the first address of the host that answers.
///
/// The families take turns, beginning with that of the resolver's first answer, and within a family
/// its order counts. Each address gets a head start; then the next one is tried beside it, and at
/// once when one has failed (RFC 8305 §4, §5). While the resolver takes its time with both families
/// it is asked for each alone, too: then IPv6 is tried as soon as it is known, and IPv4 a moment
/// later (§3).
///
/// # Errors
///
/// When none answers within the options' `timeout`, which includes the resolver's time.
///
/// # Cancel safety
///
/// Dropping the future gives every attempt up.
pub(super) async fn connect(
    endpoint: &HostPort,
    options: &OpenOptions,
) -> Result<(TcpStream, SocketAddr), OpenError> {
    check_interface(endpoint, options)?;
    let mut race = Race::new(options);
    race.look_up(endpoint, options.family());
    let may_split = options.family().is_none() && endpoint::is_looked_up(&endpoint.host);
    let racing = race.run(may_split.then_some(endpoint));
    match timeout(options.timeout, racing).await {
        Ok(Ok(connected)) => Ok(connected),
        Ok(Err(Lost::Unresolved(error))) => {
            Err(unresolved(endpoint, SocketType::STREAM, options, error).await)
        }
        Ok(Err(Lost::Everywhere(obstacle))) => Err(open_error(endpoint, options, obstacle)),
        Err(_elapsed) => {
            let (address, timeout) = (endpoint.to_string(), options.timeout);
            Err(OpenError::TimedOut { address, timeout })
        }
    }
}

/// Finds out whether the interface asked for can be had, before anything is done by it.
pub(super) fn check_interface(endpoint: &HostPort, options: &OpenOptions) -> Result<(), OpenError> {
    let refused = options.sockets.check_interface();
    refused.map_err(|error| OpenError::Interface { address: endpoint.to_string(), error })
}

/// What stood in the way of one attempt.
#[derive(Debug)]
pub(super) enum Obstacle {
    /// The address to connect from cannot be had.
    Local(io::Error),
    /// The way, or who is at its end.
    Remote(io::Error),
}

impl From<io::Error> for Obstacle {
    fn from(error: io::Error) -> Self {
        Self::Remote(error)
    }
}

impl Obstacle {
    /// Whether this tells the user more than another one does: an address that refuses tells more
    /// than one that cannot be reached at all.
    fn tells_more_than(&self, other: &Self) -> bool {
        let is_refusal = |obstacle: &Self| {
            matches!(obstacle, Self::Remote(error)
                if error.kind() == io::ErrorKind::ConnectionRefused)
        };
        is_refusal(self) && !is_refusal(other)
    }
}

/// Why there is no connection.
enum Lost {
    Unresolved(ResolveError),
    Everywhere(Obstacle),
}

type Found = Result<Vec<SocketAddr>, ResolveError>;
type Attempt = Result<(TcpStream, SocketAddr), Obstacle>;

/// The lookups and the attempts that go on.
struct Race {
    options: Arc<OpenOptions>,
    /// Each with the family it asks for, or for both.
    lookups: JoinSet<(Option<Family>, Found)>,
    waiting: Waiting,
    attempts: JoinSet<Attempt>,
    /// How many attempts were begun.
    begun: usize,
    /// When the next one may begin.
    next_at: Instant,
    unresolved: Option<ResolveError>,
    failure: Option<Obstacle>,
}

impl Race {
    fn new(options: &OpenOptions) -> Self {
        Self {
            options: Arc::new(options.clone()),
            lookups: JoinSet::new(),
            waiting: Waiting::default(),
            attempts: JoinSet::new(),
            begun: 0,
            next_at: Instant::now(),
            unresolved: None,
            failure: None,
        }
    }

    /// Asks the resolver for one family, or for both. A lookup that nobody waits for any more ends
    /// by itself.
    fn look_up(&mut self, endpoint: &HostPort, family: Option<Family>) {
        let endpoint = endpoint.clone();
        self.lookups.spawn_blocking(move || {
            (family, endpoint::to_connect(&endpoint, SocketType::STREAM, family))
        });
    }

    /// `split` is whose families are asked for one by one when the lookup takes its time.
    async fn run(mut self, mut split: Option<&HostPort>) -> Result<(TcpStream, SocketAddr), Lost> {
        let split_at = Instant::now() + RESOLUTION_PATIENCE;
        loop {
            let may_begin = !self.waiting.is_empty() && self.begun < CONNECT_ADDRESSES_MAX;
            if !may_begin && self.attempts.is_empty() && self.lookups.is_empty() {
                return Err(self.lost());
            }
            let is_asking = !self.lookups.is_empty();
            tokio::select! {
                biased;
                Some(ended) = self.attempts.join_next() => {
                    match ended.unwrap_or_else(|error| Err(Obstacle::Remote(error.into()))) {
                        Ok(connected) => return Ok(connected),
                        Err(obstacle) => self.failed(obstacle),
                    }
                }
                Some(ended) = self.lookups.join_next() => {
                    let (family, found) = ended.unwrap_or_else(|error| {
                        let (name, error) = (String::new(), error.into());
                        (None, Err(ResolveError::Io { name, error }))
                    });
                    self.found(family, found);
                }
                () = sleep_until(self.next_at), if may_begin => self.begin(),
                () = sleep_until(split_at), if is_asking && split.is_some() => {
                    let endpoint = split.take().expect("it was there a moment ago");
                    self.look_up(endpoint, Some(Family::V6));
                    self.look_up(endpoint, Some(Family::V4));
                }
            }
        }
    }

    fn found(&mut self, family: Option<Family>, found: Found) {
        match found {
            Ok(addresses) => {
                let has_come = !addresses.is_empty();
                self.waiting.add(addresses, family == Some(Family::V6) && self.begun == 0);
                if self.begun == 0 && has_come {
                    let waits = family == Some(Family::V4) && !self.lookups.is_empty();
                    let delay = if waits { RESOLUTION_DELAY } else { Default::default() };
                    self.next_at = Instant::now() + delay;
                }
                if family.is_none() {
                    // It has said everything that the others could.
                    self.lookups = JoinSet::new();
                }
            }
            // That the name servers do not answer tells more than that they know no address.
            Err(error) => {
                let is_better = matches!(error, ResolveError::Unavailable { .. });
                if is_better || self.unresolved.is_none() {
                    self.unresolved = Some(error);
                }
                if self.lookups.is_empty() && self.begun == 0 {
                    self.next_at = Instant::now();
                }
            }
        }
    }

    fn begin(&mut self) {
        let Some(address) = self.waiting.next() else { return };
        self.attempts.spawn(attempt(address, Arc::clone(&self.options)));
        self.begun += 1;
        self.next_at = Instant::now() + CONNECT_STAGGER;
    }

    fn failed(&mut self, obstacle: Obstacle) {
        if self.failure.as_ref().is_none_or(|failure| obstacle.tells_more_than(failure)) {
            self.failure = Some(obstacle);
        }
        self.next_at = Instant::now();
    }

    fn lost(self) -> Lost {
        match (self.failure, self.unresolved) {
            (Some(obstacle), _) => Lost::Everywhere(obstacle),
            (None, Some(error)) => Lost::Unresolved(error),
            (None, None) => Lost::Everywhere(Obstacle::Remote(io::ErrorKind::NotFound.into())),
        }
    }
}

/// The addresses that were not tried yet, in the order in which they came.
#[derive(Debug, Default)]
struct Waiting {
    addresses: Vec<SocketAddr>,
    seen: HashSet<SocketAddr>,
    /// Whether the last one that was taken was IPv6.
    last: Option<bool>,
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.addresses.is_empty()
    }

    /// Adds those that are new, before the others or behind them.
    fn add(&mut self, addresses: Vec<SocketAddr>, before: bool) {
        let new = addresses.into_iter().filter(|address| self.seen.insert(*address));
        let at = if before { 0 } else { self.addresses.len() };
        self.addresses.splice(at..at, new);
    }

    /// The next one, of the other family than the last if there is one.
    fn next(&mut self) -> Option<SocketAddr> {
        self.addresses.first()?;
        let is_other = |address: &SocketAddr| self.last != Some(address.is_ipv6());
        let at = self.addresses.iter().position(is_other).unwrap_or(0);
        let address = self.addresses.remove(at);
        self.last = Some(address.is_ipv6());
        Some(address)
    }
}

async fn attempt(address: SocketAddr, options: Arc<OpenOptions>) -> Attempt {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    options.sockets.apply_to_inet(&socket)?;
    options.sockets.log_clipped(&socket);
    if let Some(local) = options.local {
        if local.port() != 0 {
            // Attempts beside each other have the port in common, and so has a connection that
            // ended a moment ago. On Windows the option would take it from another program.
            #[cfg(not(windows))]
            socket.set_reuse_address(true)?;
        }
        socket.bind(&local.into()).map_err(Obstacle::Local)?;
    }
    let stream = TcpSocket::from_std_stream(socket.into()).connect(address).await;
    let stream = stream.map_err(|error| match error.kind() {
        // Only what a connection comes from can be in use, or belong to another machine.
        io::ErrorKind::AddrInUse => Obstacle::Local(error),
        io::ErrorKind::AddrNotAvailable if options.local.is_some() => Obstacle::Local(error),
        _ => Obstacle::Remote(error),
    })?;
    options.sockets.tune(&stream);
    Ok((stream, address))
}

/// The addresses of a host, all at once, in the order in which they are to be tried.
pub(super) async fn addresses(
    endpoint: &HostPort,
    socket_type: SocketType,
    family: Option<Family>,
) -> Result<Vec<SocketAddr>, OpenError> {
    let owned = endpoint.clone();
    let asking =
        tokio::task::spawn_blocking(move || endpoint::to_connect(&owned, socket_type, family));
    let address = endpoint.to_string();
    match asking.await {
        Ok(found) => found.map_err(|error| OpenError::Unresolved { address, error }),
        Err(error) => Err(OpenError::Io { address, error: error.into() }),
    }
}

/// Why there is no address to connect to: that may be a matter of the address to connect from.
pub(super) async fn unresolved(
    endpoint: &HostPort,
    socket_type: SocketType,
    options: &OpenOptions,
    error: ResolveError,
) -> OpenError {
    let address = endpoint.to_string();
    if let (Some(local), ResolveError::NoAddress { .. }) = (options.local, &error) {
        let others = addresses(endpoint, socket_type, options.sockets.family);
        if let Ok(Ok(_)) = timeout(options.timeout, others).await {
            return OpenError::OtherFamily { address, local };
        }
    }
    OpenError::Unresolved { address, error }
}

/// What the system said, in our words.
pub(super) fn open_error(
    endpoint: &HostPort,
    options: &OpenOptions,
    obstacle: Obstacle,
) -> OpenError {
    let address = endpoint.to_string();
    let error = match (obstacle, options.local) {
        (Obstacle::Local(error), Some(local)) => {
            return OpenError::Local { address, local, error };
        }
        (Obstacle::Local(error) | Obstacle::Remote(error), _) => error,
    };
    match error.kind() {
        io::ErrorKind::ConnectionRefused => OpenError::Refused { address },
        io::ErrorKind::PermissionDenied => OpenError::PermissionDenied { address },
        io::ErrorKind::InvalidInput if endpoint::lacks_scope(&endpoint.host) => {
            OpenError::NoScope { address }
        }
        io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::AddrNotAvailable
        | io::ErrorKind::TimedOut => OpenError::Unreachable { address, error },
        _ => OpenError::io(address, error),
    }
}

#[cfg(test)]
mod tests;
