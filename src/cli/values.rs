//! The small values of the command line: a time, a count, a number of bytes.
//!
//! Each is parsed once, here or, what files have too, in the configuration, and is right from then on.

use std::{
    error::Error,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use enchufe_core::ws::{CloseCode, CloseReason, handshake};
use regex::bytes::Regex;

use super::language::Language;
pub(crate) use crate::config::values::TIME_MAX;
use crate::{
    config::values,
    core::Since,
    guard::ParseOriginError,
    limits::{FLUSH_WINDOW_MAX, INTERVAL_MAX},
    service::ParseGreetingError,
    source::{Numbers, ParseIntervalError},
    transport::{
        TcpKeepalive,
        ws::{HeaderError, Keepalive},
    },
};

/// Why a value was not understood. The catalogue has the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ValueError {
    /// Expected a time.
    #[error("expected a time such as 1, 0.5, 500ms, 30s, 5m or 1h, at most a year")]
    Time,
    /// Expected one time or two.
    #[error("expected a time or a range of up to a day, such as 500ms or 0..3s")]
    Interval,
    /// Expected two whole numbers.
    #[error("expected whole numbers as FROM..TO, both included, such as 0..9")]
    Range,
    /// Expected a number of bytes.
    #[error("expected a number of bytes above 0, such as 65536, 64K, 64KiB, 1M or 1G")]
    Bytes,
    /// Expected a count.
    #[error("expected a whole number above 0")]
    Count,
    /// Expected a place to begin.
    #[error("expected a position, all, now, last:N or an age such as -10m")]
    Since,
    /// Expected a rate.
    #[error("expected a number of messages a second of 0.001 to 1e9, such as 500 or 0.5")]
    Rate,
    /// Expected an origin.
    #[error("expected SCHEME://HOST[:PORT], null or *")]
    Origin,
    /// Expected a greeting.
    #[error("expected one short line with {{name}} where the name goes")]
    Greeting,
    /// Expected the first of three ports.
    #[error("expected a port up to 65533, the first of three, or 0 for free ones")]
    PortBase,
    /// Expected a header field.
    #[error("{0}")]
    Header(HeaderError),
    /// Expected a time, or never.
    #[error("expected a time such as 500ms, 20s or 5m, at most a day, or never")]
    PingInterval,
    /// Expected a time for which messages wait for others.
    #[error("expected a time such as 5ms or 0.1s, at most a second, or 0")]
    FlushWindow,
    /// Expected a close code, and perhaps a reason.
    #[error(
        "expected CODE or CODE:REASON, a code of 1000–1003, 1007–1014 or 3000–4999 and at most \
         123 bytes of a reason"
    )]
    Close,
    /// Expected a regular expression.
    #[error("expected a regular expression, such as 'Hola .*!' or '^[0-9]+$'")]
    Pattern,
    /// Expected a factor.
    #[error("expected a number above 0, such as 2 or 0.5, or max")]
    Speed,
    /// Expected a name and a value.
    #[error("expected NAME=VALUE, the value may be empty")]
    Variable,
    /// Expected a time in which a peer that has gone can be missed.
    #[error("expected a time such as 30s, 5m or 2h, of at least 4 seconds and at most 12 hours")]
    Keepalive,
    /// Expected an address of this machine.
    #[error(
        "expected an IP address and perhaps a port, such as 192.0.2.1, 192.0.2.1:5000 or [::1]:5000"
    )]
    LocalAddress,
    /// Expected an address of this machine, without a port.
    #[error("expected an IP address of this machine, such as 127.0.0.2 or ::1")]
    Ip,
    /// Expected a language that the program speaks.
    #[error("use en or es")]
    Language,
    /// Expected the name of a subprotocol.
    #[error("expected one name of letters, digits and any of !#$%&'*+-.^_`|~")]
    Protocol,
}

