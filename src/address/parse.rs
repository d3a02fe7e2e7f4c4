//! The grammar of addresses.
//!
//! ```text
//! ADDRESS  = "-" | "stdio" | ("tcp://" | "tls://" | "udp://") ENDPOINT
//!          | ("ws://" | "wss://") HOST [":" PORT] [PATH]
//!          | ("ws+unix:" | "wss+unix:") SOCKET [":" PATH]
//!          | ("unix:" | "unixgram:") SOCKET | "file:" FILE | "exec:" WORDS | ENDPOINT | PORT
//! SOCKET   = FILE | "@" NAME
//! ENDPOINT = HOST ":" PORT
//! HOST     = "" | "*" | name | IPv4 | "[" IPv6 ["%" ["25"] scope] "]"
//! PORT     = 0–65535 | service name
//! ```

use std::path::PathBuf;

use super::endpoint::Text;
use super::{
    Address, ExecAddress, Host, HostPort, HttpAddress, ParseAddressError, UnixPath, WsAddress,
    WsEndpoint,
};
use crate::resolve::SocketType;

/// What can be typed before a colon and is meant as a scheme.
const SCHEMES: [&str; 11] =
    ["tcp", "udp", "tls", "ws", "wss", "unix", "unixgram", "ws+unix", "wss+unix", "exec", "file"];

/// How many slips of the finger a scheme may be away to be suggested.
const SLIPS_MAX: usize = 2;

impl Address {
    /// Parses an address to listen on. A port alone is TCP on `localhost`.
    ///
    /// The name of a service is looked up in the system's tables (services(5)); hosts are not
    /// resolved.
    ///
    /// # Errors
    ///
    /// When the text is no address, or one that cannot be served.
    pub fn parse_serve(text: &str) -> Result<Self, ParseAddressError> {
        if is_number(text) {
            let host = Host::Name("localhost".to_owned());
            let port = Text { whole: text, socket_type: SocketType::STREAM }.port(text)?;
            return Ok(Self::Tcp(HostPort { host, port }));
        }
        parse(text).map_err(|error| match error {
            ParseAddressError::Http { text, .. } => {
                let suggestion = served_page(&text);
                ParseAddressError::Http { text, suggestion }
            }
            error => error,
        })
    }

    /// Parses an address to connect to. A port alone, port 0 and an empty host are refused.
    ///
    /// The name of a service is looked up in the system's tables (services(5)); hosts are not
    /// resolved.
    ///
    /// # Errors
    ///
    /// When the text is no address, or one that cannot be connected to.
    pub fn parse_connect(text: &str) -> Result<Self, ParseAddressError> {
        if is_number(text) {
            return Err(ParseAddressError::NoHost { port: text.to_owned() });
        }
        let address = parse(text)?;
        let Some(endpoint) = address.host_port() else { return Ok(address) };
        if endpoint.host == Host::Any {
            let suggestion = address.to_string().replacen('*', "localhost", 1);
            return Err(ParseAddressError::EveryInterface { text: text.to_owned(), suggestion });
        }
        if endpoint.port == 0 {
            return Err(ParseAddressError::PortZero { text: text.to_owned() });
        }
        Ok(address)
    }
}

