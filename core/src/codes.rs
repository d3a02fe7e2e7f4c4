//! Every error code that a request or a command is refused with, each with what a client should do.
//!
//! One file, so that a client's rules can be read off it: the same code means the same over HTTP
//! and over `enchufe.v1`. The codes of closed WebSockets are in `ws/codes.rs`.

use std::fmt;

use serde::{Serialize, Serializer};

macro_rules! error_codes {
    ($($(#[doc = $meaning:literal])+ $name:ident = $text:literal: $advice:literal,)+) => {
        /// Why something is refused: a stable word for programs.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $($(#[doc = $meaning])+ $name,)+
        }

        impl ErrorCode {
            /// All of them, in the order of their words.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The word.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }

            /// What a client should do.
            pub const fn advice(self) -> &'static str {
                match self {
                    $(Self::$name => $advice,)+
                }
            }
        }
    };
}

error_codes! {
    /// The connection reads the channel already.
    AlreadySubscribed = "already_subscribed": "Nothing, or unsubscribe first.",
    /// A line of the batch is not JSON, or the batch is not text.
    BadBatch = "bad_batch": "Mend the client.",
    /// The body broke off.
    BadBody = "bad_body": "Send it again, with the same key.",
    /// What stands there names no channel.
    BadChannel = "bad_channel": "Use another name.",
    /// The message is not one of the commands.
    BadCommand = "bad_command": "Mend the client.",
    /// Not an upgrade to a WebSocket that is spoken here.
    BadHandshake = "bad_handshake": "Mend the client.",
    /// The `Host` is missing, repeated or none.
    BadHost = "bad_host": "Mend the client.",
    /// The idempotency key is empty or too long.
    BadKey = "bad_key": "Use a key of 1 to 128 bytes.",
    /// The number of messages or channels that was asked for is none.
    BadLimit = "bad_limit": "Ask for 1 to 1000.",
    /// The method is not understood there.
    BadMethod = "bad_method": "Use one that Allow names.",
    /// What is asked of who reads is none of what can be asked, or cannot be told in that form.
    BadPresence = "bad_presence": "Use ?presence, or ?presence=events with a stream.",
    /// The place to begin is none.
    BadSince = "bad_since": "Use a position, all, now, last:N or an age such as -10m.",
    /// The policy for slow readers is none.
    BadSlow = "bad_slow": "Use skip, latest, cut or block.",
    /// More messages than one batch may have.
    BatchTooLong = "batch_too_long": "Send several batches.",
    /// The body did not come in time.
    BodyTimeout = "body_timeout": "Send it again, with the same key.",
    /// The body is longer than one may be.
    BodyTooLarge = "body_too_large": "Send less at once.",
    /// The connection is closing.
    Closing = "closing": "Reconnect.",
    /// There is nothing to publish.
    EmptyBatch = "empty_batch": "Nothing.",
    /// The channel has ended and takes no more.
    Ended = "ended": "Stop; the history can still be read.",
    /// The page that asks is of another origin.
    ForeignOrigin = "foreign_origin": "Have the server allow the origin.",
    /// As many viewers as there may be are here.
    Full = "full": "Try again after a pause that grows.",
    /// The messages of the channel are made up by the server alone.
    Generated = "generated": "Publish to another channel.",
    /// The idempotency key was used for something else.
    KeyReused = "key_reused": "Use a new key for a new message.",
    /// The message is longer than one may be.
    MessageTooLarge = "message_too_large": "Send several messages.",
    /// The metrics are for programs on the server's machine.
    MetricsLoopback = "metrics_loopback": "Ask from there, or have the server allow it.",
    /// The server has no metrics for anybody.
    MetricsOff = "metrics_off": "Have the server allow it.",
    /// The `Host` is not one of this server's.
    Misdirected = "misdirected": "Use a name that the server answers to.",
    /// The channel does not tell who reads it.
    NoPresence = "no_presence": "Do without.",
    /// None of the forms that are accepted exists.
    NotAcceptable = "not_acceptable": "Accept one of the forms.",
    /// There is nothing at the path.
    NotFound = "not_found": "Use another path.",
    /// The connection does not read the channel.
    NotSubscribed = "not_subscribed": "Nothing.",
    /// A header that may come once came more than once.
    RepeatedHeader = "repeated_header": "Mend the client.",
    /// The channel does not allow this choice to its readers, or not without authority.
    SlowNotAllowed = "slow_not_allowed": "Read without a choice of your own.",
    /// The client does not read what it is answered.
    Stuck = "stuck": "Read the answers.",
    /// The channel would have been made, were there not as many as there may be.
    TooManyChannels = "too_many_channels": "Try again after a pause that grows.",
    /// The connection reads as many channels as one may.
    TooManySubscriptions = "too_many_subscriptions": "Open another connection.",
    /// The authority is missing or wrong.
    Unauthorized = "unauthorized": "Send the token.",
    /// There is no channel of that name.
    UnknownChannel = "unknown_channel": "List the channels and choose one.",
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_is_a_word_of_its_own_and_they_are_in_order() {
        let words: Vec<&str> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        assert!(words.is_sorted_by(|one, next| one < next), "{words:?}");
        for word in words {
            assert!(word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{word}");
        }
    }
}
