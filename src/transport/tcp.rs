//! Streams over TCP.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::task::Poll;
use std::time::Duration;

use socket2::{Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::accept::Rests;
use super::bind::Target;
use super::{BindError, BindWarning, OpenError, bind, endpoint, os};
use crate::address::HostPort;
use crate::limits::{CONNECT_ADDRESSES_MAX, CONNECT_STAGGER};
use crate::resolve::SocketType;

/// Every socket that listens for one host and port.
#[derive(Debug)]
pub(crate) struct Listener {
    sockets: Vec<TcpListener>,
    local_addresses: Vec<HostPort>,
    /// The socket that is asked first, so that none of them starves the others.
    first: usize,
    rests: Rests,
}

impl Listener {
    /// Listens on every address of the host, or on none.
    pub(crate) async fn bind(
        endpoint: &HostPort,
        backlog: u32,
    ) -> Result<(Self, Vec<BindWarning>), BindError> {
        let owned = endpoint.clone();
        let (sockets, warnings) = tokio::task::spawn_blocking(move || bind_all(&owned, backlog))
            .await
            .map_err(|error| io_error(endpoint, error.into()))??;
        let sockets: Vec<TcpListener> = sockets
            .into_iter()
            .map(TcpListener::from_std)
            .collect::<Result<_, _>>()
            .map_err(|error| io_error(endpoint, error))?;
        let local_addresses = sockets
            .iter()
            .map(|socket| Ok(bind::local_address(endpoint, socket.local_addr()?)))
            .collect::<Result<_, _>>()
            .map_err(|error| io_error(endpoint, error))?;
        Ok((Self { sockets, local_addresses, first: 0, rests: Rests::default() }, warnings))
    }

    /// Where it listens, with the chosen port; one for each socket.
    pub(crate) fn local_addresses(&self) -> impl Iterator<Item = HostPort> {
        self.local_addresses.iter().cloned()
    }

    /// The next client, with Nagle's algorithm off: what is sent, is sent.
    ///
    /// # Cancel safety
    ///
    /// Safe: no client is lost.
    pub(crate) async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            self.rests.wait().await;
            let accepted = poll_fn(|context| {
                let count = self.sockets.len();
                for index in (0..count).map(|offset| (self.first + offset) % count) {
                    if let Poll::Ready(accepted) = self.sockets[index].poll_accept(context) {
                        self.first = (index + 1) % count;
                        return Poll::Ready(accepted);
                    }
                }
                Poll::Pending
            })
            .await;
            match accepted {
                Ok((stream, peer)) => {
                    // It fails only when the peer is gone already, which the first read tells.
                    let _ = stream.set_nodelay(true);
                    return (stream, peer);
                }
                Err(error) => self.rests.begin(&error),
            }
        }
    }
}

fn io_error(endpoint: &HostPort, error: io::Error) -> BindError {
    BindError::Io { address: endpoint.to_string(), error }
}

/// Listens on every address of the host, or on none: sockets that do not block, with
/// `SO_REUSEADDR`, all on one port, also when the port is left to the system. It blocks while the
/// name is resolved.
///
/// `localhost` is 127.0.0.1 and ::1; [`Host::Any`](crate::address::Host::Any) is one socket for both families. A machine
/// without IPv6 serves IPv4 alone, with a warning.
///
/// # Errors
///
/// When any of the addresses cannot be listened on.
pub(crate) fn bind_all(
    endpoint: &HostPort,
    backlog: u32,
) -> Result<(Vec<std::net::TcpListener>, Vec<BindWarning>), BindError> {
    let (sockets, mut warnings) =
        bind::every_address(endpoint, SocketType::STREAM, |target| listen(target, backlog))?;
    warnings.extend(os::clipped(backlog));
    Ok((sockets.into_iter().map(std::net::TcpListener::from).collect(), warnings))
}

fn listen(target: Target, backlog: u32) -> io::Result<Socket> {
    let socket = target.socket(Type::STREAM)?;
    // On Windows the option would let another program take the port away.
    #[cfg(not(windows))]
    socket.set_reuse_address(true)?;
    socket.bind(&target.address.into())?;
    socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
    Ok(socket)
}

/// Connects to the first address of the host that answers, with Nagle's algorithm off.
///
/// The addresses are tried in the resolver's order. Each gets a head start; then the next one is
/// tried beside it, and at once when it has failed (RFC 8305 §5, without its sorting).
///
/// # Errors
///
/// When none answers within `time`, which includes the resolver's.
///
/// # Cancel safety
///
/// Dropping the future gives every attempt up.
pub(crate) async fn connect(
    endpoint: &HostPort,
    time: Duration,
) -> Result<(TcpStream, SocketAddr), OpenError> {
    match timeout(time, connect_any(endpoint)).await {
        Ok(connected) => connected,
        Err(_elapsed) => Err(OpenError::TimedOut { address: endpoint.to_string(), timeout: time }),
    }
}

