//! `enchufe run`: the server that a file describes.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
};

use crate::harness::{Running, enchufe, run, run_command};

/// A folder with a configuration, and the server that it describes.
pub(crate) struct Served {
    folder: tempfile::TempDir,
    pub(crate) running: Running,
    /// `127.0.0.1:PORT`.
    pub(crate) authority: String,
}

/// Loopback, on a port of the system's choice.
pub(crate) const LISTEN: &str = "[[listen]]\naddress = \"http://127.0.0.1:0\"\n";

impl Served {
    /// Starts a server that listens on loopback and has what else the text says.
    pub(crate) fn new(text: &str) -> Self {
        Self::with_files(text, &[])
    }

    pub(crate) fn with_files(text: &str, files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, content) in files {
            std::fs::write(folder.path().join(name), content).expect("written");
        }
        let file = folder.path().join("enchufe.toml");
        std::fs::write(&file, format!("{text}\n{LISTEN}")).expect("written");
        let running = Running::start(&["run", file.to_str().expect("text")]);
        let address = running.address();
        let authority = address.strip_prefix("http://").expect("http").to_owned();
        Self { folder, running, authority }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("enchufe.toml")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes another configuration in the place of the one there is.
    pub(crate) fn configure(&self, text: &str) {
        let new = self.folder.path().join("new");
        std::fs::write(&new, format!("{text}\n{LISTEN}")).expect("written");
        std::fs::rename(new, self.file()).expect("in place");
    }

    pub(crate) fn ws(&self, channel: &str) -> String {
        format!("ws://{}/channels/{channel}", self.authority)
    }

    /// One request, and its whole answer.
    pub(crate) fn ask(&self, head: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.authority).expect("it listens");
        let length = body.len();
        let request = format!(
            "{head}\r\nHost: {}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}",
            self.authority
        );
        // Who is turned away may be cut off before all is written.
        let _ = stream.write_all(request.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    pub(crate) fn publish(&self, channel: &str, text: &str) -> String {
        self.ask(&format!("POST /channels/{channel} HTTP/1.1"), text)
    }

    pub(crate) fn history(&self, channel: &str) -> String {
        self.ask(&format!("GET /channels/{channel} HTTP/1.1\r\nAccept: application/json"), "")
    }
}

fn path(path: &Path) -> &str {
    path.to_str().expect("text")
}

#[test]
fn channels_of_the_file_are_fed_by_their_sources() {
    let server = Served::new(
        "[channels.time]\nsource = \"clock\"\n\
         [channels.dice]\nsource = { from = \"random\", range = \"7..7\", interval = \"10ms\" }\n\
         [channels.job]\nsource = { from = \"exec:printf 1\\\\\\\\n{}\\\\\\\\nx\\\\\\\\n2\\\\\\\\n\", check = \"json\" }\n",
    );
    for (channel, first) in [("time", "20"), ("dice", "7")] {
        let address = format!("{}?since=all", server.ws(channel));
        let said = run(&["connect", &address, "--count", "1"], b"");
        assert!(said.success().starts_with(first), "{said:?}");
    }
    let address = format!("{}?since=all", server.ws("job"));
    let said = run(&["connect", &address, "--count", "3"], b"");
    assert_eq!(said.success(), "1\n{}\n2\n", "what is no JSON is left out");
    loop {
        let notice = server.running.notice();
        if notice == "the source of 'job' has ended (exit 0); its history stays" {
            break;
        }
    }
    assert_eq!(server.running.stop().code, Some(0));
}

#[test]
fn standard_input_is_a_source_too() {
    let mut server = Served::new("[channels.lines]\nsource = \"-\"\n");
    server.running.write(b"uno\ndos\n");
    let address = format!("{}?since=all", server.ws("lines"));
    assert_eq!(run(&["connect", &address, "--count", "2"], b"").success(), "uno\ndos\n");
    assert_eq!(server.running.stop().code, Some(0));
}

#[test]
fn channels_are_made_on_first_use_by_the_first_rule_that_matches() {
    let server = Served::new("[channels.\"chat/small\"]\nhistory = 1\n[channels.\"chat/*\"]\n");
    for (channel, kept) in [("chat/small", 1), ("chat/ana", 3)] {
        for text in ["a", "b", "c"] {
            let answer = server.publish(channel, text);
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
        let history = server.history(channel);
        assert_eq!(history.matches("\"data\"").count(), kept, "{history}");
    }
    let answer = server.publish("else", "x");
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    assert_eq!(server.running.stop().code, Some(0));
}

#[test]
fn flags_and_the_environment_count_more_than_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a.toml");
    std::fs::write(&file, "[limits]\nviewers_max = 1\n[channels.a]\n").expect("written");
    let mut command = enchufe(&["run", path(&file), "--listen", "http://127.0.0.1:0"]);
    command.env("ENCHUFE_VIEWERS_MAX", "2").env("ENCHUFE_DEFAULT_CHANNEL", "a");
    let running = Running::start_command(command);
    let address = running.address();
    let authority = address.strip_prefix("http://").expect("http");
    let view = || {
        let mut stream = TcpStream::connect(authority).expect("it listens");
        let request = format!(
            "GET /channels/a HTTP/1.1\r\nHost: {authority}\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).expect("sent");
        let mut status = [0; 12];
        stream.read_exact(&mut status).expect("a status");
        (String::from_utf8_lossy(&status).into_owned(), stream)
    };
    let viewers = [view(), view(), view()];
    let statuses = viewers.each_ref().map(|(status, _)| &status[9..]);
    assert_eq!(statuses, ["101", "101", "503"]);
    drop(viewers);
    assert_eq!(running.stop().code, Some(0));
}

#[test]
fn what_cannot_be_run_is_refused_before_anything_is_served() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a.toml");
    for (text, said) in [
        ("[channels.a]\nsource = \"exec:/no/such/program\"\n", "there is no such program"),
        ("[auth]\npublish_token_file = \"none\"\n", "cannot read the token file"),
        ("page = \"none\"\n", "cannot serve the page"),
        (
            "[[listen]]\naddress = \"https://127.0.0.1:0\"\ntls_cert = \"a\"\ntls_key = \"b\"\n",
            "a'",
        ),
    ] {
        let listen = if text.contains("listen") { "" } else { LISTEN };
        std::fs::write(&file, format!("{text}{listen}")).expect("written");
        let ended = run(&["run", path(&file)], b"");
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains(said), "{said} in {ended:?}");
        assert!(!ended.stderr.contains("listening on"), "{ended:?}");
    }
}

