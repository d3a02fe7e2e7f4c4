//! What happens, counted while it does.

use std::{
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use hdrhistogram::Histogram;
use tokio::time::Instant;

use super::{Latency, Trouble};

/// So many histograms share the connections, so that few wait for each other.
const SHARDS: usize = 16;
/// How exact latencies are kept, in decimal digits.
const DIGITS: u8 = 3;

/// What takes longer is counted as this.
const LATENCY_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Counts, which can be read at any time.
#[derive(Debug)]
pub struct Tally {
    born: Instant,
    /// Connections that stand, and those that did not come to.
    pub(super) connected: AtomicU64,
    pub(super) refused: AtomicU64,
    /// Connections that were lost.
    pub(super) broken: AtomicU64,
    /// Messages sent and their answers, after the warm-up.
    pub(super) sent: AtomicU64,
    pub(super) answered: AtomicU64,
    /// Messages that were never answered.
    pub(super) lost: AtomicU64,
    /// Answers that do not repeat the message, and those to nothing.
    pub(super) different: AtomicU64,
    pub(super) unasked: AtomicU64,
    /// Why the first of them was lost, or did not come to stand.
    trouble: OnceLock<Trouble>,
    /// When the last answer came, in nanoseconds since `born`; 0 when none did.
    last_answer: AtomicU64,
    latencies: [Mutex<Latencies>; SHARDS],
}

#[derive(Debug)]
struct Latencies {
    all: Histogram<u64>,
    recent: Histogram<u64>,
}

/// How far it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Connections that stand.
    pub connected: u64,
    /// Connections that did not come to stand, or were lost.
    pub failed: u64,
    /// Messages sent, after the warm-up.
    pub sent: u64,
    /// Answers to them.
    pub answered: u64,
    /// Within how long 99 % of the answers came since the last time this was asked; zero when
    /// none did.
    pub recent_p99: Duration,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            born: Instant::now(),
            connected: AtomicU64::default(),
            refused: AtomicU64::default(),
            broken: AtomicU64::default(),
            sent: AtomicU64::default(),
            answered: AtomicU64::default(),
            lost: AtomicU64::default(),
            different: AtomicU64::default(),
            unasked: AtomicU64::default(),
            trouble: OnceLock::new(),
            last_answer: AtomicU64::default(),
            latencies: std::array::from_fn(|_| {
                Mutex::new(Latencies { all: histogram(), recent: histogram() })
            }),
        }
    }
}

impl Tally {
    /// How far it has come.
    pub fn progress(&self) -> Progress {
        let mut recent = histogram();
        for shard in &self.latencies {
            let mut shard = lock(shard);
            merge(&mut recent, &shard.recent);
            shard.recent.reset();
        }
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Progress {
            connected: read(&self.connected),
            failed: read(&self.refused) + read(&self.broken),
            sent: read(&self.sent),
            answered: read(&self.answered),
            recent_p99: Duration::from_nanos(recent.value_at_quantile(0.99)),
        }
    }

    /// Counts answers that came now to messages of the connection `index`.
    pub(super) fn answered(
        &self,
        index: usize,
        now: Instant,
        latencies: impl Iterator<Item = Duration>,
    ) {
        let mut shard = lock(&self.latencies[index % SHARDS]);
        let mut count = 0;
        for latency in latencies {
            let nanos = nanos(latency.min(LATENCY_MAX));
            // A histogram grows as it needs to, up to far more than that.
            shard.all.record(nanos).ok();
            shard.recent.record(nanos).ok();
            count += 1;
        }
        drop(shard);
        self.answered.fetch_add(count, Ordering::Relaxed);
        let since = nanos(now - self.born);
        self.last_answer.fetch_max(since, Ordering::Relaxed);
    }

    /// Keeps why a connection was lost, if it is the first.
    pub(super) fn note(&self, trouble: Trouble) {
        self.trouble.get_or_init(|| trouble);
    }

    /// Why the first connection was lost, or did not come to stand.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        self.trouble.get().cloned()
    }

    /// When the last answer came.
    pub(super) fn last_answer(&self) -> Option<Instant> {
        let nanos = self.last_answer.load(Ordering::Relaxed);
        (nanos > 0).then(|| self.born + Duration::from_nanos(nanos))
    }

    /// How long all answers took; nothing when there was none.
    pub(super) fn latency(&self) -> Option<Latency> {
        let mut all = histogram();
        self.latencies.iter().for_each(|shard| merge(&mut all, &lock(shard).all));
        let us = |nanos: u64| nanos as f64 / 1e3;
        let at = |quantile| us(all.value_at_quantile(quantile));
        (!all.is_empty()).then(|| Latency {
            min: us(all.min()),
            mean: all.mean() / 1e3,
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: us(all.max()),
        })
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn histogram() -> Histogram<u64> {
    Histogram::new(DIGITS).expect("so many digits can be kept")
}

fn merge(sum: &mut Histogram<u64>, part: &Histogram<u64>) {
    sum.add(part).expect("the sum grows as it needs to");
}

fn lock(shard: &Mutex<Latencies>) -> MutexGuard<'_, Latencies> {
    // Recording leaves it whole.
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
