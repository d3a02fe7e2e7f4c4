//! `enchufe serve`: the tutorial's lines, many addresses, and its end.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    process::Stdio,
};

use crate::harness::{Running, enchufe, run, signal};

/// `tcp://127.0.0.1:1234` → a connection.
fn open(address: &str) -> TcpStream {
    let endpoint = address.split_once("://").expect("a scheme").1;
    TcpStream::connect(endpoint).expect("it listens")
}

fn text_of(mut stream: &TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("text until the end");
    text
}

#[test]
fn echo_says_who_connected_in_the_words_of_the_tutorial() {
    for (language, said) in [("es", "Conectado IP: "), ("en", "Connected by ")] {
        let server = Running::start(&["--lang", language, "serve", "echo", "tcp://127.0.0.1:0"]);
        let mut client = open(&server.address());
        client.write_all(b"Hello, world").expect("it reads");
        client.shutdown(std::net::Shutdown::Write).expect("half closed");
        assert_eq!(text_of(&client), "Hello, world");
        let port = client.local_addr().expect("an address").port();
        assert_eq!(server.line(), format!("{said}('127.0.0.1', {port})"));
        assert_eq!(server.stop().code, Some(0));
    }
}

#[test]
fn an_ipv6_client_is_shown_as_the_four_part_tuple() {
    let server = Running::start(&["serve", "echo", "tcp://[::1]:0"]);
    let client = open(&server.address());
    let port = client.local_addr().expect("an address").port();
    assert_eq!(server.line(), format!("Connected by ('::1', {port}, 0, 0)"));
}

#[test]
fn greet_prints_what_it_received_and_sent_on_every_transport() {
    for address in ["tcp://127.0.0.1:0", "udp://127.0.0.1:0", "ws://127.0.0.1:0"] {
        let server = Running::start(&["serve", "greet", address]);
        let reply = run(&["connect", &server.address()], b"Ana\n");
        // A stream ends when the peer closes, the rest after a second of silence.
        assert_eq!(reply.success(), "Hola Ana!\n", "{address}");
        assert_eq!([server.line(), server.line()], ["< Ana", "> Hola Ana!"], "{address}");
        assert_eq!(server.stop().code, Some(0));
    }
}

#[test]
fn a_name_cannot_forge_a_line() {
    let server = Running::start(&["serve", "greet", "udp://127.0.0.1:0"]);
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
    let endpoint = server.address();
    let endpoint = endpoint.strip_prefix("udp://").expect("udp");
    socket.send_to(b"Ana\n> Hola Eva!\x1b[2J", endpoint).expect("sent");
    assert_eq!(server.line(), "< Ana\\n> Hola Eva!\\x1b[2J");
    assert_eq!(server.line(), "> Hola Ana\\n> Hola Eva!\\x1b[2J!");
    let mut answer = [0; 100];
    let len = socket.recv(&mut answer).expect("an answer");
    assert_eq!(&answer[..len], b"Hola Ana\n> Hola Eva!\x1b[2J!", "data stays as it is");
}

#[test]
fn random_prints_each_number_that_it_sends() {
    let server = Running::start(&[
        "serve",
        "random",
        "ws://127.0.0.1:0",
        "--value",
        "7",
        "--interval",
        "1ms",
    ]);
    let reply = run(&["connect", &server.address(), "--count", "3"], b"");
    assert_eq!(reply.success(), "7\n7\n7\n");
    assert_eq!(server.line(), "7");
}

#[test]
fn clock_tells_the_time_as_the_tutorial_does() {
    let server = Running::start(&["serve", "clock", "ws://127.0.0.1:0", "--interval", "1ms"]);
    let reply = run(&["connect", &server.address(), "--count", "2"], b"");
    for line in reply.success().lines() {
        let shape: String =
            line.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert_eq!(shape, "0000-00-00T00:00:00.000000Z", "{line}");
    }
}

#[test]
fn one_service_on_several_addresses() {
    let folder = tempfile::tempdir().expect("a folder");
    let unix = format!("unix:{}", folder.path().join("echo").display());
    let server =
        Running::start(&["serve", "echo", "tcp://127.0.0.1:0", &unix, "udp://127.0.0.1:0"]);
    for scheme in ["tcp://", "unix:", "udp://"] {
        let address = server.address();
        assert!(address.starts_with(scheme), "{address}");
        assert_eq!(run(&["connect", &address], b"hola").success().trim_end(), "hola");
    }
    assert_eq!(server.stop().code, Some(0));
    assert!(!folder.path().join("echo").exists(), "the socket file is removed");
}

#[test]
fn quiet_prints_nothing_on_standard_output() {
    let server = Running::start(&["serve", "echo", "tcp://127.0.0.1:0", "--quiet"]);
    assert_eq!(run(&["connect", &server.address()], b"x").success(), "x");
    assert_eq!(server.stop().text(), "");
}

