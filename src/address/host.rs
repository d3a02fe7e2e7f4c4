//! Hosts and ports: the part that tcp, udp, WebSocket and HTTP addresses share.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// A host, before it is resolved.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Host {
    /// Every interface of this machine, in IPv6 and IPv4: an empty host, or `*`.
    Any,
    /// A name for the system's resolver.
    Name(String),
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address. `[::]` is every interface in IPv6 alone.
    V6 {
        /// The address.
        address: Ipv6Addr,
        /// For a link-local address, the interface it is meant on: a name (`eth0`) or an index.
        scope: Option<String>,
    },
}

impl Host {
    /// Whether the host can only mean this machine, for sure and without asking a resolver: a
    /// loopback address, `localhost`, or a name that ends in `.localhost` (RFC 6761 §6.3).
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::Any => false,
            Self::Name(name) => self.is_localhost() || ends_with_ignoring_case(name, ".localhost"),
            Self::V4(address) => address.is_loopback(),
            Self::V6 { address, .. } => address.is_loopback(),
        }
    }

    /// Whether the host is the name `localhost`, which here means both 127.0.0.1 and ::1 whatever
    /// the machine's tables say.
    pub(crate) fn is_localhost(&self) -> bool {
        matches!(self, Self::Name(name) if name.eq_ignore_ascii_case("localhost"))
    }

    /// Whether listening on it means listening on every interface.
    pub fn is_every_interface(&self) -> bool {
        match self {
            Self::Any => true,
            Self::Name(_) => false,
            Self::V4(address) => address.is_unspecified(),
            Self::V6 { address, .. } => address.is_unspecified(),
        }
    }
}

fn ends_with_ignoring_case(text: &str, suffix: &str) -> bool {
    let (text, suffix) = (text.as_bytes(), suffix.as_bytes());
    text.len() >= suffix.len() && text[text.len() - suffix.len()..].eq_ignore_ascii_case(suffix)
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Name(name) => f.write_str(name),
            Self::V4(address) => address.fmt(f),
            Self::V6 { address, scope: None } => write!(f, "[{address}]"),
            // `%25eth0` is `%eth0` as a URL writes it, so a scope that begins with 25 must take
            // the URL's form to be read back as itself.
            Self::V6 { address, scope: Some(scope) }
                if scope.len() > 2 && scope.starts_with("25") =>
            {
                write!(f, "[{address}%25{scope}]")
            }
            Self::V6 { address, scope: Some(scope) } => write!(f, "[{address}%{scope}]"),
        }
    }
}

impl From<IpAddr> for Host {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => Self::V6 { address, scope: None },
        }
    }
}

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HostPort {
    /// The host, not yet resolved.
    pub host: Host,
    /// The port. 0 asks for a free one; only a server may.
    pub port: u16,
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl From<SocketAddr> for HostPort {
    /// The scope is kept as an index.
    fn from(address: SocketAddr) -> Self {
        let mut host = Host::from(address.ip());
        if let (Host::V6 { scope, .. }, SocketAddr::V6(v6)) = (&mut host, address)
            && v6.scope_id() != 0
        {
            *scope = Some(v6.scope_id().to_string());
        }
        Self { host, port: address.port() }
    }
}
