//! Opening handshakes, as sent and as answered.

use enchufe_core::ws::handshake::{
    Accepted, HandshakeError, Refusal, Request, accept, accept_key, key, verify,
};

type Headers = Vec<(&'static str, &'static [u8])>;

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// The request of RFC 6455 §1.2, without its subprotocols.
fn request() -> Headers {
    vec![
        ("Host", b"server.example.com"),
        ("Upgrade", b"websocket"),
        ("Connection", b"Upgrade"),
        ("Sec-WebSocket-Key", KEY.as_bytes()),
        ("Origin", b"http://example.com"),
        ("Sec-WebSocket-Version", b"13"),
    ]
}

/// Its answer.
fn answer() -> Headers {
    vec![
        ("Upgrade", b"websocket"),
        ("Connection", b"Upgrade"),
        ("Sec-WebSocket-Accept", ACCEPT.as_bytes()),
    ]
}

fn without(mut headers: Headers, name: &str) -> Headers {
    headers.retain(|(field, _)| *field != name);
    headers
}

fn with(mut headers: Headers, name: &'static str, value: &'static str) -> Headers {
    headers.push((name, value.as_bytes()));
    headers
}

fn replaced(headers: Headers, name: &'static str, value: &'static str) -> Headers {
    with(without(headers, name), name, value)
}

fn accepted(headers: &Headers, protocols: &[&str]) -> Result<Accepted, Refusal> {
    accept(&Request { method: "GET", http_11: true, headers }, protocols, None)
}

#[track_caller]
fn refused(headers: &Headers, status: u16, names: &str) {
    let refusal = accepted(headers, &[]).expect_err("it is not a valid handshake");
    assert_eq!(refusal.status(), status, "{refusal}");
    assert!(refusal.to_string().contains(names), "{refusal}");
}

fn verified(headers: &Headers, offered: &[&str]) -> Result<Option<String>, HandshakeError> {
    Ok(verify(101, headers, KEY, offered, None)?.protocol)
}

#[test]
fn the_request_of_the_rfc_is_accepted() {
    let accept = ACCEPT.to_owned();
    let expected = Accepted { accept, protocol: None, extensions: None, deflate: None };
    assert_eq!(accepted(&request(), &["chat"]), Ok(expected));
}

#[test]
fn tokens_are_found_in_lists_in_any_case_over_several_fields() {
    let headers = replaced(request(), "Connection", "keep-alive, uPGRADE");
    let headers = with(headers, "connection", "close");
    let headers = replaced(headers, "Upgrade", "h2c, WebSocket");
    assert!(accepted(&headers, &[]).is_ok());
}

#[test]
fn another_method_is_told_to_get() {
    let request = Request { method: "POST", http_11: true, headers: &request() };
    let refusal = accept(&request, &[], None).expect_err("only GET opens");
    assert_eq!((refusal.status(), refusal.headers()), (405, &[("Allow", "GET")][..]));
    assert!(refusal.to_string().contains("POST"), "{refusal}");
}

#[test]
fn an_older_http_is_refused() {
    let request = Request { method: "GET", http_11: false, headers: &request() };
    assert_eq!(accept(&request, &[], None), Err(Refusal::HttpVersion));
}

#[test]
fn a_request_that_does_not_upgrade_is_told_how() {
    for name in ["Upgrade", "Connection"] {
        refused(&without(request(), name), 426, name);
        refused(&replaced(request(), name, "keep-alive"), 426, name);
    }
    let refusal = accepted(&vec![], &[]).expect_err("no upgrade");
    assert!(refusal.headers().contains(&("Upgrade", "websocket")));
}

#[test]
fn another_version_is_told_which_one_is_spoken() {
    for headers in [
        replaced(request(), "Sec-WebSocket-Version", "8"),
        replaced(request(), "Sec-WebSocket-Version", "13, 8"),
        replaced(request(), "Sec-WebSocket-Version", "013"),
        without(request(), "Sec-WebSocket-Version"),
    ] {
        refused(&headers, 426, "Sec-WebSocket-Version");
        let refusal = accepted(&headers, &[]).expect_err("another version");
        assert!(refusal.headers().contains(&("Sec-WebSocket-Version", "13")));
    }
}

#[test]
fn the_host_comes_exactly_once() {
    refused(&without(request(), "Host"), 400, "Host");
    refused(&with(request(), "host", "server.example.com"), 400, "Host");
    refused(&replaced(request(), "Host", " "), 400, "Host");
}

#[test]
fn the_key_comes_once_and_is_16_bytes() {
    refused(&without(request(), "Sec-WebSocket-Key"), 400, "Sec-WebSocket-Key");
    refused(&with(request(), "Sec-WebSocket-Key", KEY), 400, "Sec-WebSocket-Key");
    for value in ["", "AAAA", "dGhlIHNhbXBsZSBub25jZQ", "not base64!"] {
        refused(&replaced(request(), "Sec-WebSocket-Key", value), 400, "Sec-WebSocket-Key");
    }
    refused(&with(request(), "Sec-WebSocket-Version", "13"), 400, "Sec-WebSocket-Version");
}

