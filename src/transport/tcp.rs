//! Streams over TCP.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::task::Poll;

use socket2::{Socket, Type};
use tokio::net::{TcpListener, TcpStream};

use super::accept::Rests;
use super::bind::Target;
use super::{BindError, BindOptions, BindWarning, SocketOptions, bind, os};
use crate::address::HostPort;
use crate::resolve::SocketType;

/// Every socket that listens for one host and port.
#[derive(Debug)]
pub(crate) struct Listener {
    sockets: Vec<TcpListener>,
    local_addresses: Vec<HostPort>,
    /// The socket that is asked first, so that none of them starves the others.
    first: usize,
    options: SocketOptions,
    rests: Rests,
}

impl Listener {
    /// Listens on every address of the host, or on none.
    pub(crate) async fn bind(
        endpoint: &HostPort,
        options: &BindOptions,
    ) -> Result<(Self, Vec<BindWarning>), BindError> {
        let (owned, asked) = (endpoint.clone(), options.clone());
        let (sockets, warnings) = tokio::task::spawn_blocking(move || bind_all(&owned, &asked))
            .await
            .map_err(|error| io_error(endpoint, error.into()))??;
        let sockets: Vec<TcpListener> = sockets
            .into_iter()
            .map(TcpListener::from_std)
            .collect::<Result<_, _>>()
            .map_err(|error| io_error(endpoint, error))?;
        let family = options.sockets.family;
        let local_addresses = sockets
            .iter()
            .map(|socket| Ok(bind::local_address(endpoint, family, socket.local_addr()?)))
            .collect::<Result<_, _>>()
            .map_err(|error| io_error(endpoint, error))?;
        let (options, rests) = (options.sockets.clone(), Rests::default());
        Ok((Self { sockets, local_addresses, first: 0, options, rests }, warnings))
    }

    /// Where it listens, with the chosen port; one for each socket.
    pub(crate) fn local_addresses(&self) -> impl Iterator<Item = HostPort> {
        self.local_addresses.iter().cloned()
    }

    /// The next client.
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
                    self.rests.end();
                    self.options.tune(&stream);
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
fn bind_all(
    endpoint: &HostPort,
    options: &BindOptions,
) -> Result<(Vec<std::net::TcpListener>, Vec<BindWarning>), BindError> {
    let (sockets, mut warnings) =
        bind::every_address(endpoint, SocketType::STREAM, options, |target| {
            listen(target, options)
        })?;
    warnings.extend(os::clipped(options.backlog));
    Ok((sockets.into_iter().map(std::net::TcpListener::from).collect(), warnings))
}

fn listen(target: Target, options: &BindOptions) -> io::Result<Socket> {
    let socket = target.socket(Type::STREAM, options)?;
    // On Windows the option would let another program take the port away.
    #[cfg(not(windows))]
    socket.set_reuse_address(true)?;
    socket.bind(&target.address.into())?;
    socket.listen(i32::try_from(options.backlog).unwrap_or(i32::MAX))?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::super::{OpenOptions, eyeballs};
    use super::*;
    use crate::transport::TcpKeepalive;

    #[tokio::test]
    async fn what_is_sent_is_sent_at_once_on_both_sides_unless_it_is_to_wait() {
        let endpoint = HostPort::from(SocketAddr::from(([127, 0, 0, 1], 0)));
        for delay in [false, true] {
            let (mut binding, mut opening) = (BindOptions::default(), OpenOptions::default());
            (binding.sockets.delay, opening.sockets.delay) = (delay, delay);
            let (mut listener, _) = Listener::bind(&endpoint, &binding).await.expect("a listener");
            let local = listener.local_addresses().next().expect("an address");
            let (client, _) = eyeballs::connect(&local, &opening).await.expect("a connection");
            let (server, _) = listener.accept().await;
            for stream in [client, server] {
                assert_eq!(stream.nodelay().expect("known"), !delay);
            }
        }
    }

    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn a_peer_is_asked_whether_it_is_there_on_both_sides() {
        let endpoint = HostPort::from(SocketAddr::from(([127, 0, 0, 1], 0)));
        let (mut binding, mut opening) = (BindOptions::default(), OpenOptions::default());
        let keepalive = TcpKeepalive::within(std::time::Duration::from_secs(60));
        (binding.sockets.keepalive, opening.sockets.keepalive) = (keepalive, keepalive);
        let (mut listener, _) = Listener::bind(&endpoint, &binding).await.expect("a listener");
        let local = listener.local_addresses().next().expect("an address");
        let (client, _) = eyeballs::connect(&local, &opening).await.expect("a connection");
        let (server, _) = listener.accept().await;
        for stream in [client, server] {
            let socket = socket2::SockRef::from(&stream);
            assert!(socket.keepalive().expect("known"));
            assert_eq!(socket.tcp_keepalive_time().expect("known").as_secs(), 30);
        }
    }
}
