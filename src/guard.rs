//! Which requests a server on this machine may answer, judged by their `Host` and `Origin`.
//!
//! A browser lets any page of the web open `http://127.0.0.1:5678` and a WebSocket to it. What
//! keeps such a page from reading a private feed is the server alone: by looking at who the
//! request says it is for (`Host`, against DNS rebinding) and who made it (`Origin`, against
//! other sites). These are pure functions; `transport::ws` and `http` apply them.

use std::{net::IpAddr, str::FromStr};

use crate::limits;

/// What a page of another origin may do with a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OriginPolicy {
    /// Nothing: only pages of the same origin, the named ones, and programs that are not browsers.
    #[default]
    SameOrigin,
    /// Read. For what is generated here and tells nobody anything: a clock, random numbers.
    AnyMayRead,
}

/// An origin that is let in by name: `https://example.org`, `null`, or `*` for every one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedOrigin {
    /// Every origin, written `*`.
    Any,
    /// This one, in lower case and without a trailing slash, as browsers write it.
    Exact(String),
}

impl AllowedOrigin {
    fn admits(&self, origin: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(allowed) => allowed.eq_ignore_ascii_case(origin),
        }
    }
}

/// The text names no origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not an origin: expected SCHEME://HOST[:PORT], null or *")]
pub struct ParseOriginError(String);

impl FromStr for AllowedOrigin {
    type Err = ParseOriginError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let origin = text.strip_suffix('/').unwrap_or(text).to_ascii_lowercase();
        match origin.split_once("://") {
            None if origin == "*" => Ok(Self::Any),
            None if origin == "null" => Ok(Self::Exact(origin)),
            Some((scheme, host)) if is_scheme(scheme) && Authority::parse(host).is_some() => {
                Ok(Self::Exact(origin))
            }
            _ => Err(ParseOriginError(excerpt(text))),
        }
    }
}

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// The request has no `Host`, which every one of HTTP/1.1 must have.
    #[error("the request has no Host")]
    NoHost,
    /// The value of `Host` is not that of a host.
    #[error("the header Host has the invalid value '{0}'")]
    BadHost(String),
    /// The request is for a name that this loopback listener does not go by.
    #[error("this server does not answer for the host '{0}'")]
    Host(String),
    /// A page of another origin made the request.
    #[error("pages of the origin '{0}' may not use this server")]
    Origin(String),
}

impl Refused {
    /// The HTTP status that says so: 400 Bad Request, 421 Misdirected Request or 403 Forbidden.
    pub fn status(&self) -> u16 {
        match self {
            Self::NoHost | Self::BadHost(_) => 400,
            Self::Host(_) => 421,
            Self::Origin(_) => 403,
        }
    }

    /// What the one who runs the server can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoHost | Self::BadHost(_) => "send one header Host: NAME[:PORT]",
            Self::Host(_) => "use localhost, or start the server with --host-name NAME",
            Self::Origin(_) => "start the server with --allow-origin ORIGIN",
        }
    }
}

/// Judges the form of the header `Host`, whatever the listener goes by: a request that two readers
/// could take to be for different hosts is none (RFC 9112 §3.2).
///
/// # Errors
///
/// [`Refused::NoHost`] when a request of HTTP/1.1 has none, [`Refused::BadHost`] with the beginning
/// of a value that is not `NAME[:PORT]`.
pub fn check_host_form(host: Option<&str>, is_http_11: bool) -> Result<(), Refused> {
    match host {
        None if is_http_11 => Err(Refused::NoHost),
        Some(host) if Authority::parse(host).is_none() => Err(Refused::BadHost(excerpt(host))),
        _ => Ok(()),
    }
}

