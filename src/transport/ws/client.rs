//! Opening a WebSocket: the client's side of the handshake, carried by hyper.

use std::io;

use bytes::Bytes;
use enchufe_core::ws::{
    Role,
    deflate::{self, Agreed},
    handshake::{self, HandshakeError},
};
use http_body_util::Empty;
use hyper::{Request, client::conn::http1, header, upgrade::Parts};
use hyper_util::rt::TokioIo;
use tokio::{
    task::JoinSet,
    time::{Instant, timeout_at},
};

use super::{Incoming, Keepalive, Outgoing, Refusal, Terms, header as fields, keys};
use crate::{
    address::{Host, HostPort, WsAddress, WsEndpoint},
    limits,
    transport::{OpenError, OpenOptions, Peer, secure::reach, tls::Inside, wire::Wire},
};

/// What concerns opening WebSocket alone.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ClientOptions {
    /// The longest message the server may send, in bytes. A longer one ends the connection with
    /// close code 1009.
    pub message_bytes_max: usize,
    /// The subprotocols to offer, the most wanted first.
    pub protocols: Vec<String>,
    /// Whether the server must take one of them.
    pub needs_protocol: bool,
    /// The `Origin` to send. Programs other than browsers send none.
    pub origin: Option<String>,
    /// More header fields to send, by name and value. What the handshake itself sets is refused;
    /// see [`parse_header`](super::parse_header).
    pub headers: Vec<(String, String)>,
    /// How to offer compression; `None` does not.
    pub deflate: Option<deflate::Offer>,
    /// When the server is pinged and given up; `None` leaves that to the system.
    pub keepalive: Option<Keepalive>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            message_bytes_max: limits::MESSAGE_BYTES_MAX,
            protocols: Vec::new(),
            needs_protocol: false,
            origin: None,
            headers: Vec::new(),
            deflate: None,
            keepalive: Some(Keepalive::default()),
        }
    }
}

/// Connects and shakes hands, both within the options' `timeout`.
pub(crate) async fn open(
    address: &WsAddress,
    options: &OpenOptions,
) -> Result<(Incoming, Outgoing, Peer), OpenError> {
    let deadline = Instant::now() + options.timeout;
    let inside = address.is_secure.then_some(Inside::Http);
    let (stream, peer) = reach(&address.endpoint, inside, options, deadline).await?;
    let exchange = shake_hands(stream, address, &options.ws, deadline);
    let (stream, received, deflate) =
        timeout_at(deadline, exchange).await.unwrap_or_else(|_| {
            let timeout = options.timeout;
            Err(OpenError::TimedOut { address: address.to_string(), timeout })
        })?;
    let terms = Terms {
        role: Role::Client,
        message_bytes_max: options.ws.message_bytes_max,
        deflate,
        keepalive: options.ws.keepalive,
    };
    let (incoming, outgoing) = super::start(stream, peer.clone(), &received, &terms);
    Ok((incoming, outgoing, peer))
}

async fn shake_hands(
    stream: Wire,
    address: &WsAddress,
    options: &ClientOptions,
    deadline: Instant,
) -> Result<(Wire, Bytes, Option<Agreed>), OpenError> {
    let failed = |status: Option<u16>, reason: String| OpenError::Handshake {
        address: address.to_string(),
        status,
        reason,
    };
    let broken = |error: hyper::Error| {
        let has_left = error.is_canceled() || error.is_closed() || error.is_incomplete_message();
        // Whoever closes without having read the request resets the connection.
        let is_lost =
            std::error::Error::source(&error).is_some_and(|cause| cause.is::<io::Error>());
        let address = address.to_string();
        if has_left || is_lost {
            return OpenError::NoAnswer { address };
        }
        tracing::debug!(%error, "no answer in HTTP");
        OpenError::NotHttp { address }
    };

    let key = handshake::key(keys::nonce());
    let request = request(address, options, &key)
        .map_err(|reason| failed(None, format!("the request cannot be made: {reason}")))?;
    let (mut sender, connection) = http1::Builder::new()
        .max_headers(limits::HTTP_HEADERS_MAX)
        .max_header_size(limits::HTTP_HEADER_BYTES_MAX)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    // Drives the connection, and is dropped with this function.
    let mut driver = JoinSet::new();
    driver.spawn(connection.with_upgrades());

    let answer = sender.send_request(request).await.map_err(broken)?;
    let status = answer.status().as_u16();
    let headers: Vec<_> =
        answer.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let offered: Vec<_> = options.protocols.iter().map(String::as_str).collect();
    let verified = handshake::verify(status, &headers, &key, &offered, options.deflate.as_ref());
    let opened = match verified {
        Ok(opened) => opened,
        Err(HandshakeError::Status(_)) => {
            let refusal = Box::new(Refusal::read(answer, deadline).await);
            return Err(OpenError::Refusal { address: address.to_string(), refusal });
        }
        Err(error) => return Err(failed(Some(status), error.to_string())),
    };
    if options.needs_protocol && opened.protocol.is_none() {
        let reason = format!("the server does not speak {}", options.protocols.join(" or "));
        return Err(failed(Some(status), reason));
    }
    let upgraded = hyper::upgrade::on(answer).await.map_err(broken)?;
    let Parts { io, read_buf, .. } = upgraded
        .downcast::<TokioIo<Wire>>()
        .expect("the socket comes back as it was handed to hyper");
    Ok((io.into_inner(), read_buf, opened.deflate))
}

fn request(
    address: &WsAddress,
    options: &ClientOptions,
    key: &str,
) -> Result<Request<Empty<Bytes>>, String> {
    let mut request = Request::get(address.path.as_deref().unwrap_or("/"))
        .header(header::HOST, host(address))
        .header(header::UPGRADE, "websocket")
        .header(header::CONNECTION, "Upgrade")
        .header(header::SEC_WEBSOCKET_KEY, key)
        .header(header::SEC_WEBSOCKET_VERSION, handshake::VERSION);
    if !options.protocols.is_empty() {
        request = request.header(header::SEC_WEBSOCKET_PROTOCOL, options.protocols.join(", "));
    }
    if let Some(offer) = &options.deflate {
        request = request.header(header::SEC_WEBSOCKET_EXTENSIONS, offer.to_string());
    }
    if let Some(origin) = &options.origin {
        request = request.header(header::ORIGIN, origin);
    }
    for (name, value) in &options.headers {
        let (field, value) =
            fields::check(name, value).map_err(|error| format!("{name}: {error}"))?;
        request = request.header(field, value);
    }
    request.body(Empty::new()).map_err(|error| error.to_string())
}

/// The endpoint as servers know it: without a default port, and without a scope, which means
/// nothing to anybody else (RFC 6874 §4).
pub(crate) fn host(address: &WsAddress) -> String {
    let WsEndpoint::Inet(HostPort { host, port }) = &address.endpoint else {
        return "localhost".to_owned();
    };
    let host = match host {
        Host::Any => "localhost".to_owned(),
        Host::V6 { address, .. } => format!("[{address}]"),
        host => host.to_string(),
    };
    match *port == address.default_port() {
        true => host,
        false => format!("{host}:{port}"),
    }
}
