//! Addresses of the web: WebSocket and HTTP.

use std::fmt;

use super::{Host, HostPort, UnixPath};

/// A WebSocket endpoint: where, and the path asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WsAddress {
    /// Where the server is.
    pub endpoint: WsEndpoint,
    /// The path with its query, percent-encoded, beginning with `/`. `None` when the text named
    /// none: served, any path will do; opened, it is `/`.
    pub path: Option<String>,
    /// Whether TLS lies between: `wss://`, `wss+unix:`.
    pub is_secure: bool,
}

/// Where a WebSocket server is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum WsEndpoint {
    /// Host and port; 80 when the text named none, or 443 with TLS (RFC 6455 §3).
    Inet(HostPort),
    /// A Unix-domain socket. It has no host: requests are for `localhost`.
    Unix(UnixPath),
}

impl WsEndpoint {
    /// The host and port, when it is reached over a network.
    pub fn host_port(&self) -> Option<&HostPort> {
        match self {
            Self::Inet(endpoint) => Some(endpoint),
            Self::Unix(_) => None,
        }
    }

    /// The host that requests are for, and that certificates are to name.
    pub fn host(&self) -> Host {
        match self {
            Self::Inet(endpoint) => endpoint.host.clone(),
            Self::Unix(_) => Host::Name("localhost".to_owned()),
        }
    }
}

impl From<HostPort> for WsEndpoint {
    fn from(endpoint: HostPort) -> Self {
        Self::Inet(endpoint)
    }
}

impl From<UnixPath> for WsEndpoint {
    fn from(path: UnixPath) -> Self {
        Self::Unix(path)
    }
}

impl WsAddress {
    /// The port that goes without saying.
    pub fn default_port(&self) -> u16 {
        if self.is_secure { 443 } else { 80 }
    }
}

impl fmt::Display for WsAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_secure { "wss" } else { "ws" };
        match (&self.endpoint, &self.path) {
            (WsEndpoint::Inet(endpoint), path) => {
                write!(f, "{scheme}://{endpoint}{}", path.as_deref().unwrap_or_default())
            }
            (WsEndpoint::Unix(socket), None) => write!(f, "{scheme}+unix:{socket}"),
            (WsEndpoint::Unix(socket), Some(path)) => write!(f, "{scheme}+unix:{socket}:{path}"),
        }
    }
}

/// Where an HTTP server listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HttpAddress {
    /// Host and port.
    pub endpoint: HostPort,
    /// Whether TLS lies between: `https://`.
    pub is_secure: bool,
}

impl fmt::Display for HttpAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_secure { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.endpoint)
    }
}
