//! From a host and a port to the socket addresses behind them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::address::{Host, HostPort};
use crate::resolve::{self, Family, Hints, ResolveError, SocketType};

const LOOPBACK: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

/// Every address to listen on, for hosts that name interfaces; [`Host::Any`] is the caller's to
/// treat. It blocks while the name is resolved.
pub(super) fn to_serve(
    endpoint: &HostPort,
    socket_type: SocketType,
    family: Option<Family>,
) -> Result<Vec<SocketAddr>, ResolveError> {
    match endpoint.host.is_localhost() {
        true => Ok(loopback(endpoint.port, family).collect()),
        false => lookup(endpoint, socket_type, family),
    }
}

/// Every address to connect to, in the resolver's order. It blocks while the name is resolved.
///
/// Both loopback addresses are tried for `localhost`, also where the machine's tables know one
/// alone; and for [`Host::Any`], which is where a server of every interface is found.
pub(super) fn to_connect(
    endpoint: &HostPort,
    socket_type: SocketType,
    family: Option<Family>,
) -> Result<Vec<SocketAddr>, ResolveError> {
    let found = match endpoint.host {
        Host::Any => Ok(Vec::new()),
        _ => lookup(endpoint, socket_type, family),
    };
    if endpoint.host != Host::Any && !endpoint.host.is_localhost() {
        return found;
    }
    let mut addresses = found.unwrap_or_default();
    addresses.extend(loopback(endpoint.port, family));
    remove_duplicates(&mut addresses);
    Ok(addresses)
}

/// Whether only the resolver knows the addresses of the host.
pub(super) fn is_looked_up(host: &Host) -> bool {
    matches!(host, Host::Name(_)) && !host.is_localhost()
}

fn loopback(port: u16, family: Option<Family>) -> impl Iterator<Item = SocketAddr> {
    let addresses = LOOPBACK.map(|address| SocketAddr::new(address, port)).into_iter();
    addresses.filter(move |address| is_of(family, address))
}

fn is_of(family: Option<Family>, address: &SocketAddr) -> bool {
    let own = if address.is_ipv4() { Family::V4 } else { Family::V6 };
    family.is_none_or(|family| family == own)
}

fn lookup(
    endpoint: &HostPort,
    socket_type: SocketType,
    family: Option<Family>,
) -> Result<Vec<SocketAddr>, ResolveError> {
    let (name, interface) = match &endpoint.host {
        Host::Name(name) => (name.clone(), None),
        // The system knows the interfaces' names.
        Host::V6 { address, scope: Some(scope) } => (format!("{address}%{scope}"), Some(scope)),
        Host::V4(address) => return literal((*address).into(), endpoint, family),
        Host::V6 { address, scope: None } => return literal((*address).into(), endpoint, family),
        Host::Any => return literal(Ipv4Addr::UNSPECIFIED.into(), endpoint, family),
    };
    let hints = Hints { family, socket_type: Some(socket_type), ..Hints::default() };
    let answers = resolve::resolve(Some(&name), None, hints).map_err(|error| match interface {
        Some(interface) if family != Some(Family::V4) => {
            ResolveError::NoInterface { interface: interface.clone() }
        }
        _ => error,
    })?;
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

fn literal(
    address: IpAddr,
    endpoint: &HostPort,
    family: Option<Family>,
) -> Result<Vec<SocketAddr>, ResolveError> {
    let address = SocketAddr::new(address, endpoint.port);
    match is_of(family, &address) {
        true => Ok(vec![address]),
        false => Err(ResolveError::NoAddress { host: address.ip().to_string() }),
    }
}

/// Whether an address means something else on every link of this machine, and says not which one
/// it is meant on (RFC 4007 §6).
pub(super) fn lacks_scope(host: &Host) -> bool {
    matches!(host, Host::V6 { address, scope: None } if address.is_unicast_link_local())
}

fn remove_duplicates(addresses: &mut Vec<SocketAddr>) {
    let mut seen = std::collections::HashSet::new();
    addresses.retain(|address| seen.insert(*address));
}
