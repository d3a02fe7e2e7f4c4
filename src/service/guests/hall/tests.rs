//! A hall with one shard, and real sockets.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    time::Duration,
};

use bytes::Bytes;
use enchufe_core::{
    Kind, MessageRef,
    ws::{CloseCode, Decoder, Limits, Role, encode},
};
use socket2::SockRef;
use tokio::time::timeout;

use super::*;
use crate::{
    limits,
    service::{Echo, Flow, Replies, StreamHandler},
};

/// Longer than any test needs.
const LONG: Duration = Duration::from_secs(20);

/// A hall where all clients share a shard.
fn hall() -> Hall {
    let mut hall = Hall::new(Observer::default());
    hall.doors.push(hall.open(0).expect("an event queue and a thread"));
    hall
}

/// Both ends of a connection: a client's, and a server's after the handshake.
fn pair() -> (TcpStream, ws::Socket, Peer) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let client = TcpStream::connect(listener.local_addr().expect("its address"));
    let client = client.expect("a connection");
    client.set_read_timeout(Some(LONG)).expect("a bound");
    let (server, peer) = listener.accept().expect("the same connection");
    server.set_nonblocking(true).expect("no waiting");
    let stream = tokio::net::TcpStream::from_std(server).expect("a socket for tokio").into();
    let decoder = Decoder::new(Role::Server, Limits::default());
    let socket = ws::Socket { stream, received: Bytes::new(), decoder, deflate: None };
    (client, socket, Peer::Inet(peer))
}

fn frame(text: &str, mask: Option<[u8; 4]>) -> Vec<u8> {
    let mut frame = Vec::new();
    let message = MessageRef { kind: Kind::Text, payload: text.as_bytes() };
    encode::message(&mut frame, message, mask);
    frame
}

#[tokio::test]
async fn the_answer_to_a_client_that_has_gone_reaches_nobody_else() {
    let mut hall = hall();
    for _ in 0..20 {
        let (mut gone, socket, peer) = pair();
        gone.write_all(&frame("a secret", Some([1, 2, 3, 4]))).expect("there is room");
        SockRef::from(&gone).set_linger(Some(Duration::ZERO)).expect("a reset when it is dropped");
        drop(gone);
        hall.enter(socket, peer, Box::new(Echo)).expect("it comes in");
        timeout(LONG, hall.left()).await.expect("it is found out");

        let (mut other, socket, peer) = pair();
        hall.enter(socket, peer, Box::new(Echo)).expect("it comes in");
        other.write_all(&frame("Hola", Some([1, 2, 3, 4]))).expect("there is room");
        let answer = frame("Hola", None);
        let mut received = vec![0; answer.len()];
        other.read_exact(&mut received).expect("an answer");
        assert_eq!(received, answer);
        drop(other);
        timeout(LONG, hall.left()).await.expect("it is seen to leave");
    }
    assert_eq!(hall.len(), 0);
}

#[tokio::test]
async fn who_says_goodbye_and_sends_no_more_still_has_every_answer() {
    let mut hall = hall();
    let (mut client, socket, peer) = pair();
    // So little room that the last answers have to wait, too.
    SockRef::from(socket.stream.carrier().tcp().expect("TCP"))
        .set_send_buffer_size(8 << 10)
        .expect("little room");
    hall.enter(socket, peer, Box::new(Echo)).expect("it comes in");
    let text = "x".repeat(60_000);
    let (question, answer) = (frame(&text, Some([1, 2, 3, 4])), frame(&text, None));
    let mut sending = client.try_clone().expect("a second handle");
    let sender = std::thread::spawn(move || {
        for _ in 0..20 {
            sending.write_all(&question)?;
        }
        sending.write_all(&[0x88, 0x80, 1, 2, 3, 4])?;
        sending.shutdown(Shutdown::Write)
    });
    let mut received = Vec::new();
    client.read_to_end(&mut received).expect("answers, and the end");
    sender.join().expect("no panic").expect("everything was taken");
    assert_eq!(received.len(), 20 * answer.len() + 4);
    assert_eq!(received[20 * answer.len()..], [0x88, 2, 0x03, 0xe8], "1000");
    timeout(limits::LINGER / 2, hall.left()).await.expect("it is not waited for");
}

