//! `enchufe feed` and `enchufe demo`: what they serve, say, and leave behind.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    process::{Command, Stdio},
};

use crate::{
    harness::{Running, enchufe, run, run_command, signal},
    screen::{Terminal, Wiring},
};

/// What stands after a label in the two columns that say what listens where.
fn entry(server: &Running, label: &str) -> String {
    loop {
        let notice = server.notice();
        let entry = notice.strip_prefix("  ").and_then(|notice| notice.strip_prefix(label));
        if let Some(value) = entry {
            return value.trim().to_owned();
        }
    }
}

/// `GET` by hand: the whole answer.
fn get(url: &str, accept: &str) -> String {
    let rest = url.strip_prefix("http://").expect("http");
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = TcpStream::connect(authority).expect("it listens");
    let request = format!(
        "GET /{path} HTTP/1.1\r\nHost: {authority}\r\nAccept: {accept}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    String::from_utf8_lossy(&answer).into_owned()
}

fn feed(more: &[&str]) -> Running {
    Running::start(&[&["feed", "--listen", "http://127.0.0.1:0"], more].concat())
}

#[test]
fn lines_piped_in_reach_who_comes_late() {
    let mut server = feed(&[]);
    let address = entry(&server, "WebSocket");
    server.write(b"uno\ndos\n");
    let late = format!("{address}?since=all");
    assert_eq!(run(&["connect", &late, "--count", "2"], b"").success(), "uno\ndos\n");
    assert_eq!(server.stop().code, Some(0));
}

#[test]
fn the_end_of_the_program_and_its_status_are_told_and_the_history_stays() {
    let server = feed(&["--exec", "--", "sh", "-c", "echo uno; echo dos; exit 3"]);
    let page = entry(&server, "page");
    loop {
        if server.notice() == "the source has ended (exit 3); its history stays until Ctrl-C" {
            break;
        }
    }
    let lines = get(&format!("{page}channels/feed"), "application/x-ndjson");
    for told in ["\"data\":\"uno\"", "\"data\":\"dos\"", "\"status\":\"exit 3\""] {
        assert!(lines.contains(told), "{told} in {lines}");
    }
    assert_eq!(server.stop().code, Some(0));
}

#[test]
fn a_program_that_is_killed_is_run_again_and_only_its_last_end_is_the_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let runs = folder.path().join("runs").display().to_string();
    let job =
        "echo x >>\"$1\"; wc -l <\"$1\" | tr -d ' '; [ $(wc -l <\"$1\") -ge 3 ] || kill -9 $$";
    let arguments = ["--restart", "on-failure", "--exit-on-end", "--exec", "--"];
    let server = feed(&[&arguments[..], &["sh", "-c", job, "job", &runs]].concat());
    let address = entry(&server, "WebSocket");
    let viewer = run(&["connect", &format!("{address}?since=all"), "--keep-open"], b"");
    assert_eq!(viewer.text(), "1\n2\n3\n");
    let ended = server.end();
    assert_eq!(ended.code, Some(0));
    assert_eq!(ended.stderr.matches("is run again").count(), 2, "{ended:?}");
    assert!(ended.stderr.contains("signal 9"), "{ended:?}");
    assert!(ended.stderr.contains("the source has ended (exit 0)"), "{ended:?}");
}

#[test]
fn what_fails_the_check_is_left_out_counted_and_logged_with_an_excerpt() {
    let input = b"{\"a\":1}\nno json\n[2]\n{\n3\n";
    let arguments = ["feed", "--listen", "http://127.0.0.1:0", "--check", "json", "--exit-on-end"];
    let mut server = Running::start(&arguments);
    let address = entry(&server, "WebSocket");
    server.write(input);
    let viewer = run(&["connect", &format!("{address}?since=all"), "--count", "3"], b"");
    assert_eq!(viewer.success(), "{\"a\":1}\n[2]\n3\n");
    let ended = server.end();
    assert!(ended.stderr.contains("excerpt=\"no json\""), "{ended:?}");
    let total = "left out, in all check=\"json\" left_out=2";
    assert!(ended.stderr.contains(total), "{ended:?}");
}

#[test]
fn messages_are_told_apart_as_it_is_asked() {
    for (framing, input, expected) in [
        ("nul", &b"uno\ndos\0tres\0"[..], "uno\ndos\ntres\n"),
        ("length", b"\0\0\0\x03uno\0\0\0\x03dos", "uno\ndos\n"),
    ] {
        let mut server = feed(&["-", "--framing", framing]);
        let address = format!("{}?since=all", entry(&server, "WebSocket"));
        server.write(input);
        let viewer = run(&["connect", &address, "--count", "2"], b"");
        assert_eq!(viewer.success(), expected, "{framing}");
        assert_eq!(server.stop().code, Some(0), "{framing}");
    }
}

