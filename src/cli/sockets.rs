//! Which flags of sockets mean something at which addresses: what means nothing is refused, and not
//! ignored.

use std::net::SocketAddr;

use super::{args, failure::Failure, usage::misplaced};
use crate::{
    address::{Address, Host, HostPort, WsAddress, WsEndpoint},
    resolve::Family,
};

/// A flag, whether it was given, and at which addresses it means something.
pub(super) type Flag = (bool, &'static str, Box<dyn Fn(&Address) -> bool>);

/// What flags were given with.
pub(super) struct With<'a> {
    pub(super) addresses: &'a [Address],
    /// How the addresses were written.
    pub(super) typed: &'a str,
    /// Whose help says more.
    pub(super) command: &'static str,
}

impl With<'_> {
    /// Refuses the first flag that means something at none of the addresses.
    ///
    /// # Errors
    ///
    /// When there is one.
    pub(super) fn check(&self, flags: impl IntoIterator<Item = Flag>) -> Result<(), Failure> {
        let is_idle = |(is_given, _, means_something): &Flag| {
            *is_given && !self.addresses.iter().any(means_something)
        };
        match flags.into_iter().find(is_idle) {
            Some((_, flag, _)) => Err(misplaced(flag, self.typed, self.command)),
            None => Ok(()),
        }
    }
}

impl args::Sockets {
    /// The flags, to be checked.
    pub(super) fn flags(&self) -> [Flag; 8] {
        [
            (self.ipv4, "--ipv4", Box::new(|address: &Address| can_be(address, Family::V4))),
            (self.ipv6, "--ipv6", Box::new(|address: &Address| can_be(address, Family::V6))),
            (self.interface.is_some(), "--interface", Box::new(is_inet)),
            (self.keepalive.is_some(), "--keepalive", Box::new(is_tcp)),
            (self.no_delay, "--no-delay", Box::new(is_tcp)),
            (self.delay, "--delay", Box::new(is_tcp)),
            (self.send_buffer.is_some(), "--send-buffer", Box::new(is_socket)),
            (self.receive_buffer.is_some(), "--receive-buffer", Box::new(is_socket)),
        ]
    }
}

impl args::Listening {
    /// The flags, to be checked.
    pub(super) fn flags(&self) -> [Flag; 2] {
        [
            (self.backlog.is_some(), "--backlog", Box::new(is_socket)),
            (self.reuse_port, "--reuse-port", Box::new(is_inet)),
        ]
    }
}

impl args::Opening {
    /// The flags, to be checked.
    ///
    /// # Errors
    ///
    /// When `sockets` asks for another family than the address to connect from has.
    pub(super) fn flags(
        &self,
        sockets: &args::Sockets,
        command: &str,
    ) -> Result<[Flag; 1], Failure> {
        let own = self.bind.map(family_of);
        if let (Some(own), Some(family)) = (own, sockets.family())
            && own != family
        {
            let flag = if sockets.ipv4 { "--ipv4" } else { "--ipv6" };
            return Err(misplaced("--bind", flag, command));
        }
        let means_something = move |address: &Address| own.is_none_or(|own| can_be(address, own));
        Ok([(self.bind.is_some(), "--bind", Box::new(means_something))])
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
