//! The tutorial's programs, run as a reader of the tutorial runs them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Examples lie beside the folder of the tests: `target/PROFILE/examples`.
fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    let folder = test.parent().and_then(Path::parent).expect("target/PROFILE/deps");
    let program =
        folder.join("examples").join(name).with_extension(std::env::consts::EXE_EXTENSION);
    assert!(program.exists(), "{} is not there: run cargo build --examples", program.display());
    program
}

/// A running example; it ends with the test.
struct Program {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Program {
    fn start(name: &str, argument: &str) -> Self {
        let mut child = Command::new(example(name))
            .arg(argument)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect(name);
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, input, output }
    }

    /// Starts a server and returns where it listens, which is its first line.
    fn serve(name: &str, scheme: &str) -> (Self, String) {
        let mut server = Self::start(name, &format!("{scheme}://127.0.0.1:0"));
        let address = server.line();
        assert!(address.starts_with(scheme), "{address}");
        (server, address)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }

    /// The rest of the output of a program that ends by itself, and well.
    fn rest(mut self) -> String {
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).expect("the output");
        assert!(self.child.wait().expect("the status").success());
        rest
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The messages of a WebSocket server, read by another implementation.
fn messages(address: &str, count: usize) -> Vec<String> {
    let host = address.strip_prefix("ws://").expect("a ws address");
    let stream = std::net::TcpStream::connect(host).expect("connect");
    let (mut client, _) = tungstenite::client(format!("{address}/"), stream).expect("handshake");
    (0..count)
        .map(|_| client.read().expect("a message").into_text().expect("text").to_string())
        .collect()
}

#[test]
fn the_echo_client_gets_back_what_it_sent_the_echo_server() {
    let (mut server, address) = Program::serve("echo_server", "tcp");
    // Unlike the tutorial's, the server is still there for the second client.
    for _ in 0..2 {
        assert_eq!(Program::start("echo_client", &address).rest(), "Hello, world");
        let line = server.line();
        assert!(line.starts_with("Conectado IP: ('127.0.0.1', "), "{line}");
    }
}

#[test]
fn the_greet_client_is_greeted_by_the_greet_server() {
    let (mut server, address) = Program::serve("greet_server", "ws");
    let mut client = Program::start("greet_client", &address);
    client.input.take().expect("a pipe").write_all(b"Ana\n").expect("a name");
    assert_eq!(client.rest(), "Cual es tu nombre? > Ana\n< Hola Ana!\n");
    assert_eq!(server.line(), "< Ana");
    assert_eq!(server.line(), "> Hola Ana!");
}

#[test]
fn resolve_lists_the_addresses_of_a_host() {
    let answers = Program::start("resolve", "127.0.0.1").rest();
    assert!(answers.contains("127.0.0.1") && answers.contains("80"), "{answers}");
}

#[test]
fn the_clock_tells_each_client_the_time() {
    let (_server, address) = Program::serve("clock_feed", "ws");
    for time in messages(&address, 2) {
        assert_eq!(time.len(), "2020-08-19T17:18:12.116856Z".len(), "{time}");
        assert!(time.parse::<jiff::Timestamp>().is_ok(), "{time}");
    }
}

#[test]
fn the_numbers_are_printed_and_sent() {
    let (mut server, address) = Program::serve("numbers_feed", "ws");
    let numbers = messages(&address, 3);
    assert!(numbers.iter().all(|number| matches!(number.parse(), Ok(0..=9))), "{numbers:?}");
    let printed: Vec<String> = numbers.iter().map(|_| server.line()).collect();
    assert_eq!(printed, numbers);
}

#[test]
fn the_live_page_shows_everybody_the_same_times() {
    let (_server, address) = Program::serve("live_page", "http");
    let channel = address.replace("http", "ws");
    let viewers = [messages(&channel, 2), messages(&channel, 1)];
    assert!(viewers.iter().flatten().all(|time| time.ends_with('Z')), "{viewers:?}");
    let host = address.strip_prefix("http://").expect("an http address");
    let mut stream = std::net::TcpStream::connect(host).expect("connect");
    let request = format!("GET / HTTP/1.0\r\nHost: {host}\r\nAccept: text/html\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("a request");
    let mut page = String::new();
    stream.read_to_string(&mut page).expect("the page");
    assert!(page.starts_with("HTTP/1.0 200") && page.contains("<html"), "{page}");
}
