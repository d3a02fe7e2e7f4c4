//! The floor: what a broadcast costs when nothing else is done.
//!
//! A bare epoll loop. Each line of standard input becomes a frame, which is sent to all sockets in
//! the order they were accepted. A socket that takes nothing misses what comes meanwhile. With
//! `writev` as the second argument, all the lines that one read brought leave with one call for
//! each socket.

#[path = "../../../echo/src/bin/floor/epoll.rs"]
mod epoll;

use std::{
    fs::File,
    io::{self, ErrorKind, IoSlice, Read, Write},
    net::{TcpListener, TcpStream},
    os::fd::AsRawFd,
};

use epoll::Epoll;

/// What one read of standard input takes at most.
const READ_BYTES: usize = 1 << 20;
/// What the system takes with one call (`UIO_MAXIOV`).
const SLICES_MAX: usize = 1024;

fn main() -> io::Result<()> {
    let gathers = std::env::args().nth(2).as_deref() == Some("writev");
    let listener = TcpListener::bind(("127.0.0.1", echo_bench::port()))?;
    listener.set_nonblocking(true)?;
    let mut stdin = File::open("/dev/stdin")?;
    let epoll = Epoll::new()?;
    epoll.add(listener.as_raw_fd())?;
    epoll.add(stdin.as_raw_fd())?;

    // A connection stands at the place of its descriptor, which is the order of accepting.
    let mut viewers: Vec<Option<TcpStream>> = Vec::new();
    let (mut buffer, mut kept) = (vec![0; READ_BYTES], 0);
    let mut events = epoll::events();
    loop {
        for descriptor in epoll.wait(&mut events)? {
            if descriptor == listener.as_raw_fd() {
                accept(&listener, &epoll, &mut viewers)?;
            } else if descriptor == stdin.as_raw_fd() {
                // The pipe holds less than the buffer: one read takes all there is.
                let read = stdin.read(&mut buffer[kept..])?;
                let end = kept + read;
                let whole = buffer[..end].iter().rposition(|byte| *byte == b'\n');
                let whole = whole.map_or(0, |at| at + 1);
                broadcast(&buffer[..whole], &mut viewers, gathers);
                buffer.copy_within(whole..end, 0);
                kept = end - whole;
                if read == 0 {
                    return Ok(());
                }
            } else if let Some(place) = viewers.get_mut(descriptor as usize)
                && let Some(viewer) = place
                && !answer_pings(viewer)
            {
                *place = None;
            }
        }
    }
}

fn broadcast(lines: &[u8], viewers: &mut [Option<TcpStream>], gathers: bool) {
    let frames: Vec<Vec<u8>> = lines.split_inclusive(|byte| *byte == b'\n').map(frame).collect();
    if gathers {
        for frames in frames.chunks(SLICES_MAX) {
            let slices: Vec<IoSlice<'_>> = frames.iter().map(|frame| IoSlice::new(frame)).collect();
            for mut viewer in viewers.iter().flatten() {
                // A viewer who takes nothing is not waited for.
                let _ = viewer.write_vectored(&slices);
            }
        }
        return;
    }
    for frame in &frames {
        for mut viewer in viewers.iter().flatten() {
            let _ = viewer.write(frame);
        }
    }
}

fn frame(line: &[u8]) -> Vec<u8> {
    let payload = &line[..line.len() - 1];
    let mut frame = vec![0x81];
    match payload.len() {
        length @ 0..126 => frame.push(length as u8),
        length @ 126..0x1_0000 => {
            frame.push(126);
            frame.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            frame.push(127);
            frame.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(payload);
    frame
}

fn accept(
    listener: &TcpListener,
    epoll: &Epoll,
    viewers: &mut Vec<Option<TcpStream>>,
) -> io::Result<()> {
    loop {
        let mut stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        stream.set_nodelay(true)?;
        let mut request = Vec::new();
        let mut piece = [0; 1024];
        let answer = loop {
            let read = stream.read(&mut piece)?;
            request.extend_from_slice(&piece[..read]);
            if let Some(answer) = echo_bench::handshake::answer(&request) {
                break answer;
            }
        };
        stream.write_all(answer.as_bytes())?;
        stream.set_nonblocking(true)?;
        epoll.add(stream.as_raw_fd())?;
        let place = stream.as_raw_fd() as usize;
        if viewers.len() <= place {
            viewers.resize_with(place + 1, || None);
        }
        viewers[place] = Some(stream);
    }
}

/// Answers pings, each of which comes whole. Whether the connection goes on.
fn answer_pings(viewer: &mut TcpStream) -> bool {
    let mut buffer = [0; 1024];
    let read = match viewer.read(&mut buffer) {
        Ok(0) => return false,
        Ok(read) => read,
        Err(error) => return error.kind() == ErrorKind::WouldBlock,
    };
    let mut rest = &buffer[..read];
    while let [0x89, length, a, b, c, d, ..] = *rest {
        let length = usize::from(length & 0x7f);
        let mask = [a, b, c, d];
        let mut pong = vec![0x8a, length as u8];
        pong.extend(rest[6..6 + length].iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
        if viewer.write(&pong).is_err() {
            return true;
        }
        rest = &rest[6 + length..];
    }
    true
}
