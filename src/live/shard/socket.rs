//! A row of the table: one viewer's connection.

use std::time::Instant;

use enchufe_core::{fanout::ReaderId, ws};
use mio::net::TcpStream;

use crate::live::node::Place;

pub(super) struct Socket {
    pub(super) stream: TcpStream,
    pub(super) decoder: ws::Decoder,
    pub(super) reader: ReaderId,
    /// When the peer last showed life: sent something, or took what had been stuck.
    pub(super) alive: Instant,
    /// The last write was not taken whole.
    pub(super) stuck: bool,
    pub(super) phase: Phase,
    pub(super) _place: Place,
}

/// How far a connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Messages go both ways.
    Open,
    /// The close has gone out and the write side is shut: what still comes is read and ignored,
    /// so that the peer gets the close instead of a reset.
    Draining,
}
