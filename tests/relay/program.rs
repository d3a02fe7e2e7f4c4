//! `enchufe relay`: its words, its exit codes, what it shows and what it records.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt as _;
use std::process::Stdio;

use enchufe::recording::{Direction, Kind, Reader, What};

use crate::harness::{Running, run, signal};
use crate::support::folder;

fn echo(address: &str) -> Running {
    Running::start(&["serve", "echo", address])
}

#[test]
fn a_client_of_tcp_talks_to_a_websocket_in_lines() {
    let server = Running::start(&["serve", "greet", "ws://127.0.0.1:0", "--quiet"]);
    let far = server.address();
    let relay = Running::start(&["relay", "tcp://127.0.0.1:0", &far, "--framing", "lines"]);
    let answer = run(&["connect", &relay.address()], b"Ana\nEva\n");
    assert_eq!(answer.success(), "Hola Ana!\nHola Eva!\n");
    let ended = relay.stop();
    assert_eq!(ended.code, Some(0));
    assert!(ended.stderr.contains("6 B (2 messages) there, 18 B (2 messages) back"), "{ended:?}");
}

#[test]
fn a_websocket_client_talks_to_what_speaks_tcp_or_listens_on_a_unix_socket() {
    let folder = folder();
    let unix = format!("unix:{}", folder.path().join("echo").display());
    for far in ["tcp://127.0.0.1:0", &unix] {
        let server = echo(far);
        let relay = Running::start(&["relay", "ws://127.0.0.1:0", &server.address()]);
        let answer = run(&["connect", &relay.address(), "--framing", "nul"], b"uno\0");
        assert_eq!(answer.success(), "uno\0", "{far}");
        assert_eq!(relay.stop().code, Some(0));
    }
}

#[test]
fn standard_input_and_output_are_a_side_either_way() {
    let server = echo("tcp://127.0.0.1:0");
    let ended = run(&["relay", "-", &server.address(), "--quiet"], b"hola");
    assert_eq!((ended.success(), ended.stderr.as_str()), ("hola", ""));
    let greet = Running::start(&["serve", "greet", "ws://127.0.0.1:0", "--quiet"]);
    let ended = run(&["relay", "-", &greet.address(), "--quiet"], b"Ana\nEva");
    assert_eq!(ended.success(), "Hola Ana!\nHola Eva!\n");

    let mut relay = Running::start(&["relay", "tcp://127.0.0.1:0", "-"]);
    let address = relay.address();
    let mut client = TcpStream::connect(&address["tcp://".len()..]).expect("it listens");
    client.write_all(b"from there\n").expect("sent");
    assert_eq!(relay.line(), "from there");
    relay.write(b"from here\n");
    let mut line = String::new();
    BufReader::new(&client).read_line(&mut line).expect("a line");
    assert_eq!(line, "from here\n");
    drop(client);
    // There is one standard input: the first client was the only one. It is still open.
    let _input = relay.take_stdin();
    assert_eq!(relay.end().code, Some(0));
}

#[test]
fn a_reader_of_the_output_that_leaves_ends_the_relay_well() {
    let server = Running::start(&["serve", "random", "ws://127.0.0.1:0", "--interval", "1ms"]);
    let mut command = crate::harness::enchufe(&["relay", "-", &server.address()]);
    let (input, _open) = std::io::pipe().expect("a pipe");
    command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut relay = command.spawn().expect("the program starts");
    let mut output = BufReader::new(relay.stdout.take().expect("piped"));
    let mut line = String::new();
    // As `| head -1` does.
    output.read_line(&mut line).expect("a number");
    drop(output);
    assert_eq!(relay.wait().expect("a status").code(), Some(0));
}

