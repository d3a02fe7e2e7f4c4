//! The server's side of the opening handshake, carried by hyper, and what else a browser may ask
//! the same port for.

use std::{
    borrow::Cow,
    convert::Infallible,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use enchufe_core::ws::{deflate, handshake};
use http_body_util::Full;
use hyper::{
    Method, Response, StatusCode, Version,
    body::Incoming as Body,
    header::{self, HeaderMap, HeaderName, HeaderValue},
    server::conn::http1,
    service::service_fn,
    upgrade::{OnUpgrade, Parts},
};
use hyper_util::rt::{TokioIo, TokioTimer};

use super::ServerOptions;
use crate::{
    guard, limits,
    transport::{Peer, wire::Wire},
};

type Answer = Response<Full<Bytes>>;
type Answering = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// Answers HTTP requests that do not ask for a WebSocket: with the page for a browser that came
/// to look. It belongs to whoever serves; transports know nothing of pages.
#[derive(Clone)]
pub struct PageHandler(Arc<dyn Fn(hyper::Request<Body>) -> Answering + Send + Sync>);

impl PageHandler {
    /// Answers with what `answer` resolves to.
    pub fn new<F, A>(answer: F) -> Self
    where
        F: Fn(hyper::Request<Body>) -> A + Send + Sync + 'static,
        A: Future<Output = Answer> + Send + 'static,
    {
        Self(Arc::new(move |request| Box::pin(answer(request))))
    }
}

impl fmt::Debug for PageHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PageHandler")
    }
}

/// By which one listener judges requests.
#[derive(Debug)]
pub(super) struct Rules {
    /// The only path that is served, perhaps with a query; `None` serves every path.
    pub(super) path: Option<String>,
    pub(super) is_loopback: bool,
    pub(super) is_secure: bool,
    pub(super) options: ServerOptions,
}

/// What a client asked for when it opened a WebSocket.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// The path and the query, as they came.
    pub target: String,
    /// The header fields in their order, their names in lower case.
    pub fields: Vec<(String, Vec<u8>)>,
    /// Whether TLS lies between.
    pub is_secure: bool,
}

impl Request {
    /// A request for `target`, a path and perhaps a query.
    pub fn new(target: impl Into<String>, fields: Vec<(String, Vec<u8>)>, is_secure: bool) -> Self {
        Self { target: target.into(), fields, is_secure }
    }

    fn of(request: &hyper::Request<Body>, is_secure: bool) -> Self {
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let fields = request
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()));
        Self { target: target.to_owned(), fields: fields.collect(), is_secure }
    }

    /// The value of a field, the first if there are several.
    pub fn field(&self, name: &str) -> Option<&[u8]> {
        let found = self.fields.iter().find(|(its, _)| its.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_slice())
    }
}

/// A WebSocket that was opened.
pub(super) struct Opened {
    pub(super) request: Option<Box<Request>>,
    pub(super) stream: Wire,
    /// What came behind the request.
    pub(super) received: Bytes,
    pub(super) deflate: Option<deflate::Agreed>,
}

