//! A page of a channel's history, as JSON.

use std::sync::Arc;

use enchufe_core::{
    ChannelName, Gap, Since,
    json::{EndItem, GapItem, Item, PositionText},
};
use hyper::StatusCode;
use serde::Serialize;

use super::{
    Site,
    answer::{Answer, Refusal, json},
    fields::Query,
    route,
};
use crate::{limits, live::broker::PageLimit};

/// `next` is where the next page begins; at `head` there is no more for now.
#[derive(Serialize)]
struct Whole<'a> {
    channel: &'a ChannelName,
    items: Vec<Item<'a>>,
    gap: Option<GapItem>,
    next: PositionText,
    head: PositionText,
    end: Option<EndItem<'a>>,
}

pub(super) async fn respond(
    site: &Arc<Site>,
    channel: &ChannelName,
    query: &Query,
) -> Result<Answer, Refusal> {
    let broker = site.node.broker();
    let len_max = query.limit.unwrap_or(limits::HISTORY_PAGE_LEN);
    let since = query.since.unwrap_or(Since::Last(len_max as u64));
    let start = broker.resolve(channel, since).await.map_err(|error| route::unreadable(&error))?;
    let limit = PageLimit { len_max, bytes_max: limits::HISTORY_PAGE_BYTES_MAX };
    let page = broker
        .history(channel, start.after, limit)
        .await
        .map_err(|error| route::unreadable(&error))?;
    let state = broker.state(channel).map_err(|error| route::unreadable(&error))?;
    let end = state.end.filter(|end| end.position == page.through);
    Ok(json(
        StatusCode::OK,
        &Whole {
            channel,
            items: page.items.iter().map(|publication| Item::new(publication)).collect(),
            gap: Gap::before_page(start.gap, page.gap).as_ref().map(GapItem::from),
            next: PositionText(page.through),
            head: PositionText(state.head),
            end: end.as_deref().map(EndItem::from),
        },
    ))
}
