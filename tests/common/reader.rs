//! Readers on plain threads with plain sockets, so that they owe nothing to the server's code.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::mpsc,
    thread::{self, JoinHandle},
    time::Duration,
};

use serde_json::Value;
use tungstenite::{
    Message, WebSocket,
    client::IntoClientRequest,
    http::HeaderValue,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

/// The wire forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    Raw,
    V1,
    Events,
    NdJson,
}

pub const WIRES: [Wire; 4] = [Wire::Raw, Wire::V1, Wire::Events, Wire::NdJson];

/// What a reader was told is missing: the open interval of offsets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    pub after: u64,
    pub next: u64,
    pub reason: String,
    pub count: Option<u64>,
}

/// What a reader had.
#[derive(Debug, Default)]
pub struct Account {
    /// Where it started (raw readers are not told).
    pub start: Option<u64>,
    pub payloads: Vec<String>,
    /// The offset of each payload, where the form carries it.
    pub offsets: Vec<u64>,
    pub gaps: Vec<Missing>,
    pub end: Option<String>,
    pub close: Option<(u16, String)>,
    pub last_id: Option<String>,
}

impl Account {
    /// Every number from 1 to `count`, in order, each received or inside a gap, none twice.
    pub fn reconcile(&self, count: u64) {
        let mut next = 1;
        let mut gaps = self.gaps.iter().peekable();
        for (index, payload) in self.payloads.iter().enumerate() {
            let number: u64 = payload.parse().expect("a number");
            if let Some(offset) = self.offsets.get(index) {
                assert_eq!(*offset, number, "the position is that of the number");
            }
            while let Some(gap) = gaps.next_if(|gap| gap.after + 1 == next && gap.next <= number) {
                next = gap.next;
            }
            assert_eq!(number, next, "neither received nor in a gap");
            next = number + 1;
        }
        while let Some(gap) = gaps.next_if(|gap| gap.after + 1 == next) {
            next = gap.next;
        }
        assert_eq!(gaps.next(), None, "a gap that does not follow what was received");
        assert_eq!(next, count + 1, "the reader stopped short");
    }

    fn note_json(&mut self, item: &Value) {
        self.payloads.push(item["data"].as_str().expect("text").to_owned());
        self.offsets.push(offset(&item["position"]));
    }

    fn note_gap(&mut self, gap: &Value) {
        self.gaps.push(Missing {
            after: offset(&gap["after"]),
            next: offset(&gap["next"]),
            reason: gap["reason"].as_str().expect("a reason").to_owned(),
            count: gap["missing"].as_u64(),
        });
    }

    fn note_position(&mut self, position: &Value) {
        self.start.get_or_insert(offset(position));
    }
}

pub fn offset(position: &Value) -> u64 {
    let text = position.as_str().expect("a position is text");
    text.split_once('-').expect("EPOCH-OFFSET").1.parse().expect("a number")
}

/// A reader on a thread of its own. The server knows where it begins when [`Reader::spawn`] returns;
/// a patient one reads nothing more until it is told to.
pub struct Reader {
    thread: JoinHandle<Account>,
    go: mpsc::Sender<()>,
}

/// How a reader is to read.
#[derive(Debug, Clone)]
pub struct Plan {
    pub wire: Wire,
    pub query: String,
    /// Reads nothing before [`Reader::finish`].
    pub patient: bool,
}

impl Reader {
    pub fn spawn(address: SocketAddr, plan: &Plan) -> Self {
        let (go, wait) = mpsc::channel();
        let plan = plan.clone();
        let stream = connect(address, plan.patient);
        let (begun, ready) = mpsc::channel();
        let thread = thread::spawn(move || {
            let pause = || {
                begun.send(()).ok();
                if plan.patient {
                    wait.recv().ok();
                }
            };
            match plan.wire {
                Wire::Raw => web_socket(stream, &plan.query, false, pause),
                Wire::V1 => web_socket(stream, &plan.query, true, pause),
                Wire::Events | Wire::NdJson => http(stream, &plan, pause),
            }
        });
        // A reader that panics is found out when it is joined.
        ready.recv().ok();
        Self { thread, go }
    }

    /// Lets a patient one read, and waits for the end.
    pub fn finish(self) -> Account {
        self.go.send(()).ok();
        self.thread.join().expect("the reader does not panic")
    }
}

/// A slow reader has a small window, so that the kernel does not read for it.
fn connect(address: SocketAddr, small: bool) -> TcpStream {
    let kind = socket2::Type::STREAM;
    let socket =
        socket2::Socket::new(socket2::Domain::for_address(address), kind, None).expect("a socket");
    if small {
        socket.set_recv_buffer_size(4 << 10).expect("a small buffer");
    }
    socket.connect(&address.into()).expect("the server listens");
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a time-out");
    stream
}

/// Opens a WebSocket at `path`.
pub fn open(stream: TcpStream, path: &str, protocol: Option<&'static str>) -> WebSocket<TcpStream> {
    let address = stream.peer_addr().expect("it is connected");
    let mut request =
        format!("ws://{address}{path}").into_client_request().expect("a good request");
    if let Some(protocol) = protocol {
        let value = HeaderValue::from_static(protocol);
        request.headers_mut().insert("Sec-WebSocket-Protocol", value);
    }
    tungstenite::client(request, stream).expect("the handshake succeeds").0
}

