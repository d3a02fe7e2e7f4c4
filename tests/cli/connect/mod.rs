//! `enchufe connect` between pipes: exact, concurrent, and ending when it should.

mod endings;
mod expect;
mod framing;
mod options;
mod output;
pub(crate) mod peers;
mod reconnect;
mod replay;

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, UdpSocket},
    process::Stdio,
    thread,
};

use tungstenite::{Message, protocol::CloseFrame};

use self::peers::{tcp_server, ws_server};
use crate::harness::{Running, enchufe, run, run_command, signal, wait};

#[test]
fn the_tutorials_hello_world_comes_back_as_it_was_sent() {
    let server = Running::start(&["serve", "echo", "tcp://127.0.0.1:0"]);
    let reply = run(&["connect", &server.address()], b"Hello, world");
    assert_eq!((reply.success(), reply.stderr.as_str()), ("Hello, world", ""));
}

#[test]
fn bytes_pass_a_stream_unchanged() {
    let server = Running::start(&["serve", "echo", "tcp://127.0.0.1:0"]);
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let reply = run(&["connect", &server.address()], &bytes);
    assert_eq!(reply.code, Some(0));
    assert!(reply.stdout == bytes);
}

#[test]
fn an_echo_of_a_hundred_megabytes_does_not_jam() {
    let server = Running::start(&["serve", "echo", "tcp://127.0.0.1:0"]);
    let address = server.address();
    let mut client = enchufe(&["connect", &address]);
    client.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut client = client.spawn().expect("the program starts");
    let mut stdin = client.stdin.take().expect("piped");
    let feeder = thread::spawn(move || {
        let chunk = vec![b'x'; 1 << 20];
        (0..100).all(|_| stdin.write_all(&chunk).is_ok())
    });
    let ended = wait(client);
    assert!(feeder.join().expect("no panic"));
    assert_eq!((ended.code, ended.stdout.len()), (Some(0), 100 << 20));
}

#[test]
fn each_line_is_a_message_and_text_when_it_is_utf_8() {
    let (sender, received) = std::sync::mpsc::channel();
    let address = ws_server(move |mut ws| {
        while let Ok(message) = ws.read() {
            sender.send(message).expect("the test listens");
        }
    });
    let ended = run(&["connect", &address, "--wait", "100ms"], b"uno\r\n\n\xff\ntres");
    assert_eq!(ended.code, Some(5), "nothing came back");
    let received: Vec<Message> = received.iter().collect();
    let expected = [
        Message::text("uno\r"),
        Message::text(""),
        Message::binary(&b"\xff"[..]),
        Message::text("tres"),
    ];
    assert_eq!(received[..4], expected);
    assert!(matches!(&received[4], Message::Close(Some(frame)) if u16::from(frame.code) == 1000));
}

#[test]
fn the_tutorials_greeting_comes_back_with_a_line_break() {
    let server = Running::start(&["serve", "greet", "ws://localhost:0"]);
    let reply = run(&["connect", &server.address()], b"Ana\n");
    assert_eq!((reply.success(), reply.stderr.as_str()), ("Hola Ana!\n", ""));
}

#[test]
fn no_reply_in_time_is_exit_code_5() {
    let silent = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let address = format!("udp://{}", silent.local_addr().expect("an address"));
    let ended = run(&["connect", &address, "--wait", "50ms"], b"hola\n");
    assert_eq!((ended.code, ended.text()), (Some(5), ""));
    assert!(ended.stderr.starts_with("error: no reply came within 0.05 s\nhint: "), "{ended:?}");
}

#[test]
fn the_wait_starts_again_with_every_message() {
    let address = ws_server(|mut ws| {
        ws.read().expect("a message");
        for number in 0..4 {
            thread::sleep(std::time::Duration::from_millis(200));
            ws.send(Message::text(number.to_string())).expect("sent");
        }
        while ws.read().is_ok() {}
    });
    let ended = run(&["connect", &address, "--wait", "600ms"], b"go\n");
    assert_eq!(ended.success(), "0\n1\n2\n3\n");
}

