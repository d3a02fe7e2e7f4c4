//! `connect --reconnect`: which losses it bears, what it says of them, and that nothing is lost or
//! sent twice silently.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::mpsc,
    time::Duration,
};

use tempfile::TempDir;
use tungstenite::Message;

use super::peers::{Turn, Turns, close, closes, request, respond, text, turn};
use crate::{
    harness::{Running, enchufe, run, signal},
    screen::{Terminal, Wiring},
};

/// A turn that sends a text and closes with 1000, the end.
fn says(said: &'static str) -> Turn {
    turn(move |mut ws, _| {
        ws.send(Message::text(said)).expect("sent");
        ws.close(None).expect("closing");
        while ws.read().is_ok() {}
    })
}

/// A turn that answers the request with this and no WebSocket.
fn refuses(answer: &'static str) -> Turn {
    Box::new(move |stream, _| respond(stream, answer))
}

/// Breaks the connection off without a word; what was not read resets it.
fn breaks(ws: tungstenite::WebSocket<std::net::TcpStream>) {
    let linger = socket2::SockRef::from(ws.get_ref()).set_linger(Some(Duration::ZERO));
    linger.expect("linger");
}

#[test]
fn a_loss_that_may_pass_is_borne_and_what_follows_goes_on() {
    for lost in [
        closes(1001, ""),
        closes(1011, ""),
        closes(1012, ""),
        closes(1013, ""),
        closes(1014, ""),
        closes(4001, ""),
        closes(4002, ""),
        turn(|ws, _| breaks(ws)),
        turn(|ws, _| drop(ws)),
        Box::new(|stream, _| drop(stream)),
        refuses("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\n\r\n"),
        refuses("HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n"),
    ] {
        let server = Turns::new(vec![lost, says("dos")]);
        let ended = run(&["connect", &server.address, "--reconnect"], b"");
        assert_eq!(ended.success(), "dos\n");
        assert!(ended.stderr.contains("; trying again in "), "{ended:?}");
        assert!(!ended.stderr.contains("error: "), "{ended:?}");
        assert!(!ended.stderr.contains("warning: "), "{ended:?}");
    }
}

#[test]
fn an_end_that_is_meant_is_the_end() {
    for (code, exit) in [
        (1000, 0),
        (1002, 4),
        (1003, 4),
        (1007, 4),
        (1008, 4),
        (1009, 4),
        (3000, 4),
        (4000, 4),
        (4003, 4),
        (4004, 4),
        (4005, 4),
    ] {
        let server = Turns::new(vec![closes(code, "")]);
        let ended = run(&["connect", &server.address, "--reconnect"], b"");
        assert_eq!(ended.code, Some(exit), "{code}: {ended:?}");
        assert_eq!(server.rest(), [format!("closed with {code}")]);
    }
    for status in ["400 Bad Request", "401 Unauthorized", "404 Not Found"] {
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
        let server = Turns::new(vec![Box::new(move |stream, _| respond(stream, &answer))]);
        let ended = run(&["connect", &server.address, "--reconnect"], b"");
        assert_eq!(ended.code, Some(3), "{status}");
    }
}

#[test]
fn a_server_that_is_not_there_yet_is_waited_for() {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
    let socket = socket.expect("a socket");
    let any: std::net::SocketAddr = "127.0.0.1:0".parse().expect("an address");
    socket.bind(&any.into()).expect("a port");
    let listener = TcpListener::from(socket);
    let address = format!("ws://{}", listener.local_addr().expect("an address"));
    let mut command = enchufe(&["connect", &address, "--reconnect", "--log=info"]);
    command.env("NO_COLOR", "1");
    let client = Running::start_command(command);
    let refused = client.notice();
    assert!(refused.contains("connection refused; trying again in "), "{refused}");
    socket2::SockRef::from(&listener).listen(8).expect("it listens now");
    let _server = Turns::on(listener, vec![says("at last")]);
    assert_eq!(client.line(), "at last");
    assert_eq!(client.end().code, Some(0));
}

