//! The part of the grammar that tcp, udp, WebSocket and HTTP addresses share: host and port.

use std::net::Ipv4Addr;

use super::{Host, HostPort, ParseAddressError};
use crate::resolve::{self, Hints, SocketType};

/// The longest name of the domain name system, in bytes (RFC 1035 §2.3.4).
const NAME_BYTES_MAX: usize = 253;

/// The longest name of a service or an interface that is asked for, in bytes.
const LABEL_BYTES_MAX: usize = 63;

/// The text that is being parsed.
pub(super) struct Text<'a> {
    /// All of it, for errors.
    pub(super) whole: &'a str,
    /// For the names of services, which may differ between TCP and UDP.
    pub(super) socket_type: SocketType,
}

impl Text<'_> {
    /// Parses `HOST:PORT`, or `HOST` alone where there is a default port.
    pub(super) fn endpoint(
        &self,
        endpoint: &str,
        default_port: Option<u16>,
    ) -> Result<HostPort, ParseAddressError> {
        if let Some(end) = endpoint.find(['/', '?', '#']) {
            let suggestion = self.whole.replacen(endpoint, &endpoint[..end], 1);
            return Err(ParseAddressError::UnexpectedPath { text: self.whole(), suggestion });
        }
        if endpoint.contains('@') {
            return Err(ParseAddressError::Credentials);
        }
        let (host, port) = self.split(endpoint)?;
        let host = self.host(host)?;
        let port = match port {
            Some(port) => self.port(port)?,
            None => default_port.ok_or_else(|| self.no_port(endpoint))?,
        };
        Ok(HostPort { host, port })
    }

    fn whole(&self) -> String {
        self.whole.to_owned()
    }

    /// Host, still with its brackets, and port.
    fn split<'b>(
        &self,
        endpoint: &'b str,
    ) -> Result<(&'b str, Option<&'b str>), ParseAddressError> {
        if endpoint.starts_with('[') {
            let Some(end) = endpoint.find(']') else { return Err(self.open_bracket(endpoint)) };
            let (host, after) = endpoint.split_at(end + 1);
            return match after.strip_prefix(':') {
                None if !after.is_empty() => Err(ParseAddressError::BadIpv6 { text: self.whole() }),
                port => Ok((host, port)),
            };
        }
        match endpoint.rsplit_once(':') {
            None => Ok((endpoint, None)),
            Some((host, port)) if !host.contains(':') => Ok((host, Some(port))),
            Some((host, port)) => Err(self.no_brackets(endpoint, host, port)),
        }
    }

    fn no_brackets(&self, endpoint: &str, host: &str, port: &str) -> ParseAddressError {
        let suggestion = bracketed(endpoint, host, port);
        let suggestion = suggestion.map(|bracketed| self.whole.replacen(endpoint, &bracketed, 1));
        ParseAddressError::NoBrackets { text: self.whole(), suggestion }
    }

    /// `[::1:80` has no bracket to end what the first one began.
    fn open_bracket(&self, endpoint: &str) -> ParseAddressError {
        let inside = &endpoint[1..];
        let (host, port) = inside.rsplit_once(':').unwrap_or((inside, ""));
        let suggestion = bracketed(inside, host, port);
        let suggestion = suggestion.map(|bracketed| self.whole.replacen(endpoint, &bracketed, 1));
        ParseAddressError::OpenBracket { text: self.whole(), suggestion }
    }

    fn no_port(&self, host: &str) -> ParseAddressError {
        let scheme = self.whole.split_once("://").map_or("tcp", |(scheme, _)| scheme);
        let suggestion = if !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_digit()) {
            format!("{scheme}://localhost:{host}")
        } else {
            format!("{scheme}://{host}:65432")
        };
        ParseAddressError::NoPort { text: self.whole(), suggestion }
    }

    fn host(&self, host: &str) -> Result<Host, ParseAddressError> {
        if host.is_empty() || host == "*" {
            return Ok(Host::Any);
        }
        if let Some(inside) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            return ipv6(inside).ok_or_else(|| ParseAddressError::BadIpv6 { text: self.whole() });
        }
        if let Ok(address) = host.parse::<Ipv4Addr>() {
            return Ok(Host::V4(address));
        }
        let is_name =
            |character: char| character.is_alphanumeric() || matches!(character, '-' | '_' | '.');
        if host.len() > NAME_BYTES_MAX || !host.chars().all(is_name) {
            return Err(ParseAddressError::BadHost { text: self.whole(), host: host.to_owned() });
        }
        Ok(Host::Name(host.to_owned()))
    }

    pub(super) fn port(&self, port: &str) -> Result<u16, ParseAddressError> {
        let number = match port.bytes().all(|byte| byte.is_ascii_digit()) {
            true => port.parse().ok(),
            false => self.service(port),
        };
        number
            .ok_or_else(|| ParseAddressError::BadPort { text: self.whole(), port: port.to_owned() })
    }

    /// The port of a service by its name, from this machine's tables.
    fn service(&self, name: &str) -> Option<u16> {
        let is_name = name.len() <= LABEL_BYTES_MAX
            && name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.+".contains(&byte));
        if !is_name {
            return None;
        }
        let hints = Hints { socket_type: Some(self.socket_type), ..Hints::default() };
        let answers = resolve::resolve(None, Some(name), hints).ok()?;
        answers.first().map(|answer| answer.port).filter(|&port| port != 0)
    }
}

/// `::1:80` may be an address and a port, or an address alone; the first is likelier.
fn bracketed(endpoint: &str, host: &str, port: &str) -> Option<String> {
    if ipv6(host).is_some() {
        Some(format!("[{host}]:{port}"))
    } else {
        ipv6(endpoint).map(|_| format!("[{endpoint}]:65432"))
    }
}

/// The inside of the brackets: an address, and perhaps the scope it is meant in (RFC 4007 §11,
/// and RFC 6874 §2 for `%25`).
fn ipv6(inside: &str) -> Option<Host> {
    let Some((address, scope)) = inside.split_once('%') else {
        return Some(Host::V6 { address: inside.parse().ok()?, scope: None });
    };
    // `%25` alone is the interface with the index 25.
    let scope = match scope.strip_prefix("25") {
        Some(rest) if !rest.is_empty() => rest,
        _ => scope,
    };
    let is_name =
        |character: char| character.is_alphanumeric() || matches!(character, '-' | '_' | '.' | '@');
    if scope.is_empty() || scope.len() > LABEL_BYTES_MAX || !scope.chars().all(is_name) {
        return None;
    }
    Some(Host::V6 { address: address.parse().ok()?, scope: Some(scope.to_owned()) })
}
