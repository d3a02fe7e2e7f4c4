//! What a source's messages must be, where somebody relies on it.

use enchufe_core::Message;
use serde::de::IgnoredAny;

use crate::{limits, transport::Throttle};

/// What every message of a source must be. One that is not is left out, counted and logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Check {
    /// Anything.
    #[default]
    None,
    /// One JSON value (RFC 8259).
    Json,
    /// One finite decimal number, with blanks around it or none: `7`, `-3.5`, `1e3`.
    Number,
}

impl Check {
    /// What it is called in configurations and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Json => "json",
            Self::Number => "number",
        }
    }

    /// Whether a message is what it must be.
    pub fn allows(self, payload: &[u8]) -> bool {
        match self {
            Self::None => true,
            // What is skipped over is not looked at: whether it is text has to be asked first.
            Self::Json => std::str::from_utf8(payload)
                .is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok()),
            Self::Number => is_number(payload.trim_ascii()),
        }
    }
}

fn is_number(text: &[u8]) -> bool {
    // What Rust reads as a float besides: infinity, nan.
    let is_plain = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
    let number = std::str::from_utf8(text).ok().filter(|_| text.iter().all(is_plain));
    number.and_then(|text| text.parse::<f64>().ok()).is_some_and(f64::is_finite)
}

/// Lets messages through that pass a check, and accounts for the others.
#[derive(Debug, Default)]
pub(super) struct Gate {
    check: Check,
    left_out: u64,
    throttle: Throttle,
}

impl Gate {
    pub(super) fn new(check: Check) -> Self {
        Self { check, ..Self::default() }
    }

    /// How many messages were left out.
    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Whether the message is to be published. The first that is not is logged at once, and those
    /// that follow closely are counted with the next.
    pub(super) fn passes(&mut self, message: &Message) -> bool {
        if self.check.allows(&message.payload) {
            return true;
        }
        self.left_out += 1;
        if self.throttle.warn().is_some() {
            let (check, left_out) = (self.check.name(), self.left_out);
            let excerpt = excerpt(&message.payload);
            tracing::warn!(check, left_out, excerpt, "a message fails the check and is left out");
        }
        false
    }

    /// Says how many were left out in all, once there will be no more.
    pub(super) fn settle(&self) {
        if self.left_out > 0 {
            let (check, left_out) = (self.check.name(), self.left_out);
            tracing::warn!(check, left_out, "messages failed the check and were left out, in all");
        }
    }
}

/// The beginning of a message, with what could drive a terminal or forge a line escaped.
pub(super) fn excerpt(payload: &[u8]) -> String {
    // No character is longer than four bytes.
    let beginning = &payload[..payload.len().min(4 * limits::EXCERPT_CHARS_MAX)];
    let text = String::from_utf8_lossy(beginning);
    let shown: String = text.chars().take(limits::EXCERPT_CHARS_MAX).collect();
    shown.escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_one_whole_value() {
        for text in ["{}", "[1, 2]", "\"a\"", "7", " null ", "{\"a\":{\"b\":[]}}"] {
            assert!(Check::Json.allows(text.as_bytes()), "{text}");
        }
        let deep = "[".repeat(100_000);
        for text in ["", "{", "{} {}", "hola", "'a'", "{\"a\":}", "\u{feff}{}", "\"\x01\"", &deep] {
            assert!(!Check::Json.allows(text.as_bytes()), "{}", excerpt(text.as_bytes()));
        }
        assert!(!Check::Json.allows(b"\"\xff\""));
    }

    #[test]
    fn a_number_is_finite_and_decimal() {
        for text in ["7", "-3.5", "+1", "1e3", ".5", " 2\t"] {
            assert!(Check::Number.allows(text.as_bytes()), "{text}");
        }
        for text in ["", " ", "x", "7x", "inf", "nan", "0x10", "1e999", "1,5", "1 2", "-", "e"] {
            assert!(!Check::Number.allows(text.as_bytes()), "{text}");
        }
        assert!(!Check::Number.allows(b"\xff"));
    }

    #[test]
    fn anything_passes_where_nothing_is_asked() {
        assert!(Check::None.allows(b"\xff\x00"));
    }

    #[tokio::test]
    async fn what_fails_is_counted() {
        let mut gate = Gate::new(Check::Number);
        let passed: Vec<bool> =
            ["1", "uno", "2", ""].map(|text| gate.passes(&Message::text(text))).into();
        assert_eq!((passed, gate.left_out()), (vec![true, false, true, false], 2));
    }

    #[test]
    fn an_excerpt_is_short_and_cannot_forge_a_line() {
        assert_eq!(excerpt(b"a\nb\x1b[2J"), "a\\nb\\u{1b}[2J");
        let long = "ñ".repeat(10 * limits::EXCERPT_CHARS_MAX);
        assert_eq!(excerpt(long.as_bytes()).chars().count(), limits::EXCERPT_CHARS_MAX);
    }
}