#[tokio::test]
#[cfg(unix)]
async fn a_client_over_a_unix_domain_socket_is_served_too() {
    let mut hall = hall();
    let (mut client, server) = std::os::unix::net::UnixStream::pair().expect("two sockets");
    client.set_read_timeout(Some(LONG)).expect("a bound");
    server.set_nonblocking(true).expect("no waiting");
    let stream = tokio::net::UnixStream::from_std(server).expect("a socket for tokio").into();
    let decoder = Decoder::new(Role::Server, Limits::default());
    let socket = ws::Socket { stream, received: Bytes::new(), decoder, deflate: None };
    hall.enter(socket, Peer::UnixUnnamed, Box::new(Echo)).expect("it comes in");
    for text in ["Hola", &"x".repeat(300_000)] {
        let (question, answer) = (frame(text, Some([1, 2, 3, 4])), frame(text, None));
        let mut sending = client.try_clone().expect("a second handle");
        let sender = std::thread::spawn(move || sending.write_all(&question));
        let mut received = vec![0; answer.len()];
        client.read_exact(&mut received).expect("an answer");
        assert!(received == answer, "{} bytes", text.len());
        sender.join().expect("no panic").expect("everything was taken");
    }
    hall.stop();
    let mut farewell = [0; 4];
    client.read_exact(&mut farewell).expect("a farewell");
    assert_eq!(farewell, [0x88, 2, 0x03, 0xe9], "1001");
    client.write_all(&[0x88, 0x80, 1, 2, 3, 4]).expect("there is room");
    assert_eq!(client.read(&mut farewell).expect("the end"), 0);
    drop(client);
    timeout(LONG, hall.empty()).await.expect("it has left");
}

#[tokio::test]
async fn a_shard_ends_with_the_only_way_in() {
    for _ in 0..20 {
        let mut hall = hall();
        hall.doors.clear();
        timeout(LONG, hall.empty()).await.expect("no thread is left");
    }
}

#[tokio::test]
async fn clients_are_dropped_with_the_hall() {
    let mut hall = hall();
    let (mut client, socket, peer) = pair();
    hall.enter(socket, peer, Box::new(Echo)).expect("it comes in");
    let visits = Arc::clone(&hall.visits);
    drop(hall);
    assert_eq!(client.read(&mut [0]).expect("the end"), 0);
    timeout(LONG, visits.left.notified()).await.expect("it is seen to leave");
}

/// Answers with what it receives, and then with how long that was.
struct Scribe;

impl Handler for Scribe {
    fn on_message(&mut self, message: MessageRef<'_>, replies: &mut Replies<'_>) -> Flow {
        replies.send(message);
        let length = message.payload.len().to_string();
        replies.send(MessageRef { kind: Kind::Text, payload: length.as_bytes() });
        Flow::Continue
    }
}

#[tokio::test]
async fn answers_keep_their_order_wherever_they_are_written() {
    let mut hall = hall();
    let (mut client, socket, peer) = pair();
    SockRef::from(socket.stream.carrier().tcp().expect("TCP"))
        .set_send_buffer_size(8 << 10)
        .expect("little room");
    hall.enter(socket, peer, Box::new(Scribe)).expect("it comes in");
    let (mut questions, mut answers) = (Vec::new(), Vec::new());
    // Long ones that fit where the question was, some that do not, and short ones in between.
    for len in [2_000, 10, 1_024, 1_023, 70_000, 60_000, 3, 5_000, 0, 30_000].repeat(5) {
        let text = "é".repeat(len / 2);
        questions.extend(frame(&text, Some([1, 2, 3, 4])));
        answers.extend(frame(&text, None));
        answers.extend(frame(&text.len().to_string(), None));
    }
    questions.extend([0x88, 0x80, 1, 2, 3, 4]);
    answers.extend([0x88, 2, 0x03, 0xe8]);
    let mut sending = client.try_clone().expect("a second handle");
    let sender = std::thread::spawn(move || sending.write_all(&questions));
    let mut received = Vec::new();
    client.read_to_end(&mut received).expect("answers, and the end");
    sender.join().expect("no panic").expect("everything was taken");
    assert!(received == answers, "{} bytes instead of {}", received.len(), answers.len());
}