#[test]
fn an_input_that_is_empty_from_the_start_listens_until_the_peer_closes() {
    let address = ws_server(|mut ws| {
        // Longer than others are waited for.
        thread::sleep(std::time::Duration::from_millis(1200));
        ws.send(Message::text("late")).expect("sent");
        ws.close(None).expect("closing");
        while ws.read().is_ok() {}
    });
    assert_eq!(run(&["connect", &address], b"").success(), "late\n");
}

#[test]
fn an_empty_input_has_ended_for_who_says_how_long_to_wait() {
    let no_reply = "error: no reply came within 0.05 s\n";
    let silent = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let address = format!("udp://{}", silent.local_addr().expect("an address"));
    let ended = run(&["connect", &address, "--wait=50ms"], b"");
    assert_eq!((ended.code, ended.stderr.starts_with(no_reply)), (Some(5), true), "{ended:?}");
    let address = ws_server(|mut ws| while ws.read().is_ok() {});
    let ended = run(&["connect", &address, "--wait=50ms"], b"");
    assert_eq!((ended.code, ended.stderr.starts_with(no_reply)), (Some(5), true), "{ended:?}");
    let address = ws_server(|mut ws| {
        ws.send(Message::text("unasked")).expect("sent");
        while ws.read().is_ok() {}
    });
    assert_eq!(run(&["connect", &address, "--wait=1s"], b"").success(), "unasked\n");
}

#[test]
fn an_empty_input_half_closes_a_stream_for_who_says_how_long_to_wait() {
    // It answers once it has heard the end.
    let told = |mut stream: std::net::TcpStream| {
        stream.read_to_end(&mut Vec::new()).expect("the end");
        stream.write_all(b"bye\n").expect("sent");
    };
    let ended = run(&["connect", &tcp_server(told), "--wait=20s"], b"");
    assert_eq!(ended.success(), "bye\n");
    let (done, wait) = std::sync::mpsc::channel::<()>();
    let address = tcp_server(move |_stream| {
        let _ = wait.recv();
    });
    let ended = run(&["connect", &address, "--wait=50ms"], b"");
    assert_eq!((ended.code, ended.text()), (Some(5), ""), "{ended:?}");
    drop(done);
}

#[test]
fn count_ends_after_so_many_messages() {
    let address = ws_server(|mut ws| {
        for number in 0.. {
            if ws.send(Message::text(number.to_string())).is_err() {
                return;
            }
        }
    });
    assert_eq!(run(&["connect", &address, "--count", "3"], b"").success(), "0\n1\n2\n");
}

#[test]
fn on_a_stream_count_is_of_lines() {
    let address = tcp_server(|mut stream| {
        stream.write_all(b"uno\ndos\ntres\ncua").expect("sent");
        // Stays until the client goes.
        let _ = stream.read(&mut [0]);
    });
    assert_eq!(run(&["connect", &address, "--count", "2"], b"").success(), "uno\ndos\n");
}

#[test]
fn keep_open_reads_until_the_peer_closes() {
    let address = ws_server(|mut ws| {
        ws.read().expect("a message");
        thread::sleep(std::time::Duration::from_millis(300));
        ws.send(Message::text("late")).expect("sent");
        ws.close(None).expect("closing");
        while ws.read().is_ok() {}
    });
    let ended = run(&["connect", &address, "--wait", "10ms", "--keep-open"], b"hola\n");
    assert_eq!(ended.success(), "late\n");
}

#[test]
fn keep_open_leaves_a_stream_open_and_reads_on_whatever_the_wait() {
    let address = tcp_server(|mut stream| {
        stream.read_exact(&mut [0; 5]).expect("a line");
        // A half close would end this read; it is as long as the wait several times over.
        stream.set_read_timeout(Some(std::time::Duration::from_millis(300))).expect("a time-out");
        let rest = stream.read(&mut [0]);
        let said: &[u8] = if rest.is_err() { b"still open\n" } else { b"half closed\n" };
        stream.write_all(said).expect("sent");
    });
    let ended = run(&["connect", &address, "--wait", "10ms", "--keep-open"], b"hola\n");
    assert_eq!(ended.success(), "still open\n");
}