impl ValueError {
    /// What a parser of ours, here or in the library, found wrong.
    pub(crate) fn of(error: &(dyn Error + 'static)) -> Option<Self> {
        match error.downcast_ref() {
            Some(own) => Some(*own),
            None if error.is::<ParseIntervalError>() => Some(Self::Interval),
            None if error.is::<ParseOriginError>() => Some(Self::Origin),
            None if error.is::<ParseGreetingError>() => Some(Self::Greeting),
            None => error.downcast_ref().map(|error| Self::Header(*error)),
        }
    }
}

/// Text → a time: seconds, or a number with `ms`, `s`, `m` or `h`.
pub(crate) fn time(text: &str) -> Result<Duration, ValueError> {
    values::time(text).map_err(|_| ValueError::Time)
}

/// Text → a number of messages a second.
pub(crate) fn rate(text: &str) -> Result<f64, ValueError> {
    text.parse().ok().filter(|rate| (1e-3..=1e9).contains(rate)).ok_or(ValueError::Rate)
}

/// Text → where to begin.
pub(crate) fn since(text: &str) -> Result<Since, ValueError> {
    text.parse().map_err(|_| ValueError::Since)
}

/// Text → numbers: both ends are included, as in the tutorial, with or without Rust's `=`.
pub(crate) fn range(text: &str) -> Result<Numbers, ValueError> {
    values::range(text).map_err(|_| ValueError::Range)
}

/// Text → a number of bytes; `K`, `M` and `G` are powers of 1024, and so are `KiB`, `MiB`, `GiB`.
pub(crate) fn bytes(text: &str) -> Result<usize, ValueError> {
    values::bytes(text).map_err(|_| ValueError::Bytes)
}

/// How often a peer is pinged, if at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PingInterval(pub(crate) Option<Keepalive>);

/// Text → how often a peer is pinged: a time, or `never`, or 0, which is never. It is gone after
/// three times that.
pub(crate) fn ping_interval(text: &str) -> Result<PingInterval, ValueError> {
    let interval = match text {
        "never" => Duration::ZERO,
        _ => time(text).map_err(|_| ValueError::PingInterval)?,
    };
    if interval > INTERVAL_MAX {
        return Err(ValueError::PingInterval);
    }
    let keepalive = Keepalive { ping_interval: interval, dead_after: interval * 3 };
    Ok(PingInterval((!interval.is_zero()).then_some(keepalive)))
}

/// Text → how long a message may wait for others.
pub(crate) fn flush_window(text: &str) -> Result<Duration, ValueError> {
    let window = time(text).ok().filter(|window| *window <= FLUSH_WINDOW_MAX);
    window.ok_or(ValueError::FlushWindow)
}

/// Text → how a silent peer is asked whether it is there, so that its end is known within a time.
pub(crate) fn keepalive(text: &str) -> Result<TcpKeepalive, ValueError> {
    let within = time(text).map_err(|_| ValueError::Keepalive)?;
    TcpKeepalive::within(within).ok_or(ValueError::Keepalive)
}

/// Text → an address to connect from, with port 0 when the text has none.
pub(crate) fn local_address(text: &str) -> Result<SocketAddr, ValueError> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse::<IpAddr>().map(|address| SocketAddr::new(address, 0));
    address.or_else(|_| text.parse()).map_err(|_| ValueError::LocalAddress)
}

/// Text → an address to connect from, without a port.
pub(crate) fn ip(text: &str) -> Result<IpAddr, ValueError> {
    text.parse().map_err(|_| ValueError::Ip)
}

/// Text → the same, if it names a language that is spoken, as in [`Language::of_tag`], or none.
pub(crate) fn language(text: &str) -> Result<String, ValueError> {
    let is_known = text.is_empty() || Language::of_tag(text).is_some();
    is_known.then(|| text.to_owned()).ok_or(ValueError::Language)
}

/// Text → what to close with: a code, or a code, a colon and a reason.
pub(crate) fn close(text: &str) -> Result<CloseReason, ValueError> {
    let (code, reason) = text.split_once(':').unwrap_or((text, ""));
    let code = whole(code).and_then(|code| u16::try_from(code).ok()).ok_or(ValueError::Close)?;
    let code = CloseCode::new(code).map_err(|_| ValueError::Close)?;
    if reason.len() > CloseReason::TEXT_BYTES_MAX {
        return Err(ValueError::Close);
    }
    Ok(CloseReason::new(code, reason))
}

/// What is looked for in a message.
#[derive(Debug, Clone)]
pub(crate) struct Pattern(Regex);

impl Pattern {
    /// Whether it is anywhere in the message.
    pub(crate) fn is_in(&self, message: &[u8]) -> bool {
        self.0.is_match(message)
    }

