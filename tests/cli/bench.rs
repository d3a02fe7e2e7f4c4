//! `enchufe bench` against `enchufe serve`.

use serde_json::Value;

use crate::harness::{Running, run};

#[test]
fn a_server_is_loaded_and_the_report_says_how_it_answered() {
    for scheme in ["tcp", "ws"] {
        let server =
            Running::start(&["serve", "echo", &format!("{scheme}://127.0.0.1:0"), "--quiet"]);
        let address = server.address();
        let pid = server.id().to_string();
        let load = ["--connections", "5", "--in-flight", "4", "--count", "1000"];
        let bench = [&["bench", &address, "--pid", &pid], &load[..]].concat();

        let text = run(&bench, b"");
        assert!(text.success().starts_with(&address), "{text:?}");
        for word in ["5 connections, 64 B", "1000 / ", "p99.9", "failures    none", "a message"] {
            assert!(text.success().contains(word), "no '{word}': {text:?}");
        }
        assert_eq!(text.stderr, "");

        let json = run(&[&bench[..], &["--json"]].concat(), b"");
        let report: Value = serde_json::from_str(json.success()).expect("an object");
        assert_eq!((&report["answered"], &report["lost"]), (&1000.into(), &0.into()));
        assert!(report["latency_us"]["p99"].as_f64().is_some_and(|micros| micros > 0.0));
        assert!(report["cpu_us_per_message"].as_f64().is_some_and(|micros| micros > 0.0));
    }
}

#[test]
fn the_report_speaks_the_users_language() {
    let server = Running::start(&["serve", "echo", "tcp://127.0.0.1:0", "--quiet"]);
    let address = server.address();
    let spanish = run(&["bench", &address, "--count", "10", "--lang", "es"], b"");
    for word in ["1 conexiones", "respuestas  10 / ", "latencia", "fallos      ninguno"] {
        assert!(spanish.success().contains(word), "no '{word}': {spanish:?}");
    }
}

#[test]
fn what_cannot_be_loaded_is_refused_and_what_fails_is_told_by_the_exit_code() {
    let datagrams = run(&["bench", "udp://127.0.0.1:9"], b"");
    assert_eq!(datagrams.code, Some(2));
    assert!(datagrams.stderr.contains("'udp://127.0.0.1:9' cannot be loaded"), "{datagrams:?}");
    let too_many = run(&["bench", "tcp://127.0.0.1:9", "--connections", "1000001"], b"");
    assert_eq!(too_many.code, Some(2));
    assert!(too_many.stderr.contains("--connections 1000001"), "{too_many:?}");
    assert!(too_many.stderr.contains("1000000 at most"), "{too_many:?}");
    let no_process = run(&["bench", "tcp://127.0.0.1:9", "--pid", "4294967295"], b"");
    assert_eq!(no_process.code, Some(2));
    assert!(no_process.stderr.contains("process 4294967295"), "{no_process:?}");
    let no_rate = run(&["bench", "tcp://127.0.0.1:9", "--rate", "0"], b"");
    assert_eq!(no_rate.code, Some(2));

    // Why a connection was lost is said.
    let server = Running::start(&["serve", "echo", "ws://127.0.0.1:0", "--quiet"]);
    let too_big = run(&["bench", &server.address(), "--count", "1", "--size", "2MiB"], b"");
    assert_eq!(too_big.code, Some(1));
    assert!(too_big.text().contains("1 broken, 1 lost (closed with 1009: "), "{too_big:?}");

    // Greetings are no echo.
    let server = Running::start(&["serve", "greet", "ws://127.0.0.1:0", "--quiet"]);
    let address = server.address();
    let different = run(&["bench", &address, "--count", "10"], b"");
    assert_eq!(different.code, Some(1));
    assert!(different.text().contains("failures    10 different"), "{different:?}");
}
