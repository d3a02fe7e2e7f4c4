//! The server's side: is this request an opening handshake, and what answers it (RFC 6455 §4.2).

use super::{
    VERSION, accept_key, extensions,
    fields::{Fields, Unusable, is_token_byte, shown},
    is_key,
};
use crate::ws::deflate::{Agreed, Policy};

/// A request's head, as an HTTP parser gives it.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The method, exactly as it came.
    pub method: &'a str,
    /// Whether the version is HTTP/1.1.
    pub http_11: bool,
    /// Every header field in order, with names in any case and one entry for each line.
    pub headers: &'a [(&'a str, &'a [u8])],
}

/// What to answer an opening handshake with: status 101, `Upgrade: websocket`,
/// `Connection: Upgrade` and these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The value of `Sec-WebSocket-Accept`.
    pub accept: String,
    /// The value of `Sec-WebSocket-Protocol`; `None` leaves the field out.
    pub protocol: Option<String>,
    /// The value of `Sec-WebSocket-Extensions`; `None` leaves the field out.
    pub extensions: Option<String>,
    /// How messages may be compressed, which is what `extensions` says.
    pub deflate: Option<Agreed>,
}

/// Answers an opening handshake. Of the subprotocols it offers, the first that is in `protocols`
/// is chosen; when none is, the connection has none. Of its offers of compression, the first that
/// the policy can grant is accepted; `None` grants none. Other extensions are declined.
///
/// `Host` and `Origin` are only looked at as far as RFC 6455 §4.2.1 goes: who may connect is the
/// caller's to decide.
///
/// # Errors
///
/// [`Refusal`], which knows the answer to give.
pub fn accept(
    request: &Request<'_>,
    protocols: &[&str],
    deflate: Option<&Policy>,
) -> Result<Accepted, Refusal> {
    let fields = Fields(request.headers);
    if request.method != "GET" {
        return Err(Refusal::Method(shown(request.method.as_bytes())));
    }
    if !request.http_11 {
        return Err(Refusal::HttpVersion);
    }
    if !fields.lists("Upgrade", "websocket") {
        return Err(Refusal::NotAnUpgrade("Upgrade: websocket"));
    }
    if !fields.lists("Connection", "Upgrade") {
        return Err(Refusal::NotAnUpgrade("Connection: Upgrade"));
    }
    if single(fields, "Host")?.is_empty() {
        return Err(invalid(fields, "Host"));
    }
    for name in ["Transfer-Encoding", "Content-Length"] {
        if fields.all(name).any(|value| name == "Transfer-Encoding" || value != b"0") {
            return Err(Refusal::Body(name));
        }
    }
    let version = single(fields, "Sec-WebSocket-Version");
    match version {
        Ok(VERSION) => {}
        Err(refusal @ Refusal::Repeated(_)) => return Err(refusal),
        _ => {
            let version = fields.all("Sec-WebSocket-Version").next().map(shown);
            return Err(Refusal::Version(version.unwrap_or_default()));
        }
    }
    let key = single(fields, "Sec-WebSocket-Key")?;
    if !is_key(key) {
        return Err(invalid(fields, "Sec-WebSocket-Key"));
    }
    let protocol = choose(fields, protocols)?;
    let (deflate, extensions) = extend(fields, deflate)?.unzip();
    Ok(Accepted { accept: accept_key(key), protocol, extensions, deflate })
}

/// What is agreed on, and the answer that says so.
fn extend(
    fields: Fields<'_>,
    deflate: Option<&Policy>,
) -> Result<Option<(Agreed, String)>, Refusal> {
    let malformed = || invalid(fields, extensions::FIELD);
    let offers = extensions::extensions(fields).map_err(|_| malformed())?;
    if offers.is_empty() && fields.has(extensions::FIELD) {
        return Err(malformed());
    }
    Ok(deflate.and_then(|policy| policy.accept(&offers)))
}

fn choose(fields: Fields<'_>, protocols: &[&str]) -> Result<Option<String>, Refusal> {
    const NAME: &str = "Sec-WebSocket-Protocol";
    if fields.all(NAME).any(|value| !is_token_list(value)) {
        return Err(invalid(fields, NAME));
    }
    Ok(fields.list(NAME).find(|offered| protocols.contains(offered)).map(str::to_owned))
}

/// Whether every element of the list is a token (RFC 9110 §5.6.2), and there is one.
fn is_token_list(value: &[u8]) -> bool {
    let mut elements =
        value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|part| !part.is_empty());
    let is_token = |element: &[u8]| element.iter().all(|byte| is_token_byte(*byte));
    elements.next().is_some_and(is_token) && elements.all(is_token)
}

fn single<'a>(fields: Fields<'a>, name: &'static str) -> Result<&'a str, Refusal> {
    fields.one(name).map_err(|unusable| match unusable {
        Unusable::Missing => Refusal::Missing(name),
        Unusable::Repeated => Refusal::Repeated(name),
        Unusable::NotText => invalid(fields, name),
    })
}

fn invalid(fields: Fields<'_>, name: &'static str) -> Refusal {
    let value = fields.all(name).map(shown).collect::<Vec<_>>().join(", ");
    Refusal::Invalid { name, value }
}

/// The request is not an opening handshake that can be accepted. Values in it are escaped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The method is not GET.
    #[error("the method is {0}: a WebSocket is opened with GET")]
    Method(String),
    /// The version is not HTTP/1.1.
    #[error("a WebSocket is opened with HTTP/1.1")]
    HttpVersion,
    /// A field that asks for a WebSocket is missing or asks for something else.
    #[error("this is a WebSocket: the request needs the header {0}")]
    NotAnUpgrade(&'static str),
    /// The field announces a body, which the handshake must not have.
    #[error("the header {0} announces a body: a WebSocket is opened without one")]
    Body(&'static str),
    /// The version of the protocol is not 13.
    #[error("the header Sec-WebSocket-Version is '{0}': only 13 is spoken here")]
    Version(String),
    /// A field that must come once is missing.
    #[error("the header {0} is missing")]
    Missing(&'static str),
    /// A field that must come once came several times.
    #[error("the header {0} came more than once")]
    Repeated(&'static str),
    /// A field has a value it cannot have.
    #[error("the header {name} has the invalid value '{value}'")]
    Invalid {
        /// The field.
        name: &'static str,
        /// Its value.
        value: String,
    },
}

impl Refusal {
    /// The status to answer with.
    pub fn status(&self) -> u16 {
        match self {
            Self::Method(_) => 405,
            Self::NotAnUpgrade(_) | Self::Version(_) => 426,
            Self::HttpVersion
            | Self::Body(_)
            | Self::Missing(_)
            | Self::Repeated(_)
            | Self::Invalid { .. } => 400,
        }
    }

    /// The header fields that belong in the answer (RFC 6455 §4.2.2, RFC 9110 §15.5.6, §15.5.22).
    pub fn headers(&self) -> &'static [(&'static str, &'static str)] {
        match self.status() {
            405 => &[("Allow", "GET")],
            426 => &[
                ("Upgrade", "websocket"),
                ("Connection", "Upgrade"),
                ("Sec-WebSocket-Version", VERSION),
            ],
            _ => &[],
        }
    }
}
