//! `enchufe feed` as a whole: a real program on one end, readers of every wire form on the other,
//! and an account of every message between them.
#![cfg(unix)]

mod access;
#[path = "../common/mod.rs"]
mod common;
mod delivery;
mod endings;
#[allow(dead_code, unreachable_pub, reason = "this test binary uses a part of it")]
#[path = "../cli/harness.rs"]
mod harness;

use std::net::SocketAddr;

use common::reader::{Plan, Reader, Wire};
use harness::Running;

/// A running feed whose channel is `feed`.
struct Feed {
    program: Running,
    address: SocketAddr,
}

impl Feed {
    /// Starts it on a free port.
    fn start(arguments: &[&str]) -> Self {
        let program =
            Running::start(&[&["feed", "--listen", "http://127.0.0.1:0"], arguments].concat());
        let address = loop {
            let notice = program.notice();
            if let Some(url) = notice.trim_start().strip_prefix("page ") {
                let authority = url.trim().trim_start_matches("http://").trim_end_matches('/');
                break authority.parse().expect("an address");
            }
        };
        Self { program, address }
    }

    /// A reader that has begun when this returns.
    fn reader(&self, wire: Wire, query: &str) -> Reader {
        Reader::spawn(self.address, &Plan { wire, query: query.to_owned(), patient: false })
    }

    /// A reader that reads nothing before it is told to.
    fn patient_reader(&self, wire: Wire, query: &str) -> Reader {
        Reader::spawn(self.address, &Plan { wire, query: query.to_owned(), patient: true })
    }

    /// Waits until it says something like that.
    fn says(&self, words: &str) {
        while !self.program.notice().contains(words) {}
    }
}
