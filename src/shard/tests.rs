//! A shard with real sockets, and a tenant that keeps count.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    time::Duration,
};

use bytes::Bytes;
use enchufe_core::{
    MessageRef,
    ws::{
        self,
        deflate::{Deflater, Direction, WindowBits},
        encode,
    },
};
use socket2::SockRef;

use super::*;
use crate::transport::Plain;

/// Echoes, and tells what it is asked.
struct Echo {
    inbox: Arc<Mutex<Vec<Option<TcpStream>>>>,
    outlet: Out,
    /// Whether the connection is a stream, of which capitals are made.
    is_stream: bool,
    /// How many bytes of messages came in this round of the loop, and in the longest.
    round: (usize, Arc<Mutex<usize>>),
}

/// What waits for the one connection, and how much of it each write took.
struct Out {
    waiting: Vec<u8>,
    is_closing: bool,
    bytes_max: usize,
    told: Sender<Told>,
}

#[derive(Debug, PartialEq, Eq)]
enum Told {
    Written(usize),
    Blocked,
    Ended(String),
}

impl Tenant for Echo {
    type Outlet = Out;

    fn outlet(&mut self) -> &mut Out {
        &mut self.outlet
    }

    fn on_wake(&mut self, table: &mut Table<()>) {
        for letter in self.inbox.lock().expect("a list").drain(..) {
            let Some(stream) = letter else {
                table.stop();
                continue;
            };
            let wire = Wire::from(Stream::from(Plain::Tcp(stream)));
            let (role, limits) = (ws::Role::Server, ws::Limits::default());
            let decoder = ws::Decoder::with_deflate(role, limits, DEFLATE);
            let protocol = match self.is_stream {
                true => Protocol::Stream,
                false => Protocol::WebSocket(decoder),
            };
            let admission = Admission { wire, leftover: Bytes::new(), protocol };
            table.admit(admission, |_| ()).expect("it is watched");
        }
    }

    fn on_message(&mut self, (): &mut (), received: Received<'_>, _: Room<'_>) -> Result<(), Full> {
        encode::message(&mut self.outlet.waiting, received.message, None);
        self.round.0 += received.message.payload.len();
        Ok(())
    }

    fn on_bytes(&mut self, (): &mut (), bytes: &mut [u8]) -> usize {
        bytes.make_ascii_uppercase();
        bytes.len()
    }

    fn on_heartbeat(&mut self, (): &mut ()) {}

    fn on_end(&mut self, (): (), ending: Ending) {
        self.outlet.told.send(Told::Ended(format!("{ending:?}"))).ok();
    }

    fn on_round(&mut self, _: &Table<()>) {
        let mut longest = self.round.1.lock().expect("a number");
        *longest = std::mem::take(&mut self.round.0).max(*longest);
    }
}

impl Outlet for Out {
    type Seat = ();

    const ANSWERS_AT_ONCE: bool = true;

    fn push(&mut self, (): &mut (), frame: &[u8]) -> Result<(), Full> {
        if self.waiting.len() + frame.len() > self.bytes_max {
            return Err(Full);
        }
        self.waiting.extend_from_slice(frame);
        Ok(())
    }

    fn close(&mut self, (): &mut (), reason: &CloseReason) {
        if !std::mem::replace(&mut self.is_closing, true) {
            encode::close(&mut self.waiting, Some(reason), None);
        }
    }

    fn finish(&mut self, seat: &mut (), reason: &CloseReason) {
        self.close(seat, reason);
    }

    fn end(&mut self, (): &mut ()) {
        self.is_closing = true;
    }

    fn is_closing(&self, (): &()) -> bool {
        self.is_closing
    }

    fn is_filling(&self, (): &()) -> bool {
        self.waiting.len() >= self.bytes_max
    }

    fn is_full(&self, (): &()) -> bool {
        self.waiting.len() >= self.bytes_max
    }

    fn next_ready(&mut self, _: &mut usize) -> Option<usize> {
        None
    }

    fn has_ready(&self) -> bool {
        false
    }

