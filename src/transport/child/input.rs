//! Our ends of a program's streams.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Buf, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncWriteExt as _, ReadBuf},
    net::unix::pipe,
};

use super::pty;

/// Where what the program reads is written to.
#[derive(Debug)]
pub(crate) struct Input(Option<Way>);

#[derive(Debug)]
enum Way {
    Pipe(pipe::Sender),
    Terminal(pipe::Sender),
}

impl Input {
    pub(super) fn pipe(sender: pipe::Sender) -> Self {
        Self(Some(Way::Pipe(sender)))
    }

    pub(super) fn terminal(sender: pipe::Sender) -> Self {
        Self(Some(Way::Terminal(sender)))
    }

    /// Writes all of it.
    ///
    /// # Errors
    ///
    /// `BrokenPipe` when the program reads no more, or was told that nothing more comes.
    ///
    /// # Cancel safety
    ///
    /// Not safe: a part may have been written.
    pub(crate) async fn write(&mut self, mut bytes: impl Buf) -> io::Result<()> {
        match &mut self.0 {
            Some(Way::Pipe(pipe)) => pipe.write_all_buf(&mut bytes).await,
            Some(Way::Terminal(terminal)) => {
                terminal.write_all_buf(&mut bytes).await.map_err(|error| match error {
                    error if pty::is_gone(&error) => io::ErrorKind::BrokenPipe.into(),
                    error => error,
                })
            }
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Tells the program that nothing more comes.
    ///
    /// # Errors
    ///
    /// Those of the terminal.
    pub(crate) async fn finish(&mut self) -> io::Result<()> {
        match self.0.take() {
            Some(Way::Terminal(mut terminal)) => pty::end_input(&mut terminal).await,
            Some(Way::Pipe(_)) | None => Ok(()),
        }
    }
}

/// Where what the program prints is read from.
#[derive(Debug)]
pub(crate) enum Output {
    Pipe(pipe::Receiver),
    Terminal(pipe::Receiver),
}

impl Output {
    /// Waits until a read may yield something. Safe to cancel.
    pub(crate) async fn readable(&self) -> io::Result<()> {
        let (Self::Pipe(receiver) | Self::Terminal(receiver)) = self;
        receiver.readable().await
    }

    /// Reads what is there into the room that the buffer has; 0 at the end.
    ///
    /// # Errors
    ///
    /// `WouldBlock` when there is nothing.
    pub(crate) fn try_read_buf(&self, buffer: &mut BytesMut) -> io::Result<usize> {
        match self {
            Self::Pipe(pipe) => pipe.try_read_buf(buffer),
            Self::Terminal(terminal) => match terminal.try_read_buf(buffer) {
                Err(error) if pty::is_gone(&error) => Ok(0),
                read => read,
            },
        }
    }
}

impl AsyncRead for Output {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Pipe(pipe) => Pin::new(pipe).poll_read(context, buffer),
            Self::Terminal(terminal) => match Pin::new(terminal).poll_read(context, buffer) {
                Poll::Ready(Err(error)) if pty::is_gone(&error) => Poll::Ready(Ok(())),
                read => read,
            },
        }
    }
}