async fn connect_any(endpoint: &HostPort) -> Result<(TcpStream, SocketAddr), OpenError> {
    let addresses = addresses_to_connect(endpoint, SocketType::STREAM).await?;
    connect_first(addresses).await.map_err(|error| open_error(endpoint, error))
}

async fn connect_first(addresses: Vec<SocketAddr>) -> io::Result<(TcpStream, SocketAddr)> {
    let mut waiting = addresses.into_iter().take(CONNECT_ADDRESSES_MAX);
    let mut attempts: JoinSet<io::Result<_>> = JoinSet::new();
    let mut failure: Option<io::Error> = None;
    loop {
        if let Some(address) = waiting.next() {
            attempts.spawn(async move { Ok((TcpStream::connect(address).await?, address)) });
        } else if attempts.is_empty() {
            return Err(failure.unwrap_or_else(|| io::ErrorKind::NotFound.into()));
        }
        let ended = tokio::select! {
            ended = attempts.join_next() => ended,
            () = sleep(CONNECT_STAGGER), if waiting.len() > 0 => None,
        };
        match ended.map(|ended| ended.unwrap_or_else(|error| Err(error.into()))) {
            None => {}
            Some(Ok((stream, address))) => {
                // It fails only when the peer is gone already, which the first read tells.
                let _ = stream.set_nodelay(true);
                return Ok((stream, address));
            }
            // An address that refuses tells more than one that cannot be reached at all.
            Some(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
                failure = Some(error);
            }
            Some(Err(error)) => {
                failure.get_or_insert(error);
            }
        }
    }
}

/// The addresses of a host, in the order in which they are to be tried.
pub(super) async fn addresses_to_connect(
    endpoint: &HostPort,
    socket_type: SocketType,
) -> Result<Vec<SocketAddr>, OpenError> {
    let owned = endpoint.clone();
    let found =
        tokio::task::spawn_blocking(move || endpoint::to_connect(&owned, socket_type)).await;
    let address = endpoint.to_string();
    match found {
        Ok(found) => found.map_err(|error| OpenError::Unresolved { address, error }),
        Err(error) => Err(OpenError::Io { address, error: error.into() }),
    }
}

/// What the system said, in our words.
pub(super) fn open_error(endpoint: &HostPort, error: io::Error) -> OpenError {
    let address = endpoint.to_string();
    match error.kind() {
        io::ErrorKind::ConnectionRefused => OpenError::Refused { address },
        io::ErrorKind::PermissionDenied => OpenError::PermissionDenied { address },
        io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::AddrNotAvailable
        | io::ErrorKind::TimedOut => OpenError::Unreachable { address, error },
        _ => OpenError::Io { address, error },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn server() -> (TcpListener, SocketAddr) {
        let server = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let address = server.local_addr().expect("bound");
        (server, address)
    }

    /// An address that refuses: its port was free a moment ago.
    async fn nobody() -> SocketAddr {
        server().await.1
    }

    #[tokio::test]
    async fn what_is_sent_is_sent_at_once_on_both_sides() {
        let endpoint = HostPort::from(SocketAddr::from(([127, 0, 0, 1], 0)));
        let (mut listener, _) = Listener::bind(&endpoint, 1).await.expect("a listener");
        let local = listener.local_addresses().next().expect("an address");
        let (client, _) = connect(&local, Duration::from_secs(10)).await.expect("a connection");
        let (server, _) = listener.accept().await;
        assert!(client.nodelay().expect("known") && server.nodelay().expect("known"));
    }

    #[tokio::test]
    async fn so_many_addresses_are_tried_and_no_more() {
        let (_server, answers) = server().await;
        let mut addresses = vec![nobody().await; CONNECT_ADDRESSES_MAX - 1];
        addresses.push(answers);
        let (_, peer) = connect_first(addresses.clone()).await.expect("the last one answers");
        assert_eq!(peer, answers);
        addresses.insert(0, addresses[0]);
        let error = connect_first(addresses).await.expect_err("it is not tried any more");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }

    #[tokio::test]
    async fn a_refusal_tells_more_than_an_address_that_cannot_be_reached() {
        // Nothing is ever reached from a broadcast address.
        let unreachable = SocketAddr::from(([255, 255, 255, 255], 9));
        let error = connect_first(vec![unreachable, nobody().await]).await.expect_err("nobody");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        let error = connect_first(vec![nobody().await, unreachable]).await.expect_err("nobody");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }
}
