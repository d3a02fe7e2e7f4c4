//! The client of channels against real servers, through a proxy that cuts connections wherever a
//! byte can be, and against servers that are wrong.

#[path = "../common/mod.rs"]
mod common;

mod cuts;
mod follow;
mod proxy;
mod publish;

use std::{net::SocketAddr, time::Duration};

use enchufe::{
    address::ServerAddress,
    client::{FollowOptions, Pauses, PublishOptions},
};

/// Pauses that a test does not wait for.
const SHORT: Pauses = Pauses { first: Duration::from_millis(1), longest: Duration::from_millis(1) };

fn at(address: SocketAddr) -> ServerAddress {
    ServerAddress::parse(&format!("http://{address}")).expect("a server")
}

fn following() -> FollowOptions {
    let mut options = FollowOptions::default();
    options.pauses = SHORT;
    options
}

fn publishing() -> PublishOptions {
    let mut options = PublishOptions::default();
    options.pauses = SHORT;
    options
}
