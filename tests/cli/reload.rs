//! `enchufe run` on SIGHUP: what changes, what does not, and that readers lose nothing.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
    thread,
};

use crate::{
    harness::{Running, run, signal},
    run::Served,
};

/// Has the server read its configuration again; what it says until it is done.
fn reload(server: &Served) -> Vec<String> {
    signal(server.running.id(), "HUP");
    let mut said = Vec::new();
    loop {
        let line = server.running.notice();
        let is_done = line.contains(" was read again");
        said.push(line);
        if is_done {
            return said;
        }
    }
}

fn reloaded(server: &Served) -> Vec<String> {
    let said = reload(server);
    assert!(said.last().is_some_and(|line| line.ends_with("and holds")), "{said:#?}");
    said
}

/// The texts of so many messages, as one connection gets them over plain HTTP.
fn follow(
    server: &Served,
    channel: &str,
    accept: &str,
    count: usize,
) -> thread::JoinHandle<Vec<String>> {
    let mut stream = TcpStream::connect(&server.authority).expect("it listens");
    let request = format!(
        "GET /channels/{channel}?since=all HTTP/1.1\r\nHost: {}\r\nAccept: {accept}\r\n\r\n",
        server.authority
    );
    stream.write_all(request.as_bytes()).expect("sent");
    thread::spawn(move || {
        let mut texts = Vec::new();
        for line in BufReader::new(stream).lines() {
            let line = line.expect("a line");
            assert!(!line.contains("\"gap\"") && !line.contains("event: gap"), "{line}");
            let text = match line.strip_prefix("data: ") {
                Some(text) => Some(text.to_owned()),
                None => serde_json::from_str::<serde_json::Value>(&line)
                    .ok()
                    .and_then(|line| line["data"].as_str().map(str::to_owned)),
            };
            texts.extend(text);
            if texts.len() == count {
                break;
            }
        }
        texts
    })
}

