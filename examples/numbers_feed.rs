//! The tutorial's number server: a digit at random intervals, printed and sent.
//! `cargo run --example numbers_feed`

use std::io::{Write as _, stdout};

use enchufe::service::{Event, Feed, Observer};
use enchufe::source::Random;
use enchufe::{Address, BindOptions, Listener, ServeOptions, Shutdown};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let address = std::env::args().nth(1).unwrap_or("ws://127.0.0.1:5678".to_owned());
    let address = Address::parse_serve(&address)?;
    let listener = Listener::bind(&address, &BindOptions::default()).await?;
    writeln!(stdout(), "{}", listener.local_addresses()[0])?;
    let printer = Observer::new(|event| {
        if let Event::Sent { message, .. } = event {
            let _ = writeln!(stdout(), "{}", message.to_text());
        }
    });
    let feed = Feed::new(Random::default, printer);
    enchufe::serve(vec![listener], feed, ServeOptions::default(), Shutdown::never()).await;
    Ok(())
}
