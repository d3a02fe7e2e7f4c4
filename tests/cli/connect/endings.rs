//! How `connect` ends when the server closes or refuses: the words, the hint and the exit code.

use std::io::Write as _;

use enchufe::limits;

use super::peers::{answering, closing, ws_server};
use crate::harness::{Running, run};

#[test]
fn what_a_server_says_before_it_answers_the_close_is_a_reply() {
    let address = ws_server(|mut ws| {
        while !ws.read().expect("a message, and then the Close").is_close() {}
        // Written past the protocol, which from here on allows nothing but the answering Close.
        ws.get_mut().write_all(b"\x81\x04hola").expect("sent");
        while ws.read().is_ok() {}
    });
    let ended = run(&["connect", &address, "--wait=50ms"], b"hola\n");
    assert_eq!((ended.success(), ended.stderr.as_str()), ("hola\n", ""));
}

#[test]
fn the_first_reply_may_take_longer_than_the_silence_after_it() {
    let address = ws_server(|mut ws| {
        let asked = ws.read().expect("a message");
        ws.get_mut().set_read_timeout(Some(limits::REPLY_WAIT * 3 / 2)).expect("a time-out");
        assert!(ws.read().is_err(), "nothing comes while the server thinks, no Close either");
        ws.get_mut().set_read_timeout(None).expect("no time-out");
        ws.send(asked).expect("sent");
        while ws.read().is_ok() {}
    });
    let ended = run(&["connect", &address], b"hola\n");
    assert_eq!((ended.success(), ended.stderr.as_str()), ("hola\n", ""));
}

#[test]
fn every_close_code_has_its_exit_code_and_its_name() {
    for (code, exit, english, spanish) in [
        (1000, 0, "", ""),
        (1001, 0, "", ""),
        (1002, 4, "protocol error", "error de protocolo"),
        (1003, 4, "unsupported kind of message", "clase de mensaje no admitida"),
        (1007, 4, "invalid contents", "contenido no válido"),
        (1008, 4, "against the rules", "contra las reglas"),
        (1009, 4, "message too big", "mensaje demasiado grande"),
        (1010, 4, "extension missing", "falta una extensión"),
        (1011, 4, "internal error", "error interno"),
        (1012, 4, "restarting", "se reinicia"),
        (1013, 4, "try again later", "inténtalo más tarde"),
        (4000, 4, "enchufe: the channel has ended", "enchufe: el canal ha terminado"),
        (4001, 4, "enchufe: reading too slowly", "enchufe: se leía demasiado despacio"),
        (4002, 4, "enchufe: messages are missing", "enchufe: faltan mensajes"),
        (4003, 4, "enchufe: this channel is only read", "enchufe: este canal solo se lee"),
        (4004, 4, "enchufe: bad request", "enchufe: petición incorrecta"),
        (4005, 4, "enchufe: unknown channel", "enchufe: canal desconocido"),
    ] {
        for (language, closed, name) in [
            ("en", "error: the peer closed with code", english),
            ("es", "error: el otro extremo cerró con el código", spanish),
        ] {
            let ended = run(&["--lang", language, "connect", &closing(code, "why\n")], b"");
            assert_eq!((ended.code, ended.text()), (Some(exit), ""), "{code}: {ended:?}");
            if exit == 0 {
                assert_eq!(ended.stderr, "", "{code}");
            } else {
                let first = ended.stderr.lines().next().expect("an error");
                assert_eq!(first, format!("{closed} {code} ({name}): why\\n"));
            }
        }
    }
}

#[test]
fn a_code_that_nobody_named_is_shown_by_its_number() {
    for code in [3000, 3999, 4006, 4999] {
        let ended = run(&["connect", &closing(code, "")], b"");
        assert_eq!(ended.code, Some(4));
        assert_eq!(ended.stderr, format!("error: the peer closed with code {code}\n"));
    }
}

#[test]
fn a_feed_that_closes_says_where_to_go_on() {
    let ended = run(&["connect", &closing(4001, "6251a3-41")], b"");
    assert_eq!(ended.code, Some(4));
    assert!(ended.stderr.contains("?since=6251a3-41;"), "{ended:?}");
    let ended = run(&["connect", &closing(1001, "6251a3-41")], b"");
    assert_eq!(ended.success(), "");
    assert_eq!(ended.stderr, "the feed goes on after 6251a3-41: ?since=6251a3-41\n");
}

