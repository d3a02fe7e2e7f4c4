//! The tutorial's greet server: `cargo run --example greet_server`.

use std::io::{Write as _, stdout};

use enchufe::{Address, BindOptions, Connection, Listener, Message};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let address = std::env::args().nth(1).unwrap_or("ws://localhost:8765".to_owned());
    let address = Address::parse_serve(&address)?;
    let mut listener = Listener::bind(&address, &BindOptions::default()).await?;
    writeln!(stdout(), "{}", listener.local_addresses()[0])?;
    loop {
        tokio::spawn(greet(listener.accept().await));
    }
}

async fn greet(mut connection: Connection) -> anyhow::Result<()> {
    while let Some(name) = connection.recv().await? {
        let greeting = format!("Hola {}!", name.to_text());
        writeln!(stdout(), "< {}", name.to_text().escape_debug())?;
        connection.send(Message::text(&greeting)).await?;
        writeln!(stdout(), "> {}", greeting.escape_debug())?;
    }
    Ok(())
}
