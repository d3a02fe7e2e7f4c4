//! The delivery contract: every reader of every wire form has every message in order, or is told
//! exactly which it has not.

mod common;

use std::time::Duration;

use common::{
    reader::{Plan, Reader, WIRES, Wire},
    server::{Server, Setup, name},
};
use enchufe::{
    core::{SlowChoices, SlowPolicy},
    live::{NodeOptions, Patience, broker::ChannelOptions},
};

/// Longer than any test needs.
const LONG: Duration = Duration::from_secs(30);

fn plan(wire: Wire, query: &str) -> Plan {
    Plan { wire, query: query.to_owned(), patient: false }
}

fn kept(history_len_max: usize) -> ChannelOptions {
    ChannelOptions { history_len_max, ..ChannelOptions::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_of_any_form_who_was_there_before_has_everything() {
    readers_of_any_form_have_everything(kept(200_000)).await;
}

/// Readers of every form, there before the first message and of no slow kind, miss nothing.
async fn readers_of_any_form_have_everything(options: ChannelOptions) {
    let server = Server::start(options).await;
    let readers: Vec<Reader> = WIRES
        .iter()
        .flat_map(|&wire| [plan(wire, "since=now"), plan(wire, "since=all")])
        .map(|plan| Reader::spawn(server.address, &plan))
        .collect();
    server.until("the viewers", |node| node.stats().viewers == 4).await;
    server.until("the readers", |node| node.stats().unfinished == 8).await;
    server.publish_numbers(100_000).await;
    server.end().await;
    let accounts =
        tokio::task::spawn_blocking(|| readers.into_iter().map(Reader::finish).collect::<Vec<_>>());
    for account in accounts.await.expect("readers do not panic") {
        assert_eq!(account.gaps, [], "nobody was slow");
        assert_eq!(account.payloads.len(), 100_000);
        account.reconcile(100_000);
        assert!(account.end.is_some());
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_is_told_exactly_what_it_missed() {
    let server = Server::start(kept(1_000)).await;
    let slow: Vec<Reader> = [Wire::V1, Wire::Events, Wire::NdJson]
        .iter()
        .map(|&wire| Plan { patient: true, ..plan(wire, "since=all") })
        .map(|plan| Reader::spawn(server.address, &plan))
        .collect();
    server.until("the readers", |node| node.stats().unfinished == 3).await;
    server.publish_numbers(100_000).await;
    server.end().await;
    let accounts =
        tokio::task::spawn_blocking(|| slow.into_iter().map(Reader::finish).collect::<Vec<_>>());
    for account in accounts.await.expect("readers do not panic") {
        assert!(!account.gaps.is_empty(), "100,000 messages do not fit into the kernel");
        for gap in &account.gaps {
            assert_eq!(gap.count, Some(gap.next - gap.after - 1));
        }
        account.reconcile(100_000);
        assert_eq!(account.end.as_deref(), Some("exit 0"));
    }
    server.stop().await;
}

/// A history that is much shorter than what is published, and publishers who wait for readers.
fn waited_for(patience: Duration) -> ChannelOptions {
    ChannelOptions { patience, ..kept(1_000) }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_publishers_wait_a_reader_of_any_form_has_everything() {
    readers_of_any_form_have_everything(waited_for(LONG)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_for_which_publishers_have_waited_too_long_is_told_what_it_missed_and_it_alone() {
    let server = Server::start(waited_for(Duration::from_secs(2))).await;
    let spawn = |wire, patient| {
        let plan = Plan { patient, ..plan(wire, "since=now") };
        Reader::spawn(server.address, &plan)
    };
    let stuck: Vec<Reader> =
        [Wire::V1, Wire::Events, Wire::NdJson].map(|wire| spawn(wire, true)).into();
    let others: Vec<Reader> = WIRES.map(|wire| spawn(wire, false)).into();
    server.until("the readers", |node| node.stats().unfinished == 7).await;
    server.publish_numbers(100_000).await;
    server.end().await;
    let finish = |readers: Vec<Reader>| {
        tokio::task::spawn_blocking(|| readers.into_iter().map(Reader::finish).collect::<Vec<_>>())
    };
    for account in finish(others).await.expect("readers do not panic") {
        assert_eq!(account.gaps, []);
        account.reconcile(100_000);
    }
    for account in finish(stuck).await.expect("readers do not panic") {
        assert!(!account.gaps.is_empty(), "100,000 messages do not fit into the kernel");
        account.reconcile(100_000);
    }
    server.stop().await;
}

/// Readers may have publishers wait for them.
fn blockable(patience: Duration) -> ChannelOptions {
    let slow_allowed = SlowChoices::default().with(SlowPolicy::Block);
    ChannelOptions { slow_allowed, ..waited_for(patience) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_of_any_form_who_blocks_publishers_has_everything() {
    let server = Server::start(blockable(Duration::ZERO)).await;
    let readers: Vec<Reader> =
        WIRES.map(|wire| Reader::spawn(server.address, &plan(wire, "since=now&slow=block"))).into();
    server.until("the readers", |node| node.stats().unfinished == 4).await;
    server.publish_numbers(100_000).await;
    server.end().await;
    let finish = || readers.into_iter().map(Reader::finish).collect::<Vec<_>>();
    for account in tokio::task::spawn_blocking(finish).await.expect("readers do not panic") {
        assert_eq!(account.gaps, [], "it was waited for");
        assert_eq!(account.payloads.len(), 100_000);
        account.reconcile(100_000);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_of_any_form_who_blocks_publishers_for_too_long_is_cut() {
    let server = Server::start(blockable(Duration::from_secs(2))).await;
    let stuck: Vec<Reader> = WIRES
        .map(|wire| {
            let plan = Plan { patient: true, ..plan(wire, "since=now&slow=block") };
            Reader::spawn(server.address, &plan)
        })
        .into();
    server.until("the readers", |node| node.stats().unfinished == 4).await;
    let padding = "x".repeat(100);
    for number in 1..=50_000 {
        server.publish(&format!("{number} {padding}")).await;
    }
    server.end().await;
    let finish = || stuck.into_iter().map(Reader::finish).collect::<Vec<_>>();
    let accounts = tokio::task::spawn_blocking(finish).await.expect("readers do not panic");
    for (wire, account) in WIRES.iter().zip(accounts) {
        assert!(account.payloads.len() < 50_000, "{wire:?} has not read");
        assert_eq!((&account.gaps[..], &account.end), (&[][..], &None), "{wire:?} is cut");
        for (index, payload) in account.payloads.iter().enumerate() {
            assert!(payload.starts_with(&format!("{} ", index + 1)), "{wire:?}: {payload}");
        }
        if matches!(wire, Wire::Raw | Wire::V1) {
            assert_eq!(account.close.expect("it is told").0, 4001, "{wire:?}");
        }
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_that_asked_for_it_is_cut_with_the_position_to_resume_after() {
    let server = Server::start(ChannelOptions { slow: SlowPolicy::Cut, ..kept(200_000) }).await;
    let reader =
        Reader::spawn(server.address, &Plan { patient: true, ..plan(Wire::Raw, "since=now") });
    server.until("the viewer", |node| node.stats().unfinished == 1).await;
    let padding = "x".repeat(100);
    server.publish(&format!("1 {padding}")).await;
    server.until("the first delivery", |node| node.stats().delivered == 1).await;
    for number in 2..=100_000 {
        server.publish(&format!("{number} {padding}")).await;
        if number % 64 == 0 {
            tokio::task::yield_now().await;
        }
    }
    // Nothing more is sent to a reader that reads nothing, so nothing tells when it is cut but
    // its own reading on.
    let account = tokio::task::spawn_blocking(|| reader.finish()).await.expect("it read");
    let (code, reason) = account.close.clone().expect("it was cut");
    assert_eq!(code, 4001);
    let had = account.payloads.len();
    assert!(had < 100_000);
    let resumed = common::reader::get(
        server.address,
        &format!("/channels/feed?since={reason}&limit=1"),
        "Accept: application/json\r\n",
    );
    let next: serde_json::Value = serde_json::from_str(&resumed.2).expect("JSON");
    let data = next["items"][0]["data"].as_str().expect("the next message").to_owned();
    assert_eq!(data, format!("{} {padding}", had + 1), "it resumes where it was cut");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_of_the_newest_only_is_told_what_was_left_out() {
    let server = Server::start(kept(200_000)).await;
    let reader = Reader::spawn(
        server.address,
        &Plan { patient: true, ..plan(Wire::V1, "since=now&slow=latest") },
    );
    server.until("the viewer", |node| node.stats().unfinished == 1).await;
    server.publish_numbers(100_000).await;
    server.end().await;
    let account = tokio::task::spawn_blocking(|| reader.finish()).await.expect("it read");
    assert!(account.gaps.iter().all(|gap| gap.reason == "conflated") && !account.gaps.is_empty());
    account.reconcile(100_000);
    assert_eq!(account.payloads.last().map(String::as_str), Some("100000"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_reader_gets_the_history_and_one_who_returns_goes_on_where_it_stopped() {
    let server = Server::start(kept(1_000)).await;
    server.publish_numbers(50).await;
    let middle = server.publish("51").await;
    for number in 52..=100 {
        server.publish(&number.to_string()).await;
    }
    server.end().await;
    for wire in WIRES {
        for (query, first) in [
            ("since=all".to_owned(), 1),
            ("since=last:10".to_owned(), 91),
            (format!("since={middle}"), 52),
            ("since=-1h".to_owned(), 1),
        ] {
            let reader = Reader::spawn(server.address, &plan(wire, &query));
            let account = tokio::task::spawn_blocking(|| reader.finish()).await.expect("it read");
            let expected: Vec<String> = (first..=100).map(|n: u64| n.to_string()).collect();
            assert_eq!(account.payloads, expected, "{wire:?} {query}");
            assert_eq!(account.gaps, [], "{wire:?} {query}");
            assert!(account.end.is_some(), "{wire:?} {query}");
        }
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_that_has_expired_or_belongs_to_another_log_is_a_gap() {
    let server = Server::start(kept(10)).await;
    let first = server.publish("1").await;
    for number in 2..=100 {
        server.publish(&number.to_string()).await;
    }
    server.end().await;
    let ahead = enchufe::core::Position { offset: 101, ..first };
    let foreign = enchufe::core::Position::new(enchufe::core::Epoch(7), 3);
    for wire in [Wire::V1, Wire::Events, Wire::NdJson] {
        for (since, reason, after, count) in [
            (first, "expired", 1, Some(89)),
            (ahead, "reset", 101, None),
            (foreign, "reset", 3, None),
        ] {
            let reader = Reader::spawn(server.address, &plan(wire, &format!("since={since}")));
            let account = tokio::task::spawn_blocking(|| reader.finish()).await.expect("it read");
            let [gap] = account.gaps.as_slice() else { panic!("{wire:?} {account:?}") };
            assert_eq!((gap.reason.as_str(), gap.after, gap.count), (reason, after, count));
            assert_eq!(gap.next, 91);
            assert_eq!(account.payloads.len(), 10);
        }
    }
    // A raw reader cannot be told in band: it is closed with where to go on.
    let reader = Reader::spawn(server.address, &plan(Wire::Raw, &format!("since={first}")));
    let account = tokio::task::spawn_blocking(|| reader.finish()).await.expect("it read");
    let resume = enchufe::core::Position { offset: 90, ..first };
    assert_eq!(account.close, Some((4002, resume.to_string())));
    assert_eq!(account.payloads, [""; 0]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn resuming_at_the_end_of_an_ended_channel_is_answered_with_204() {
    let server = Server::start(kept(10)).await;
    let last = server.publish("1").await;
    server.end().await;
    for headers in [
        format!("Accept: text/event-stream\r\nLast-Event-ID: {last}\r\n"),
        "Accept: text/event-stream\r\nLast-Event-ID: \r\n".to_owned(),
    ] {
        let (status, _, body) = common::reader::get(server.address, "/channels/feed", &headers);
        if headers.contains(&last.to_string()) {
            assert_eq!(status, "HTTP/1.0 204 No Content");
        } else {
            assert!(body.contains("event: end"), "{status} {body}");
        }
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_is_up_to_date_is_told_where_it_stands_with_every_ping() {
    let patience = Patience { ping_interval: Duration::from_millis(50), ..Patience::default() };
    let node = NodeOptions { patience, ..NodeOptions::default() };
    let server = Server::start_as(Setup { node, ..Setup::default() }).await;
    let position = server.publish("1").await.to_string();
    let address = server.address;
    let told = tokio::task::spawn_blocking(move || {
        let stream = std::net::TcpStream::connect(address).expect("it listens");
        let mut socket = common::reader::open(stream, "/", Some("enchufe.v1"));
        let subscribe = r#"{"subscribe":{"channel":"feed","since":"all"}}"#;
        socket.send(tungstenite::Message::text(subscribe)).expect("it is open");
        let events = std::iter::repeat_with(|| socket.read().expect("it is open"))
            .filter(tungstenite::Message::is_text);
        let events = events.map(|event| event.into_text().expect("text").to_string());
        events.skip_while(|event| !event.starts_with("{\"position\"")).take(2).collect::<Vec<_>>()
    });
    let heartbeat =
        serde_json::json!({ "position": { "channel": "feed", "position": position } }).to_string();
    assert_eq!(told.await.expect("it reads"), [heartbeat.clone(), heartbeat]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_tells_raw_viewers_where_to_resume() {
    let server = Server::start(kept(10)).await;
    let reader = Reader::spawn(server.address, &plan(Wire::Raw, "since=all"));
    server.until("the viewer", |node| node.stats().unfinished == 1).await;
    let last = server.publish("1").await;
    server.until("the delivery", |node| node.stats().delivered == 1).await;
    server.stop().await;
    let account = tokio::task::spawn_blocking(|| reader.finish()).await.expect("it read");
    assert_eq!(account.close, Some((1001, last.to_string())));
}

#[tokio::test(flavor = "multi_thread")]
async fn publishing_answers_with_positions_and_repeats_itself_for_the_same_key() {
    let server = Server::start(kept(10)).await;
    let post = |headers: &str, body: &str| {
        let (headers, body, address) = (headers.to_owned(), body.to_owned(), server.address);
        tokio::task::spawn_blocking(move || {
            common::reader::post(address, "/channels/feed", &headers, body.as_bytes())
        })
    };
    let (status, first) = post("Idempotency-Key: k\r\n", "uno").await.expect("it answers");
    assert_eq!(status, "HTTP/1.0 200 OK");
    let (_, again) = post("Idempotency-Key: k\r\n", "uno").await.expect("it answers");
    assert_eq!(again.replace("true", "false"), first);
    let (status, _) = post("Idempotency-Key: k\r\n", "dos").await.expect("it answers");
    assert_eq!(status, "HTTP/1.0 422 Unprocessable Entity");
    let batch = "Content-Type: application/x-ndjson\r\n";
    let (status, answer) = post(batch, "1\n\"2\"\n{oops\n").await.expect("it answers");
    assert!(status.starts_with("HTTP/1.0 400") && answer.contains("line 3"), "{answer}");
    let (_, answer) = post(batch, "1\n\n\"2\"\n").await.expect("it answers");
    let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!(common::reader::offset(&answer["first"]), 2);
    assert_eq!(common::reader::offset(&answer["last"]), 3);
    let state = server.node.broker().state(&name("feed")).expect("it is there");
    assert_eq!(state.head.offset, 3, "nothing of what was refused was published");
    server.stop().await;
}
