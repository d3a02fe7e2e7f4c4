//! `enchufe resolve`: every answer, for people and for programs.

use crate::harness::run;

#[test]
fn an_address_is_one_tuple() {
    let ended = run(&["resolve", "127.0.0.1", "80", "--proto", "tcp"], b"");
    assert_eq!(
        ended.success(),
        "(AF_INET, SOCK_STREAM, IPPROTO_TCP, '127.0.0.1', ('127.0.0.1', 80))\n"
    );
    let ended = run(&["resolve", "::1", "http", "--proto", "tcp"], b"");
    assert_eq!(ended.success(), "(AF_INET6, SOCK_STREAM, IPPROTO_TCP, '::1', ('::1', 80, 0, 0))\n");
}

#[test]
fn json_has_every_field_by_name() {
    let ended = run(&["resolve", "::1", "53", "--proto", "udp", "--json"], b"");
    let json: serde_json::Value = serde_json::from_str(ended.success()).expect("JSON");
    let expected = serde_json::json!([{
        "family": "AF_INET6",
        "socket_type": "SOCK_DGRAM",
        "protocol": "IPPROTO_UDP",
        "canonical_name": "::1",
        "address": "::1",
        "port": 53,
        "flow_info": 0,
        "scope_id": 0,
    }]);
    assert_eq!(json, expected);
}

#[test]
fn a_family_that_the_host_does_not_have_is_exit_code_1() {
    let ended = run(&["resolve", "127.0.0.1", "--family", "ipv6"], b"");
    assert_eq!((ended.code, ended.text()), (Some(1), ""));
    assert!(ended.stderr.contains("\nhint: "), "{ended:?}");
}

#[test]
fn an_unknown_service_is_named_in_both_languages() {
    let ended = run(&["resolve", "localhost", "no-such-service"], b"");
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("\"no-such-service\" is not a known service"), "{ended:?}");
    let ended = run(&["--lang=es", "resolve", "localhost", "no-such-service"], b"");
    assert!(ended.stderr.contains("\"no-such-service\" no es un servicio conocido"), "{ended:?}");
    assert!(ended.stderr.contains("\nsugerencia: "), "{ended:?}");
}
