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
        fs::File,
        io,
        pin::Pin,
        process::Stdio,
        task::{Context, Poll},
    };

    use rustix::{
        fs::{Mode, OFlags},
        io::Errno,
        pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
        termios::{OptionalActions, tcgetattr, tcsetattr},
    };
    use tokio::io::{AsyncRead, ReadBuf};

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
        let ours = tokio::fs::File::from_std(File::from(ours));
        Ok((Terminal(ours), Stdio::from(theirs)))
    }

    /// Read by tokio's blocking threads: a terminal cannot be registered without unsafe code, and
    /// there is one of them at most. Its read returns when the last one on the other end has gone.
    pub(in crate::source) struct Terminal(tokio::fs::File);

    impl AsyncRead for Terminal {
        fn poll_read(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            let read = Pin::new(&mut self.0).poll_read(context, buffer);
            match read {
                // How Linux says that the last one on the other end has gone.
                Poll::Ready(Err(error)) if Errno::from_io_error(&error) == Some(Errno::IO) => {
                    Poll::Ready(Ok(()))
                }
                read => read,
            }
        }
    }
}
