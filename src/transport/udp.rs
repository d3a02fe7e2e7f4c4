//! Datagrams over UDP.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use socket2::Type;
use tokio::net::UdpSocket;
use tokio::time::timeout;

use super::datagram::{self, Incoming, Outgoing, Server, Socket};
use super::{BindError, BindOptions, BindWarning, OpenError, Peer, bind, tcp};
use crate::address::{Host, HostPort};
use crate::limits::CONNECT_ADDRESSES_MAX;
use crate::resolve::SocketType;

/// Listens on every address of the host, or on none; gives where, one for each socket.
pub(super) async fn bind(
    endpoint: &HostPort,
    options: &BindOptions,
) -> Result<(Server, Vec<HostPort>, Vec<BindWarning>), BindError> {
    let io_error = |error| BindError::Io { address: endpoint.to_string(), error };
    let owned = endpoint.clone();
    let bound = tokio::task::spawn_blocking(move || {
        bind::every_address(&owned, SocketType::DATAGRAM, |target| {
            // Without SO_REUSEADDR, which for datagrams means that the last to come gets them.
            let socket = target.socket(Type::DGRAM)?;
            socket.bind(&target.address.into())?;
            Ok(socket)
        })
    });
    let (bound, warnings) = bound.await.map_err(|error| io_error(error.into()))??;
    let mut sockets = Vec::new();
    let mut local = Vec::new();
    for socket in bound {
        let socket = UdpSocket::from_std(socket.into()).map_err(io_error)?;
        let address = socket.local_addr().map_err(io_error)?;
        local.push(bind::local_address(endpoint, address));
        let dual_stack = endpoint.host == Host::Any && address.is_ipv6();
        sockets.push(Socket::Udp { socket, dual_stack });
    }
    Ok((Server::start(sockets, options.backlog, &options.datagrams), local, warnings))
}

/// Opens a socket that sends to, and receives from, the first address of the host to which there
/// is a way. Whether somebody listens there shows when something is sent.
pub(super) async fn open(
    endpoint: &HostPort,
    time: Duration,
) -> Result<(Incoming, Outgoing, Peer), OpenError> {
    let addresses =
        timeout(time, tcp::addresses_to_connect(endpoint, SocketType::DATAGRAM)).await.map_err(
            |_elapsed| OpenError::TimedOut { address: endpoint.to_string(), timeout: time },
        )??;
    let mut failure = None;
    for address in addresses.into_iter().take(CONNECT_ADDRESSES_MAX) {
        match connect(address).await {
            Ok(socket) => {
                let peer = Peer::from(address);
                let (incoming, outgoing) =
                    datagram::client(Socket::Udp { socket, dual_stack: false }, &peer);
                return Ok((incoming, outgoing, peer));
            }
            Err(error) => {
                failure.get_or_insert(error);
            }
        }
    }
    Err(tcp::open_error(endpoint, failure.unwrap_or_else(|| io::ErrorKind::NotFound.into())))
}

async fn connect(address: SocketAddr) -> io::Result<UdpSocket> {
    let any: SocketAddr = match address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(address).await?;
    Ok(socket)
}
