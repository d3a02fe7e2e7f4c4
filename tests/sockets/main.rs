//! Both ends of every transport, over real sockets.

mod child;
mod common;
#[path = "../common/exchange.rs"]
mod exchange;
mod eyeballs;
mod lines;
mod machine;
mod options;
mod resolve;
mod stdio;
mod tcp;
mod tcp_errors;
mod udp;
mod udp_bounds;
#[cfg(unix)]
mod unix;
#[cfg(unix)]
mod unix_errors;
#[cfg(unix)]
mod unixgram;