#[test]
fn a_stream_waits_for_its_peer_to_close_unless_it_is_told_how_long() {
    let late = || {
        tcp_server(|mut stream| {
            stream.read_to_end(&mut Vec::new()).expect("all of it");
            // Longer than what others are waited for.
            thread::sleep(std::time::Duration::from_millis(1200));
            let _ = stream.write_all(b"late\n");
        })
    };
    assert_eq!(run(&["connect", &late()], b"hola\n").success(), "late\n");
    assert_eq!(run(&["connect", &late(), "--wait=10ms"], b"hola\n").code, Some(5));
}

#[test]
fn a_peer_that_says_no_more_still_gets_the_rest_of_the_input() {
    let (sender, received) = std::sync::mpsc::channel();
    let address = tcp_server(move |mut stream| {
        stream.shutdown(std::net::Shutdown::Write).expect("half closed");
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("all of it");
        sender.send(bytes.len()).expect("the test listens");
    });
    assert_eq!(run(&["connect", &address], &vec![b'x'; 5 << 20]).success(), "");
    assert_eq!(received.recv().expect("a number"), 5 << 20);
}

#[test]
fn a_close_code_that_means_trouble_is_exit_code_4_with_its_reason() {
    let close = |code: u16, reason: &'static str| {
        ws_server(move |mut ws| {
            ws.read().expect("a message");
            let frame = CloseFrame { code: code.into(), reason: reason.into() };
            ws.close(Some(frame)).expect("closing");
            while ws.read().is_ok() {}
        })
    };
    let ended = run(&["connect", &close(1000, "adiós")], b"x\n");
    assert_eq!((ended.success(), ended.stderr.as_str()), ("", ""));
    assert_eq!(run(&["connect", &close(1001, "")], b"x\n").code, Some(0));
    let ended = run(&["connect", &close(4002, "6251a3-41\x1b[2J")], b"x\n");
    assert_eq!((ended.code, ended.text()), (Some(4), ""));
    let error = "error: the peer closed with code 4002 (enchufe: messages are missing): 6251a3-41";
    assert_eq!(ended.stderr, format!("{error}\\x1b[2J\n"));
    let ended = run(&["--lang=es", "connect", &close(1008, "")], b"x\n");
    assert_eq!(ended.code, Some(4));
    let error = "error: el otro extremo cerró con el código 1008 (contra las reglas)\n";
    assert!(ended.stderr.starts_with(error), "{ended:?}");
}

#[test]
fn a_websocket_that_breaks_off_is_exit_code_4() {
    let address = ws_server(drop);
    assert_eq!(run(&["connect", &address], b"").code, Some(4));
    // Whether it says so with the end of the stream or with a reset is the network's business.
    let address = ws_server(|socket| {
        let reset = socket2::SockRef::from(socket.get_ref());
        reset.set_linger(Some(std::time::Duration::ZERO)).expect("linger");
    });
    assert_eq!(run(&["connect", &address], b"").code, Some(4));
}

#[test]
fn nobody_there_is_exit_code_1() {
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("an address").port()
    };
    for scheme in ["tcp", "ws"] {
        let address = format!("{scheme}://127.0.0.1:{port}");
        let ended = run(&["connect", &address], b"x");
        assert_eq!((ended.code, ended.text()), (Some(1), ""));
        let error = format!("error: cannot connect to {address}: connection refused\nhint: ");
        assert!(ended.stderr.starts_with(&error), "{ended:?}");
        let ended = run(&["--lang=es", "connect", &address], b"x");
        let error = format!("error: no se puede conectar a {address}: conexión rechazada\n");
        assert!(ended.stderr.starts_with(&error), "{ended:?}");
    }
}

#[test]
fn a_refusal_in_http_is_exit_code_3_with_its_status() {
    let address = tcp_server(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let answer = "HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\ngo away!\n";
        stream.write_all(answer.as_bytes()).expect("sent");
    });
    let ended = run(&["connect", &address.replace("tcp:", "ws:")], b"x");
    assert_eq!((ended.code, ended.text()), (Some(3), ""));
    assert!(ended.stderr.contains("403") && ended.stderr.contains("go away!"), "{ended:?}");
}

