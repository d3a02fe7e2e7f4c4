//! Publishing with a POST: one body is one message, or a batch of them as NDJSON.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use enchufe_core::{
    ChannelName, ErrorCode, Message,
    draft::{self, Draft},
    json::PositionText,
};
use http_body_util::{BodyExt, Limited};
use hyper::{
    HeaderMap, Request, StatusCode,
    body::{Body as _, Incoming},
    header,
};
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::time::timeout;

use super::{
    Site,
    answer::{Answer, Refusal, json},
    route,
};
use crate::{
    limits,
    live::broker::{IdempotencyKey, PublishError, ReadError},
};

#[derive(Serialize)]
struct Published {
    first: PositionText,
    last: PositionText,
    duplicate: bool,
}

pub(super) async fn respond(
    site: &Arc<Site>,
    channel: &ChannelName,
    request: Request<Incoming>,
) -> Result<Answer, Refusal> {
    let key = key(request.headers())?;
    let media_type = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let body = body(request.into_body(), site.options.body_timeout).await?;
    let batch = match media_type.as_str() {
        "application/x-ndjson" => lines(&body)?,
        draft::MEDIA_TYPE => drafts(&body)?,
        "application/octet-stream" => vec![Message::binary(body)],
        _ => vec![Message::detect(body)],
    };
    let receipt = site.node.broker().publish(channel, batch, key).await.map_err(refuse)?;
    let (first, last) = (PositionText(receipt.first), PositionText(receipt.last));
    Ok(json(StatusCode::OK, &Published { first, last, duplicate: receipt.duplicate }))
}

async fn body(body: Incoming, time: Duration) -> Result<Bytes, Refusal> {
    let too_large = || {
        let message = format!("a body has at most {} bytes", limits::BODY_BYTES_MAX);
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::BodyTooLarge, message)
    };
    if body.size_hint().lower() > limits::BODY_BYTES_MAX as u64 {
        // Whoever waits to be told to go on is spared the sending.
        return Err(too_large());
    }
    let limited = Limited::new(body, limits::BODY_BYTES_MAX).collect();
    match timeout(time, limited).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Err(too_large()),
        Ok(Err(error)) => Err(Refusal::new(StatusCode::BAD_REQUEST, ErrorCode::BadBody, error)),
        Err(_) => {
            let message = "the body did not come in time";
            Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, ErrorCode::BodyTimeout, message))
        }
    }
}

/// The lines of a batch, each a message of its own and each JSON. Empty lines say nothing.
fn lines(body: &Bytes) -> Result<Vec<Message>, Refusal> {
    batch(body, |line| {
        let json = serde_json::from_str::<&RawValue>(line);
        json.map(|_| Message::text(line)).map_err(|error| format!("is not JSON: {error}"))
    })
}

/// The lines of a batch, each of which stands for a message of any kind. Empty lines say nothing.
fn drafts(body: &Bytes) -> Result<Vec<Message>, Refusal> {
    batch(body, |line| Draft::parse(line).map_err(|error| format!("is no message: {error}")))
}

fn batch(
    body: &Bytes,
    message: impl Fn(&str) -> Result<Message, String>,
) -> Result<Vec<Message>, Refusal> {
    let bad = |number: usize, why: &str| {
        let message = format!("line {number} of the batch {why}");
        Refusal::new(StatusCode::BAD_REQUEST, ErrorCode::BadBatch, message)
            .hint("nothing was published; send one JSON value per line")
    };
    let text = std::str::from_utf8(body).map_err(|error| {
        let line = 1 + body[..error.valid_up_to()].split(|b| *b == b'\n').count();
        bad(line, &format!("is not JSON: {error}"))
    })?;
    let mut batch = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        if batch.len() == limits::BATCH_LEN_MAX {
            // Sixteen megabytes have room for millions of lines: they are not even gathered.
            return Err(refuse(PublishError::BatchTooLong(text.lines().count())));
        }
        batch.push(message(line).map_err(|why| bad(index + 1, &why))?);
    }
    Ok(batch)
}

fn key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Refusal> {
    let mut values = headers.get_all("idempotency-key").iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        let message = "the header Idempotency-Key came more than once";
        return Err(Refusal::new(StatusCode::BAD_REQUEST, ErrorCode::RepeatedHeader, message));
    }
    let key = IdempotencyKey::try_from(value.as_bytes());
    key.map(Some).map_err(|error| Refusal::new(StatusCode::BAD_REQUEST, ErrorCode::BadKey, error))
}

fn refuse(error: PublishError) -> Refusal {
    let status = match &error {
        PublishError::UnknownChannel(channel) => {
            return route::unreadable(&ReadError::UnknownChannel(channel.clone()));
        }
        PublishError::TooManyChannels(max) => {
            return route::unreadable(&ReadError::TooManyChannels(*max));
        }
        PublishError::Ended { .. } => StatusCode::GONE,
        PublishError::Empty => StatusCode::BAD_REQUEST,
        PublishError::BatchTooLong(_) | PublishError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        PublishError::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
    };
    Refusal::new(status, error.code(), error)
}