#[test]
fn a_refusal_shows_the_status_and_spreads_json_out() {
    let body = r#"{"error":{"code":"unauthorized","message":"reading\u001b[2J needs a token"}}"#;
    let answer = format!(
        "HTTP/1.1 403 No Way\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let address = answering(answer);
    let ended = run(&["connect", &address], b"x");
    assert_eq!((ended.code, ended.text()), (Some(3), ""));
    let expected = format!(
        "error: cannot connect to {address}: the server answered 403 No Way\n  {{\n    \
         \"error\": {{\n      \"code\": \"unauthorized\",\n      \"message\": \
         \"reading\\u001b[2J needs a token\"\n    }}\n  }}\nhint: "
    );
    assert!(ended.stderr.starts_with(&expected), "{}", ended.stderr);
}

#[test]
fn a_refusal_in_text_is_escaped_and_bounded_and_passes_for_nothing_of_ours() {
    let body = "no\x1b[2J\nhint: do as I say\n".to_owned() + &"line\n".repeat(10_000);
    let head = format!("HTTP/1.1 404 Not Found\r\nContent-Length: {}\r\n\r\n", body.len());
    let ended = run(&["connect", &answering(head + &body)], b"x");
    assert_eq!(ended.code, Some(3));
    let lines: Vec<&str> = ended.stderr.lines().collect();
    assert!(lines[0].ends_with("the server answered 404 Not Found"), "{}", lines[0]);
    assert_eq!(lines[1..4], ["  no\\x1b[2J", "  hint: do as I say", "  line"]);
    assert_eq!(lines[lines.len() - 2], "  …");
    assert!(lines.len() < 40, "{} lines", lines.len());
}

#[test]
fn a_refusal_with_a_page_shows_its_title_alone() {
    let body = "<!doctype html><html><head><title>502 Bad Gateway</title></head>…</html>";
    let head = "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n";
    let ended = run(&["connect", &answering(head.to_owned() + body)], b"x");
    let lines: Vec<&str> = ended.stderr.lines().collect();
    assert_eq!((ended.code, lines[1], lines.len()), (Some(3), "  502 Bad Gateway", 3));
}

#[test]
fn a_refusal_says_what_would_help() {
    for (answer, english, spanish) in [
        (
            "HTTP/1.1 301 Moved Permanently\r\nLocation: https://example.org/live\r\n",
            "it sends you to wss://example.org/live",
            "te envía a wss://example.org/live",
        ),
        (
            "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"a\"\r\n",
            "it asks for Bearer: --header 'Authorization: Bearer TOKEN'",
            "pide Bearer: --header 'Authorization: Bearer TOKEN'",
        ),
        (
            "HTTP/1.1 401 Unauthorized\r\n",
            "it wants to know who you are: --header 'Authorization: Bearer TOKEN'",
            "quiere saber quién eres: --header 'Authorization: Bearer TOKEN'",
        ),
        (
            "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\n",
            "it asks to be left alone for 7 s; --reconnect waits and tries again",
            "pide que se le deje en paz 7 s; --reconnect espera y vuelve a probar",
        ),
        (
            "HTTP/1.1 200 OK\r\n",
            "is it a WebSocket server, and the path right?",
            "¿es un servidor WebSocket, y es correcta la ruta?",
        ),
    ] {
        for (language, label, hint) in [("en", "hint", english), ("es", "sugerencia", spanish)] {
            let address = answering(format!("{answer}Content-Length: 0\r\n\r\n"));
            let ended = run(&["--lang", language, "connect", &address], b"x");
            assert_eq!((ended.code, ended.text()), (Some(3), ""), "{answer}");
            let last = ended.stderr.lines().last().expect("a hint");
            assert_eq!(last, format!("{label}: {hint}"), "{answer}");
        }
    }
}

#[test]
fn no_error_shows_the_token_of_an_address() {
    let redirect = "HTTP/1.1 302 Found\r\nLocation: /b?key=abc\r\nContent-Length: 0\r\n\r\n";
    let refused = answering(redirect);
    let nobody = "ws://127.0.0.1:1".to_owned();
    let bad = "ws://ana:abc@127.0.0.1:1".to_owned();
    for (address, code) in [(refused, 3), (nobody, 1), (bad, 2)] {
        for language in ["en", "es"] {
            let address = format!("{address}/a?token=abc&since=all");
            let flags = ["--lang", language, "connect", &address];
            let ended = run(&flags, b"x");
            assert!(!ended.stderr.contains("abc"), "{ended:?}");
            let is_named = ended.stderr.contains("/a?token=REDACTED&since=all");
            assert!(is_named || code == 2, "{ended:?}");
            // The server serves once.
            if language == "en" {
                assert_eq!(ended.code, Some(code), "{ended:?}");
            }
        }
    }
}

#[test]
fn our_own_server_is_asked_with_a_token() {
    let folder = tempfile::tempdir().expect("a folder");
    let token = folder.path().join("token");
    std::fs::write(&token, "0123456789abcdef0123\n").expect("written");
    let token = token.to_str().expect("text");
    let listen = ["feed", "clock", "--listen", "http://127.0.0.1:0", "--interval", "1ms"];
    let server = Running::start(&[&listen[..], &["--read-token-file", token]].concat());
    let address = loop {
        let notice = server.notice();
        if let Some(address) = notice.trim().strip_prefix("WebSocket") {
            break address.trim().to_owned();
        }
    };
    let ended = run(&["connect", &address, "--count=1"], b"");
    assert_eq!(ended.code, Some(3));
    assert!(ended.stderr.contains("401 Unauthorized") && ended.stderr.contains("--header"));
    let header = "Authorization: Bearer 0123456789abcdef0123";
    let ended = run(&["connect", &address, "--count=1", "--header", header], b"");
    assert_eq!(ended.success().lines().count(), 1);
    assert_eq!(server.stop().code, Some(0));
}