fn web_socket(stream: TcpStream, query: &str, is_v1: bool, pause: impl FnOnce()) -> Account {
    let mut account = Account::default();
    let mut socket = if is_v1 {
        let mut socket = open(stream, "/", Some("enchufe.v1"));
        let mut subscribe = serde_json::json!({ "channel": "feed" });
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').expect("KEY=VALUE");
            subscribe[key] = value.into();
        }
        let command = serde_json::json!({ "subscribe": subscribe }).to_string();
        socket.send(Message::text(command)).expect("it is open");
        let subscribed = socket.read().expect("an answer").into_text().expect("text");
        let subscribed: Value = serde_json::from_str(&subscribed).expect("JSON");
        account.note_position(&subscribed["subscribed"]["position"]);
        socket
    } else {
        open(stream, &format!("/channels/feed?{query}"), None)
    };
    pause();
    loop {
        match socket.read() {
            Ok(Message::Text(text)) if is_v1 => {
                let event: Value = serde_json::from_str(&text).expect("JSON");
                let (kind, body) = event.as_object().and_then(|o| o.iter().next()).expect("a key");
                match kind.as_str() {
                    "message" => account.note_json(body),
                    "gap" => account.note_gap(body),
                    "position" => {}
                    "end" => {
                        account.end = body["status"].as_str().map(str::to_owned);
                        socket.close(None).expect("it is open");
                    }
                    other => panic!("{other}: {body}"),
                }
            }
            Ok(Message::Text(text)) => account.payloads.push(text.to_string()),
            Ok(Message::Close(Some(CloseFrame { code, reason }))) => {
                account.close = Some((u16::from(code), reason.to_string()));
                if code == CloseCode::from(4000) {
                    account.end = Some(reason.to_string());
                }
            }
            Ok(_) => {}
            Err(tungstenite::Error::ConnectionClosed) => return account,
            Err(error) => panic!("{error}"),
        }
    }
}

/// Sends a request and gives the status line, the head and the rest. HTTP/1.0, so that the body
/// comes as it is.
pub fn request(
    stream: TcpStream,
    head: &str,
    body: &[u8],
) -> (String, String, BufReader<TcpStream>) {
    let mut stream = BufReader::new(stream);
    stream.get_mut().write_all(head.as_bytes()).expect("it is open");
    stream.get_mut().write_all(body).expect("it is open");
    let (mut status, mut rest) = (String::new(), String::new());
    stream.read_line(&mut status).expect("a status line");
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).expect("a header");
        if line.trim().is_empty() {
            break;
        }
        rest.push_str(&line.to_ascii_lowercase());
    }
    (status.trim().to_owned(), rest, stream)
}

/// GET with `Accept`, and the whole answer.
pub fn get(address: SocketAddr, path: &str, headers: &str) -> (String, String, String) {
    let stream = connect(address, false);
    let head = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n{headers}\r\n");
    let (status, fields, mut rest) = request(stream, &head, b"");
    let mut body = String::new();
    rest.read_to_string(&mut body).expect("text");
    (status, fields, body)
}

/// POST, and the whole answer.
pub fn post(address: SocketAddr, path: &str, headers: &str, body: &[u8]) -> (String, String) {
    let stream = connect(address, false);
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.0\r\nHost: {address}\r\nContent-Length: {length}\r\n{headers}\r\n"
    );
    let (status, _, mut rest) = request(stream, &head, body);
    let mut answer = String::new();
    rest.read_to_string(&mut answer).expect("text");
    (status, answer)
}

fn http(stream: TcpStream, plan: &Plan, pause: impl FnOnce()) -> Account {
    let accept = match plan.wire {
        Wire::Events => "text/event-stream",
        _ => "application/x-ndjson",
    };
    let (address, query) = (stream.peer_addr().expect("it is connected"), &plan.query);
    let head = format!(
        "GET /channels/feed?{query} HTTP/1.0\r\nHost: {address}\r\nAccept: {accept}\r\n\r\n"
    );
    let (status, _, rest) = request(stream, &head, b"");
    assert_eq!(status, "HTTP/1.0 200 OK");
    pause();
    let mut account = Account::default();
    if plan.wire == Wire::Events {
        events(rest, &mut account)
    } else {
        lines(rest, &mut account)
    }
    account
}

fn lines(rest: impl BufRead, account: &mut Account) {
    for line in rest.lines() {
        let line: Value = serde_json::from_str(&line.expect("text")).expect("JSON");
        if line.get("data").is_some() {
            account.note_json(&line);
        } else if let Some(gap) = line.get("gap") {
            account.note_gap(gap);
        } else if let Some(end) = line.get("end") {
            account.end = end["status"].as_str().map(str::to_owned);
        } else {
            account.note_position(&line["position"]);
        }
    }
}

/// As the WHATWG's algorithm reads an event stream.
fn events(rest: impl BufRead, account: &mut Account) {
    let (mut event, mut data) = (String::new(), Vec::new());
    for line in rest.lines() {
        let line = line.expect("text");
        if !line.is_empty() {
            let (field, value) = line.split_once(':').expect("a field");
            let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
            match field {
                "id" => account.last_id = Some(value),
                "event" => event = value,
                "data" => data.push(value),
                other => panic!("{other}"),
            }
            continue;
        }
        let id = Value::from(account.last_id.clone());
        let text = data.join("\n");
        match (event.as_str(), data.is_empty()) {
            (_, true) => account.note_position(&id),
            ("", _) => {
                account.payloads.push(text);
                account.offsets.push(offset(&id));
            }
            ("gap", _) => account.note_gap(&serde_json::from_str(&text).expect("JSON")),
            ("end", _) => {
                let end: Value = serde_json::from_str(&text).expect("JSON");
                account.end = end["status"].as_str().map(str::to_owned);
            }
            (other, _) => panic!("{other}"),
        }
        event.clear();
        data.clear();
    }
}
