//! Streams over Unix-domain sockets.

mod file;
mod name;

use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::path::PathBuf;
use std::time::Duration;

pub(super) use file::SocketFile;
pub(super) use name::Name;
use socket2::{Domain, Socket, Type};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::{Instant, sleep};

use super::accept::Rests;
use super::{BindError, BindOptions, BindWarning, OpenError, OpenOptions, Peer, os};
use crate::address::UnixPath;
use crate::limits::RETRY_PAUSE;

/// A listening socket.
#[derive(Debug)]
pub(super) struct Listener {
    /// Before the socket, so that the file is gone while its inode is still ours.
    _file: Option<SocketFile>,
    socket: UnixListener,
    rests: Rests,
}

impl Listener {
    pub(super) async fn bind(
        path: &UnixPath,
        options: &BindOptions,
    ) -> Result<(Self, Vec<BindWarning>), BindError> {
        let io_error = |error| BindError::Io { address: path.to_string(), error };
        let (socket, file) = bind(path, Type::STREAM).await?;
        options.sockets.apply(&socket).map_err(io_error)?;
        socket.listen(i32::try_from(options.backlog).unwrap_or(i32::MAX)).map_err(io_error)?;
        let mut warnings = options.sockets.clipped(&socket);
        warnings.extend(os::clipped(options.backlog));
        let socket = UnixListener::from_std(socket.into()).map_err(io_error)?;
        Ok((Self { _file: file, socket, rests: Rests::default() }, warnings))
    }

    /// Safe to cancel.
    pub(super) async fn accept(&mut self) -> (UnixStream, Peer) {
        loop {
            self.rests.wait().await;
            match self.socket.accept().await {
                Ok((stream, peer)) => {
                    self.rests.end();
                    return (stream, peer_of(&peer));
                }
                Err(error) => self.rests.begin(&error),
            }
        }
    }
}

/// A bound socket that does not block, and the file to remove at the end.
pub(super) async fn bind(
    path: &UnixPath,
    socket_type: Type,
) -> Result<(Socket, Option<SocketFile>), BindError> {
    let io_error = |error| BindError::Io { address: path.to_string(), error };
    let address =
        Name::of(path).and_then(|name| name.address()).map_err(|error| error.bind(path))?;
    match path {
        UnixPath::File(file) => {
            let file = file.clone();
            // Waiting for a lock blocks.
            tokio::task::spawn_blocking(move || file::bind(&file, &address, socket_type))
                .await
                .map_err(|error| io_error(error.into()))?
                .map(|(socket, file)| (socket, Some(file)))
        }
        UnixPath::Abstract(_) => {
            let bind = || {
                let socket = Socket::new(Domain::UNIX, socket_type, None)?;
                socket.set_nonblocking(true)?;
                socket.bind(&address)?;
                io::Result::Ok(socket)
            };
            match bind() {
                Ok(socket) => Ok((socket, None)),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                    Err(BindError::InUse { address: path.to_string() })
                }
                Err(error) => Err(io_error(error)),
            }
        }
    }
}

pub(super) async fn open(
    path: &UnixPath,
    options: &OpenOptions,
) -> Result<(UnixStream, Peer), OpenError> {
    let io_error = |error| OpenError::io(path.to_string(), error);
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None).map_err(io_error)?;
    socket.set_nonblocking(true).map_err(io_error)?;
    options.sockets.apply(&socket).map_err(io_error)?;
    options.sockets.log_clipped(&socket);
    connect(&socket, path, options.timeout).await?;
    let stream = UnixStream::from_std(socket.into()).map_err(io_error)?;
    Ok((stream, Peer::from(path)))
}

/// Connects a socket, which is done at once unless the server's backlog is full.
pub(super) async fn connect(
    socket: &Socket,
    path: &UnixPath,
    time: Duration,
) -> Result<(), OpenError> {
    let address =
        Name::of(path).and_then(|name| name.address()).map_err(|error| error.open(path))?;
    let deadline = Instant::now() + time;
    loop {
        match socket.connect(&address) {
            Ok(()) => return Ok(()),
            // There is no sign when there is room in the backlog again (connect(2), EAGAIN).
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if Instant::now() >= deadline {
                    return Err(OpenError::TimedOut { address: path.to_string(), timeout: time });
                }
                sleep(RETRY_PAUSE).await;
            }
            Err(error) => return Err(open_error(path, error)),
        }
    }
}

fn is_no_socket(path: &UnixPath) -> bool {
    let UnixPath::File(path) = path else { return false };
    std::fs::metadata(path).is_ok_and(|found| !found.file_type().is_socket())
}

fn open_error(path: &UnixPath, error: io::Error) -> OpenError {
    let address = path.to_string();
    match error.kind() {
        // To what is no socket at all the system says the same.
        io::ErrorKind::ConnectionRefused if is_no_socket(path) => OpenError::NotASocket { address },
        io::ErrorKind::ConnectionRefused => OpenError::Refused { address },
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => OpenError::NotFound { address },
        io::ErrorKind::PermissionDenied => OpenError::PermissionDenied { address },
        _ if rustix::io::Errno::from_io_error(&error) == Some(rustix::io::Errno::PROTOTYPE) => {
            OpenError::WrongKind { address }
        }
        _ => OpenError::io(address, error),
    }
}

impl From<&UnixPath> for Peer {
    fn from(path: &UnixPath) -> Self {
        match path {
            UnixPath::File(path) => Self::UnixPath(path.clone()),
            UnixPath::Abstract(name) => Self::UnixAbstract(name.clone().into_bytes()),
        }
    }
}

/// Who the system says the peer is.
pub(super) fn peer_of(address: &tokio::net::unix::SocketAddr) -> Peer {
    if let Some(path) = address.as_pathname() {
        return Peer::UnixPath(PathBuf::from(path));
    }
    name::abstract_name(address).map_or(Peer::UnixUnnamed, |name| Peer::UnixAbstract(name.to_vec()))
}
