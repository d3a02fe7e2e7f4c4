//! What a publisher repeats, what it gives up, and what it says then.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use enchufe::{
    client::{AttemptError, PublishOptions, Publisher, RetryObserver},
    core::{Kind, Message},
    limits,
    live::broker::ChannelOptions,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::{
    at,
    common::server::{Server, Setup, name},
    publishing,
};

const RECEIPT: &str = "HTTP/1.1 200 OK\r\nContent-Length: 47\r\n\r\n\
     {\"first\":\"a-1\",\"last\":\"a-1\",\"duplicate\":false}\n";

/// A request, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Asked {
    key: String,
    body: Vec<u8>,
}

/// A server that gives these answers, one after another, and keeps what it was asked. An empty
/// answer is none: the connection is closed.
async fn answering(answers: Vec<String>) -> (SocketAddr, Arc<Mutex<Vec<Asked>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
    let kept = Arc::clone(&asked);
    tokio::spawn(async move {
        let mut answers = answers.into_iter();
        loop {
            let (mut stream, _) = listener.accept().await.expect("a client");
            while let Some(request) = request(&mut stream).await {
                kept.lock().expect("no panic").push(request);
                let answer = answers.next().expect("no more requests than answers");
                stream.write_all(answer.as_bytes()).await.ok();
                if answer.is_empty() {
                    break;
                }
            }
        }
    });
    (address, asked)
}

async fn request(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let field = |name: &str| {
        let found = head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        found.unwrap_or_else(|| panic!("no {name} in {head}")).to_owned()
    };
    let length: usize = field("content-length").parse().expect("a length");
    let mut body = bytes.split_off(end);
    while body.len() < length {
        stream.read_buf(&mut body).await.ok()?;
    }
    Some(Asked { key: field("idempotency-key"), body })
}

fn status(status: &str) -> String {
    format!("HTTP/1.1 {status}\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n")
}

#[tokio::test]
async fn what_may_pass_is_repeated_under_the_same_key_until_it_is_acknowledged() {
    let answers = vec![
        status("503 Service Unavailable"),
        status("429 Too Many Requests"),
        status("504 Gateway Timeout"),
        String::new(),
        String::new(),
        status("502 Bad Gateway"),
        RECEIPT.to_owned(),
        RECEIPT.replace("a-1", "a-2"),
    ];
    let attempts = answers.len();
    let (address, asked) = answering(answers).await;
    let retries = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&retries);
    let mut options = publishing();
    options.observer = RetryObserver::new(move |_, _| *counted.lock().expect("no panic") += 1);
    let mut publisher = Publisher::new(&at(address), &name("feed"), options);
    let first = publisher.publish(&[Message::text("hola")]).await.expect("in the end");
    assert_eq!((first.last.to_string().as_str(), first.is_reset), ("a-1", false));
    publisher.publish(&[Message::text("hola")]).await.expect("at once");
    let asked = asked.lock().expect("no panic").clone();
    assert_eq!(asked.len(), attempts);
    assert!(asked[..attempts - 1].iter().all(|one| *one == asked[0]), "{asked:?}");
    assert_eq!(asked[0].body, b"hola");
    assert_ne!(asked[attempts - 1].key, asked[0].key, "another message has another key");
    assert_eq!(*retries.lock().expect("no panic"), attempts - 2);
}

