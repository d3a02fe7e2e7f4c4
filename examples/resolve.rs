//! The tutorial's getaddrinfo: `cargo run --example resolve`.
use std::io::{Write as _, stdout};

use enchufe::resolve::{Hints, List, Protocol, resolve};

fn main() -> anyhow::Result<()> {
    let host = std::env::args().nth(1).unwrap_or("www.google.com".to_owned());
    let hints = Hints { protocol: Some(Protocol::TCP), ..Hints::default() };
    Ok(writeln!(stdout(), "{}", List(&resolve(Some(&host), Some("80"), hints)?))?)
}