#[test]
fn exit_on_end_waits_until_viewers_have_everything() {
    let mut server = feed(&["--exit-on-end"]);
    let address = entry(&server, "WebSocket");
    let viewer = Running::start(&["connect", &format!("{address}?since=all"), "--keep-open"]);
    server.write(b"uno\n");
    assert_eq!(viewer.line(), "uno");
    server.write(b"dos\n");
    assert_eq!(server.end().code, Some(0));
    assert_eq!(viewer.end().text(), "dos\n");
}

#[test]
fn a_program_that_block_buffers_is_heard_at_once_with_a_terminal() {
    // grep keeps its lines to itself when its output is not a terminal.
    let job = "(echo uno; sleep 60) | grep .";
    let server = feed(&["--pty", "--exec", "--", "sh", "-c", job]);
    let address = format!("{}?since=all", entry(&server, "WebSocket"));
    assert_eq!(run(&["connect", &address, "--count", "1"], b"").success(), "uno\n");
    assert_eq!(server.stop().code, Some(0));
}

#[test]
fn nothing_of_the_program_is_left_after_ctrl_c() {
    let server = feed(&["--exec", "--", "sh", "-c", "echo $$; exec sleep 60"]);
    let address = format!("{}?since=all", entry(&server, "WebSocket"));
    let process = run(&["connect", &address, "--count", "1"], b"");
    let process = process.success().trim_end();
    signal(server.id(), "INT");
    assert_eq!(server.end().code, Some(0));
    let alive = Command::new("kill").args(["-0", process]).stderr(Stdio::null()).status();
    assert!(!alive.expect("kill(1)").success(), "{process} is still there");
}

#[test]
fn a_second_signal_does_not_wait() {
    let server = feed(&["--exec", "--", "sh", "-c", "trap '' TERM; echo ready; sleep 5"]);
    let address = format!("{}?since=all", entry(&server, "WebSocket"));
    assert_eq!(run(&["connect", &address, "--count", "1"], b"").success(), "ready\n");
    signal(server.id(), "INT");
    // The first one is heard before the second is sent: the listener has gone.
    let authority = address.strip_prefix("ws://").and_then(|rest| rest.split('/').next());
    while TcpStream::connect(authority.expect("an authority")).is_ok() {}
    signal(server.id(), "TERM");
    assert_eq!(server.end().code, Some(143));
}

#[test]
fn what_cannot_be_fed_is_an_error_a_hint_and_exit_code_2() {
    for (arguments, english, spanish) in [
        (
            &["--exec", "--", "./no-such-job"][..],
            "error: cannot run './no-such-job': there is no such program\nhint: ",
            "error: no se puede ejecutar './no-such-job': no existe ese programa\nsugerencia: ",
        ),
        (
            &["clock", "--channel", "a//b"],
            "error: the channel name 'a//b' has an empty, '.' or '..' segment\nhint: ",
            "error: el nombre de canal 'a//b' tiene un segmento vacío, '.' o '..'\nsugerencia: ",
        ),
        (
            &["clock", "--value", "7"],
            "error: --value cannot be used with clock\nhint: ",
            "error: --value no se puede usar con clock\nsugerencia: ",
        ),
        (
            &["clock", "--check", "json"],
            "error: --check cannot be used with clock\nhint: ",
            "error: --check no se puede usar con clock\nsugerencia: ",
        ),
        (
            &["-", "--restart", "always"],
            "error: --restart cannot be used with -\nhint: ",
            "error: --restart no se puede usar con -\nsugerencia: ",
        ),
        (
            &["clok"],
            "error: there is no source 'clok'\nhint: did you mean clock?\n",
            "error: no existe la fuente 'clok'\nsugerencia: ¿quisiste decir clock?\n",
        ),
        (
            &["http://127.0.0.1:9000"],
            "error: 'http://127.0.0.1:9000' is a page's address, not a source\nhint: --listen ",
            "error: 'http://127.0.0.1:9000' es la dirección de una página, no una fuente\nsugerencia: --listen ",
        ),
        (
            &["clock", "--page", "/no/such/page"],
            "error: cannot serve the page '/no/such/page': ",
            "error: no se puede servir la página '/no/such/page': no existe\nsugerencia: ",
        ),
        (
            &["clock", "--publish-token-file", "/no/such/token"],
            "error: cannot read the token file '/no/such/token': ",
            "error: no se puede leer el archivo del token '/no/such/token': no existe\nsugerencia: ",
        ),
    ] {
        let arguments = [&["feed", "--listen=127.0.0.1:0"], arguments].concat();
        let ended = run(&arguments, b"");
        assert_eq!((ended.code, ended.text()), (Some(2), ""), "{arguments:?}");
        assert!(ended.stderr.starts_with(english), "{ended:?}");
        let mut command = enchufe(&arguments);
        command.env("LANG", "es");
        let ended = run_command(command, b"");
        assert!(ended.stderr.starts_with(spanish), "{ended:?}");
    }
}

