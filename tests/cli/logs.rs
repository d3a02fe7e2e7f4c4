//! The log, as text and as JSON.

use serde_json::Value;

use crate::harness::{Running, enchufe, run};

/// Serves a feed, has it asked once, stops it, and gives what was on standard error.
fn log_of(arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let feed = ["feed", "clock", "--interval", "1h", "--listen", "http://127.0.0.1:0"];
    let mut command = enchufe(&[&feed[..], arguments].concat());
    command.envs(environment.iter().copied());
    let running = Running::start_command(command);
    let mut said = String::new();
    let address = loop {
        let notice = running.notice();
        said.push_str(&format!("{notice}\n"));
        if let Some((_, page)) = notice.split_once("http://").filter(|_| !notice.starts_with('{')) {
            break page.trim_end_matches('/').to_owned();
        }
    };
    let reply = crate::http::ask(
        address.parse().expect("an address"),
        "GET /health/live",
        &["Host: localhost"],
    );
    assert_eq!(reply.status, 200);
    let ended = running.stop();
    assert_eq!(ended.code, Some(0));
    said + &ended.stderr
}

fn events(log: &str) -> Vec<Value> {
    let lines = log.lines().filter(|line| line.starts_with('{'));
    lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

#[test]
fn in_json_every_event_is_one_line_with_its_level_and_fields() {
    for (arguments, environment) in [
        (&["--log", "enchufe=debug", "--log-format", "json"][..], &[][..]),
        (&[], &[("ENCHUFE_LOG", "enchufe=debug"), ("ENCHUFE_LOG_FORMAT", "json")]),
    ] {
        let log = log_of(arguments, environment);
        let events = events(&log);
        let find = |message: &str| {
            let found = events.iter().find(|event| event["message"] == message);
            found.unwrap_or_else(|| panic!("no {message:?} in:\n{log}"))
        };
        let serving = find("serving");
        assert_eq!(serving["level"], "INFO");
        assert!(serving["addresses"].as_str().is_some_and(|text| text.starts_with("127.0.0.1:")));
        assert!(serving["timestamp"].is_string() && serving["target"].is_string());
        assert_eq!(find("the source feeds the channel")["channel"], "feed");
        assert_eq!(find("not serving any longer")["level"], "INFO");
        let connection = find("a connection");
        assert_eq!(connection["level"], "DEBUG");
        assert!(connection["peer"].is_string(), "{connection}");
        assert!(!log.contains('\x1b'), "no colours in a log for programs");
    }
}

#[test]
fn as_text_there_is_no_json_and_info_says_nothing_of_connections() {
    let log = log_of(&["--log", "info"], &[]);
    assert_eq!(events(&log), [] as [Value; 0]);
    for said in ["serving", "the source feeds the channel", "not serving any longer"] {
        assert!(log.contains(said), "{said} is missing in:\n{log}");
    }
    assert!(!log.contains("a connection"), "{log}");
}

#[test]
fn a_form_of_log_that_there_is_not_is_refused() {
    let ended = run(&["feed", "--log-format", "xml"], b"");
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("xml") && ended.stderr.contains("json"), "{}", ended.stderr);
}