#[test]
fn who_may_publish_from_elsewhere_is_said_at_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a.toml");
    std::fs::write(&file, "[[listen]]\naddress = \"http://0.0.0.0:0\"\n").expect("written");
    let ended = Running::start(&["run", path(&file)]);
    let mut said = Vec::new();
    while !said.iter().any(|line: &String| line.starts_with("listening on")) {
        said.push(ended.notice());
    }
    let said = said.join("\n");
    assert!(
        said.contains("publishing from there is refused without --publish-token-file"),
        "{said}"
    );
    assert_eq!(ended.stop().code, Some(0));
}

#[test]
fn one_address_has_so_many_connections_and_is_told_so() {
    let server = Served::new("[limits]\nconnections_per_address_max = 3\n[channels.a]\n");
    // Viewers count, too, after their handshake.
    let viewers: Vec<_> =
        (0..2).map(|_| Running::start(&["connect", &server.ws("a"), "--keep-open"])).collect();
    let mut idle = TcpStream::connect(&server.authority).expect("it listens");
    // All three are in, once a fourth is not.
    let refusal = loop {
        let answer = server.history("a");
        if !answer.starts_with("HTTP/1.1 200") {
            break answer;
        }
    };
    assert!(refusal.starts_with("HTTP/1.1 503"), "{refusal}");
    assert!(refusal.contains("\"code\":\"full\""), "{refusal}");
    loop {
        if server.running.notice().contains("too many connections of one address") {
            break;
        }
    }
    // Who goes makes room.
    idle.shutdown(std::net::Shutdown::Both).expect("open");
    idle.read_to_end(&mut Vec::new()).expect("closed");
    drop(viewers);
    while !server.history("a").starts_with("HTTP/1.1 200") {}
    let ended = server.running.stop();
    assert_eq!(ended.code, Some(0));
    assert!(!ended.stderr.contains("too many connections"), "said now and then: {}", ended.stderr);
}

#[test]
fn a_file_that_is_not_there_is_a_usage_error() {
    let ended = run_command(enchufe(&["run", "/no/such.toml"]), b"");
    assert_eq!(ended.code, Some(2));
    assert_eq!(
        ended.stderr,
        "error: cannot read the configuration '/no/such.toml': No such file or directory\n\
         hint: enchufe config default > enchufe.toml makes one to begin with\n"
    );
}
