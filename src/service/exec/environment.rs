//! What a program is told about its client, in its environment.
//!
//! | Variable | Value |
//! |---|---|
//! | `ENCHUFE_CONNECTION` | the number of the client since the server was started, from 1 |
//! | `ENCHUFE_PEER` | who it is: `127.0.0.1:54321`, `[::1]:54321`, the path of a socket, `unnamed`, `-` |
//! | `REMOTE_ADDR`, `REMOTE_PORT` | its IP address and port, if it has them |
//!
//! and for clients of WebSocket, as CGI has it (RFC 3875 §4.1):
//!
//! | Variable | Value |
//! |---|---|
//! | `GATEWAY_INTERFACE`, `SERVER_SOFTWARE` | `CGI/1.1`, `enchufe/VERSION` |
//! | `REQUEST_METHOD`, `SERVER_PROTOCOL` | `GET`, `HTTP/1.1` |
//! | `REQUEST_URI` | the path and the query as they came |
//! | `SCRIPT_NAME`, `PATH_INFO` | nothing, and the path without its percent signs |
//! | `QUERY_STRING` | the query as it came |
//! | `SERVER_NAME`, `SERVER_PORT` | what the client calls the server, from `Host` |
//! | `HTTPS` | `on`, with TLS |
//! | `HTTP_NAME` | every field of the request: `HTTP_ORIGIN`, `HTTP_COOKIE`, `HTTP_USER_AGENT`… |
//!
//! None of these is inherited from the server, so that what the program sees is the client's. There
//! is no `HTTP_PROXY`: programs take that for a setting.

use std::{collections::BTreeMap, ffi::OsString};

use percent_encoding::percent_decode_str;

use crate::transport::{Peer, child::Command, ws::Request};

/// What describes a client, apart from the fields of its request.
const NAMES: [&str; 17] = [
    "ENCHUFE_CONNECTION",
    "ENCHUFE_PEER",
    "REMOTE_ADDR",
    "REMOTE_PORT",
    "GATEWAY_INTERFACE",
    "SERVER_SOFTWARE",
    "REQUEST_METHOD",
    "SERVER_PROTOCOL",
    "REQUEST_URI",
    "SCRIPT_NAME",
    "PATH_INFO",
    "QUERY_STRING",
    "SERVER_NAME",
    "SERVER_PORT",
    "HTTPS",
    "REMOTE_HOST",
    "REMOTE_USER",
];

/// What of our own environment would be taken for the client's.
#[derive(Debug)]
pub(super) struct Environment {
    removed: Vec<OsString>,
}

impl Environment {
    pub(super) fn new(command: &Command) -> Self {
        let inherited = std::env::vars_os().map(|(name, _)| name);
        let of_fields = inherited.filter(|name| name.as_encoded_bytes().starts_with(b"HTTP_"));
        let mut removed: Vec<OsString> =
            NAMES.iter().map(OsString::from).chain(of_fields).collect();
        removed.extend(command.options.env_removed.iter().cloned());
        Self { removed }
    }

    /// Tells `command` about a client. What the user set stays.
    pub(super) fn describe(
        &self,
        command: &mut Command,
        number: u64,
        peer: &Peer,
        request: Option<&Request>,
    ) {
        let mut env = Vec::new();
        let mut put = |name: &str, value: OsString| env.push((OsString::from(name), value));
        put("ENCHUFE_CONNECTION", number.to_string().into());
        put("ENCHUFE_PEER", peer_name(peer));
        if let Peer::Inet(address) = peer {
            put("REMOTE_ADDR", address.ip().to_string().into());
            put("REMOTE_PORT", address.port().to_string().into());
        }
        if let Some(request) = request {
            request_variables(request, &mut put);
        }
        env.append(&mut command.options.env);
        command.options.env = env;
        command.options.env_removed.clone_from(&self.removed);
    }
}

fn peer_name(peer: &Peer) -> OsString {
    match peer {
        Peer::Inet(address) => address.to_string().into(),
        Peer::UnixPath(path) => path.as_os_str().to_owned(),
        other => other.to_string().replace('\0', "@").into(),
    }
}

