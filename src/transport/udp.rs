//! Datagrams over UDP.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::{Domain, Type};
use tokio::net::UdpSocket;
use tokio::time::timeout;

use super::datagram::{self, Incoming, Outgoing, Server, Socket};
use super::eyeballs::Obstacle;
use super::{BindError, BindOptions, BindWarning, OpenError, OpenOptions, Peer, bind, eyeballs};
use crate::address::{Host, HostPort};
use crate::limits::CONNECT_ADDRESSES_MAX;
use crate::resolve::SocketType;

/// Listens on every address of the host, or on none; gives where, one for each socket.
pub(super) async fn bind(
    endpoint: &HostPort,
    options: &BindOptions,
) -> Result<(Server, Vec<HostPort>, Vec<BindWarning>), BindError> {
    let io_error = |error| BindError::Io { address: endpoint.to_string(), error };
    let (owned, asked) = (endpoint.clone(), options.clone());
    let bound = tokio::task::spawn_blocking(move || {
        bind::every_address(&owned, SocketType::DATAGRAM, &asked, |target| {
            // Without SO_REUSEADDR, which for datagrams means that the last to come gets them.
            let socket = target.socket(Type::DGRAM, &asked)?;
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
        let family = options.sockets.family;
        local.push(bind::local_address(endpoint, family, address));
        let dual_stack = endpoint.host == Host::Any && address.is_ipv6() && family.is_none();
        sockets.push(Socket::Udp { socket, dual_stack });
    }
    Ok((Server::start(sockets, options.backlog, &options.datagrams), local, warnings))
}

/// Opens a socket that sends to, and receives from, the first address of the host to which there
/// is a way. Whether somebody listens there shows when something is sent.
pub(super) async fn open(
    endpoint: &HostPort,
    options: &OpenOptions,
) -> Result<(Incoming, Outgoing, Peer), OpenError> {
    eyeballs::check_interface(endpoint, options)?;
    let time = options.timeout;
    let family = options.family();
    let found = timeout(time, eyeballs::addresses(endpoint, SocketType::DATAGRAM, family)).await;
    let addresses = match found {
        Ok(Ok(addresses)) => addresses,
        Ok(Err(OpenError::Unresolved { error, .. })) => {
            let datagrams = SocketType::DATAGRAM;
            return Err(eyeballs::unresolved(endpoint, datagrams, options, error).await);
        }
        Ok(Err(error)) => return Err(error),
        Err(_elapsed) => {
            return Err(OpenError::TimedOut { address: endpoint.to_string(), timeout: time });
        }
    };
    let mut failure = None;
    for address in addresses.into_iter().take(CONNECT_ADDRESSES_MAX) {
        match connect(address, options) {
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
    let failure = failure.unwrap_or(Obstacle::Remote(io::ErrorKind::NotFound.into()));
    Err(eyeballs::open_error(endpoint, options, failure))
}

/// Connecting a socket for datagrams is done at once: nobody is asked.
fn connect(address: SocketAddr, options: &OpenOptions) -> Result<UdpSocket, Obstacle> {
    let any: SocketAddr = match address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = socket2::Socket::new(Domain::for_address(address), Type::DGRAM, None)?;
    socket.set_nonblocking(true)?;
    options.sockets.apply_to_inet(&socket)?;
    options.sockets.log_clipped(&socket);
    socket.bind(&options.local.unwrap_or(any).into()).map_err(Obstacle::Local)?;
    socket.connect(&address.into())?;
    Ok(UdpSocket::from_std(socket.into())?)
}
