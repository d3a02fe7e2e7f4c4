//! A proxy that cuts a connection after so many bytes one way.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    ToServer,
    ToClient,
}

/// Where connections are cut.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cut {
    pub(crate) way: Way,
    /// After so many bytes.
    pub(crate) after: usize,
    /// So many connections; those that come later are not.
    pub(crate) connections: usize,
}

/// A proxy in front of a server.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    /// How many bytes went either way.
    to_server: Arc<AtomicUsize>,
    to_client: Arc<AtomicUsize>,
    connections: Arc<AtomicUsize>,
}

impl Proxy {
    pub(crate) async fn start(server: SocketAddr, cut: Option<Cut>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let proxy = Self {
            address: listener.local_addr().expect("bound"),
            to_server: Arc::default(),
            to_client: Arc::default(),
            connections: Arc::default(),
        };
        let (to_server, to_client) = (Arc::clone(&proxy.to_server), Arc::clone(&proxy.to_client));
        let connections = Arc::clone(&proxy.connections);
        tokio::spawn(async move {
            loop {
                let Ok((client, _)) = listener.accept().await else { return };
                let Ok(server) = TcpStream::connect(server).await else { continue };
                for stream in [&client, &server] {
                    stream.set_nodelay(true).expect("a TCP socket");
                }
                let number = connections.fetch_add(1, Ordering::Relaxed);
                let cut = cut.filter(|cut| number < cut.connections);
                let limit = |way| match cut {
                    Some(cut) if cut.way == way => cut.after,
                    _ => usize::MAX,
                };
                let (from_client, to) = client.into_split();
                let (from_server, there) = server.into_split();
                let forth = pass(from_client, there, limit(Way::ToServer), Arc::clone(&to_server));
                let back = pass(from_server, to, limit(Way::ToClient), Arc::clone(&to_client));
                tokio::spawn(async move {
                    // A cut ends both ways at once; an end is handed on.
                    tokio::pin!(forth, back);
                    tokio::select! {
                        is_cut = &mut forth => if !is_cut { back.await; },
                        is_cut = &mut back => if !is_cut { forth.await; },
                    }
                });
            }
        });
        proxy
    }

    /// How many bytes went this way.
    pub(crate) fn passed(&self, way: Way) -> usize {
        match way {
            Way::ToServer => self.to_server.load(Ordering::Relaxed),
            Way::ToClient => self.to_client.load(Ordering::Relaxed),
        }
    }

    /// How many connections there were.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

/// Hands on so many bytes; whether it was cut and did not end.
async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut left: usize,
    passed: Arc<AtomicUsize>,
) -> bool {
    let mut buffer = vec![0; 16 << 10];
    loop {
        if left == 0 {
            return true;
        }
        let most = left.min(buffer.len());
        match from.read(&mut buffer[..most]).await {
            Ok(0) => {
                to.shutdown().await.ok();
                return false;
            }
            Ok(count) => {
                left -= count;
                passed.fetch_add(count, Ordering::Relaxed);
                if to.write_all(&buffer[..count]).await.is_err() {
                    return true;
                }
            }
            Err(_) => return true,
        }
    }
}
