//! What is counted, against what happened.

use std::net::SocketAddr;

use enchufe::{core::Message, live::broker::ChannelOptions};
use serde_json::{Value, json};

use crate::{
    common::{
        http::ask,
        reader::{Account, Plan, Reader, WIRES, Wire, open},
        server::{Server, Setup, name},
    },
    exposition::{Metrics, scrape},
};

fn reader(address: SocketAddr, wire: Wire, query: &str, patient: bool) -> Reader {
    Reader::spawn(address, &Plan { wire, query: query.to_owned(), patient })
}

async fn joined(readers: Vec<Reader>) -> Vec<Account> {
    let joined =
        tokio::task::spawn_blocking(|| readers.into_iter().map(Reader::finish).collect::<Vec<_>>());
    joined.await.expect("no reader panics")
}

fn bytes_of_numbers(count: u64) -> f64 {
    (1..=count).map(|number| number.to_string().len()).sum::<usize>() as f64
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_are_counted_for_every_wire_form_and_stay_when_the_readers_have_gone() {
    const COUNT: u64 = 500;
    let server = Server::start(ChannelOptions::default()).await;
    let readers: Vec<Reader> =
        WIRES.iter().map(|wire| reader(server.address, *wire, "since=all", false)).collect();
    let watching = |metrics: &Metrics| {
        let viewers =
            |transport| [("channel", "feed"), ("transport", transport)].map(|l| l).to_vec();
        ["websocket", "http"].map(|t| metrics.value("enchufe_channel_viewers", &viewers(t)))
    };
    let metrics = Metrics::of(server.address);
    assert_eq!(watching(&metrics), [2.0, 2.0]);
    let kinds = ["sse", "ndjson", "websocket_raw", "websocket_v1"];
    for kind in kinds {
        assert_eq!(metrics.value("enchufe_connections", &[("kind", kind)]), 1.0, "{kind}");
    }
    // Both streams, and whoever asks.
    assert_eq!(metrics.value("enchufe_connections", &[("kind", "http")]), 3.0);
    assert_eq!(metrics.value("enchufe_viewers", &[]), 2.0);
    server.publish_numbers(COUNT).await;
    server.end().await;
    let accounts = joined(readers).await;
    let payloads: usize = accounts.iter().map(|account| account.payloads.len()).sum();
    assert_eq!(payloads as u64, 4 * COUNT);
    server.until("the readers are gone", |node| node.stats().unfinished == 0).await;
    let metrics = Metrics::of(server.address);
    assert_eq!(metrics.channel("enchufe_channel_deliveries_total", "feed"), payloads as f64);
    assert_eq!(metrics.channel("enchufe_channel_published_total", "feed"), COUNT as f64);
    let bytes = bytes_of_numbers(COUNT);
    assert_eq!(metrics.channel("enchufe_channel_published_bytes_total", "feed"), bytes);
    // Each number in a frame of its own with a head of two bytes, to the raw reader alone.
    let raw = bytes + 2.0 * COUNT as f64;
    assert!(metrics.channel("enchufe_channel_delivered_bytes_total", "feed") > raw);
    assert_eq!(metrics.channel("enchufe_channel_log_messages", "feed"), COUNT as f64);
    assert!(metrics.channel("enchufe_channel_log_bytes", "feed") >= bytes);
    assert_eq!(metrics.value("enchufe_publish_seconds_count", &[]), COUNT as f64);
    assert_eq!(metrics.sum("enchufe_channel_gaps_total"), 0.0);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bytes_of_raw_viewers_are_those_of_their_frames() {
    const COUNT: u64 = 100;
    let server = Server::start(ChannelOptions::default()).await;
    let readers = vec![reader(server.address, Wire::Raw, "since=all", false)];
    server.publish_numbers(COUNT).await;
    server.end().await;
    joined(readers).await;
    server.until("the reader is gone", |node| node.stats().viewers == 0).await;
    let frames = bytes_of_numbers(COUNT) + 2.0 * COUNT as f64;
    let metrics = Metrics::of(server.address);
    assert_eq!(metrics.channel("enchufe_channel_delivered_bytes_total", "feed"), frames);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gaps_are_counted_as_their_readers_were_told_of_them() {
    const COUNT: u64 = 30_000;
    let options = ChannelOptions { history_len_max: 500, ..ChannelOptions::default() };
    let server = Server::start(options).await;
    let stalled = [Wire::V1, Wire::Events, Wire::NdJson]
        .map(|wire| reader(server.address, wire, "since=all", true));
    server.publish_numbers(COUNT).await;
    server.end().await;
    let lagging = Metrics::of(server.address);
    assert!(lagging.channel("enchufe_channel_lagging", "feed") >= 1.0);
    assert!(lagging.channel("enchufe_channel_lag_messages", "feed") >= 1.0);
    assert!(lagging.sum("enchufe_shard_lagging") >= 1.0);
    let accounts = joined(Vec::from(stalled)).await;
    server.until("the readers are gone", |node| node.stats().unfinished == 0).await;
    let metrics = Metrics::of(server.address);
    let (mut gaps, mut missing, mut had) = (0, 0, 0);
    for account in &accounts {
        account.reconcile(COUNT);
        gaps += account.gaps.len();
        missing += account.gaps.iter().filter_map(|gap| gap.count).sum::<u64>();
        had += account.payloads.len();
    }
    assert!(gaps > 0, "nobody was slow");
    for reason in ["slow", "expired", "reset", "lost", "corrupt", "conflated"] {
        let told =
            |account: &Account| account.gaps.iter().filter(|gap| gap.reason == reason).count();
        let told: usize = accounts.iter().map(told).sum();
        let labels = [("channel", "feed"), ("reason", reason)];
        assert_eq!(metrics.value("enchufe_channel_gaps_total", &labels), told as f64, "{reason}");
    }
    assert_eq!(metrics.channel("enchufe_channel_skipped_total", "feed"), missing as f64);
    assert_eq!(metrics.channel("enchufe_channel_deliveries_total", "feed"), had as f64);
    assert_eq!(missing + had as u64, 3 * COUNT, "had or told that it is missing");
    assert_eq!(metrics.channel("enchufe_channel_lagging", "feed"), 0.0);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_out_for_who_wants_the_newest_only_is_counted() {
    const COUNT: u64 = 100_000;
    let server = Server::start(ChannelOptions::default()).await;
    let newest = reader(server.address, Wire::V1, "since=now&slow=latest", true);
    server.until("the viewer", |node| node.stats().unfinished == 1).await;
    server.publish_numbers(COUNT).await;
    server.end().await;
    let account = joined(vec![newest]).await.remove(0);
    account.reconcile(COUNT);
    server.until("the reader is gone", |node| node.stats().unfinished == 0).await;
    let metrics = Metrics::of(server.address);
    let told: u64 = account.gaps.iter().map(|gap| gap.count.unwrap_or(1)).sum();
    assert!(told > 0, "it kept up");
    assert_eq!(metrics.channel("enchufe_channel_conflated_total", "feed"), told as f64);
    let labels = [("channel", "feed"), ("reason", "conflated")];
    assert_eq!(metrics.value("enchufe_channel_gaps_total", &labels), account.gaps.len() as f64);
    assert_eq!(metrics.channel("enchufe_channel_skipped_total", "feed"), 0.0);
    let had = account.payloads.len() as f64;
    assert_eq!(metrics.channel("enchufe_channel_deliveries_total", "feed"), had);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_cut_is_counted_whatever_it_read_with() {
    for (wire, history_len_max) in [(Wire::Raw, 200_000), (Wire::NdJson, 500)] {
        let options = ChannelOptions { history_len_max, ..ChannelOptions::default() };
        let server = Server::start(options).await;
        let slow = reader(server.address, wire, "since=now&slow=cut", true);
        server.until("the reader", |node| node.stats().unfinished == 1).await;
        let padding = "x".repeat(100);
        for number in 1..=100_000 {
            server.publish(&format!("{number} {padding}")).await;
            if number % 64 == 0 {
                tokio::task::yield_now().await;
            }
        }
        let account = joined(vec![slow]).await.remove(0);
        assert!(account.payloads.len() < 100_000 && account.end.is_none(), "{wire:?} was cut");
        server.until("the reader is gone", |node| node.stats().unfinished == 0).await;
        let metrics = Metrics::of(server.address);
        assert_eq!(metrics.channel("enchufe_channel_cut_total", "feed"), 1.0, "{wire:?}");
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn counters_never_fall_while_readers_come_and_go() {
    let server = Server::start(ChannelOptions::default()).await;
    for _ in 0..20 {
        server.publish("x").await;
    }
    let counted = || Metrics::of(server.address).sum("enchufe_channel_deliveries_total");
    let address = server.address;
    let (mut before, mut expected) = (0.0, 0.0);
    for round in 0..20 {
        let wire = WIRES[round % WIRES.len()];
        let visit = tokio::task::spawn_blocking(move || {
            let plan = Plan { wire, query: "since=all".to_owned(), patient: false };
            had_of_one_who_leaves(address, &plan, 20);
        });
        visit.await.expect("the visitor is content");
        expected += 20.0;
        // What was handed to a socket is counted by then or soon.
        loop {
            let now = counted();
            assert!(now >= before, "{now} after {before}");
            before = now;
            if now >= expected {
                break;
            }
        }
        assert_eq!(before, expected);
    }
    server.stop().await;
}

/// Reads so many messages and leaves without a word.
fn had_of_one_who_leaves(address: SocketAddr, plan: &Plan, count: usize) {
    use std::io::{BufRead as _, BufReader, Write as _};
    let stream = std::net::TcpStream::connect(address).expect("it listens");
    let path = format!("/channels/feed?{}", plan.query);
    match plan.wire {
        Wire::Raw => {
            let mut socket = open(stream, &path, None);
            for _ in 0..count {
                socket.read().expect("a message");
            }
        }
        Wire::V1 => {
            let mut socket = open(stream, "/", Some("enchufe.v1"));
            let command = json!({ "subscribe": { "channel": "feed", "since": "all" } });
            socket.send(tungstenite::Message::text(command.to_string())).expect("open");
            for _ in 0..=count {
                socket.read().expect("an event");
            }
        }
        Wire::Events | Wire::NdJson => {
            let is_events = plan.wire == Wire::Events;
            let (accept, mark) = match is_events {
                true => ("text/event-stream", "data:"),
                false => ("application/x-ndjson", "\"data\""),
            };
            let head =
                format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept: {accept}\r\n\r\n");
            let mut stream = stream;
            stream.write_all(head.as_bytes()).expect("open");
            let mut left = count;
            for line in BufReader::new(stream).lines() {
                let line = line.expect("text");
                let is_message =
                    if is_events { line.starts_with(mark) } else { line.contains(mark) };
                left -= usize::from(is_message);
                if left == 0 {
                    return;
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_counted_by_its_code() {
    let server = Server::start(ChannelOptions::default()).await;
    for _ in 0..3 {
        let accept = ["Host: localhost", "Accept: application/json"];
        assert_eq!(ask(server.address, "GET /channels/none", &accept).status, 404);
    }
    assert_eq!(ask(server.address, "GET /nowhere", &["Host: localhost"]).status, 404);
    let address = server.address;
    let visit = tokio::task::spawn_blocking(move || {
        let stream = std::net::TcpStream::connect(address).expect("it listens");
        let mut socket = open(stream, "/", Some("enchufe.v1"));
        for command in [
            json!({ "unsubscribe": { "channel": "feed" } }),
            json!({ "subscribe": { "channel": "none" } }),
        ] {
            socket.send(tungstenite::Message::text(command.to_string())).expect("open");
            let event = socket.read().expect("an answer").into_text().expect("text");
            let event: Value = serde_json::from_str(&event).expect("JSON");
            assert!(event["error"]["code"].is_string(), "{event}");
        }
    });
    visit.await.expect("the viewer is content");
    let metrics = Metrics::of(server.address);
    for (code, count) in [("unknown_channel", 4.0), ("not_found", 1.0), ("not_subscribed", 1.0)] {
        assert_eq!(metrics.value("enchufe_refused_total", &[("code", code)]), count, "{code}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_has_the_same_numbers() {
    let name_of_it = "a\"b\\c d/é🦀{}=,#";
    let channels =
        vec![("feed", ChannelOptions::default()), (name_of_it, ChannelOptions::default())];
    let server = Server::start_as(Setup { channels, ..Setup::default() }).await;
    for _ in 0..7 {
        let message = vec![Message::text("siete")];
        let broker = server.node.broker();
        broker.publish(&name(name_of_it), message, None).await.expect("it is there");
    }
    let plain = scrape(server.address, "text/plain");
    let open = scrape(server.address, "application/openmetrics-text; version=1.0.0");
    let json = scrape(server.address, "application/json");
    assert_eq!(plain.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let open_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(open.header("content-type"), Some(open_type));
    assert!(open.body.ends_with("# EOF\n"));
    let (plain, open) = (Metrics::text(&plain), Metrics::open_metrics(&open));
    assert!(plain.names().eq(open.names()));
    for metric in plain.names().filter(|name| name.starts_with("enchufe_")) {
        assert_eq!(plain.samples(metric), open.samples(metric), "{metric}");
    }
    let json: Value = serde_json::from_str(&json.body).expect("JSON");
    let all = json["channels"].as_array().expect("channels");
    let one = all.iter().find(|one| one["name"] == name_of_it).expect("it is there");
    for (column, metric) in [
        ("published", "enchufe_channel_published_total"),
        ("published_bytes", "enchufe_channel_published_bytes_total"),
        ("log_messages", "enchufe_channel_log_messages"),
        ("log_bytes", "enchufe_channel_log_bytes"),
    ] {
        let value = plain.channel(metric, name_of_it);
        assert!(value > 0.0, "{metric}");
        assert_eq!(one[column].as_f64(), Some(value), "{column}");
    }
    assert_eq!(one["published_bytes"], 35);
    let times = json["publish"]["counts"].as_array().expect("counts").iter();
    assert_eq!(times.map(|count| count.as_u64().expect("a count")).sum::<u64>(), 7);
    // What Prometheus itself asks for.
    let accept =
        "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1";
    assert_eq!(scrape(server.address, accept).header("content-type"), Some(open_type));
    server.stop().await;
}
