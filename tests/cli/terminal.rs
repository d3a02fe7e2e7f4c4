//! `enchufe connect` on a terminal: a conversation.

use std::{fs, net::TcpListener, process::Command, thread};

use tempfile::TempDir;
use tungstenite::Message;

use crate::{
    harness::{Running, enchufe, signal},
    screen::{Terminal, Wiring},
};

/// `connect` with a home of its own.
fn connect(address: &str, more: &[&str], home: &TempDir) -> Command {
    let mut command = enchufe(&[&["connect", address], more].concat());
    command.env("XDG_STATE_HOME", home.path()).env("HOME", home.path());
    command
}

fn home() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

#[test]
fn what_is_sent_and_received_is_shown_once_each() {
    let (server, home) = (Running::start(&["serve", "greet", "ws://127.0.0.1:0"]), home());
    let address = server.address();
    let mut terminal = Terminal::start(connect(&address, &[], &home), Wiring::All);
    terminal.sees(">");
    terminal.press("Ana\r");
    let expected = [&format!("connected to {address}; Ctrl-D ends"), "> Ana", "< Hola Ana!", ">"];
    terminal.sees_rows("the conversation", |rows| rows == expected);
    terminal.press("Eva\r");
    terminal.sees_last(&["< Hola Eva!", ">"]);
    terminal.press("\u{4}");
    assert_eq!(terminal.end(), Some(0));
    assert!(terminal.is_as_before());
}

#[test]
fn lines_that_come_at_once_are_all_sent() {
    for keys in ["Ana\rEva\rInés\r", "\u{1b}[200~Ana\nEva\rInés\u{1b}[201~\r"] {
        let (server, home) = (Running::start(&["serve", "greet", "ws://127.0.0.1:0"]), home());
        let mut terminal =
            Terminal::start(connect(&server.address(), &["--count", "3"], &home), Wiring::All);
        terminal.sees(">");
        terminal.press(keys);
        assert_eq!(terminal.end(), Some(0), "{keys:?}");
        for name in ["Ana", "Eva", "Inés"] {
            terminal.sees_rows("the answers", |rows| {
                rows.iter().any(|row| *row == format!("< Hola {name}!"))
            });
        }
    }
}

#[test]
fn the_prompt_of_the_tutorial_asks_and_then_shows_what_was_sent() {
    let (server, home) = (Running::start(&["serve", "greet", "ws://127.0.0.1:0"]), home());
    let arguments = ["--prompt", "Cual es tu nombre? ", "--count", "1", "--lang", "es"];
    let address = server.address();
    let mut terminal = Terminal::start(connect(&address, &arguments, &home), Wiring::All);
    terminal.sees("Cual es tu nombre?");
    terminal.press("Ana\r");
    assert_eq!(terminal.end(), Some(0));
    let expected = [
        &format!("conectado a {address}; Ctrl-D termina"),
        "Cual es tu nombre? Ana",
        "> Ana",
        "< Hola Ana!",
    ];
    terminal.sees_rows("the tutorial's dialogue", |rows| rows == expected);
    assert!(terminal.is_as_before());
}

#[test]
fn what_arrives_while_one_types_does_not_disturb_the_line() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("ws://{}", listener.local_addr().expect("an address"));
    let (go, wait) = std::sync::mpsc::channel::<()>();
    thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a client");
        let mut ws = tungstenite::accept(stream).expect("a handshake");
        wait.recv().expect("the test is ready");
        ws.send(Message::text("while you type")).expect("sent");
        let typed = ws.read().expect("a message");
        ws.send(Message::text(format!("you said {typed}"))).expect("sent");
        let _ = ws.read();
    });
    let home = home();
    let mut terminal = Terminal::start(connect(&address, &[], &home), Wiring::All);
    terminal.sees(">");
    terminal.press("half a");
    terminal.sees("> half a");
    go.send(()).expect("the server waits");
    terminal.sees_last(&["< while you type", "> half a"]);
    terminal.press(" line\r");
    terminal.sees("< you said half a line");
}

#[test]
fn what_is_received_cannot_drive_the_terminal_or_pass_for_what_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("ws://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a client");
        let mut ws = tungstenite::accept(stream).expect("a handshake");
        ws.send(Message::text("one\n> two\x1b[2J\u{202e}")).expect("sent");
        let _ = ws.read();
    });
    let home = home();
    let terminal = Terminal::start(connect(&address, &[], &home), Wiring::All);
    terminal.sees("< one");
    terminal.sees("< > two\\x1b[2J\\u{202e}");
}