#[test]
fn two_servers_are_joined_by_connecting_to_both() {
    let one = TcpListener::bind("127.0.0.1:0").expect("a port");
    let other = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address =
        |listener: &TcpListener| format!("tcp://{}", listener.local_addr().expect("bound"));
    let relay =
        Running::start(&["relay", &address(&one), &address(&other), "--connect-both", "--quiet"]);
    let (mut here, _) = one.accept().expect("it connects");
    let (mut there, _) = other.accept().expect("it connects");
    here.write_all(b"hola").expect("sent");
    drop(here);
    let mut heard = String::new();
    there.read_to_string(&mut heard).expect("text");
    assert_eq!(heard, "hola");
    drop(there);
    assert_eq!(relay.end().code, Some(0));
}

#[test]
fn two_who_can_only_connect_meet() {
    let relay =
        Running::start(&["relay", "tcp://127.0.0.1:0", "ws://127.0.0.1:0", "--listen-both"]);
    let (one, other) = (relay.address(), relay.address());
    let (tcp, ws) = if one.starts_with("tcp") { (one, other) } else { (other, one) };
    let mut there = Running::start(&["connect", &ws, "--keep-open"]);
    let mut here = Running::start(&["connect", &tcp, "--keep-open"]);
    here.write(b"hola\n");
    assert_eq!(there.line(), "hola");
    there.write(b"adios\n");
    there.write(b"");
    signal(relay.id(), "TERM");
    assert_eq!(relay.end().code, Some(0));
    assert_eq!(there.end().code, Some(0));
    here.end();
}

#[test]
fn a_server_that_is_asked_to_stop_exits_with_0_and_a_client_with_its_signal() {
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let server = echo("ws://127.0.0.1:0");
        let far = server.address();
        let relay = Running::start(&["relay", "ws://127.0.0.1:0", &far]);
        let mut client = Running::start(&["connect", &relay.address(), "--keep-open"]);
        client.write(b"hola\n");
        assert_eq!(client.line(), "hola");
        signal(relay.id(), name);
        assert_eq!(relay.end().code, Some(0), "SIG{name}");
        // 1001, going away, is a normal end.
        assert_eq!(client.end().code, Some(0), "SIG{name}");
        let mut relay = Running::start(&["relay", "-", &far]);
        relay.write(b"hola\n");
        assert_eq!(relay.line(), "hola");
        signal(relay.id(), name);
        assert_eq!(relay.end().code, Some(code), "SIG{name}");
    }
}

#[test]
fn how_the_only_connection_ended_is_the_exit_code() {
    let nobody = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        format!("tcp://{}", listener.local_addr().expect("bound"))
    };
    let ended = run(&["relay", "-", &nobody], b"");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("connection refused\nhint: "), "{ended:?}");

    let relay = Running::start(&["relay", "tcp://127.0.0.1:0", &nobody, "--once"]);
    let _client = TcpStream::connect(&relay.address()["tcp://".len()..]).expect("it listens");
    let ended = relay.end();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let words = ["error: cannot connect to tcp://", "\nhint: ", "\n1 connection in "];
    let places = words.map(|word| ended.stderr.find(word));
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{ended:?}");

    let server = echo("ws://127.0.0.1:0");
    let relay = Running::start(&["relay", "ws://127.0.0.1:0", &server.address(), "--once"]);
    run(&["connect", &relay.address(), "--close", "4321:why", "--wait", "100ms"], b"x");
    let ended = relay.end();
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert!(ended.stderr.contains("the peer closed with code 4321: why"), "{ended:?}");

    let server = echo("tcp://127.0.0.1:0");
    let far = server.address();
    let mut command = crate::harness::enchufe(&["relay", "-", &far, "--idle-timeout", "50ms"]);
    // An input that neither says anything nor ends.
    let (input, _open) = std::io::pipe().expect("a pipe");
    command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
    let ended = crate::harness::wait(command.spawn().expect("the program starts"));
    assert_eq!(ended.code, Some(5), "{ended:?}");
    assert!(ended.stderr.contains("nothing came for 0.05 s"), "{ended:?}");
}

