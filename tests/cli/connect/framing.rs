//! How messages follow each other in the input and the output of `connect`.

use std::io::Read as _;

use tungstenite::Message;

use super::peers::{tcp_server, ws_server};
use crate::harness::{Running, run};

/// Messages with everything in them that could be taken for an ending.
fn messages() -> Vec<Vec<u8>> {
    let all: Vec<u8> = (0..=255).collect();
    vec![all, Vec::new(), b"a\r\n".to_vec(), "año\0🔌\n".into(), vec![b'x'; 100_000]]
}

fn length_prefixed(messages: &[Vec<u8>]) -> Vec<u8> {
    let frame = |message: &Vec<u8>| {
        let length = u32::try_from(message.len()).expect("short");
        [&length.to_be_bytes(), &message[..]].concat()
    };
    messages.iter().flat_map(frame).collect()
}

#[test]
fn any_message_passes_unchanged_with_its_length_before_it() {
    let server = Running::start(&["serve", "echo", "ws://127.0.0.1:0"]);
    let input = length_prefixed(&messages());
    let ended = run(&["connect", &server.address(), "--framing=length", "--count=5"], &input);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert!(ended.stdout == input, "{} bytes came back", ended.stdout.len());
}

#[test]
fn any_message_passes_unchanged_in_base64() {
    let server = Running::start(&["serve", "echo", "ws://127.0.0.1:0"]);
    let input = "AAEC/w==\n\naG9sYQ==\n";
    let ended =
        run(&["connect", &server.address(), "--framing=base64", "--count=3"], input.as_bytes());
    assert_eq!(ended.success(), input);
}

#[test]
fn zeros_end_messages_and_line_breaks_are_part_of_them() {
    let server = Running::start(&["serve", "echo", "ws://127.0.0.1:0"]);
    let input = b"uno\ndos\0\0tres\r\n\0";
    let ended = run(&["connect", &server.address(), "--framing=nul", "--count=3"], input);
    assert_eq!((ended.success().as_bytes(), ended.stderr.as_str()), (&input[..], ""));
}

#[test]
fn raw_output_is_what_was_received_and_nothing_else() {
    let address = ws_server(|mut ws| {
        assert!(matches!(ws.read(), Ok(Message::Binary(bytes)) if bytes == b"a\nb"[..]));
        ws.send(Message::binary(&b"\x00\n"[..])).expect("sent");
        ws.send(Message::text("c")).expect("sent");
        ws.close(None).expect("closing");
        while ws.read().is_ok() {}
    });
    let ended = run(&["connect", &address, "--framing=raw"], b"a\nb");
    assert_eq!(ended.success().as_bytes(), b"\x00\nc");
}

#[test]
fn no_read_of_raw_input_is_longer_than_a_message_may_be() {
    let (sender, received) = std::sync::mpsc::channel();
    let address = ws_server(move |mut ws| {
        while let Ok(Message::Binary(bytes)) = ws.read() {
            sender.send(bytes.to_vec()).expect("the test listens");
        }
    });
    let arguments = ["connect", &address, "--framing=raw", "--max-message=3", "--wait=0"];
    assert_eq!(run(&arguments, b"12345678").code, Some(5), "nothing came back");
    let received: Vec<Vec<u8>> = received.iter().collect();
    assert!(received.iter().all(|message| message.len() <= 3), "{received:?}");
    assert_eq!(received.concat(), b"12345678");
}

#[test]
fn a_binary_message_is_a_line_of_its_exact_bytes() {
    let address = ws_server(|mut ws| {
        ws.send(Message::binary(&b"\xff\x00\n"[..])).expect("sent");
        ws.close(None).expect("closing");
        while ws.read().is_ok() {}
    });
    let ended = run(&["connect", &address], b"");
    assert_eq!((ended.code, &ended.stdout[..]), (Some(0), &b"\xff\x00\n\n"[..]));
}

#[test]
fn a_carriage_return_before_a_line_feed_is_part_of_the_message() {
    let server = Running::start(&["serve", "echo", "ws://127.0.0.1:0"]);
    let ended = run(&["connect", &server.address(), "--count=2"], b"uno\r\ndos\n");
    assert_eq!(ended.success(), "uno\r\ndos\n");
}

#[test]
fn a_line_of_the_longest_message_is_one_message_and_no_empty_one_follows() {
    let server = Running::start(&["serve", "echo", "ws://127.0.0.1:0"]);
    let longest = [&vec![b'x'; 1 << 20][..], b"\nnext\n"].concat();
    let ended = run(&["connect", &server.address(), "--count=2"], &longest);
    assert!(ended.success().as_bytes() == longest, "{} bytes came back", ended.stdout.len());
}

#[test]
fn input_that_cannot_be_cut_is_refused_with_the_reason() {
    let server = Running::start(&["serve", "echo", "ws://127.0.0.1:0"]);
    let address = server.address();
    for (framing, input, error) in [
        ("length", &[0, 16, 0, 1][..], "a message of the input is longer than 1048576 bytes"),
        ("length", &[255; 8], "a message of the input is longer than 1048576 bytes"),
        ("length", b"\0\0\0\x05abc", "the input ends 2 bytes before the length it announced"),
        ("base64", b"no base64!\n", "a line of the input is not Base64"),
    ] {
        let ended = run(&["connect", &address, "--framing", framing], input);
        assert_eq!((ended.code, ended.text()), (Some(2), ""), "{framing}: {ended:?}");
        assert!(ended.stderr.starts_with(&format!("error: {error}\nhint: ")), "{ended:?}");
        let ended = run(&["--lang=es", "connect", &address, "--framing", framing], input);
        assert!(ended.code == Some(2) && ended.stderr.contains("\nsugerencia: "), "{ended:?}");
    }
}

#[test]
fn a_stream_is_cut_into_messages_that_can_be_counted() {
    for (framing, stream) in
        [("nul", &b"uno\n\0dos\0tres\0"[..]), ("length", b"\0\0\0\x03uno\0\0\0\x01d\0\0\0\x01t")]
    {
        let address = tcp_server(move |mut peer| {
            std::io::Write::write_all(&mut peer, stream).expect("sent");
            // Stays until the client goes.
            let _ = peer.read(&mut [0]);
        });
        let ended = run(&["connect", &address, "--framing", framing, "--count=2"], b"");
        let two = &stream[..if framing == "nul" { 9 } else { 12 }];
        assert_eq!((ended.code, &ended.stdout[..]), (Some(0), two), "{framing}");
    }
}

#[test]
fn bytes_of_a_stream_are_written_in_base64_by_hand() {
    let server = Running::start(&["serve", "echo", "tcp://127.0.0.1:0"]);
    let ended = run(&["connect", &server.address(), "--framing=base64"], b"AAEC/w==\n");
    assert_eq!(ended.success(), "AAEC/w==\n");
}

#[test]
fn a_stream_that_announces_more_than_the_bound_is_given_up() {
    let address = tcp_server(|mut peer| {
        std::io::Write::write_all(&mut peer, &[255; 4]).expect("sent");
        let _ = peer.read(&mut [0]);
    });
    let arguments = ["connect", &address, "--framing=length", "--max-message=1K"];
    let ended = run(&arguments, b"");
    assert_eq!((ended.code, ended.text()), (Some(1), ""));
    assert!(ended.stderr.contains("a message longer than 1024 bytes"), "{ended:?}");
}
