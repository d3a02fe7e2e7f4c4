//! A hall with one shard, and real sockets.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    time::Duration,
};

use bytes::Bytes;
use enchufe_core::{
    Kind, MessageRef,
    ws::{Decoder, Limits, Role, encode},
};
use socket2::SockRef;
use tokio::time::timeout;

use super::*;
use crate::service::Echo;

/// Longer than any test needs.
const LONG: Duration = Duration::from_secs(20);

/// A hall where all clients share a shard.
fn hall() -> Hall {
    let mut hall = Hall::new(Observer::default());
    hall.doors.push(hall.open(0).expect("an event queue and a thread"));
    hall
}

/// Both ends of a connection: a client's, and a server's after the handshake.
fn pair() -> (TcpStream, Socket, Peer) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let client = TcpStream::connect(listener.local_addr().expect("its address"));
    let client = client.expect("a connection");
    client.set_read_timeout(Some(LONG)).expect("a bound");
    let (server, peer) = listener.accept().expect("the same connection");
    server.set_nonblocking(true).expect("no waiting");
    let stream = tokio::net::TcpStream::from_std(server).expect("a socket for tokio").into();
    let decoder = Decoder::new(Role::Server, Limits::default());
    let socket = Socket { stream, received: Bytes::new(), decoder, deflate: None };
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
