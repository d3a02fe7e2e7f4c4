//! The tutorial's echo server, for any number of clients: `cargo run --example echo_server`.

use std::io::{Write as _, stdout};

use enchufe::{Address, BindOptions, Listener};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let address = std::env::args().nth(1).unwrap_or("tcp://127.0.0.1:65432".to_owned());
    let address = Address::parse_serve(&address)?;
    let mut listener = Listener::bind(&address, &BindOptions::default()).await?;
    writeln!(stdout(), "{}", listener.local_addresses()[0])?;
    loop {
        let mut connection = listener.accept().await;
        writeln!(stdout(), "Conectado IP: {}", connection.peer())?;
        tokio::spawn(async move {
            while let Some(message) = connection.recv().await? {
                connection.send(message).await?;
            }
            anyhow::Ok(())
        });
    }
}
