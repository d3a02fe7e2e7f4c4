//! Serving WebSocket: TCP connections in, those whose handshake succeeded out.

use std::sync::Arc;

use enchufe_core::ws::{Role, deflate};

use super::{
    Incoming, Keepalive, Outgoing, PageHandler, Terms,
    handshake::{self, Opened, Rules},
};
use crate::{
    address::{Address, HostPort, WsAddress},
    guard::{AllowedOrigin, OriginPolicy},
    limits,
    transport::{
        BindError, BindOptions, BindWarning, Peer,
        carrier::{self, Carrier},
        handshakes::Handshakes,
        tls::{Inside, ServerTls},
        wire::Wire,
    },
};

/// What concerns serving WebSocket alone.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ServerOptions {
    /// The longest message a client may send, in bytes. A longer one ends its connection with
    /// close code 1009.
    pub message_bytes_max: usize,
    /// The subprotocols that are spoken here; the first one that a client offers is agreed on.
    pub protocols: Vec<String>,
    /// How messages may be compressed with clients that offer it; `None` declines. The default
    /// keeps nothing for a connection that is idle.
    pub deflate: Option<deflate::Policy>,
    /// What pages of other origins may do.
    pub origin_policy: OriginPolicy,
    /// Origins that may do everything.
    pub allowed_origins: Vec<AllowedOrigin>,
    /// Names that a loopback listener answers to besides `localhost` and loopback addresses.
    pub host_names: Vec<String>,
    /// When clients are pinged and given up; `None` leaves that to the system.
    pub keepalive: Option<Keepalive>,
    /// Keeps what each client asked for, for [`Connection::take_request`].
    ///
    /// [`Connection::take_request`]: crate::transport::Connection::take_request
    pub keep_requests: bool,
    /// Answers GET and HEAD requests that do not ask for a WebSocket. Without it they are told
    /// what this is (426).
    pub page: Option<PageHandler>,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            message_bytes_max: limits::MESSAGE_BYTES_MAX,
            protocols: Vec::new(),
            deflate: Some(deflate::Policy::default()),
            origin_policy: OriginPolicy::default(),
            allowed_origins: Vec::new(),
            host_names: Vec::new(),
            keepalive: Some(Keepalive::default()),
            keep_requests: false,
            page: None,
        }
    }
}

type Client = (Incoming, Outgoing, Peer);

/// A served `ws://` or `wss://` address, or one of a Unix-domain socket.
#[derive(Debug)]
pub(crate) struct Listener {
    listener: carrier::Listener,
    path: Option<String>,
    /// With TLS, or without.
    tls: Option<ServerTls>,
    rules: Arc<Rules>,
    handshakes: Handshakes<Client>,
}

impl Listener {
    /// Listens on every address of the host, or on the one socket.
    pub(crate) async fn bind(
        address: &WsAddress,
        options: &BindOptions,
    ) -> Result<(Self, Vec<BindWarning>), BindError> {
        let tls = match (address.is_secure, &options.tls) {
            (false, _) => None,
            (true, Some(tls)) => Some(tls.clone()),
            (true, None) => return Err(BindError::NoCertificate { address: address.to_string() }),
        };
        let (listener, warnings) = carrier::Listener::bind(&address.endpoint, options).await?;
        // A name can be made to point to loopback, and to no Unix-domain socket.
        let local = listener.local_endpoints();
        let is_loopback = local.iter().all(|endpoint| {
            endpoint.host_port().is_some_and(|HostPort { host, .. }| host.is_loopback())
        });
        let options = options.ws.clone();
        let path = address.path.clone();
        let rules =
            Arc::new(Rules { path: path.clone(), is_loopback, is_secure: tls.is_some(), options });
        Ok((Self { listener, path, tls, rules, handshakes: Handshakes::default() }, warnings))
    }

    /// Where it listens, one address for each socket.
    pub(crate) fn local_addresses(&self) -> Vec<Address> {
        let address = |endpoint| {
            let is_secure = self.tls.is_some();
            Address::Ws(WsAddress { endpoint, path: self.path.clone(), is_secure })
        };
        self.listener.local_endpoints().into_iter().map(address).collect()
    }

    /// The next client whose handshake succeeded. One that takes its time keeps no other waiting.
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe: handshakes are kept for the next call. Dropping the listener drops them.
    pub(crate) async fn accept(&mut self) -> Client {
        let Self { listener, tls, rules, handshakes, .. } = self;
        let admit = |carrier, peer| admit(carrier, peer, tls.clone(), Arc::clone(rules));
        handshakes.accept(listener, admit).await
    }

    /// Stops listening, and yields those whose handshake succeeds within a moment.
    pub(crate) async fn late(self) -> Vec<Client> {
        drop(self.listener);
        self.handshakes.late().await
    }
}

/// Answers one connection until it is a WebSocket, or ends.
async fn admit(
    carrier: Carrier,
    peer: Peer,
    tls: Option<ServerTls>,
    rules: Arc<Rules>,
) -> Option<Client> {
    let stream = match tls {
        None => Wire::from(carrier),
        Some(tls) => {
            let shaken = tls.accept(carrier, Inside::Http).await;
            shaken.inspect_err(|error| tracing::debug!(%peer, %error, "no TLS")).ok()?
        }
    };
    let exchange = handshake::answer(stream, &peer, &rules);
    let Opened { stream, received, deflate, request } =
        tokio::time::timeout(limits::EXCHANGE_TIMEOUT, exchange).await.ok().flatten()?;
    let terms = Terms {
        role: Role::Server,
        message_bytes_max: rules.options.message_bytes_max,
        deflate,
        keepalive: rules.options.keepalive,
    };
    let (mut incoming, outgoing) = super::start(stream, peer.clone(), &received, &terms);
    incoming.request = request;
    Some((incoming, outgoing, peer))
}
