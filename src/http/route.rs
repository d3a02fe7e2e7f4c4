//! Which request gets which answer.

use std::sync::Arc;

use enchufe_core::{ChannelName, ErrorCode, SlowPolicy};
use http_body_util::BodyExt;
use hyper::{
    Method, Request, Response, StatusCode, Uri,
    body::{Body as _, Incoming},
    header::{self, HeaderValue},
};
use serde::Serialize;

use super::{
    Connection, Site,
    answer::{Answer, Refusal, answer, empty, full, json},
    authority::{self, COOKIE, Deed},
    fields::{self, Query, WireForm},
    health, history, metrics, presence, publish, stream, upgrade,
};
use crate::{
    address::channel_path,
    limits,
    live::broker::{ChoiceRefused, ReadError},
    page,
};

/// The answer to any request.
pub(super) async fn respond(
    site: Arc<Site>,
    connection: Connection,
    request: Request<Incoming>,
) -> Answer {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let head = request.method() == Method::HEAD;
    let exchange = (!request.body().is_end_stream()).then(|| connection.exchange.clone());
    // Nobody is told anything before it is clear that it is said to the right one.
    let target = Target::of(&site, &request);
    let admitted = authority::admit(&site, &request, target.deed);
    let was_admitted = admitted.is_ok();
    let node = site.node.clone();
    let answered = match admitted {
        Ok(()) => dispatch(&site, connection, request, target).await,
        Err(refusal) => Err(refusal),
    };
    let mut answer = answered.unwrap_or_else(|refusal| {
        node.refused(refusal.code());
        refusal.into_answer()
    });
    if let Some(exchange) = exchange.filter(|_| !answer.status().is_success()) {
        exchange.linger();
    }
    // Whoever was let in may read the answer; whoever was not gets no such header.
    let readable = was_admitted && answer.status() != StatusCode::FORBIDDEN;
    if let Some(origin) = origin.filter(|_| readable) {
        answer.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        answer.headers_mut().append(header::VARY, HeaderValue::from_static("origin"));
    }
    if head {
        let length = answer.body().size_hint().exact();
        *answer.body_mut() = full("");
        if let Some(length) = length.filter(|_| answer.status() == StatusCode::OK) {
            answer.headers_mut().entry(header::CONTENT_LENGTH).or_insert(length.into());
        }
    }
    answer
}

/// What a request is about.
struct Target {
    path: String,
    /// The channel, if it is one; or why what stands there cannot be one.
    channel: Result<Option<ChannelName>, Refusal>,
    /// Whether the path is that of a channel.
    is_named: bool,
    /// The least that the request may want to do.
    deed: Deed,
}

impl Target {
    fn of(site: &Site, request: &Request<Incoming>) -> Self {
        let path = request.uri().path().to_owned();
        let named = path.strip_prefix("/channels/").filter(|rest| !rest.is_empty());
        let channel = match named {
            Some(encoded) => fields::channel(encoded).map(Some),
            None if path == "/" => Ok(site.options.default_channel.clone()),
            None if upgrade::is_asked_for(request.headers())
                && site.options.default_path.covers(&path) =>
            {
                Ok(site.options.default_channel.clone())
            }
            None => Ok(None),
        };
        let is_named = named.is_some();
        let reads = matches!(*request.method(), Method::GET | Method::HEAD)
            && (is_named || upgrade::is_asked_for(request.headers()));
        let generated =
            |channel: &Option<ChannelName>| channel.as_ref().is_some_and(|c| is_generated(site, c));
        let deed = if reads && channel.as_ref().is_ok_and(generated) {
            Deed::ReadGenerated
        } else {
            Deed::Read
        };
        Self { path, channel, is_named, deed }
    }
}