#[tokio::test]
async fn a_stream_gets_back_what_it_sends_however_slowly_it_reads() {
    let mut hall = hall();
    let (mut client, socket, peer) = pair();
    SockRef::from(socket.stream.carrier().tcp().expect("TCP"))
        .set_send_buffer_size(8 << 10)
        .expect("little room");
    hall.enter_stream(socket.stream, peer, Box::new(Echo)).expect("it comes in");
    let sent: Vec<u8> = (0..4_000_000u32).flat_map(|number| number.to_be_bytes()).collect();
    let (mut sending, bytes) = (client.try_clone().expect("a second handle"), sent.clone());
    let sender = std::thread::spawn(move || {
        sending.write_all(&bytes)?;
        sending.shutdown(Shutdown::Write)
    });
    let mut received = Vec::new();
    client.read_to_end(&mut received).expect("answers, and the end");
    sender.join().expect("no panic").expect("everything was taken");
    assert!(received == sent, "{} bytes of {}", received.len(), sent.len());
    timeout(LONG, hall.left()).await.expect("it is seen to leave");
}

impl StreamHandler for Fragile {
    fn on_bytes(&mut self, bytes: &mut [u8]) -> usize {
        assert!(!bytes.starts_with(b"break"), "as it was told to");
        bytes.len()
    }
}

#[tokio::test]
async fn a_stream_handler_that_panics_ends_its_own_stream() {
    let mut hall = hall();
    let (mut client, socket, peer) = pair();
    hall.enter_stream(socket.stream, peer, Box::new(Fragile)).expect("it comes in");
    client.write_all(b"Hola").expect("there is room");
    let mut received = [0; 4];
    client.read_exact(&mut received).expect("an answer");
    assert_eq!(&received, b"Hola");
    client.write_all(b"break").expect("there is room");
    assert_eq!(client.read(&mut received).expect("the end"), 0);
    drop(client);
    timeout(LONG, hall.left()).await.expect("it is seen to leave");
}

/// Panics when it is told to.
struct Fragile;

impl Handler for Fragile {
    fn on_message(&mut self, message: MessageRef<'_>, replies: &mut Replies<'_>) -> Flow {
        replies.send(message);
        assert!(!message.payload.starts_with(b"break"), "as it was told to");
        Flow::Continue
    }
}

#[tokio::test]
async fn a_handler_that_panics_takes_its_own_client_with_it_and_nobody_else() {
    let mut hall = hall();
    let (mut other, socket, peer) = pair();
    hall.enter(socket, peer, Box::new(Fragile)).expect("it comes in");

    let internal_error = [&[0x88, 2][..], &CloseCode::INTERNAL.number().to_be_bytes()].concat();
    // The answer to the long one was written in another place.
    for rest in ["", &"x".repeat(5_000)] {
        let (mut one, socket, peer) = pair();
        hall.enter(socket, peer, Box::new(Fragile)).expect("it comes in");
        one.write_all(&frame("Hola", Some([1, 2, 3, 4]))).expect("there is room");
        let last = format!("break{rest}");
        one.write_all(&frame(&last, Some([1, 2, 3, 4]))).expect("there is room");
        let mut received = Vec::new();
        one.read_to_end(&mut received).expect("an answer, and the end");
        assert_eq!(received, [frame("Hola", None), internal_error.clone()].concat());
        drop(one);
        timeout(LONG, hall.left()).await.expect("it is seen to leave");
    }

    let answer = frame("Hola", None);
    other.write_all(&frame("Hola", Some([1, 2, 3, 4]))).expect("there is room");
    let mut received = vec![0; answer.len()];
    other.read_exact(&mut received).expect("an answer");
    assert_eq!((received, hall.len()), (answer, 1));
}
