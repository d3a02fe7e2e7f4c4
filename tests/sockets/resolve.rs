//! Names, as the system resolves them. Only names that need no name server.

use enchufe::resolve::{Family, Hints, List, Protocol, ResolveError, SocketType, resolve};

fn tcp() -> Hints {
    Hints { protocol: Some(Protocol::TCP), ..Hints::default() }
}

#[test]
fn an_address_and_a_port_are_shown_as_the_tutorial_shows_them() {
    let answers = resolve(Some("127.0.0.1"), Some("80"), tcp()).expect("an answer");
    assert_eq!(
        List(&answers).to_string(),
        "[(AF_INET, SOCK_STREAM, IPPROTO_TCP, '', ('127.0.0.1', 80))]"
    );
    let answers = resolve(Some("::1"), Some("80"), tcp()).expect("an answer");
    assert_eq!(
        List(&answers).to_string(),
        "[(AF_INET6, SOCK_STREAM, IPPROTO_TCP, '', ('::1', 80, 0, 0))]"
    );
}

#[test]
fn without_hints_there_is_an_answer_for_each_kind_of_socket() {
    let answers = resolve(Some("127.0.0.1"), None, Hints::default()).expect("answers");
    let kinds: Vec<_> =
        answers.iter().map(|answer| (answer.socket_type, answer.protocol)).collect();
    assert!(kinds.contains(&(SocketType::STREAM, Protocol::TCP)), "{kinds:?}");
    assert!(kinds.contains(&(SocketType::DATAGRAM, Protocol::UDP)), "{kinds:?}");
    let list = List(&answers).to_string();
    assert_eq!(list.lines().count(), answers.len());
    assert!(list.starts_with("[(") && list.ends_with("))]"), "{list}");
}

#[test]
fn a_service_can_be_named() {
    let answers = resolve(Some("127.0.0.1"), Some("http"), tcp()).expect("an answer");
    assert_eq!(answers[0].port, 80);
    assert_eq!(answers[0].socket_address(), ([127, 0, 0, 1], 80).into());
    let answers = resolve(None, Some("http"), tcp()).expect("an answer");
    assert!(
        answers.iter().all(|answer| answer.address.is_loopback() && answer.port == 80),
        "{answers:?}"
    );
}

#[test]
fn passive_answers_mean_every_interface() {
    let answers = resolve(None, Some("80"), Hints { passive: true, ..tcp() }).expect("answers");
    assert!(answers.iter().all(|answer| answer.address.is_unspecified()), "{answers:?}");
}

#[test]
fn the_family_can_be_chosen() {
    let hints = Hints { family: Some(Family::V4), ..tcp() };
    let answers = resolve(Some("localhost"), Some("80"), hints).expect("an answer");
    assert!(answers.iter().all(|answer| answer.family == Family::V4), "{answers:?}");
    let error = resolve(Some("127.0.0.1"), Some("80"), Hints { family: Some(Family::V6), ..tcp() });
    assert!(matches!(error, Err(ResolveError::NoAddress { .. })), "{error:?}");
}

#[test]
fn the_canonical_name_is_given_when_asked_for() {
    let hints = Hints { canonical_name: true, ..tcp() };
    let answers = resolve(Some("localhost"), Some("80"), hints).expect("an answer");
    assert_eq!(answers[0].canonical_name.as_deref(), Some("localhost"));
    assert!(answers[0].to_string().contains("'localhost'"), "{}", answers[0]);
}

#[test]
fn a_scope_is_understood() {
    // Interface 1 is loopback wherever there are numbers for interfaces.
    let answers = resolve(Some("fe80::1%1"), Some("80"), tcp()).expect("an answer");
    assert_eq!((answers[0].flow_info, answers[0].scope_id), (Some(0), Some(1)));
    assert!(answers[0].to_string().ends_with("('fe80::1', 80, 0, 1))"), "{}", answers[0]);
}

#[test]
fn answers_are_json_with_names_for_numbers() {
    let json =
        |host| serde_json::to_string(&resolve(Some(host), Some("80"), tcp()).expect("an answer"));
    assert_eq!(
        json("127.0.0.1").expect("JSON"),
        r#"[{"family":"AF_INET","socket_type":"SOCK_STREAM","protocol":"IPPROTO_TCP","canonical_name":null,"address":"127.0.0.1","port":80}]"#
    );
    let ipv6 = json("::1").expect("JSON");
    assert!(ipv6.ends_with(r#""address":"::1","port":80,"flow_info":0,"scope_id":0}]"#), "{ipv6}");
}

#[test]
fn what_does_not_resolve_is_named_with_a_hint() {
    let label = "a".repeat(64);
    let cases: [(Option<&str>, Option<&str>, Hints, &str); 9] = [
        (Some("127.0.0.1"), Some("70000"), tcp(), "\"70000\""),
        (Some("127.0.0.1"), Some("-1"), tcp(), "\"-1\""),
        (Some("127.0.0.1"), Some(" 80"), tcp(), "\" 80\""),
        (Some(&label), None, tcp(), &label),
        (Some("127.0.0.1"), Some("no-such-service"), tcp(), "\"no-such-service\""),
        (None, Some("no-such-service"), tcp(), "\"no-such-service\""),
        (Some("a\0b"), None, tcp(), "\"a\\0b\""),
        (Some(""), None, tcp(), "\"\""),
        (None, None, tcp(), "neither a host nor a service"),
    ];
    for (host, service, hints, named) in cases {
        let error = resolve(host, service, hints).expect_err("no answer");
        assert!(error.to_string().contains(named), "{error}");
        assert!(!error.to_string().contains('\n') && error.hint().is_some(), "{error}");
    }
    let contradiction = Hints { socket_type: Some(SocketType::DATAGRAM), ..tcp() };
    let error = resolve(Some("127.0.0.1"), None, contradiction).expect_err("udp is not tcp");
    assert!(matches!(error, ResolveError::Contradiction), "{error:?}");
}