#[test]
fn a_body_is_refused() {
    refused(&with(request(), "Content-Length", "5"), 400, "Content-Length");
    refused(&with(request(), "Transfer-Encoding", "chunked"), 400, "Transfer-Encoding");
    assert!(accepted(&with(request(), "Content-Length", "0"), &[]).is_ok());
}

#[test]
fn the_first_subprotocol_that_both_know_is_chosen() {
    let offer = |value| with(request(), "Sec-WebSocket-Protocol", value);
    let chosen = |headers: &Headers| {
        accepted(headers, &["enchufe.v1", "chat"]).expect("a valid handshake").protocol
    };
    assert_eq!(chosen(&offer("superchat, chat , enchufe.v1")).as_deref(), Some("chat"));
    assert_eq!(chosen(&offer("Chat, mqtt")), None, "names are compared exactly");
    let two_fields = with(offer("superchat"), "sec-websocket-protocol", "enchufe.v1");
    assert_eq!(chosen(&two_fields).as_deref(), Some("enchufe.v1"));
}

#[test]
fn a_subprotocol_that_is_no_token_is_refused() {
    for value in ["", ",", "a b", "a, b/c", "chat\u{7f}"] {
        let headers = with(request(), "Sec-WebSocket-Protocol", value);
        refused(&headers, 400, "Sec-WebSocket-Protocol");
    }
}

#[test]
fn a_refused_value_is_shown_escaped_and_short() {
    let headers = replaced(request(), "Sec-WebSocket-Version", "8\r\nX: \u{1b}[2J");
    let refusal = accepted(&headers, &[]).expect_err("another version");
    assert!(!refusal.to_string().contains(char::is_control), "{refusal}");

    let method = "G".repeat(100_000);
    let request = Request { method: &method, http_11: true, headers: &request() };
    assert!(accept(&request, &[], None).expect_err("only GET").to_string().len() < 200);
}

#[test]
fn the_answer_of_the_rfc_opens_the_connection() {
    assert_eq!(verified(&answer(), &[]), Ok(None));
    let chosen = with(answer(), "Sec-WebSocket-Protocol", "chat");
    assert_eq!(verified(&chosen, &["superchat", "chat"]), Ok(Some("chat".to_owned())));
}

#[test]
fn any_status_but_101_is_named() {
    for status in [200, 301, 403, 426] {
        let error = verify(status, &answer(), KEY, &[], None).expect_err("not 101");
        assert_eq!(error, HandshakeError::Status(status));
        assert!(error.to_string().contains(&status.to_string()));
    }
}

#[test]
fn an_answer_without_what_it_needs_is_refused() {
    for name in ["Upgrade", "Connection", "Sec-WebSocket-Accept"] {
        assert_eq!(verified(&without(answer(), name), &[]), Err(HandshakeError::Missing(name)));
        let error = verified(&replaced(answer(), name, "other"), &[]).expect_err(name);
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn an_answer_that_says_it_twice_is_refused() {
    for name in ["Upgrade", "Sec-WebSocket-Accept"] {
        let twice = [answer(), answer()].concat();
        let twice = if name == "Upgrade" { twice } else { replaced(twice, "Upgrade", "websocket") };
        assert_eq!(verified(&twice, &[]), Err(HandshakeError::Repeated(name)));
    }
    let headers = with(answer(), "Sec-WebSocket-Protocol", "a");
    let headers = with(headers, "Sec-WebSocket-Protocol", "a");
    let repeated = HandshakeError::Repeated("Sec-WebSocket-Protocol");
    assert_eq!(verified(&headers, &["a"]), Err(repeated));
}

#[test]
fn an_answer_to_another_key_is_refused() {
    let error = verify(101, &answer(), &key([7; 16]), &[], None).expect_err("another key");
    assert!(matches!(error, HandshakeError::Accept { .. }), "{error}");
    let other_case = replaced(answer(), "Sec-WebSocket-Accept", "S3PPLMBITXAQ9KYGZZHZRBK+XOO=");
    assert!(verified(&other_case, &[]).is_err());
}

#[test]
fn what_was_not_offered_is_refused() {
    let headers = with(answer(), "Sec-WebSocket-Protocol", "chat");
    let not_offered = HandshakeError::ProtocolNotOffered("chat".to_owned());
    assert_eq!(verified(&headers, &["Chat"]), Err(not_offered));
    let headers = with(answer(), "Sec-WebSocket-Extensions", "permessage-deflate");
    let not_offered = HandshakeError::ExtensionNotOffered("permessage-deflate".to_owned());
    assert_eq!(verified(&headers, &[]), Err(not_offered));
}

#[test]
fn tungstenite_derives_the_same_answer() {
    for nonce in 0..=255 {
        let key = key([nonce; 16]);
        let theirs = tungstenite::handshake::derive_accept_key(key.as_bytes());
        assert_eq!(accept_key(&key), theirs);
    }
}
