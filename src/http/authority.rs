//! Who may do what: one decision per request.
//!
//! The order is that of danger: is the request for us (`Host`), may the page it comes from use us
//! (`Origin`), and does whoever sends it have the authority.

use std::{fmt, io, net::IpAddr, path::Path};

use enchufe_core::ErrorCode;
use hyper::{HeaderMap, Request, StatusCode, Version, body::Incoming, header};
use subtle::ConstantTimeEq;

use super::{Connection, MetricsAccess, Site, answer::Refusal};
use crate::{
    guard::{self, OriginPolicy},
    limits,
};

/// A secret that a request has to know.
#[derive(Clone)]
pub struct Token(String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Why a token's file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadTokenError {
    /// The file cannot be read.
    #[error("cannot read the token file '{path}': {error}")]
    Io {
        /// The file.
        path: String,
        /// What the system said.
        error: io::Error,
    },
    /// The first line is no token.
    #[error(
        "the token file '{0}' has no usable token: its first line must have {min} to {max} visible ASCII characters",
        min = limits::TOKEN_BYTES_MIN, max = limits::TOKEN_BYTES_MAX
    )]
    Unusable(String),
}

impl Token {
    /// The first line of a file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or its first line is no token. It blocks.
    pub fn read(path: &Path) -> Result<Self, ReadTokenError> {
        let shown = || path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| ReadTokenError::Io { path: shown(), error })?;
        let token = text.lines().next().unwrap_or_default().trim();
        let usable = (limits::TOKEN_BYTES_MIN..=limits::TOKEN_BYTES_MAX).contains(&token.len())
            && token.bytes().all(|byte| byte.is_ascii_graphic() && byte != b';');
        if usable { Ok(Self(token.to_owned())) } else { Err(ReadTokenError::Unusable(shown())) }
    }

    /// The value of `Authorization` that shows it (RFC 6750 §2.1).
    pub fn bearer(&self) -> String {
        format!("Bearer {}", self.0)
    }

    /// Whether `offered` is it, in a time that does not tell how much of it was right.
    pub(super) fn matches(&self, offered: &str) -> bool {
        self.0.as_bytes().ct_eq(offered.as_bytes()).into()
    }
}

/// What a request wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    /// Read what is not secret: generated here, and said so.
    ReadGenerated,
    /// Read.
    Read,
    /// Publish.
    Publish,
    /// Read how the server stands.
    ReadMetrics,
}

/// The name of the cookie that stands for the token, for pages and EventSource.
pub(super) const COOKIE: &str = "enchufe-read";

/// Judges a request.
pub(super) fn judge(
    site: &Site,
    connection: &Connection,
    request: &Request<Incoming>,
    deed: Deed,
) -> Result<(), Refusal> {
    admit(site, request, deed)?;
    match deed {
        Deed::ReadGenerated | Deed::Read => may_read(site, request.headers()),
        Deed::Publish => may_publish(site, connection, request),
        Deed::ReadMetrics => may_read_metrics(site, connection, request),
    }
}

/// Judges whether a request is for us, and whether the page it comes from may use us.
pub(super) fn admit(site: &Site, request: &Request<Incoming>, deed: Deed) -> Result<(), Refusal> {
    let header = single(request.headers(), &header::HOST)?;
    guard::check_host_form(header, request.version() == Version::HTTP_11)
        .map_err(|error| guarded(&error))?;
    let host = host(request)?;
    if site.is_loopback {
        guard::check_host(host, &site.options.host_names).map_err(|error| guarded(&error))?;
    }
    let policy = match deed {
        Deed::ReadGenerated => OriginPolicy::AnyMayRead,
        Deed::Read | Deed::Publish | Deed::ReadMetrics => OriginPolicy::SameOrigin,
    };
    let origin = single(request.headers(), &header::ORIGIN)?;
    guard::check_origin(origin, host, site.is_secure, policy, &site.options.allowed_origins)
        .map_err(|error| guarded(&error))
}

/// Who the request is for. What stands in its first line counts, and then the header does not
/// (RFC 9112 §3.2.2).
fn host(request: &Request<Incoming>) -> Result<Option<&str>, Refusal> {
    let header = single(request.headers(), &header::HOST)?;
    Ok(request.uri().authority().map(|authority| authority.as_str()).or(header))
}

