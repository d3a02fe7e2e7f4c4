//! The tutorial's clock server: the time at random intervals, for each client a clock of its own.
//! `cargo run --example clock_feed`

use std::io::{Write as _, stdout};

use enchufe::service::{Feed, Observer};
use enchufe::source::Clock;
use enchufe::{Address, BindOptions, Listener, ServeOptions, Shutdown};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let address = std::env::args().nth(1).unwrap_or("ws://127.0.0.1:5678".to_owned());
    let address = Address::parse_serve(&address)?;
    let listener = Listener::bind(&address, &BindOptions::default()).await?;
    writeln!(stdout(), "{}", listener.local_addresses()[0])?;
    let feed = Feed::new(Clock::default, Observer::default());
    enchufe::serve(vec![listener], feed, ServeOptions::default(), Shutdown::never()).await;
    Ok(())
}