#[test]
fn lines_of_a_stream_are_shown_whole_and_a_question_at_last() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("tcp://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        let (mut stream, _) = listener.accept().expect("a client");
        stream.write_all(b"first\nlogin: ").expect("sent");
        let mut line = [0; 100];
        let len = stream.read(&mut line).expect("a line");
        stream.write_all(&line[..len]).expect("sent");
    });
    let home = home();
    let mut terminal = Terminal::start(connect(&address, &[], &home), Wiring::All);
    terminal.sees("< first");
    terminal.sees("< login:");
    terminal.press("ana\r");
    terminal.sees("< ana");
    // The peer closes: the end, also while the editor waits for keys.
    assert_eq!(terminal.end(), Some(0));
    terminal.sees("the peer has closed the connection");
    assert!(terminal.is_as_before());
}

#[test]
fn lines_are_remembered_between_conversations() {
    let (server, home) = (Running::start(&["serve", "greet", "ws://127.0.0.1:0"]), home());
    let address = server.address();
    let mut first = Terminal::start(connect(&address, &[], &home), Wiring::All);
    first.sees(">");
    first.press("Guillermina\r");
    first.sees_last(&["< Hola Guillermina!", ">"]);
    first.press("\u{4}");
    assert_eq!(first.end(), Some(0));
    let mut second = Terminal::start(connect(&address, &[], &home), Wiring::All);
    second.sees(">");
    second.press("\u{1b}[A");
    second.sees("> Guillermina");
}

#[test]
fn a_history_that_cannot_be_kept_is_no_error() {
    let (server, home) = (Running::start(&["serve", "greet", "ws://127.0.0.1:0"]), home());
    fs::write(home.path().join("enchufe"), "a file in the way").expect("written");
    let mut terminal = Terminal::start(connect(&server.address(), &[], &home), Wiring::All);
    terminal.sees(">");
    terminal.press("Ana\r");
    terminal.sees_last(&["< Hola Ana!", ">"]);
    terminal.press("\u{4}");
    assert_eq!(terminal.end(), Some(0));
}

#[test]
fn ctrl_c_and_sigterm_end_it_and_leave_the_terminal_as_it_was() {
    for (how, code) in [("keys", 130), ("TERM", 143), ("INT", 130)] {
        let (server, home) = (Running::start(&["serve", "greet", "ws://127.0.0.1:0"]), home());
        let mut terminal = Terminal::start(connect(&server.address(), &[], &home), Wiring::All);
        terminal.sees(">");
        match how {
            "keys" => terminal.press("\u{3}"),
            name => signal(terminal.id(), name),
        }
        assert_eq!(terminal.end(), Some(code), "{how}");
        assert!(terminal.is_as_before(), "{how}");
    }
}

#[test]
fn output_alone_on_a_terminal_is_made_safe_but_not_marked() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("ws://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a client");
        let mut ws = tungstenite::accept(stream).expect("a handshake");
        ws.send(Message::text("Hola\x1b[2J Ana")).expect("sent");
        ws.close(None).expect("closing");
        while ws.read().is_ok() {}
    });
    let home = home();
    let mut terminal = Terminal::start(connect(&address, &[], &home), Wiring::OutputOnly);
    terminal.sees_rows("the message", |rows| rows == ["Hola\\x1b[2J Ana"]);
    assert_eq!(terminal.end(), Some(0));
}

#[test]
fn errors_have_colour_on_a_terminal_and_none_with_no_color() {
    let home = home();
    let terminal = Terminal::start(connect("nowhere", &[], &home), Wiring::All);
    terminal
        .sees_rows("an error", |rows| rows.first().is_some_and(|row| row.starts_with("error: ")));
    assert!(terminal.has_colour());
    let mut command = connect("nowhere", &[], &home);
    command.env("NO_COLOR", "1");
    let terminal = Terminal::start(command, Wiring::All);
    terminal
        .sees_rows("an error", |rows| rows.first().is_some_and(|row| row.starts_with("error: ")));
    assert!(!terminal.has_colour());
}

#[test]
fn the_prompt_is_asked_on_standard_error_when_the_output_goes_elsewhere() {
    let (server, home) = (Running::start(&["serve", "greet", "ws://127.0.0.1:0"]), home());
    let arguments = ["--prompt", "Cual es tu nombre? ", "--count", "1"];
    let command = connect(&server.address(), &arguments, &home);
    let mut terminal = Terminal::start(command, Wiring::AllButOutput);
    terminal.sees("Cual es tu nombre?");
    terminal.press("Ana\n");
    assert_eq!(terminal.end(), Some(0));
    assert_eq!(server.line(), "< Ana");
}

#[test]
fn what_is_typed_in_base64_is_shown_in_base64() {
    let (server, home) = (Running::start(&["serve", "echo", "ws://127.0.0.1:0"]), home());
    let command = connect(&server.address(), &["--framing=base64"], &home);
    let mut terminal = Terminal::start(command, Wiring::All);
    terminal.sees(">");
    terminal.press("AAEC/w==\r");
    terminal.sees_last(&["> AAEC/w==", "< AAEC/w==", ">"]);
    terminal.press("no base64!\r");
    assert_eq!(terminal.end(), Some(2));
    assert!(terminal.is_as_before());
}
