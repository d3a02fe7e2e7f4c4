//! What a request says about the form it wants: `Accept` and the query.

use enchufe_core::{ChannelName, ErrorCode, Since, SlowPolicy};
use hyper::{HeaderMap, StatusCode, Uri, header};
use percent_encoding::percent_decode_str;

use super::answer::Refusal;

/// The wire forms that plain HTTP has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WireForm {
    /// One line of JSON per message, for ever.
    NdJson,
    /// A page of history.
    History,
    /// The page for people.
    Page,
    /// Server-Sent Events.
    Events,
}

/// In the order of preference when a request has none: what `curl` gets comes first.
const OFFERED: [(WireForm, &str, &str); 4] = [
    (WireForm::NdJson, "application", "x-ndjson"),
    (WireForm::History, "application", "json"),
    (WireForm::Page, "text", "html"),
    (WireForm::Events, "text", "event-stream"),
];

impl WireForm {
    /// What the request accepts best (RFC 9110 §12.5.1); `None` when it accepts none.
    pub(super) fn negotiate(headers: &HeaderMap) -> Option<Self> {
        preferred(headers, &OFFERED)
    }
}

/// Which of the forms, each with its media type, the request accepts best (RFC 9110 §12.5.1);
/// without a preference the first of the best, and `None` when it accepts none.
pub(super) fn preferred<F: Copy>(headers: &HeaderMap, offered: &[(F, &str, &str)]) -> Option<F> {
    let accept: Vec<&str> =
        headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    if accept.is_empty() {
        return offered.first().map(|(form, _, _)| *form);
    }
    let ranges = || accept.iter().flat_map(|value| value.split(',')).filter_map(range);
    let mut best: Option<(f32, F)> = None;
    for &(form, kind, subtype) in offered {
        // The most specific range that fits decides, not the most generous one.
        let fitting = ranges().filter_map(|(range, quality)| {
            let specificity = match range {
                ("*", "*") => 0,
                (k, "*") if k.eq_ignore_ascii_case(kind) => 1,
                (k, s) if k.eq_ignore_ascii_case(kind) && s.eq_ignore_ascii_case(subtype) => 2,
                _ => return None,
            };
            Some((specificity, quality))
        });
        let quality = fitting.max_by_key(|(specificity, _)| *specificity).map_or(0.0, |f| f.1);
        if quality > best.map_or(0.0, |(quality, _)| quality) {
            best = Some((quality, form));
        }
    }
    best.map(|(_, form)| form)
}

/// One media range and its weight.
fn range(text: &str) -> Option<((&str, &str), f32)> {
    let mut parts = text.split(';');
    let range = parts.next()?.trim().split_once('/')?;
    let quality = parts
        .filter_map(|parameter| parameter.trim().split_once('='))
        .find(|(name, _)| name.eq_ignore_ascii_case("q"))
        .map_or(Some(1.0), |(_, value)| value.trim().parse::<f32>().ok())?;
    (0.0..=1.0).contains(&quality).then_some((range, quality))
}

/// The part of a query that reading knows. What it does not know it ignores.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Query {
    /// Where to begin.
    pub(super) since: Option<Since>,
    /// What to do when the reader does not keep up.
    pub(super) slow: Option<SlowPolicy>,
    /// The channel that the rest of a list comes after.
    pub(super) after: Option<ChannelName>,
    /// Messages in a page of history, channels in a list.
    pub(super) limit: Option<usize>,
    /// What it wants to know of those who read.
    pub(super) presence: Option<Asked>,
    /// A token for reading, to be exchanged for a cookie.
    pub(super) token: Option<String>,
}

