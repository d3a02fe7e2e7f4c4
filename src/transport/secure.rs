//! Streams over TLS, and what WebSocket over TLS begins with.

use tokio::time::{Instant, timeout_at};

use super::carrier::{self, Carrier};
use super::handshakes::Handshakes;
use super::tls::{self, Inside, ServerTls};
use super::wire::Wire;
use super::{BindError, BindOptions, BindWarning, OpenError, OpenOptions, Peer};
use crate::address::{Address, HostPort, WsEndpoint};

/// Connects, and shakes hands for what is to be spoken `inside`, if it is to be TLS, all before the
/// deadline.
///
/// # Cancel safety
///
/// Dropping the future gives the attempt up.
pub(crate) async fn reach(
    endpoint: &WsEndpoint,
    inside: Option<Inside>,
    options: &OpenOptions,
    deadline: Instant,
) -> Result<(Wire, Peer), OpenError> {
    let address = || match endpoint {
        WsEndpoint::Inet(endpoint) => endpoint.to_string(),
        WsEndpoint::Unix(path) => path.to_string(),
    };
    let distrusted = |error| OpenError::Tls { address: address(), error };
    let session = match inside {
        None => None,
        // A file that cannot be used is found out before anybody is connected to.
        Some(inside) => {
            Some(options.tls.prepare(&endpoint.host(), inside).await.map_err(distrusted)?)
        }
    };
    let (carrier, peer) = Carrier::open(endpoint, options).await?;
    let Some(session) = session else { return Ok((Wire::from(carrier), peer)) };
    let wire = timeout_at(deadline, tls::connect(carrier, session)).await;
    let wire = wire
        .map_err(|_elapsed| OpenError::TimedOut { address: address(), timeout: options.timeout })?;
    Ok((wire.map_err(distrusted)?, peer))
}

/// Opens a stream.
pub(super) async fn open(
    endpoint: &HostPort,
    options: &OpenOptions,
) -> Result<(Wire, Peer), OpenError> {
    let deadline = Instant::now() + options.timeout;
    let endpoint = WsEndpoint::Inet(endpoint.clone());
    reach(&endpoint, Some(Inside::Stream), options, deadline).await
}

/// A served `tls://` address.
#[derive(Debug)]
pub(super) struct Listener {
    listener: carrier::Listener,
    tls: ServerTls,
    handshakes: Handshakes<(Wire, Peer)>,
}

impl Listener {
    /// Listens on every address of the host.
    pub(super) async fn bind(
        endpoint: &HostPort,
        options: &BindOptions,
    ) -> Result<(Self, Vec<BindWarning>), BindError> {
        let Some(tls) = options.tls.clone() else {
            return Err(BindError::NoCertificate { address: endpoint.to_string() });
        };
        let endpoint = WsEndpoint::Inet(endpoint.clone());
        let (listener, warnings) = carrier::Listener::bind(&endpoint, options).await?;
        Ok((Self { listener, tls, handshakes: Handshakes::default() }, warnings))
    }

    /// Where it listens, one address for each socket.
    pub(super) fn local_addresses(&self) -> Vec<Address> {
        let local = self.listener.local_endpoints().into_iter();
        local.filter_map(|endpoint| endpoint.host_port().cloned()).map(Address::Tls).collect()
    }

    /// The next client whose handshake succeeded. One that takes its time keeps no other waiting.
    ///
    /// # Cancel safety
    ///
    /// Safe: handshakes are kept for the next call. Dropping the listener drops them.
    pub(super) async fn accept(&mut self) -> (Wire, Peer) {
        let Self { listener, tls, handshakes } = self;
        handshakes.accept(listener, |carrier, peer| admit(carrier, peer, tls.clone())).await
    }

    /// Stops listening, and yields those whose handshake succeeds within a moment.
    pub(super) async fn late(self) -> Vec<(Wire, Peer)> {
        drop(self.listener);
        self.handshakes.late().await
    }
}

async fn admit(carrier: Carrier, peer: Peer, tls: ServerTls) -> Option<(Wire, Peer)> {
    let shaken = tls.accept(carrier, Inside::Stream).await;
    let wire = shaken.inspect_err(|error| tracing::debug!(%peer, %error, "no TLS")).ok()?;
    Some((wire, peer))
}
