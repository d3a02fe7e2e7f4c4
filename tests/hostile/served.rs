//! `enchufe serve` in a process of its own, whose memory is nobody else's.

use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, ChildStderr, Stdio},
};

use crate::{
    common::http::{UPGRADE, answer, connect, connect_small, head},
    harness::{Watchdog, enchufe, signal},
};

/// Whoever sends this may compress.
pub(crate) const DEFLATE: &str = "Sec-WebSocket-Extensions: permessage-deflate";

pub(crate) struct Served {
    child: Child,
    pub(crate) address: SocketAddr,
    _stderr: BufReader<ChildStderr>,
    _watchdog: Watchdog,
}

impl Served {
    /// Serves on a free port.
    pub(crate) fn start(service: &str) -> Self {
        let mut command = enchufe(&["serve", service, "ws://127.0.0.1:0", "--quiet"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.env("LC_ALL", "C").spawn().expect("the program starts");
        let watchdog = Watchdog::of(&child);
        let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
        let mut line = String::new();
        stderr.read_line(&mut line).expect("text");
        let address = line.trim().rsplit("ws://").next().and_then(|address| address.parse().ok());
        let address = address.unwrap_or_else(|| panic!("no address: {line}"));
        Self { child, address, _stderr: stderr, _watchdog: watchdog }
    }

    /// A client after its handshake, in which it sends these headers more.
    pub(crate) fn open(&self, more: &[&str]) -> TcpStream {
        shake_hands(connect(self.address), more)
    }

    /// A client for which the kernel reads next to nothing.
    pub(crate) fn open_small(&self) -> TcpStream {
        shake_hands(connect_small(self.address), &[])
    }

    /// What it has in memory, in bytes.
    #[cfg(target_os = "linux")]
    pub(crate) fn resident_bytes(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
        let kib: usize = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kib << 10
    }

    /// Stops it with SIGTERM, and checks that it ended well.
    pub(crate) fn stop(mut self) {
        signal(self.child.id(), "TERM");
        let status = self.child.wait().expect("a status");
        assert_eq!(status.code(), Some(0));
    }
}

fn shake_hands(mut stream: TcpStream, more: &[&str]) -> TcpStream {
    let headers = [&UPGRADE[..], &["Host: localhost"], more].concat();
    stream.write_all(&head("GET /", &headers)).expect("it is open");
    assert_eq!(answer(&mut stream).status, 101);
    stream
}
