//! Who comes in, and what those are told who do not.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_util::task::TaskTracker;

use crate::{
    crowd::{Crowd, Seat},
    limits,
    transport::Throttle,
};

/// What somebody is told whose address has as many connections as it may have.
const REFUSAL: &str = concat!(
    "HTTP/1.1 503 Service Unavailable\r\n",
    "content-type: application/json\r\n",
    "cache-control: no-store\r\n",
    "retry-after: 5\r\n",
    "connection: close\r\n",
    "content-length: 85\r\n\r\n",
    "{\"error\":{\"code\":\"full\",\"message\":\"your address has as many connections as it may\"}}\n",
);

/// The doors of one listener.
#[derive(Default)]
pub(super) struct Doors {
    turned_away: u64,
    throttle: Throttle,
    refusals: TaskTracker,
}

impl Doors {
    /// Counts somebody in, or says in the log, now and then, that there is no room.
    pub(super) fn admit(&mut self, crowd: &Crowd, peer: SocketAddr) -> Option<Seat> {
        let seat = crowd.enter(peer.ip());
        if seat.is_none() {
            self.turned_away += 1;
            if self.throttle.warn().is_some() {
                let (address, max, turned_away) = (peer.ip(), crowd.max(), self.turned_away);
                tracing::warn!(%address, max, turned_away, "too many connections of one address");
            }
        }
        seat
    }

    /// Says why, where that costs little, and closes.
    pub(super) fn turn_away(&mut self, stream: TcpStream, is_secure: bool, tasks: &TaskTracker) {
        // Who would have to be told over TLS would cost a handshake.
        if is_secure || self.refusals.len() >= limits::REFUSALS_MAX {
            return;
        }
        let counted = self.refusals.token();
        tasks.spawn(async move {
            // Whoever takes no answer gets none.
            let _ = tokio::time::timeout(limits::HALF_CLOSED_TIMEOUT, refuse(stream)).await;
            drop(counted);
        });
    }
}

/// Answers whatever will be asked, and reads it, so that the answer is not lost with what nobody
/// has read.
async fn refuse(mut stream: TcpStream) -> std::io::Result<()> {
    stream.write_all(REFUSAL.as_bytes()).await?;
    stream.shutdown().await?;
    let mut buffer = [0; 1024];
    while stream.read(&mut buffer).await? > 0 {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refusal_is_as_long_as_it_says() {
        let (head, body) = REFUSAL.split_once("\r\n\r\n").expect("a head and a body");
        assert!(head.contains(&format!("content-length: {}", body.len())), "{}", body.len());
        let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
        assert_eq!(body["error"]["code"], "full");
    }
}
