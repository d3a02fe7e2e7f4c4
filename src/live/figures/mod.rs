//! How a node stands, channel by channel, for those who look at it from outside.
//!
//! Nothing is counted twice and nothing is shared while messages are delivered: each shard counts in
//! its own fan-out, each reader over plain HTTP for itself, and whoever asks adds it up.

mod following;
mod ledger;
mod meter;

use std::collections::BTreeMap;

use enchufe_core::{ChannelName, fanout::ChannelCounts};
use tokio::sync::oneshot;

pub use following::{Following, StreamForm};
pub(super) use ledger::{Asked, Ledger, ShardFigures, keep};
pub(super) use meter::Meter;
pub use meter::{LATENCY_BOUNDS, Latency};

/// How a node stands.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Figures {
    /// Connections by kind.
    pub connections: Connections,
    /// WebSocket viewers, those included that are about to come in.
    pub viewers: usize,
    /// How many of them there may be.
    pub viewers_max: usize,
    /// Viewers dropped because they showed no life or did not take the end of the connection.
    pub dropped: u64,
    /// Each shard's readers.
    pub shards: Vec<ShardLag>,
    /// Shards that have not answered in time. What they said last counts for them.
    pub silent_shards: usize,
    /// How many channels there are.
    pub channel_count: usize,
    /// Channels with figures of their own, in the order of their names.
    pub channels: Vec<(ChannelName, ChannelStanding)>,
    /// All other channels together, those that are gone included.
    pub others: ChannelStanding,
    /// How many channels that are there have no figures of their own.
    pub others_count: usize,
    /// How long publishing took.
    pub publish_latency: Latency,
    /// Requests and commands that were refused, by the code of the error.
    pub refused: BTreeMap<&'static str, u64>,
}

/// Connections by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Connections {
    /// HTTP, streams included.
    pub http: usize,
    /// Server-Sent Events.
    pub events: usize,
    /// NDJSON.
    pub ndjson: usize,
    /// WebSocket, payloads and nothing else.
    pub raw: usize,
    /// WebSocket with `enchufe.v1`.
    pub v1: usize,
}

/// How far the readers of one shard are behind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ShardLag {
    /// Cursors.
    pub readers: usize,
    /// Cursors that have not had everything.
    pub lagging: usize,
    /// How many messages the one furthest behind is behind.
    pub lag_max: u64,
}

/// How a channel stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChannelStanding {
    /// Readers over WebSocket.
    pub websocket: usize,
    /// Readers over plain HTTP.
    pub http: usize,
    /// Readers that have not had everything.
    pub lagging: usize,
    /// How many messages the reader furthest behind is behind.
    pub lag_max: u64,
    /// What readers were given, and what they were told they miss.
    pub counts: ChannelCounts,
    /// Messages published since the server began.
    pub published: u64,
    /// Bytes of those.
    pub published_bytes: u64,
    /// Messages the log holds.
    pub log_messages: u64,
    /// Memory the log takes for them, in bytes, bookkeeping included.
    pub log_bytes: u64,
}

impl ChannelStanding {
    fn add(&mut self, other: &Self) {
        self.websocket += other.websocket;
        self.http += other.http;
        self.lagging += other.lagging;
        self.lag_max = self.lag_max.max(other.lag_max);
        self.counts.add(&other.counts);
        self.published += other.published;
        self.published_bytes += other.published_bytes;
        self.log_messages += other.log_messages;
        self.log_bytes += other.log_bytes;
    }
}

/// A question to a shard: how its readers stand, or only whether it is there.
pub(super) enum Inquiry {
    /// How the readers stand.
    Figures(oneshot::Sender<ShardFigures>),
    /// Whether the shard takes its letters.
    Sign(oneshot::Sender<()>),
}
