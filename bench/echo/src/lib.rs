//! What the echo servers of this comparison share: the port they are given and the opening
//! handshake.
//!
//! Only what is not measured is here. What a server does for a message is in its own file, the way
//! the crate's documentation shows it.

pub mod handshake;
pub mod tokio_server;

/// The port from the command line, which is every server's only argument.
pub fn port() -> u16 {
    let argument = std::env::args().nth(1);
    argument.and_then(|text| text.parse().ok()).unwrap_or_else(|| {
        eprintln!("usage: SERVER PORT");
        std::process::exit(2)
    })
}
