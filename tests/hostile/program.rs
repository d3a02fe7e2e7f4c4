//! The program itself, when its surroundings are unfriendly.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::SocketAddr,
    process::{Child, ChildStderr, Command, Stdio},
    time::Duration,
};

use serde_json::Value;

use crate::{
    common::http::{answer, ask, connect, head},
    harness::{Watchdog, enchufe, signal},
    support::{Form, TEXT, read_frame, view},
};

const HOST: &str = "Host: localhost";
const JSON: &str = "Accept: application/json";

/// `enchufe feed` on a free port.
struct Feed {
    child: Child,
    address: SocketAddr,
    /// What it has said so far.
    said: String,
    stderr: Option<BufReader<ChildStderr>>,
    _watchdog: Watchdog,
}

impl Feed {
    fn start(arguments: &[&str]) -> Self {
        let mut command = enchufe(&["feed", "--listen", "http://127.0.0.1:0"]);
        command.args(arguments).stdin(Stdio::piped());
        Self::start_command(command)
    }

    /// Runs it in a shell, where `$0` is the program and the arguments are added by the script.
    fn start_in_shell(script: &str) -> Self {
        let program = enchufe(&[]).get_program().to_owned();
        let mut command = Command::new("sh");
        command.arg("-c").arg(script).arg(program).stdin(Stdio::piped());
        Self::start_command(command)
    }

    fn start_command(mut command: Command) -> Self {
        command.env("LC_ALL", "C").stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let watchdog = Watchdog::of(&child);
        let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
        let mut said = String::new();
        let address = loop {
            let mut line = String::new();
            let count = stderr.read_line(&mut line).expect("text");
            assert!(count > 0, "it ended: {said}");
            said.push_str(&line);
            let url = line.split_whitespace().find_map(|word| word.strip_prefix("http://"));
            if let Some(url) = url.filter(|_| !line.contains("warning")) {
                break url.trim_end_matches('/').parse().expect("an address");
            }
        };
        Self { child, address, said, stderr: Some(stderr), _watchdog: watchdog }
    }

    fn write(&mut self, text: &str) {
        self.child.stdin.as_mut().expect("piped").write_all(text.as_bytes()).expect("it reads");
    }

