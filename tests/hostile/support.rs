//! Viewers by hand, so that they can be wrong.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use enchufe::live::{NodeOptions, Patience};

use crate::common::http::{UPGRADE, answer, connect, connect_small, head};

pub(crate) const TEXT: u8 = 0x81;
pub(crate) const CLOSE: u8 = 0x88;
pub(crate) const PING: u8 = 0x89;
pub(crate) const PONG: u8 = 0x8a;

/// A frame of a client, with a mask of zeros.
pub(crate) fn frame(head: u8, payload: &[u8]) -> Vec<u8> {
    [&frame_head(head, payload.len() as u64)[..], payload].concat()
}

/// Everything before the payload, which need not come.
pub(crate) fn frame_head(head: u8, length: u64) -> Vec<u8> {
    let length = match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ 0..126), _) => vec![0x80 | short],
        (_, Ok(middle)) => [&[0xfe], &middle.to_be_bytes()[..]].concat(),
        _ => [&[0xff], &length.to_be_bytes()[..]].concat(),
    };
    [&[head], &length[..], &[0; 4]].concat()
}

/// A node whose viewers are not waited for long.
pub(crate) fn impatient() -> NodeOptions {
    let patience = Patience {
        ping_interval: Duration::from_millis(100),
        dead_after: Duration::from_secs(1),
        linger: Duration::from_millis(200),
    };
    NodeOptions { shards: 1, patience, ..NodeOptions::default() }
}

/// What a viewer is.
pub(crate) enum Form {
    Raw,
    V1,
}

/// Opens a viewer of `feed`.
pub(crate) fn view(address: SocketAddr, form: Form) -> TcpStream {
    shake_hands(connect(address), form)
}

/// Opens a viewer for which the kernel reads next to nothing.
pub(crate) fn view_small(address: SocketAddr, form: Form) -> TcpStream {
    shake_hands(connect_small(address), form)
}

fn shake_hands(mut stream: TcpStream, form: Form) -> TcpStream {
    let protocol: &[&str] = match form {
        Form::Raw => &[],
        Form::V1 => &["Sec-WebSocket-Protocol: enchufe.v1"],
    };
    let headers = [&UPGRADE[..], &["Host: localhost"], protocol].concat();
    stream.write_all(&head("GET /channels/feed", &headers)).expect("it is open");
    assert_eq!(answer(&mut stream).status, 101);
    stream
}

/// The next frame of the server: its first byte and its payload; `None` at the end.
pub(crate) fn read_frame(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let mut start = [0; 2];
    stream.read_exact(&mut start).ok()?;
    let length = match start[1] {
        126 => {
            let mut length = [0; 2];
            stream.read_exact(&mut length).ok()?;
            usize::from(u16::from_be_bytes(length))
        }
        127 => {
            let mut length = [0; 8];
            stream.read_exact(&mut length).ok()?;
            usize::try_from(u64::from_be_bytes(length)).expect("it fits")
        }
        short => usize::from(short),
    };
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload).ok()?;
    Some((start[0], payload))
}

/// The code of the Close frame that ends the connection, whatever came before it.
pub(crate) fn close_code(stream: &mut TcpStream) -> Option<u16> {
    while let Some((head, payload)) = read_frame(stream) {
        if head == CLOSE {
            return Some(u16::from_be_bytes([payload[0], payload[1]]));
        }
    }
    None
}

/// Resets the connection instead of closing it.
pub(crate) fn reset(stream: TcpStream) {
    let stream = socket2::Socket::from(stream);
    stream.set_linger(Some(Duration::ZERO)).expect("it is open");
}