    fn transmit<'a>(
        &'a mut self,
        (): &'a mut (),
        front: &'a [u8],
        _: usize,
        slices: &mut Slices<'a>,
    ) -> Transmit {
        self.waiting.extend_from_slice(front);
        match self.waiting.len() {
            0 if self.is_closing => Transmit::Closed,
            0 => Transmit::Idle,
            bytes => {
                slices.push(&self.waiting);
                Transmit::Bytes(bytes)
            }
        }
    }

    fn sent(&mut self, (): &mut (), _: &[u8], bytes: usize) {
        if bytes > 0 {
            self.told.send(Told::Written(bytes)).ok();
        }
        self.waiting.drain(..bytes);
    }

    fn blocked(&mut self, (): &mut (), _: &[u8]) {
        self.told.send(Told::Blocked).ok();
    }

    fn writable(&mut self, (): &mut ()) {}

    fn again(&mut self, (): &mut ()) {}
}

/// A running shard, and one connection to it.
struct Stage {
    client: TcpStream,
    told: Receiver<Told>,
    inbox: Arc<Mutex<Vec<Option<TcpStream>>>>,
    waker: Arc<mio::Waker>,
    longest_round: Arc<Mutex<usize>>,
}

impl Stage {
    fn new(patience: Patience, bytes_max: usize) -> Self {
        let (stage, shard) = Self::with_shard(patience, bytes_max);
        std::thread::spawn(move || shard.run());
        stage
    }

    /// The shard is not running yet.
    fn with_shard(patience: Patience, bytes_max: usize) -> (Self, Shard<Echo>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let client = TcpStream::connect(listener.local_addr().expect("its address"));
        let client = client.expect("a connection");
        let (server, _) = listener.accept().expect("the same connection");
        server.set_nonblocking(true).expect("no waiting");
        client.set_read_timeout(Some(Duration::from_secs(20))).expect("a bound");

        let (told, telling) = channel();
        let inbox = Arc::new(Mutex::new(vec![Some(server)]));
        let mut bell = None;
        let outlet = Out { waiting: Vec::new(), is_closing: false, bytes_max, told };
        let longest_round = Arc::new(Mutex::new(0));
        let shard = Shard::new(patience, |waker| {
            bell = Some(waker);
            let (inbox, round) = (Arc::clone(&inbox), (0, Arc::clone(&longest_round)));
            Echo { inbox, outlet, is_stream: false, round }
        });
        let shard = shard.expect("an event queue");
        let waker = bell.expect("the tenant was made");
        waker.wake().expect("a wake-up");
        (Self { client, told: telling, inbox, waker, longest_round }, shard)
    }

    fn send(&mut self, bytes: &[u8]) {
        self.client.write_all(bytes).expect("the shard takes it");
    }

    fn receive(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.client.read_exact(&mut bytes).expect("so much comes");
        bytes
    }

    fn told(&self) -> Told {
        self.told.recv_timeout(Duration::from_secs(20)).expect("something happens")
    }

    fn stop(&self) {
        self.inbox.lock().expect("a list").push(None);
        self.waker.wake().expect("a wake-up");
    }
}

const PATIENT: Patience = Patience {
    ping_interval: Duration::from_secs(600),
    dead_after: Duration::from_secs(600),
    linger: Duration::from_secs(600),
};

const DEFLATE: Direction = Direction { context_takeover: false, window_bits: WindowBits::MAX };

/// `count` messages, as a client sends them, and the answers to them.
fn messages(count: usize, len: usize) -> (Vec<u8>, Vec<u8>) {
    let (mut sent, mut answers) = (Vec::new(), Vec::new());
    for number in 0..count {
        let payload: Vec<u8> = format!("{number:06} ").bytes().cycle().take(len).collect();
        let message = MessageRef { kind: enchufe_core::Kind::Text, payload: &payload };
        encode::message(&mut sent, message, Some([1, 2, 3, 4]));
        encode::message(&mut answers, message, None);
    }
    (sent, answers)
}

#[test]
fn all_that_one_read_brought_is_answered_with_one_write() {
    let mut stage = Stage::new(PATIENT, 1 << 20);
    // So few bytes that loopback brings them at once.
    let (sent, answers) = messages(32, 64);
    for _ in 0..10 {
        stage.send(&sent);
        assert_eq!(stage.told(), Told::Written(answers.len()));
        assert_eq!(stage.receive(answers.len()), answers);
    }
}

