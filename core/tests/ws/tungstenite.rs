//! Another implementation as an oracle: what tungstenite reads and writes, we read and write.

use std::io::{self, Cursor, Read, Write};

use enchufe_core::{
    Kind, Message,
    ws::{CloseCode, CloseReason, Decoder, Limits, Role, ViolationKind, encode},
};
use proptest::prelude::*;
use tungstenite::{
    Error, WebSocket,
    error::ProtocolError,
    protocol::{self, WebSocketConfig},
};

use crate::{
    generate,
    run::{Seen, decode_cut, decode_cut_by, direction},
};

/// No charge for fragments, which tungstenite does not know.
const LIMITS: Limits = Limits { message_bytes_max: 400, fragment_overhead_bytes: 0 };

/// What was received, to be read, and a bin for the answers.
struct Received(Cursor<Vec<u8>>);

impl Read for Received {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Received {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How a stream ended for tungstenite.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// A Close frame, or no more input.
    Calm,
    Refused,
}

fn read(bytes: &[u8], role: Role) -> (Vec<Seen>, End) {
    let role = match role {
        Role::Client => protocol::Role::Client,
        Role::Server => protocol::Role::Server,
    };
    let config = WebSocketConfig::default()
        .max_message_size(Some(LIMITS.message_bytes_max))
        .max_frame_size(Some(LIMITS.message_bytes_max));
    let stream = Received(Cursor::new(bytes.to_vec()));
    let mut socket = WebSocket::from_raw_socket(stream, role, Some(config));
    let mut events = Vec::new();
    loop {
        events.push(match socket.read() {
            Ok(tungstenite::Message::Text(text)) => Seen::Message(Kind::Text, text.as_str().into()),
            Ok(tungstenite::Message::Binary(bytes)) => Seen::Message(Kind::Binary, bytes.into()),
            Ok(tungstenite::Message::Ping(payload)) => Seen::Ping(payload.into()),
            Ok(tungstenite::Message::Pong(payload)) => Seen::Pong(payload.into()),
            Ok(tungstenite::Message::Close(frame)) => {
                // It does not fail on a code that must not be sent, but reports this in its place.
                if frame.as_ref().is_some_and(|frame| frame.reason == "Protocol violation") {
                    return (events, End::Refused);
                }
                events.push(Seen::Close(frame.map(|frame| {
                    let code = CloseCode::new(frame.code.into()).expect("it was allowed");
                    CloseReason { code, reason: frame.reason.to_string() }
                })));
                return (events, End::Calm);
            }
            Ok(message @ tungstenite::Message::Frame(_)) => panic!("never read: {message}"),
            Err(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => {
                return (events, End::Calm);
            }
            Err(Error::Protocol(_) | Error::Utf8(_) | Error::Capacity(_)) => {
                return (events, End::Refused);
            }
            Err(error) => panic!("the stream is in memory: {error}"),
        });
    }
}

/// Where tungstenite is laxer than RFC 6455: it takes a length in more bytes than it needs, which
/// for a control frame is one beyond 125.
fn judged_otherwise(kind: ViolationKind) -> bool {
    matches!(kind, ViolationKind::LengthNotMinimal(_) | ViolationKind::LongControl(_))
}

fn closed_with_1014(events: &[Seen]) -> bool {
    matches!(events.last(), Some(Seen::Close(Some(reason))) if reason.code.number() == 1014)
}

proptest! {
    #![proptest_config(generate::config())]

    #[test]
    fn any_stream_cut_anywhere_is_read_as_tungstenite_reads_it(
        (role, bytes) in generate::any_stream(),
        cuts in generate::cuts(),
    ) {
        let ours = decode_cut(&bytes, &cuts, role, LIMITS);
        let (theirs, end) = read(&bytes, role);
        match ours.violation {
            Some(violation) if judged_otherwise(violation.kind) => {
                prop_assert!(theirs.starts_with(&ours.events));
            }
            // It does not know 1014, which IANA's registry has.
            None if closed_with_1014(&ours.events) => {
                prop_assert_eq!(&ours.events[..ours.events.len() - 1], &theirs);
                prop_assert_eq!(end, End::Refused);
            }
            // It judges whole frames; what we refuse earlier it may never see the end of.
            Some(_) => prop_assert_eq!(&ours.events, &theirs),
            None => {
                prop_assert_eq!(&ours.events, &theirs);
                prop_assert_eq!(end, End::Calm);
            }
        }
    }

    #[test]
    fn a_valid_stream_is_read_by_both_to_its_end(
        (role, bytes) in generate::role().prop_flat_map(|role| (Just(role), generate::valid(role))),
        cuts in generate::cuts(),
    ) {
        let ours = decode_cut(&bytes, &cuts, role, LIMITS);
        // Agreeing on compression changes nothing for who does not use it.
        let inflating = Decoder::with_deflate(role, LIMITS, direction(true));
        prop_assert_eq!(&ours, &decode_cut_by(inflating, &bytes, &cuts));
        prop_assert_eq!((ours.events, End::Calm), read(&bytes, role));
        prop_assert_eq!(ours.violation, None);
    }

    #[test]
    fn tungstenite_reads_what_we_write(key: [u8; 4], text: String, payload in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assume!(text.len() <= LIMITS.message_bytes_max);
        let reason = CloseReason::new(CloseCode::GOING_AWAY, text.clone());
        for (role, mask) in [(Role::Client, None), (Role::Server, Some(key))] {
            let mut out = Vec::new();
            encode::message(&mut out, Message::text(text.clone()).as_ref(), mask);
            encode::message(&mut out, Message::binary(payload.clone()).as_ref(), mask);
            encode::close(&mut out, Some(&reason), mask);
            let expected = vec![
                Seen::Message(Kind::Text, text.clone().into()),
                Seen::Message(Kind::Binary, payload.clone()),
                Seen::Close(Some(reason.clone())),
            ];
            prop_assert_eq!(read(&out, role), (expected, End::Calm));
        }
    }
}
