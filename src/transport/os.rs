//! What only some systems have, and what the others do instead.

use std::io;
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use tokio::net::TcpStream;

use super::{BindWarning, InterfaceError};
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

/// The longest name of a network interface, in bytes (`IFNAMSIZ` without its NUL). Of a longer one
/// Linux would take the beginning.
#[cfg(any(target_os = "linux", target_os = "android"))]
const INTERFACE_NAME_BYTES_MAX: usize = 15;

/// Has a socket use one network interface and no other, in both directions.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn bind_to_interface(socket: &Socket, name: &str) -> io::Result<()> {
    // An empty name means every interface.
    if name.is_empty() || name.len() > INTERFACE_NAME_BYTES_MAX {
        return Err(rustix::io::Errno::NODEV.into());
    }
    socket.bind_device(Some(name.as_bytes()))
}

/// Elsewhere nothing does quite that.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn bind_to_interface(_socket: &Socket, _name: &str) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Finds out whether sockets can be bound to the interface.
pub(super) fn check_interface(name: &str) -> Result<(), InterfaceError> {
    let tried = Socket::new(Domain::IPV4, Type::DGRAM, None)
        .or_else(|_| Socket::new(Domain::IPV6, Type::DGRAM, None))
        .and_then(|socket| bind_to_interface(&socket, name));
    let name = name.to_owned();
    tried.map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => InterfaceError::Forbidden { name },
        io::ErrorKind::Unsupported => InterfaceError::Unsupported { name },
        _ if rustix::io::Errno::from_io_error(&error) == Some(rustix::io::Errno::NODEV) => {
            InterfaceError::Missing { name }
        }
        _ => InterfaceError::Io { name, error },
    })
}

/// Lets several sockets listen on one address, also those of other programs of this user.
#[cfg(unix)]
pub(super) fn share_port(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_port(true)
}

/// Elsewhere there is no such option, or one that lets strangers take the port away.
#[cfg(not(unix))]
pub(super) fn share_port(_socket: &Socket) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// How much a buffer holds, by what the system says of it: Linux counts its own bookkeeping in, and
/// doubles what it was asked for (socket(7)).
pub(super) fn buffer_bytes(said: usize) -> usize {
    if cfg!(any(target_os = "linux", target_os = "android")) { said / 2 } else { said }
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
