//! What the echo servers of this comparison share: their command line, the opening handshake where
//! a crate leaves it to the caller, and the accept loop of those that run on tokio.
//!
//! Only what is not measured is here, and how replies are gathered. What a server does for a
//! message is in its own file, the way the crate's documentation shows it.

pub mod echo;
pub mod handshake;
pub mod tokio_server;

/// The port, which is every server's first argument.
pub fn port() -> u16 {
    let argument = std::env::args().nth(1);
    argument.and_then(|text| text.parse().ok()).unwrap_or_else(|| {
        eprintln!("usage: SERVER PORT [each]");
        std::process::exit(2)
    })
}

/// When replies leave.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sending {
    /// Each by itself, as most examples show it.
    Each,
    /// Together, as soon as no further message is ready.
    WhenIdle,
}

impl Sending {
    /// `each` as the second argument; together without it.
    pub fn from_arguments() -> Self {
        if std::env::args().nth(2).as_deref() == Some("each") { Self::Each } else { Self::WhenIdle }
    }
}
