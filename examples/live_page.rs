//! The tutorial's application: a web page, and a server that pushes to all who have it open.
//! `cargo run --example live_page`, then http://127.0.0.1:5678 in as many browsers as you like.

use std::io::{Write as _, stdout};

use enchufe::address::HttpAddress;
use enchufe::live::broker::{Broker, ChannelOptions};
use enchufe::live::{Node, NodeOptions, feed};
use enchufe::{Shutdown, http, source::Clock};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let address = std::env::args().nth(1).unwrap_or("http://127.0.0.1:5678".to_owned());
    let (channel, broker) = ("time".parse()?, Broker::memory());
    broker.declare(&channel, ChannelOptions::default());
    let listener =
        http::Listener::bind(&HttpAddress::parse_listen(&address)?.endpoint, 100).await?;
    writeln!(stdout(), "http://{}", listener.local_addresses().next().expect("a socket"))?;
    let node = Node::start(broker.clone(), &NodeOptions::default())?;
    let options = http::Options { default_channel: Some(channel.clone()), ..Default::default() };
    tokio::spawn(http::serve(listener, node, options, Shutdown::never()));
    Ok(feed(&broker, &channel, &mut Clock::default(), &Shutdown::never()).await?)
}
