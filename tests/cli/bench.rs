//! `enchufe bench` against `enchufe serve`.

use std::process::Command;

use serde_json::Value;

use crate::harness::{Ended, Running, enchufe, run, run_command, signal};

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
    for word in [": 1 conexión, ", "respuestas  10 / ", "latencia", "fallos      ninguno"] {
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

/// `bench` with room for so many descriptors.
#[cfg(unix)]
fn bench_within(descriptors: u32, arguments: &[&str]) -> Ended {
    let program = enchufe(arguments);
    let mut limited = Command::new("sh");
    limited.args(["-c", &format!("ulimit -n {descriptors}; exec \"$0\" \"$@\"")]);
    limited.arg(program.get_program()).args(program.get_args());
    for (name, _) in program.get_envs() {
        limited.env_remove(name);
    }
    run_command(limited, b"")
}

#[test]
#[cfg(target_os = "linux")]
fn running_out_of_descriptors_is_our_own_fault_and_its_remedy_is_said() {
    let server = Running::start(&["serve", "echo", "tcp://127.0.0.1:0", "--quiet"]);
    let address = server.address();
    for (language, failures, hint) in [
        (
            "en",
            ": this program has as many files and sockets as it may)",
            "hint: 'ulimit -n' says how many that is, and 'ulimit -n NUMBER' allows more; or take \
             fewer --connections\n",
        ),
        (
            "es",
            ": este programa tiene ya tantos archivos y sockets como puede)",
            "sugerencia: 'ulimit -n' dice cuántos son, y 'ulimit -n NÚMERO' permite más; o usa menos \
             --connections\n",
        ),
    ] {
        let load = ["--lang", language, "bench", &address, "--connections=60", "--count=100"];
        let ended = bench_within(40, &load);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), hint), "{ended:?}");
        assert!(ended.text().contains(failures), "{ended:?}");
        assert!(!ended.text().contains("refused") && !ended.text().contains("rechazadas"));
    }
}

#[test]
fn a_source_of_the_other_family_is_said_to_be_one() {
    for (language, said) in [
        (
            "en",
            "error: cannot connect to tcp://127.0.0.1:9 from ::1: that is IPv6, and the server has \
             IPv4 addresses only\nhint: connect from an IPv4 address of this machine\n",
        ),
        (
            "es",
            "error: no se puede conectar a tcp://127.0.0.1:9 desde ::1: eso es IPv6, y el servidor \
             solo tiene direcciones IPv4\n\
             sugerencia: conéctate desde una dirección IPv4 de esta máquina\n",
        ),
    ] {
        let load = ["--lang", language, "bench", "tcp://127.0.0.1:9", "--source", "::1"];
        let ended = run(&load, b"");
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), said), "{ended:?}");
    }
}

#[test]
fn a_bad_number_or_source_is_said_with_what_is_expected() {
    for (flag, value, english, spanish) in [
        (
            "--source",
            "foo",
            "error: 'foo' is not a value of --source <IP>\n\
             hint: expected an IP address of this machine, such as 127.0.0.2 or ::1\n",
            "error: 'foo' no es un valor de --source <IP>\n\
             sugerencia: se espera una dirección IP de esta máquina, por ejemplo 127.0.0.2 o ::1\n",
        ),
        (
            "--connections",
            "-1",
            "error: '-1' is not a value of --connections <COUNT>\n\
             hint: expected a whole number above 0\n",
            "error: '-1' no es un valor de --connections <CANTIDAD>\n\
             sugerencia: se espera un número entero mayor que 0\n",
        ),
    ] {
        for (language, said) in [("en", english), ("es", spanish)] {
            let load = ["--lang", language, "bench", "tcp://127.0.0.1:9", flag, value];
            let ended = run(&load, b"");
            assert_eq!((ended.code, ended.stderr.as_str()), (Some(2), said), "{ended:?}");
        }
    }
}

