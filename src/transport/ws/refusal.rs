//! What an HTTP server said instead of opening a WebSocket.

use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::{
    Response,
    body::Incoming as Body,
    ext::ReasonPhrase,
    header::{self, HeaderMap, HeaderName},
};
use jiff::{Timestamp, fmt::rfc2822::DateTimeParser};
use tokio::time::{Instant, timeout_at};

use crate::limits;

/// What an HTTP server said instead of opening a WebSocket. None of it is escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The status of the answer.
    pub status: u16,
    /// What the server calls the status.
    pub reason: String,
    /// Where the server sends us instead.
    pub location: Option<String>,
    /// The schemes of authentication that are asked for, such as `Bearer`.
    pub schemes: Vec<String>,
    /// How long the server asks to be left alone.
    pub retry_after: Option<Duration>,
    /// The media type of the text.
    pub content_type: Option<String>,
    /// The text of the answer, up to [`limits::REFUSAL_BYTES_MAX`].
    pub text: String,
    /// Whether there was more of it.
    pub is_cut: bool,
}

impl Refusal {
    /// Reads what the server says, until the deadline.
    pub(crate) async fn read(answer: Response<Body>, deadline: Instant) -> Self {
        let status = answer.status();
        let fields = answer.headers();
        let mut refusal = Self {
            status: status.as_u16(),
            reason: match answer.extensions().get::<ReasonPhrase>() {
                Some(own) => String::from_utf8_lossy(own.as_bytes()).into_owned(),
                None => status.canonical_reason().unwrap_or_default().to_owned(),
            },
            location: text_of(fields, &header::LOCATION),
            schemes: schemes(fields),
            retry_after: text_of(fields, &header::RETRY_AFTER)
                .and_then(|text| retry_after(&text, Timestamp::now())),
            content_type: text_of(fields, &header::CONTENT_TYPE),
            text: String::new(),
            is_cut: false,
        };
        let mut body = answer.into_body();
        let mut bytes = Vec::new();
        while bytes.len() <= limits::REFUSAL_BYTES_MAX
            && let Ok(Some(Ok(frame))) = timeout_at(deadline, body.frame()).await
            && let Ok(data) = frame.into_data()
        {
            bytes.extend_from_slice(&data);
        }
        refusal.is_cut = bytes.len() > limits::REFUSAL_BYTES_MAX;
        bytes.truncate(limits::REFUSAL_BYTES_MAX);
        refusal.text = String::from_utf8_lossy(&bytes).into_owned();
        refusal
    }

    /// The status, what it is called, and the first line of the text, escaped.
    pub(crate) fn summary(&self) -> String {
        let line = self.text.lines().map(str::trim).find(|line| !line.is_empty());
        let mut summary = format!("{} {}", self.status, self.reason).trim_end().to_owned();
        if let Some(line) = line {
            summary.push_str(&format!(" ({line})"));
        }
        summary.chars().flat_map(char::escape_debug).collect()
    }
}

fn text_of(fields: &HeaderMap, name: &HeaderName) -> Option<String> {
    fields.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// The schemes in `WWW-Authenticate` (RFC 9110 §11.6.1): the first word of each challenge. What
/// follows a comma is a challenge too unless it is one more parameter.
fn schemes(fields: &HeaderMap) -> Vec<String> {
    let values = fields.get_all(header::WWW_AUTHENTICATE).iter();
    let values = values.filter_map(|value| value.to_str().ok());
    let mut schemes: Vec<String> = Vec::new();
    for part in values.flat_map(|value| value.split(',')) {
        let word = part.split_whitespace().next().unwrap_or_default();
        let is_scheme = word.starts_with(|c: char| c.is_ascii_alphabetic())
            && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        if is_scheme && !schemes.iter().any(|known| known == word) {
            schemes.push(word.to_owned());
        }
    }
    schemes.truncate(limits::CHALLENGES_MAX);
    schemes
}

/// `Retry-After` (RFC 9110 §10.2.3): seconds, or a date.
fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = DateTimeParser::new().parse_timestamp(text.trim()).ok()?;
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    #[test]
    fn the_schemes_are_the_first_words_of_the_challenges() {
        let mut fields = HeaderMap::new();
        let challenge = r#"Basic realm="a b", charset="UTF-8", Bearer error="invalid, token""#;
        fields.append(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        fields.append(header::WWW_AUTHENTICATE, HeaderValue::from_static("Negotiate"));
        assert_eq!(schemes(&fields), ["Basic", "Bearer", "Negotiate"]);
        assert!(schemes(&HeaderMap::new()).is_empty());
    }

    #[test]
    fn a_server_asks_to_be_left_alone_for_seconds_or_until_a_date() {
        let now = "2026-11-22T11:58:14Z".parse().expect("a time");
        let seconds = |text| retry_after(text, now).map(|after| after.as_secs());
        assert_eq!(seconds("120"), Some(120));
        assert_eq!(seconds(" 0 "), Some(0));
        assert_eq!(seconds("Sun, 22 Nov 2026 11:59:14 GMT"), Some(60));
        assert_eq!(seconds("Sun, 22 Nov 2026 11:00:00 GMT"), Some(0));
        assert_eq!(seconds("soon"), None);
        assert_eq!(seconds("-1"), None);
    }
}
