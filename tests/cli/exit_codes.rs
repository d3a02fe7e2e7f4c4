//! Every exit code of `connect`, over every transport that can end so.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, UdpSocket},
    os::unix::net::{UnixDatagram, UnixListener},
    path::Path,
    sync::mpsc,
    thread,
};

use tempfile::TempDir;

use crate::{
    connect::peers::{answering, closing, tcp_server, ws_server},
    harness::{Ended, Running, enchufe, run, signal},
};

/// The transports, by what stands before the place in their addresses.
const SCHEMES: [&str; 9] =
    ["tcp", "tls", "udp", "unix", "unixgram", "ws", "wss", "ws+unix", "wss+unix"];

/// Those of them that carry WebSocket.
const WS_SCHEMES: [&str; 4] = ["ws", "wss", "ws+unix", "wss+unix"];

/// The flags that make a client trust a development certificate.
fn trusting(address: &str) -> Vec<&str> {
    let secure = ["wss:", "wss+unix:", "tls:"];
    let is_secure = secure.iter().any(|scheme| address.starts_with(scheme));
    [&["connect", address][..], if is_secure { &["--insecure"] } else { &[] }].concat()
}

/// `connect` with further flags, without the warning that nobody is distrusted.
fn connect(address: &str, more: &[&str], input: &[u8]) -> Ended {
    let mut ended = run(&[&trusting(address), more].concat(), input);
    let rest = ended.stderr.lines().filter(|line| !line.starts_with("warning: --insecure"));
    ended.stderr = rest.map(|line| format!("{line}\n")).collect();
    ended
}

/// An echo server over this transport.
fn echo(scheme: &str, folder: &TempDir) -> (Running, String) {
    echo_with(scheme, folder, &[])
}

/// An echo server over this transport, with further flags.
fn echo_with(scheme: &str, folder: &TempDir, flags: &[&str]) -> (Running, String) {
    let address = match scheme {
        "unix" | "unixgram" | "ws+unix" | "wss+unix" => {
            format!("{scheme}:{}", folder.path().join(scheme).display())
        }
        _ => format!("{scheme}://127.0.0.1:0"),
    };
    let mut command = enchufe(&[&["serve", "echo", &address], flags].concat());
    if matches!(scheme, "wss" | "wss+unix" | "tls") {
        command.arg("--tls-dev").env("XDG_STATE_HOME", folder.path());
    }
    let server = Running::start_command(command);
    let address = server.address();
    (server, address)
}

/// Where nobody listens.
fn nobody(scheme: &str, folder: &TempDir) -> String {
    let free_port = || {
        let socket = TcpListener::bind("127.0.0.1:0").expect("a port");
        socket.local_addr().expect("an address")
    };
    match scheme {
        "unix" | "unixgram" | "ws+unix" | "wss+unix" => {
            format!("{scheme}:{}", folder.path().join("nobody").display())
        }
        "udp" => {
            let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
            format!("udp://{}", socket.local_addr().expect("an address"))
        }
        _ => format!("{scheme}://{}", free_port()),
    }
}

/// Somebody who takes everything and says nothing, until the sender is dropped.
fn silent(scheme: &str, path: &Path) -> (String, mpsc::Sender<()>) {
    let (done, wait) = mpsc::channel::<()>();
    let hold = move || {
        let _ = wait.recv();
    };
    let address = match scheme {
        "tcp" => tcp_server(move |_stream| hold()),
        "ws" => ws_server(move |_ws| hold()),
        "udp" => {
            let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
            let address = format!("udp://{}", socket.local_addr().expect("an address"));
            thread::spawn(move || {
                let _socket = socket;
                hold();
            });
            address
        }
        "unixgram" => {
            let socket = UnixDatagram::bind(path).expect("a socket");
            thread::spawn(move || {
                let _socket = socket;
                hold();
            });
            format!("unixgram:{}", path.display())
        }
        _ => {
            let listener = UnixListener::bind(path).expect("a socket");
            thread::spawn(move || {
                let _stream = listener.accept().expect("a client");
                hold();
            });
            format!("unix:{}", path.display())
        }
    };
    (address, done)
}

#[test]
fn code_0_is_a_reply_and_the_end() {
    for scheme in SCHEMES {
        let folder = tempfile::tempdir().expect("a folder");
        let (_server, address) = echo(scheme, &folder);
        let ended = connect(&address, &[], b"hola\n");
        assert_eq!((ended.success(), ended.stderr.as_str()), ("hola\n", ""), "{scheme}");
        let ended = connect(&address, &["--count=2"], b"uno\ndos\n");
        assert_eq!(ended.success().len(), "uno\ndos\n".len(), "{scheme}");
    }
}