#[test]
fn nothing_to_feed_from_is_a_usage_error() {
    let mut terminal = Terminal::start(enchufe(&["feed"]), Wiring::All);
    terminal.sees("error: there is no source, and standard input is a terminal");
    assert_eq!(terminal.end(), Some(2));
}

#[test]
fn a_browser_that_visits_a_websocket_service_gets_a_page() {
    let server = Running::start(&["serve", "greet", "ws://127.0.0.1:0"]);
    let url = server.address().replace("ws://", "http://");
    let page = get(&url, "text/html");
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
    assert!(page.contains("data-service=\"greet\""), "{page}");
    assert!(page.to_lowercase().contains("\r\ncontent-security-policy: default-src 'none';"));
    let script = page.split('"').find(|part| part.ends_with(".js")).expect("a script");
    assert!(get(&format!("{url}{script}"), "*/*").starts_with("HTTP/1.1 200 OK\r\n"));
    assert!(get(&format!("{url}/assets/other"), "*/*").starts_with("HTTP/1.1 404 "));
}

#[test]
fn a_page_of_ones_own_is_served_from_the_same_port() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("index.html"), "<p>mine</p>").expect("written");
    let path = folder.path().to_str().expect("text");
    let server = Running::start(&["serve", "greet", "ws://127.0.0.1:0", "--page", path]);
    let address = server.address();
    assert!(get(&address.replace("ws://", "http://"), "*/*").ends_with("<p>mine</p>"));
    assert_eq!(run(&["connect", &address], b"Ana").success(), "Hola Ana!\n");
}

#[test]
fn the_demo_is_the_whole_tutorial_at_once() {
    let server = Running::start(&["demo", "--port-base", "0"]);
    let page = entry(&server, "page");
    let feeds = entry(&server, "WebSocket");
    let (greet, echo) = (entry(&server, "greet"), entry(&server, "echo"));

    assert_eq!(run(&["connect", &echo], b"Hello, world").success(), "Hello, world");
    assert!(server.line().starts_with("Connected by ('127.0.0.1', "));
    assert_eq!(run(&["connect", &greet], b"Ana\n").success(), "Hola Ana!\n");
    assert_eq!([server.line(), server.line()], ["< Ana", "> Hola Ana!"]);
    assert!(get(&page, "text/html").contains("<html"));

    let (time, numbers) = feeds.split_once("  ").expect("two feeds");
    let first = run(&["connect", &format!("{time}?since=all"), "--count", "1"], b"");
    let again = run(&["connect", &format!("{time}?since=all"), "--count", "1"], b"");
    assert_eq!(first.success(), again.success(), "one clock for all");
    assert!(first.text().ends_with("Z\n") && first.text().len() == 28, "{first:?}");
    let digits = run(&["connect", numbers, "--count", "2"], b"");
    assert!(digits.success().lines().all(|line| line.len() == 1), "{digits:?}");

    // Whoever is connected at the end is told that the server goes away, which is a normal end.
    let viewer = Running::start(&["connect", time]);
    viewer.line();
    assert_eq!(server.stop().code, Some(0));
    assert_eq!(viewer.end().code, Some(0));
}

/// Three neighbouring ports that are free now. They are not looked for among those that the system
/// gives to clients, of which a busy machine leaves no three in a row.
fn neighbours() -> (u16, [TcpListener; 3]) {
    let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok();
    let start = 20_000 + (std::process::id() % 10_000) as u16;
    (start..32_000)
        .step_by(3)
        .find_map(|base| Some((base, [bind(base)?, bind(base + 1)?, bind(base + 2)?])))
        .expect("three free ports")
}

#[test]
fn when_a_port_of_the_demo_is_taken_the_rest_starts() {
    let (base, [page, greet, echo]) = neighbours();
    drop((greet, echo));
    let base = base.to_string();
    let server = Running::start(&["--lang=es", "demo", "--port-base", &base]);
    let warning = server.notice();
    assert!(
        warning.starts_with(&format!("aviso: http://127.0.0.1:{base} está ocupado")),
        "{warning}"
    );
    assert!(
        warning.contains("programa del tutorial") && warning.contains("--port-base"),
        "{warning}"
    );
    let echo = entry(&server, "eco");
    assert_eq!(run(&["connect", &echo], b"hola").success(), "hola");
    assert_eq!(server.stop().code, Some(0));
    drop(page);
}

#[test]
fn a_demo_of_nothing_is_exit_code_1() {
    let (base, _taken) = neighbours();
    let ended = run(&["demo", "--port-base", &base.to_string()], b"");
    assert_eq!((ended.code, ended.text()), (Some(1), ""));
    assert!(ended.stderr.contains("error: nothing could be started"), "{ended:?}");
}
