//! The words that all who serve or open sockets share.

use std::{net::SocketAddr, time::Duration};

use clap::Args;

use crate::{
    cli::values,
    resolve::Family,
    transport::{BindOptions, OpenOptions, SocketOptions, TcpKeepalive},
};

/// What is asked of sockets, whoever opens them.
#[derive(Debug, Clone, Args)]
pub(crate) struct Sockets {
    /// Use IPv4 only
    #[arg(short = '4', long, conflicts_with = "ipv6")]
    pub(crate) ipv4: bool,

    /// Use IPv6 only
    #[arg(short = '6', long)]
    pub(crate) ipv6: bool,

    /// tcp, tls, udp, ws, wss: use this network interface only (Linux)
    #[arg(long, value_name = "NAME")]
    pub(crate) interface: Option<String>,

    /// tcp: find out within this long that a silent peer has gone [default: never ask]
    #[arg(long, value_name = "TIME", value_parser = values::keepalive)]
    pub(crate) keepalive: Option<TcpKeepalive>,

    /// tcp: send small writes at once; this is the default
    #[arg(long, conflicts_with = "delay")]
    pub(crate) no_delay: bool,

    /// tcp: hold small writes back while others are on their way (Nagle)
    #[arg(long)]
    pub(crate) delay: bool,

    /// Let the system keep this much that was sent and has not arrived
    #[arg(long, value_name = "SIZE", value_parser = values::bytes)]
    pub(crate) send_buffer: Option<usize>,

    /// Let the system keep this much that has arrived and was not read
    #[arg(long, value_name = "SIZE", value_parser = values::bytes)]
    pub(crate) receive_buffer: Option<usize>,
}

/// What is asked of sockets that listen.
#[derive(Debug, Clone, Args)]
pub(crate) struct Listening {
    /// Connections that may wait to be accepted
    #[arg(long, value_name = "COUNT", value_parser = values::count)]
    pub(crate) backlog: Option<u32>,

    /// tcp, tls, udp, ws, wss: share the port with others who ask for that too
    #[arg(long)]
    pub(crate) reuse_port: bool,
}

/// What is asked of sockets that connect.
#[derive(Debug, Clone, Args)]
pub(crate) struct Opening {
    /// Give up connecting after this long
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = values::time)]
    pub(crate) timeout: Duration,

    /// tcp, tls, udp, ws, wss: connect from this address of this machine, and perhaps port
    #[arg(long, value_name = "IP[:PORT]", value_parser = values::local_address)]
    pub(crate) bind: Option<SocketAddr>,
}

impl Sockets {
    /// The options to listen with.
    pub(crate) fn to_bind(&self, listening: &Listening) -> BindOptions {
        let (reuse_port, sockets) = (listening.reuse_port, self.options());
        let mut options = BindOptions { reuse_port, sockets, ..BindOptions::default() };
        if let Some(backlog) = listening.backlog {
            options.backlog = backlog;
        }
        options
    }

    /// The options to connect with.
    pub(crate) fn to_open(&self, opening: &Opening) -> OpenOptions {
        let Opening { timeout, bind: local } = *opening;
        OpenOptions { timeout, local, sockets: self.options(), ..OpenOptions::default() }
    }

    /// The one family that is asked for, if there is one.
    pub(crate) fn family(&self) -> Option<Family> {
        let ipv6 = self.ipv6.then_some(Family::V6);
        self.ipv4.then_some(Family::V4).or(ipv6)
    }

    fn options(&self) -> SocketOptions {
        SocketOptions {
            family: self.family(),
            interface: self.interface.clone(),
            keepalive: self.keepalive,
            delay: self.delay,
            send_buffer_bytes: self.send_buffer,
            receive_buffer_bytes: self.receive_buffer,
        }
    }
}