    /// As it was typed.
    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// Text → a pattern, in the syntax of the crate `regex`.
pub(crate) fn pattern(text: &str) -> Result<Pattern, ValueError> {
    Regex::new(text).map(Pattern).map_err(|_| ValueError::Pattern)
}

/// How many times as fast a recording is replayed; `None` is without pauses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Speed(pub(crate) Option<f64>);

/// Text → a speed: a number above 0, or `max`.
pub(crate) fn speed(text: &str) -> Result<Speed, ValueError> {
    if text == "max" {
        return Ok(Speed(None));
    }
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let factor: Option<f64> = text.parse().ok().filter(|_| plain);
    factor.filter(|factor| *factor > 0.0).map(|factor| Speed(Some(factor))).ok_or(ValueError::Speed)
}

/// The name of a subprotocol: a token (RFC 6455 §4.1).
pub(crate) fn protocol(text: &str) -> Result<String, ValueError> {
    handshake::is_token(text).then(|| text.to_owned()).ok_or(ValueError::Protocol)
}

/// Text → the name and the value of an environment variable: `NAME=VALUE`.
pub(crate) fn variable(text: &str) -> Result<(String, String), ValueError> {
    let (name, value) = text.split_once('=').ok_or(ValueError::Variable)?;
    let is_usable = !name.is_empty() && !text.contains('\0');
    is_usable.then(|| (name.to_owned(), value.to_owned())).ok_or(ValueError::Variable)
}

/// Text → a count of at least one.
pub(crate) fn count(text: &str) -> Result<u32, ValueError> {
    values::count(text).map_err(|_| ValueError::Count)
}

/// Text → the first of three neighbouring ports, or 0, which stands for free ones.
pub(crate) fn port_base(text: &str) -> Result<u16, ValueError> {
    let port = whole(text).and_then(|port| u16::try_from(port).ok());
    port.filter(|port| *port <= u16::MAX - 2).ok_or(ValueError::PortBase)
}

/// Digits and nothing else: `parse` alone would take `+1`.
fn whole(text: &str) -> Option<u32> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_in_seconds_unless_it_says_otherwise() {
        assert_eq!(time("1"), Ok(Duration::from_secs(1)));
        assert_eq!(time("0.5"), Ok(Duration::from_millis(500)));
        assert_eq!(time("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(time("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(time("1h"), Ok(Duration::from_secs(3600)));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "s", "-1", "+1", "1x", "1e3", "inf", "NaN", "1 s", "99999h", "1.2.3", "ñ"]
        {
            assert_eq!(time(text), Err(ValueError::Time), "{text}");
        }
    }

    #[test]
    fn a_range_includes_both_ends() {
        assert_eq!(range("0..9").ok(), Numbers::new(0..=9));
        assert_eq!(range("0..=9").ok(), Numbers::new(0..=9));
        assert_eq!(range("-5..-5").ok(), Numbers::new(-5..=-5));
        for text in ["9..0", "7", "..", "0..9.5", "0..99999999999999999999", "0..==9"] {
            assert_eq!(range(text), Err(ValueError::Range), "{text}");
        }
    }

    #[test]
    fn a_count_is_at_least_one() {
        assert_eq!(count("1"), Ok(1));
        for text in ["0", "", "+1", "-1", "1.0", "4294967296"] {
            assert_eq!(count(text), Err(ValueError::Count), "{text}");
        }
    }

    #[test]
    fn a_variable_is_a_name_and_a_value() {
        let pair = |name: &str, value: &str| Ok((name.to_owned(), value.to_owned()));
        assert_eq!(variable("A=b=c"), pair("A", "b=c"));
        assert_eq!(variable("A="), pair("A", ""));
        for text in ["", "A", "=b"] {
            assert_eq!(variable(text), Err(ValueError::Variable), "{text}");
        }
    }

    #[test]
    fn a_port_base_leaves_room_for_two_more() {
        assert_eq!(port_base("65533"), Ok(65533));
        assert_eq!(port_base("0"), Ok(0));
        for text in ["65534", "70000", "x", ""] {
            assert_eq!(port_base(text), Err(ValueError::PortBase), "{text}");
        }
    }

    #[test]
    fn bytes_know_their_powers_of_1024() {
        assert_eq!(bytes("1048576"), Ok(1 << 20));
        assert_eq!(bytes("1M"), Ok(1 << 20));
        assert_eq!(bytes("64k"), Ok(65536));
        assert_eq!(bytes("64KiB"), Ok(65536));
        assert_eq!(bytes("1MiB"), Ok(1 << 20));
        for text in [
            "iB",
            "1iB",
            "64KB",
            "64kiB",
            "KiB",
            "0",
            "",
            "K",
            "-1",
            "1.5M",
            "99999999999999999999",
            "99999999999G",
            "1Ñ",
        ] {
            assert_eq!(bytes(text), Err(ValueError::Bytes), "{text}");
        }
    }
    #[test]
    fn a_ping_interval_of_0_is_never() {
        let interval = |text| ping_interval(text).map(|PingInterval(keepalive)| keepalive);
        let keepalive = interval("5s").expect("a time").expect("some pings");
        assert_eq!(keepalive.ping_interval, Duration::from_secs(5));
        assert_eq!(keepalive.dead_after, Duration::from_secs(15));
        for text in ["0", "0s", "never"] {
            assert_eq!(interval(text), Ok(None), "{text}");
        }
        for text in ["", "25h", "Never", "-1"] {
            assert_eq!(interval(text), Err(ValueError::PingInterval), "{text}");
        }
    }

    #[test]
    fn a_speed_is_a_factor_above_0_or_max() {
        assert_eq!(speed("2"), Ok(Speed(Some(2.0))));
        assert_eq!(speed("0.5"), Ok(Speed(Some(0.5))));
        assert_eq!(speed("max"), Ok(Speed(None)));
        for text in ["0", "0.0", "-1", "", "x", "inf", "NaN", "1e9", "2x"] {
            assert_eq!(speed(text), Err(ValueError::Speed), "{text}");
        }
    }

    #[test]
    fn a_pattern_is_looked_for_anywhere_and_knows_letters_beyond_ascii() {
        let found =
            |text, message: &str| pattern(text).expect("a pattern").is_in(message.as_bytes());
        assert!(found(r"hola \w+!", "¡hola Íñigo!"));
        assert!(found("(?i)AÑO", "año") && !found("^ab$", "abc"));
        assert!(pattern(r"(?-u)\xff").expect("a pattern").is_in(&[0xff]));
        assert_eq!(pattern("(").err(), Some(ValueError::Pattern));
    }

    #[test]
    fn a_keepalive_is_neither_shorter_nor_longer_than_systems_count() {
        assert_eq!(keepalive("1m").ok(), TcpKeepalive::within(Duration::from_secs(60)));
        for text in ["", "0", "3.9s", "13h", "soon"] {
            assert_eq!(keepalive(text), Err(ValueError::Keepalive), "{text}");
        }
    }

    #[test]
    fn a_local_address_is_an_ip_address_with_or_without_a_port() {
        for (text, address) in [
            ("127.0.0.2", "127.0.0.2:0"),
            ("127.0.0.2:5000", "127.0.0.2:5000"),
            ("::1", "[::1]:0"),
            ("[::1]", "[::1]:0"),
            ("[fe80::1%3]:5000", "[fe80::1%3]:5000"),
        ] {
            assert_eq!(local_address(text), Ok(address.parse().expect("an address")), "{text}");
        }
        for text in ["", "localhost", "127.0.0.1:", ":5000", "[127.0.0.1]:x", "1.2.3.4.5"] {
            assert_eq!(local_address(text), Err(ValueError::LocalAddress), "{text}");
        }
    }

    #[test]
    fn a_language_is_one_that_is_spoken_however_it_is_named() {
        for tag in ["en", "en_GB.UTF-8", "C.UTF-8", "es-MX", "spanish", ""] {
            assert_eq!(language(tag), Ok(tag.to_owned()), "{tag}");
        }
        for tag in ["xx", "de_DE", "english please", "-"] {
            assert_eq!(language(tag), Err(ValueError::Language), "{tag}");
        }
    }

    #[test]
    fn a_subprotocol_is_one_token() {
        for text in ["chat", "enchufe.v1", "a-b_c"] {
            assert_eq!(protocol(text), Ok(text.to_owned()));
        }
        for text in ["", "a b", "chat,v2", "ñ", "a\r\nb"] {
            assert_eq!(protocol(text), Err(ValueError::Protocol), "{text:?}");
        }
    }

    #[test]
    fn a_close_is_a_code_that_may_be_sent_and_perhaps_a_reason() {
        let close = |text| close(text).map(|reason| (reason.code.number(), reason.reason));
        assert_eq!(close("1000"), Ok((1000, String::new())));
        assert_eq!(close("4999:a: b"), Ok((4999, "a: b".to_owned())));
        let longest = format!("3000:{}", "x".repeat(123));
        assert!(close(&longest).is_ok());
        let too_long = format!("{longest}x");
        for text in
            ["", "x", ":a", "999", "1005", "1006", "1015", "2999", "5000", "+1000", &too_long]
        {
            assert_eq!(close(text), Err(ValueError::Close), "{text}");
        }
    }
}
