//! How the server stands, asked of it over HTTP: `/metrics` as JSON. It is what Prometheus reads,
//! under the same authority, but typed, so that nothing has to be guessed from text.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::{Request, StatusCode, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::{
    task::JoinSet,
    time::{Instant, timeout_at},
};

use super::report::Report;
use crate::{
    address::{Address, WsAddress},
    cli::failure::{Failure, TopFailure},
    http::Token,
    limits,
    transport::{OpenError, OpenOptions, reach, tls::Inside},
};

/// A server, and how to get in.
pub(super) struct Server {
    /// As it was given.
    pub(super) name: String,
    address: WsAddress,
    token: Option<Token>,
    options: OpenOptions,
}

/// What a server says of a request that it refuses.
#[derive(Default, Deserialize)]
struct Refused {
    error: Reasons,
}

#[derive(Default, Deserialize)]
struct Reasons {
    message: String,
    hint: Option<String>,
}

impl Server {
    /// # Errors
    ///
    /// When the text names no server on the web.
    pub(super) fn new(
        name: &str,
        token: Option<Token>,
        options: OpenOptions,
    ) -> Result<Self, Failure> {
        let no_server = || Failure::Top(TopFailure::NoServer(name.to_owned()));
        let web = name
            .strip_prefix("http://")
            .map(|rest| format!("ws://{rest}"))
            .or_else(|| name.strip_prefix("https://").map(|rest| format!("wss://{rest}")));
        let Address::Ws(address) = Address::parse_connect(&web.ok_or_else(no_server)?)? else {
            return Err(no_server());
        };
        // Nothing stands below a path but channels.
        if address.path.as_deref().is_some_and(|path| path != "/") {
            return Err(no_server());
        }
        Ok(Self { name: name.trim_end_matches('/').to_owned(), address, token, options })
    }

    /// Asks once, on a connection of its own.
    ///
    /// # Errors
    ///
    /// When there is no answer, the server refuses, or what it says is not understood.
    pub(super) async fn ask(&self) -> Result<Report, Failure> {
        let timeout = self.options.timeout;
        let deadline = Instant::now() + timeout;
        let late = || OpenError::TimedOut { address: self.name.clone(), timeout };
        let inside = self.address.is_secure.then_some(Inside::Http);
        let reached = reach(&self.address.endpoint, inside, &self.options, deadline);
        let (wire, _) = timeout_at(deadline, reached).await.map_err(|_| late())??;
        let lost = |error: hyper::Error| {
            tracing::debug!(%error, "no answer");
            OpenError::NoAnswer { address: self.name.clone() }
        };
        let exchange = async {
            let (mut sender, connection) = http1::Builder::new()
                .max_headers(limits::HTTP_HEADERS_MAX)
                .max_header_size(limits::HTTP_HEADER_BYTES_MAX)
                .handshake(TokioIo::new(wire))
                .await
                .map_err(lost)?;
            // Drives the connection, and is dropped with it.
            let mut driver = JoinSet::new();
            driver.spawn(connection);
            let answer = sender.send_request(self.request()).await.map_err(lost)?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), limits::TOP_BYTES_MAX).collect().await;
            let body = body.map_err(|error| {
                tracing::debug!(%error, "the answer broke off");
                OpenError::NoAnswer { address: self.name.clone() }
            })?;
            Ok::<_, OpenError>((status, body.to_bytes()))
        };
        let (status, body) = timeout_at(deadline, exchange).await.map_err(|_| late())??;
        self.read(status, &body)
    }

    fn request(&self) -> Request<Empty<Bytes>> {
        let host = self.address.endpoint.host_port().map(ToString::to_string).unwrap_or_default();
        let mut request = Request::get("/metrics").body(Empty::new()).expect("a plain request");
        let headers = request.headers_mut();
        headers.insert(header::ACCEPT, header::HeaderValue::from_static("application/json"));
        headers.insert(header::CONNECTION, header::HeaderValue::from_static("close"));
        // What was parsed as an endpoint can stand in a header.
        if let Ok(host) = host.parse() {
            headers.insert(header::HOST, host);
        }
        if let Some(token) = &self.token {
            // A token is visible ASCII.
            if let Ok(mut bearer) = header::HeaderValue::try_from(token.bearer()) {
                bearer.set_sensitive(true);
                headers.insert(header::AUTHORIZATION, bearer);
            }
        }
        request
    }

    fn read(&self, status: StatusCode, body: &[u8]) -> Result<Report, Failure> {
        let server = self.name.clone();
        if status != StatusCode::OK {
            let reasons = serde_json::from_slice::<Refused>(body).unwrap_or_default().error;
            let Reasons { message, hint } = reasons;
            let status = status.as_u16();
            return Err(Failure::Top(TopFailure::Refused { server, status, message, hint }));
        }
        serde_json::from_slice(body).map_err(|error| {
            Failure::Top(TopFailure::NotUnderstood { server, reason: error.to_string() })
        })
    }
}