/// Answers the one request of a connection and, when it opened a WebSocket, gives the socket back.
pub(super) async fn answer(stream: Wire, peer: &Peer, rules: &Rules) -> Option<Opened> {
    let opened = Mutex::new(None);
    let service = service_fn(async |request| {
        let (mut answer, upgrade) = respond(request, rules).await;
        if upgrade.is_none() {
            tracing::debug!(%peer, status = answer.status().as_u16(), "answered without upgrade");
            // One request each: what comes next connects again. (To switch keep-alive off would
            // put this into the 101 as well.)
            answer.headers_mut().append(header::CONNECTION, HeaderValue::from_static("close"));
        }
        *opened.lock().unwrap_or_else(PoisonError::into_inner) = upgrade;
        Ok::<_, Infallible>(answer)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits::HANDSHAKE_TIMEOUT)
        .max_headers(limits::HTTP_HEADERS_MAX)
        .max_header_size(limits::HTTP_HEADER_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    if let Err(error) = connection.await {
        tracing::debug!(%peer, %error, "a request was not answered");
        return None;
    }
    let Upgrade { upgrade, deflate, request } =
        opened.into_inner().unwrap_or_else(PoisonError::into_inner)?;
    let Parts { io, read_buf, .. } = upgrade.await.ok()?.downcast::<TokioIo<Wire>>().ok()?;
    Some(Opened { request, stream: io.into_inner(), received: read_buf, deflate })
}

/// Where to get a WebSocket that opens, and how to use it.
struct Upgrade {
    upgrade: OnUpgrade,
    deflate: Option<deflate::Agreed>,
    request: Option<Box<Request>>,
}

/// Why a request opens no WebSocket.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("the header {0} came more than once")]
    Repeated(HeaderName),
    #[error("{0}\nhint: {hint}", hint = .0.hint())]
    Guard(#[from] guard::Refused),
    #[error("nothing is served at {0}")]
    NotServed(String),
    #[error(transparent)]
    Handshake(#[from] handshake::Refusal),
}

impl Refusal {
    fn answer(&self) -> Answer {
        let (status, fields) = match self {
            Self::Repeated(_) => (400, &[][..]),
            Self::Guard(refused) => (refused.status(), &[][..]),
            Self::NotServed(_) => (404, &[][..]),
            Self::Handshake(refusal) => (refusal.status(), refusal.headers()),
        };
        let mut answer = Response::new(Full::from(format!("{self}\n")));
        *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        let plain = [
            ("content-type", "text/plain; charset=utf-8"),
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-store"),
        ];
        for &(name, value) in plain.iter().chain(fields) {
            let name = HeaderName::try_from(name).expect("the names of our own fields are valid");
            answer.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        answer
    }
}

/// The answer and, when it opens a WebSocket, where to get that.
async fn respond(mut request: hyper::Request<Body>, rules: &Rules) -> (Answer, Option<Upgrade>) {
    if let Err(refused) = judge(&request, rules) {
        return (refused.answer(), None);
    }
    let is_for_page = matches!(*request.method(), Method::GET | Method::HEAD)
        && !asks_for_websocket(request.headers());
    if let (true, Some(PageHandler(page))) = (is_for_page, &rules.options.page) {
        return (page(request).await, None);
    }
    match accept(&request, rules) {
        Ok(accepted) => {
            let deflate = accepted.deflate;
            let kept = rules.options.keep_requests;
            let kept = kept.then(|| Box::new(Request::of(&request, rules.is_secure)));
            let upgrade = hyper::upgrade::on(&mut request);
            (switch(accepted), Some(Upgrade { upgrade, deflate, request: kept }))
        }
        Err(refused) => (refused.answer(), None),
    }
}

/// Lets in who may come, by the rules of [`guard`].
fn judge(request: &hyper::Request<Body>, rules: &Rules) -> Result<(), Refusal> {
    let Rules { is_loopback, is_secure, options, .. } = rules;
    let host = single(request.headers(), header::HOST)?;
    guard::check_host_form(host.as_deref(), request.version() == Version::HTTP_11)?;
    // What stands in the request line counts and the header does not (RFC 9112 §3.2.2).
    let host = request.uri().authority().map(|authority| authority.as_str()).or(host.as_deref());
    let origin = single(request.headers(), header::ORIGIN)?;
    if *is_loopback {
        guard::check_host(host, &options.host_names)?;
    }
    let allowed = &options.allowed_origins;
    let policy = options.origin_policy;
    guard::check_origin(origin.as_deref(), host, *is_secure, policy, allowed)?;
    Ok(())
}

/// Also HTTP/2 is asked for with an `Upgrade`, by those who would take a page.
fn asks_for_websocket(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::UPGRADE).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|one| one.trim().eq_ignore_ascii_case("websocket"))
}

/// The value of a header that may come once; one that is not text still is a value.
fn single(headers: &HeaderMap, name: HeaderName) -> Result<Option<Cow<'_, str>>, Refusal> {
    let mut values = headers.get_all(&name).iter();
    let value = values.next().map(|value| String::from_utf8_lossy(value.as_bytes()));
    if values.next().is_some() { Err(Refusal::Repeated(name)) } else { Ok(value) }
}

fn accept(request: &hyper::Request<Body>, rules: &Rules) -> Result<handshake::Accepted, Refusal> {
    let path = request.uri().path();
    if rules.path.as_deref().is_some_and(|served| without_query(served) != path) {
        return Err(Refusal::NotServed(path.chars().take(limits::EXCERPT_CHARS_MAX).collect()));
    }
    let headers: Vec<_> =
        request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let head = handshake::Request {
        method: request.method().as_str(),
        http_11: request.version() == Version::HTTP_11,
        headers: &headers,
    };
    let protocols: Vec<_> = rules.options.protocols.iter().map(String::as_str).collect();
    Ok(handshake::accept(&head, &protocols, rules.options.deflate.as_ref())?)
}

fn switch(accepted: handshake::Accepted) -> Answer {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let fields = [
        (header::UPGRADE, Some("websocket".to_owned())),
        (header::CONNECTION, Some("Upgrade".to_owned())),
        (header::SEC_WEBSOCKET_ACCEPT, Some(accepted.accept)),
        (header::SEC_WEBSOCKET_PROTOCOL, accepted.protocol),
        (header::SEC_WEBSOCKET_EXTENSIONS, accepted.extensions),
    ];
    for (name, value) in fields {
        if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}

fn without_query(path: &str) -> &str {
    path.split_once('?').map_or(path, |(path, _)| path)
}