    /// The newest message, once the channel has so many or has ended.
    fn newest(&self, offset: u64) -> Value {
        loop {
            let list = ask(self.address, "GET /channels", &[HOST]);
            let list: Value = serde_json::from_str(&list.body).expect("JSON");
            let channel = &list["channels"][0];
            let head = channel["head"].as_str().expect("a position");
            if head.ends_with(&format!("-{offset}")) || !channel["ended"].is_null() {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let page = ask(self.address, "GET /channels/feed?since=last:1", &[HOST, JSON]);
        serde_json::from_str(&page.body).expect("JSON")
    }

    /// Stops it with SIGTERM, checks that it ended well, and gives all it said.
    fn stop(mut self) -> String {
        signal(self.child.id(), "TERM");
        let mut said = std::mem::take(&mut self.said);
        if let Some(mut stderr) = self.stderr.take() {
            stderr.read_to_string(&mut said).expect("text");
        }
        assert!(!said.contains("panicked"), "{said}");
        assert_eq!(self.child.wait().expect("a status").code(), Some(0), "{said}");
        said
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        // It is gone already, unless the test has failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn descriptors_that_run_out_stop_nobody_who_is_there_and_come_back() {
    let mut feed =
        Feed::start_in_shell("ulimit -n 48; exec \"$0\" feed --listen http://127.0.0.1:0");
    let mut viewer = view(feed.address, Form::Raw);
    let crowd: Vec<_> = (0..100).map(|_| connect(feed.address)).collect();
    let mut waits = connect(feed.address);
    waits.write_all(&head("GET /channels", &[HOST])).expect("it is open");
    for number in 0..50 {
        feed.write(&format!("{number}\n"));
        let text = number.to_string().into_bytes();
        assert_eq!(read_frame(&mut viewer), Some((TEXT, text)));
    }
    drop(crowd);
    assert_eq!(answer(&mut waits).status, 200);
    drop((viewer, waits));
    feed.stop();
}

#[test]
fn a_program_that_has_closed_its_output_and_runs_on_does_not_keep_the_server() {
    let feed = Feed::start(&["--exec", "--", "sh", "-c", "exec >&-; exec sleep 1000"]);
    assert_eq!(ask(feed.address, "GET /channels", &[HOST]).status, 200);
    feed.stop();
}

#[test]
fn nobody_reading_what_the_server_says_does_not_end_it() {
    let mut feed = Feed::start(&["--log", "trace"]);
    feed.stderr = None;
    feed.write("one\ntwo\n");
    assert_eq!(feed.newest(2)["items"][0]["data"], "two");
    drop(view(feed.address, Form::V1));
    assert_eq!(ask(feed.address, "GET /none", &[HOST]).status, 404);
    feed.stop();
}

#[test]
fn closed_standard_streams_are_no_reason_to_fail() {
    let feed = Feed::start_in_shell("exec \"$0\" feed --listen http://127.0.0.1:0 <&- >&-");
    let page = feed.newest(1);
    assert_eq!(page["end"]["status"], "end of input");
    feed.stop();
}

#[test]
fn what_a_program_prints_is_cut_where_it_must_be_and_nothing_is_lost() {
    let script = "head -c 10000000 /dev/zero | tr '\\0' x; echo; printf '\\377\\001\\n'";
    let feed = Feed::start(&["--history-bytes", "100000000", "--exec", "--", "sh", "-c", script]);
    let newest = feed.newest(11);
    assert_eq!(newest["items"][0]["base64"], "/wE=");
    let (mut since, mut length) = ("all".to_owned(), 0);
    while length < 10_000_000 {
        let line = format!("GET /channels/feed?since={since}");
        let page = ask(feed.address, &line, &[HOST, JSON]);
        let page: Value = serde_json::from_str(&page.body).expect("JSON");
        since = page["next"].as_str().expect("a position").to_owned();
        for item in page["items"].as_array().expect("a list") {
            length += item["data"].as_str().map_or(0, str::len);
        }
    }
    assert_eq!(length, 10_000_000);
    feed.stop();
}

#[test]
fn a_listener_beyond_loopback_says_at_start_that_it_takes_no_posts_from_there() {
    let everywhere = |more: &[&str]| {
        let mut command = enchufe(&["feed", "clock", "--listen", "http://0.0.0.0:0"]);
        command.args(more).stdin(Stdio::null());
        Feed::start_command(command)
    };
    let said = everywhere(&[]).stop();
    assert!(said.contains("warning") && said.contains("--publish-token-file"), "{said}");
    let token = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(token.path(), "a-token-of-some-length").expect("room");
    let path = token.path().to_str().expect("text");
    let said = everywhere(&["--publish-token-file", path]).stop();
    assert!(!said.contains("--publish-token-file"), "{said}");
}

#[test]
fn nobody_reading_what_a_server_prints_keeps_it_from_serving() {
    let mut command = enchufe(&["serve", "echo", "tcp://127.0.0.1:0"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let _watchdog = Watchdog::of(&child);
    let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
    let mut said = String::new();
    stderr.read_line(&mut said).expect("text");
    let address = said.trim_end().rsplit("tcp://").next().expect("an address");
    let address: SocketAddr = address.parse().expect("an address");
    // A line each: more than the pipe and the queue behind it take.
    for _ in 0..8_000 {
        drop(connect(address));
    }
    let mut client = connect(address);
    client.write_all(b"hola").expect("it is open");
    let mut echo = [0; 4];
    client.read_exact(&mut echo).expect("an echo");
    drop(client);
    signal(child.id(), "TERM");
    stderr.read_to_string(&mut said).expect("text");
    assert!(said.contains("lines were not printed"), "{said}");
    assert_eq!(child.wait().expect("a status").code(), Some(0));
}
