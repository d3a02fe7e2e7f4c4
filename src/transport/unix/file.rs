//! The file of a Unix-domain socket: made private, and removed only when it is ours or nobody's.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Instant;

use rustix::fs::Mode;
use socket2::{Domain, SockAddr, Socket, Type};

use super::super::BindError;
use crate::limits::{FOLDER_LOCK_TIMEOUT, RETRY_PAUSE};

/// Only the owner may connect.
const MODE: u32 = 0o600;

/// The file of a bound socket. Dropping it removes the file, if it is still ours.
#[derive(Debug)]
pub(in crate::transport) struct SocketFile {
    /// Absolute: the program may change its folder.
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let ours = |found: &fs::Metadata| found.dev() == self.device && found.ino() == self.inode;
        // While the socket is open its inode is not given to anything else.
        if fs::symlink_metadata(&self.path).is_ok_and(|found| ours(&found))
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "cannot remove the socket's file");
        }
    }
}

/// Binds a socket to a path, in place of a stale socket if there is one. It blocks while another
/// program does the same in that folder.
pub(super) fn bind(
    path: &Path,
    address: &SockAddr,
    socket_type: Type,
) -> Result<(Socket, SocketFile), BindError> {
    // Between looking at a stale file and removing it nobody may put a live one there.
    let _lock = lock_folder_of(path)?;
    remove_stale(path, address)?;
    bind_private(path, address, socket_type).map_err(|error| bind_error(path, error))
}

fn bind_private(
    path: &Path,
    address: &SockAddr,
    socket_type: Type,
) -> io::Result<(Socket, SocketFile)> {
    let socket = Socket::new(Domain::UNIX, socket_type, None)?;
    socket.set_nonblocking(true)?;
    let file = SocketFile::bind(&socket, path, address)?;
    Ok((socket, file))
}

impl SocketFile {
    /// Binds a socket to a path at which nothing stands, for the owner alone.
    pub(in crate::transport) fn bind(
        socket: &Socket,
        path: &Path,
        address: &SockAddr,
    ) -> io::Result<Self> {
        // Where the system lets a socket have a mode, the file is born with it; the others refuse.
        let _ = rustix::fs::fchmod(socket, Mode::RUSR | Mode::WUSR);
        socket.bind(address)?;
        let found = fs::symlink_metadata(path)?;
        let file =
            Self { path: std::path::absolute(path)?, device: found.dev(), inode: found.ino() };
        if found.mode() & 0o777 & !MODE != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(MODE))?;
        }
        Ok(file)
    }
}

/// Locks a folder against every other program that binds a socket in it by these rules. The lock
/// goes with the file handle, and leaves nothing behind.
fn lock_folder_of(path: &Path) -> Result<File, BindError> {
    let folder = match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => path,
    };
    let folder = File::open(folder).map_err(|error| bind_error(path, error))?;
    let deadline = Instant::now() + FOLDER_LOCK_TIMEOUT;
    loop {
        match folder.try_lock() {
            Ok(()) => return Ok(folder),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                std::thread::sleep(RETRY_PAUSE)
            }
            Err(TryLockError::WouldBlock) => {
                return Err(BindError::Locked { address: shown(path) });
            }
            Err(TryLockError::Error(error)) => return Err(bind_error(path, error)),
        }
    }
}

/// Removes what stands at the path if it is a socket nobody answers on, and refuses anything else.
fn remove_stale(path: &Path, address: &SockAddr) -> Result<(), BindError> {
    let kind = match fs::symlink_metadata(path) {
        Ok(found) => found.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(bind_error(path, error)),
    };
    if !kind.is_socket() {
        let found = match kind {
            kind if kind.is_symlink() => "a symbolic link",
            kind if kind.is_dir() => "a folder",
            _ => "a file",
        };
        return Err(BindError::NotASocket { address: shown(path), found });
    }
    match is_stale(address) {
        Ok(true) => fs::remove_file(path).map_err(|error| bind_error(path, error)),
        Ok(false) => Err(BindError::InUse { address: shown(path) }),
        Err(error) => Err(bind_error(path, error)),
    }
}

/// Whether no program has the socket open. Connecting *datagrams* tells without disturbing it: a
/// server of streams, listening or about to, answers that it is of another kind and sees no
/// client, and a server of datagrams notices nothing.
fn is_stale(address: &SockAddr) -> io::Result<bool> {
    let probe = Socket::new(Domain::UNIX, Type::DGRAM, None)?;
    match probe.connect(address) {
        Ok(()) => Ok(false),
        Err(error) => match error.kind() {
            io::ErrorKind::ConnectionRefused => Ok(true),
            // Another user's: whether it is alive cannot be told.
            _ => Ok(false),
        },
    }
}

fn bind_error(path: &Path, error: io::Error) -> BindError {
    let address = shown(path);
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => BindError::NoFolder { address },
        io::ErrorKind::PermissionDenied => {
            BindError::PermissionDenied { address, privileged_port: false }
        }
        io::ErrorKind::AddrInUse => BindError::InUse { address },
        _ => BindError::Io { address, error },
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