#[test]
fn a_load_that_is_stopped_reports_what_there_was_and_says_so() {
    let server = Running::start(&["serve", "echo", "tcp://127.0.0.1:0"]);
    let address = server.address();
    let load = ["bench", &address, "--duration=1h"];
    for (more, name, code, said) in [
        (&["--json"][..], "INT", 130, "\"interrupted\":true"),
        (&[], "INT", 130, ", 1 in flight on each; interrupted\n"),
        (&["--lang=es"], "TERM", 143, ", 1 en camino en cada una; interrumpido\n"),
    ] {
        let bench = Running::start(&[&load[..], more].concat());
        assert!(server.line().starts_with("Connected by"));
        signal(bench.id(), name);
        let ended = bench.end();
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(code), ""), "{ended:?}");
        assert!(ended.text().contains(said), "{ended:?}");
    }
    let whole = run(&["bench", &address, "--count=1", "--json"], b"");
    assert!(whole.success().contains("\"interrupted\":false"), "{whole:?}");
}

/// The channel of a feed, and the feed.
fn channel(more: &[&str]) -> (String, Running) {
    let feed = Running::start(&[&["feed", "--listen", "http://127.0.0.1:0"], more].concat());
    loop {
        if let Some(channel) = feed.notice().strip_prefix("  WebSocket") {
            return (channel.trim().to_owned(), feed);
        }
    }
}

#[test]
fn the_viewers_of_a_channel_have_every_message_that_was_published() {
    for window in ["0", "5ms"] {
        let (channel, feed) = channel(&["--flush-window", window]);
        let pid = feed.id().to_string();
        let viewers = ["--viewers", "20", "--publish", "100", "--duration", "500ms"];
        let bench = [&["bench", &channel, "--pid", &pid], &viewers[..]].concat();
        let json = run(&[&bench[..], &["--json"]].concat(), b"");
        let report: Value = serde_json::from_str(json.success()).expect("an object");
        let of = |name: &str| report[name].as_u64();
        assert_eq!((of("published"), of("messages")), (Some(50), Some(50)), "{report}");
        assert_eq!((of("viewers"), of("deliveries")), (Some(20), Some(1_000)), "{report}");
        for flaw in ["missing", "repeated", "disordered", "gaps", "broken", "refused"] {
            assert_eq!(of(flaw), Some(0), "{flaw} in {report}");
        }
        assert!(report["cpu_us_per_delivery"].as_f64().is_some_and(|micros| micros > 0.0));
        assert!(report["latency_us"]["p99"].as_f64().is_some_and(|micros| micros > 0.0));
        assert!(report["bytes_per_viewer"].is_number(), "{report}");
        for (language, words) in [
            ("en", ["20 viewers, 100 messages/s; 50 published", "deliveries  1000 / "]),
            ("es", ["20 espectadores, 100 mensajes/s; 50 publicados", "entregas    1000 / "]),
        ] {
            let text = run(&[&bench[..], &["--lang", language]].concat(), b"");
            for word in words {
                assert!(text.success().contains(word), "no '{word}': {text:?}");
            }
        }
    }
}

#[test]
fn a_channel_that_others_publish_to_is_measured_without_publishing() {
    let (channel, _feed) = channel(&["random", "--interval=5ms"]);
    let load = ["bench", &channel, "--viewers=5", "--duration=300ms", "--json"];
    let ended = run(&load, b"");
    let report: Value = serde_json::from_str(ended.success()).expect("an object");
    let messages = report["messages"].as_u64().expect("a number");
    assert!(messages > 0, "{report}");
    assert_eq!(report["deliveries"].as_u64(), Some(5 * messages), "{report}");
    assert_eq!(report["published"].as_u64(), Some(0));
}

#[test]
fn whoever_may_not_publish_and_what_is_no_channel_is_said() {
    let token = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(&token, "a-token-of-many-bytes\n").expect("written");
    let path = token.path().to_str().expect("text");
    let (channel, _feed) = channel(&["--publish-token-file", path]);
    let load = ["bench", &channel, "--viewers=2", "--publish=100", "--duration=100ms"];
    // Who comes straight from this machine needs no token.
    let load = [&load[..], &["--header=X-Forwarded-For: 192.0.2.1"]].concat();
    let refused = run(&load, b"");
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(refused.stderr.contains("a message cannot be published: 40"), "{refused:?}");
    let header = "--header=Authorization: Bearer a-token-of-many-bytes";
    run(&[&load[..], &[header]].concat(), b"").success();

    let none = run(&["bench", "ws://127.0.0.1:9/", "--viewers=2"], b"");
    assert_eq!(none.code, Some(2), "{none:?}");
    assert!(none.stderr.contains("is no URL of a channel"), "{none:?}");
    let alone = run(&["bench", &channel, "--publish=5"], b"");
    assert_eq!(alone.code, Some(2), "{alone:?}");
}