pub(super) fn may_read(site: &Site, headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(token) = &site.options.read_token else { return Ok(()) };
    let admitted =
        bearer(headers).into_iter().chain(cookies(headers)).any(|offered| token.matches(offered));
    if admitted {
        return Ok(());
    }
    Err(unauthorized("reading needs a token")
        .hint("send Authorization: Bearer TOKEN, or open the page once with ?token=TOKEN"))
}

fn may_publish(
    site: &Site,
    connection: &Connection,
    request: &Request<Incoming>,
) -> Result<(), Refusal> {
    let headers = request.headers();
    if let (Some(token), Some(offered)) = (&site.options.publish_token, bearer(headers)) {
        return if token.matches(offered) { Ok(()) } else { Err(unauthorized("wrong token")) };
    }
    if is_from_here(connection, headers) {
        // A page whose own name was made to point here comes from this machine, too, and so does a
        // proxy that adds no header: without a token only loopback's own names will do.
        return guard::check_host(host(request)?, &[]).map_err(|error| guarded(&error));
    }
    let refusal = unauthorized("publishing from elsewhere needs a token");
    Err(match site.options.publish_token {
        Some(_) => refusal.hint("send Authorization: Bearer TOKEN"),
        None => refusal.hint("start the server with --publish-token-file FILE"),
    })
}

/// Whether the request comes from a program on this machine, and not from a proxy, which speaks for
/// somebody else.
fn is_from_here(connection: &Connection, headers: &HeaderMap) -> bool {
    let is_loopback = match connection.peer.ip() {
        IpAddr::V4(address) => address.is_loopback(),
        IpAddr::V6(address) => {
            address.is_loopback() || address.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback())
        }
    };
    let is_forwarded = headers.keys().any(|name| {
        let name = name.as_str();
        name == "forwarded" || name == "via" || name.starts_with("x-forwarded-")
    });
    is_loopback && !is_forwarded
}

fn may_read_metrics(
    site: &Site,
    connection: &Connection,
    request: &Request<Incoming>,
) -> Result<(), Refusal> {
    let headers = request.headers();
    match site.options.metrics {
        MetricsAccess::Off => Err(Refusal::new(
            StatusCode::NOT_FOUND,
            ErrorCode::MetricsOff,
            "this server has no metrics for anybody",
        )
        .hint("start it without --metrics off")),
        _ if site.options.read_token.is_some() => may_read(site, headers),
        MetricsAccess::Everyone => Ok(()),
        // As for publishing: a page whose own name points here is not on this machine.
        MetricsAccess::Loopback if is_from_here(connection, headers) => {
            guard::check_host(host(request)?, &site.options.host_names)
                .map_err(|error| guarded(&error))
        }
        MetricsAccess::Loopback => Err(Refusal::new(
            StatusCode::FORBIDDEN,
            ErrorCode::MetricsLoopback,
            "the metrics are for programs on the server's machine",
        )
        .hint("start the server with --read-token-file FILE, or with --metrics on")),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter_map(|(name, value)| (name == COOKIE).then_some(value))
}

/// The value of a header that must not come twice.
fn single<'a>(
    headers: &'a HeaderMap,
    name: &header::HeaderName,
) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let (value, more) = (values.next(), values.next());
    if more.is_some() {
        let message = format!("the header {name} came more than once");
        return Err(Refusal::new(StatusCode::BAD_REQUEST, ErrorCode::RepeatedHeader, message));
    }
    // What is not text cannot be what is allowed.
    Ok(value.map(|value| value.to_str().unwrap_or("\u{fffd}")))
}

fn guarded(error: &guard::Refused) -> Refusal {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::FORBIDDEN);
    let code = match error {
        guard::Refused::NoHost | guard::Refused::BadHost(_) => ErrorCode::BadHost,
        guard::Refused::Host(_) => ErrorCode::Misdirected,
        guard::Refused::Origin(_) => ErrorCode::ForeignOrigin,
    };
    Refusal::new(status, code, error).hint(error.hint())
}

pub(super) fn unauthorized(message: &str) -> Refusal {
    Refusal::new(StatusCode::UNAUTHORIZED, ErrorCode::Unauthorized, message)
        .header(header::WWW_AUTHENTICATE, "Bearer")
}
