//! One request after another over a connection that is kept.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Request, Response, body::Incoming, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use tokio::{
    task::JoinSet,
    time::{Instant, timeout_at},
};

use crate::{
    address::WsAddress,
    limits,
    transport::{
        OpenError, OpenOptions, reach,
        tls::Inside,
        ws::{self, Refusal},
    },
};

/// A body to be posted, however often it takes.
#[derive(Debug, Clone)]
pub(super) struct Post {
    pub(super) key: String,
    pub(super) media_type: &'static str,
    pub(super) body: Bytes,
}

/// What a server answered.
#[derive(Debug)]
pub(super) enum Answer {
    /// It did what was asked for, and says this.
    Success(Bytes),
    /// It did not.
    Refusal(Box<Refusal>),
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Broken {
    /// No connection came to stand: nothing was sent.
    Open(OpenError),
    /// The request cannot be made: nothing was sent.
    Request(String),
    /// The connection broke after something was sent.
    Lost(hyper::Error),
    /// The answer did not come in time.
    Late(Duration),
    /// What came is no answer.
    Nonsense(String),
}

/// Posts to one place.
#[derive(Debug)]
pub(super) struct Exchange {
    address: WsAddress,
    options: OpenOptions,
    line: Option<Line>,
}

/// A connection, and what drives it.
#[derive(Debug)]
struct Line {
    sender: http1::SendRequest<Full<Bytes>>,
    _driver: JoinSet<()>,
}

impl Exchange {
    pub(super) fn new(address: WsAddress, options: OpenOptions) -> Self {
        Self { address, options, line: None }
    }

    /// Whether a connection is kept, which the server may have closed meanwhile.
    pub(super) fn has_line(&self) -> bool {
        self.line.is_some()
    }

    /// Posts once, over the connection that is kept or a new one. Any trouble ends the connection.
    ///
    /// # Cancel safety
    ///
    /// Whether the request has arrived is then not known. The connection is dropped.
    pub(super) async fn post(&mut self, post: &Post, deadline: Instant) -> Result<Answer, Broken> {
        let request = self.request(post).map_err(Broken::Request)?;
        let mut line = match self.line.take() {
            Some(line) => line,
            None => self.connect(deadline).await.map_err(Broken::Open)?,
        };
        let begun = Instant::now();
        let exchange = async {
            line.sender.ready().await.map_err(Broken::Lost)?;
            let response = line.sender.send_request(request).await.map_err(Broken::Lost)?;
            read(response, deadline).await
        };
        let answered = timeout_at(deadline, exchange).await;
        let answer = answered.unwrap_or_else(|_| Err(Broken::Late(begun.elapsed())))?;
        // What is left of a refusal nobody reads: the connection is of no more use.
        if matches!(answer, Answer::Success(_)) {
            self.line = Some(line);
        }
        Ok(answer)
    }

    async fn connect(&self, deadline: Instant) -> Result<Line, OpenError> {
        let address = || self.address.to_string();
        let timeout = self.options.timeout;
        let deadline = deadline.min(Instant::now() + timeout);
        let inside = self.address.is_secure.then_some(Inside::Http);
        let reached = reach(&self.address.endpoint, inside, &self.options, deadline);
        let late = |_| OpenError::TimedOut { address: address(), timeout };
        let (wire, _) = timeout_at(deadline, reached).await.map_err(late)??;
        let (sender, connection) = http1::Builder::new()
            .max_headers(limits::HTTP_HEADERS_MAX)
            .max_header_size(limits::HTTP_HEADER_BYTES_MAX)
            .handshake(TokioIo::new(wire))
            .await
            .map_err(|error| {
                tracing::debug!(%error, "no connection for requests");
                OpenError::NoAnswer { address: address() }
            })?;
        let mut driver = JoinSet::new();
        driver.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "the connection has ended");
            }
        });
        Ok(Line { sender, _driver: driver })
    }

    fn request(&self, post: &Post) -> Result<Request<Full<Bytes>>, String> {
        let mut request = Request::post(self.address.path.as_deref().unwrap_or("/"))
            .header(header::HOST, ws::host(&self.address))
            .header(header::CONTENT_TYPE, post.media_type)
            .header("idempotency-key", &post.key);
        if let Some(origin) = &self.options.ws.origin {
            request = request.header(header::ORIGIN, origin);
        }
        for (name, value) in &self.options.ws.headers {
            let (name, mut value) =
                ws::check(name, value).map_err(|error| format!("{name}: {error}"))?;
            value.set_sensitive(name == header::AUTHORIZATION);
            request = request.header(name, value);
        }
        request.body(Full::new(post.body.clone())).map_err(|error| error.to_string())
    }
}

async fn read(response: Response<Incoming>, deadline: Instant) -> Result<Answer, Broken> {
    if !response.status().is_success() {
        return Ok(Answer::Refusal(Box::new(Refusal::read(response, deadline).await)));
    }
    let body = Limited::new(response.into_body(), limits::RECEIPT_BYTES_MAX).collect().await;
    match body {
        Ok(body) => Ok(Answer::Success(body.to_bytes())),
        Err(error) => match error.downcast::<hyper::Error>() {
            Ok(error) => Err(Broken::Lost(*error)),
            Err(error) => Err(Broken::Nonsense(error.to_string())),
        },
    }
}