#[test]
fn pings_and_messages_are_answered_in_order_in_the_same_write() {
    let mut stage = Stage::new(PATIENT, 1 << 20);
    let (mut sent, mut answers) = messages(1, 10);
    encode::frame(&mut sent, ws::Opcode::Ping, b"there?", Some([9, 9, 9, 9]));
    encode::frame(&mut answers, ws::Opcode::Pong, b"there?", None);
    let (more, their_answers) = messages(1, 200);
    sent.extend(more);
    answers.extend(their_answers);
    stage.send(&sent);
    assert_eq!(stage.told(), Told::Written(answers.len()));
    assert_eq!(stage.receive(answers.len()), answers);
}

#[test]
fn who_takes_no_answers_is_not_read_until_it_does_and_then_has_them_all() {
    let bytes_max = 1 << 16;
    let mut stage = Stage::new(PATIENT, bytes_max);
    let (sent, answers) = messages(2_000, 16 << 10);
    let mut sending = stage.client.try_clone().expect("a second handle");
    let sender = std::thread::spawn(move || sending.write_all(&sent));
    while stage.told() != Told::Blocked {}
    assert!(!sender.is_finished(), "more was taken than there is room for");
    assert!(stage.receive(answers.len()) == answers, "every answer, in order");
    sender.join().expect("no panic").expect("everything was taken in the end");
}

#[test]
fn who_always_has_more_to_say_has_no_more_turns_than_others() {
    let mut stage = Stage::new(PATIENT, 1 << 20);
    let (sent, answers) = messages(2_000, 1_000);
    let mut sending = stage.client.try_clone().expect("a second handle");
    const TIMES: usize = 40;
    let sender = std::thread::spawn(move || (0..TIMES).try_for_each(|_| sending.write_all(&sent)));
    for _ in 0..TIMES {
        assert!(stage.receive(answers.len()) == answers, "every answer, in order");
    }
    sender.join().expect("no panic").expect("everything was taken");
    let longest = *stage.longest_round.lock().expect("a number");
    // A turn left over from the round before, and one for what has come since.
    let most = 2 * limits::SHARD_READS_MAX * limits::SHARD_BUFFER_BYTES;
    assert!(longest <= most, "{longest} bytes before the others' turn");
}

#[test]
fn what_inflates_to_much_is_dealt_with_by_and_by() {
    let mut stage = Stage::new(PATIENT, 4 << 20);
    let payload = vec![0; 1 << 20];
    let message = MessageRef { kind: enchufe_core::Kind::Binary, payload: &payload };
    let (mut sent, mut answer) = (Vec::new(), Vec::new());
    let mut deflater = Deflater::new(DEFLATE);
    const COUNT: usize = 40;
    for _ in 0..COUNT {
        encode::compressed(&mut sent, message.kind, message.payload, Some([0; 4]), &mut deflater);
    }
    encode::message(&mut answer, message, None);
    assert!(sent.len() < limits::SHARD_BUFFER_BYTES, "one read brings all of it");
    let mut sending = stage.client.try_clone().expect("a second handle");
    let sender = std::thread::spawn(move || sending.write_all(&sent));
    for _ in 0..COUNT {
        assert!(stage.receive(answer.len()) == answer, "every answer");
    }
    sender.join().expect("no panic").expect("everything was taken");
    let longest = *stage.longest_round.lock().expect("a number");
    // As above.
    let turns_max = 2 * limits::SHARD_READS_MAX;
    assert!(longest <= turns_max * payload.len(), "{longest} bytes before the others' turn");
}

#[test]
fn a_stream_may_be_idle_for_ever_is_answered_and_ends_behind_its_last_answer() {
    let patience = Patience {
        ping_interval: Duration::from_millis(10),
        dead_after: Duration::from_millis(20),
        ..PATIENT
    };
    let (mut stage, mut shard) = Stage::with_shard(patience, 1 << 20);
    shard.tenant.is_stream = true;
    std::thread::spawn(move || shard.run());
    let quiet = stage.told.recv_timeout(Duration::from_millis(200));
    assert_eq!(quiet.ok(), None, "it is neither pinged nor dropped");
    stage.send(b"hello");
    assert_eq!(stage.receive(5), b"HELLO");
    stage.send(b"bye");
    stage.client.shutdown(std::net::Shutdown::Write).expect("it is open");
    let mut received = Vec::new();
    stage.client.read_to_end(&mut received).expect("the last answer, and the end");
    assert_eq!(received, b"BYE");
    assert_eq!(stage.told(), Told::Written(5));
    assert_eq!(stage.told(), Told::Written(3));
    assert_eq!(stage.told(), Told::Ended("Closed".to_owned()));
}

