//! The metrics as text.

use std::fmt::{Error, Write as _};

use enchufe_core::GapReason;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeCounterValue, EncodeGaugeValue, text::encode},
    metrics::MetricType,
    registry::Registry,
};

use super::{OTHERS, Standing};
use crate::{
    http::process::Process,
    live::{ChannelStanding, Figures, LATENCY_BOUNDS, Latency},
};

/// Everything in the format of OpenMetrics 1.0.
pub(super) fn open_metrics(standing: Standing) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(standing));
    let mut text = String::new();
    encode(&mut text, &registry).expect("writing to a string cannot fail");
    text
}

/// The same in Prometheus' text format 0.0.4, which has neither units nor an end, and in which a
/// counter is called what its sample is called.
pub(super) fn text(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len());
    let mut help = None;
    for line in open_metrics.lines() {
        if let Some(named) = line.strip_prefix("# HELP ") {
            help = named.split_once(' ');
        } else if let Some(named) = line.strip_prefix("# TYPE ") {
            let suffix = if named.ends_with(" counter") { "_total" } else { "" };
            let (name, kind) = named.split_once(' ').unwrap_or((named, "untyped"));
            let (_, about) = help.take().unwrap_or_default();
            writeln!(text, "# HELP {name}{suffix} {about}\n# TYPE {name}{suffix} {kind}")
                .expect("writing to a string cannot fail");
        } else if !line.starts_with('#') {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

impl Collector for Standing {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let mut page = Page(encoder);
        page.server(&self.figures)?;
        page.channels(&self.figures)?;
        self.process.as_ref().map_or(Ok(()), |process| page.process(process))
    }
}

/// What has no exemplars has no labels for them either.
type NoLabels = [(&'static str, &'static str); 0];

/// Labels: names and values.
type Labels<'a> = [(&'a str, &'a str)];

struct Page<'a>(DescriptorEncoder<'a>);

/// A number of each channel: its name, what it is, and where it stands.
type Column = (&'static str, &'static str, fn(&ChannelStanding) -> u64);

const CHANNEL_GAUGES: [Column; 4] = [
    ("enchufe_channel_lagging", "Readers of the channel that have not had everything", |channel| {
        channel.lagging as u64
    }),
    (
        "enchufe_channel_lag_messages",
        "Messages by which the reader furthest behind is behind",
        |channel| channel.lag_max,
    ),
    ("enchufe_channel_log_messages", "Messages in the log of the channel", |channel| {
        channel.log_messages
    }),
    (
        "enchufe_channel_log_bytes",
        "Memory that the log of the channel takes, bookkeeping included",
        |channel| channel.log_bytes,
    ),
];

const CHANNEL_COUNTERS: [Column; 7] = [
    ("enchufe_channel_published", "Messages published", |channel| channel.published),
    ("enchufe_channel_published_bytes", "Bytes of the messages published", |channel| {
        channel.published_bytes
    }),
    ("enchufe_channel_deliveries", "Messages handed to the sockets of readers", |channel| {
        channel.counts.delivered
    }),
    (
        "enchufe_channel_delivered_bytes",
        "Bytes of what was handed to the sockets of readers",
        |channel| channel.counts.bytes,
    ),
    (
        "enchufe_channel_skipped",
        "Messages known to be missing in the gaps that readers were told of",
        |channel| channel.counts.skipped,
    ),
    (
        "enchufe_channel_conflated",
        "Messages left out for readers who want the newest only",
        |channel| channel.counts.conflated,
    ),
    ("enchufe_channel_cut", "Readers cut because they were too slow", |channel| channel.counts.cut),
];

