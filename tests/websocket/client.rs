//! Our client against another server, and against what is none.

use enchufe::core::Message;
use enchufe::transport::{Connection, OpenError, OpenOptions};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::Duration;

use super::support::{LONG, address};

/// Gives the first client `answer`, whatever it asks, and keeps the connection open if told to.
async fn answering(answer: &'static [u8], keep_open: bool) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("accept");
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(stream.read_u8().await.expect("the request"));
        }
        stream.write_all(answer).await.expect("answer");
        if keep_open {
            std::future::pending::<()>().await;
        }
    });
    port
}

async fn refused(port: u16, options: &OpenOptions) -> OpenError {
    let address = address(port, Some("/chat?x=1"));
    let opening = Connection::open(&address, options);
    tokio::time::timeout(LONG, opening).await.expect("in time").expect_err("no WebSocket")
}

#[tokio::test]
#[expect(clippy::result_large_err, reason = "the callback's type is tungstenite's")]
async fn another_server_understands_us() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let server = tokio::task::spawn_blocking(move || {
        let (stream, _) = listener.accept().expect("accept");
        let mut asked = None;
        let callback =
            |request: &tungstenite::handshake::server::Request,
             mut response: tungstenite::handshake::server::Response| {
                let headers = request.headers();
                asked = Some((
                    request.uri().to_string(),
                    headers["host"].clone(),
                    headers["origin"].clone(),
                ));
                let protocol = tungstenite::http::HeaderValue::from_static("b");
                response.headers_mut().insert("sec-websocket-protocol", protocol);
                Ok(response)
            };
        let mut server = tungstenite::accept_hdr(stream, callback).expect("handshake");
        while let Ok(message) = server.read() {
            if message.is_text() || message.is_binary() {
                server.send(message).expect("send");
            }
        }
        asked.expect("a request")
    });

    let mut options = OpenOptions::default();
    options.ws.protocols = vec!["a".to_owned(), "b".to_owned()];
    options.ws.origin = Some("https://page.example".to_owned());
    let mut client =
        Connection::open(&address(port, Some("/chat?x=1")), &options).await.expect("open");
    for len in [0, 1, 125, 126, 65_535, 65_536, 1 << 20] {
        for message in [Message::text("a".repeat(len)), Message::binary(vec![0xfe; len])] {
            client.send(message.clone()).await.expect("send");
            assert_eq!(client.recv().await.expect("recv"), Some(message), "{len}");
        }
    }
    let reason = enchufe::core::ws::CloseReason::new(enchufe::core::ws::CloseCode::NORMAL, "done");
    client.close(reason).await.expect("close");
    let (uri, host, origin) = server.await.expect("the server");
    assert_eq!(uri, "/chat?x=1");
    assert_eq!(host, format!("127.0.0.1:{port}"));
    assert_eq!(origin, "https://page.example");
}

#[tokio::test]
async fn a_refusal_carries_its_status_and_the_beginning_of_its_text() {
    let port = answering(
        b"HTTP/1.1 403 Forbidden\r\nContent-Length: 30\r\n\r\nnot \x1b[31mfrom there\nand more....",
        false,
    )
    .await;
    let error = refused(port, &OpenOptions::default()).await;
    let text = error.to_string();
    assert!(
        matches!(&error, OpenError::Refusal { refusal, .. } if refusal.status == 403),
        "{error:?}"
    );
    assert!(text.contains("403") && text.contains("not \\u{1b}[31mfrom there"), "{text}");
    assert!(text.contains("/chat?x=1") && !text.contains("and more"), "{text}");
}

#[tokio::test]
async fn an_answer_that_opens_nothing_is_no_connection() {
    for (answer, said) in [
        (&b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"[..], "200"),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
          Sec-WebSocket-Accept: wrong\r\n\r\n",
            "Sec-WebSocket-Accept",
        ),
        (b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n", "Upgrade"),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", "HTTP"),
        (b"", "without an answer"),
    ] {
        let error = refused(answering(answer, false).await, &OpenOptions::default()).await;
        assert!(error.to_string().contains(said), "{said} is missing in {error}");
        assert!(error.hint().is_some());
    }
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let mut options = OpenOptions::default();
    options.timeout = Duration::from_millis(200);
    let error = refused(answering(b"HTTP/1.1 101 ", true).await, &options).await;
    assert!(matches!(error, OpenError::TimedOut { .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_that_never_ends_its_refusal_is_not_waited_for() {
    let port =
        answering(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 1000\r\n\r\nlater", true)
            .await;
    let mut options = OpenOptions::default();
    options.timeout = Duration::from_millis(500);
    let error = refused(port, &options).await;
    assert!(
        matches!(&error, OpenError::Refusal { refusal, .. } if refusal.status == 503),
        "{error:?}"
    );
    assert!(error.to_string().contains("later"), "{error}");
}

#[tokio::test]
async fn header_fields_of_ones_own_are_sent_and_those_of_the_handshake_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let mut options = OpenOptions::default();
    options.ws.headers = vec![("X-Year".to_owned(), "año".to_owned())];
    let serve = async {
        let (mut stream, _) = listener.accept().await.expect("accept");
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(stream.read_u8().await.expect("the request"));
        }
        String::from_utf8(request).expect("text")
    };
    let (request, _) = tokio::join!(serve, refused(port, &options));
    assert!(request.contains("\r\nx-year: año\r\n"), "{request}");
    for (name, value) in [("Host", "example.org"), ("X", "a\r\nHost: b"), ("", ""), ("Origin", "x")]
    {
        options.ws.headers = vec![(name.to_owned(), value.to_owned())];
        // Something must listen: the request is made once there is a connection.
        let error = refused(port, &options).await;
        assert!(matches!(error, OpenError::Handshake { status: None, .. }), "{name}: {error:?}");
    }
}