impl HttpAddress {
    /// Parses where an HTTP server listens: `http://HOST[:PORT]` or `https://HOST[:PORT]`, with or
    /// without a `/` at its end, or what [`Address::parse_serve`] takes for TCP.
    ///
    /// # Errors
    ///
    /// When the text is neither.
    pub fn parse_listen(text: &str) -> Result<Self, ParseAddressError> {
        if let Some((scheme, rest)) = text.split_once("://") {
            let is_secure = scheme.eq_ignore_ascii_case("https");
            if is_secure || scheme.eq_ignore_ascii_case("http") {
                let rest = rest.strip_suffix('/').unwrap_or(rest);
                let default_port = if is_secure { 443 } else { 80 };
                let text = Text { whole: text, socket_type: SocketType::STREAM };
                return Ok(Self { endpoint: text.endpoint(rest, Some(default_port))?, is_secure });
            }
        }
        match Address::parse_serve(text)? {
            Address::Tcp(endpoint) => Ok(Self { endpoint, is_secure: false }),
            _ => Err(ParseAddressError::NotHttp { text: text.to_owned() }),
        }
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn parse(text: &str) -> Result<Address, ParseAddressError> {
    if text.is_empty() {
        return Err(ParseAddressError::Empty);
    }
    if matches!(text, "-" | "stdio" | "stdio:") {
        return Ok(Address::Stdio);
    }
    let Some((scheme, rest)) = text.split_once(':').filter(|(scheme, _)| !scheme.starts_with('['))
    else {
        return host_and_port(text);
    };
    let stream = Text { whole: text, socket_type: SocketType::STREAM };
    let datagram = Text { whole: text, socket_type: SocketType::DATAGRAM };
    match (scheme.to_ascii_lowercase().as_str(), rest.strip_prefix("//")) {
        ("unix", _) => unix_path(text, rest).map(Address::Unix),
        ("unixgram", _) => unix_path(text, rest).map(Address::Unixgram),
        (scheme @ ("ws+unix" | "wss+unix"), _) => {
            websocket_over_unix(text, rest, scheme == "wss+unix").map(Address::Ws)
        }
        ("exec", _) => ExecAddress::parse(text, rest).map(Address::Exec),
        ("file", _) => file(text, rest).map(Address::File),
        ("tcp", Some(rest)) => stream.endpoint(rest, None).map(Address::Tcp),
        ("tls", Some(rest)) => stream.endpoint(rest, None).map(Address::Tls),
        ("udp", Some(rest)) => datagram.endpoint(rest, None).map(Address::Udp),
        (scheme @ ("ws" | "wss"), Some(rest)) => {
            websocket(&stream, rest, scheme == "wss").map(Address::Ws)
        }
        (scheme @ ("tcp" | "udp" | "tls" | "ws" | "wss"), None) => {
            let host = if is_number(rest) { "localhost:" } else { "" };
            let suggestion = format!("{scheme}://{host}{rest}");
            Err(ParseAddressError::NoSlashes { text: text.to_owned(), suggestion })
        }
        (scheme @ ("http" | "https"), Some(rest)) => {
            let suggestion = websocket_of_page(rest, scheme == "https");
            Err(ParseAddressError::Http { text: text.to_owned(), suggestion })
        }
        (_, Some(_)) => Err(unknown_scheme(text, scheme, rest)),
        (_, None) => match host_and_port(text) {
            // `unxi:/tmp/socket` is a slip in the scheme and not a host with a strange port.
            Err(_) if rest.contains(['/', '@']) && nearest_scheme(scheme).is_some() => {
                Err(unknown_scheme(text, scheme, rest))
            }
            parsed => parsed,
        },
    }
}

fn host_and_port(text: &str) -> Result<Address, ParseAddressError> {
    let text = Text { whole: text, socket_type: SocketType::STREAM };
    text.endpoint(text.whole, None).map(Address::Tcp)
}

fn unix_path(text: &str, path: &str) -> Result<UnixPath, ParseAddressError> {
    match path.strip_prefix('@') {
        Some("") => Err(ParseAddressError::NoPath { text: text.to_owned() }),
        Some(name) if !name.contains('\0') => Ok(UnixPath::Abstract(name.to_owned())),
        _ => file(text, path).map(UnixPath::File),
    }
}

/// The path of a file, or of a socket's file.
fn file(text: &str, path: &str) -> Result<PathBuf, ParseAddressError> {
    if path.contains('\0') {
        return Err(ParseAddressError::BadPath { text: text.to_owned(), character: '\0' });
    }
    match path {
        "" => Err(ParseAddressError::NoPath { text: text.to_owned() }),
        // Written like a URL, `unix:///tmp/socket`, it is the same path.
        url if url.starts_with("//") => {
            Ok(PathBuf::from(format!("/{}", url.trim_start_matches('/'))))
        }
        path => Ok(PathBuf::from(path)),
    }
}

fn websocket(text: &Text<'_>, rest: &str, is_secure: bool) -> Result<WsAddress, ParseAddressError> {
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let endpoint = text.endpoint(authority, Some(if is_secure { 443 } else { 80 }))?;
    let path = url_path(text.whole, path)?;
    Ok(WsAddress { endpoint: WsEndpoint::Inet(endpoint), path, is_secure })
}

/// The socket ends at the first `:/`, so that a URL may have any.
fn websocket_over_unix(
    text: &str,
    rest: &str,
    is_secure: bool,
) -> Result<WsAddress, ParseAddressError> {
    let (socket, path) = match rest.find(":/") {
        Some(end) => (&rest[..end], &rest[end + 1..]),
        None => (rest, ""),
    };
    let (endpoint, path) = (unix_path(text, socket)?.into(), url_path(text, path)?);
    Ok(WsAddress { endpoint, path, is_secure })
}

/// The path and query of a URL, as they are asked for.
fn url_path(text: &str, path: &str) -> Result<Option<String>, ParseAddressError> {
    // A URL is printable ASCII; letters beyond it have a spelling, blanks and controls are slips.
    let impossible =
        |character: &char| *character == '#' || *character == ' ' || character.is_control();
    if let Some(character) = path.chars().find(impossible) {
        return Err(ParseAddressError::BadPath { text: text.to_owned(), character });
    }
    let path = percent_encoding::utf8_percent_encode(path, percent_encoding::CONTROLS);
    Ok(match path.to_string() {
        path if path.is_empty() => None,
        path if path.starts_with('?') => Some(format!("/{path}")),
        path => Some(path),
    })
}

/// Where the messages of a page are likely to be had over WebSocket.
fn websocket_of_page(rest: &str, is_secure: bool) -> String {
    let scheme = if is_secure { "wss" } else { "ws" };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    match path {
        "" | "/" | "/channels" | "/channels/" => format!("{scheme}://{authority}/channels/NAME"),
        path => format!("{scheme}://{authority}{path}"),
    }
}

/// What is served where a browser finds a page at the URL.
fn served_page(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let scheme = if scheme.eq_ignore_ascii_case("https") { "wss" } else { "ws" };
    format!("{scheme}://{}", rest.trim_end_matches('/'))
}

fn unknown_scheme(text: &str, scheme: &str, rest: &str) -> ParseAddressError {
    let suggestion = nearest_scheme(scheme).map(|nearest| format!("{nearest}:{rest}"));
    ParseAddressError::UnknownScheme {
        text: text.to_owned(),
        scheme: scheme.to_owned(),
        suggestion,
    }
}

fn nearest_scheme(scheme: &str) -> Option<&'static str> {
    let scheme = scheme.to_ascii_lowercase();
    let slips = |known: &&str| strsim::osa_distance(known, &scheme);
    // A word that shares no more than one letter with the scheme is no slip.
    let near = |known: &&&str| slips(known) <= SLIPS_MAX.min(known.len() - 1);
    SCHEMES.iter().filter(near).min_by_key(|known| slips(known)).copied()
}

#[cfg(test)]
mod tests;