#[test]
fn the_tap_shows_both_directions_and_nothing_in_it_drives_the_terminal() {
    let server = echo("tcp://127.0.0.1:0");
    let far = server.address();
    let relay = Running::start(&["relay", "tcp://127.0.0.1:0", &far, "--tap", "text"]);
    assert_eq!(run(&["connect", &relay.address()], b"a\n\x1b[2J").success(), "a\n\x1b[2J");
    let ended = relay.stop();
    let shown: Vec<&str> = ended
        .stderr
        .lines()
        .filter_map(|line| line.split_once("Z 1 ").map(|(_, what)| what))
        .collect();
    assert!(shown[0].starts_with("+ ('127.0.0.1', "), "{shown:?}");
    assert!(shown.contains(&"> a\\n\\x1b[2J"), "{shown:?}");
    assert!(shown.contains(&"< a\\n\\x1b[2J"), "{shown:?}");
    assert!(shown.contains(&"> |") && shown.contains(&"-"), "{shown:?}");

    let relay = Running::start(&["relay", "tcp://127.0.0.1:0", &far, "--tap", "hex"]);
    run(&["connect", &relay.address()], b"hola");
    let ended = relay.stop();
    assert!(ended.stderr.contains("> bytes, 4 B\n  00000000  68 6f 6c 61 "), "{}", ended.stderr);
}

#[test]
fn a_recording_has_what_passed_is_private_and_not_overwritten() {
    let folder = folder();
    let path = folder.path().join("talk");
    let file = path.to_str().expect("text");
    let server = Running::start(&["serve", "greet", "ws://127.0.0.1:0/?token=s3cret", "--quiet"]);
    let far = server.address();
    let arguments =
        ["relay", "tcp://127.0.0.1:0", &far, "--framing", "lines", "--record", file, "--quiet"];
    let relay = Running::start(&arguments);
    assert_eq!(run(&["connect", &relay.address()], b"Ana\n").success(), "Hola Ana!\n");
    assert_eq!(relay.stop().code, Some(0));
    assert_eq!(std::fs::metadata(&path).expect("there").mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&path).expect("text");
    assert!(!text.contains("s3cret"), "{text}");
    let reader = Reader::open(&path).expect("a recording");
    assert!(reader.header().to.ends_with("/?token=REDACTED"), "{:?}", reader.header());
    let entries: Vec<_> = reader.map(|entry| entry.expect("good")).collect();
    assert!(entries.iter().all(|entry| entry.connection == 1), "{entries:?}");
    assert!(entries.is_sorted_by_key(|entry| entry.at), "{entries:?}");
    let payload = |direction, text: &'static str| What::Payload {
        direction,
        kind: Kind::Text,
        payload: text.into(),
    };
    let what: Vec<&What> = entries.iter().map(|entry| &entry.what).collect();
    assert!(matches!(what[0], What::Open { .. }), "{what:?}");
    assert!(what.contains(&&payload(Direction::Forth, "Ana")), "{what:?}");
    assert!(what.contains(&&payload(Direction::Back, "Hola Ana!")), "{what:?}");
    assert!(what.contains(&&What::End { direction: Direction::Forth }), "{what:?}");
    assert!(matches!(what[what.len() - 1], What::Close { error: None, .. }), "{what:?}");

    let ended = run(&arguments, b"");
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("the file is there already\nhint: --force"), "{ended:?}");
    assert!(!ended.stderr.contains("listening"), "refused before anybody can connect: {ended:?}");
    assert_eq!(std::fs::read_to_string(&path).expect("untouched"), text);
    let relay = Running::start(&[&arguments[..], &["--force"]].concat());
    relay.address();
    assert_eq!(relay.stop().code, Some(0));
    assert_eq!(Reader::open(&path).expect("a new one").count(), 0);
}

