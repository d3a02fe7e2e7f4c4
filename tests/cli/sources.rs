//! `enchufe feed` of what other programs say: who connects to it, what it connects to, files.

use std::{
    fs::OpenOptions,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream, UdpSocket},
};

use crate::harness::{Running, enchufe, run, run_command, signal};

/// A running feed, and where its messages are had from the first on.
struct Feed {
    program: Running,
    all: String,
}

impl Feed {
    fn start(arguments: &[&str]) -> Self {
        Self::at("http://127.0.0.1:0", arguments)
    }

    fn at(listen: &str, arguments: &[&str]) -> Self {
        let program = Running::start(&[&["feed", "--listen", listen], arguments].concat());
        let all = loop {
            let notice = program.notice();
            if let Some(url) = notice.trim_start().strip_prefix("WebSocket") {
                break format!("{}?since=all", url.trim());
            }
        };
        Self { program, all }
    }

    /// The first messages of the channel.
    fn first(&self, count: usize) -> String {
        let count = count.to_string();
        run(&["connect", &self.all, "--count", &count], b"").success().to_owned()
    }

    /// Waits until it logs something like that.
    fn logs(&self, words: &str) {
        while !self.program.notice().contains(words) {}
    }
}

#[test]
fn who_connects_publishes_line_by_line_and_a_page_does_not() {
    let feed = Feed::start(&["listen:tcp://127.0.0.1:0"]);
    let address = feed.program.address();
    let endpoint = address.strip_prefix("tcp://").expect("tcp");
    let mut page = TcpStream::connect(endpoint).expect("it listens");
    page.write_all(b"POST / HTTP/1.1\r\nHost: x\r\n\r\nevil\n").expect("it reads");
    let mut answer = Vec::new();
    assert!(page.read_to_end(&mut answer).map_or(true, |count| count == 0), "{answer:?}");
    feed.logs("it speaks HTTP");
    let mut producer = TcpStream::connect(endpoint).expect("it listens");
    producer.write_all(b"uno\ndos").expect("it reads");
    drop(producer);
    assert_eq!(feed.first(2), "uno\ndos\n");
    assert_eq!(feed.program.stop().code, Some(0));
}

#[test]
fn datagrams_and_unix_sockets_and_websockets_are_listened_on_too() {
    let feed = Feed::start(&["listen:udp://127.0.0.1:0"]);
    let address = feed.program.address();
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    socket.send_to(b"uno", address.strip_prefix("udp://").expect("udp")).expect("room");
    assert_eq!(feed.first(1), "uno\n");
    assert_eq!(feed.program.stop().code, Some(0));

    let folder = tempfile::tempdir().expect("a folder");
    let path = format!("unix:{}", folder.path().join("in").display());
    for address in [&path, "ws://127.0.0.1:0"] {
        let feed = Feed::start(&[&format!("listen:{address}")]);
        let address = feed.program.address();
        // Whether it waited for a reply, which never comes, is its own business.
        run(&["connect", &address, "--wait", "0"], b"dos\n");
        assert_eq!(feed.first(1), "dos\n");
        assert_eq!(feed.program.stop().code, Some(0));
    }
}

#[test]
fn a_listener_that_others_reach_is_said_aloud() {
    let feed = Feed::start(&["listen:tcp://0.0.0.0:0"]);
    feed.logs("publishes to this channel, from any machine");
    assert_eq!(feed.program.stop().code, Some(0));
}

#[test]
fn with_tls_producers_are_shown_the_certificate_that_was_given() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command =
        enchufe(&["feed", "--listen", "http://127.0.0.1:0", "listen:tls://localhost:0"]);
    command.arg("--tls-dev").env("XDG_DATA_HOME", folder.path()).env("HOME", folder.path());
    let program = Running::start_command(command);
    let address = program.address();
    let ended = run(&["connect", &address, "--insecure"], b"uno\n");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(program.stop().code, Some(0));

    let ended = run(&["feed", "--listen", "http://127.0.0.1:0", "listen:wss://localhost:0"], b"");
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("needs a certificate\nhint: --tls-cert"), "{ended:?}");
}

