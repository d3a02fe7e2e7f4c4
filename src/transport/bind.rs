//! Listening on every address of a host, or on none of them.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::{Domain, Socket, Type};

use super::{BindError, BindOptions, BindWarning, endpoint, os};
use crate::address::{Host, HostPort};
use crate::limits::{BIND_ADDRESSES_MAX, FREE_PORT_ATTEMPTS_MAX};
use crate::resolve::{Family, SocketType};

/// One address to listen on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub(super) address: SocketAddr,
    /// Whether an IPv6 socket is to take IPv4 too.
    pub(super) dual_stack: bool,
}

impl Target {
    /// A new socket for the target, which does not block and is not bound yet.
    pub(super) fn socket(&self, socket_type: Type, options: &BindOptions) -> io::Result<Socket> {
        let socket = Socket::new(Domain::for_address(self.address), socket_type, None)?;
        socket.set_nonblocking(true)?;
        options.sockets.apply_to_inet(&socket)?;
        if options.reuse_port {
            os::share_port(&socket)?;
        }
        if self.address.is_ipv6() {
            socket.set_only_v6(!self.dual_stack)?;
        }
        Ok(socket)
    }
}

/// Binds every address of the host with `bind`, or none. When the port is left to the system it is
/// one port for all of them. It blocks while the name is resolved.
pub(super) fn every_address(
    endpoint: &HostPort,
    socket_type: SocketType,
    options: &BindOptions,
    bind: impl Fn(Target) -> io::Result<Socket>,
) -> Result<(Vec<Socket>, Vec<BindWarning>), BindError> {
    let address = || endpoint.to_string();
    let refused = options.sockets.check_interface();
    refused.map_err(|error| BindError::Interface { address: address(), error })?;
    let family = options.sockets.family;
    let (sockets, mut warnings) = match endpoint.host {
        Host::Any => every_interface(endpoint, family, &bind)?,
        _ => match endpoint::to_serve(endpoint, socket_type, family) {
            Ok(addresses) => each(endpoint, addresses, &bind)?,
            Err(error) => return Err(BindError::Unresolved { address: address(), error }),
        },
    };
    if let Some(socket) = sockets.first() {
        warnings.extend(options.sockets.clipped(socket));
    }
    Ok((sockets, warnings))
}

fn each(
    endpoint: &HostPort,
    mut addresses: Vec<SocketAddr>,
    bind: &impl Fn(Target) -> io::Result<Socket>,
) -> Result<(Vec<Socket>, Vec<BindWarning>), BindError> {
    let mut warnings = Vec::new();
    // A name may mean every interface too.
    if addresses.iter().any(|address| address.ip().is_unspecified()) {
        warnings.push(BindWarning::EveryInterface { address: endpoint.to_string() });
    }
    if addresses.len() > BIND_ADDRESSES_MAX {
        let (address, found) = (endpoint.to_string(), addresses.len());
        warnings.push(BindWarning::TooManyAddresses { address, found, served: BIND_ADDRESSES_MAX });
        addresses.truncate(BIND_ADDRESSES_MAX);
    }
    for _ in 0..FREE_PORT_ATTEMPTS_MAX {
        match on_one_port(endpoint, &addresses, bind) {
            Ok((sockets, no_ipv6)) => {
                warnings.extend(no_ipv6);
                return Ok((sockets, warnings));
            }
            // The port the system chose for the first address is taken on another one.
            Err(error) if endpoint.port == 0 && error.kind() == io::ErrorKind::AddrInUse => {}
            Err(error) => return Err(bind_error(endpoint, error)),
        }
    }
    Err(BindError::NoFreePort { address: endpoint.to_string() })
}

fn every_interface(
    endpoint: &HostPort,
    family: Option<Family>,
    bind: &impl Fn(Target) -> io::Result<Socket>,
) -> Result<(Vec<Socket>, Vec<BindWarning>), BindError> {
    let mut warnings = vec![BindWarning::EveryInterface { address: endpoint.to_string() }];
    let ipv4 = || {
        let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, endpoint.port));
        bind(Target { address, dual_stack: false })
    };
    let ipv6 = SocketAddr::from((Ipv6Addr::UNSPECIFIED, endpoint.port));
    let bound = match family {
        Some(Family::V4) => ipv4(),
        Some(_) => bind(Target { address: ipv6, dual_stack: false }),
        None => match bind(Target { address: ipv6, dual_stack: true }) {
            Err(error) if means_no_ipv6(&ipv6, &error) => {
                warnings.push(BindWarning::NoIpv6 { address: endpoint.to_string() });
                ipv4()
            }
            bound => bound,
        },
    };
    match bound {
        Ok(socket) => Ok((vec![socket], warnings)),
        Err(error) => Err(bind_error(endpoint, error)),
    }
}

