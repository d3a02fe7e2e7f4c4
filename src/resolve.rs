//! Names become addresses the way every program on this machine sees them: through the system's
//! getaddrinfo(3), with every answer, in its order.
//!
//! A resolver of our own would show what the name servers say; what programs really get also
//! depends on the machine's tables, its address families and its policy (RFC 6724).

mod error;
mod number;

use std::fmt;
use std::net::{IpAddr, SocketAddr};

pub use error::ResolveError;
pub use number::{Family, Protocol, SocketType};
use serde::Serialize;

/// What to ask for. The default asks for everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hints {
    /// Only this address family.
    pub family: Option<Family>,
    /// Only this type of socket.
    pub socket_type: Option<SocketType>,
    /// Only this protocol.
    pub protocol: Option<Protocol>,
    /// Without a host: the addresses to listen on every interface, instead of loopback's.
    pub passive: bool,
    /// Ask for the canonical name of the host too. The first answer carries it.
    pub canonical_name: bool,
}

/// One answer of getaddrinfo(3).
///
/// Its `Display` is the tuple Python shows, with names for the numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The address family.
    pub family: Family,
    /// The type of socket.
    pub socket_type: SocketType,
    /// The protocol.
    pub protocol: Protocol,
    /// The canonical name of the host, when it was asked for; the first answer alone has it.
    pub canonical_name: Option<String>,
    /// The address.
    pub address: IpAddr,
    /// The port; 0 without a service.
    pub port: u16,
    /// IPv6's flow information (RFC 3493 §3.3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flow_info: Option<u32>,
    /// IPv6's scope: the index of the interface a link-local address is meant on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope_id: Option<u32>,
}

/// Asks the system for every address of a host, a service, or both. It blocks, for as long as the
/// name servers take.
///
/// `host` is a name or an address; without it the answers are loopback's, or, with
/// [`Hints::passive`], those that mean every interface. `service` is a name from services(5) or a
/// port.
///
/// # Errors
///
/// When there is no such name, no such service, or no answer.
pub fn resolve(
    host: Option<&str>,
    service: Option<&str>,
    hints: Hints,
) -> Result<Vec<Answer>, ResolveError> {
    ResolveError::check(host, service)?;
    // getaddrinfo does not say which of the two it does not know.
    if let (Some(_), Some(name)) = (host, service)
        && name.parse::<u16>().is_err()
    {
        lookup(None, service, Hints { family: None, canonical_name: false, ..hints })?;
    }
    lookup(host, service, hints)
}

fn lookup(
    host: Option<&str>,
    service: Option<&str>,
    hints: Hints,
) -> Result<Vec<Answer>, ResolveError> {
    let found = dns_lookup::getaddrinfo(host, service, Some(hints.into()))
        .map_err(|error| ResolveError::from_lookup(host, service, &error))?;
    // An answer of a family that has no IP address is not one that we could show or use.
    let answers: Vec<Answer> = found.filter_map(Result::ok).map(Answer::from).collect();
    if answers.is_empty() {
        return Err(ResolveError::NoAddress { host: host.unwrap_or_default().to_owned() });
    }
    Ok(answers)
}

impl From<Hints> for dns_lookup::AddrInfoHints {
    fn from(hints: Hints) -> Self {
        // The same two numbers on Linux, the BSDs, macOS and Windows.
        const AI_PASSIVE: i32 = 0x1;
        const AI_CANONNAME: i32 = 0x2;
        Self {
            flags: if hints.passive { AI_PASSIVE } else { 0 }
                | if hints.canonical_name { AI_CANONNAME } else { 0 },
            address: hints.family.map_or(0, |family| family.0),
            socktype: hints.socket_type.map_or(0, |socket_type| socket_type.0),
            protocol: hints.protocol.map_or(0, |protocol| protocol.0),
        }
    }
}

impl From<dns_lookup::AddrInfo> for Answer {
    fn from(info: dns_lookup::AddrInfo) -> Self {
        let (flow_info, scope_id) = match info.sockaddr {
            SocketAddr::V4(_) => (None, None),
            SocketAddr::V6(v6) => (Some(v6.flowinfo()), Some(v6.scope_id())),
        };
        Self {
            family: Family(info.address),
            socket_type: SocketType(info.socktype),
            protocol: Protocol(info.protocol),
            canonical_name: info.canonname,
            address: info.sockaddr.ip(),
            port: info.sockaddr.port(),
            flow_info,
            scope_id,
        }
    }
}

impl Answer {
    /// The address in the form that sockets take.
    pub fn socket_address(&self) -> SocketAddr {
        match self.address {
            IpAddr::V4(_) => SocketAddr::new(self.address, self.port),
            IpAddr::V6(address) => SocketAddr::V6(std::net::SocketAddrV6::new(
                address,
                self.port,
                self.flow_info.unwrap_or_default(),
                self.scope_id.unwrap_or_default(),
            )),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { family, socket_type, protocol, address, port, .. } = self;
        // The name comes from the network.
        let name = self.canonical_name.as_deref().unwrap_or_default().escape_debug();
        write!(f, "({family}, {socket_type}, {protocol}, '{name}', ('{address}', {port}")?;
        if let (Some(flow_info), Some(scope_id)) = (self.flow_info, self.scope_id) {
            write!(f, ", {flow_info}, {scope_id}")?;
        }
        f.write_str("))")
    }
}

/// Answers as Python shows their list: one tuple a line, in brackets.
#[derive(Debug, Clone, Copy)]
pub struct List<'a>(pub &'a [Answer]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (index, answer) in self.0.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { ",\n " })?;
            answer.fmt(f)?;
        }
        f.write_str("]")
    }
}
