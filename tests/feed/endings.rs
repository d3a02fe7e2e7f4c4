//! The server stops, starts again, or cannot start.

use std::io::Write as _;
use std::net::TcpListener;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::Feed;
use crate::common::http::ask;
use crate::common::reader::Wire;
use crate::harness::{run, signal};

/// The newest position, once the channel has `count` messages.
fn head(feed: &Feed, count: u64) -> String {
    loop {
        let list = ask(feed.address, "GET /channels", &["Host: localhost"]).body;
        let list: Value = serde_json::from_str(&list).expect("JSON");
        let head = list["channels"][0]["head"].as_str().expect("a position").to_owned();
        if head.ends_with(&format!("-{count}")) {
            return head;
        }
        sleep(Duration::from_millis(10));
    }
}

#[test]
fn asked_to_stop_it_tells_viewers_where_they_are_and_ends_well() {
    let mut feed = Feed::start(&[]);
    let readers = [Wire::Raw, Wire::V1].map(|wire| feed.reader(wire, "since=all"));
    let streams = [Wire::Events, Wire::NdJson].map(|wire| feed.reader(wire, "since=all"));
    // Its input stays open: the end of it would be an end of another kind.
    let mut input = feed.program.take_stdin();
    input.write_all(b"1\n2\n3\n").expect("it reads");
    let position = head(&feed, 3);
    assert_eq!(feed.program.stop().code, Some(0));
    let [raw, v1] = readers.map(|reader| reader.finish());
    assert_eq!(raw.close, Some((1001, position)));
    assert_eq!(v1.close.map(|(code, _)| code), Some(1001));
    let streams = streams.map(|reader| reader.finish().payloads);
    for payloads in [raw.payloads, v1.payloads].into_iter().chain(streams) {
        assert_eq!(payloads, ["1", "2", "3"]);
    }
}

#[test]
fn after_a_restart_an_old_position_is_answered_with_a_reset() {
    let mut before = Feed::start(&[]);
    before.program.write(b"1\n2\n3\n");
    let old = head(&before, 3);
    assert_eq!(before.program.stop().code, Some(0));

    let mut after = Feed::start(&["--exit-on-end"]);
    after.program.write(b"1\n2\n");
    head(&after, 2);
    let readers = [Wire::V1, Wire::Events, Wire::NdJson]
        .map(|wire| after.reader(wire, &format!("since={old}")));
    assert_eq!(after.program.end().code, Some(0));
    for reader in readers {
        let account = reader.finish();
        assert_eq!(account.gaps.iter().map(|gap| &gap.reason).collect::<Vec<_>>(), ["reset"]);
        assert_eq!(account.payloads, ["1", "2"], "from the oldest that there is");
    }
}

#[test]
fn a_port_that_is_taken_is_named_with_a_hint() {
    let other = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("http://{}", other.local_addr().expect("an address"));
    let ended = run(&["feed", "clock", "--listen", &address], b"");
    assert_eq!((ended.code, ended.text()), (Some(1), ""));
    assert!(ended.stderr.contains(&address) && ended.stderr.contains("\nhint: "), "{ended:?}");
}

#[test]
fn a_program_that_is_stopped_by_a_signal_is_told_as_such() {
    let feed = Feed::start(&["--exec", "--", "sh", "-c", "echo $$; exec sleep 60"]);
    let reader = feed.reader(Wire::V1, "since=all");
    head(&feed, 1);
    let page =
        ask(feed.address, "GET /channels/feed", &["Host: localhost", "Accept: application/json"]);
    let page: Value = serde_json::from_str(&page.body).expect("JSON");
    let id = page["items"][0]["data"].as_str().expect("text").parse().expect("a process id");
    signal(id, "KILL");
    let end = reader.finish().end.expect("it was told of the end");
    assert!(end.contains('9') || end.contains("KILL"), "{end}");
    assert_eq!(feed.program.stop().code, Some(0));
}