async fn dispatch(
    site: &Arc<Site>,
    connection: Connection,
    request: Request<Incoming>,
    target: Target,
) -> Result<Answer, Refusal> {
    let Target { path, channel, is_named, deed } = target;
    let channel = channel?;
    if request.method() == Method::OPTIONS {
        return Ok(preflight());
    }
    if upgrade::is_asked_for(request.headers()) {
        return upgrade::respond(site, &connection, request, channel).await;
    }
    if request.method() == Method::POST && is_named {
        let Some(channel) = channel else { return Err(not_found(&path)) };
        authority::judge(site, &connection, &request, Deed::Publish)?;
        if is_generated(site, &channel) {
            let message = format!("the messages of '{channel}' are made up here alone");
            return Err(Refusal::new(StatusCode::FORBIDDEN, ErrorCode::Generated, message));
        }
        return publish::respond(site, &channel, request).await;
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let message = format!("{} is not understood here", request.method());
        return Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::BadMethod, message)
            .header(header::ALLOW, if is_named { "GET, HEAD, POST" } else { "GET, HEAD" }));
    }
    match path.as_str() {
        "/health/live" => return Ok(health::live()),
        "/health/ready" => {
            return Ok(
                health::ready(site, authority::may_read(site, request.headers()).is_ok()).await
            );
        }
        "/metrics" => {
            authority::judge(site, &connection, &request, Deed::ReadMetrics)?;
            return Ok(metrics::respond(site, request.headers()).await);
        }
        _ => {}
    }
    if let Some(answer) = exchange_token(site, request.uri())? {
        return Ok(answer);
    }
    authority::judge(site, &connection, &request, deed)?;
    match (path.as_str(), channel) {
        (_, Some(channel)) if is_named => read(site, connection, request, channel).await,
        ("/channels" | "/channels/", _) if wants_page(&request) => Ok(document(&request)),
        ("/channels" | "/channels/", _) => channels(site, request.uri()),
        _ => others(site, &path, &request).await,
    }
}

/// What is neither a channel nor the list of them: one's own page, or the built-in one.
async fn others(site: &Site, path: &str, request: &Request<Incoming>) -> Result<Answer, Refusal> {
    if path.starts_with("/assets/")
        && let Some(asset) = page::asset(path)
    {
        return Ok(embedded(request, asset, page::ASSET_CACHE_CONTROL));
    }
    match &site.options.page {
        Some(folder) => Ok(folder.respond(request).await.map(BodyExt::boxed_unsync)),
        None if path == "/" => Ok(document(request)),
        None => Err(not_found(path)),
    }
}

async fn read(
    site: &Arc<Site>,
    connection: Connection,
    request: Request<Incoming>,
    channel: ChannelName,
) -> Result<Answer, Refusal> {
    let query = Query::parse(request.uri())?;
    if query.presence == Some(fields::Asked::Now) {
        return presence::respond(site, &channel);
    }
    let form = WireForm::negotiate(request.headers()).ok_or_else(|| {
        Refusal::new(
            StatusCode::NOT_ACCEPTABLE,
            ErrorCode::NotAcceptable,
            "no such form of a channel",
        )
        .hint("Accept: application/x-ndjson, application/json, text/event-stream or text/html")
    })?;
    match form {
        // The page says itself when there is no such channel.
        WireForm::Page => Ok(document(&request)),
        WireForm::History if query.presence.is_some() => Err(presence::no_events()),
        WireForm::History => history::respond(site, &channel, &query).await,
        WireForm::NdJson | WireForm::Events if request.method() == Method::HEAD => {
            site.node.broker().options(&channel).map_err(|error| unreadable(&error))?;
            Ok(stream::head(form))
        }
        WireForm::NdJson | WireForm::Events => {
            let last = fields::last_event_id(request.headers())?;
            let since = if form == WireForm::Events { last.or(query.since) } else { query.since };
            let may_publish = authority::judge(site, &connection, &request, Deed::Publish).is_ok();
            let presence = query.presence.is_some();
            let asked = stream::Asked { form, since, slow: query.slow, may_publish, presence };
            stream::respond(site, connection, channel, asked).await
        }
    }
}

/// A channel that is not there, and is not made.
pub(super) fn unreadable(error: &ReadError) -> Refusal {
    match error {
        ReadError::TooManyChannels(_) => {
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::TooManyChannels, error)
                .hint("channels go once nobody has used them for a while")
                .header(header::RETRY_AFTER, "60")
        }
        _ => Refusal::new(StatusCode::NOT_FOUND, ErrorCode::UnknownChannel, error)
            .hint("GET /channels lists those that there are"),
    }
}

/// Whether a reader may choose what becomes of it when it does not keep up.
pub(super) fn check_choice(
    site: &Site,
    channel: &ChannelName,
    slow: Option<SlowPolicy>,
    may_publish: bool,
) -> Result<(), Refusal> {
    let options = site.node.broker().options(channel).map_err(|error| unreadable(&error))?;
    options.check_choice(slow, may_publish).map_err(|error| match error {
        ChoiceRefused::Unauthorized => authority::unauthorized(&error.to_string())
            .hint("read without slow=block, or as one who may publish"),
        _ => Refusal::new(StatusCode::FORBIDDEN, error.code(), error),
    })
}

