//! The command line.

use std::net::SocketAddr;
use std::str::FromStr;

pub(crate) struct Options {
    pub(crate) address: SocketAddr,
    /// The server's process, on this machine.
    pub(crate) pid: Option<u32>,
    pub(crate) connections: usize,
    pub(crate) payload_bytes: usize,
    /// Frames written at once by a connection, and waited for together.
    pub(crate) in_flight: usize,
    pub(crate) kind: Kind,
    pub(crate) seconds: f64,
    pub(crate) warmup_seconds: f64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Binary,
    /// No WebSocket at all, but the bytes as they are.
    Bytes,
}

impl Options {
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            address: SocketAddr::from(([127, 0, 0, 1], 9000)),
            pid: None,
            connections: 1,
            payload_bytes: 64,
            in_flight: 1,
            kind: Kind::Text,
            seconds: 1.0,
            warmup_seconds: 0.2,
        };
        while let Some(name) = arguments.next() {
            let text = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
            match name.as_str() {
                "--address" => options.address = value(&name, &text)?,
                "--pid" => options.pid = Some(value(&name, &text)?),
                "--connections" => options.connections = value(&name, &text)?,
                "--payload" => options.payload_bytes = value(&name, &text)?,
                "--in-flight" => options.in_flight = value(&name, &text)?,
                "--kind" => options.kind = value(&name, &text)?,
                "--seconds" => options.seconds = value(&name, &text)?,
                "--warmup" => options.warmup_seconds = value(&name, &text)?,
                _ => return Err(format!("{name} is not an option")),
            }
        }
        Ok(options)
    }
}

impl FromStr for Kind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "text" => Ok(Self::Text),
            "binary" => Ok(Self::Binary),
            "bytes" => Ok(Self::Bytes),
            _ => Err(()),
        }
    }
}

fn value<T: FromStr>(name: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text} is not a value for {name}"))
}
