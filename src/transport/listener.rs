//! A served address, whatever its transport.

use super::connection::{Connection, IncomingKind, OutgoingKind};
use super::{
    BindError, BindOptions, BindWarning, Peer, datagram, secure, stdio, stream, tcp, udp, ws,
};
#[cfg(unix)]
use super::{unix, unixgram};
use crate::address::Address;

/// A served address. Dropping it stops listening; the connections it gave go on.
#[derive(Debug)]
pub struct Listener {
    kind: Kind,
    local_addresses: Vec<Address>,
    warnings: Vec<BindWarning>,
}

#[derive(Debug)]
enum Kind {
    Tcp(tcp::Listener),
    Tls(secure::Listener),
    Datagram(datagram::Server),
    #[cfg(unix)]
    Unix(unix::Listener),
    Ws(ws::Listener),
    Stdio(stdio::Listener),
}

impl Listener {
    /// Listens on an address: on every address of its host, or on none of them.
    ///
    /// `localhost` is 127.0.0.1 and ::1, and an empty host every interface, in both families. A
    /// Unix-domain socket is made for its owner alone; a stale one in its place is removed.
    ///
    /// # Errors
    ///
    /// When any of them cannot be listened on.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future listens on nothing.
    pub async fn bind(address: &Address, options: &BindOptions) -> Result<Self, BindError> {
        Self::bind_kind(address, options).await.map_err(|error| error.naming(address))
    }

    async fn bind_kind(address: &Address, options: &BindOptions) -> Result<Self, BindError> {
        let itself = vec![address.clone()];
        let (kind, local_addresses, warnings) = match address {
            Address::Tcp(endpoint) => {
                let (listener, warnings) = tcp::Listener::bind(endpoint, options).await?;
                let local = listener.local_addresses().map(Address::Tcp).collect();
                (Kind::Tcp(listener), local, warnings)
            }
            Address::Udp(endpoint) => {
                let (server, local, warnings) = udp::bind(endpoint, options).await?;
                (Kind::Datagram(server), local.into_iter().map(Address::Udp).collect(), warnings)
            }
            #[cfg(unix)]
            Address::Unix(path) => {
                let (listener, warnings) = unix::Listener::bind(path, options).await?;
                (Kind::Unix(listener), itself, warnings)
            }
            #[cfg(unix)]
            Address::Unixgram(path) => {
                let (server, warnings) = unixgram::bind(path, options).await?;
                (Kind::Datagram(server), itself, warnings)
            }
            #[cfg(not(unix))]
            Address::Unix(_) | Address::Unixgram(_) => {
                let what = "Unix-domain sockets";
                return Err(BindError::Unsupported { address: address.to_string(), what });
            }
            Address::Ws(ws) => {
                let (listener, warnings) = ws::Listener::bind(ws, options).await?;
                let local = listener.local_addresses();
                (Kind::Ws(listener), local, warnings)
            }
            Address::Tls(endpoint) => {
                let (listener, warnings) = secure::Listener::bind(endpoint, options).await?;
                let local = listener.local_addresses();
                (Kind::Tls(listener), local, warnings)
            }
            Address::Exec(_) | Address::File(_) => {
                let what = "listeners of this kind";
                return Err(BindError::Unsupported { address: address.to_string(), what });
            }
            Address::Stdio => (Kind::Stdio(stdio::Listener::default()), itself, Vec::new()),
        };
        Ok(Self { kind, local_addresses, warnings })
    }

    /// Where it listens, with the chosen port; one address for each socket.
    pub fn local_addresses(&self) -> &[Address] {
        &self.local_addresses
    }

    /// What is not as asked.
    pub fn warnings(&self) -> &[BindWarning] {
        &self.warnings
    }

    /// The next client; over datagrams, the next peer from which something came. When the machine
    /// has no descriptors left, that is logged and tried again after a pause, so that this never
    /// fails.
    ///
    /// # Cancel safety
    ///
    /// Safe: no client is lost.
    pub async fn accept(&mut self) -> Connection {
        match &mut self.kind {
            Kind::Tcp(listener) => {
                let (socket, peer) = listener.accept().await;
                let peer = Peer::from(peer);
                Connection::stream(stream::tcp(socket, &peer), peer)
            }
            Kind::Tls(listener) => {
                let (wire, peer) = listener.accept().await;
                Connection::stream(stream::tls(wire, &peer), peer)
            }
            Kind::Datagram(server) => {
                let (incoming, outgoing, peer) = server.accept().await;
                Connection::datagram((incoming, outgoing), peer)
            }
            #[cfg(unix)]
            Kind::Unix(listener) => {
                let (socket, peer) = listener.accept().await;
                Connection::stream(stream::unix(socket, &peer), peer)
            }
            Kind::Ws(listener) => {
                let (incoming, outgoing, peer) = listener.accept().await;
                Connection::new(IncomingKind::Ws(incoming), OutgoingKind::Ws(outgoing), peer)
            }
            Kind::Stdio(listener) => Connection::stream(listener.accept().await, Peer::Stdio),
        }
    }

    /// Whether it has one client and never another: standard input and output.
    pub fn serves_one(&self) -> bool {
        matches!(self.kind, Kind::Stdio(_))
    }

    /// Stops listening, and yields the clients whose handshake was under way, so that they can be
    /// told that they came too late. Bounded by [`crate::limits::LATE_HANDSHAKES_TIMEOUT`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops those clients.
    pub async fn late(self) -> Vec<Connection> {
        match self.kind {
            Kind::Ws(listener) => {
                let late = listener.late().await.into_iter();
                let connection = |(incoming, outgoing, peer)| {
                    Connection::new(IncomingKind::Ws(incoming), OutgoingKind::Ws(outgoing), peer)
                };
                late.map(connection).collect()
            }
            Kind::Tls(listener) => {
                let late = listener.late().await.into_iter();
                late.map(|(wire, peer)| Connection::stream(stream::tls(wire, &peer), peer))
                    .collect()
            }
            _ => Vec::new(),
        }
    }
}
