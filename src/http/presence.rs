//! Who reads a channel, as JSON.

use std::sync::Arc;

use enchufe_core::{ChannelName, ErrorCode, presence::Snapshot};
use hyper::StatusCode;
use serde::Serialize;

use super::{
    Site,
    answer::{Answer, Refusal, json},
    route,
};
use crate::live::PresenceError;

#[derive(Serialize)]
struct Whole<'a> {
    channel: &'a ChannelName,
    #[serde(flatten)]
    presence: Snapshot,
}

pub(super) fn respond(site: &Arc<Site>, channel: &ChannelName) -> Result<Answer, Refusal> {
    let presence = site.node.presence(channel).map_err(|error| refusal(&error))?;
    Ok(json(StatusCode::OK, &Whole { channel, presence }))
}

/// Why it is not said.
pub(super) fn refusal(error: &PresenceError) -> Refusal {
    match error {
        PresenceError::Channel(error) => route::unreadable(error),
        PresenceError::Refused(_) => Refusal::new(StatusCode::FORBIDDEN, error.code(), error),
    }
}

/// A form that cannot carry what comes later.
pub(super) fn no_events() -> Refusal {
    let message = "only a stream can say who comes and who leaves";
    Refusal::new(StatusCode::BAD_REQUEST, ErrorCode::BadPresence, message)
        .hint("with ?presence=events: text/event-stream, application/x-ndjson or enchufe.v1; ?presence alone asks who is there now")
}
