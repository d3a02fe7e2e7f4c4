//! A pseudo-terminal to print to, for programs that print block by block when they do not see a
//! terminal.

#[cfg(unix)]
pub(super) use unix::open;

#[cfg(not(unix))]
pub(super) fn open() -> std::io::Result<(tokio::io::Empty, std::process::Stdio)> {
    Err(std::io::Error::other("pseudo-terminals are for Unix systems"))
}

#[cfg(unix)]
mod unix {
    use std::{
        io,
        os::fd::OwnedFd,
        pin::Pin,
        process::Stdio,
        task::{Context, Poll, ready},
    };

    use rustix::{
        fs::{Mode, OFlags},
        io::Errno,
        pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
        termios::{OptionalActions, tcgetattr, tcsetattr},
    };
    use tokio::io::{AsyncRead, ReadBuf, unix::AsyncFd};

    /// Our end of the terminal, and the program's.
    pub(in crate::source) fn open() -> io::Result<(Terminal, Stdio)> {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&ours)?;
        unlockpt(&ours)?;
        let path = ptsname(&ours, Vec::new())?;
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let theirs = rustix::fs::open(path, flags, Mode::empty())?;
        // What the program prints is to arrive as it was printed: no `\r` before each `\n`.
        let mut settings = tcgetattr(&theirs)?;
        settings.make_raw();
        tcsetattr(&theirs, OptionalActions::Now, &settings)?;
        let status = rustix::fs::fcntl_getfl(&ours)?;
        rustix::fs::fcntl_setfl(&ours, status | OFlags::NONBLOCK)?;
        Ok((Terminal(AsyncFd::new(ours)?), Stdio::from(theirs)))
    }

    pub(in crate::source) struct Terminal(AsyncFd<OwnedFd>);

    impl AsyncRead for Terminal {
        fn poll_read(
            self: Pin<&mut Self>,
            context: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            loop {
                let mut ready = ready!(self.0.poll_read_ready(context))?;
                let read = ready.try_io(|terminal| {
                    let length = rustix::io::read(terminal, buffer.initialize_unfilled())?;
                    Ok(length)
                });
                match read {
                    Ok(Ok(length)) => {
                        buffer.advance(length);
                        return Poll::Ready(Ok(()));
                    }
                    // Linux says so when the last one on the other end has gone.
                    Ok(Err(error)) if Errno::from_io_error(&error) == Some(Errno::IO) => {
                        return Poll::Ready(Ok(()));
                    }
                    Ok(Err(error)) => return Poll::Ready(Err(error)),
                    Err(_would_block) => {}
                }
            }
        }
    }
}
