//! `enchufe top`, on a terminal and without one.

use std::net::TcpStream;

use serde_json::Value;

use crate::{
    harness::{Running, enchufe, run, signal},
    screen::{Terminal, Wiring},
};

/// A feed of what is written to it, and its URL.
fn feed(listen: &str, more: &[&str]) -> (Running, String) {
    let feed = Running::start(&[&["feed", "-", "--listen", listen], more].concat());
    loop {
        let notice = feed.notice();
        if let Some((_, address)) = notice.split_once("http") {
            let url = format!("http{}", address.trim_end_matches('/'));
            return (feed, url);
        }
    }
}

fn local_feed() -> (Running, String) {
    feed("http://127.0.0.1:0", &[])
}

fn top(arguments: &[&str]) -> Terminal {
    let command = enchufe(&[&["top", "--interval", "100ms"], arguments].concat());
    Terminal::start(command, Wiring::All)
}

fn viewer(url: &str) -> tungstenite::WebSocket<TcpStream> {
    let host = url.trim_start_matches("http://");
    let stream = TcpStream::connect(host).expect("it listens");
    tungstenite::client(format!("ws://{host}/channels/feed?since=all"), stream).expect("a viewer").0
}

/// Whether a row is that of a channel, with these numbers of viewers and of messages kept.
fn is_channel(row: &str, name: &str, viewers: &str, kept: &str) -> bool {
    let cells: Vec<&str> = row.split_whitespace().collect();
    cells.len() > 8 && cells[0] == name && cells[1] == viewers && row.contains(&format!(" {kept} "))
}

#[test]
fn a_terminal_shows_what_happens_on_the_server_as_it_happens() {
    let (mut server, url) = local_feed();
    let mut terminal = top(&[&url]);
    terminal.sees(&format!("enchufe top {url}"));
    terminal.sees_rows("a channel without viewers", |rows| {
        rows.iter().any(|row| is_channel(row, "feed", "0", "0"))
    });
    let mut viewer = viewer(&url);
    terminal.sees_rows("its viewer", |rows| {
        rows.iter().any(|row| is_channel(row, "feed", "1", "0"))
            && rows.iter().any(|row| row.starts_with("viewers 1 of"))
    });
    server.write(b"one\ntwo\nthree\n");
    for _ in 0..3 {
        viewer.read().expect("a message");
    }
    terminal.sees_rows("three messages", |rows| {
        rows.iter().any(|row| is_channel(row, "feed", "1", "3"))
    });
    drop(viewer);
    terminal.sees_rows("nobody", |rows| rows.iter().any(|row| is_channel(row, "feed", "0", "3")));
    terminal.press("q");
    assert_eq!(terminal.end(), Some(0));
    terminal.until_taken(false);
    assert!(terminal.is_as_before());
    assert_eq!(server.stop().code, Some(0));
}

#[test]
fn keys_sort_filter_pause_and_help_in_the_users_language() {
    let (mut server, url) = local_feed();
    let mut terminal = top(&[&url, "--lang", "es"]);
    let has = |text: &'static str| move |rows: &[String]| rows.iter().any(|row| row.contains(text));
    terminal.sees_rows("the order", has("LECTORES*"));
    terminal.press("s");
    terminal.sees_rows("the next column", has("RETRASO*"));
    terminal.press("SS");
    terminal.sees_rows("the first column", has("CANAL*"));
    terminal.press("r");
    terminal.sees_rows("the other way round", has("CANAL^"));
    terminal.press("/nada");
    terminal.sees_rows("the filter", has("filtro: nada_"));
    terminal.sees_rows("no channel", |rows| !rows.iter().any(|row| row.starts_with("feed")));
    terminal.press("\r");
    terminal.sees_rows("it is kept", has("filtro: nada  q salir"));
    terminal.press("/\u{1b}");
    terminal.sees_rows("the channel", has("feed "));
    terminal.press("h");
    terminal.sees_rows("help", has("muestra los canales con un texto en su nombre"));
    terminal.press("h");
    terminal.sees_rows("no help", |rows| !rows.iter().any(|row| row.contains("invierte el orden")));
    terminal.press("p");
    terminal.sees_rows("a pause", has("en pausa"));
    server.write(b"uno\n");
    let _viewer = viewer(&url).read().expect("it is published");
    terminal.press("p");
    terminal.sees_rows("what happened meanwhile", |rows| {
        rows.iter().any(|row| is_channel(row, "feed", "0", "1"))
    });
    terminal.press("q");
    assert_eq!(terminal.end(), Some(0));
}

