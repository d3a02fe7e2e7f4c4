//! TLS under the other transports: `wss://` and `https://`.
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

/// The only protocol that is spoken over TLS here, as it is called during the handshake (RFC 7301).
const ALPN: &[u8] = b"http/1.1";

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