fn not_found(path: &str) -> Refusal {
    let path: String = path.chars().take(limits::EXCERPT_CHARS_MAX).collect();
    Refusal::new(StatusCode::NOT_FOUND, ErrorCode::NotFound, format!("there is nothing at {path}"))
        .hint("channels are at /channels/NAME; GET /channels lists them")
}

pub(super) fn is_generated(site: &Site, channel: &ChannelName) -> bool {
    site.node.broker().options(channel).is_ok_and(|options| options.generated)
}

fn wants_page(request: &Request<Incoming>) -> bool {
    WireForm::negotiate(request.headers()) == Some(WireForm::Page)
}

/// The list of channels, as much of it as one answer has. `next` is what the rest comes after.
fn channels(site: &Site, uri: &Uri) -> Result<Answer, Refusal> {
    #[derive(Serialize)]
    struct List {
        channels: Vec<Entry>,
        next: Option<ChannelName>,
    }
    #[derive(Serialize)]
    struct Entry {
        name: ChannelName,
        url: String,
        default: bool,
        head: String,
        oldest: String,
        ended: Option<String>,
    }
    let Query { after, limit, .. } = Query::parse(uri)?;
    let len_max = limit.unwrap_or(limits::CHANNELS_PAGE_LEN_MAX);
    // One more tells whether there are more.
    let mut listed = site.node.broker().channels_after(after.as_ref(), len_max + 1);
    let is_whole = listed.len() <= len_max;
    listed.truncate(len_max);
    let next = listed.last().filter(|_| !is_whole).map(|(name, _)| name.clone());
    let entries = listed.into_iter().map(|(name, state)| {
        let oldest = enchufe_core::Position {
            offset: state.before_oldest.offset + 1,
            ..state.before_oldest
        };
        Entry {
            url: channel_path(&name),
            default: site.options.default_channel.as_ref() == Some(&name),
            name,
            head: state.head.to_string(),
            oldest: oldest.to_string(),
            ended: state.end.map(|end| end.status.clone()),
        }
    });
    Ok(json(StatusCode::OK, &List { channels: entries.collect(), next }))
}

fn document(request: &Request<Incoming>) -> Answer {
    embedded(request, page::feeds(), page::DOCUMENT_CACHE_CONTROL)
}

fn embedded(request: &Request<Incoming>, asset: page::Asset, cache: &'static str) -> Answer {
    let known = request.headers().get_all(header::IF_NONE_MATCH).iter().any(|value| {
        value.to_str().is_ok_and(|value| value.split(',').any(|tag| tag.trim() == asset.etag))
    });
    let mut answer = if known {
        empty(StatusCode::NOT_MODIFIED)
    } else {
        answer(StatusCode::OK, asset.content_type, full(asset.body))
    };
    let headers = answer.headers_mut();
    headers.insert(header::ETAG, HeaderValue::from_static(asset.etag));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    for (name, value) in page::SECURITY_HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    answer
}

/// `?token=TOKEN` in a browser becomes a cookie and leaves the address bar.
fn exchange_token(site: &Site, uri: &Uri) -> Result<Option<Answer>, Refusal> {
    let Query { token: Some(offered), .. } = Query::parse(uri)? else { return Ok(None) };
    let Some(token) = &site.options.read_token else { return Ok(None) };
    if !token.matches(&offered) {
        return Err(Refusal::new(StatusCode::UNAUTHORIZED, ErrorCode::Unauthorized, "wrong token"));
    }
    let mut answer: Response<_> = empty(StatusCode::SEE_OTHER);
    let secure = if site.is_secure { "; Secure" } else { "" };
    let cookie = format!("{COOKIE}={offered}; Path=/; HttpOnly; SameSite=Strict{secure}");
    // Two slashes would begin the name of another host.
    let path = format!("/{}", uri.path().trim_start_matches(['/', '\\']));
    // What matched a token is visible ASCII, and a path is a valid header's value.
    if let (Ok(cookie), Ok(path)) = (cookie.parse(), path.parse()) {
        answer.headers_mut().insert(header::SET_COOKIE, cookie);
        answer.headers_mut().insert(header::LOCATION, path);
    }
    Ok(Some(answer))
}

/// What a page of an allowed origin may ask for.
fn preflight() -> Answer {
    let mut answer = empty(StatusCode::NO_CONTENT);
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, POST"),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "authorization, content-type, idempotency-key, last-event-id",
        ),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ] {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}
