//! Turns anything that speaks — a program, a socket, a POST, a clock — into a live feed that any
//! browser or shell can join late, leave and rejoin, and that never loses data silently; and a
//! socket toolbox around it.
//!
//! # Where to begin
//!
//! An [`Address`] is parsed once. Served, it is a [`Listener`]; opened, a [`Connection`]; both
//! carry [`Message`]s over TCP, UDP, Unix-domain sockets, WebSocket and standard input and output
//! alike. A [`Service`] is what a server does with one connection, and [`serve()`] does it with
//! all of them:
//!
//! ```no_run
//! use enchufe::{Address, BindOptions, Listener, ServeOptions, Shutdown, service::Echo};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let address = Address::parse_serve("tcp://127.0.0.1:65432")?;
//! let listener = Listener::bind(&address, &BindOptions::default()).await?;
//! enchufe::serve(vec![listener], Echo, ServeOptions::default(), Shutdown::never()).await;
//! # Ok(())
//! # }
//! ```
//!
//! A live feed is a [`Source`] whose messages go to a channel of a [`Broker`](live::broker::Broker),
//! which a [`Node`](live::Node) delivers and [`http::serve`] puts on the web; `examples/live_page.rs`
//! is all there is to it.
//!
//! A [`client::Follower`] reads channels of a server elsewhere and resumes by itself, a
//! [`client::Publisher`] publishes to one, once each.
//!
//! # Map
//!
//! Each module may use those before it: [`core`] ← [`address`] ← [`transport`], [`recording`] ← [`source`] ←
//! [`service`], [`live`] ← [`mod@serve`], [`mod@relay`], [`http`], [`client`] ← [`server`], [`config`] ← [`cli`].
//! A test fails when an arrow turns.
//! [`limits`] has every bound, [`guard`] decides which requests are answered, [`shutdown`] is how
//! everything ends.

pub use enchufe_core as core;

pub mod address;
pub mod cli;
pub mod client;
pub mod config;
pub mod crowd;
pub mod guard;
pub mod http;
pub mod limits;
pub mod live;
pub mod load;
pub mod page;
pub mod recording;
pub mod relay;
pub mod resolve;
pub mod serve;
pub mod server;
pub mod service;
mod shard;
pub mod shutdown;
pub mod source;
pub mod transport;

pub use address::Address;
pub use enchufe_core::Message;
pub use relay::{RelayOptions, relay};
pub use serve::{ServeOptions, serve};
pub use service::Service;
pub use shutdown::Shutdown;
pub use source::Source;
pub use transport::{BindOptions, Connection, Listener, OpenOptions};