#[test]
fn a_terminal_that_gets_another_size_is_filled_anew() {
    let (_server, url) = local_feed();
    let mut terminal = top(&[&url]);
    terminal.sees_rows("24 rows", |rows| rows.len() == 24 && rows[23].starts_with("q quit"));
    terminal.resize(12, 70);
    terminal.sees_rows("12 rows", |rows| rows.len() == 12 && rows[11].starts_with("q quit"));
    // So small that nothing fits: it goes on all the same.
    terminal.resize(2, 5);
    terminal.resize(20, 80);
    terminal.sees_rows("20 rows", |rows| rows.len() == 20 && rows[19].starts_with("q quit"));
    terminal.press("q");
    assert_eq!(terminal.end(), Some(0));
    assert!(terminal.is_as_before());
}

#[test]
fn ctrl_c_and_signals_end_it_and_leave_the_terminal_as_it_was() {
    let (_server, url) = local_feed();
    for (how, code) in [("keys", 130), ("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let mut terminal = top(&[&url]);
        terminal.sees(&format!("enchufe top {url}"));
        assert!(terminal.is_taken() && !terminal.is_as_before());
        match how {
            "keys" => terminal.press("\u{3}"),
            name => signal(terminal.id(), name),
        }
        assert_eq!(terminal.end(), Some(code), "{how}");
        terminal.until_taken(false);
        assert!(terminal.is_as_before(), "{how}");
    }
}

#[test]
fn a_server_that_is_gone_for_a_while_is_said_to_be_and_found_again() {
    let (server, url) = local_feed();
    let mut terminal = top(&[&url]);
    terminal.sees(&format!("enchufe top {url}"));
    assert_eq!(server.stop().code, Some(0));
    terminal.sees_rows("nobody there", |rows| rows[0].starts_with("no answer, trying again: "));
    terminal.sees_rows("what was there", |rows| rows.iter().any(|row| row.starts_with("feed")));
    let (mut again, same) = feed(&url, &["--channel", "renewed"]);
    assert_eq!(same, url);
    terminal.sees(&format!("enchufe top {url}"));
    again.write(b"x\n");
    terminal.sees_rows("the new one", |rows| {
        rows.iter().any(|row| is_channel(row, "renewed", "0", "1"))
    });
    terminal.press("q");
    assert_eq!(terminal.end(), Some(0));
}

#[test]
fn colour_is_there_and_not_with_no_color() {
    let (_server, url) = local_feed();
    let terminal = top(&[&url]);
    terminal.sees(&format!("enchufe top {url}"));
    assert!(terminal.has_colour());
    let mut command = enchufe(&["top", &url]);
    command.env("NO_COLOR", "1");
    let terminal = Terminal::start(command, Wiring::All);
    terminal.sees(&format!("enchufe top {url}"));
    assert!(!terminal.has_colour());
}

#[test]
fn without_a_terminal_or_with_once_it_prints_one_table() {
    let (mut server, url) = local_feed();
    server.write(b"one\ntwo\n");
    let mut viewer = viewer(&url);
    viewer.read().and_then(|_| viewer.read()).expect("both");
    for once in [&[][..], &["--once"]] {
        let ended = run(&[&["top", &url, "--interval", "100ms"], once].concat(), b"");
        let lines: Vec<&str> = ended.success().lines().collect();
        assert_eq!(lines[0], url);
        assert!(
            lines[1].starts_with("viewers 1 of 16000, streams 0, HTTP 1; channels 1"),
            "{lines:?}"
        );
        let titles: Vec<&str> = lines[5].split_whitespace().collect();
        assert_eq!(titles[..3], ["CHANNEL", "VIEWERS", "LAG"]);
        assert!(is_channel(lines[6], "feed", "1", "2"), "{lines:?}");
        assert_eq!(lines.len(), 7);
    }
    let mut terminal = top(&[&url, "--once"]);
    assert_eq!(terminal.end(), Some(0));
    terminal.sees_rows("a table", |rows| rows.iter().any(|row| is_channel(row, "feed", "1", "2")));
    assert!(!terminal.is_taken());
}

#[test]
fn as_json_the_numbers_are_for_programs() {
    let (mut server, url) = local_feed();
    server.write(b"one\ntwo\n");
    let mut viewer = viewer(&url);
    viewer.read().and_then(|_| viewer.read()).expect("both");
    let ended = run(&["top", &url, "--json", "--interval", "100ms", "--lang", "es"], b"");
    let whole: Value = serde_json::from_str(ended.success()).expect("JSON");
    assert_eq!(
        (&whole["server"], &whole["viewers"]),
        (&Value::from(url.as_str()), &Value::from(1))
    );
    let channel = &whole["channels"][0];
    assert_eq!(
        (&channel["name"], &channel["log_messages"]),
        (&Value::from("feed"), &Value::from(2))
    );
    assert_eq!(whole["total"]["log_messages"], 2);
    let none = run(&["top", &url, "--json", "--interval", "100ms", "--filter", "none"], b"");
    let none: Value = serde_json::from_str(none.success()).expect("JSON");
    assert_eq!(none["channels"], Value::Array(Vec::new()));
}

#[test]
fn a_token_is_shown_where_one_is_needed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (right, wrong) = (folder.path().join("right"), folder.path().join("wrong"));
    std::fs::write(&right, "a-token-of-some-length\n").expect("room");
    std::fs::write(&wrong, "a-token-of-another-sort\n").expect("room");
    let path = |path: &std::path::Path| path.to_str().expect("text").to_owned();
    let (right, wrong) = (path(&right), path(&wrong));
    let (_server, url) = feed("http://127.0.0.1:0", &["--read-token-file", &right]);
    for token in [&[][..], &["--token-file", &wrong]] {
        let ended = run(&[&["top", &url, "--once"], token].concat(), b"");
        assert_eq!(ended.code, Some(3), "{ended:?}");
        assert!(ended.stderr.contains("--token-file") && ended.stderr.contains("401"), "{ended:?}");
    }
    let ended = run(&["top", &url, "--once", "--interval", "100ms", "--token-file", &right], b"");
    assert!(ended.success().contains("feed"));
}