#[test]
fn code_1_is_nobody_there() {
    for scheme in SCHEMES {
        let folder = tempfile::tempdir().expect("a folder");
        let ended = connect(&nobody(scheme, &folder), &["--wait=20s"], b"hola\n");
        assert_eq!((ended.code, ended.text()), (Some(1), ""), "{scheme}: {ended:?}");
        assert!(ended.stderr.starts_with("error: "), "{scheme}: {ended:?}");
    }
}

#[test]
fn code_1_is_a_stream_that_is_reset() {
    let reset = |mut stream: std::net::TcpStream| {
        stream.read_exact(&mut [0]).expect("the client is there");
        let socket = socket2::SockRef::from(&stream);
        socket.set_linger(Some(std::time::Duration::ZERO)).expect("linger");
    };
    let ended = connect(&tcp_server(reset), &[], b"x");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("reset the connection"), "{ended:?}");
}

#[test]
fn code_1_is_a_stream_that_is_turned_away() {
    let folder = tempfile::tempdir().expect("a folder");
    for service in [&["serve", "echo"][..], &["relay"]] {
        let far = Running::start(&["serve", "echo", "tcp://127.0.0.1:0"]);
        let far = far.address();
        for scheme in ["tcp", "tls"] {
            let near = format!("{scheme}://127.0.0.1:0");
            let mut words = [service, &[near.as_str(), "--max-connections", "1"]].concat();
            words.extend((service == ["relay"]).then_some(far.as_str()));
            words.extend((scheme == "tls").then_some("--tls-dev"));
            let mut command = crate::harness::enchufe(&words);
            command.env("XDG_STATE_HOME", folder.path());
            let server = Running::start_command(command);
            let address = server.address();
            let trust: &[&str] = if scheme == "tls" { &["--insecure"] } else { &[] };
            let flags = [&["connect", &address, "--keep-open"], trust].concat();
            let mut first = Running::start(&flags);
            first.write(b"hola\n");
            assert_eq!(first.line(), "hola");
            let ended = run(&flags, b"");
            // It may be reset before the client knows that it is connected.
            assert_eq!((ended.code, ended.text()), (Some(1), ""), "{words:?}: {ended:?}");
            assert!(ended.stderr.contains("reset"), "{words:?}: {ended:?}");
        }
    }
}

#[test]
fn code_2_is_an_address_or_a_flag_that_cannot_be_meant() {
    for address in [
        "tcp://localhost:0",
        "udp://localhost",
        "unix:",
        "unixgram:@",
        "ws://localhost:0",
        "wss://",
        "exec:",
        "exec:sh -c 'unfinished",
        "file:",
        "-",
    ] {
        let ended = connect(address, &[], b"hola\n");
        assert_eq!((ended.code, ended.text()), (Some(2), ""), "{address}: {ended:?}");
    }
    for scheme in ["tcp", "udp", "unix", "unixgram"] {
        let folder = tempfile::tempdir().expect("a folder");
        let ended = connect(&nobody(scheme, &folder), &["--compress"], b"hola\n");
        assert_eq!(ended.code, Some(2), "{scheme}: {ended:?}");
    }
    for flags in [
        &["--within=1s"][..],
        &["--speed=2"],
        &["--count=2", "--keep-open"],
        &["--hex", "--json"],
        &["--expect=("],
    ] {
        let ended = connect("tcp://localhost:1", flags, b"");
        assert_eq!(ended.code, Some(2), "{flags:?}: {ended:?}");
    }
}

#[test]
fn code_3_is_a_refusal_in_http() {
    let refusal = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
    let ended = connect(&answering(refusal), &[], b"hola\n");
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stderr.contains("403"), "{ended:?}");
    for scheme in WS_SCHEMES {
        let folder = tempfile::tempdir().expect("a folder");
        let (_server, address) = echo(scheme, &folder);
        let ended = connect(&address, &["--origin=https://elsewhere.example"], b"hola\n");
        assert_eq!((ended.code, ended.text()), (Some(3), ""), "{scheme}: {ended:?}");
        assert!(ended.stderr.contains("403"), "{scheme}: {ended:?}");
    }
}

