//! Servers of every manner, good and bad, on ports of their own.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use tungstenite::{WebSocket, protocol::CloseFrame};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Serves one WebSocket client with `talk`; where it listens.
pub(crate) fn ws_server(talk: impl FnOnce(WebSocket<TcpStream>) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("ws://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a client");
        talk(tungstenite::accept(stream).expect("a handshake"));
    });
    address
}

/// Serves one TCP client with `talk`; where it listens.
pub(crate) fn tcp_server(talk: impl FnOnce(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("tcp://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || talk(listener.accept().expect("a client").0));
    address
}

/// Closes with this code and reason as soon as a client has come.
pub(crate) fn closing(code: u16, reason: &str) -> String {
    let frame = CloseFrame { code: code.into(), reason: reason.to_owned().into() };
    ws_server(move |ws| close(ws, frame))
}

/// Closes, and waits until the client has done so too.
pub(crate) fn close(mut ws: WebSocket<TcpStream>, frame: CloseFrame) {
    ws.close(Some(frame)).expect("closing");
    while ws.read().is_ok() {}
}

/// Answers one client's request with this, whatever it asks.
pub(crate) fn answering(answer: impl Into<String>) -> String {
    let answer = answer.into();
    let address = tcp_server(move |stream| respond(stream, &answer));
    address.replace("tcp:", "ws:")
}

/// Reads a request's head and answers it.
pub(crate) fn respond(mut stream: TcpStream, answer: &str) {
    request(&mut stream);
    stream.write_all(answer.as_bytes()).expect("sent");
}

/// Reads a request's head.
pub(crate) fn request(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("a request");
        head.extend_from_slice(&byte);
    }
    String::from_utf8(head).expect("text")
}

/// A WebSocket server whose clients come one after the other, each with a talk of its own. What the
/// talks send to `say` the test hears.
pub(crate) struct Turns {
    pub(crate) address: String,
    heard: Receiver<String>,
}

/// What one client of [`Turns`] gets.
pub(crate) type Turn = Box<dyn FnOnce(TcpStream, &mpsc::Sender<String>) + Send>;

impl Turns {
    pub(crate) fn new(turns: Vec<Turn>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        Self::on(listener, turns)
    }

    pub(crate) fn on(listener: TcpListener, turns: Vec<Turn>) -> Self {
        let address = format!("ws://{}", listener.local_addr().expect("an address"));
        let (say, heard) = mpsc::channel();
        thread::spawn(move || {
            for turn in turns {
                let (stream, _) = listener.accept().expect("a client");
                turn(stream, &say);
            }
        });
        Self { address, heard }
    }

    /// The next thing that was said.
    pub(crate) fn heard(&self) -> String {
        self.heard.recv_timeout(PATIENCE).expect("something is said")
    }

    /// Everything that is still to be said.
    pub(crate) fn rest(&self) -> Vec<String> {
        self.heard.iter().collect()
    }
}

/// A turn that shakes hands and talks.
pub(crate) fn turn(
    talk: impl FnOnce(WebSocket<TcpStream>, &mpsc::Sender<String>) + Send + 'static,
) -> Turn {
    Box::new(move |stream, say| talk(tungstenite::accept(stream).expect("a handshake"), say))
}

/// A turn that shakes hands and closes.
pub(crate) fn closes(code: u16, reason: &'static str) -> Turn {
    turn(move |ws, say| {
        say.send(format!("closed with {code}")).expect("the test listens");
        close(ws, CloseFrame { code: code.into(), reason: reason.into() });
    })
}

/// The next text message.
pub(crate) fn text(ws: &mut WebSocket<TcpStream>) -> String {
    ws.read().expect("a message").into_text().expect("text").to_string()
}