fn request_variables(request: &Request, put: &mut impl FnMut(&str, OsString)) {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    put("GATEWAY_INTERFACE", "CGI/1.1".into());
    put("SERVER_SOFTWARE", concat!("enchufe/", env!("CARGO_PKG_VERSION")).into());
    put("REQUEST_METHOD", "GET".into());
    put("SERVER_PROTOCOL", "HTTP/1.1".into());
    put("REQUEST_URI", request.target.clone().into());
    put("SCRIPT_NAME", OsString::new());
    put("PATH_INFO", decoded(path));
    put("QUERY_STRING", query.into());
    if request.is_secure {
        put("HTTPS", "on".into());
    }
    if let Some(host) = request.field("host").and_then(|host| std::str::from_utf8(host).ok()) {
        let port =
            host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
        let default = if request.is_secure { "443" } else { "80" };
        let (name, port) = port.unwrap_or((host, default));
        put("SERVER_NAME", name.into());
        put("SERVER_PORT", port.into());
    }
    for (name, value) in fields(request) {
        put(&name, os(value));
    }
}

/// The fields as variables; those that came more than once are one, with commas between (RFC 3875
/// §4.1.18), or semicolons for cookies (RFC 6265 §4.2.1).
fn fields(request: &Request) -> BTreeMap<String, Vec<u8>> {
    let mut variables: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for (name, value) in &request.fields {
        // A variable of another name could pass for this one: only `-` becomes `_`.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if name.eq_ignore_ascii_case("proxy") || !name.bytes().all(is_plain) || value.contains(&0) {
            continue;
        }
        let between: &[u8] = if name.eq_ignore_ascii_case("cookie") { b"; " } else { b", " };
        let variable = format!("HTTP_{}", name.to_ascii_uppercase().replace('-', "_"));
        let known = variables.entry(variable).or_default();
        if !known.is_empty() {
            known.extend_from_slice(between);
        }
        known.extend_from_slice(value);
    }
    variables
}

/// The path without its percent signs; as it came, if that is no value of a variable.
fn decoded(path: &str) -> OsString {
    let bytes: Vec<u8> = percent_decode_str(path).collect();
    if bytes.contains(&0) { path.into() } else { os(bytes) }
}

fn os(bytes: Vec<u8>) -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(bytes)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    /// What a program would be told of a client with this request.
    fn told(
        target: &str,
        fields: &[(&str, &[u8])],
        user: &[(&str, &str)],
    ) -> BTreeMap<String, Vec<u8>> {
        let mut command = Command::new("x", Vec::new());
        let pair = |(name, value): &(&str, &str)| ((*name).into(), (*value).into());
        command.options.env = user.iter().map(pair).collect();
        let environment = Environment::new(&command);
        let field = |(name, value): &(&str, &[u8])| ((*name).to_owned(), value.to_vec());
        let fields = fields.iter().map(field).collect();
        let request = Request::new(target, fields, false);
        let peer = Peer::Inet(([127, 0, 0, 1], 54321).into());
        environment.describe(&mut command, 7, &peer, Some(&request));
        let bytes = |value: &OsStr| value.as_encoded_bytes().to_vec();
        let env = command.options.env.iter();
        env.map(|(name, value)| (name.to_string_lossy().into_owned(), bytes(value))).collect()
    }

    #[test]
    fn a_request_is_told_as_cgi_tells_it() {
        let told =
            told("/a%20b/%c3%b1?x=%20&y", &[("host", b"[::1]:8080"), ("origin", b"http://a")], &[]);
        for (name, value) in [
            ("ENCHUFE_CONNECTION", "7"),
            ("ENCHUFE_PEER", "127.0.0.1:54321"),
            ("REMOTE_ADDR", "127.0.0.1"),
            ("REMOTE_PORT", "54321"),
            ("REQUEST_URI", "/a%20b/%c3%b1?x=%20&y"),
            ("PATH_INFO", "/a b/ñ"),
            ("QUERY_STRING", "x=%20&y"),
            ("SERVER_NAME", "[::1]"),
            ("SERVER_PORT", "8080"),
            ("HTTP_ORIGIN", "http://a"),
        ] {
            assert_eq!(told.get(name).map(Vec::as_slice), Some(value.as_bytes()), "{name}");
        }
        assert!(!told.contains_key("HTTPS"));
    }

    #[test]
    fn no_field_passes_for_another_variable() {
        let told = told(
            "/%00",
            &[
                ("proxy", b"http://evil"),
                ("x_y", b"1"),
                ("x-y", b"2"),
                ("x-y", b"3"),
                ("cookie", b"a"),
                ("cookie", b"b"),
            ],
            &[("HTTP_COOKIE", "mine")],
        );
        assert!(!told.contains_key("HTTP_PROXY"));
        assert_eq!(told["HTTP_X_Y"], b"2, 3");
        assert_eq!(told["PATH_INFO"], b"/%00", "what cannot be a value stays as it came");
        assert_eq!(told["HTTP_COOKIE"], b"mine", "what the user set stays");
    }
}
