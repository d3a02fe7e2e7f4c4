//! The tutorial's getaddrinfo: `cargo run --example resolve`.

use std::io::{Write as _, stdout};

use enchufe::resolve::{Hints, Protocol, resolve};

fn main() -> anyhow::Result<()> {
    let host = std::env::args().nth(1).unwrap_or("www.google.com".to_owned());
    let hints = Hints { protocol: Some(Protocol::TCP), ..Hints::default() };
    let answers = resolve(Some(&host), Some("80"), hints)?;
    answers.iter().try_for_each(|answer| Ok(writeln!(stdout(), "{answer}")?))
}
