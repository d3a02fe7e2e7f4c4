//! What only some systems have, and what the others do instead.

use std::time::Duration;

use tokio::net::TcpStream;

use super::BindWarning;
use crate::limits;

/// Has the kernel take little more than it can send, so that a peer's slow progress is seen here
/// and a ping does not stand behind minutes of data. Elsewhere than on Linux the kernel takes what
/// it likes.
pub(crate) fn keep_unsent_short(stream: &TcpStream) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    // Without the option everything still works, only less exactly.
    let _ = socket2::SockRef::from(stream).set_tcp_notsent_lowat(limits::UNSENT_BYTES_MAX);
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = stream;
}

/// Has the kernel give up a peer that acknowledges nothing of what it was sent for this long: its
/// machine, or the way to it, has gone without a word. Elsewhere than on Linux the kernel goes on
/// trying for as long as it likes.
pub(crate) fn give_up_after(stream: &TcpStream, time: Duration) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    // Without the option the peer is given up too, only later.
    let _ = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(time));
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = (stream, time);
}

/// What to say when the kernel holds fewer waiting connections than asked for.
pub(super) fn clipped(backlog: u32) -> Option<BindWarning> {
    let somaxconn = somaxconn().filter(|&somaxconn| somaxconn < backlog)?;
    Some(BindWarning::BacklogClipped { asked: backlog, somaxconn })
}

/// The most connections that may wait to be accepted on one socket, where the system says it.
#[cfg(target_os = "linux")]
fn somaxconn() -> Option<u32> {
    std::fs::read_to_string("/proc/sys/net/core/somaxconn").ok()?.trim().parse().ok()
}

/// Other systems clip in silence.
#[cfg(not(target_os = "linux"))]
fn somaxconn() -> Option<u32> {
    None
}

#[cfg(all(test, any(target_os = "linux", target_os = "android")))]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn the_kernel_keeps_little_unsent_and_gives_up_a_peer_that_has_gone() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let address = listener.local_addr().expect("bound");
        let stream = TcpStream::connect(address).await.expect("it listens");
        keep_unsent_short(&stream);
        give_up_after(&stream, limits::DEAD_AFTER);
        let socket = socket2::SockRef::from(&stream);
        assert_eq!(socket.tcp_notsent_lowat().expect("known"), limits::UNSENT_BYTES_MAX);
        assert_eq!(socket.tcp_user_timeout().expect("known"), Some(limits::DEAD_AFTER));
    }
}
