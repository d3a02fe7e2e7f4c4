//! Every close code that enchufe sends or names, each with what a client should do about it.
//!
//! One file, so that a client's rule for reconnecting can be read off it. Codes up to 2999 are
//! RFC 6455's (§7.4.1); those from 4000 on are enchufe's own. The codes of requests that are refused
//! are in `core/src/codes.rs`.

use super::CloseCode;

macro_rules! close_codes {
    ($($(#[doc = $meaning:literal])+ $name:ident = $number:literal: $advice:literal,)+) => {
        impl CloseCode {
            $($(#[doc = $meaning])+ pub const $name: Self = Self($number);)+

            /// All that have a name, in the order of their numbers.
            pub const NAMED: &[Self] = &[$(Self::$name,)+];

            /// What a client should do that is told this code; nothing is known of a code without a
            /// name.
            pub fn advice(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some($advice),)+
                    _ => None,
                }
            }
        }
    };
}

close_codes! {
    /// The purpose of the connection is fulfilled. Do not reconnect by yourself.
    NORMAL = 1000: "Nothing.",
    /// The server ends or the page is left. Reconnect, after a random pause; where the reason is a
    /// position, resume after it.
    GOING_AWAY = 1001: "Reconnect after a random pause, with `since=` and the reason if it is a position.",
    /// What was received is not the WebSocket protocol. Do not reconnect: mend the program.
    PROTOCOL = 1002: "Mend the client.",
    /// A kind of message that the receiver cannot take, such as binary where text is meant. Do not
    /// reconnect: send the other kind.
    UNSUPPORTED = 1003: "Send text.",
    /// A message whose contents are not of its kind: text that is not UTF-8. Do not reconnect.
    INVALID_PAYLOAD = 1007: "Mend the client.",
    /// A message against the rules of the receiver, which have no code of their own. Do not
    /// reconnect.
    POLICY = 1008: "Mend the client.",
    /// A message longer than the receiver takes. Reconnect only to send shorter ones.
    TOO_BIG = 1009: "Send shorter messages.",
    /// The server met an error of its own. Reconnect after a pause that grows.
    INTERNAL = 1011: "Reconnect after a pause that grows.",
    /// The server has too much to do at the moment. Reconnect after a pause that grows.
    TRY_AGAIN_LATER = 1013: "Reconnect after a pause that grows.",
    /// The channel has ended: nothing more will come. The reason is the last position. Do not
    /// reconnect; the history can still be read.
    ENDED = 4000: "Stop; the history can still be read.",
    /// The client read too slowly and its channel cuts the slow. Reconnect with `since=` and the
    /// reason, which is the position to resume after: nothing is lost that the history still has.
    SLOW = 4001: "Reconnect with `since=` and the reason.",
    /// Messages are missing for this raw reader, who cannot be told of it in the stream. The reason
    /// is the position to resume after. Reconnect with `since=` and the reason, or better in a wire
    /// form that tells of gaps.
    GAP = 4002: "Reconnect with `since=` and the reason, or in a form that tells gaps.",
    /// The client sent a message on a channel that it may only read. Reconnect only to read; publish
    /// with a POST.
    READ_ONLY = 4003: "Reconnect to read; publish with a POST or over `enchufe.v1`.",
    /// The client sent something that is not a request of its subprotocol. Do not reconnect: mend
    /// the program. The reason says what was wrong.
    BAD_REQUEST = 4004: "Mend the client.",
    /// There is no channel of that name. Do not reconnect; list the channels and choose one.
    UNKNOWN_CHANNEL = 4005: "List the channels and choose one.",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_named_code_may_be_sent_and_says_what_to_do() {
        for &code in CloseCode::NAMED {
            assert_eq!(CloseCode::new(code.number()), Ok(code));
            assert!(code.advice().is_some_and(|advice| !advice.is_empty()), "{code}");
        }
        assert!(CloseCode::NAMED.is_sorted_by_key(|code| code.number()));
        assert_eq!(CloseCode::new(4999).expect("it may be sent").advice(), None);
    }
}
