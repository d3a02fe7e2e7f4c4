//! Agreeing on compression (RFC 7692 §5, §7.1).

use enchufe_core::ws::{
    deflate::{Agreed, Direction, Offer, Policy, WindowBits},
    handshake::{Accepted, HandshakeError, Refusal, Request, accept, accept_key, key, verify},
};
use proptest::prelude::*;

use crate::generate;

fn bits(bits: u8) -> WindowBits {
    WindowBits::new(bits).expect("8–15")
}

fn direction(context_takeover: bool, window_bits: u8) -> Direction {
    Direction { context_takeover, window_bits: bits(window_bits) }
}

/// A server that grants everything.
fn generous() -> Policy {
    Policy { server: direction(true, 15), client: direction(true, 15) }
}

fn accepted(offers: &[&str], policy: Option<&Policy>) -> Result<Accepted, Refusal> {
    let key = key([1; 16]);
    let mut headers: Vec<(&str, &[u8])> = vec![
        ("Host", b"localhost"),
        ("Upgrade", b"websocket"),
        ("Connection", b"Upgrade"),
        ("Sec-WebSocket-Version", b"13"),
        ("Sec-WebSocket-Key", key.as_bytes()),
    ];
    headers.extend(offers.iter().map(|value| ("Sec-WebSocket-Extensions", value.as_bytes())));
    accept(&Request { method: "GET", http_11: true, headers: &headers }, &[], policy)
}

/// What a server with this policy answers to an offer.
fn answered(offer: &str, policy: &Policy) -> Option<String> {
    let accepted = accepted(&[offer], Some(policy)).expect("a well-formed handshake");
    assert_eq!(accepted.extensions.is_some(), accepted.deflate.is_some());
    accepted.extensions
}

fn verified(answers: &[&str], offer: Option<&Offer>) -> Result<Option<Agreed>, HandshakeError> {
    let accept = accept_key("dGhlIHNhbXBsZSBub25jZQ==");
    let mut headers: Vec<(&str, &[u8])> = vec![
        ("Upgrade", b"websocket"),
        ("Connection", b"Upgrade"),
        ("Sec-WebSocket-Accept", accept.as_bytes()),
    ];
    headers.extend(answers.iter().map(|value| ("Sec-WebSocket-Extensions", value.as_bytes())));
    Ok(verify(101, &headers, "dGhlIHNhbXBsZSBub25jZQ==", &[], offer)?.deflate)
}

#[test]
fn a_server_grants_no_context_takeover_unless_told_to() {
    let accepted =
        accepted(&["permessage-deflate; client_max_window_bits"], Some(&Policy::default()));
    let accepted = accepted.expect("what browsers offer");
    let answer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    assert_eq!(accepted.extensions.as_deref(), Some(answer));
    let stateless = direction(false, 15);
    assert_eq!(accepted.deflate, Some(Agreed { server: stateless, client: stateless }));
}

#[test]
fn a_server_without_compression_declines_it() {
    let accepted = accepted(&["permessage-deflate"], None).expect("a valid handshake");
    assert_eq!((accepted.extensions, accepted.deflate), (None, None));
}

#[test]
fn each_parameter_is_answered_as_the_rfc_wants_it() {
    let small = Policy { server: direction(true, 10), client: direction(true, 9) };
    for (offer, policy, answer) in [
        ("permessage-deflate", generous(), "permessage-deflate"),
        (
            "permessage-deflate; server_no_context_takeover",
            generous(),
            "permessage-deflate; server_no_context_takeover",
        ),
        (
            "permessage-deflate; client_no_context_takeover",
            generous(),
            "permessage-deflate; client_no_context_takeover",
        ),
        (
            "permessage-deflate; server_max_window_bits=8",
            generous(),
            "permessage-deflate; server_max_window_bits=8",
        ),
        (
            "permessage-deflate; server_max_window_bits=15",
            generous(),
            "permessage-deflate; server_max_window_bits=15",
        ),
        ("permessage-deflate; client_max_window_bits", generous(), "permessage-deflate"),
        (
            "permessage-deflate; client_max_window_bits=12",
            generous(),
            "permessage-deflate; client_max_window_bits=12",
        ),
        (
            "permessage-deflate; client_max_window_bits; server_max_window_bits=12",
            small,
            "permessage-deflate; server_max_window_bits=10; client_max_window_bits=9",
        ),
        (
            "permessage-deflate; client_max_window_bits=8",
            small,
            "permessage-deflate; server_max_window_bits=10; client_max_window_bits=8",
        ),
    ] {
        assert_eq!(answered(offer, &policy).as_deref(), Some(answer), "{offer}");
    }
}

