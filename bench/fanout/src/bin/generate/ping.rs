//! One viewer more, who asks all the time whether the server is there.

use std::{
    io::{Read, Write},
    net::SocketAddr,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;

use crate::viewer::{connect, frame};

/// A ping is due so often.
const INTERVAL: Duration = Duration::from_millis(5);
const PONG: u8 = 10;

/// Pings until it is told to stop. Each pong is timed from when its ping was due, so that a server
/// that stalls is seen to have made all those wait that were due meanwhile.
pub(crate) fn run(address: SocketAddr, stop: &AtomicBool) -> Result<Histogram<u64>, String> {
    let mut stream = connect(address, false)?;
    let failed = |error: std::io::Error| format!("the pinged viewer: {error}");
    // It has to be awake when a pong comes, however much the other viewers have to read.
    // SAFETY: the call takes no pointer. Without the right to it, it changes nothing.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, -20) };
    let mut waits = Histogram::new(3).expect("so many digits can be kept");
    let (mut received, mut piece) = (Vec::new(), [0; 16 * 1024]);
    let mut due = Instant::now();
    for number in 0u64.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        thread::sleep(due.saturating_duration_since(Instant::now()));
        // A mask of zeros changes nothing.
        let mut ping = vec![0x89, 0x88, 0, 0, 0, 0];
        ping.extend_from_slice(&number.to_be_bytes());
        stream.write_all(&ping).map_err(failed)?;
        loop {
            let mut rest = &received[..];
            let mut answered = false;
            while let Some((opcode, payload, after)) = frame(rest) {
                answered |= opcode == PONG && payload == number.to_be_bytes();
                rest = after;
            }
            let consumed = received.len() - rest.len();
            received.drain(..consumed);
            if answered {
                break;
            }
            let read = stream.read(&mut piece).map_err(failed)?;
            if read == 0 {
                return Err("the pinged viewer was closed".to_owned());
            }
            received.extend_from_slice(&piece[..read]);
        }
        // Those that were due meanwhile count as if they had been sent, for which there is no need
        // to send them: each would take the processor from the viewers who read.
        let waited = due.elapsed().as_nanos() as u64;
        let interval = INTERVAL.as_nanos() as u64;
        waits.record_correct(waited, interval).expect("it grows as it needs to");
        due = (due + INTERVAL).max(Instant::now());
    }
    Ok(waits)
}