#[test]
fn it_gives_up_after_so_many_tries_in_a_row_with_the_last_failure() {
    let server = Turns::new((0..3).map(|_| closes(1012, "")).collect());
    let arguments = ["connect", &server.address, "--reconnect", "--reconnect-max=2"];
    let ended = run(&arguments, b"");
    assert_eq!((ended.code, ended.text()), (Some(4), ""));
    assert!(ended.stderr.contains("\nerror: the peer closed with code 1012"), "{ended:?}");
    assert_eq!(server.rest().len(), 3);
}

#[test]
fn opening_messages_are_sent_again_and_the_rest_of_the_input_once() {
    let hears = |ws: &mut _, say: &mpsc::Sender<String>, count| {
        let texts: Vec<String> = (0..count).map(|_| text(ws)).collect();
        say.send(texts.join(" ")).expect("the test listens");
    };
    let server = Turns::new(vec![
        turn(move |mut ws, say| {
            hears(&mut ws, say, 3);
            ws.send(Message::text("heard")).expect("sent");
            breaks(ws);
        }),
        turn(move |mut ws, say| {
            hears(&mut ws, say, 2);
            close(ws, closing_normally());
        }),
    ]);
    let arguments = ["connect", &server.address, "--reconnect", "--open=subscribe", "--open=news"];
    let mut client = Running::start(&arguments);
    client.write(b"uno\n");
    assert_eq!(server.heard(), "subscribe news uno");
    assert_eq!(client.line(), "heard");
    // The second connection has the opening messages, and nothing of the first.
    assert_eq!(server.heard(), "subscribe news");
    assert_eq!(client.end().code, Some(0));
}

fn closing_normally() -> tungstenite::protocol::CloseFrame {
    tungstenite::protocol::CloseFrame { code: 1000.into(), reason: "".into() }
}

#[test]
fn what_is_written_while_there_is_no_connection_is_sent_on_the_next() {
    let (lost, wait) = mpsc::channel::<()>();
    let server = Turns::new(vec![
        turn(move |mut ws, say| {
            say.send(text(&mut ws)).expect("the test listens");
            ws.send(Message::text("heard")).expect("sent");
            breaks(ws);
        }),
        Box::new(move |stream, say| {
            // Not before the input was written.
            wait.recv().expect("the test says so");
            let mut ws = tungstenite::accept(stream).expect("a handshake");
            say.send(text(&mut ws) + &text(&mut ws)).expect("the test listens");
            close(ws, closing_normally());
        }),
    ]);
    let arguments = ["connect", &server.address, "--reconnect"];
    let mut client = Running::start(&arguments);
    client.write(b"uno\n");
    assert_eq!((server.heard(), client.line()), ("uno".into(), "heard".into()));
    let noticed = client.notice();
    assert!(noticed.contains("trying again in "), "{noticed}");
    client.write(b"dos\ntres\n");
    lost.send(()).expect("the server waits");
    assert_eq!(server.heard(), "dostres");
    let ended = client.end();
    assert_eq!(ended.code, Some(0));
    assert!(!ended.stderr.contains("warning"), "{ended:?}");
}

#[test]
fn a_message_that_was_cut_off_is_said_and_sent_again_whole() {
    let length = 16 << 20;
    let server = Turns::new(vec![
        turn(move |ws, _| {
            // The beginning of it is here; the rest is more than the way there holds.
            ws.get_ref().read_exact(&mut [0]).expect("a frame begins");
            breaks(ws);
        }),
        turn(|mut ws, say| {
            say.send(text(&mut ws).len().to_string()).expect("the test listens");
            close(ws, closing_normally());
        }),
    ]);
    let arguments = ["connect", &server.address, "--reconnect", "--max-message=32M"];
    let mut client = Running::start(&arguments);
    client.write(&[&vec![b'x'; length][..], b"\n"].concat());
    let warned = client.notice();
    assert_eq!(
        warned,
        format!("warning: a message of {length} bytes was cut off and will be sent again")
    );
    assert_eq!(server.heard(), length.to_string());
    assert_eq!(client.end().code, Some(0));
}

#[test]
fn messages_that_nobody_answered_are_said_to_be_in_doubt() {
    let server = Turns::new(vec![
        turn(|mut ws, _| {
            text(&mut ws);
            text(&mut ws);
            breaks(ws);
        }),
        says("back"),
    ]);
    let ended = run(&["connect", &server.address, "--reconnect"], b"uno\ndos\n");
    assert_eq!(ended.success(), "back\n");
    let doubt = "warning: the last 2 messages sent may not have arrived\n";
    assert!(ended.stderr.starts_with(doubt), "{ended:?}");
}