#[test]
fn what_cannot_be_recorded_to_is_refused_before_anybody_can_connect() {
    let folder = folder();
    let link = folder.path().join("link");
    std::os::unix::fs::symlink("nowhere", &link).expect("a link");
    let nowhere = folder.path().join("no folder").join("talk");
    for (path, force, said) in [
        (nowhere.as_path(), false, "No such file"),
        (&link, false, "the file is there already"),
        (&link, true, "what is there is no file"),
        (folder.path(), true, "what is there is no file"),
    ] {
        let file = path.to_str().expect("text");
        let mut words = vec!["relay", "tcp://127.0.0.1:0", "tcp://localhost:1", "--record", file];
        words.extend(force.then_some("--force"));
        let ended = run(&words, b"");
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains(&format!("cannot record to {file}: {said}")), "{ended:?}");
        assert!(!ended.stderr.contains("listening"), "{ended:?}");
    }
}

#[test]
fn a_recording_that_cannot_be_written_is_said_and_the_traffic_goes_on() {
    let server = echo("tcp://127.0.0.1:0");
    let far = server.address();
    let relay = Running::start(&["relay", "tcp://127.0.0.1:0", &far, "--record", "/dev/full"]);
    // The first line fails already: a disk that is full.
    let ended = relay.end();
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("cannot record to /dev/full"), "{ended:?}");
}

#[test]
fn what_was_relayed_is_json_for_programs() {
    let server = echo("ws://127.0.0.1:0");
    let relay = Running::start(&["relay", "ws://127.0.0.1:0", &server.address(), "--json"]);
    assert_eq!(run(&["connect", &relay.address()], b"hola\n").success(), "hola\n");
    let next = || -> serde_json::Value { serde_json::from_str(&relay.line()).expect("JSON") };
    let open = next();
    assert_eq!((&open["event"], &open["conn"]), (&"open".into(), &1.into()), "{open}");
    let close = next();
    assert_eq!((&close["event"], &close["code"]), (&"close".into(), &1000.into()), "{close}");
    assert_eq!((&close["forth"]["bytes"], &close["back"]["messages"]), (&4.into(), &1.into()));
    signal(relay.id(), "TERM");
    let sum = next();
    assert_eq!((&sum["event"], &sum["connections"]), (&"sum".into(), &1.into()), "{sum}");
    assert_eq!(relay.end().code, Some(0));
}

#[test]
fn tls_stands_in_front_of_what_has_none() {
    let folder = folder();
    let server = echo("tcp://127.0.0.1:0");
    let mut command =
        crate::harness::enchufe(&["relay", "wss://127.0.0.1:0", &server.address(), "--tls-dev"]);
    command.env("XDG_STATE_HOME", folder.path());
    let relay = Running::start_command(command);
    let near = relay.address();
    assert_eq!(run(&["connect", &near, "--insecure"], b"hola\n").success(), "hola\n");
    // And a client that knows no TLS, in front of one that does.
    let plain = Running::start(&["relay", "tcp://127.0.0.1:0", &near, "--insecure"]);
    assert_eq!(run(&["connect", &plain.address()], b"hola").success(), "hola");
    assert_eq!(plain.stop().code, Some(0));
    assert_eq!(relay.stop().code, Some(0));
}

#[test]
fn a_stream_over_tls_that_is_cut_off_does_not_look_like_a_whole() {
    let folder = folder();
    let nobody = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        format!("tcp://{}", listener.local_addr().expect("bound"))
    };
    let server = echo("tcp://127.0.0.1:0");
    for (far, code) in [(server.address(), Some(0)), (nobody, Some(1))] {
        let arguments = ["relay", "tls://127.0.0.1:0", &far, "--tls-dev"];
        let mut command = crate::harness::enchufe(&arguments);
        command.env("XDG_STATE_HOME", folder.path());
        let relay = Running::start_command(command);
        let ended = run(&["connect", &relay.address(), "--insecure"], b"hola");
        assert_eq!(ended.code, code, "{ended:?}");
        assert_eq!(ended.text(), if code == Some(0) { "hola" } else { "" }, "{ended:?}");
        assert_eq!(relay.stop().code, Some(0));
    }
}