impl Page<'_> {
    fn server(&mut self, figures: &Figures) -> Result<(), Error> {
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        let rows = [(&version[..], 1_u64)];
        self.gauges("enchufe_build_info", "The version that runs", &rows)?;
        let connections = figures.connections;
        let kinds = [
            ("http", connections.http),
            ("sse", connections.events),
            ("ndjson", connections.ndjson),
            ("websocket_raw", connections.raw),
            ("websocket_v1", connections.v1),
        ];
        let labels = kinds.map(|(kind, _)| [("kind", kind)]);
        let rows: Vec<_> = labels
            .iter()
            .zip(kinds)
            .map(|(label, (_, count))| (&label[..], count as u64))
            .collect();
        self.gauges(
            "enchufe_connections",
            "Connections by kind; those of SSE and NDJSON are HTTP, too",
            &rows,
        )?;
        let viewers = "WebSocket viewers, those included that are about to come in";
        self.gauge("enchufe_viewers", viewers, figures.viewers as u64)?;
        let max = "WebSocket viewers that there may be";
        self.gauge("enchufe_viewers_max", max, figures.viewers_max as u64)?;
        let dropped =
            "WebSocket viewers dropped without a goodbye: no sign of life, or deaf to the end";
        self.counter("enchufe_dropped", dropped, figures.dropped)?;
        self.gauge("enchufe_channels", "Channels", figures.channel_count as u64)?;
        let others = "Channels that are summed up under the label channel=\"/others\"";
        self.gauge("enchufe_channels_others", others, figures.others_count as u64)?;
        self.shards(figures)?;
        self.latency(&figures.publish_latency)?;
        let labels: Vec<_> = figures.refused.keys().map(|code| [("code", *code)]).collect();
        let rows: Vec<_> =
            labels.iter().zip(figures.refused.values()).map(|(l, n)| (&l[..], *n)).collect();
        self.counters(
            "enchufe_refused",
            "Requests and commands refused, by the code of the error",
            &rows,
        )
    }

    fn shards(&mut self, figures: &Figures) -> Result<(), Error> {
        let names: Vec<String> = (0..figures.shards.len()).map(|index| index.to_string()).collect();
        let labels: Vec<_> = names.iter().map(|name| [("shard", name.as_str())]).collect();
        let shards = || labels.iter().zip(&figures.shards);
        let readers: Vec<_> = shards().map(|(l, shard)| (&l[..], shard.readers as u64)).collect();
        self.gauges(
            "enchufe_shard_readers",
            "WebSocket readers of channels on each shard",
            &readers,
        )?;
        let lagging: Vec<_> = shards().map(|(l, shard)| (&l[..], shard.lagging as u64)).collect();
        self.gauges("enchufe_shard_lagging", "Those that have not had everything", &lagging)?;
        let lag: Vec<_> = shards().map(|(l, shard)| (&l[..], shard.lag_max)).collect();
        let about = "Messages by which the shard's reader furthest behind is behind";
        self.gauges("enchufe_shard_lag_messages", about, &lag)?;
        let silent = "Shards that did not say in time how they stand";
        self.gauge("enchufe_shards_silent", silent, figures.silent_shards as u64)
    }

    fn latency(&mut self, latency: &Latency) -> Result<(), Error> {
        let bounds = LATENCY_BOUNDS.iter().map(|micros| *micros as f64 / 1e6);
        let buckets: Vec<(f64, u64)> = bounds.chain([f64::INFINITY]).zip(latency.buckets).collect();
        let about = "How long publishing took, until the messages were held";
        self.0
            .encode_descriptor("enchufe_publish_seconds", about, None, MetricType::Histogram)?
            .encode_histogram::<NoLabels>(
                latency.sum_us as f64 / 1e6,
                latency.count(),
                &buckets,
                None,
            )
    }

    fn channels(&mut self, figures: &Figures) -> Result<(), Error> {
        let own = figures.channels.iter().map(|(name, standing)| (name.as_str(), standing));
        let all: Vec<_> = own.chain([(OTHERS, &figures.others)]).collect();
        let labels: Vec<_> = all.iter().map(|(name, _)| [("channel", *name)]).collect();
        let mut viewers = Vec::with_capacity(all.len() * 2);
        for (name, standing) in &all {
            for (kind, count) in [("websocket", standing.websocket), ("http", standing.http)] {
                viewers.push(([("channel", *name), ("transport", kind)], count as u64));
            }
        }
        let rows: Vec<_> = viewers.iter().map(|(labels, count)| (&labels[..], *count)).collect();
        self.gauges("enchufe_channel_viewers", "Readers of the channel", &rows)?;
        for (name, about, value) in CHANNEL_GAUGES {
            let rows: Vec<_> =
                labels.iter().zip(&all).map(|(l, (_, one))| (&l[..], value(one))).collect();
            self.gauges(name, about, &rows)?;
        }
        for (name, about, value) in CHANNEL_COUNTERS {
            let rows: Vec<_> =
                labels.iter().zip(&all).map(|(l, (_, one))| (&l[..], value(one))).collect();
            self.counters(name, about, &rows)?;
        }
        let mut gaps = Vec::new();
        for (name, standing) in &all {
            for (reason, count) in GapReason::ALL.iter().zip(standing.counts.gaps) {
                // Most channels never have one: who has none has no row.
                if count > 0 {
                    gaps.push(([("channel", *name), ("reason", reason.as_str())], count));
                }
            }
        }
        let rows: Vec<_> = gaps.iter().map(|(labels, count)| (&labels[..], *count)).collect();
        self.counters("enchufe_channel_gaps", "Gaps that readers were told of, by reason", &rows)
    }

    fn process(&mut self, process: &Process) -> Result<(), Error> {
        self.counter("process_cpu_seconds", "Processor time used", process.cpu_seconds)?;
        let memory = "Memory in use";
        self.gauge("process_resident_memory_bytes", memory, process.resident_bytes)?;
        self.gauge("process_open_fds", "Descriptors that are open", process.open_fds)?;
        if let Some(max) = process.max_fds {
            self.gauge("process_max_fds", "Descriptors that may be open", max)?;
        }
        self.gauge("process_threads", "Threads", process.threads)?;
        let start = "When the process was started, in seconds since 1970";
        self.gauge("process_start_time_seconds", start, process.start_seconds)
    }

    fn gauge(
        &mut self,
        name: &str,
        about: &str,
        value: impl EncodeGaugeValue,
    ) -> Result<(), Error> {
        self.gauges(name, about, &[(&[][..], value)])
    }

    fn counter(
        &mut self,
        name: &str,
        about: &str,
        value: impl EncodeCounterValue,
    ) -> Result<(), Error> {
        self.counters(name, about, &[(&[][..], value)])
    }

    fn gauges<V: EncodeGaugeValue>(
        &mut self,
        name: &str,
        about: &str,
        rows: &[(&Labels<'_>, V)],
    ) -> Result<(), Error> {
        if rows.is_empty() {
            return Ok(());
        }
        let mut family = self.0.encode_descriptor(name, about, None, MetricType::Gauge)?;
        rows.iter().try_for_each(|(labels, value)| match labels {
            [] => family.encode_gauge(value),
            labels => family.encode_family(labels)?.encode_gauge(value),
        })
    }

    fn counters<V: EncodeCounterValue>(
        &mut self,
        name: &str,
        about: &str,
        rows: &[(&Labels<'_>, V)],
    ) -> Result<(), Error> {
        if rows.is_empty() {
            return Ok(());
        }
        let mut family = self.0.encode_descriptor(name, about, None, MetricType::Counter)?;
        rows.iter().try_for_each(|(labels, value)| match labels {
            [] => family.encode_counter::<NoLabels, _, u64>(value, None),
            labels => family.encode_family(labels)?.encode_counter::<NoLabels, _, u64>(value, None),
        })
    }
}