#[test]
fn quiet_says_where_it_listens_only_when_the_system_chose_the_port() {
    let folder = tempfile::tempdir().expect("a folder");
    for service in ["echo", "broadcast"] {
        let unix = format!("unix:{}", folder.path().join(service).display());
        let words = ["serve", service, &unix, "tcp://127.0.0.1:0", "--quiet"];
        let server = Running::start(&words);
        // The Unix-domain socket comes first, and is not said.
        let address = server.address();
        assert!(address.starts_with("tcp://127.0.0.1:") && !address.ends_with(":0"), "{address}");
        for address in [&unix, &address] {
            assert_eq!(run(&["connect", address, "--count=1"], b"x\n").success(), "x\n");
        }
        let ended = server.stop();
        assert_eq!((ended.code, ended.text(), ended.stderr.as_str()), (Some(0), "", ""));
    }
}

#[test]
fn once_ends_after_the_first_client() {
    let server = Running::start(&["serve", "echo", "tcp://127.0.0.1:0", "--once"]);
    assert_eq!(run(&["connect", &server.address()], b"x").success(), "x");
    assert_eq!(server.end().code, Some(0));
}

#[test]
fn a_server_that_is_asked_to_stop_ends_well_and_tells_its_clients() {
    for name in ["INT", "TERM"] {
        let server = Running::start(&["serve", "echo", "ws://127.0.0.1:0"]);
        let mut client = Running::start(&["connect", &server.address(), "--keep-open"]);
        client.write(b"hola\n");
        assert_eq!(client.line(), "hola");
        signal(server.id(), name);
        assert_eq!(server.end().code, Some(0), "SIG{name}");
        // 1001, going away, is a normal end.
        assert_eq!(client.end().code, Some(0), "SIG{name}");
    }
}

#[test]
fn a_reader_of_the_lines_that_leaves_ends_the_server_well() {
    let mut command = enchufe(&["serve", "random", "tcp://127.0.0.1:0", "--interval", "1ms"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut server = command.spawn().expect("the program starts");
    // As `| head -0` does.
    drop(server.stdout.take());
    let mut stderr = server.stderr.take().expect("piped");
    let mut said = [0; 200];
    let len = stderr.read(&mut said).expect("where it listens");
    let said = std::str::from_utf8(&said[..len]).expect("text");
    let address = said.trim_end().strip_prefix("listening on ").expect("an address");
    let client = open(address);
    assert_eq!(server.wait().expect("a status").code(), Some(0));
    drop(client);
}

#[test]
fn what_cannot_be_listened_on_is_an_error_a_hint_and_exit_code_1() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("tcp://{}", taken.local_addr().expect("an address"));
    let ended = run(&["serve", "echo", &address], b"");
    assert_eq!((ended.code, ended.text()), (Some(1), ""));
    assert_eq!(
        ended.stderr,
        format!(
            "error: cannot listen on {address}: the address is in use\n\
             hint: stop the program that listens there, or use another port\n"
        )
    );
    let ended = run(&["--lang=es", "serve", "echo", &address], b"");
    assert_eq!(
        ended.stderr,
        format!(
            "error: no se puede escuchar en {address}: la dirección está en uso\n\
             sugerencia: detén el programa que escucha ahí o usa otro puerto\n"
        )
    );
}

#[test]
fn two_words_for_one_address_get_a_hint() {
    let ended = run(&["serve", "echo", "localhost", "65432"], b"");
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.ends_with("hint: tcp://localhost:65432\n"), "{ended:?}");
}

#[test]
fn a_backlog_that_the_kernel_clips_is_warned_about() {
    let server = Running::start(&["serve", "echo", "tcp://127.0.0.1:0", "--backlog=4000000000"]);
    let notice = server.notice();
    assert!(notice.starts_with("warning: the backlog of 4000000000 is clipped to "), "{notice}");
    assert_eq!(server.stop().code, Some(0));
}

#[test]
fn standard_input_is_an_address_too() {
    assert_eq!(run(&["serve", "echo", "-", "--once", "--quiet"], b"hola").success(), "hola");
}

#[test]
fn a_client_too_many_is_turned_away() {
    let server = Running::start(&["serve", "echo", "tcp://127.0.0.1:0", "--max-connections", "1"]);
    let address = server.address();
    let first = open(&address);
    assert!(server.line().starts_with("Connected by "));
    let second = run(&["connect", &address], b"");
    assert_eq!((second.code, second.text()), (Some(1), ""), "an end would look like an answer");
    let notice = server.notice();
    assert!(notice.ends_with("was turned away: 1 clients are being served"), "{notice}");
    drop(first);
}
