//! After which ends a lost connection is made again, and where it goes on.

use std::time::Duration;

use enchufe_core::{
    Position,
    ws::{CloseCode, CloseReason},
};

use crate::{address::WsAddress, cli::failure::Failure, client, transport::OpenError};

pub(super) use crate::client::Backoff;

/// Whether it may help to connect again: the network was at fault, or the server for a while.
pub(super) fn may_help(failure: &Failure) -> bool {
    match failure {
        Failure::Open(error) => client::opening_may_pass(error),
        Failure::Recv(error) => client::receiving_may_pass(error),
        Failure::Send(error) => client::sending_may_pass(error),
        Failure::Closed(reason) => client::close_may_pass(reason.code),
        _ => false,
    }
}

/// How long the server asked to be left alone.
pub(super) fn retry_after(failure: &Failure) -> Option<Duration> {
    match failure {
        Failure::Open(OpenError::Refusal { refusal, .. }) => refusal.retry_after,
        _ => None,
    }
}

/// The position that a feed asks to be resumed after, when it closes so.
pub(in crate::cli) fn position(reason: &CloseReason) -> Option<Position> {
    let resumes = [CloseCode::GOING_AWAY, CloseCode::SLOW, CloseCode::GAP];
    resumes.contains(&reason.code).then(|| reason.reason.parse().ok()).flatten()
}

/// Makes the address begin after the position.
pub(super) fn resume(address: &mut WsAddress, after: Position) {
    let path = address.path.as_deref().unwrap_or("/");
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut pairs: Vec<String> = query.split('&').map(str::to_owned).collect();
    pairs.retain(|pair| !pair.is_empty() && pair != "since" && !pair.starts_with("since="));
    pairs.push(format!("since={after}"));
    address.path = Some(format!("{path}?{}", pairs.join("&")));
}

/// Whether the address asks a feed for what was said before.
pub(super) fn asks_for_history(address: &WsAddress) -> bool {
    let path = address.path.as_deref().unwrap_or_default();
    let query = path.split_once('?').map_or("", |(_, query)| query);
    query.split('&').any(|pair| pair.starts_with("since=") && pair != "since=now")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::{Peer, RecvError};

    fn closed(code: u16) -> Failure {
        let code = CloseCode::new(code).expect("a code that may be sent");
        Failure::Closed(CloseReason::new(code, ""))
    }

    #[test]
    fn only_ends_that_may_pass_are_tried_again() {
        for code in [1001, 1011, 1012, 1013, 1014, 4001, 4002] {
            assert!(may_help(&closed(code)), "{code}");
        }
        for code in
            [1000, 1002, 1003, 1007, 1008, 1009, 1010, 3000, 3999, 4000, 4003, 4004, 4005, 4999]
        {
            assert!(!may_help(&closed(code)), "{code}");
        }
        let peer = Peer::Stdio;
        assert!(may_help(&Failure::Recv(RecvError::Abnormal { peer: peer.clone() })));
        let reason = String::new();
        let violation = RecvError::Violation { peer, code: CloseCode::PROTOCOL, reason };
        assert!(!may_help(&Failure::Recv(violation)));
        let address = String::new();
        assert!(may_help(&Failure::Open(OpenError::Refused { address: address.clone() })));
        assert!(!may_help(&Failure::Open(OpenError::PermissionDenied { address })));
    }

    #[test]
    fn a_feed_is_resumed_where_it_stopped() {
        let position: Position = "6251a3-42".parse().expect("a position");
        for (before, after) in [
            (None, "/?since=6251a3-42"),
            (Some("/channels/a"), "/channels/a?since=6251a3-42"),
            (Some("/a?since=all&slow=cut"), "/a?slow=cut&since=6251a3-42"),
        ] {
            let text = format!("ws://localhost:1{}", before.unwrap_or_default());
            let address = crate::address::Address::parse_connect(&text).expect("an address");
            let crate::address::Address::Ws(mut address) = address else { panic!("{text}") };
            resume(&mut address, position);
            assert_eq!(address.path.as_deref(), Some(after));
        }
    }

    #[test]
    fn a_reason_that_is_no_position_resumes_nothing() {
        let reason = |code, text: &str| position(&CloseReason::new(code, text));
        assert!(reason(CloseCode::SLOW, "6251a3-42").is_some());
        assert!(reason(CloseCode::GOING_AWAY, "6251a3-42").is_some());
        assert!(reason(CloseCode::GOING_AWAY, "restart").is_none());
        assert!(reason(CloseCode::NORMAL, "6251a3-42").is_none());
    }
}
