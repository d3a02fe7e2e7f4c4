//! The lines of a recording, as JSON has them.

use std::{borrow::Cow, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Direction, Entry, Header, Kind, VERSION, What};

/// What stands under `enchufe` in the first line.
const MARK: &str = "recording";

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct First<'a> {
    #[serde(borrow)]
    enchufe: Cow<'a, str>,
    version: u32,
    #[serde(borrow)]
    started: Cow<'a, str>,
    #[serde(borrow)]
    from: Cow<'a, str>,
    #[serde(borrow)]
    to: Cow<'a, str>,
}

/// Why a first line is not one.
pub(super) enum NotFirst {
    /// It is something else.
    Other,
    /// A recording of another version.
    Version(u32),
}

impl<'a> From<&'a Header> for First<'a> {
    fn from(header: &'a Header) -> Self {
        Self {
            enchufe: MARK.into(),
            version: VERSION,
            started: format!("{:.6}", header.started).into(),
            from: (&header.from).into(),
            to: (&header.to).into(),
        }
    }
}

impl TryFrom<First<'_>> for Header {
    type Error = NotFirst;

    fn try_from(first: First<'_>) -> Result<Self, NotFirst> {
        if first.enchufe != MARK {
            return Err(NotFirst::Other);
        }
        if first.version != VERSION {
            return Err(NotFirst::Version(first.version));
        }
        Ok(Self {
            started: first.started.parse().map_err(|_| NotFirst::Other)?,
            from: first.from.into_owned(),
            to: first.to.into_owned(),
        })
    }
}

/// Any other line.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Line<'a> {
    t: Option<f64>,
    conn: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dir: Option<Dir>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<KindName>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    text: Option<Cow<'a, str>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    base64: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<EventName>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    peer: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    reason: Option<Cow<'a, str>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    error: Option<Cow<'a, str>>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum Dir {
    #[serde(rename = ">")]
    Forth,
    #[serde(rename = "<")]
    Back,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum KindName {
    Text,
    Binary,
    Bytes,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum EventName {
    Open,
    End,
    Close,
}

impl From<Direction> for Dir {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Forth => Self::Forth,
            Direction::Back => Self::Back,
        }
    }
}

impl From<Dir> for Direction {
    fn from(dir: Dir) -> Self {
        match dir {
            Dir::Forth => Self::Forth,
            Dir::Back => Self::Back,
        }
    }
}

impl<'a> From<&'a Entry> for Line<'a> {
    fn from(entry: &'a Entry) -> Self {
        let line =
            Self { t: Some(seconds(entry.at)), conn: Some(entry.connection), ..Self::default() };
        match &entry.what {
            What::Payload { direction, kind, payload } => {
                let (text, base64) = match std::str::from_utf8(payload) {
                    Ok(text) => (Some(text.into()), None),
                    Err(_) => (None, Some(BASE64_STANDARD.encode(payload).into())),
                };
                let kind = match kind {
                    Kind::Text => KindName::Text,
                    Kind::Binary => KindName::Binary,
                    Kind::Bytes => KindName::Bytes,
                };
                Self { dir: Some((*direction).into()), kind: Some(kind), text, base64, ..line }
            }
            What::Open { peer } => {
                Self { event: Some(EventName::Open), peer: Some(peer.into()), ..line }
            }
            What::End { direction } => {
                Self { dir: Some((*direction).into()), event: Some(EventName::End), ..line }
            }
            What::Close { direction, code, reason, error } => Self {
                dir: direction.map(Dir::from),
                event: Some(EventName::Close),
                code: *code,
                reason: (!reason.is_empty()).then(|| reason.into()),
                error: error.as_ref().map(Cow::from),
                ..line
            },
        }
    }
}

/// Whole microseconds, in seconds. Divided once, it is the number nearest to six decimals and is
/// written with no more of them; the sum of seconds and their fraction is not always that.
fn seconds(time: Duration) -> f64 {
    time.as_micros() as f64 / 1e6
}

impl Line<'_> {
    /// What the line says, or what is wrong with it.
    pub(super) fn entry(self) -> Result<Entry, &'static str> {
        let seconds = self.t.ok_or("it has no time under \"t\"")?;
        let at = Duration::try_from_secs_f64(seconds).map_err(|_| "its \"t\" is no time")?;
        // Nanoseconds would only be what binary fractions make of decimal ones.
        let at = Duration::from_micros(
            u64::try_from((at + Duration::from_nanos(500)).as_micros())
                .map_err(|_| "its \"t\" is no time")?,
        );
        let connection = self.conn.ok_or("it has no connection under \"conn\"")?;
        let what = match (self.kind, self.event) {
            (Some(kind), None) => self.payload(kind)?,
            (None, Some(EventName::Open)) => {
                What::Open { peer: self.peer.unwrap_or_default().into_owned() }
            }
            (None, Some(EventName::End)) => {
                What::End { direction: self.dir.ok_or("it has no direction under \"dir\"")?.into() }
            }
            (None, Some(EventName::Close)) => What::Close {
                direction: self.dir.map(Direction::from),
                code: self.code,
                reason: self.reason.unwrap_or_default().into_owned(),
                error: self.error.map(Cow::into_owned),
            },
            _ => return Err("it has neither a \"kind\" nor an \"event\", or both"),
        };
        Ok(Entry { at, connection, what })
    }

    fn payload(self, kind: KindName) -> Result<What, &'static str> {
        let direction = self.dir.ok_or("it has no direction under \"dir\"")?.into();
        let payload: Bytes = match (self.text, self.base64) {
            (Some(text), None) => text.into_owned().into(),
            (None, Some(base64)) => {
                let decoded = BASE64_STANDARD.decode(base64.as_bytes());
                decoded.map_err(|_| "its \"base64\" is no Base64")?.into()
            }
            _ => return Err("it has neither \"text\" nor \"base64\", or both"),
        };
        let kind = match kind {
            KindName::Text if std::str::from_utf8(&payload).is_err() => {
                return Err("its text is no UTF-8");
            }
            KindName::Text => Kind::Text,
            KindName::Binary => Kind::Binary,
            KindName::Bytes => Kind::Bytes,
        };
        Ok(What::Payload { direction, kind, payload })
    }
}