#[test]
fn the_flags_of_sockets_are_for_the_side_they_mean_something_for() {
    let server = echo("tcp://127.0.0.1:0");
    let far = server.address();
    let flags = ["--keepalive", "30s", "--backlog", "16", "--bind", "127.0.0.1", "-4"];
    let relay = Running::start(&[&["relay", "tcp://127.0.0.1:0", &far], &flags[..]].concat());
    assert_eq!(run(&["connect", &relay.address()], b"hola").success(), "hola");
    assert_eq!(relay.stop().code, Some(0));
    for (arguments, said) in [
        (&["-", "tcp://localhost:1", "--backlog", "9"][..], "--backlog cannot"),
        (&["unix:/a", "unix:/b", "--keepalive", "9s"], "--keepalive cannot"),
        (&["tcp://127.0.0.1:0", "unix:/b", "--bind", "127.0.0.1"], "--bind cannot"),
    ] {
        let ended = run(&[&["relay"], arguments].concat(), b"");
        assert_eq!(ended.code, Some(2), "{arguments:?}: {ended:?}");
        assert!(ended.stderr.contains(said), "{arguments:?}: {ended:?}");
    }
}

#[test]
fn flags_without_a_meaning_here_are_misplaced() {
    for (arguments, said) in [
        (&["tcp://127.0.0.1:0", "tcp://localhost:1", "--binary"][..], "--binary cannot"),
        (&["udp://127.0.0.1:0", "ws://localhost:1", "--framing", "nul"], "--framing cannot"),
        (&["-", "tcp://localhost:1", "--once"], "--once cannot"),
        (&["-", "tcp://localhost:1", "--json"], "--json cannot"),
        (&["tcp://127.0.0.1:0", "-", "--listen-both"], "--listen-both cannot"),
        (&["ws://127.0.0.1:0", "tcp://localhost:1", "--header", "a: b"], "--header cannot"),
        (
            &["tcp://127.0.0.1:0", "ws://localhost:1", "--allow-origin", "*"],
            "--allow-origin cannot",
        ),
        (&["ws://127.0.0.1:0", "tcp://localhost:1", "--insecure"], "--insecure cannot"),
        (&["-", "-"], "- cannot be used with -"),
        (&["1", "ws://localhost:1", "--record", "a", "--max-message", "9M"], "--record"),
        (&["tcp://127.0.0.1:0", "tcp://localhost:0"], "port 0 can be served"),
        (&["tcp://127.0.0.1:0", "tcp://localhost:1", "--force"], "missing: --record"),
        (&["a:1", "b:1", "--connect-both", "--listen-both"], "cannot be used with"),
    ] {
        let ended = run(&[&["relay"], arguments].concat(), b"");
        assert_eq!(ended.code, Some(2), "{arguments:?}: {ended:?}");
        assert!(ended.stderr.contains(said), "{arguments:?}: {ended:?}");
    }
}

#[test]
fn the_other_side_is_waited_for_as_long_as_is_said() {
    // It takes the connection and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let far = format!("ws://{}", silent.local_addr().expect("bound"));
    for arguments in [&["-", far.as_str()][..], &["exec:cat", &far]] {
        let ended = run(&[&["relay"], arguments, &["--timeout", "50ms"]].concat(), b"");
        assert_eq!(ended.code, Some(5), "{ended:?}");
        assert!(ended.stderr.contains("no answer within 0.05 s"), "{ended:?}");
    }
    let relay = Running::start(&["relay", "ws://127.0.0.1:0", &far, "--timeout", "50ms"]);
    let client = run(&["connect", &relay.address(), "--keep-open"], b"");
    assert_eq!(client.code, Some(4), "{client:?}");
    assert!(client.stderr.contains("the other side did not answer in time"), "{client:?}");
    assert_eq!(relay.stop().code, Some(0));
}