fn on_one_port(
    endpoint: &HostPort,
    addresses: &[SocketAddr],
    bind: &impl Fn(Target) -> io::Result<Socket>,
) -> io::Result<(Vec<Socket>, Option<BindWarning>)> {
    let has_ipv4 = addresses.iter().any(SocketAddr::is_ipv4);
    let mut port = endpoint.port;
    let mut sockets = Vec::new();
    let mut no_ipv6 = None;
    for address in addresses {
        let mut address = *address;
        address.set_port(port);
        match bind(Target { address, dual_stack: false }) {
            Ok(socket) => {
                port = socket.local_addr()?.as_socket().map_or(port, |local| local.port());
                sockets.push(socket);
            }
            Err(error) if has_ipv4 && means_no_ipv6(&address, &error) => {
                no_ipv6 = Some(BindWarning::NoIpv6 { address: endpoint.to_string() });
            }
            Err(error) => return Err(error),
        }
    }
    Ok((sockets, no_ipv6))
}

/// Where a bound socket listens, as the endpoint it was bound for says it.
pub(super) fn local_address(
    endpoint: &HostPort,
    family: Option<Family>,
    local: SocketAddr,
) -> HostPort {
    match endpoint.host {
        // One socket takes both families, which no address says.
        Host::Any if family.is_none() => HostPort { host: Host::Any, port: local.port() },
        _ => HostPort::from(local),
    }
}

/// Whether the error says that the machine has no IPv6, and not something about this address: the
/// kernel lacks it, or it is there and switched off, so that not even loopback has an address.
fn means_no_ipv6(address: &SocketAddr, error: &io::Error) -> bool {
    let always_there = address.ip().is_loopback() || address.ip().is_unspecified();
    address.is_ipv6()
        && (rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::AFNOSUPPORT)
            || (always_there && error.kind() == io::ErrorKind::AddrNotAvailable))
}

fn bind_error(endpoint: &HostPort, error: io::Error) -> BindError {
    let address = endpoint.to_string();
    match error.kind() {
        io::ErrorKind::AddrInUse => BindError::InUse { address },
        io::ErrorKind::PermissionDenied => BindError::PermissionDenied {
            address,
            privileged_port: (1..1024).contains(&endpoint.port),
        },
        io::ErrorKind::AddrNotAvailable => BindError::NotLocal { address },
        io::ErrorKind::InvalidInput if endpoint::lacks_scope(&endpoint.host) => {
            BindError::NoScope { address }
        }
        _ => BindError::Io { address, error },
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn udp(target: Target) -> io::Result<Socket> {
        let socket = target.socket(Type::DGRAM, &BindOptions::default())?;
        socket.bind(&target.address.into())?;
        Ok(socket)
    }

    fn loopback(port: u16) -> HostPort {
        HostPort { host: Host::V4(Ipv4Addr::LOCALHOST), port }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_host_with_too_many_addresses_is_served_on_the_first_of_them_and_it_is_said() {
        let addresses =
            |count: u8| (1..=count).map(|last| SocketAddr::from(([127, 0, 0, last], 0)));
        let (sockets, warnings) =
            each(&loopback(0), addresses(16).collect(), &udp).expect("sockets");
        assert_eq!((sockets.len(), warnings), (16, Vec::new()));
        let (sockets, warnings) =
            each(&loopback(0), addresses(17).collect(), &udp).expect("sockets");
        assert_eq!(sockets.len(), BIND_ADDRESSES_MAX);
        assert!(matches!(
            warnings[..],
            [BindWarning::TooManyAddresses { found: 17, served: 16, .. }]
        ));
        assert!(warnings[0].to_string().contains("17"), "{}", warnings[0]);
    }

    #[test]
    fn the_search_for_a_free_port_ends() {
        let attempts = Cell::new(0);
        let taken = |target: Target| {
            if target.address.port() == 0 {
                return udp(target);
            }
            attempts.set(attempts.get() + 1);
            Err(io::ErrorKind::AddrInUse.into())
        };
        let addresses = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0)); 2];
        let error = each(&loopback(0), addresses, &taken).expect_err("no port");
        assert!(matches!(error, BindError::NoFreePort { .. }), "{error:?}");
        assert!(error.hint().is_some());
        assert_eq!(attempts.get(), FREE_PORT_ATTEMPTS_MAX);
    }

    #[test]
    fn a_name_that_means_every_interface_is_said_too() {
        let addresses = vec![SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))];
        let (_sockets, warnings) = each(&loopback(0), addresses, &udp).expect("a socket");
        assert!(matches!(warnings[..], [BindWarning::EveryInterface { .. }]), "{warnings:?}");
    }
}
