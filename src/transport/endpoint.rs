//! From a host and a port to the socket addresses behind them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::address::{Host, HostPort};
use crate::resolve::{self, Hints, ResolveError, SocketType};

const LOOPBACK: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

/// Every address to listen on, for hosts that name interfaces; [`Host::Any`] is the caller's to
/// treat. It blocks while the name is resolved.
pub(super) fn to_serve(
    endpoint: &HostPort,
    socket_type: SocketType,
) -> Result<Vec<SocketAddr>, ResolveError> {
    if endpoint.host.is_localhost() {
        return Ok(LOOPBACK.map(|address| SocketAddr::new(address, endpoint.port)).to_vec());
    }
    lookup(endpoint, socket_type)
}

/// Every address to connect to, in the resolver's order. It blocks while the name is resolved.
///
/// Both loopback addresses are tried for `localhost`, also where the machine's tables know one
/// alone; and for [`Host::Any`], which is where a server of every interface is found.
pub(super) fn to_connect(
    endpoint: &HostPort,
    socket_type: SocketType,
) -> Result<Vec<SocketAddr>, ResolveError> {
    let mut addresses = match endpoint.host {
        Host::Any => Vec::new(),
        _ => lookup(endpoint, socket_type)?,
    };
    if endpoint.host == Host::Any || endpoint.host.is_localhost() {
        addresses.extend(LOOPBACK.map(|address| SocketAddr::new(address, endpoint.port)));
        remove_duplicates(&mut addresses);
    }
    Ok(addresses)
}

fn lookup(endpoint: &HostPort, socket_type: SocketType) -> Result<Vec<SocketAddr>, ResolveError> {
    let name = match &endpoint.host {
        Host::V4(address) => return Ok(vec![SocketAddr::from((*address, endpoint.port))]),
        Host::V6 { address, scope: None } => {
            return Ok(vec![SocketAddr::from((*address, endpoint.port))]);
        }
        // The system knows the interfaces' names.
        Host::V6 { address, scope: Some(scope) } => format!("{address}%{scope}"),
        Host::Name(name) => name.clone(),
        Host::Any => return Ok(vec![SocketAddr::from((Ipv4Addr::UNSPECIFIED, endpoint.port))]),
    };
    let hints = Hints { socket_type: Some(socket_type), ..Hints::default() };
    let answers = resolve::resolve(Some(&name), None, hints)?;
    let mut addresses: Vec<SocketAddr> = answers
        .iter()
        .map(|answer| {
            let mut address = answer.socket_address();
            address.set_port(endpoint.port);
            address
        })
        .collect();
    remove_duplicates(&mut addresses);
    Ok(addresses)
}

fn remove_duplicates(addresses: &mut Vec<SocketAddr>) {
    let mut seen = std::collections::HashSet::new();
    addresses.retain(|address| seen.insert(*address));
}
