//! Every close code that enchufe sends or names, each with what a client should do about it.
//!
//! One file, so that a client's rule for reconnecting can be read off it. Codes up to 2999 are
//! RFC 6455's (§7.4.1); those from 4000 on are enchufe's own.

use super::CloseCode;

impl CloseCode {
    /// The purpose of the connection is fulfilled. Do not reconnect by yourself.
    pub const NORMAL: Self = Self(1000);
    /// The server ends or the page is left. Reconnect, after a random pause; where the reason is a
    /// position, resume after it.
    pub const GOING_AWAY: Self = Self(1001);
    /// What was received is not the WebSocket protocol. Do not reconnect: mend the program.
    pub const PROTOCOL: Self = Self(1002);
    /// A kind of message that the receiver cannot take, such as binary where text is meant. Do not
    /// reconnect: send the other kind.
    pub const UNSUPPORTED: Self = Self(1003);
    /// A message whose contents are not of its kind: text that is not UTF-8. Do not reconnect.
    pub const INVALID_PAYLOAD: Self = Self(1007);
    /// A message against the rules of the receiver, which have no code of their own. Do not
    /// reconnect.
    pub const POLICY: Self = Self(1008);
    /// A message longer than the receiver takes. Reconnect only to send shorter ones.
    pub const TOO_BIG: Self = Self(1009);
    /// The server met an error of its own. Reconnect after a pause that grows.
    pub const INTERNAL: Self = Self(1011);

    /// The server has too much to do at the moment. Reconnect after a pause that grows.
    pub const TRY_AGAIN_LATER: Self = Self(1013);

    /// The channel has ended: nothing more will come. The reason is the last position. Do not
    /// reconnect; the history can still be read.
    pub const ENDED: Self = Self(4000);
    /// The client read too slowly and its channel cuts the slow. Reconnect with `since=` and the
    /// reason, which is the position to resume after: nothing is lost that the history still has.
    pub const SLOW: Self = Self(4001);
    /// Messages are missing for this raw reader, who cannot be told of it in the stream. The reason
    /// is the position to resume after. Reconnect with `since=` and the reason, or better in a wire
    /// form that tells of gaps.
    pub const GAP: Self = Self(4002);
    /// The client sent a message on a channel that it may only read. Reconnect only to read; publish
    /// with a POST.
    pub const READ_ONLY: Self = Self(4003);
    /// The client sent something that is not a request of its subprotocol. Do not reconnect: mend
    /// the program. The reason says what was wrong.
    pub const BAD_REQUEST: Self = Self(4004);
    /// There is no channel of that name. Do not reconnect; list the channels and choose one.
    pub const UNKNOWN_CHANNEL: Self = Self(4005);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_named_code_may_be_sent() {
        for code in [
            CloseCode::NORMAL,
            CloseCode::GOING_AWAY,
            CloseCode::PROTOCOL,
            CloseCode::UNSUPPORTED,
            CloseCode::INVALID_PAYLOAD,
            CloseCode::POLICY,
            CloseCode::TOO_BIG,
            CloseCode::INTERNAL,
            CloseCode::ENDED,
            CloseCode::SLOW,
            CloseCode::GAP,
            CloseCode::READ_ONLY,
            CloseCode::BAD_REQUEST,
            CloseCode::UNKNOWN_CHANNEL,
        ] {
            assert_eq!(CloseCode::new(code.number()), Ok(code));
        }
    }
}
