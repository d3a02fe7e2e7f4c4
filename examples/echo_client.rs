//! The tutorial's echo client: `cargo run --example echo_client`.

use std::io::{Write as _, stdout};

use enchufe::{Address, Connection, Message, OpenOptions};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let address = std::env::args().nth(1).unwrap_or("tcp://127.0.0.1:65432".to_owned());
    let address = Address::parse_connect(&address)?;
    let mut connection = Connection::open(&address, &OpenOptions::default()).await?;
    connection.send(Message::text("Hello, world")).await?;
    connection.finish().await?;
    while let Some(message) = connection.recv().await? {
        stdout().write_all(&message.payload)?;
    }
    Ok(stdout().flush()?)
}
