//! A round: a server, publishers and readers for a while, and then the reckoning.

use std::{
    collections::BTreeMap,
    fmt,
    net::SocketAddr,
    sync::{OnceLock, atomic::Ordering},
    thread,
    time::Duration,
};

use enchufe::core::SlowPolicy;
use fastrand::Rng;

use crate::{
    account::{self, Circumstances},
    difference::Difference,
    publisher::Publisher,
    reader::{Reader, Signals},
    session::{Note, Session, Wire},
    target::Target,
    truth::{Kept, Outcome, Published, Truth},
};

/// Where a round takes place.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) channels: Vec<&'static str>,
    /// Their names in a URL.
    pub(crate) paths: Vec<&'static str>,
    pub(crate) kept: Vec<Kept>,
    /// What becomes of slow readers who did not choose.
    pub(crate) slow: Vec<Option<SlowPolicy>>,
    /// Which wire forms are read, if not all.
    pub(crate) wires: Option<Vec<Wire>>,
    pub(crate) publishers: u8,
    pub(crate) readers: usize,
    /// By how much publishers are slowed down.
    pub(crate) pace: u64,
    pub(crate) may_restart: bool,
    pub(crate) address: OnceLock<SocketAddr>,
}

impl Scene {
    /// Three channels of the library's node.
    pub(crate) fn node() -> Self {
        Self {
            channels: vec!["feed", "b/c", "ñandú"],
            paths: vec!["feed", "b/c", "%C3%B1and%C3%BA"],
            kept: vec![
                Kept { len_max: 50, bytes_max: 1 << 20 },
                Kept { len_max: 200, bytes_max: 96 << 10 },
                Kept { len_max: 3, bytes_max: 1 << 20 },
            ],
            slow: vec![None, None, Some(SlowPolicy::Cut)],
            wires: None,
            publishers: 4,
            readers: 10,
            pace: 1,
            may_restart: false,
            address: OnceLock::new(),
        }
    }

    /// The one channel of `enchufe feed`.
    pub(crate) fn program(may_restart: bool) -> Self {
        Self {
            channels: vec!["feed"],
            paths: vec!["feed"],
            kept: vec![Kept { len_max: 50, bytes_max: 256 << 10 }],
            slow: vec![None],
            publishers: 3,
            may_restart,
            ..Self::node()
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        *self.address.get().expect("it is set before anybody goes there")
    }
}

/// What came of a round.
#[derive(Debug, Default)]
pub(crate) struct Report {
    counts: BTreeMap<String, usize>,
    /// The session that took longest, for whoever wonders.
    longest: Option<(Duration, String)>,
    pub(crate) differences: Vec<Difference>,
}

impl Report {
    pub(crate) fn add(&mut self, other: Self) {
        for (what, count) in other.counts {
            *self.counts.entry(what).or_default() += count;
        }
        self.longest = self.longest.take().max(other.longest);
        self.differences.extend(other.differences);
    }

    pub(crate) fn count(&self, what: &str) -> usize {
        self.counts.get(what).copied().unwrap_or_default()
    }

    fn note(&mut self, what: impl Into<String>, count: usize) {
        *self.counts.entry(what.into()).or_default() += count;
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, count) in &self.counts {
            writeln!(f, "{count:>10} {what}")?;
        }
        if let Some((time, which)) = &self.longest {
            writeln!(f, "{time:>10.1?} {which}")?;
        }
        write!(f, "{:>10} differences", self.differences.len())
    }
}

