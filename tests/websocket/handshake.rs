//! What a server answers to an opening handshake, and to what is none.

use std::time::Duration;

use enchufe::core::Message;
use enchufe::core::ws::Opcode;
use enchufe::guard::OriginPolicy;
use enchufe::limits;
use enchufe::transport::{BindOptions, Connection, OpenError, OpenOptions, ws::PageHandler};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::support::{
    HEAD, RawClient, address, echo, frame, listen, request, server_options, status,
};

#[tokio::test]
async fn the_answer_is_the_one_of_the_rfc() {
    let server = echo(None, &BindOptions::default()).await;
    let answer = request(server, format!("{HEAD}\r\n").as_bytes()).await.to_ascii_lowercase();
    assert!(answer.starts_with("http/1.1 101 switching protocols\r\n"), "{answer}");
    for field in [
        "\r\nupgrade: websocket\r\n",
        "\r\nconnection: upgrade\r\n",
        "\r\nsec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n",
    ] {
        assert!(answer.contains(field), "{field} is missing in {answer}");
    }
    assert!(!answer.contains("sec-websocket-protocol"), "{answer}");
}

#[tokio::test]
async fn every_path_is_served_when_the_address_names_none() {
    let server = echo(None, &BindOptions::default()).await;
    for path in ["/", "/any", "/any/where?a=b"] {
        let head = HEAD.replacen('/', path, 1);
        assert_eq!(status(&request(server, format!("{head}\r\n").as_bytes()).await), 101, "{path}");
    }
}

#[tokio::test]
async fn only_the_path_of_the_address_is_served_when_it_names_one() {
    let server = echo(Some("/chat"), &BindOptions::default()).await;
    for (path, expected) in [("/chat", 101), ("/chat?room=1", 101), ("/", 404), ("/chat/", 404)] {
        let head = HEAD.replacen('/', path, 1);
        let answer = request(server, format!("{head}\r\n").as_bytes()).await;
        assert_eq!(status(&answer), expected, "{path}: {answer}");
    }
}

#[tokio::test]
async fn the_first_offered_protocol_that_is_spoken_is_agreed_on() {
    let options = server_options(|ws| ws.protocols = vec!["b".to_owned(), "a".to_owned()]);
    let server = echo(None, &options).await;
    let head = format!("{HEAD}Sec-WebSocket-Protocol: x, a, b\r\n\r\n");
    let answer = request(server, head.as_bytes()).await;
    assert!(answer.contains("sec-websocket-protocol: a\r\n"), "{answer}");
}