#[test]
fn a_client_that_cannot_keep_to_fewer_bits_is_not_told_to() {
    let policy = Policy { client: direction(true, 9), ..generous() };
    assert_eq!(answered("permessage-deflate", &policy), None);
}

#[test]
fn the_first_offer_that_can_be_accepted_is() {
    for offers in [
        &[
            "permessage-deflate; unknown, permessage-deflate; server_max_window_bits=9, permessage-deflate",
        ][..],
        &[
            "x-webkit-deflate-frame",
            "permessage-deflate; server_max_window_bits=9",
            "permessage-deflate",
        ],
        &[
            "permessage-deflate; server_max_window_bits=7, permessage-deflate;server_max_window_bits = \"9\"",
        ],
    ] {
        let accepted = accepted(offers, Some(&generous())).expect("a valid handshake");
        let answer = "permessage-deflate; server_max_window_bits=9";
        assert_eq!(accepted.extensions.as_deref(), Some(answer), "{offers:?}");
    }
}

#[test]
fn an_offer_with_a_parameter_that_is_wrong_is_declined() {
    for parameters in [
        "unknown",
        "server_no_context_takeover=1",
        "client_no_context_takeover=true",
        "server_no_context_takeover; server_no_context_takeover",
        "client_no_context_takeover; client_no_context_takeover",
        "server_max_window_bits",
        "server_max_window_bits=7",
        "server_max_window_bits=16",
        "server_max_window_bits=08",
        "server_max_window_bits=1e1",
        "server_max_window_bits=9; server_max_window_bits=9",
        "client_max_window_bits=7",
        "client_max_window_bits=16",
        "client_max_window_bits=+9",
        "client_max_window_bits; client_max_window_bits",
        "Server_No_Context_Takeover",
    ] {
        let offer = format!("permessage-deflate; {parameters}");
        assert_eq!(answered(&offer, &generous()), None, "{offer}");
    }
    assert_eq!(answered("permessage-deflate2, deflate-frame", &generous()), None);
}

#[test]
fn a_field_that_is_no_list_of_extensions_is_a_bad_request() {
    for value in
        ["", ",", "permessage-deflate;", "a b", "permessage-deflate; x=", "; x", "a; x=\"\""]
    {
        for policy in [None, Some(&generous())] {
            let refusal = accepted(&[value], policy).expect_err(value);
            assert_eq!(refusal.status(), 400, "{value}");
            assert!(refusal.to_string().contains("Sec-WebSocket-Extensions"), "{refusal}");
        }
    }
}

#[test]
fn an_offer_says_only_what_differs_from_the_default() {
    assert_eq!(Offer::default().to_string(), "permessage-deflate; client_max_window_bits");
    let least = Offer {
        server: direction(false, 9),
        client_context_takeover: false,
        client_window_bits: Some(bits(10)),
    };
    assert_eq!(
        least.to_string(),
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
         server_max_window_bits=9; client_max_window_bits=10"
    );
    assert_eq!(
        Offer { client_window_bits: None, ..Offer::default() }.to_string(),
        "permessage-deflate"
    );
}

#[test]
fn an_answer_may_restrict_both_sides_beyond_the_offer() {
    let offer = Offer::default();
    let full = direction(true, 15);
    for (answer, server, client) in [
        ("permessage-deflate", full, full),
        ("permessage-deflate; server_no_context_takeover", direction(false, 15), full),
        ("permessage-deflate; client_no_context_takeover", full, direction(false, 15)),
        ("permessage-deflate; server_max_window_bits=8", direction(true, 8), full),
        ("permessage-deflate; client_max_window_bits=\"8\"", full, direction(true, 8)),
    ] {
        let agreed = verified(&[answer], Some(&offer)).expect(answer);
        assert_eq!(agreed, Some(Agreed { server, client }), "{answer}");
    }
    assert_eq!(verified(&[], Some(&offer)), Ok(None), "a server may decline");
    let ten = Offer { client_window_bits: Some(bits(10)), ..offer };
    let agreed = verified(&["permessage-deflate; client_max_window_bits=12"], Some(&ten));
    assert_eq!(
        agreed.map(|agreed| agreed.map(|agreed| agreed.client)),
        Ok(Some(direction(true, 10)))
    );
}