impl Query {
    pub(super) fn parse(uri: &Uri) -> Result<Self, Refusal> {
        let mut query = Self::default();
        let mut last_event_id = None;
        for pair in uri.query().unwrap_or_default().split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = value.replace('+', " ");
            let value = percent_decode_str(&value).decode_utf8_lossy();
            match name {
                "since" => {
                    query.since = Some(value.parse().map_err(|e| bad(ErrorCode::BadSince, e))?)
                }
                "last_event_id" => {
                    last_event_id = Some(value.parse().map_err(|e| bad(ErrorCode::BadSince, e))?);
                }
                "slow" => query.slow = Some(value.parse().map_err(|e| bad(ErrorCode::BadSlow, e))?),
                "after" => {
                    query.after = Some(value.parse().map_err(|e| bad(ErrorCode::BadChannel, e))?)
                }
                "limit" => query.limit = Some(limit(&value)?),
                "presence" => query.presence = Some(presence(&value)?),
                "token" => query.token = Some(value.into_owned()),
                _ => {}
            }
        }
        query.since = query.since.or(last_event_id);
        Ok(query)
    }
}

/// What a request wants to know of those who read a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// Who they are now, and nothing else.
    Now,
    /// Who they are, who comes and who leaves, among the messages of a stream.
    Events,
}

fn presence(value: &str) -> Result<Asked, Refusal> {
    match value {
        "" => Ok(Asked::Now),
        "events" => Ok(Asked::Events),
        _ => {
            let value: String = value.chars().take(crate::limits::EXCERPT_CHARS_MAX).collect();
            let message = format!("'{value}' is not what can be asked of presence");
            Err(bad(ErrorCode::BadPresence, message).hint("?presence or ?presence=events"))
        }
    }
}

fn limit(value: &str) -> Result<usize, Refusal> {
    let max = crate::limits::HISTORY_PAGE_LEN_MAX;
    value.parse().ok().filter(|limit| (1..=max).contains(limit)).ok_or_else(|| {
        let value: String = value.chars().take(crate::limits::EXCERPT_CHARS_MAX).collect();
        bad(ErrorCode::BadLimit, format!("'{value}' is not a limit: expected 1 to {max}"))
    })
}

fn bad(code: ErrorCode, message: impl std::fmt::Display) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, code, message)
}

/// The `Last-Event-ID` of an EventSource that reconnects; an empty one says nothing.
pub(super) fn last_event_id(headers: &HeaderMap) -> Result<Option<Since>, Refusal> {
    let Some(value) = headers.get("last-event-id").filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(value.as_bytes());
    text.parse().map(Some).map_err(|error| bad(ErrorCode::BadSince, error))
}

/// The channel that the rest of a path names.
pub(super) fn channel(encoded: &str) -> Result<ChannelName, Refusal> {
    let name = percent_decode_str(encoded)
        .decode_utf8()
        .map_err(|_| bad(ErrorCode::BadChannel, "the channel's name is not UTF-8"))?;
    name.parse().map_err(|error| bad(ErrorCode::BadChannel, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn negotiated(accept: &'static str) -> Option<WireForm> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, header::HeaderValue::from_static(accept));
        WireForm::negotiate(&headers)
    }

    #[test]
    fn the_request_chooses_the_form() {
        for (accept, form) in [
            ("*/*", Some(WireForm::NdJson)),
            ("application/x-ndjson", Some(WireForm::NdJson)),
            ("application/json", Some(WireForm::History)),
            ("application/json;q=0.5, text/event-stream;q=0.6", Some(WireForm::Events)),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                Some(WireForm::Page),
            ),
            ("text/*", Some(WireForm::Page)),
            ("application/x-ndjson;q=0, */*", Some(WireForm::History)),
            ("image/png", None),
            ("nonsense", None),
            ("*/*;q=7", None),
        ] {
            assert_eq!(negotiated(accept), form, "{accept}");
        }
        assert_eq!(WireForm::negotiate(&HeaderMap::new()), Some(WireForm::NdJson));
    }

    #[test]
    fn the_query_says_where_to_begin() {
        let query = Query::parse(&Uri::from_static("/x?since=last%3A5&slow=cut&limit=7&utm=1"));
        let expected = Query {
            since: Some(Since::Last(5)),
            slow: Some(SlowPolicy::Cut),
            limit: Some(7),
            ..Query::default()
        };
        assert_eq!(query.expect("a good query"), expected);
        for bad in ["/x?since=", "/x?since=7", "/x?slow=wait", "/x?limit=0", "/x?limit=x"] {
            Query::parse(&Uri::from_static(bad)).expect_err(bad);
        }
    }
}