#[test]
fn nobody_answering_the_handshake_is_exit_code_5() {
    let address =
        tcp_server(|mut stream| while stream.read(&mut [0; 4096]).is_ok_and(|n| n > 0) {});
    let address = address.replace("tcp:", "ws:");
    let ended = run(&["connect", &address, "--timeout", "100ms"], b"x");
    assert_eq!(ended.code, Some(5), "{ended:?}");
}

#[test]
fn what_cannot_be_connected_to_is_exit_code_2() {
    for address in
        ["", "localhost", "tcp://localhost:0", "tpc://localhost:1", "http://localhost", "-"]
    {
        let ended = run(&["connect", address], b"x");
        assert_eq!((ended.code, ended.text()), (Some(2), ""), "{address}: {ended:?}");
        assert!(
            ended.stderr.starts_with("error: ") && ended.stderr.contains("\nhint: "),
            "{ended:?}"
        );
        let ended = run(&["--lang=es", "connect", address], b"x");
        assert_eq!(ended.code, Some(2), "{address}");
        assert!(ended.stderr.contains("\nsugerencia: "), "{ended:?}");
    }
}

#[test]
fn a_client_that_is_stopped_says_so_with_its_exit_code() {
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let server = Running::start(&["serve", "greet", "ws://127.0.0.1:0"]);
        let mut client = Running::start(&["connect", &server.address()]);
        client.write(b"Ana\n");
        assert_eq!(client.line(), "Hola Ana!");
        signal(client.id(), name);
        assert_eq!(client.end().code, Some(code), "SIG{name}");
    }
}

#[test]
fn a_reader_of_the_output_that_leaves_is_success() {
    let server = Running::start(&["serve", "random", "tcp://127.0.0.1:0", "--interval=1ms"]);
    let mut command = enchufe(&["connect", &server.address()]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut client = command.spawn().expect("the program starts");
    drop(client.stdout.take());
    let mut errors = String::new();
    client.stderr.take().expect("piped").read_to_string(&mut errors).expect("text");
    assert_eq!((client.wait().expect("a status").code(), errors.as_str()), (Some(0), ""));
}

#[test]
fn a_line_that_is_too_long_for_a_message_is_refused() {
    let server = Running::start(&["serve", "echo", "ws://127.0.0.1:0"]);
    let ended = run(&["connect", &server.address()], &vec![b'x'; (1 << 20) + 1]);
    assert_eq!((ended.code, ended.text()), (Some(2), ""));
    assert!(ended.stderr.starts_with("error: a message of the input is longer than"), "{ended:?}");
}

#[test]
fn the_origin_and_the_subprotocols_are_sent() {
    let (sender, received) = std::sync::mpsc::channel();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("ws://{}/path?x=1", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let mut request = [0; 4096];
        let len = stream.read(&mut request).expect("a request");
        sender.send(String::from_utf8_lossy(&request[..len]).to_lowercase()).expect("taken");
    });
    let arguments = ["connect", &address, "--origin", "https://example.org", "--protocol=a"];
    run(&[&arguments[..], &["--protocol", "b"]].concat(), b"");
    let request = received.recv().expect("a request");
    assert!(request.starts_with("get /path?x=1 http/1.1\r\n"), "{request}");
    assert!(request.contains("\r\norigin: https://example.org\r\n"), "{request}");
    assert!(request.contains("\r\nsec-websocket-protocol: a, b\r\n"), "{request}");
}

#[test]
fn the_prompt_is_for_people_and_not_for_pipes() {
    let server = Running::start(&["serve", "greet", "ws://127.0.0.1:0"]);
    let mut command = enchufe(&["connect", &server.address(), "--prompt", "¿Nombre? "]);
    command.env("LANG", "es_ES.UTF-8");
    let ended = run_command(command, b"Ana\n");
    assert_eq!((ended.success(), ended.stderr.as_str()), ("Hola Ana!\n", ""));
}
