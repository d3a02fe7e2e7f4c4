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
            gap: missing(start.gap, page.gap).as_ref().map(GapItem::from),
            next: PositionText(page.through),
            head: PositionText(state.head),
            end: end.as_deref().map(EndItem::from),
        },
    ))
}

/// What is missing before a page. The history may have moved on since it was said where to begin:
/// then more is missing than was known at that time.
fn missing(start: Option<Gap>, page: Option<Gap>) -> Option<Gap> {
    match (start, page) {
        (Some(start), Some(page)) => Some(Gap { next: page.next, missing: None, ..start }),
        (start, page) => start.or(page),
    }
}

#[cfg(test)]
mod tests {
    use enchufe_core::{Epoch, GapReason, Position};

    use super::*;

    #[test]
    fn what_goes_while_a_reader_is_told_of_a_reset_is_missing_too() {
        let at = |epoch, offset| Position::new(Epoch(epoch), offset);
        let gap = |after, next, reason, missing| Some(Gap { after, next, reason, missing });
        let reset = gap(at(7, 3), at(8, 1), GapReason::Reset, None);
        let expired = gap(at(8, 0), at(8, 5), GapReason::Expired, Some(4));
        assert_eq!(missing(reset, expired), gap(at(7, 3), at(8, 5), GapReason::Reset, None));
        assert_eq!(missing(None, expired), expired);
        assert_eq!(missing(reset, None), reset);
        assert_eq!(missing(None, None), None);
    }
}
