//! Many viewers of one channel: whether each has every message, and how long messages took.
//!
//! What one viewer had and another had not is missing, and so is what was published, or is in the
//! channel's history, and did not come: at the end one viewer more reads it all from the beginning.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde::Serialize;
use tokio::{
    sync::{Semaphore, watch},
    task::JoinSet,
    time::{Instant, timeout, timeout_at},
};

use super::{
    Latency, LoadError, LoadOptions, Tally, Trouble,
    account::{Account, Course},
    payload::Payload,
    process::{ProcessError, Usage, resident_bytes},
    publisher::{Publisher, Timetable},
    viewer::{Audience, Last, Viewer},
};
use crate::{
    address::{Address, WsAddress},
    core::{ChannelName, Position, v1},
    limits,
    shutdown::Shutdown,
    transport::{Connection, OpenError},
};

/// Why a channel's viewers could not be measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ViewError {
    /// The first viewer did not come to stand.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The process cannot be observed.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// More was asked for than there may be.
    #[error(transparent)]
    Bound(LoadError),
    /// The address is none of a channel.
    #[error("'{0}' is no URL of a channel")]
    NoChannel(String),
    /// The first viewer was refused, or lost before it was subscribed.
    #[error("the channel cannot be read: {0}")]
    Subscribe(Trouble),
    /// A message could not be published.
    #[error("a message cannot be published: {0}")]
    Publish(String),
}

/// What came of it.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Viewing {
    /// Viewers that came to stand.
    pub viewers: usize,
    /// Viewers that did not.
    pub refused: u64,
    /// Viewers that were lost.
    pub broken: u64,
    /// Why the first of those was lost, or did not come to stand.
    pub trouble: Option<Trouble>,
    /// Messages we published a second, if we did.
    pub rate: Option<f64>,
    /// How many we published.
    pub published: u64,
    /// Messages of the channel meanwhile.
    pub messages: u64,
    /// Messages that came to viewers.
    pub deliveries: u64,
    /// Messages that did not come to a viewer, all viewers together.
    pub missing: u64,
    /// Messages that came to a viewer again.
    pub repeated: u64,
    /// Messages that came to a viewer after a newer one.
    pub disordered: u64,
    /// Gaps that viewers were told of.
    pub gaps: u64,
    /// From the beginning to the last delivery, in seconds.
    pub seconds: f64,
    /// How long deliveries took, in microseconds, from when a message of ours was due, or else from
    /// when the server took it.
    pub latency_us: Option<Latency>,
    /// The server's processor time for each delivery, in microseconds.
    pub cpu_us_per_delivery: Option<f64>,
    /// The server's memory for each viewer before anything came to it, in bytes.
    pub bytes_per_viewer: Option<f64>,
    /// Whether it was stopped before its time was over.
    pub interrupted: bool,
}

impl Viewing {
    /// Whether every viewer stood to the end and had every message, once and in order.
    pub fn is_flawless(&self) -> bool {
        let flaws =
            [self.refused, self.broken, self.missing, self.repeated, self.disordered, self.gaps];
        flaws.iter().all(|count| *count == 0)
    }
}

/// Has as many viewers as [`LoadOptions::connections`] read the channel at `address` for
/// [`LoadOptions::duration`], and publishes to it meanwhile, if `publish` says how often a second.
///
/// # Errors
///
/// When the address is none of a channel, the first viewer cannot read it, a message cannot be
/// published, or the process of [`LoadOptions::pid`] cannot be observed.
///
/// # Cancel safety
///
/// Dropping the future drops all viewers.
pub async fn view(
    address: &Address,
    options: &LoadOptions,
    publish: Option<f64>,
    shutdown: &Shutdown,
) -> Result<Viewing, ViewError> {
    options.check(address).map_err(ViewError::Bound)?;
    let (url, channel) = channel_of(address)?;
    let empty = options.pid.map(resident_bytes).transpose()?;
    let mut open = options.open.clone();
    open.ws.protocols = vec![v1::NAME.to_owned()];
    let options = &LoadOptions { open, ..options.clone() };
    let tally = Arc::new(Tally::default());

    let first = Connection::open(address, &options.open).await?;
    let subscribed = Viewer::subscribe(first, 0, &channel, None);
    let subscribed = timeout(options.open.timeout, subscribed).await;
    let silent = Err(Trouble::Refused("no answer".to_owned()));
    let (first, start) = subscribed.unwrap_or(silent).map_err(ViewError::Subscribe)?;
    let mut viewers = vec![first];
    viewers.extend(others(address, options, &channel, start, &tally).await);
    let full = options.pid.map(resident_bytes).transpose()?;

    let publisher = match publish {
        Some(_) => Some(Publisher::open(url, &options.open).await?),
        None => None,
    };
    let begin = Instant::now();
    let end = begin + options.duration;
    let payload = Payload { size: options.size };
    let timetable = publish.map(|rate| Timetable { begin, end, rate, payload });
    let (course, gaps) = (Arc::new(Course::default()), AtomicU64::default());
    let audience = Audience { channel, course, tally: Arc::clone(&tally), timetable, gaps };
    let audience = Arc::new(audience);
    let before = options.pid.map(Usage::of).transpose()?;
    let (last, reading) = watch::channel(Last::Unknown);
    let count = viewers.len();
    let mut running = JoinSet::new();
    for viewer in viewers {
        running.spawn(viewer.run(Arc::clone(&audience), reading.clone()));
    }

    let published = Arc::new(AtomicU64::default());
    let publishing = async {
        if let (Some(publisher), Some(timetable)) = (publisher, timetable) {
            publisher.run(timetable, Arc::clone(&audience.course), Arc::clone(&published)).await?;
        }
        tokio::time::sleep_until(end).await;
        Ok::<_, ViewError>(())
    };
    let is_interrupted = shutdown.or(async { publishing.await.map(Some) }).await?.is_none();
    // Whatever is on its way may arrive; what comes after it does not count.
    let newest = audience.course.newest();
    last.send_replace(Last::Through(newest));
    let deadline = Instant::now() + limits::LOAD_DRAIN;
    let mut accounts = Vec::with_capacity(count);
    while let Ok(Some(ended)) = timeout_at(deadline, running.join_next()).await {
        accounts.extend(ended);
    }
    last.send_replace(Last::Now);
    while let Some(ended) = running.join_next().await {
        accounts.extend(ended);
    }
    let after = options.pid.map(Usage::of).transpose();
    let seconds = tally.last_answer().map_or(0.0, |last| (last - begin).as_secs_f64());
    read_again(address, options, &audience, start, newest).await;

    let latency_us = tally.latency();
    let cpu = match (before, after) {
        (Some(before), Ok(Some(after))) => Some(after.since(before)),
        // The server has ended, which the viewers tell.
        _ => None,
    };
    let memory = full.zip(empty).map(|(full, empty)| full.saturating_sub(empty));
    let messages = audience.course.len_through(newest);
    let mut viewing = Viewing {
        viewers: count,
        refused: tally.refused.load(Ordering::Relaxed),
        broken: 0,
        trouble: None,
        rate: publish,
        published: published.load(Ordering::Relaxed),
        messages,
        deliveries: 0,
        missing: 0,
        repeated: 0,
        disordered: 0,
        gaps: audience.gaps.load(Ordering::Relaxed),
        seconds,
        latency_us,
        cpu_us_per_delivery: None,
        bytes_per_viewer: memory.map(|bytes| bytes as f64 / count as f64),
        interrupted: is_interrupted,
    };
    for (account, trouble) in accounts {
        viewing.add(&account, messages);
        if let Some(trouble) = trouble {
            viewing.broken += 1;
            tally.note(trouble);
        }
    }
    viewing.trouble = tally.trouble();
    let per_delivery = |cpu: Duration| cpu.as_secs_f64() * 1e6 / viewing.deliveries.max(1) as f64;
    viewing.cpu_us_per_delivery = cpu.map(per_delivery);
    Ok(viewing)
}