#[test]
fn code_4_is_a_close_with_a_code_or_without_one() {
    let ended = connect(&closing(4321, "enough"), &[], b"");
    assert_eq!(ended.code, Some(4));
    assert_eq!(ended.stderr, "error: the peer closed with code 4321: enough\n");
    let ended = connect(&ws_server(drop), &[], b"");
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert!(ended.stderr.contains("without closing it"), "{ended:?}");
    for scheme in WS_SCHEMES {
        let folder = tempfile::tempdir().expect("a folder");
        let (_server, address) = echo_with(scheme, &folder, &["--max-message=1K"]);
        let ended = connect(&address, &[], &[b'x'; 2000]);
        assert_eq!((ended.code, ended.text()), (Some(4), ""), "{scheme}: {ended:?}");
        assert!(ended.stderr.contains("code 1009"), "{scheme}: {ended:?}");
    }
}

#[test]
fn a_server_that_is_killed_ends_each_transport_in_its_own_way() {
    for (scheme, code) in [
        // It looks like one that has merely nothing more to say.
        ("tcp", 0),
        ("unix", 0),
        // Its goodbye is missing.
        ("tls", 4),
        ("ws", 4),
        ("wss", 4),
        ("ws+unix", 4),
        ("wss+unix", 4),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let (server, address) = echo(scheme, &folder);
        let mut client = Running::start(&trusting(&address));
        client.write(b"hola\n");
        assert_eq!(client.line(), "hola", "{scheme}");
        signal(server.id(), "KILL");
        let killed = server.end();
        let ended = client.end();
        assert_eq!((killed.code, ended.code), (None, Some(code)), "{scheme}: {ended:?}");
    }
}

#[test]
fn a_program_has_the_codes_of_a_stream_and_its_own_failures() {
    assert_eq!(connect("exec:cat", &[], b"hola\n").success(), "hola\n");
    let missing = connect("exec:no-such-program-of-ours", &[], b"hola\n");
    assert_eq!((missing.code, missing.text()), (Some(2), ""), "{missing:?}");
    for end in ["exit 3", "kill -9 $$"] {
        let failed = connect(&format!("exec:sh -c 'echo hola; {end}'"), &[], b"");
        assert_eq!((failed.code, failed.text()), (Some(4), "hola\n"), "{failed:?}");
    }
    let silent = connect("exec:sleep 1000", &["--wait=50ms"], b"hola\n");
    assert_eq!((silent.code, silent.text()), (Some(5), ""), "{silent:?}");
    let unmet = connect("exec:cat", &["--expect=adios"], b"hola\n");
    assert_eq!((unmet.code, unmet.text()), (Some(6), "hola\n"), "{unmet:?}");
    for (name, code) in [("HUP", 129), ("INT", 130), ("TERM", 143)] {
        let mut client = Running::start(&["connect", "exec:cat"]);
        client.write(b"hola\n");
        assert_eq!(client.line(), "hola");
        let _input = client.take_stdin();
        signal(client.id(), name);
        assert_eq!(client.end().code, Some(code), "SIG{name}");
    }
}

#[test]
fn a_file_has_the_codes_of_a_stream_and_is_no_peer_that_refuses() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("said");
    std::fs::write(&path, "hola\n").expect("written");
    let address = format!("file:{}", path.display());
    assert_eq!(connect(&address, &[], b"").success(), "hola\n");
    for path in [folder.path().join("nothing"), folder.path().to_owned()] {
        let ended = connect(&format!("file:{}", path.display()), &[], b"");
        assert_eq!((ended.code, ended.text()), (Some(2), ""), "{ended:?}");
    }
    let unmet = connect(&address, &["--expect=adios"], b"");
    assert_eq!((unmet.code, unmet.text()), (Some(6), "hola\n"), "{unmet:?}");
    for (name, code) in [("HUP", 129), ("INT", 130), ("TERM", 143)] {
        let mut client = Running::start(&["connect", "--follow", &address]);
        assert_eq!(client.line(), "hola");
        let _input = client.take_stdin();
        signal(client.id(), name);
        assert_eq!(client.end().code, Some(code), "SIG{name}");
    }
}