#[test]
fn readers_of_every_form_lose_nothing_through_twenty_reloads() {
    const RELOADS: usize = 20;
    const PER_RELOAD: usize = 25;
    const COUNT: usize = RELOADS * PER_RELOAD;
    // A program that counts, a line for each that it is given: the same one from first to last.
    let text = |number: usize| {
        format!(
            "log = \"{}\"\n[limits]\nviewers_max = {}\n\
             [channels.posted]\nhistory = {}\nslow = \"{}\"\n\
             [channels.counted]\nflush_window = \"{}ms\"\n\
             source = {{ from = \"exec:sh -c 'n=0; while :; do n=$((n+1)); echo $n; sleep 0.01; done'\" }}\n\
             [channels.\"extra{number}\"]\n",
            ["warn", "error"][number % 2],
            100 + number,
            2000 + number,
            ["skip", "cut"][number % 2],
            number % 3,
        )
    };
    let server = Served::new(&text(0));
    let expected: Vec<String> = (1..=COUNT).map(|number| number.to_string()).collect();
    let count = COUNT.to_string();
    let viewers: Vec<_> = ["posted", "counted"]
        .into_iter()
        .map(|channel| {
            let address = format!("{}?since=all", server.ws(channel));
            let count = if channel == "posted" { count.as_str() } else { "100" };
            Running::start(&["connect", &address, "--count", count])
        })
        .collect();
    let lines = follow(&server, "posted", "application/x-ndjson", COUNT);
    let events = follow(&server, "posted", "text/event-stream", COUNT);
    for number in 0..RELOADS {
        server.configure(&text(number + 1));
        for of_reload in 0..PER_RELOAD {
            // The signal is on its way while half of them are published.
            if of_reload == PER_RELOAD / 2 {
                signal(server.running.id(), "HUP");
            }
            let text = (number * PER_RELOAD + of_reload + 1).to_string();
            let answer = server.publish("posted", &text);
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
        loop {
            let line = server.running.notice();
            assert!(!line.contains("nothing of it holds"), "{line}");
            if line.ends_with("was read again and holds") {
                break;
            }
        }
        let answer = server.publish(&format!("extra{}", number + 1), "x");
        assert!(answer.starts_with("HTTP/1.1 200"), "the new channel is there: {answer}");
    }
    assert_eq!(lines.join().expect("no gap"), expected);
    assert_eq!(events.join().expect("no gap"), expected);
    let [posted, counted]: [Running; 2] = viewers.try_into().ok().expect("two");
    assert_eq!(posted.end().success(), expected.join("\n") + "\n");
    let counted = counted.end();
    let first: Vec<String> = (1..=100).map(|number| number.to_string()).collect();
    assert_eq!(counted.success(), first.join("\n") + "\n", "one program, from first to last");
    assert_eq!(server.running.stop().code, Some(0));
}

#[test]
fn a_configuration_with_an_error_changes_nothing() {
    let server = Served::new("[channels.a]\nhistory = 2\n");
    server.configure("[channels.a]\nhistory = 1\n[channels.b]\n[limits]\nviewer_max = 5\n");
    let said = reload(&server).join("\n");
    assert!(said.contains("enchufe.toml:5: there is no key 'viewer_max' in [limits]"), "{said}");
    assert!(said.contains("5 | viewer_max = 5\n    | ^^^^^^^^^^\n"), "{said}");
    assert!(said.contains("hint: did you mean 'viewers_max'?"), "{said}");
    assert!(said.ends_with("was read again; nothing of it holds, all stays as it was"), "{said}");
    for text in ["1", "2", "3"] {
        server.publish("a", text);
    }
    assert_eq!(server.history("a").matches("\"data\"").count(), 2, "the old bound");
    assert!(server.publish("b", "x").starts_with("HTTP/1.1 404"), "no new channel");
    server.configure("[channels.a]\nhistory = 1\n[channels.b]\n");
    reloaded(&server);
    assert_eq!(server.history("a").matches("\"data\"").count(), 1);
    assert!(server.publish("b", "x").starts_with("HTTP/1.1 200"));
    assert_eq!(server.running.stop().code, Some(0));
}

#[test]
fn a_source_that_cannot_be_opened_changes_nothing_and_the_old_one_goes_on() {
    let steady = "[channels.a]\nsource = { from = \"random\", interval = \"5ms\" }\n";
    let server = Served::new(steady);
    server.configure(
        "[channels.a]\nsource = { from = \"clock\", interval = \"5ms\" }\n\
         [channels.b]\nsource = \"exec:/no/such/program\"\n",
    );
    let said = reload(&server).join("\n");
    assert!(said.contains("there is no such program"), "{said}");
    assert!(said.contains("nothing of it holds"), "{said}");
    let said = run(&["connect", &server.ws("a"), "--count", "3"], b"");
    assert!(said.success().lines().all(|line| line.len() == 1), "digits still: {said:?}");
    assert_eq!(server.running.stop().code, Some(0));
}

#[test]
fn another_source_takes_over_in_the_same_log() {
    let server = Served::new(
        "[channels.a]\nsource = { from = \"random\", range = \"1..1\", interval = \"5ms\" }\n",
    );
    let epoch = |history: &str| {
        let (_, rest) = history.split_once("\"head\":\"").expect("a head");
        rest.split('-').next().expect("an epoch").to_owned()
    };
    let before = epoch(&server.history("a"));
    server.configure(
        "[channels.a]\nsource = { from = \"random\", range = \"2..2\", interval = \"5ms\" }\n",
    );
    reloaded(&server);
    let said = run(&["connect", &server.ws("a"), "--count", "2"], b"");
    assert_eq!(said.success(), "2\n2\n");
    assert_eq!(epoch(&server.history("a")), before);
    // Without a source it goes on as a channel that is published to.
    server.configure("[channels.a]\n");
    reloaded(&server);
    let head = server.publish("a", "x");
    let head = head.lines().last().unwrap_or_default().to_owned();
    let again = server.history("a");
    assert!(again.contains("\"data\":\"x\""), "{head} {again}");
    assert_eq!(server.running.stop().code, Some(0));
}

#[test]
fn tokens_origins_limits_and_the_log_change_and_what_does_not_is_said() {
    let token = "0123456789abcdef0123456789abcdef";
    let server = Served::with_files("[channels.a]\n", &[("token", token)]);
    server.publish("a", "x");
    let foreign =
        "GET /channels/a HTTP/1.1\r\nAccept: application/json\r\nOrigin: https://example.com";
    assert!(server.ask(foreign, "").starts_with("HTTP/1.1 403"));
    let file = "log = \"info\"\n[auth]\nread_token_file = \"token\"\n[limits]\nconnections_max = 7\n\
         connections_per_address_max = 1000\n[channels.b]\n\
         [[listen]]\naddress = \"http://127.0.0.1:1\"\n";
    // The listener of the start comes behind, with an origin of its own.
    server.configure(file);
    let text = std::fs::read_to_string(server.file()).expect("there");
    std::fs::write(server.file(), text + "allow_origin = \"https://example.com\"\n")
        .expect("written");
    let said = reloaded(&server).join("\n");
    for expected in [
        "warning: http://127.0.0.1:1 is listened on only once the server is started again",
        "warning: connections_max changes only once the server is started again",
        "warning: the channel 'a' is no longer there; what it keeps can be read until",
    ] {
        assert!(said.contains(expected), "{expected} in {said}");
    }
    let refused = server.history("a");
    assert!(refused.starts_with("HTTP/1.1 401"), "{refused}");
    let head = format!("{foreign}\r\nAuthorization: Bearer {token}");
    let answer = server.ask(&head, "");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(server.publish("b", "x").starts_with("HTTP/1.1 200"));
    // Another token in the same file counts once the configuration is read again.
    std::fs::write(server.path("token"), token.to_uppercase()).expect("written");
    reloaded(&server);
    assert!(server.ask(&head, "").starts_with("HTTP/1.1 401"));
    assert_eq!(server.running.stop().code, Some(0));
}