/// Judges the `Host` of a request that came in on a loopback listener.
///
/// It must be `localhost`, a name under it, a loopback address, or one of `names` (compared
/// without regard to case or port). Anything else is what a page sees whose own name was made to
/// point to 127.0.0.1. A listener on other interfaces cannot know its names and does not ask.
///
/// # Errors
///
/// [`Refused::Host`] with the beginning of the value; a missing `Host` is refused as an empty one.
pub fn check_host(host: Option<&str>, names: &[String]) -> Result<(), Refused> {
    let host = host.unwrap_or_default();
    let known = Authority::parse(host).is_some_and(|authority| {
        let bare = authority.host.strip_suffix('.').unwrap_or(authority.host);
        is_localhost(bare)
            || authority.is_loopback()
            || names.iter().any(|name| name.eq_ignore_ascii_case(bare))
    });
    if known { Ok(()) } else { Err(Refused::Host(excerpt(host))) }
}

/// Judges the `Origin` of a request.
///
/// Programs other than browsers send none and are let in, and so are pages that this server
/// itself delivered (same host and port). A foreign origin, or `null`, needs
/// [`OriginPolicy::AnyMayRead`] or a place among `allowed`. Where TLS is spoken, `is_secure`, only a
/// page that came over TLS was delivered by this server: anybody on the way could have made another
/// one of the same name.
///
/// # Errors
///
/// [`Refused::Origin`] with the beginning of the value.
pub fn check_origin(
    origin: Option<&str>,
    host: Option<&str>,
    is_secure: bool,
    policy: OriginPolicy,
    allowed: &[AllowedOrigin],
) -> Result<(), Refused> {
    let Some(origin) = origin else { return Ok(()) };
    if policy == OriginPolicy::AnyMayRead
        || is_same_origin(origin, host.unwrap_or_default(), is_secure)
        || allowed.iter().any(|one| one.admits(origin))
    {
        return Ok(());
    }
    Err(Refused::Origin(excerpt(origin)))
}

/// A port left out on either side is the default port of the origin's scheme: behind a proxy that
/// ends TLS, `https://feed.example` belongs to `Host: feed.example`.
fn is_same_origin(origin: &str, host: &str, is_secure: bool) -> bool {
    let Some((scheme, from)) = origin.split_once("://") else { return false };
    let default_port = match scheme.to_ascii_lowercase().as_str() {
        "http" if !is_secure => 80,
        "https" => 443,
        _ => return false,
    };
    let (Some(from), Some(to)) = (Authority::parse(from), Authority::parse(host)) else {
        return false;
    };
    from.host.eq_ignore_ascii_case(to.host)
        && from.port.unwrap_or(default_port) == to.port.unwrap_or(default_port)
}

/// `HOST[:PORT]` as it stands in `Host` and `Origin` (RFC 9110 §7.2); an IPv6 host keeps its
/// brackets off.
struct Authority<'a> {
    host: &'a str,
    port: Option<u16>,
    is_v6: bool,
}

impl<'a> Authority<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (host, rest, is_v6) = match text.strip_prefix('[') {
            Some(inner) => {
                let (host, rest) = inner.split_once(']')?;
                (host, rest, true)
            }
            None => {
                let (host, rest) = text.split_at(text.find(':').unwrap_or(text.len()));
                (host, rest, false)
            }
        };
        let port = match rest.strip_prefix(':') {
            None if rest.is_empty() => None,
            None => return None,
            Some("") => None,
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
                Some(digits.parse().ok()?)
            }
            Some(_) => return None,
        };
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~%".contains(&b) || b >= 0x80;
        let is_host = if is_v6 { is_ip(host, IpAddr::is_ipv6) } else { host.bytes().all(plain) };
        (is_host && !host.is_empty()).then_some(Self { host, port, is_v6 })
    }

    fn is_loopback(&self) -> bool {
        is_ip(self.host, |ip| ip.is_ipv6() == self.is_v6 && ip.to_canonical().is_loopback())
    }
}

fn is_ip(text: &str, holds: impl Fn(&IpAddr) -> bool) -> bool {
    text.parse().is_ok_and(|ip| holds(&ip))
}

