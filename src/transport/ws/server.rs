//! Serving WebSocket: TCP connections in, those whose handshake succeeded out.

use std::sync::Arc;

use enchufe_core::ws::{Role, deflate};
use tokio::{net::TcpStream, task::JoinSet};

use super::{
    Incoming, Keepalive, Outgoing, PageHandler, Terms,
    handshake::{self, Opened, Rules},
};
use crate::{
    address::{Address, HostPort, WsAddress},
    guard::{AllowedOrigin, OriginPolicy},
    limits,
    transport::{
        BindError, BindOptions, BindWarning, Peer, tcp, throttle::Throttle, tls::ServerTls,
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
            page: None,
        }
    }
}

type Client = (Incoming, Outgoing, Peer);

/// A served `ws://` or `wss://` address.
#[derive(Debug)]
pub(crate) struct Listener {
    tcp: tcp::Listener,
    path: Option<String>,
    /// With TLS, or without.
    tls: Option<ServerTls>,
    rules: Arc<Rules>,
    /// Those that have not asked for anything yet, are being answered, or were and wait to be
    /// accepted.
    handshakes: JoinSet<Option<Client>>,
    throttle: Throttle,
}

impl Listener {
    /// Listens on every address of the host.
    pub(crate) async fn bind(
        address: &WsAddress,
        options: &BindOptions,
    ) -> Result<(Self, Vec<BindWarning>), BindError> {
        let tls = match (address.is_secure, &options.tls) {
            (false, _) => None,
            (true, Some(tls)) => Some(tls.clone()),
            (true, None) => return Err(BindError::NoCertificate { address: address.to_string() }),
        };
        let (tcp, warnings) = tcp::Listener::bind(&address.endpoint, options.backlog).await?;
        let is_loopback = tcp.local_addresses().all(|HostPort { host, .. }| host.is_loopback());
        let options = options.ws.clone();
        let path = address.path.clone();
        let rules =
            Arc::new(Rules { path: path.clone(), is_loopback, is_secure: tls.is_some(), options });
        let (handshakes, throttle) = (JoinSet::new(), Throttle::default());
        Ok((Self { tcp, path, tls, rules, handshakes, throttle }, warnings))
    }

    /// Where it listens, one address for each socket.
    pub(crate) fn local_addresses(&self) -> Vec<Address> {
        let address = |endpoint| {
            let is_secure = self.tls.is_some();
            Address::Ws(WsAddress { endpoint, path: self.path.clone(), is_secure })
        };
        self.tcp.local_addresses().map(address).collect()
    }

    /// The next client whose handshake succeeded.
    ///
    /// Handshakes go on beside each other and beside this: one client that takes its time keeps no
    /// other waiting. When [`limits::HANDSHAKES_MAX`] of them go on, further connections wait in
    /// the kernel.
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe: handshakes are kept for the next call. Dropping the listener drops them.
    pub(crate) async fn accept(&mut self) -> Client {
        loop {
            tokio::select! {
                // An outcome of `None` was a client that asked for something else, or badly.
                Some(outcome) = self.handshakes.join_next() => {
                    if let Ok(Some(client)) = outcome {
                        return client;
                    }
                }
                (stream, from) = self.tcp.accept(),
                    if self.handshakes.len() < limits::HANDSHAKES_MAX =>
                {
                    let (tls, rules) = (self.tls.clone(), Arc::clone(&self.rules));
                    self.handshakes.spawn(admit(stream, from.into(), tls, rules));
                    self.warn_when_full();
                }
            }
        }
    }
}

impl Listener {
    /// Stops listening, and yields those whose handshake succeeds within a moment.
    pub(crate) async fn late(self) -> Vec<Client> {
        let Self { tcp, mut handshakes, .. } = self;
        drop(tcp);
        let mut late = Vec::new();
        let finish = async {
            while let Some(outcome) = handshakes.join_next().await {
                late.extend(outcome.ok().flatten());
            }
        };
        // Whoever has not even asked by then is simply disconnected.
        let _ = tokio::time::timeout(limits::LATE_HANDSHAKES_TIMEOUT, finish).await;
        late
    }

    fn warn_when_full(&mut self) {
        if self.handshakes.len() == limits::HANDSHAKES_MAX
            && let Some(withheld) = self.throttle.warn()
        {
            let handshakes_max = limits::HANDSHAKES_MAX;
            tracing::warn!(handshakes_max, withheld, "too many handshakes: others have to wait");
        }
    }
}

/// Answers one connection until it is a WebSocket, or ends.
async fn admit(
    stream: TcpStream,
    peer: Peer,
    tls: Option<ServerTls>,
    rules: Arc<Rules>,
) -> Option<Client> {
    let stream = match tls {
        None => Wire::from(stream),
        Some(tls) => {
            let shaken = tls.accept(stream).await;
            shaken.inspect_err(|error| tracing::debug!(%peer, %error, "no TLS")).ok()?
        }
    };
    let exchange = handshake::answer(stream, &peer, &rules);
    let Opened { stream, received, deflate } =
        tokio::time::timeout(limits::EXCHANGE_TIMEOUT, exchange).await.ok().flatten()?;
    let terms = Terms {
        role: Role::Server,
        message_bytes_max: rules.options.message_bytes_max,
        deflate,
        keepalive: rules.options.keepalive,
    };
    let (incoming, outgoing) = super::start(stream, peer.clone(), &received, &terms);
    Some((incoming, outgoing, peer))
}