#[tokio::test]
async fn what_is_no_handshake_is_told_what_is_missing_and_the_server_serves_on() {
    let server = echo(None, &BindOptions::default()).await;
    let without = |field: &str| {
        let lines = HEAD.split_inclusive("\r\n").filter(|line| !line.starts_with(field));
        lines.collect::<String>() + "\r\n"
    };
    for (head, expected, said) in [
        ("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(), 426, "Upgrade: websocket"),
        (without("Connection"), 426, "Connection: Upgrade"),
        (without("Sec-WebSocket-Version"), 426, "sec-websocket-version: 13"),
        (HEAD.replace(": 13", ": 8") + "\r\n", 426, "'8'"),
        (without("Sec-WebSocket-Key"), 400, "Sec-WebSocket-Key"),
        (HEAD.replace("dGhl", "!!!!") + "\r\n", 400, "Sec-WebSocket-Key"),
        (HEAD.replace("HTTP/1.1", "HTTP/1.0") + "\r\n", 400, "HTTP/1.1"),
        (HEAD.replace("GET", "POST") + "\r\n", 405, "allow: GET"),
        (format!("{HEAD}Content-Length: 3\r\n\r\nabc"), 400, "Content-Length"),
        (format!("{HEAD}Host: localhost\r\n\r\n"), 400, "host"),
        (without("Host"), 400, "Host"),
        (HEAD.replace("Host: localhost", "Host: a b") + "\r\n", 400, "'a b'"),
        ("hello\r\n\r\n".to_owned(), 400, ""),
        ("\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\r\n\r\n".to_owned(), 400, ""),
        (format!("GET / HTTP/1.1\r\nHost: localhost\r\n{}: x\r\n\r\n", "a b"), 400, ""),
    ] {
        let answer = request(server, head.as_bytes()).await;
        assert_eq!(status(&answer), expected, "{head}\n{answer}");
        assert!(answer.contains(said), "{said} is missing in {answer}");
    }
    RawClient::open(server).await;
}

#[tokio::test]
async fn a_head_beyond_the_bounds_is_refused() {
    let server = echo(None, &BindOptions::default()).await;
    let many = "a: b\r\n".repeat(limits::HTTP_HEADERS_MAX);
    let long = format!("a: {}\r\n", "b".repeat(limits::HTTP_HEADER_BYTES_MAX));
    for fields in [many, long] {
        let answer = request(server, format!("{HEAD}{fields}\r\n").as_bytes()).await;
        assert_eq!(status(&answer), 431, "{answer}");
    }
    RawClient::open(server).await;
}

#[tokio::test]
async fn a_loopback_server_answers_only_for_its_names() {
    let options = server_options(|ws| ws.host_names = vec!["feed.example".to_owned()]);
    let server = echo(None, &options).await;
    for (host, expected) in [
        ("localhost:80", 101),
        ("127.0.0.1", 101),
        ("[::1]:1", 101),
        ("feed.example", 101),
        ("attacker.example", 421),
        ("localhost.attacker.example", 421),
    ] {
        let head = HEAD.replace("Host: localhost", &format!("Host: {host}"));
        let answer = request(server, format!("{head}\r\n").as_bytes()).await;
        assert_eq!(status(&answer), expected, "{host}: {answer}");
    }
    // The host of the request line is the one that counts.
    let head = HEAD.replacen('/', "http://attacker.example/", 1);
    assert_eq!(status(&request(server, format!("{head}\r\n").as_bytes()).await), 421);
}

#[tokio::test]
async fn a_foreign_page_is_refused_unless_it_may_read_or_is_named() {
    let closed = echo(None, &BindOptions::default()).await;
    let open = echo(None, &server_options(|ws| ws.origin_policy = OriginPolicy::AnyMayRead)).await;
    let origin = "https://page.example".parse().expect("an origin");
    let named = echo(None, &server_options(|ws| ws.allowed_origins = vec![origin])).await;
    for (server, origin, expected) in [
        (closed, "http://localhost", 101),
        (closed, "https://page.example", 403),
        (closed, "null", 403),
        (open, "https://page.example", 101),
        (open, "null", 101),
        (named, "https://page.example", 101),
        (named, "https://other.example", 403),
        (named, "null", 403),
    ] {
        let head = format!("{HEAD}Origin: {origin}\r\n\r\n");
        let answer = request(server, head.as_bytes()).await;
        assert_eq!(status(&answer), expected, "{origin}: {answer}");
        assert!(!answer.to_ascii_lowercase().contains("access-control"), "{answer}");
    }
}

#[tokio::test]
async fn a_browser_that_comes_by_http_gets_the_page() {
    let page = PageHandler::new(|request| async move {
        let said = format!("<p>{} {}", request.method(), request.uri());
        hyper::Response::new(http_body_util::Full::from(said))
    });
    let server = echo(Some("/chat"), &server_options(|ws| ws.page = Some(page))).await;
    let head =
        |method: &str, host: &str| format!("{method} /page.js HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let answer = request(server, head("GET", "localhost").as_bytes()).await;
    assert!(answer.ends_with("<p>GET /page.js"), "{answer}");
    assert_eq!(status(&request(server, head("HEAD", "localhost").as_bytes()).await), 200);
    let http2 = head("GET", "localhost\r\nConnection: Upgrade\r\nUpgrade: h2c");
    assert_eq!(status(&request(server, http2.as_bytes()).await), 200);
    assert_eq!(status(&request(server, head("GET", "attacker.example").as_bytes()).await), 421);
    assert_eq!(status(&request(server, head("POST", "localhost").as_bytes()).await), 404);
    let upgrade = HEAD.replacen('/', "/chat", 1) + "\r\n";
    assert_eq!(status(&request(server, upgrade.as_bytes()).await), 101);
}

#[tokio::test]
async fn what_comes_right_behind_the_request_is_not_lost() {
    let server = echo(None, &BindOptions::default()).await;
    let mut stream = TcpStream::connect(server).await.expect("connect");
    let mut bytes = format!("{HEAD}\r\n").into_bytes();
    bytes.extend(frame(Opcode::Text, b"early"));
    stream.write_all(&bytes).await.expect("send");
    let mut answer = Vec::new();
    while !answer.ends_with(b"\x81\x05early") {
        assert!(stream.read_buf(&mut answer).await.expect("read") > 0, "{answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_too_long_over_its_head_is_disconnected() {
    let server = echo(None, &BindOptions::default()).await;
    let mut slow = TcpStream::connect(server).await.expect("connect");
    slow.write_all(b"GET / HTTP/1.1\r\nHost: local").await.expect("send");
    let begun = tokio::time::Instant::now();
    let mut answer = Vec::new();
    slow.read_to_end(&mut answer).await.expect("the end");
    assert!(begun.elapsed() <= limits::HANDSHAKE_TIMEOUT + Duration::from_secs(1));
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 408"), "{answer:?}");
}

#[tokio::test]
async fn a_slow_handshake_keeps_nobody_waiting() {
    let server = echo(None, &BindOptions::default()).await;
    let mut slow = TcpStream::connect(server).await.expect("connect");
    slow.write_all(b"GET / HTTP/1.1\r\n").await.expect("send");
    let mut prompt = RawClient::open(server).await;
    prompt.send(Opcode::Text, b"here").await;
    assert_eq!(prompt.frame().await, Some((0x81, b"here".to_vec())));
    slow.write_all(&HEAD.as_bytes()["GET / HTTP/1.1\r\n".len()..]).await.expect("send");
    slow.write_all(b"\r\n").await.expect("send");
    let mut answer = [0; 12];
    slow.read_exact(&mut answer).await.expect("the answer");
    assert_eq!(&answer, b"HTTP/1.1 101");
}

#[tokio::test(start_paused = true)]
async fn clients_beyond_the_bound_of_handshakes_wait_their_turn() {
    let server = echo(None, &BindOptions::default()).await;
    let mut idle = Vec::new();
    for _ in 0..limits::HANDSHAKES_MAX {
        idle.push(TcpStream::connect(server).await.expect("connect"));
    }
    let begun = tokio::time::Instant::now();
    let mut client = RawClient::open(server).await;
    assert!(begun.elapsed() >= limits::HANDSHAKE_TIMEOUT - Duration::from_secs(1));
    client.send(Opcode::Text, b"at last").await;
    assert_eq!(client.frame().await, Some((0x81, b"at last".to_vec())));
}

#[tokio::test]
async fn accepting_can_be_given_up_and_taken_up_again() {
    let (mut listener, server) = listen(None, &BindOptions::default()).await;
    let client = tokio::spawn(RawClient::open(server));
    while !client.is_finished() {
        // Each round gives the handshake a moment and drops the future.
        tokio::select! {
            biased;
            () = tokio::task::yield_now() => {}
            mut connection = listener.accept() => {
                let mut client = client.await.expect("the client");
                client.send(Opcode::Text, b"still here").await;
                let message = connection.recv().await.expect("recv");
                assert_eq!(message, Some(Message::text("still here")));
                return;
            }
        }
    }
    let mut client = client.await.expect("the client");
    let mut connection = listener.accept().await;
    client.send(Opcode::Text, b"still here").await;
    assert_eq!(connection.recv().await.expect("recv"), Some(Message::text("still here")));
}

#[tokio::test]
async fn our_client_is_told_the_status_and_why() {
    let server = echo(Some("/chat"), &BindOptions::default()).await;
    let opened =
        Connection::open(&address(server.port(), Some("/other")), &OpenOptions::default()).await;
    let error = opened.expect_err("nothing is served there");
    assert!(
        matches!(&error, OpenError::Refusal { refusal, .. } if refusal.status == 404),
        "{error:?}"
    );
    assert!(error.to_string().contains("nothing is served at /other"), "{error}");
}