/// Runs one for as long as `is_on` says.
pub(crate) fn run(
    seed: u64,
    scene: &Scene,
    mut target: Target,
    mut is_on: impl FnMut(Duration) -> bool,
) -> Report {
    let signals = Signals::default();
    let begun = std::time::Instant::now();
    let (published, sessions, mut differences, restarts) = thread::scope(|scope| {
        let publishers: Vec<_> = (0..scene.publishers)
            .map(|number| {
                let publisher = Publisher {
                    number,
                    scene,
                    signals: &signals,
                    rng: Rng::with_seed(seed ^ (u64::from(number) + 1) << 48),
                    counter: 0,
                    published: Vec::new(),
                    differences: Vec::new(),
                };
                scope.spawn(|| publisher.run())
            })
            .collect();
        let readers: Vec<_> = (0..scene.readers)
            .map(|number| {
                let reader = Reader {
                    name: format!("reader {number}"),
                    scene,
                    signals: &signals,
                    rng: Rng::with_seed(seed ^ (number as u64 + 1) << 32),
                    sessions: Vec::new(),
                    had: vec![None; scene.channels.len()],
                };
                scope.spawn(|| reader.run())
            })
            .collect();
        let mut rng = Rng::with_seed(seed);
        let mut restarts = 0;
        let mut restart_after = Duration::from_millis(rng.u64(500..1_500));
        while is_on(begun.elapsed()) {
            thread::sleep(Duration::from_millis(20));
            let is_quiet = begun.elapsed().as_millis() % 2_000 > 1_300;
            signals.is_quiet.store(is_quiet, Ordering::Relaxed);
            if scene.may_restart && begun.elapsed() > restart_after {
                target.restart(scene, &signals, rng.bool());
                restarts += 1;
                restart_after += Duration::from_millis(rng.u64(1_000..4_000));
            }
        }
        signals.no_more.store(true, Ordering::Relaxed);
        let (mut published, mut differences) = (Vec::new(), Vec::new());
        for publisher in publishers {
            let (some, wrong) = publisher.join().expect("a publisher does not panic");
            published.extend(some);
            differences.extend(wrong);
        }
        target.end_channels(scene);
        signals.finish.store(true, Ordering::Relaxed);
        let mut sessions = Vec::new();
        for reader in readers {
            sessions.extend(reader.join().expect("a reader does not panic"));
        }
        (published, sessions, differences, restarts)
    });
    target.stop();
    let seen = sessions.iter().flat_map(|session| {
        session.notes.iter().filter_map(|note| match note {
            Note::Message(Some(position), id) => Some((session.asked.channel, *position, *id)),
            _ => None,
        })
    });
    let truth = Truth::find(&published, seen, &scene.kept, &mut differences);
    let circumstances = Circumstances { restarted: restarts > 0, tiny_outbox: true };
    for session in &sessions {
        differences.extend(account::check(session, &truth, circumstances));
    }
    let mut report = count(&published, &sessions, &truth);
    report.note("restarts", restarts);
    report.differences = differences;
    report
}

fn count(published: &[Published], sessions: &[Session], truth: &Truth) -> Report {
    let mut report = Report::default();
    for one in published {
        match one.outcome {
            Outcome::Acknowledged { .. } => report.note("messages acknowledged", one.ids.len()),
            Outcome::InDoubt => report.note("messages in doubt", one.ids.len()),
        }
    }
    report.note("messages in a log", truth.len());
    for session in sessions {
        report.note(format!("sessions: {:?}", session.wire), 1);
        let Session { reader, wire, asked, notes, ending, .. } = session;
        let last = notes.last();
        let which =
            format!("{reader}: {wire:?}, {asked:?}, {ending:?}, {} notes, {last:?}", notes.len());
        report.longest =
            report.longest.take().max(Some((session.ended_at - session.asked_at, which)));
        for note in &session.notes {
            match note {
                Note::Message(..) => report.note(format!("deliveries: {:?}", session.wire), 1),
                Note::Gap(gap, _) => report.note(format!("gaps: {}", gap.reason), 1),
                Note::Heartbeat(_) if session.wire != Wire::Page => report.note("heartbeats", 1),
                Note::End(_) => report.note("ends", 1),
                Note::Close(code, ..) => report.note(format!("closed with {code}"), 1),
                _ => {}
            }
        }
    }
    report
}
