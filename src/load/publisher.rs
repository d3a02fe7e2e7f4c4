//! Publishing to a channel at a rate, each message with its number.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Request, StatusCode, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

use super::{ViewError, account::Course, payload::Payload};
use crate::{
    address::{Address, WsAddress, WsEndpoint},
    core::Position,
    limits,
    transport::{Connection, OpenOptions},
};

/// When messages are due, and what they say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timetable {
    pub(super) begin: Instant,
    pub(super) end: Instant,
    /// Messages a second.
    pub(super) rate: f64,
    pub(super) payload: Payload,
}

impl Timetable {
    pub(super) fn due(&self, number: u64) -> Instant {
        self.begin + Duration::from_secs_f64(number as f64 / self.rate)
    }
}

/// A connection over which messages are published, one after another.
pub(super) struct Publisher {
    sender: http1::SendRequest<Full<Bytes>>,
    /// Drives the connection, and is dropped with the publisher.
    _driver: JoinSet<()>,
    path: String,
    host: String,
    headers: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct Receipt {
    last: String,
}

impl Publisher {
    /// Connects to where the channel is.
    pub(super) async fn open(
        address: &WsAddress,
        options: &OpenOptions,
    ) -> Result<Self, ViewError> {
        let (stream, host) = match (&address.endpoint, address.is_secure) {
            (WsEndpoint::Inet(endpoint), false) => {
                (Address::Tcp(endpoint.clone()), endpoint.to_string())
            }
            (WsEndpoint::Inet(endpoint), true) => {
                (Address::Tls(endpoint.clone()), endpoint.to_string())
            }
            (WsEndpoint::Unix(path), _) => (Address::Unix(path.clone()), "localhost".to_owned()),
        };
        let connection = Connection::open(&stream, options).await?;
        let lost = || ViewError::Publish("the connection was lost".to_owned());
        let (wire, _) = connection.into_stream_socket().map_err(|_| lost())?;
        let (sender, connection) =
            http1::handshake(TokioIo::new(wire)).await.map_err(|_| lost())?;
        let mut driver = JoinSet::new();
        driver.spawn(async move { drop(connection.await) });
        let path = address.path.as_deref().unwrap_or("/");
        let path = path.split('?').next().unwrap_or(path).to_owned();
        Ok(Self { sender, _driver: driver, path, host, headers: options.ws.headers.clone() })
    }

    /// Publishes what is due when it is due. What was taken is in `course`, and counted.
    pub(super) async fn run(
        mut self,
        timetable: Timetable,
        course: Arc<Course>,
        published: Arc<AtomicU64>,
    ) -> Result<(), ViewError> {
        for number in 0u64.. {
            let due = timetable.due(number);
            if due >= timetable.end {
                break;
            }
            sleep_until(due).await;
            let position = self.publish(timetable.payload.message(number)).await?;
            course.note(position.offset);
            published.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    async fn publish(&mut self, message: Bytes) -> Result<Position, ViewError> {
        let failed = |error: hyper::Error| ViewError::Publish(error.to_string());
        let mut request = Request::post(&self.path).header(header::HOST, &self.host);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(message));
        let request = request.map_err(|error| ViewError::Publish(error.to_string()))?;
        self.sender.ready().await.map_err(failed)?;
        let answer = self.sender.send_request(request).await.map_err(failed)?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), limits::REFUSAL_BYTES_MAX).collect().await;
        let body = body.map(|body| body.to_bytes()).unwrap_or_default();
        let receipt: Option<Receipt> = serde_json::from_slice(&body).ok();
        match receipt.and_then(|receipt| receipt.last.parse().ok()) {
            Some(position) if status == StatusCode::OK => Ok(position),
            _ => {
                let text = String::from_utf8_lossy(&body);
                Err(ViewError::Publish(format!("{status}: {}", text.trim_end())))
            }
        }
    }
}