#[test]
fn a_violation_is_answered_behind_what_was_said_before() {
    let mut stage = Stage::new(PATIENT, 1 << 20);
    let (mut sent, mut answers) = messages(3, 50);
    // Not masked.
    sent.extend([0x81, 1, b'x']);
    stage.send(&sent);
    let violation = CloseCode::PROTOCOL.number().to_be_bytes();
    let mut received = Vec::new();
    stage.client.read_to_end(&mut received).expect("the shard shuts its side");
    assert_eq!(received[..answers.len()], answers);
    let close = received.split_off(answers.len());
    assert_eq!((close[0], &close[2..4]), (0x88, &violation[..]));
    // What still comes is read and ignored, so that nothing of this was reset.
    answers.clear();
    stage.send(&messages(1, 100).0);
    drop(stage.client);
    let ended = loop {
        match stage.told.recv_timeout(Duration::from_secs(20)).expect("it ends") {
            Told::Ended(ending) => break ending,
            Told::Written(_) | Told::Blocked => {}
        }
    };
    assert!(ended.starts_with("Violation"), "{ended}");
}

#[test]
fn a_peer_that_shows_no_life_is_asked_and_then_dropped() {
    let patience = Patience {
        ping_interval: Duration::from_millis(20),
        dead_after: Duration::from_millis(100),
        linger: Duration::from_secs(600),
    };
    let mut stage = Stage::new(patience, 1 << 20);
    assert_eq!(stage.receive(2), [0x89, 0]);
    loop {
        match stage.told() {
            Told::Written(_) => {}
            told => break assert_eq!(told, Told::Ended("Silent".into())),
        }
    }
}

#[test]
fn a_peer_that_does_not_leave_is_dropped_in_the_end() {
    let patience = Patience { linger: Duration::from_millis(50), ..PATIENT };
    let mut stage = Stage::new(patience, 1 << 20);
    let (sent, answers) = messages(1, 1);
    stage.send(&sent);
    assert_eq!(stage.receive(answers.len()), answers);
    stage.stop();
    let mut goodbye = Vec::new();
    stage.client.read_to_end(&mut goodbye).expect("the shard shuts its side");
    assert_eq!(goodbye, [0x88, 2, 0x03, 0xe9], "1001");
    // Neither a Close frame comes nor the end of the connection.
    loop {
        match stage.told() {
            Told::Written(_) => {}
            told => break assert_eq!(told, Told::Ended("Closed".into())),
        }
    }
}

#[test]
fn who_takes_its_answers_is_read_again_also_when_the_time_to_ping_it_finds_that_out() {
    let (mut stage, mut shard) = Stage::with_shard(PATIENT, 1);
    SockRef::from(&stage.client).set_recv_buffer_size(4 << 10).expect("little room");
    stage.client.set_nonblocking(true).expect("no waiting");
    shard.on_wake();
    let socket = shard.table.sockets.get_mut(0).expect("it came in");
    let Stream::Tcp(stream) = socket.wire.get_mut() else { panic!("TCP") };
    SockRef::from(&*stream).set_send_buffer_size(4 << 10).expect("little room");
    let (sent, answers) = messages(60, 1 << 10);
    stage.send(&sent);
    shard.receive(0, false);
    assert!(shard.table.sockets[0].stuck);

    let (mut received, mut piece) = (Vec::new(), [0; 4 << 10]);
    for _ in 0..1000 {
        while let Ok(len) = stage.client.read(&mut piece) {
            received.extend_from_slice(&piece[..len]);
        }
        if received.len() == answers.len() {
            break;
        }
        shard.table.now += PATIENT.ping_interval;
        shard.table.sockets[0].alive = shard.table.now;
        shard.on_deadlines();
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(received == answers, "every answer, in order: {} bytes", received.len());
}