/// Browsers and resolvers never send names under `localhost` anywhere else (RFC 6761 §6.3).
fn is_localhost(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost") && !host.starts_with('.')
}

fn is_scheme(text: &str) -> bool {
    text.bytes().next().is_some_and(|b| b.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
}

/// A value from a stranger, fit to be shown: short and without control characters.
fn excerpt(value: &str) -> String {
    value.chars().take(limits::EXCERPT_CHARS_MAX).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: OriginPolicy = OriginPolicy::SameOrigin;

    #[test]
    fn a_loopback_listener_answers_for_localhost_and_loopback_addresses() {
        for host in [
            "localhost",
            "localhost:8765",
            "LocalHost:1",
            "localhost.",
            "localhost.:80",
            "a.localhost",
            "a.b.LOCALHOST:9",
            "127.0.0.1",
            "127.0.0.1:5678",
            "127.9.8.7",
            "[::1]",
            "[::1]:5678",
            "[::ffff:127.0.0.1]:80",
            "localhost:",
        ] {
            assert_eq!(check_host(Some(host), &[]), Ok(()), "{host}");
        }
    }

    #[test]
    fn a_loopback_listener_refuses_every_other_host() {
        for host in [
            "",
            ":80",
            "example.org",
            "example.org:5678",
            "localhost.example.org",
            "notlocalhost",
            ".localhost",
            "..localhost",
            "127.0.0.1.example.org",
            "127.0.0.1.",
            "10.0.0.1",
            "0.0.0.0",
            "[::]",
            "[::2]:80",
            "::1",
            "[127.0.0.1]",
            "[::1",
            "[::1]x",
            "localhost:x",
            "localhost:99999",
            "localhost:+80",
            "user@localhost",
            "localhost/",
            "localhost localhost",
            "localhost,evil",
        ] {
            let refused = check_host(Some(host), &[]).expect_err(host);
            assert_eq!(refused.status(), 421, "{host}");
            assert!(refused.to_string().contains(host), "{refused}");
        }
        assert_eq!(check_host(None, &[]), Err(Refused::Host(String::new())));
    }

    #[test]
    fn what_is_no_host_is_refused_before_anybody_asks_whose_it_is() {
        for host in ["", ":80", "[::1", "::1", "localhost:x", "user@localhost", "localhost/", "a b"]
        {
            let refused = check_host_form(Some(host), true).expect_err(host);
            assert_eq!(refused.status(), 400, "{host}");
            assert!(refused.to_string().contains(host), "{refused}");
        }
        for host in ["localhost", "evil.example:80", "[::2]", "10.0.0.1:", "a_b"] {
            assert_eq!(check_host_form(Some(host), true), Ok(()), "{host}");
        }
        assert_eq!(check_host_form(None, true), Err(Refused::NoHost));
        assert_eq!(check_host_form(None, false), Ok(()), "older clients need not send one");
    }

    #[test]
    fn a_configured_name_is_answered_on_any_port_and_in_any_case() {
        let names = ["feed.example".to_owned()];
        for host in ["feed.example", "Feed.Example:8080", "feed.example."] {
            assert_eq!(check_host(Some(host), &names), Ok(()), "{host}");
        }
        assert!(check_host(Some("other.example"), &names).is_err());
        assert!(check_host(Some("a.feed.example"), &names).is_err());
    }

    #[test]
    fn a_program_that_is_not_a_browser_sends_no_origin_and_is_let_in() {
        assert_eq!(check_origin(None, Some("localhost"), false, POLICY, &[]), Ok(()));
        assert_eq!(check_origin(None, None, false, POLICY, &[]), Ok(()));
    }

    #[test]
    fn a_page_of_the_same_host_and_port_is_let_in() {
        for (origin, host) in [
            ("http://127.0.0.1:5678", "127.0.0.1:5678"),
            ("http://localhost:5678", "LOCALHOST:5678"),
            ("http://localhost", "localhost:80"),
            ("http://localhost:80", "localhost"),
            ("https://feed.example", "feed.example"),
            ("https://feed.example", "feed.example:443"),
            ("http://[::1]:5678", "[::1]:5678"),
            ("HTTP://a.example", "a.example"),
        ] {
            assert_eq!(
                check_origin(Some(origin), Some(host), false, POLICY, &[]),
                Ok(()),
                "{origin} {host}"
            );
        }
    }

    #[test]
    fn a_foreign_page_is_refused_unless_any_may_read() {
        for (origin, host) in [
            ("http://localhost:5679", "localhost:5678"),
            ("http://127.0.0.1:5678", "localhost:5678"),
            ("https://localhost:5678", "localhost"),
            ("http://feed.example", "feed.example:443"),
            ("http://example.org", "localhost:5678"),
            ("file://", "localhost"),
            ("null", "localhost"),
            ("null", "null"),
            ("", ""),
            ("ftp://localhost", "localhost"),
            ("http://localhost:5678/", "localhost:5678"),
            ("http://localhost:5678@example.org", "localhost:5678"),
        ] {
            let refused =
                check_origin(Some(origin), Some(host), false, POLICY, &[]).expect_err(origin);
            assert_eq!(refused.status(), 403, "{origin}");
            assert!(refused.to_string().contains(origin), "{refused}");
            let open = check_origin(Some(origin), Some(host), false, OriginPolicy::AnyMayRead, &[]);
            assert_eq!(open, Ok(()), "{origin}");
        }
        assert!(check_origin(Some("http://localhost"), None, false, POLICY, &[]).is_err());
    }

    #[test]
    fn a_page_that_came_without_tls_is_foreign_where_tls_is_spoken() {
        let check = |origin, host| check_origin(Some(origin), Some(host), true, POLICY, &[]);
        for (origin, host) in [
            ("https://localhost:5678", "localhost:5678"),
            ("https://feed.example", "feed.example"),
            ("https://feed.example", "feed.example:443"),
            ("https://[::1]:5678", "[::1]:5678"),
        ] {
            assert_eq!(check(origin, host), Ok(()), "{origin} {host}");
        }
        for (origin, host) in [
            ("http://localhost:5678", "localhost:5678"),
            ("http://feed.example", "feed.example"),
            ("https://localhost:5679", "localhost:5678"),
            ("null", "localhost:5678"),
        ] {
            assert!(check(origin, host).is_err(), "{origin} {host}");
        }
    }

    #[test]
    fn a_named_origin_is_let_in_and_no_other() {
        let allowed: Vec<AllowedOrigin> =
            ["https://Example.org/", "null"].map(|text| text.parse().expect(text)).to_vec();
        for origin in ["https://example.org", "null"] {
            assert_eq!(
                check_origin(Some(origin), Some("localhost"), false, POLICY, &allowed),
                Ok(())
            );
        }
        for origin in ["http://example.org", "https://example.org:444", "https://a.example.org"] {
            assert!(
                check_origin(Some(origin), Some("localhost"), false, POLICY, &allowed).is_err()
            );
        }
        let any = [AllowedOrigin::Any];
        assert_eq!(
            check_origin(Some("http://x.example"), Some("localhost"), false, POLICY, &any),
            Ok(())
        );
    }

    #[test]
    fn what_is_not_an_origin_is_refused_with_the_value() {
        for text in
            ["", "example.org", "https://", "://a", "https://a/b", "https://a b", "**", "1a://b"]
        {
            let error = text.parse::<AllowedOrigin>().expect_err(text);
            assert!(error.to_string().contains(&format!("'{text}'")), "{error}");
        }
    }

    #[test]
    fn a_refusal_shows_strangers_values_short_and_without_control_characters() {
        let host = format!("\u{1b}[31m{}", "x".repeat(10_000));
        let refused = check_host(Some(&host), &[]).expect_err("not a host").to_string();
        assert!(refused.len() < 1_000 && !refused.contains('\u{1b}'), "{refused}");
    }
}