#[test]
fn a_feed_is_resumed_after_the_position_it_closes_with() {
    let server = Turns::new(vec![
        closes(4001, "6251a3-41"),
        Box::new(|mut stream, say| {
            let head = request(&mut stream);
            let target = head.split(' ').nth(1).expect("a target").to_owned();
            say.send(target).expect("the test listens");
            stream
                .write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                .expect("answered");
        }),
    ]);
    let address = format!("{}/channels/a?since=all&slow=cut", server.address);
    let ended = run(&["connect", &address, "--reconnect"], b"");
    assert_eq!(ended.code, Some(3));
    assert_eq!(server.heard(), "closed with 4001");
    assert_eq!(server.heard(), "/channels/a?slow=cut&since=6251a3-41");
}

#[test]
fn a_history_that_may_come_again_is_said_to() {
    let server = Turns::new(vec![
        turn(|mut ws, _| {
            ws.send(Message::text("uno")).expect("sent");
            drop(ws);
        }),
        says("uno"),
    ]);
    let address = format!("{}/channels/a?since=all", server.address);
    let ended = run(&["connect", &address, "--reconnect"], b"");
    assert_eq!(ended.success(), "uno\nuno\n");
    assert!(
        ended.stderr.starts_with("warning: the feed did not say where it stopped"),
        "{ended:?}"
    );
}

#[test]
fn it_can_be_stopped_while_it_waits() {
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let refusal = "HTTP/1.1 503 Busy\r\nRetry-After: 100\r\nContent-Length: 0\r\n\r\n";
        let server = Turns::new(vec![Box::new(move |stream, say| {
            respond(stream, refusal);
            say.send("refused".into()).expect("the test listens");
        })]);
        let client = Running::start(&["connect", &server.address, "--reconnect"]);
        assert_eq!(server.heard(), "refused");
        signal(client.id(), name);
        assert_eq!(client.end().code, Some(code), "SIG{name}");
    }
}

/// `connect --reconnect` on a terminal, with a home of its own.
fn on_a_terminal(address: &str, home: &TempDir) -> Terminal {
    let mut command = enchufe(&["connect", address, "--reconnect"]);
    command.env("XDG_STATE_HOME", home.path()).env("HOME", home.path());
    Terminal::start(command, Wiring::All)
}

#[test]
fn on_a_terminal_the_loss_and_the_return_are_said_above_the_line() {
    let server = Turns::new(vec![
        closes(1012, ""),
        turn(|mut ws, _| {
            let said = text(&mut ws);
            ws.send(Message::text(format!("you said {said}"))).expect("sent");
            while ws.read().is_ok() {}
        }),
    ]);
    let home = tempfile::tempdir().expect("a folder");
    let mut terminal = on_a_terminal(&server.address, &home);
    terminal.sees_rows("the loss", |rows| {
        rows.iter()
            .any(|row| row.starts_with("the peer closed with code 1012 (restarting); trying"))
    });
    terminal.sees(&format!("connected again to {}", server.address));
    terminal.press("hola\r");
    terminal.sees_last(&["< you said hola", ">"]);
    terminal.press("\u{4}");
    assert_eq!(terminal.end(), Some(0));
    assert!(terminal.is_as_before());
}

#[test]
fn on_a_terminal_the_keys_that_end_it_work_while_it_waits() {
    for (keys, code) in [("\u{3}", 130), ("\u{4}", 0)] {
        let refusal = "HTTP/1.1 503 Busy\r\nRetry-After: 100\r\nContent-Length: 0\r\n\r\n";
        let server = Turns::new(vec![closes(1012, ""), refuses(refusal)]);
        let home = tempfile::tempdir().expect("a folder");
        let mut terminal = on_a_terminal(&server.address, &home);
        terminal.sees_rows("the refusal", |rows| {
            rows.concat().contains("the server answered 503 Busy; trying again in 10")
        });
        terminal.press(keys);
        assert_eq!(terminal.end(), Some(code), "{keys:?}");
        assert!(terminal.is_as_before());
    }
}
