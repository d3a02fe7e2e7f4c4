//! TLS under the other transports: `wss://` and `https://`.
//!
//! rustls speaks it, with *ring* for its cryptography, which is named wherever a configuration is
//! made: a library must not choose for the whole process.

mod session;

pub(crate) use session::Session;
