//! What an HTTP server said instead of opening a WebSocket, and what to do about it, in every
//! language. The server's own words stay as they are.

use super::one_of;
use crate::{
    address::{Address, WsAddress, WsEndpoint, redacted},
    limits,
    transport::ws::Refusal,
};

/// What to do about a refusal.
enum Advice {
    /// Connect there instead.
    GoTo(String),
    /// Show who you are, in one of these ways.
    Authenticate(Vec<String>),
    /// Come back after so many seconds.
    ComeBack(u64),
    /// Be somebody else.
    Forbidden,
    /// Something else is served there.
    LookAgain,
}

impl Advice {
    fn new(address: &str, refusal: &Refusal) -> Self {
        match (refusal.status, &refusal.location, refusal.retry_after) {
            (300..=399, Some(location), _) => {
                Self::GoTo(redacted(&web_socket(address, location)).into_owned())
            }
            (401, ..) => Self::Authenticate(refusal.schemes.clone()),
            (403, ..) => Self::Forbidden,
            (429 | 500..=599, _, Some(after)) => Self::ComeBack(after.as_secs()),
            _ => Self::LookAgain,
        }
    }
}

pub(super) fn in_english(address: &str, refusal: &Refusal) -> (String, Option<String>) {
    let Refusal { status, reason, .. } = refusal;
    let said = format!("{status} {reason}");
    let hint = match Advice::new(address, refusal) {
        Advice::GoTo(target) => format!("it sends you to {target}"),
        Advice::Authenticate(schemes) if schemes.is_empty() => {
            "it wants to know who you are: --header 'Authorization: Bearer TOKEN'".into()
        }
        Advice::Authenticate(schemes) => {
            let (schemes, example) = (one_of(&schemes, "or"), example(&schemes, "TOKEN"));
            format!("it asks for {schemes}: --header 'Authorization: {example}'")
        }
        Advice::ComeBack(seconds) => {
            format!("it asks to be left alone for {seconds} s; --reconnect waits and tries again")
        }
        Advice::Forbidden => {
            "does it want an --origin, or who you are by a --header 'Authorization: …'?".into()
        }
        Advice::LookAgain => "is it a WebSocket server, and the path right?".into(),
    };
    let said = said.trim_end();
    (format!("cannot connect to {address}: the server answered {said}"), Some(hint))
}

pub(super) fn in_spanish(address: &str, refusal: &Refusal) -> (String, Option<String>) {
    let Refusal { status, reason, .. } = refusal;
    let said = format!("{status} {reason}");
    let hint = match Advice::new(address, refusal) {
        Advice::GoTo(target) => format!("te envía a {target}"),
        Advice::Authenticate(schemes) if schemes.is_empty() => {
            "quiere saber quién eres: --header 'Authorization: Bearer TOKEN'".into()
        }
        Advice::Authenticate(schemes) => {
            let (schemes, example) = (one_of(&schemes, "o"), example(&schemes, "TOKEN"));
            format!("pide {schemes}: --header 'Authorization: {example}'")
        }
        Advice::ComeBack(seconds) => {
            format!("pide que se le deje en paz {seconds} s; --reconnect espera y vuelve a probar")
        }
        Advice::Forbidden => {
            "¿quiere un --origin, o saber quién eres por un --header 'Authorization: …'?".into()
        }
        Advice::LookAgain => "¿es un servidor WebSocket, y es correcta la ruta?".into(),
    };
    let said = said.trim_end();
    (format!("no se puede conectar a {address}: el servidor respondió {said}"), Some(hint))
}

/// What an `Authorization` of the first of these schemes that we can name looks like.
fn example(schemes: &[String], token: &str) -> String {
    let is_basic = schemes.first().is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic"));
    match schemes.first() {
        // RFC 7617 §2.
        _ if is_basic => "Basic BASE64(USER:PASSWORD)".into(),
        Some(scheme) => format!("{scheme} {token}"),
        None => format!("Bearer {token}"),
    }
}

/// Where a redirect leads, as an address to connect to.
fn web_socket(address: &str, location: &str) -> String {
    if let Ok(Address::Ws(asked)) = Address::parse_connect(address)
        && let WsEndpoint::Unix(_) = asked.endpoint
        && location.starts_with('/')
        && !location.starts_with("//")
    {
        return WsAddress { path: Some(location.to_owned()), ..asked }.to_string();
    }
    let (scheme, rest) = address.split_once("://").unwrap_or(("ws", address));
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    match location.split_once("://") {
        Some(("http", rest)) => format!("ws://{rest}"),
        Some(("https", rest)) => format!("wss://{rest}"),
        None if location.starts_with("//") => format!("{scheme}:{location}"),
        None if location.starts_with('/') => format!("{scheme}://{authority}{location}"),
        _ => location.to_owned(),
    }
}

/// The server's own words, fit to be read: JSON is spread out, and of a page only the title is
/// left.
pub(crate) fn shown(refusal: &Refusal) -> Option<String> {
    let kind = refusal.content_type.as_deref().unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let text = refusal.text.trim();
    let is_page = kind == "text/html" || text.starts_with("<!") || text.starts_with("<html");
    let json = || serde_json::from_str::<serde_json::Value>(text).ok();
    let words = if is_page {
        title(text)?.to_owned()
    } else if let Some(json) = json().filter(|json| json.is_object() || json.is_array()) {
        serde_json::to_string_pretty(&json).unwrap_or_else(|_| text.to_owned())
    } else {
        text.to_owned()
    };
    let mut lines: Vec<&str> = words.lines().take(limits::REFUSAL_LINES_MAX).collect();
    if words.lines().count() > lines.len() || (refusal.is_cut && !is_page) {
        lines.push("…");
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn title(page: &str) -> Option<&str> {
    let from = page.find("<title>")? + "<title>".len();
    let title = page[from..].split("</title>").next()?.trim();
    (!title.is_empty()).then_some(title)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_leads_to_an_address_of_a_websocket() {
        let from = |location| web_socket("ws://localhost:8765/a?b", location);
        assert_eq!(from("https://example.org/x"), "wss://example.org/x");
        assert_eq!(from("http://example.org"), "ws://example.org");
        assert_eq!(from("/login?next=a"), "ws://localhost:8765/login?next=a");
        assert_eq!(from("//example.org/x"), "ws://example.org/x");
        assert_eq!(from("wss://example.org"), "wss://example.org");
        let over_unix = |location| web_socket("ws+unix:/tmp/x:/a?b", location);
        assert_eq!(over_unix("/login"), "ws+unix:/tmp/x:/login");
        assert_eq!(over_unix("http://example.org/x"), "ws://example.org/x");
    }

    #[test]
    fn of_a_page_only_the_title_is_shown() {
        assert_eq!(title("<html><title> 404 Not Found </title>"), Some("404 Not Found"));
        assert_eq!(title("<html><title>"), None);
        assert_eq!(title("<html>"), None);
    }
}
