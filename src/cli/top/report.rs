//! What the server says of itself, and what comes of two such reports: rates.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use serde::{Deserialize, Serialize};

/// How a server stands. What is not known here is left out: the server may be newer.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Report {
    pub(super) viewers: u64,
    pub(super) viewers_max: u64,
    pub(super) connections: Connections,
    pub(super) dropped: u64,
    pub(super) silent_shards: u64,
    pub(super) channel_count: u64,
    pub(super) channels: Vec<Channel>,
    pub(super) others: Channel,
    pub(super) others_count: u64,
    pub(super) publish: Publish,
    pub(super) process: Option<Process>,
}

/// Connections by kind.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Connections {
    pub(super) http: u64,
    pub(super) sse: u64,
    pub(super) ndjson: u64,
}

/// A channel; the others together have no name.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Channel {
    pub(super) name: Option<String>,
    websocket: u64,
    http: u64,
    lag_messages: u64,
    log_messages: u64,
    log_bytes: u64,
    published: u64,
    deliveries: u64,
    delivered_bytes: u64,
    gaps: BTreeMap<String, u64>,
    cut: u64,
}

/// How long publishing took.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Publish {
    bounds_us: Vec<u64>,
    counts: Vec<u64>,
}

/// The process.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Process {
    cpu_seconds: f64,
    resident_bytes: u64,
}

/// How a server stands and what it did since the time before.
#[derive(Debug, Clone, Serialize)]
pub(in crate::cli) struct Standing {
    pub(in crate::cli) viewers: u64,
    pub(in crate::cli) viewers_max: u64,
    pub(in crate::cli) http_connections: u64,
    pub(in crate::cli) streams: u64,
    pub(in crate::cli) channel_count: u64,
    pub(in crate::cli) others_count: u64,
    pub(in crate::cli) dropped: u64,
    pub(in crate::cli) silent_shards: u64,
    /// The bound that 99 of 100 publishes did not exceed; `None` when nothing was published, or when
    /// it is beyond every bound.
    pub(in crate::cli) publish_p99_us: Option<u64>,
    pub(in crate::cli) resident_bytes: Option<u64>,
    /// 1 is a whole processor.
    pub(in crate::cli) processors: Option<f64>,
    pub(in crate::cli) total: Row,
    pub(in crate::cli) channels: Vec<Row>,
}

/// A channel, or all of them together.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(in crate::cli) struct Row {
    /// None is all, or among channels the others.
    pub(in crate::cli) name: Option<String>,
    pub(in crate::cli) viewers: u64,
    pub(in crate::cli) lag_messages: u64,
    pub(in crate::cli) published_per_second: f64,
    pub(in crate::cli) deliveries_per_second: f64,
    pub(in crate::cli) bytes_per_second: f64,
    pub(in crate::cli) gaps: u64,
    pub(in crate::cli) cut: u64,
    pub(in crate::cli) log_messages: u64,
    pub(in crate::cli) log_bytes: u64,
}

impl Standing {
    /// What two reports say, the later one made so long after the other.
    pub(super) fn between(before: &Report, now: &Report, time: Duration) -> Self {
        let seconds = time.as_secs_f64().max(f64::MIN_POSITIVE);
        let earlier: HashMap<_, _> =
            before.channels.iter().map(|channel| (&channel.name, channel)).collect();
        let mut channels: Vec<Row> = now
            .channels
            .iter()
            .map(|channel| Row::new(earlier.get(&channel.name).copied(), channel, seconds))
            .collect();
        if now.others_count > 0 {
            channels.push(Row::new(Some(&before.others), &now.others, seconds));
        }
        let mut total = Row::default();
        for row in &channels {
            total.add(row);
        }
        let processors = before
            .process
            .zip(now.process)
            .map(|(before, now)| ((now.cpu_seconds - before.cpu_seconds) / seconds).max(0.0));
        Self {
            viewers: now.viewers,
            viewers_max: now.viewers_max,
            http_connections: now.connections.http,
            streams: now.connections.sse + now.connections.ndjson,
            channel_count: now.channel_count,
            others_count: now.others_count,
            dropped: now.dropped,
            silent_shards: now.silent_shards,
            publish_p99_us: now.publish.p99_since(&before.publish),
            resident_bytes: now.process.map(|process| process.resident_bytes),
            processors,
            total,
            channels,
        }
    }
}

impl Row {
    fn new(before: Option<&Channel>, now: &Channel, seconds: f64) -> Self {
        // A counter that fell began anew: all of it has happened since.
        let rate = |count: fn(&Channel) -> u64| {
            let (now, before) = (count(now), before.map_or(0, count));
            now.checked_sub(before).unwrap_or(now) as f64 / seconds
        };
        Self {
            name: now.name.clone(),
            viewers: now.websocket + now.http,
            lag_messages: now.lag_messages,
            published_per_second: rate(|channel| channel.published),
            deliveries_per_second: rate(|channel| channel.deliveries),
            bytes_per_second: rate(|channel| channel.delivered_bytes),
            gaps: now.gaps.values().sum(),
            cut: now.cut,
            log_messages: now.log_messages,
            log_bytes: now.log_bytes,
        }
    }

    fn add(&mut self, other: &Self) {
        self.viewers += other.viewers;
        self.lag_messages = self.lag_messages.max(other.lag_messages);
        self.published_per_second += other.published_per_second;
        self.deliveries_per_second += other.deliveries_per_second;
        self.bytes_per_second += other.bytes_per_second;
        self.gaps += other.gaps;
        self.cut += other.cut;
        self.log_messages += other.log_messages;
        self.log_bytes += other.log_bytes;
    }
}

impl Publish {
    fn p99_since(&self, before: &Self) -> Option<u64> {
        let counts: Vec<u64> = self
            .counts
            .iter()
            .enumerate()
            .map(|(index, count)| {
                count.saturating_sub(before.counts.get(index).copied().unwrap_or_default())
            })
            .collect();
        let all: u64 = counts.iter().sum();
        let enough = (all * 99).div_ceil(100).max(1);
        let mut so_far = 0;
        let bucket = counts.iter().position(|count| {
            so_far += count;
            so_far >= enough
        })?;
        self.bounds_us.get(bucket).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publish(counts: &[u64]) -> Publish {
        Publish { bounds_us: vec![10, 100, 1_000], counts: counts.to_vec() }
    }

    #[test]
    fn ninety_nine_of_a_hundred_did_not_take_longer() {
        let none = publish(&[0, 0, 0, 0]);
        assert_eq!(none.p99_since(&none), None);
        assert_eq!(publish(&[98, 2, 0, 0]).p99_since(&none), Some(100));
        assert_eq!(publish(&[99, 1, 0, 0]).p99_since(&none), Some(10));
        assert_eq!(publish(&[0, 0, 0, 5]).p99_since(&none), None, "beyond every bound");
        assert_eq!(publish(&[99, 5, 0, 0]).p99_since(&publish(&[99, 0, 0, 0])), Some(100));
    }

    #[test]
    fn a_server_that_began_anew_has_no_negative_rates() {
        let channel = |published| Channel {
            name: Some("feed".into()),
            websocket: 0,
            http: 0,
            lag_messages: 0,
            log_messages: 0,
            log_bytes: 0,
            published,
            deliveries: 0,
            delivered_bytes: 0,
            gaps: BTreeMap::new(),
            cut: 0,
        };
        let rate =
            |before, now| Row::new(Some(&channel(before)), &channel(now), 2.0).published_per_second;
        assert_eq!((rate(10, 30), rate(30, 10), rate(5, 5)), (10.0, 5.0, 0.0));
    }
}
