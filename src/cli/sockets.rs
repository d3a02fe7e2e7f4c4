//! Which flags of sockets mean something at which addresses: what means nothing is refused, and not
//! ignored.

use std::net::SocketAddr;

use super::{args, failure::Failure, usage::misplaced};
use crate::{
    address::{Address, Host, HostPort, WsAddress, WsEndpoint},
    resolve::Family,
};

/// A flag, whether it was given, and at which addresses it means something.
type Flag<'a> = (bool, &'static str, &'a dyn Fn(&Address) -> bool);

impl args::Sockets {
    /// Refuses the first flag that means something at none of the addresses.
    ///
    /// # Errors
    ///
    /// When there is one. `typed` is how the addresses were written, and `command` whose help says
    /// more.
    pub(super) fn check(
        &self,
        addresses: &[Address],
        typed: &str,
        command: &str,
    ) -> Result<(), Failure> {
        let flags: [Flag<'_>; 8] = [
            (self.ipv4, "--ipv4", &|address| can_be(address, Family::V4)),
            (self.ipv6, "--ipv6", &|address| can_be(address, Family::V6)),
            (self.interface.is_some(), "--interface", &is_inet),
            (self.keepalive.is_some(), "--keepalive", &is_tcp),
            (self.no_delay, "--no-delay", &is_tcp),
            (self.delay, "--delay", &is_tcp),
            (self.send_buffer.is_some(), "--send-buffer", &is_socket),
            (self.receive_buffer.is_some(), "--receive-buffer", &is_socket),
        ];
        check(&flags, addresses, typed, command)
    }
}

impl args::Listening {
    /// As [`args::Sockets::check`].
    pub(super) fn check(
        &self,
        addresses: &[Address],
        typed: &str,
        command: &str,
    ) -> Result<(), Failure> {
        let flags: [Flag<'_>; 2] = [
            (self.backlog.is_some(), "--backlog", &is_socket),
            (self.reuse_port, "--reuse-port", &is_inet),
        ];
        check(&flags, addresses, typed, command)
    }
}

impl args::Opening {
    /// As [`args::Sockets::check`], with the family that `sockets` asks for.
    pub(super) fn check(
        &self,
        sockets: &args::Sockets,
        address: &Address,
        typed: &str,
        command: &str,
    ) -> Result<(), Failure> {
        let own = self.bind.map(family_of);
        if let (Some(own), Some(family)) = (own, sockets.family())
            && own != family
        {
            let flag = if sockets.ipv4 { "--ipv4" } else { "--ipv6" };
            return Err(misplaced("--bind", flag, command));
        }
        let means_something = |address: &Address| own.is_none_or(|own| can_be(address, own));
        let flags: [Flag<'_>; 1] = [(self.bind.is_some(), "--bind", &means_something)];
        check(&flags, std::slice::from_ref(address), typed, command)
    }
}

fn check(
    flags: &[Flag<'_>],
    addresses: &[Address],
    typed: &str,
    command: &str,
) -> Result<(), Failure> {
    let is_idle = |(is_given, _, means_something): &&Flag<'_>| {
        *is_given && !addresses.iter().any(means_something)
    };
    match flags.iter().find(is_idle) {
        Some((_, flag, _)) => Err(misplaced(flag, typed, command)),
        None => Ok(()),
    }
}

fn family_of(address: SocketAddr) -> Family {
    if address.is_ipv4() { Family::V4 } else { Family::V6 }
}

fn is_inet(address: &Address) -> bool {
    address.host_port().is_some()
}

fn is_tcp(address: &Address) -> bool {
    is_inet(address) && !matches!(address, Address::Udp(_))
}

/// Whether the system has a socket for it that was not there before.
fn is_socket(address: &Address) -> bool {
    let over_unix = matches!(
        address,
        Address::Unix(_)
            | Address::Unixgram(_)
            | Address::Ws(WsAddress { endpoint: WsEndpoint::Unix(_), .. })
    );
    over_unix || is_inet(address)
}

/// Whether the address is reached over a network, and perhaps in this family: names may have
/// addresses of both.
fn can_be(address: &Address, family: Family) -> bool {
    match address.host_port() {
        None => false,
        Some(HostPort { host: Host::V4(_), .. }) => family == Family::V4,
        Some(HostPort { host: Host::V6 { .. }, .. }) => family == Family::V6,
        Some(_) => true,
    }
}
