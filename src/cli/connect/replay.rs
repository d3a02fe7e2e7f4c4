//! What clients sent in a recording, sent again when they sent it.
//!
//! A recording may be longer than memory: it is read once to find out what is in it, and then along
//! with each connection that is replayed.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use enchufe_core::Message;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

use super::{framing::FramingError, input::Kind};
use crate::{
    cli::{
        failure::{Failure, ReplayFailure},
        values::{Speed, TIME_MAX},
    },
    limits,
    recording::{self, Direction, Entry, ReadError, What},
};

/// A connection of a recording, to be replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Track {
    /// Its number there.
    pub(super) connection: u64,
    /// Whether the server said something.
    pub(super) has_replies: bool,
    /// When it began.
    begun: Duration,
}

/// What a recording has to be replayed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Contents {
    /// In the order in which they began.
    pub(super) tracks: Vec<Track>,
    /// The line in which it was cut short.
    pub(super) cut_short: Option<u64>,
}

/// Finds out what a recording has to be replayed: every connection, or one alone.
///
/// # Errors
///
/// When the file is no recording, or there is nothing of the kind in it.
pub(super) async fn contents(path: &Path, only: Option<u64>) -> Result<Contents, Failure> {
    let path = path.to_owned();
    let looked = tokio::task::spawn_blocking(move || look_through(&path, only));
    looked.await.map_err(|error| Failure::System(error.into()))?.map_err(Failure::Replay)
}

fn look_through(path: &Path, only: Option<u64>) -> Result<Contents, ReplayFailure> {
    let shown = || path.display().to_string();
    let unreadable = |error| ReplayFailure::Recording { path: shown(), error };
    let mut tracks = BTreeMap::new();
    let mut cut_short = None;
    for entry in recording::Reader::open(path).map_err(unreadable)? {
        let Entry { at, connection, what } = match entry {
            Ok(entry) => entry,
            Err(ReadError::CutShort { line }) => {
                cut_short = Some(line);
                break;
            }
            Err(error) => return Err(unreadable(error)),
        };
        if only.is_some_and(|only| only != connection) {
            continue;
        }
        if !tracks.contains_key(&connection) && tracks.len() == limits::REPLAY_CONNECTIONS_MAX {
            let connections_max = limits::REPLAY_CONNECTIONS_MAX;
            return Err(ReplayFailure::TooMany { path: shown(), connections_max });
        }
        let new = Track { connection, has_replies: false, begun: at };
        let track = tracks.entry(connection).or_insert(new);
        track.has_replies |= matches!(what, What::Payload { direction: Direction::Back, .. });
    }
    let mut tracks: Vec<Track> = tracks.into_values().collect();
    tracks.sort_by_key(|track| track.begun);
    match (tracks.is_empty(), only) {
        (false, _) => Ok(Contents { tracks, cut_short }),
        (true, Some(number)) => Err(ReplayFailure::NoConnection { path: shown(), number }),
        (true, None) => Err(ReplayFailure::Empty { path: shown() }),
    }
}

/// What the client of one recorded connection sent, in its time.
pub(super) struct Replay {
    cues: mpsc::Receiver<Result<Cue, ReplayFailure>>,
    /// The next, whose time has not come.
    next: Option<Cue>,
    track_begun: Duration,
    /// When it began here.
    begun: Option<Instant>,
    speed: Speed,
    kind: Kind,
    message_bytes_max: usize,
}

/// Something that the client did, and when.
#[derive(Debug)]
struct Cue {
    at: Duration,
    /// Nothing when it said no more.
    said: Option<(recording::Kind, bytes::Bytes)>,
}

impl Replay {
    /// Begins to read. `kind` is what becomes of bytes that were no messages.
    ///
    /// # Errors
    ///
    /// When the system refuses a thread.
    pub(super) fn new(
        path: PathBuf,
        track: Track,
        speed: Speed,
        kind: Kind,
        message_bytes_max: usize,
    ) -> Result<Self, Failure> {
        let (sender, cues) = mpsc::channel(limits::REPLAY_QUEUE_LEN_MAX);
        thread::Builder::new()
            .name("replay".into())
            .spawn(move || read(&path, track.connection, &sender))
            .map_err(Failure::System)?;
        let (next, begun, track_begun) = (None, None, track.begun);
        Ok(Self { cues, next, track_begun, begun, speed, kind, message_bytes_max })
    }

    /// The next message, when its time has come; `None` when it is time to say no more.
    ///
    /// # Cancel safety
    ///
    /// Safe: what was read is kept.
    pub(super) async fn next(&mut self) -> Result<Option<Message>, Failure> {
        let begun = *self.begun.get_or_insert_with(Instant::now);
        if self.next.is_none() {
            self.next = self.cues.recv().await.transpose().map_err(Failure::Replay)?;
        }
        let Some(cue) = &self.next else { return Ok(None) };
        let delay = scaled(cue.at.saturating_sub(self.track_begun), self.speed);
        if let Some(time) = begun.checked_add(delay) {
            sleep_until(time).await;
        }
        let Some((kind, payload)) = self.next.take().and_then(|cue| cue.said) else {
            // What was said after the end was not heard then either.
            self.cues.close();
            return Ok(None);
        };
        let bytes_max = self.message_bytes_max;
        if payload.len() > bytes_max {
            return Err(Failure::Framing(FramingError::TooLong { bytes_max }));
        }
        Ok(Some(match kind {
            recording::Kind::Text => Message::detect(payload),
            recording::Kind::Binary => Message::binary(payload),
            recording::Kind::Bytes => self.kind.message(payload),
        }))
    }
}

