//! The command line.

use std::{net::SocketAddr, path::PathBuf, str::FromStr};

pub(crate) struct Options {
    pub(crate) address: SocketAddr,
    /// The server's process, on this machine.
    pub(crate) pid: Option<u32>,
    /// Where the server reads its lines from.
    pub(crate) publish: PathBuf,
    pub(crate) viewers: usize,
    /// Viewers besides, who read nothing.
    pub(crate) stuck: usize,
    pub(crate) payload_bytes: usize,
    /// Messages that are published at once.
    pub(crate) burst: usize,
    /// Bursts a second; without it, the next comes when everybody has the last.
    pub(crate) rate: Option<f64>,
    pub(crate) seconds: f64,
    pub(crate) warmup_seconds: f64,
    /// Whether one viewer more is pinged meanwhile.
    pub(crate) pings: bool,
    /// Connects, says so, and stays until standard input ends; publishes nothing.
    pub(crate) hold: bool,
}

impl Options {
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            address: SocketAddr::from(([127, 0, 0, 1], 9000)),
            pid: None,
            publish: PathBuf::new(),
            viewers: 1,
            stuck: 0,
            payload_bytes: 64,
            burst: 1,
            rate: None,
            seconds: 1.0,
            warmup_seconds: 0.2,
            pings: false,
            hold: false,
        };
        while let Some(name) = arguments.next() {
            match name.as_str() {
                "--pings" => options.pings = true,
                "--hold" => options.hold = true,
                _ => {
                    let text = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
                    options.set(&name, &text)?;
                }
            }
        }
        Ok(options)
    }

    fn set(&mut self, name: &str, text: &str) -> Result<(), String> {
        match name {
            "--address" => self.address = value(name, text)?,
            "--pid" => self.pid = Some(value(name, text)?),
            "--publish" => self.publish = text.into(),
            "--viewers" => self.viewers = value(name, text)?,
            "--stuck" => self.stuck = value(name, text)?,
            "--payload" => self.payload_bytes = value(name, text)?,
            "--burst" => self.burst = value(name, text)?,
            "--rate" => self.rate = Some(value(name, text)?),
            "--seconds" => self.seconds = value(name, text)?,
            "--warmup" => self.warmup_seconds = value(name, text)?,
            _ => return Err(format!("{name} is not an option")),
        }
        Ok(())
    }
}

fn value<T: FromStr>(name: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text} is not a value for {name}"))
}
