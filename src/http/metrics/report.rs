//! The metrics as JSON: the same numbers, with their types and without the parsing.

use std::collections::BTreeMap;

use enchufe_core::GapReason;
use serde::Serialize;

use super::Standing;
use crate::{
    http::process::Process,
    live::{ChannelStanding, LATENCY_BOUNDS},
};

/// The whole.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    version: &'static str,
    connections: Connections,
    viewers: usize,
    viewers_max: usize,
    dropped: u64,
    shards: Vec<Shard>,
    silent_shards: usize,
    channel_count: usize,
    channels: Vec<Channel<'a>>,
    /// The channels without figures of their own, summed up.
    others: Channel<'a>,
    others_count: usize,
    publish: Publish,
    refused: &'a BTreeMap<&'static str, u64>,
    process: Option<Process>,
}

#[derive(Serialize)]
struct Connections {
    http: usize,
    sse: usize,
    ndjson: usize,
    websocket_raw: usize,
    websocket_v1: usize,
}

#[derive(Serialize)]
struct Shard {
    readers: usize,
    lagging: usize,
    lag_messages: u64,
}

/// `name` is null for the others.
#[derive(Serialize)]
struct Channel<'a> {
    name: Option<&'a str>,
    websocket: usize,
    http: usize,
    lagging: usize,
    lag_messages: u64,
    log_messages: u64,
    log_bytes: u64,
    published: u64,
    published_bytes: u64,
    deliveries: u64,
    delivered_bytes: u64,
    gaps: BTreeMap<&'static str, u64>,
    skipped: u64,
    conflated: u64,
    cut: u64,
}

/// How long publishing took: how many times up to each bound, and beyond the last.
#[derive(Serialize)]
struct Publish {
    bounds_us: [u64; LATENCY_BOUNDS.len()],
    counts: [u64; LATENCY_BOUNDS.len() + 1],
    sum_us: u64,
}

impl<'a> Report<'a> {
    pub(super) fn new(standing: &'a Standing) -> Self {
        let Standing { figures, process } = standing;
        let connections = figures.connections;
        let shards = figures.shards.iter();
        Self {
            version: env!("CARGO_PKG_VERSION"),
            connections: Connections {
                http: connections.http,
                sse: connections.events,
                ndjson: connections.ndjson,
                websocket_raw: connections.raw,
                websocket_v1: connections.v1,
            },
            viewers: figures.viewers,
            viewers_max: figures.viewers_max,
            dropped: figures.dropped,
            shards: shards
                .map(|shard| Shard {
                    readers: shard.readers,
                    lagging: shard.lagging,
                    lag_messages: shard.lag_max,
                })
                .collect(),
            silent_shards: figures.silent_shards,
            channel_count: figures.channel_count,
            channels: figures
                .channels
                .iter()
                .map(|(name, standing)| Channel::new(Some(name.as_str()), standing))
                .collect(),
            others: Channel::new(None, &figures.others),
            others_count: figures.others_count,
            publish: Publish {
                bounds_us: LATENCY_BOUNDS,
                counts: figures.publish_latency.buckets,
                sum_us: figures.publish_latency.sum_us,
            },
            refused: &figures.refused,
            process: *process,
        }
    }
}

impl<'a> Channel<'a> {
    fn new(name: Option<&'a str>, standing: &ChannelStanding) -> Self {
        let counts = &standing.counts;
        let gaps = GapReason::ALL.iter().map(|reason| reason.as_str()).zip(counts.gaps);
        Self {
            name,
            websocket: standing.websocket,
            http: standing.http,
            lagging: standing.lagging,
            lag_messages: standing.lag_max,
            log_messages: standing.log_messages,
            log_bytes: standing.log_bytes,
            published: standing.published,
            published_bytes: standing.published_bytes,
            deliveries: counts.delivered,
            delivered_bytes: counts.bytes,
            gaps: gaps.filter(|(_, count)| *count > 0).collect(),
            skipped: counts.skipped,
            conflated: counts.conflated,
            cut: counts.cut,
        }
    }
}