impl Viewing {
    fn add(&mut self, account: &Account, messages: u64) {
        self.deliveries += account.distinct + account.repeated;
        self.missing += messages.saturating_sub(account.distinct);
        self.repeated += account.repeated;
        self.disordered += account.disordered;
    }
}

fn channel_of(address: &Address) -> Result<(&WsAddress, ChannelName), ViewError> {
    let none = || ViewError::NoChannel(address.redacted());
    let Address::Ws(url) = address else { return Err(none()) };
    let path = url.path.as_deref().unwrap_or("/").split('?').next().unwrap_or_default();
    let encoded = path.strip_prefix("/channels/").ok_or_else(none)?;
    let name = percent_encoding::percent_decode_str(encoded).decode_utf8().map_err(|_| none())?;
    Ok((url, name.parse().map_err(|_| none())?))
}

/// The viewers besides the first. They begin where it has begun.
async fn others(
    address: &Address,
    options: &LoadOptions,
    channel: &ChannelName,
    start: Position,
    tally: &Arc<Tally>,
) -> Vec<Viewer> {
    let turns = Arc::new(Semaphore::new(limits::LOAD_OPENING_MAX));
    let mut opening = JoinSet::new();
    for index in 1..options.connections {
        let open = options.open_from(index);
        let (address, turns, channel) = (address.clone(), Arc::clone(&turns), channel.clone());
        opening.spawn(async move {
            let _turn = turns.acquire_owned().await;
            let connection = Connection::open(&address, &open);
            let connection = connection.await.map_err(|error| Trouble::Open(Arc::new(error)))?;
            let subscribed = Viewer::subscribe(connection, index, &channel, Some(start));
            let silent = Err(Trouble::Refused("no answer".to_owned()));
            timeout(open.timeout, subscribed).await.unwrap_or(silent)
        });
    }
    let mut viewers = Vec::with_capacity(options.connections);
    while let Some(opened) = opening.join_next().await {
        match opened {
            Ok(Ok((viewer, _))) => viewers.push(viewer),
            Ok(Err(trouble)) => {
                tally.refused.fetch_add(1, Ordering::Relaxed);
                tally.note(trouble);
            }
            Err(error) => tracing::error!(%error, "a viewer's task failed"),
        }
    }
    viewers
}

/// Reads once more what the channel has, for what came to nobody. A channel that has none of it any
/// more, or a server that does not answer in time, leaves it at what the viewers had.
async fn read_again(
    address: &Address,
    options: &LoadOptions,
    audience: &Arc<Audience>,
    start: Position,
    newest: u64,
) {
    let reading = async {
        let connection = Connection::open(address, &options.open).await.ok()?;
        let subscribed = Viewer::subscribe(connection, 0, &audience.channel, Some(start)).await;
        let (viewer, _) = subscribed.ok()?;
        let (_last, reading) = watch::channel(Last::Through(newest));
        let apart = Audience {
            channel: audience.channel.clone(),
            course: Arc::clone(&audience.course),
            tally: Arc::default(),
            timetable: None,
            gaps: AtomicU64::default(),
        };
        Some(viewer.run(Arc::new(apart), reading).await)
    };
    timeout(limits::LOAD_DRAIN, reading).await.ok();
}
