//! Why a connection is closed: the code and the words of a Close frame (RFC 6455 §5.5.1, §7.4).

use std::fmt;

/// A close code that may stand in a Close frame. The codes that have a name are in `codes.rs`,
/// each with what a client should do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CloseCode(pub(super) u16);

impl CloseCode {
    /// A code as it came from a peer or from a user.
    ///
    /// # Errors
    ///
    /// When the code must not be sent: below 1000, reserved (1004, 1005, 1006, 1015), not assigned
    /// (1016–2999), or above 4999 (RFC 6455 §7.4; 1012–1014 are in IANA's registry).
    pub fn new(code: u16) -> Result<Self, InvalidCloseCode> {
        match code {
            1000..=1003 | 1007..=1014 | 3000..=4999 => Ok(Self(code)),
            _ => Err(InvalidCloseCode(code)),
        }
    }

    /// The number on the wire.
    pub fn number(self) -> u16 {
        self.0
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<CloseCode> for u16 {
    fn from(code: CloseCode) -> Self {
        code.0
    }
}

/// The number may not stand in a Close frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} cannot be sent as a close code: use 1000–1003, 1007–1014 or 3000–4999")]
pub struct InvalidCloseCode(pub u16);

/// What a Close frame says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseReason {
    /// Why, for programs.
    pub code: CloseCode,
    /// Why, for people, or what the code's own rule says; may be empty. At most
    /// [`CloseReason::TEXT_BYTES_MAX`] bytes of it are sent.
    pub reason: String,
}

impl CloseReason {
    /// The longest text a Close frame can carry, in bytes: a control frame's 125 less the code's 2.
    pub const TEXT_BYTES_MAX: usize = 123;

    /// A reason whose text is cut, where it must be, at the end of a character.
    pub fn new(code: CloseCode, reason: impl Into<String>) -> Self {
        let mut reason = reason.into();
        reason.truncate(reason.floor_char_boundary(Self::TEXT_BYTES_MAX));
        Self { code, reason }
    }

    /// As much of the text as a Close frame can carry, also when the field was written to.
    pub(super) fn sendable_text(&self) -> &str {
        &self.reason[..self.reason.floor_char_boundary(Self::TEXT_BYTES_MAX)]
    }
}

impl fmt::Display for CloseReason {
    /// The code, and the text with its control characters escaped: it comes from a peer.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if !self.reason.is_empty() {
            write!(f, " {:?}", self.reason)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_codes_that_may_be_sent_are_codes() {
        let valid = |code: u16| CloseCode::new(code).is_ok();
        for code in [1000, 1001, 1002, 1003, 1007, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999] {
            assert!(valid(code), "{code}");
        }
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535] {
            assert!(!valid(code), "{code}");
        }
    }

    #[test]
    fn a_code_is_its_number() {
        let code = CloseCode::new(4000).expect("it is enchufe's own");
        assert_eq!((u16::from(code), code.number(), code.to_string()), (4000, 4000, "4000".into()));
    }

    #[test]
    fn a_refused_code_is_named() {
        let error = CloseCode::new(1006).expect_err("1006 is never sent");
        assert!(error.to_string().contains("1006"), "{error}");
    }

    #[test]
    fn a_reason_of_123_bytes_is_whole_and_one_more_is_cut() {
        let whole = "x".repeat(123);
        assert_eq!(CloseReason::new(CloseCode::NORMAL, whole.clone()).reason, whole);
        assert_eq!(CloseReason::new(CloseCode::NORMAL, "x".repeat(124)).reason, whole);
    }

    #[test]
    fn a_reason_is_cut_at_the_end_of_a_character() {
        let reason = CloseReason::new(CloseCode::NORMAL, "x".to_owned() + &"ñ".repeat(62));
        assert_eq!(reason.reason.len(), 123);
        let reason = CloseReason::new(CloseCode::NORMAL, "ñ".repeat(62));
        assert_eq!(reason.reason, "ñ".repeat(61));
    }

    #[test]
    fn a_reason_shown_cannot_forge_a_line() {
        let reason = CloseReason::new(CloseCode::NORMAL, "bye\n\u{1b}[2J");
        assert_eq!(reason.to_string(), r#"1000 "bye\n\u{1b}[2J""#);
    }
}
