//! The metrics read by a parser that knows nothing of who wrote them.

use std::{collections::BTreeMap, net::SocketAddr};

use openmetrics_parser::{
    HistogramValue, LabelSet, MetricNumber, OpenMetricsValue, PrometheusValue,
    openmetrics::parse_openmetrics, prometheus::parse_prometheus,
};

use crate::common::http::{Reply, ask};

/// Labels by name.
pub(crate) type Labels = BTreeMap<String, String>;

/// What was read: for each metric its samples.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Metrics(BTreeMap<String, BTreeMap<Labels, f64>>);

impl Metrics {
    /// Asks a server on loopback for its metrics.
    pub(crate) fn of(address: SocketAddr) -> Self {
        Self::text(&scrape(address, "text/plain"))
    }

    /// Reads the text format 0.0.4.
    pub(crate) fn text(reply: &Reply) -> Self {
        assert_eq!(reply.status, 200, "{}", reply.body);
        let read = parse_prometheus(&reply.body).expect("the text format 0.0.4");
        let mut metrics = Self::default();
        for family in read.families.values() {
            assert!(!family.help.is_empty(), "{} has no help", family.family_name);
            for sample in family.iter_samples() {
                let labels = labels(&sample.get_labelset().expect("labels"));
                match &sample.value {
                    PrometheusValue::Counter(counter) => {
                        metrics.add(&family.family_name, labels, counter.value);
                    }
                    PrometheusValue::Gauge(number) => {
                        metrics.add(&family.family_name, labels, *number);
                    }
                    PrometheusValue::Histogram(histogram) => {
                        metrics.add_histogram(&family.family_name, histogram);
                    }
                    other => panic!("{} is {other:?}", family.family_name),
                }
            }
        }
        metrics
    }

    /// Reads OpenMetrics, with counters called as they are in the other format.
    pub(crate) fn open_metrics(reply: &Reply) -> Self {
        assert_eq!(reply.status, 200, "{}", reply.body);
        let read = parse_openmetrics(&reply.body).expect("OpenMetrics 1.0");
        let mut metrics = Self::default();
        for family in read.families.values() {
            for sample in family.iter_samples() {
                let labels = labels(&sample.get_labelset().expect("labels"));
                match &sample.value {
                    OpenMetricsValue::Counter(counter) => {
                        let name = format!("{}_total", family.family_name);
                        metrics.add(&name, labels, counter.value);
                    }
                    OpenMetricsValue::Gauge(number) => {
                        metrics.add(&family.family_name, labels, *number);
                    }
                    OpenMetricsValue::Histogram(histogram) => {
                        metrics.add_histogram(&family.family_name, histogram);
                    }
                    other => panic!("{} is {other:?}", family.family_name),
                }
            }
        }
        metrics
    }

    fn add(&mut self, name: &str, labels: Labels, value: MetricNumber) {
        let before = self.0.entry(name.to_owned()).or_default().insert(labels, value.as_f64());
        assert_eq!(before, None, "{name} has two samples with the same labels");
    }

    fn add_histogram(&mut self, name: &str, histogram: &HistogramValue) {
        let counts: Vec<f64> =
            histogram.buckets.iter().map(|bucket| bucket.count.as_f64()).collect();
        assert!(counts.is_sorted(), "{name}: each bucket has those before it");
        let count = histogram.count.expect("a count") as f64;
        assert_eq!(counts.last(), Some(&count), "{name}: the last bucket has everything");
        assert_eq!(histogram.buckets.last().map(|bucket| bucket.upper_bound), Some(f64::INFINITY));
        let own = self.0.entry(format!("{name}_count")).or_default();
        own.insert(Labels::new(), count);
        let sum = histogram.sum.expect("a sum").as_f64();
        assert!((sum > 0.0) == (count > 0.0), "{name}: {count} times take {sum} s");
        self.0.entry(format!("{name}_sum")).or_default().insert(Labels::new(), sum);
    }

    /// The one value with exactly these labels; 0 where there is none.
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let labels =
            labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.samples(name).get(&labels).copied().unwrap_or(0.0)
    }

    /// What a channel has of it.
    pub(crate) fn channel(&self, name: &str, channel: &str) -> f64 {
        self.value(name, &[("channel", channel)])
    }

    /// The sum over all labels.
    pub(crate) fn sum(&self, name: &str) -> f64 {
        self.samples(name).values().sum()
    }

    /// Every sample of a metric; none may be there.
    pub(crate) fn samples(&self, name: &str) -> &BTreeMap<Labels, f64> {
        static NONE: BTreeMap<Labels, f64> = BTreeMap::new();
        self.0.get(name).unwrap_or(&NONE)
    }

    /// The names of all metrics.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

fn labels(labels: &LabelSet<'_>) -> Labels {
    labels.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Asks for the metrics in a form.
pub(crate) fn scrape(address: SocketAddr, accept: &str) -> Reply {
    ask(address, "GET /metrics", &["Host: localhost", &format!("Accept: {accept}")])
}