/// Reads what the client of a connection did.
fn read(path: &Path, connection: u64, cues: &mpsc::Sender<Result<Cue, ReplayFailure>>) {
    let failed = |error| ReplayFailure::Recording { path: path.display().to_string(), error };
    let reader = match recording::Reader::open(path) {
        Ok(reader) => reader,
        Err(error) => {
            // Whoever hears no more has ended.
            let _ = cues.blocking_send(Err(failed(error)));
            return;
        }
    };
    for entry in reader {
        let cue = match entry {
            Ok(entry) if entry.connection != connection => continue,
            Ok(Entry { at, what, .. }) => match what {
                What::Payload { direction: Direction::Forth, kind, payload } => {
                    Ok(Cue { at, said: Some((kind, payload)) })
                }
                What::End { direction: Direction::Forth } | What::Close { .. } => {
                    Ok(Cue { at, said: None })
                }
                _ => continue,
            },
            // That was said before it began.
            Err(ReadError::CutShort { .. }) => return,
            Err(error) => Err(failed(error)),
        };
        if cues.blocking_send(cue).is_err() {
            return;
        }
    }
}

/// How long it is until then, at this speed.
fn scaled(time: Duration, speed: Speed) -> Duration {
    let Speed(Some(factor)) = speed else { return Duration::ZERO };
    let scaled = Duration::try_from_secs_f64(time.as_secs_f64() / factor);
    scaled.unwrap_or(TIME_MAX).min(TIME_MAX)
}

#[cfg(test)]
#[path = "../../../tests/common/recorded.rs"]
mod recorded;

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::{recorded::recorded, *};

    const TWO: [&str; 6] = [
        r#"{"t":1,"conn":2,"event":"open","peer":"b"}"#,
        r#"{"t":1.5,"conn":1,"event":"open","peer":"a"}"#,
        r#"{"t":2,"conn":1,"dir":">","kind":"text","text":"uno"}"#,
        r#"{"t":2,"conn":2,"dir":">","kind":"bytes","base64":"/w=="}"#,
        r#"{"t":3,"conn":2,"dir":"<","kind":"bytes","text":"x"}"#,
        r#"{"t":4,"conn":1,"dir":">","event":"end"}"#,
    ];

    #[test]
    fn connections_are_found_in_the_order_in_which_they_began() {
        let file = recorded(&TWO);
        let found = look_through(file.path(), None).expect("a recording");
        let numbers: Vec<_> =
            found.tracks.iter().map(|track| (track.connection, track.has_replies)).collect();
        assert_eq!((numbers, found.cut_short), (vec![(2, true), (1, false)], None));
        let one = look_through(file.path(), Some(1)).expect("a recording");
        assert_eq!(one.tracks.len(), 1);
        let none = look_through(file.path(), Some(3));
        assert!(matches!(none, Err(ReplayFailure::NoConnection { number: 3, .. })));
        let empty = look_through(recorded(&[]).path(), None);
        assert!(matches!(empty, Err(ReplayFailure::Empty { .. })));
    }

    #[test]
    fn more_connections_than_the_bound_are_refused_unless_one_is_chosen() {
        let line = |number| format!(r#"{{"t":0,"conn":{number},"event":"open","peer":"a"}}"#);
        let lines: Vec<String> = (0..=limits::REPLAY_CONNECTIONS_MAX).map(line).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let most = look_through(recorded(&lines[1..]).path(), None).expect("as many as may be");
        assert_eq!(most.tracks.len(), limits::REPLAY_CONNECTIONS_MAX);
        let file = recorded(&lines);
        let all = look_through(file.path(), None);
        assert!(matches!(all, Err(ReplayFailure::TooMany { .. })), "{all:?}");
        assert_eq!(look_through(file.path(), Some(0)).expect("one").tracks.len(), 1);
    }

    #[test]
    fn a_recording_that_was_cut_short_is_good_up_to_there() {
        let mut file = recorded(&TWO);
        write!(file, "{{\"t\":5,\"conn\":9").expect("written");
        let found = look_through(file.path(), None).expect("a recording");
        assert_eq!((found.tracks.len(), found.cut_short), (2, Some(8)));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_said_is_said_again_in_its_time() {
        let file = recorded(&TWO);
        let track = Track { connection: 1, has_replies: false, begun: Duration::from_millis(1500) };
        for (speed, factor) in [(Some(1.0), 1), (Some(2.0), 2)] {
            let path = file.path().to_owned();
            let mut replay =
                Replay::new(path, track, Speed(speed), Kind::Binary, 3).expect("a thread");
            let begun = Instant::now();
            let said = replay.next().await.expect("a message");
            assert_eq!(said, Some(Message::text("uno")));
            assert_eq!(begun.elapsed(), Duration::from_millis(500) / factor);
            assert_eq!(replay.next().await.expect("the end"), None);
            assert_eq!(begun.elapsed(), Duration::from_millis(2500) / factor);
        }
    }

    #[test]
    fn no_time_and_no_speed_is_too_much() {
        let day = Duration::from_secs(86_400);
        assert_eq!(scaled(day, Speed(Some(1e-300))), TIME_MAX);
        assert_eq!(scaled(Duration::MAX, Speed(Some(1.0))), TIME_MAX);
        assert_eq!(scaled(day, Speed(None)), Duration::ZERO);
        assert_eq!(scaled(day, Speed(Some(f64::MAX))), Duration::ZERO);
    }
}