#[test]
fn a_server_that_is_killed_is_connected_to_again_and_what_may_be_missing_is_said() {
    // A port that was free a moment ago, and where nobody else looks for one.
    let free = TcpListener::bind("127.0.0.2:0").expect("a free port");
    let listen = format!("http://{}", free.local_addr().expect("an address"));
    drop(free);
    let mut server = Feed::at(&listen, &["-", "--host-name", "127.0.0.2"]);
    let address = server.all.clone();
    let feed = Feed::start(&[&address]);
    server.program.write(b"uno\n");
    assert_eq!(feed.first(1), "uno\n");
    signal(server.program.id(), "KILL");
    feed.logs("not connected: what is said meanwhile is missing");
    drop(server);
    let mut server = Feed::at(&listen, &["-"]);
    feed.logs("connected again: what was said in between is missing");
    server.program.write(b"dos\n");
    assert_eq!(feed.first(2), "uno\ndos\n");
    assert_eq!(feed.program.stop().code, Some(0));
}

#[test]
fn a_server_that_ends_its_channel_ends_ours() {
    let mut server = Feed::start(&["-"]);
    let feed = Feed::start(&[&server.all, "--exit-on-end"]);
    server.program.write(b"uno\n");
    assert_eq!(feed.first(1), "uno\n");
    drop(server.program.take_stdin());
    let ended = feed.program.end();
    assert_eq!(ended.code, Some(0));
    assert!(ended.stderr.contains("the source has ended (closed with 4000"), "{ended:?}");
    assert_eq!(server.program.stop().code, Some(0));
}

#[test]
fn what_is_added_to_a_file_is_published_and_what_was_there_if_it_is_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.log");
    std::fs::write(&path, "uno\n").expect("room");
    let source = format!("file:{}", path.display());
    let from_now_on = Feed::start(&[&source]);
    let from_the_beginning = Feed::start(&[&source, "--from-beginning"]);
    let mut log = OpenOptions::new().append(true).open(&path).expect("it is there");
    log.write_all(b"dos\n").expect("room");
    assert_eq!(from_now_on.first(1), "dos\n");
    assert_eq!(from_the_beginning.first(2), "uno\ndos\n");
    for feed in [from_now_on, from_the_beginning] {
        assert_eq!(feed.program.stop().code, Some(0));
    }
}

#[test]
fn what_cannot_be_a_source_is_an_error_a_hint_and_exit_code_2() {
    for (source, english, spanish) in [
        (
            &["listen:exec:./job"][..],
            "error: nobody can be listened for at 'exec:./job'\nhint: listen to producers at tcp://",
            "error: en 'exec:./job' nadie puede conectarse\nsugerencia: escucha a los productores en tcp://",
        ),
        (&["file:/"], "error: cannot follow '/': ", "error: no se puede seguir '/': "),
        (
            &["tcp://localhost:1", "--from-beginning"],
            "error: --from-beginning cannot be used with tcp://localhost:1\nhint: ",
            "error: --from-beginning no se puede usar con tcp://localhost:1\nsugerencia: ",
        ),
        (
            &["listen:udp://localhost:0", "--framing", "nul"],
            "error: --framing cannot be used with listen:udp://localhost:0\nhint: ",
            "error: --framing no se puede usar con listen:udp://localhost:0\nsugerencia: ",
        ),
        (
            &["7000"],
            "error: \"7000\" is a port: the host to connect to is missing\nhint: try tcp://localhost:7000\n",
            "error: \"7000\" es un puerto: falta la máquina a la que conectarse\nsugerencia: prueba tcp://localhost:7000\n",
        ),
    ] {
        let arguments = [&["feed", "--listen=127.0.0.1:0"], source].concat();
        let ended = run(&arguments, b"");
        assert_eq!((ended.code, ended.text()), (Some(2), ""), "{ended:?}");
        assert!(ended.stderr.starts_with(english), "{ended:?}");
        let mut command = enchufe(&arguments);
        command.env("LANG", "es");
        let ended = run_command(command, b"");
        assert!(ended.stderr.starts_with(spanish), "{ended:?}");
    }
}
