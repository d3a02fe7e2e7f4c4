//! WebSocket viewers: the handshake here, then the socket goes to a shard.

use std::sync::Arc;

use enchufe_core::{ChannelName, ErrorCode, Since, v1, ws::handshake};
use hyper::{
    HeaderMap, Request, StatusCode, Version,
    body::Incoming,
    header::{self, HeaderName, HeaderValue},
    upgrade::Parts,
};
use hyper_util::rt::TokioIo;

use super::{
    Connection, Site,
    answer::{Answer, Refusal, empty},
    authority::{self, Deed},
    fields::Query,
    patient::Patient,
    presence, route,
};
use crate::live::{RawStart, Rights, Wish};

/// Whether the request speaks of a WebSocket at all; whether rightly so is asked later.
pub(super) fn is_asked_for(headers: &HeaderMap) -> bool {
    headers.contains_key(header::SEC_WEBSOCKET_KEY)
        || headers.get_all(header::UPGRADE).iter().any(|value| {
            value.to_str().is_ok_and(|value| value.to_ascii_lowercase().contains("websocket"))
        })
}

/// Answers the handshake and sees to the rest in a task of its own.
pub(super) async fn respond(
    site: &Arc<Site>,
    connection: &Connection,
    request: Request<Incoming>,
    channel: Option<ChannelName>,
) -> Result<Answer, Refusal> {
    let accepted = shake_hands(&request)?;
    let is_raw = accepted.protocol.is_none();
    let channel = channel.ok_or_else(|| {
        let message = "there is no channel at this path";
        Refusal::new(StatusCode::NOT_FOUND, ErrorCode::UnknownChannel, message)
            .hint("channels are at /channels/NAME; GET /channels lists them")
    });
    // One connection of enchufe.v1 may read every channel: only our own page opens that.
    let generated = channel.as_ref().is_ok_and(|channel| route::is_generated(site, channel));
    let deed = if is_raw && generated { Deed::ReadGenerated } else { Deed::Read };
    authority::judge(site, connection, &request, deed)?;
    let query = Query::parse(request.uri())?;
    if query.presence.is_some() {
        return Err(presence::no_events());
    }
    let wish = if is_raw {
        let channel = channel?;
        let may_publish = authority::judge(site, connection, &request, Deed::Publish).is_ok();
        route::check_choice(site, &channel, query.slow, may_publish)?;
        // Before the 101: whoever has it has everything from now on.
        let since = query.since.unwrap_or(Since::Now);
        let start = RawStart::resolve(site.node.broker(), channel, since, query.slow).await;
        Wish::Raw(start.map_err(|error| route::unreadable(&error))?)
    } else {
        // Once, for as long as the connection lasts.
        let publish = authority::judge(site, connection, &request, Deed::Publish).is_ok();
        Wish::V1(Rights { publish })
    };
    // Whoever has the 101 has a place.
    let place = site.node.reserve_for(&connection.seat).map_err(|error| {
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Full, error)
            .header(header::RETRY_AFTER, "5")
    })?;

    let mut answer = empty(StatusCode::SWITCHING_PROTOCOLS);
    let headers = answer.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = accepted.accept.parse() {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    if !is_raw {
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(v1::NAME));
    }
    let (site, tasks) = (Arc::clone(site), connection.tasks.clone());
    tasks.spawn(async move {
        let stream = match hyper::upgrade::on(request).await {
            Ok(upgraded) => upgraded.downcast::<TokioIo<Patient>>(),
            Err(error) => {
                tracing::debug!(%error, "a viewer left during its handshake");
                return;
            }
        };
        let Ok(Parts { io, read_buf, .. }) = stream else { return };
        let taken = io
            .into_inner()
            .into_inner()
            .into_socket()
            .map(|socket| site.node.view(socket, read_buf, wish, place));
        match taken {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "a viewer was not taken in"),
            Err(error) => tracing::debug!(%error, "a viewer's socket was lost"),
        }
    });
    Ok(answer)
}

fn shake_hands(request: &Request<Incoming>) -> Result<handshake::Accepted, Refusal> {
    let headers: Vec<(&str, &[u8])> =
        request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let head = handshake::Request {
        method: request.method().as_str(),
        http_11: request.version() == Version::HTTP_11,
        headers: &headers,
    };
    handshake::accept(&head, &[v1::NAME], None).map_err(|refused| {
        let status = StatusCode::from_u16(refused.status()).unwrap_or(StatusCode::BAD_REQUEST);
        let refusal = Refusal::new(status, ErrorCode::BadHandshake, &refused);
        match refused.headers().first() {
            // Its name is written as people write it, and `from_static` wants it in lower case.
            Some(&(name, value)) => match HeaderName::try_from(name) {
                Ok(name) => refusal.header(name, value),
                Err(_) => refusal,
            },
            None => refusal,
        }
    })
}