#[test]
fn a_message_is_as_long_as_is_said_and_no_longer_on_either_side() {
    // Each side in turn has one that is too long.
    let talk = "printf 'short\\n'; printf 'much too long\\n'; cat >/dev/null";
    let source = Running::start(&["serve", "exec", "ws://127.0.0.1:0", "--", "sh", "-c", talk]);
    let echo = echo("ws://127.0.0.1:0");
    let flags = ["--once", "--max-message", "10"];
    for (far, input) in [(echo.address(), &b"short\nmuch too long\n"[..]), (source.address(), b"")]
    {
        let relay = Running::start(&[&["relay", "ws://127.0.0.1:0", &far], &flags[..]].concat());
        let client = run(&["connect", &relay.address(), "--keep-open"], input);
        // What came before may have been under way still.
        assert!(["", "short\n"].contains(&client.text()), "{far}: {client:?}");
        assert_eq!(client.code, Some(4), "{far}: {client:?}");
        let ended = relay.end();
        assert_eq!(ended.code, Some(4), "{ended:?}");
        assert!(ended.stderr.contains("longer than the limit of 10"), "{ended:?}");
    }
    // And what is longer than the default passes when it is let.
    let long = "x".repeat((1 << 20) + 1) + "\n";
    let server = Running::start(&["serve", "echo", "ws://127.0.0.1:0", "--max-message", "2M"]);
    let far = server.address();
    for (flags, is_let) in [(&["--max-message", "2M"][..], true), (&[], false)] {
        let relay = Running::start(&[&["relay", "ws://127.0.0.1:0", &far], flags].concat());
        let near = relay.address();
        let words = ["connect", &near, "--max-message", "2M", "--count", "1"];
        let client = run(&words, long.as_bytes());
        assert_eq!(client.text() == long, is_let, "{:?}, {}", client.code, client.stderr);
    }
}

#[test]
fn a_subprotocol_is_asked_for_on_one_side_and_agreed_to_on_the_other() {
    let told = "echo \"$HTTP_SEC_WEBSOCKET_PROTOCOL\"; cat >/dev/null";
    let asked = Running::start(&["serve", "exec", "ws://127.0.0.1:0", "--", "sh", "-c", told]);
    let words = ["relay", "tcp://127.0.0.1:0", &asked.address(), "--protocol", "chat"];
    let relay = Running::start(&[&words[..], &["--framing", "lines"]].concat());
    let client = TcpStream::connect(&relay.address()["tcp://".len()..]).expect("it listens");
    let mut line = String::new();
    BufReader::new(&client).read_line(&mut line).expect("a line");
    assert_eq!(line, "chat\n", "the far side is asked for it");
    drop(client);

    let server = echo("tcp://127.0.0.1:0");
    let words = ["relay", "ws://127.0.0.1:0", &server.address(), "--protocol", "chat"];
    let relay = Running::start(&words);
    let near = relay.address();
    for (offered, agreed) in [("other, chat", Some("chat")), ("other", None)] {
        let client = TcpStream::connect(&near["ws://".len()..]).expect("it listens");
        let request = format!(
            "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Protocol: {offered}\r\n\r\n"
        );
        (&client).write_all(request.as_bytes()).expect("it is open");
        let lines = BufReader::new(&client).lines().map(|line| line.expect("text"));
        let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
        assert!(head[0].starts_with("HTTP/1.1 101 "), "{head:?}");
        let said = head.iter().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("sec-websocket-protocol").then_some(value)
        });
        assert_eq!(said, agreed, "{head:?}");
    }
}

#[test]
fn it_is_said_in_spanish_too() {
    let server = echo("tcp://127.0.0.1:0");
    let relay = Running::start(&["--lang=es", "relay", "tcp://127.0.0.1:0", &server.address()]);
    assert_eq!(run(&["connect", &relay.address()], b"hola").success(), "hola");
    let ended = relay.stop();
    assert!(ended.stderr.contains("1 conexión en "), "{ended:?}");
    assert!(ended.stderr.contains("4 B de ida, 4 B de vuelta"), "{ended:?}");
}