#[test]
fn an_answer_to_something_else_than_the_offer_is_refused() {
    let offer = Offer::default();
    let stateless = Offer { server: direction(false, 15), ..offer };
    let small = Offer { server: direction(true, 9), ..offer };
    let fixed = Offer { client_window_bits: None, ..offer };
    for (offer, answer) in [
        (offer, "permessage-deflate; unknown"),
        (offer, "permessage-deflate; server_no_context_takeover=1"),
        (offer, "permessage-deflate; server_no_context_takeover; server_no_context_takeover"),
        (offer, "permessage-deflate; client_max_window_bits"),
        (offer, "permessage-deflate; server_max_window_bits"),
        (offer, "permessage-deflate; client_max_window_bits=16"),
        (stateless, "permessage-deflate"),
        (small, "permessage-deflate"),
        (small, "permessage-deflate; server_max_window_bits=10"),
        (fixed, "permessage-deflate; client_max_window_bits=15"),
    ] {
        let error = verified(&[answer], Some(&offer)).expect_err(answer);
        assert!(matches!(error, HandshakeError::Deflate { .. }), "{error}");
        assert!(error.to_string().contains(answer), "{error}");
    }
    for answers in [
        &["permessage-deflate, permessage-deflate"][..],
        &["permessage-deflate", "permessage-deflate"],
        &["permessage-deflate, other"],
    ] {
        let repeated = HandshakeError::Repeated("Sec-WebSocket-Extensions");
        assert_eq!(verified(answers, Some(&offer)), Err(repeated), "{answers:?}");
    }
    let other = HandshakeError::ExtensionNotOffered("other".to_owned());
    assert_eq!(verified(&["other; x=1"], Some(&offer)), Err(other));
    assert!(matches!(
        verified(&["permessage-deflate;"], Some(&offer)),
        Err(HandshakeError::Invalid { .. })
    ));
}

fn any_direction() -> impl Strategy<Value = Direction> {
    (any::<bool>(), 8u8..=15).prop_map(|(takeover, bits)| direction(takeover, bits))
}

fn parameters() -> impl Strategy<Value = String> {
    let names = prop::sample::select(vec![
        "server_no_context_takeover",
        "client_no_context_takeover",
        "server_max_window_bits",
        "client_max_window_bits",
        "permessage-deflate",
    ]);
    let piece = prop_oneof![
        4 => names.prop_map(str::to_owned),
        3 => prop::sample::select(vec!["; ", ", ", "=", "=9", "=15", "=\"10\""]).prop_map(str::to_owned),
        1 => "[ -~]{0,3}",
        1 => any::<String>(),
    ];
    prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(generate::config())]

    #[test]
    fn both_sides_agree_on_what_is_answered_to_any_offer(
        server in any_direction(),
        client in any_direction(),
        offered in any_direction(),
        client_context_takeover: bool,
        client_window_bits in prop::option::of(8u8..=15),
    ) {
        let policy = Policy { server, client };
        let client_window_bits = client_window_bits.map(bits);
        let offer = Offer { server: offered, client_context_takeover, client_window_bits };
        let offer_text = offer.to_string();
        let accepted = accepted(&[&offer_text], Some(&policy)).expect("a valid handshake");
        match &accepted.extensions {
            None => prop_assert!(client_window_bits.is_none() && client.window_bits < WindowBits::MAX),
            Some(answer) => {
                let agreed = verified(&[answer], Some(&offer)).expect("it fits the offer");
                prop_assert_eq!(agreed, accepted.deflate);
                let Agreed { server: sends, client: receives } = agreed.expect("it was accepted");
                prop_assert!(sends.window_bits <= server.window_bits.min(offered.window_bits));
                prop_assert!(receives.window_bits <= client.window_bits);
                prop_assert_eq!(sends.context_takeover, server.context_takeover && offered.context_takeover);
                prop_assert_eq!(receives.context_takeover, client.context_takeover && client_context_takeover);
            }
        }
    }

    #[test]
    fn no_text_makes_either_side_panic_and_nothing_shown_can_forge_a_line(text in parameters()) {
        if let Err(refusal) = accepted(&[&text], Some(&generous())) {
            prop_assert_eq!(refusal.status(), 400);
            prop_assert!(!refusal.to_string().contains(char::is_control));
        }
        if let Err(error) = verified(&[&text], Some(&Offer::default())) {
            prop_assert!(!error.to_string().contains(char::is_control));
        }
    }
}