#[test]
fn code_1_is_a_name_that_does_not_resolve_and_code_2_a_file_that_cannot_be_read() {
    for scheme in ["tcp", "tls", "udp", "ws", "wss"] {
        // A part of it is longer than one can be, so that no name server is asked.
        let address = format!("{scheme}://{}.invalid:1", "a".repeat(64));
        let ended = connect(&address, &[], b"hola\n");
        assert_eq!((ended.code, ended.text()), (Some(1), ""), "{scheme}: {ended:?}");
        let said = format!("error: cannot connect to {address}: ");
        assert!(ended.stderr.starts_with(&said), "{scheme}: {ended:?}");
    }
    for scheme in ["tls", "wss", "wss+unix"] {
        let folder = tempfile::tempdir().expect("a folder");
        let (_server, address) = echo(scheme, &folder);
        // Nobody has said that this server is to be trusted.
        let ended = run(&["connect", &address], b"hola\n");
        assert_eq!((ended.code, ended.text()), (Some(1), ""), "{scheme}: {ended:?}");
        let ended = run(&["connect", &address, "--ca=/no/such/file"], b"hola\n");
        assert_eq!((ended.code, ended.text()), (Some(2), ""), "{scheme}: {ended:?}");
    }
    let ended = connect("tcp://localhost:1", &["--replay=/no/such/file"], b"");
    assert_eq!(ended.code, Some(2), "{ended:?}");
}

#[test]
fn code_5_is_nothing_in_time() {
    for scheme in ["tcp", "udp", "unix", "unixgram", "ws"] {
        let folder = tempfile::tempdir().expect("a folder");
        let (address, _done) = silent(scheme, &folder.path().join("silent"));
        let ended = connect(&address, &["--wait=50ms"], b"hola\n");
        assert_eq!((ended.code, ended.text()), (Some(5), ""), "{scheme}: {ended:?}");
        assert!(ended.stderr.starts_with("error: no reply came within 0.05 s\n"), "{ended:?}");
    }
    let (done, wait) = mpsc::channel::<()>();
    let address = tcp_server(move |_stream| {
        let _ = wait.recv();
    });
    let ended = connect(&address.replace("tcp:", "ws:"), &["--timeout=50ms"], b"");
    assert_eq!(ended.code, Some(5), "{ended:?}");
    drop(done);
    // TLS waits for the server's first words, too.
    for scheme in ["tls", "wss"] {
        let folder = tempfile::tempdir().expect("a folder");
        let (address, _done) = silent("tcp", folder.path());
        let ended =
            connect(&address.replace("tcp:", &format!("{scheme}:")), &["--timeout=50ms"], b"");
        assert_eq!(ended.code, Some(5), "{scheme}: {ended:?}");
    }
    // A server that is connected to, and answers no pings.
    let folder = tempfile::tempdir().expect("a folder");
    let (address, _done) = silent("ws", folder.path());
    let ended = connect(&address, &["--ping-interval=50ms"], b"");
    assert_eq!((ended.code, ended.text()), (Some(5), ""), "{ended:?}");
}

#[test]
fn code_6_is_an_expectation_that_was_not_met_and_code_0_one_that_was() {
    for scheme in SCHEMES {
        let folder = tempfile::tempdir().expect("a folder");
        let (_server, address) = echo(scheme, &folder);
        let flags = ["--expect=^adi[oó]s$", "--within=1h"];
        let ended = connect(&address, &[&flags[..], &["--count=1"]].concat(), b"hola\n");
        assert_eq!((ended.code, ended.text()), (Some(6), "hola\n"), "{scheme}: {ended:?}");
        assert!(ended.stderr.contains("\n  < hola\n"), "{scheme}: {ended:?}");
        let ended = connect(&address, &flags, b"hola\nadi\xc3\xb3s\n");
        assert_eq!(ended.code, Some(0), "{scheme}: {ended:?}");
    }
}

#[test]
fn codes_129_130_and_143_are_a_client_that_was_stopped() {
    for scheme in SCHEMES {
        let folder = tempfile::tempdir().expect("a folder");
        let (_server, address) = echo(scheme, &folder);
        for (name, code) in [("HUP", 129), ("INT", 130), ("TERM", 143)] {
            let mut client = Running::start(&trusting(&address));
            client.write(b"hola\n");
            assert_eq!(client.line(), "hola", "{scheme}");
            // The end of its input would be a reason to end, too.
            let _input = client.take_stdin();
            signal(client.id(), name);
            assert_eq!(client.end().code, Some(code), "{scheme}, SIG{name}");
        }
    }
}

#[test]
fn a_stream_that_closes_on_what_it_has_not_read_still_says_what_it_said() {
    let address = tcp_server(|mut stream| {
        stream.write_all(b"bye\n").expect("sent");
    });
    let ended = connect(&address, &[], b"");
    assert_eq!((ended.code, ended.text()), (Some(0), "bye\n"), "{ended:?}");
}
