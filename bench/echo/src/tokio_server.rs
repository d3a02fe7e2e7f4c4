//! The accept loop of the servers that run on tokio.
//!
//! One thread by default, as the floor has: it spends the least CPU time per message, for there is
//! no other thread to wake. `THREADS` asks for more.

use std::future::Future;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;

/// Serves each connection in a task, for ever.
pub fn serve<F, T>(handle: F)
where
    F: Fn(TcpStream) -> T + Send + 'static,
    T: Future<Output = ()> + Send + 'static,
{
    serve_with(async {}, handle);
}

/// As [`serve`], with something else that runs on the same runtime.
pub fn serve_with<F, T>(beside: impl Future<Output = ()> + Send + 'static, handle: F)
where
    F: Fn(TcpStream) -> T + Send + 'static,
    T: Future<Output = ()> + Send + 'static,
{
    let threads: usize =
        std::env::var("THREADS").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let mut builder =
        if threads > 1 { Builder::new_multi_thread() } else { Builder::new_current_thread() };
    let runtime = builder.worker_threads(threads).enable_all().build().expect("a runtime");
    runtime.block_on(async move {
        tokio::spawn(beside);
        let listener = TcpListener::bind(("127.0.0.1", crate::port())).await.expect("a free port");
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            stream.set_nodelay(true).expect("a connected socket");
            tokio::spawn(handle(stream));
        }
    });
}

/// The opening handshake, for crates whose documentation leaves it to the caller.
pub async fn handshake(stream: &mut TcpStream) {
    let mut request = Vec::with_capacity(1024);
    loop {
        let read = stream.read_buf(&mut request).await.expect("a request");
        assert!(read > 0, "the peer closed before its request was complete");
        if let Some(answer) = crate::handshake::answer(&request) {
            return stream.write_all(answer.as_bytes()).await.expect("a peer that reads");
        }
    }
}