#[tokio::test]
async fn what_does_not_pass_ends_at_once_and_says_whether_it_is_in_doubt() {
    let refused = |status: &str| {
        let body = r#"{"error":{"code":"x","message":"no"}}"#;
        format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    };
    for (answers, in_doubt) in [
        (vec![refused("401 Unauthorized")], false),
        (vec![refused("404 Not Found")], false),
        (vec![refused("413 Content Too Large")], false),
        (vec![refused("308 Permanent Redirect")], false),
        // Once a request may have arrived, no refusal of a later one says that it has not.
        (vec![String::new(), refused("401 Unauthorized")], true),
        (vec!["HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhola".to_owned()], true),
        (vec!["HTTP/1.1 204 No Content\r\n\r\n".to_owned()], true),
        (vec!["220 mail.example ESMTP\r\n".to_owned()], true),
    ] {
        let count = answers.len();
        let (address, asked) = answering(answers.clone()).await;
        let mut publisher = Publisher::new(&at(address), &name("feed"), publishing());
        let error = publisher.publish(&[Message::text("hola")]).await.expect_err("no");
        assert_eq!(error.is_in_doubt, in_doubt, "{answers:?}: {error:?}");
        assert_eq!(asked.lock().expect("no panic").len(), count, "{answers:?}");
    }
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_it() {
    let long = limits::RECEIPT_BYTES_MAX + 1;
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {long}\r\n\r\n{}", " ".repeat(long));
    let (address, _) = answering(vec![answer]).await;
    let mut publisher = Publisher::new(&at(address), &name("feed"), publishing());
    let error = publisher.publish(&[Message::text("hola")]).await.expect_err("no receipt");
    assert!(matches!(error.error, AttemptError::Nonsense(_)), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn what_may_have_arrived_is_repeated_only_as_long_as_its_key_is_surely_known() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    // It takes requests, and never answers.
    tokio::spawn(async move {
        let mut clients = Vec::new();
        while let Ok((client, _)) = listener.accept().await {
            clients.push(client);
        }
    });
    let mut options = PublishOptions::default();
    options.timeout = Duration::from_secs(24 * 60 * 60);
    let mut publisher = Publisher::new(&at(address), &name("feed"), options);
    let begun = tokio::time::Instant::now();
    let error = publisher.publish(&[Message::text("hola")]).await.expect_err("no answer");
    assert!(error.is_in_doubt && error.gave_up_after.is_some(), "{error:?}");
    assert!(begun.elapsed() <= limits::PUBLISH_DOUBT_MAX, "{:?}", begun.elapsed());
    let known = Duration::try_from(limits::IDEMPOTENCY_TIME).expect("positive");
    assert!(limits::PUBLISH_DOUBT_MAX < known);
}

#[tokio::test(flavor = "multi_thread")]
async fn any_messages_pass_unchanged_alone_and_in_a_batch() {
    let server = Server::start(ChannelOptions::default()).await;
    let mut publisher = Publisher::new(&at(server.address), &name("feed"), publishing());
    let messages = vec![
        Message::text(""),
        Message::text("ñ \"\\\" \r\n \u{0}\u{2028}"),
        Message::binary(&b"text"[..]),
        Message::binary(&b"\xff\0\n"[..]),
        Message::text("\u{1}".repeat(limits::PUBLISH_BYTES_MAX)),
    ];
    for message in &messages {
        publisher.publish(std::slice::from_ref(message)).await.expect("published");
    }
    let published = publisher.publish(&messages).await.expect("published");
    assert_eq!((published.first.offset, published.last.offset), (6, 10));
    let broker = server.node.broker();
    let start = broker.resolve(&name("feed"), "all".parse().expect("since")).await.expect("there");
    let limit = enchufe::live::broker::PageLimit { len_max: 100, bytes_max: usize::MAX };
    let page = broker.history(&name("feed"), start.after, limit).await.expect("there");
    let had: Vec<(Kind, Vec<u8>)> = page
        .items
        .iter()
        .map(|item| (item.message().kind, item.message().payload.to_vec()))
        .collect();
    let twice = [&messages[..], &messages[..]].concat();
    let expected: Vec<_> = twice.iter().map(|one| (one.kind, one.payload.to_vec())).collect();
    assert!(had == expected, "{} messages", had.len());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_log_is_told_with_what_may_be_in_both() {
    let server = Server::start(ChannelOptions::default()).await;
    let address = server.address;
    let mut publisher = Publisher::new(&at(address), &name("feed"), publishing());
    publisher.publish(&[Message::text("uno")]).await.expect("published");
    server.stop().await;
    let listen: &'static str = format!("http://{address}").leak();
    let server = Server::start_as(Setup { listen, ..Setup::default() }).await;
    let published = publisher.publish(&[Message::text("dos")]).await.expect("published");
    // The connection that was kept broke: whether before or behind the request nobody knows.
    assert!(published.is_reset && published.may_be_doubled, "{published:?}");
    let published = publisher.publish(&[Message::text("tres")]).await.expect("published");
    assert!(!published.is_reset && !published.may_be_doubled, "{published:?}");
    server.stop().await;
}
