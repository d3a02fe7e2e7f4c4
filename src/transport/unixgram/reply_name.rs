//! A name for a client's socket: without one the server could not answer.

use std::io;

use socket2::Socket;

use super::super::unix::SocketFile;

/// Lets Linux choose an abstract name, which goes with the socket (unix(7), autobind).
#[cfg(target_os = "linux")]
pub(super) fn bind_reply_name(socket: &Socket) -> io::Result<Option<SocketFile>> {
    socket.bind(&socket2::SockAddr::unix("")?)?;
    Ok(None)
}

/// Binds a private file in the folder for temporary ones, which goes with the socket.
#[cfg(not(target_os = "linux"))]
pub(super) fn bind_reply_name(socket: &Socket) -> io::Result<Option<SocketFile>> {
    let name = format!("enchufe-{:016x}.sock", fastrand::u64(..));
    let path = std::env::temp_dir().join(name);
    SocketFile::bind(socket, &path, &socket2::SockAddr::unix(&path)?).map(Some)
}
