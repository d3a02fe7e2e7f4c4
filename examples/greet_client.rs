//! The tutorial's greet client: `cargo run --example greet_client`.

use std::io::{Write as _, stdin, stdout};

use enchufe::core::ws::{CloseCode, CloseReason};
use enchufe::{Address, Connection, Message, OpenOptions};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let address = std::env::args().nth(1).unwrap_or("ws://localhost:8765".to_owned());
    let address = Address::parse_connect(&address)?;
    let mut connection = Connection::open(&address, &OpenOptions::default()).await?;
    write!(stdout(), "Cual es tu nombre? ")?;
    stdout().flush()?;
    let mut name = String::new();
    stdin().read_line(&mut name)?;
    connection.send(Message::text(name.trim_end())).await?;
    writeln!(stdout(), "> {}", name.trim_end())?;
    if let Some(greeting) = connection.recv().await? {
        writeln!(stdout(), "< {}", greeting.to_text())?;
    }
    Ok(connection.close(CloseReason::new(CloseCode::NORMAL, "")).await?)
}
