//! What lies below TLS and WebSocket: a connection over TCP, or over a Unix-domain socket.

use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::BytesMut;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

use super::{
    BindError, BindOptions, BindWarning, OpenError, OpenOptions, Peer, Plain, eyeballs, gone, tcp,
};
use crate::address::WsEndpoint;

/// A connection on tokio, of either kind. It has the methods that the two have in common, though in
/// no trait.
#[derive(Debug)]
pub(crate) enum Carrier {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl From<TcpStream> for Carrier {
    fn from(stream: TcpStream) -> Self {
        Self::Tcp(stream)
    }
}

/// Does the same with whichever it is.
macro_rules! whichever {
    ($carrier:expr, $stream:ident => $work:expr) => {
        match $carrier {
            Carrier::Tcp($stream) => $work,
            #[cfg(unix)]
            Carrier::Unix($stream) => $work,
        }
    };
}

impl Carrier {
    /// Connects, within the options' `timeout`.
    pub(super) async fn open(
        endpoint: &WsEndpoint,
        options: &OpenOptions,
    ) -> Result<(Self, Peer), OpenError> {
        match endpoint {
            WsEndpoint::Inet(endpoint) => {
                let (stream, peer) = eyeballs::connect(endpoint, options).await?;
                Ok((Self::Tcp(stream), Peer::from(peer)))
            }
            #[cfg(unix)]
            WsEndpoint::Unix(path) => {
                let (stream, peer) = super::unix::open(path, options).await?;
                Ok((Self::Unix(stream), peer))
            }
            #[cfg(not(unix))]
            WsEndpoint::Unix(path) => {
                let what = "Unix-domain sockets";
                Err(OpenError::Unsupported { address: path.to_string(), what })
            }
        }
    }

    /// The TCP connection, for what only that has.
    pub(crate) fn tcp(&self) -> Option<&TcpStream> {
        match self {
            Self::Tcp(stream) => Some(stream),
            #[cfg(unix)]
            Self::Unix(_) => None,
        }
    }

    /// Whether the connection is over, though reading would not show it: see [`gone::is_over`].
    pub(super) fn is_over(&self, by_half: bool) -> bool {
        whichever!(self, stream => gone::is_over(stream, by_half))
    }

    /// Takes it off tokio.
    pub(super) fn into_plain(self) -> io::Result<Plain> {
        Ok(match self {
            Self::Tcp(stream) => Plain::Tcp(stream.into_std()?),
            #[cfg(unix)]
            Self::Unix(stream) => Plain::Unix(stream.into_std()?),
        })
    }

    pub(super) async fn readable(&self) -> io::Result<()> {
        whichever!(self, stream => stream.readable().await)
    }

    pub(super) async fn writable(&self) -> io::Result<()> {
        whichever!(self, stream => stream.writable().await)
    }

    pub(super) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        whichever!(self, stream => stream.try_read(buffer))
    }

    pub(super) fn try_read_buf(&self, buffer: &mut BytesMut) -> io::Result<usize> {
        whichever!(self, stream => stream.try_read_buf(buffer))
    }

    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        whichever!(self, stream => stream.try_write(bytes))
    }

    pub(super) fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        whichever!(self, stream => stream.try_write_vectored(slices))
    }

    pub(super) fn shut_down(&self, how: Shutdown) -> io::Result<()> {
        whichever!(self, stream => SockRef::from(stream).shutdown(how))
    }

    pub(super) fn poll_read_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        whichever!(self, stream => stream.poll_read_ready(context))
    }

    pub(super) fn poll_write_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        whichever!(self, stream => stream.poll_write_ready(context))
    }
}

impl AsyncRead for Carrier {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        whichever!(&mut *self, stream => Pin::new(stream).poll_read(context, buffer))
    }
}

impl AsyncWrite for Carrier {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        whichever!(&mut *self, stream => Pin::new(stream).poll_write(context, bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        whichever!(&mut *self, stream => Pin::new(stream).poll_write_vectored(context, slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        whichever!(&mut *self, stream => Pin::new(stream).poll_flush(context))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        whichever!(&mut *self, stream => Pin::new(stream).poll_shutdown(context))
    }
}

/// What listens for such connections.
#[derive(Debug)]
pub(super) enum Listener {
    Tcp(tcp::Listener),
    #[cfg(unix)]
    Unix(super::unix::Listener, crate::address::UnixPath),
}

impl Listener {
    /// Listens on every address of the host, or on the one socket.
    pub(super) async fn bind(
        endpoint: &WsEndpoint,
        options: &BindOptions,
    ) -> Result<(Self, Vec<BindWarning>), BindError> {
        match endpoint {
            WsEndpoint::Inet(endpoint) => {
                let (listener, warnings) = tcp::Listener::bind(endpoint, options).await?;
                Ok((Self::Tcp(listener), warnings))
            }
            #[cfg(unix)]
            WsEndpoint::Unix(path) => {
                let (listener, warnings) = super::unix::Listener::bind(path, options).await?;
                Ok((Self::Unix(listener, path.clone()), warnings))
            }
            #[cfg(not(unix))]
            WsEndpoint::Unix(path) => {
                let what = "Unix-domain sockets";
                Err(BindError::Unsupported { address: path.to_string(), what })
            }
        }
    }

    /// Where it listens, one for each socket.
    pub(super) fn local_endpoints(&self) -> Vec<WsEndpoint> {
        match self {
            Self::Tcp(listener) => listener.local_addresses().map(WsEndpoint::Inet).collect(),
            #[cfg(unix)]
            Self::Unix(_, path) => vec![WsEndpoint::Unix(path.clone())],
        }
    }

    /// The next client.
    ///
    /// # Cancel safety
    ///
    /// Safe: no client is lost.
    pub(super) async fn accept(&mut self) -> (Carrier, Peer) {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await;
                (Carrier::Tcp(stream), Peer::from(peer))
            }
            #[cfg(unix)]
            Self::Unix(listener, _) => {
                let (stream, peer) = listener.accept().await;
                (Carrier::Unix(stream), peer)
            }
        }
    }
}
