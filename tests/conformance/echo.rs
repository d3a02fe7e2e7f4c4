//! What the conformance run drives of the library: an echo client, and an echo server.
//!
//! ```sh
//! conformance_echo client ws://127.0.0.1:9001     # goes through every case of a fuzzing server
//! conformance_echo client --forgetful ws://…      # offering to forget its window
//! conformance_echo server ws://127.0.0.1:0        # says on standard error where it listens
//! ```

use std::io::{Write as _, stderr};

use anyhow::{Context as _, bail};
use enchufe::core::ws::deflate::{Direction, Offer, Policy, WindowBits};
use enchufe::{Address, BindOptions, Connection, Listener, OpenOptions};

/// The longest message of a case (9.1.6 and 9.2.6).
const MESSAGE_BYTES_MAX: usize = 16 << 20;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["client", url] => go_through(url, false).await,
        ["client", "--forgetful", url] => go_through(url, true).await,
        ["server", address] => serve(address).await,
        _ => bail!("usage: conformance_echo client [--forgetful] URL | server ADDRESS"),
    }
}

/// Asks a fuzzing server how many cases it has, goes through each, and says that it is done.
async fn go_through(url: &str, is_forgetful: bool) -> anyhow::Result<()> {
    let options = open_options(is_forgetful);
    let mut counting = open(&format!("{url}/getCaseCount"), &options).await?;
    let count = counting.recv().await?.context("the server says nothing of its cases")?;
    let count: usize = std::str::from_utf8(&count.payload)?.parse()?;
    for case in 1..=count {
        let url = format!("{url}/runCase?case={case}&agent=enchufe");
        echo(open(&url, &options).await?).await;
    }
    open(&format!("{url}/updateReports?agent=enchufe"), &options).await?;
    Ok(())
}

async fn open(url: &str, options: &OpenOptions) -> anyhow::Result<Connection> {
    Ok(Connection::open(&Address::parse_connect(url)?, options).await?)
}

async fn serve(address: &str) -> anyhow::Result<()> {
    let mut listener = Listener::bind(&Address::parse_serve(address)?, &bind_options()).await?;
    writeln!(stderr(), "{}", listener.local_addresses()[0])?;
    loop {
        tokio::spawn(echo(listener.accept().await));
    }
}

/// Sends back what comes until the peer closes, or breaks a rule, which many cases do.
async fn echo(mut connection: Connection) {
    while let Ok(Some(message)) = connection.recv().await {
        if connection.send(message).await.is_err() {
            return;
        }
    }
}

/// The default offer; the client that is forgetful adds that it can do without its window.
fn open_options(is_forgetful: bool) -> OpenOptions {
    let mut options = OpenOptions::default();
    options.ws.message_bytes_max = MESSAGE_BYTES_MAX;
    options.ws.deflate = Some(Offer { client_context_takeover: !is_forgetful, ..Offer::default() });
    options
}

/// The server keeps its window, which `enchufe serve` does not do.
fn bind_options() -> BindOptions {
    let keeping = Direction { context_takeover: true, window_bits: WindowBits::MAX };
    let mut options = BindOptions::default();
    options.ws.message_bytes_max = MESSAGE_BYTES_MAX;
    options.ws.deflate = Some(Policy { server: keeping, client: keeping });
    options
}
