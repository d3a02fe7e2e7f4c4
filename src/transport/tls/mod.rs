//! TLS under the other transports: `tls://`, `wss://` and `https://`.
//!
//! rustls speaks it, with *ring* for its cryptography, which is named wherever a configuration is
//! made: a library must not choose for the whole process.

mod client;
pub mod development;
mod handshake;
mod pem;
mod server;
mod session;

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::UnixTime;

pub use client::{ClientTls, Distrust};
pub(super) use handshake::connect;
pub use pem::{PemContent, PemError};
pub use server::{ServerTls, TlsWarning};
pub(crate) use session::Session;

/// What is spoken over TLS, which the handshake may say (RFC 7301).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inside {
    /// HTTP/1.1, which WebSocket begins as.
    Http,
    /// Anything: nothing is said of it, and whatever the peer says is all right.
    Stream,
}

impl Inside {
    fn alpn(self) -> Vec<Vec<u8>> {
        match self {
            Self::Http => vec![b"http/1.1".to_vec()],
            Self::Stream => Vec::new(),
        }
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// In ISO 8601.
fn timestamp(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    match jiff::Timestamp::from_second(seconds) {
        Ok(time) => time.to_string(),
        // Farther away than calendars reach.
        Err(_) => format!("{seconds} s after 1970"),
    }
}