#[test]
fn it_watches_over_https_too() {
    let home = tempfile::tempdir().expect("a folder");
    let mut command = enchufe(&["feed", "clock", "--listen", "https://127.0.0.1:0", "--tls-dev"]);
    command.env("XDG_STATE_HOME", home.path()).env("HOME", home.path());
    let server = Running::start_command(command);
    let url = loop {
        let notice = server.notice();
        if let Some((_, address)) = notice.split_once("https://127") {
            break format!("https://127{}", address.trim_end_matches('/'));
        }
    };
    let untrusted = run(&["top", &url, "--once"], b"");
    assert_eq!(untrusted.code, Some(1), "{untrusted:?}");
    let ended = run(&["top", &url, "--once", "--interval", "100ms", "--insecure"], b"");
    assert!(ended.success().contains("feed"), "{ended:?}");
}

#[test]
fn what_is_no_server_is_said_to_be_none() {
    for text in ["ftp://127.0.0.1", "127.0.0.1", "http://127.0.0.1/channels/feed", "http://"] {
        let ended = run(&["top", text, "--once"], b"");
        assert_eq!(ended.code, Some(2), "{text}: {ended:?}");
    }
    let ended = run(&["top", "http://127.0.0.1:1", "--once"], b"");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let (_server, url) = feed("http://127.0.0.1:0", &["--metrics", "off"]);
    let ended = run(&["top", &url, "--once"], b"");
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stderr.contains("404"), "{ended:?}");
}
