//! A pseudo-terminal, for programs that print block by block when they do not see a terminal.

use std::{io, os::fd::OwnedFd};

use rustix::{
    fs::{Mode, OFlags},
    io::Errno,
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr},
};
use tokio::{io::AsyncWriteExt as _, net::unix::pipe};

use super::{Ends, Input, Output, Streams, Theirs};

/// Both ends of a terminal as a program's streams. What it complains goes there, too, if it is to
/// be ours.
pub(super) fn streams(streams: Streams) -> io::Result<(Ends, Theirs)> {
    let (ours, theirs) = open()?;
    let clone = |is_wanted: bool| is_wanted.then(|| theirs.try_clone()).transpose();
    let (input, complaints) = (clone(streams != Streams::Output)?, clone(streams == Streams::All)?);
    let writes = match streams {
        Streams::Output => None,
        // Tokio's pipes are files that can be waited for, which a terminal is, too.
        _ => Some(pipe::Sender::from_owned_fd_unchecked(ours.try_clone()?)?),
    };
    let ends = Ends {
        input: writes.map(Input::terminal),
        output: Output::Terminal(pipe::Receiver::from_owned_fd_unchecked(ours)?),
        complaints: None,
    };
    Ok((ends, Theirs { input, output: theirs, complaints }))
}

/// Our end of a terminal, and the program's.
fn open() -> io::Result<(OwnedFd, OwnedFd)> {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&ours)?;
    unlockpt(&ours)?;
    let path = ptsname(&ours, Vec::new())?;
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let theirs = rustix::fs::open(path, flags, Mode::empty())?;
    // What passes is to arrive as it was: no `\r` before each `\n`, and no echo.
    let mut settings = tcgetattr(&theirs)?;
    settings.make_raw();
    tcsetattr(&theirs, OptionalActions::Now, &settings)?;
    rustix::io::ioctl_fionbio(&ours, true)?;
    Ok((ours, theirs))
}

/// Tells whoever reads the terminal that nothing more comes: the character that says so counts only
/// where lines are edited.
pub(super) async fn end_input(terminal: &mut pipe::Sender) -> io::Result<()> {
    let mut settings = tcgetattr(&*terminal)?;
    settings.local_modes |= LocalModes::ICANON;
    let end = settings.special_codes[SpecialCodeIndex::VEOF];
    tcsetattr(&*terminal, OptionalActions::Now, &settings)?;
    terminal.write_all(&[end]).await
}

/// How Linux says that the last one on the other end of a terminal has gone.
pub(super) fn is_gone(error: &io::Error) -> bool {
    Errno::from_io_error(error) == Some(Errno::IO)
}
