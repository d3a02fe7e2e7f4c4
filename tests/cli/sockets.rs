//! The flags of sockets, and a server that runs out of descriptors.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    process::Command,
};

use crate::harness::{Running, enchufe, run};

fn refused(arguments: &[&str]) -> String {
    let ended = run(arguments, b"");
    assert_eq!(ended.code, Some(2), "{ended:?}");
    ended.stderr
}

#[test]
fn a_flag_that_means_nothing_at_an_address_is_refused_and_named() {
    for (arguments, flag) in [
        (&["serve", "echo", "unix:/tmp/x", "--keepalive", "1m"][..], "--keepalive"),
        (&["serve", "echo", "unix:/tmp/x", "--reuse-port"], "--reuse-port"),
        (&["serve", "echo", "udp://localhost:0", "--no-delay"], "--no-delay"),
        (&["serve", "echo", "udp://localhost:0", "--delay"], "--delay"),
        (&["serve", "echo", "-", "--backlog", "5"], "--backlog"),
        (&["serve", "echo", "-", "--send-buffer", "64K"], "--send-buffer"),
        (&["serve", "echo", "tcp://127.0.0.1:0", "--ipv6"], "--ipv6"),
        (&["serve", "echo", "tcp://[::1]:0", "-4"], "--ipv4"),
        (&["connect", "unix:/tmp/x", "-4"], "--ipv4"),
        (&["connect", "unixgram:/tmp/x", "--interface", "lo"], "--interface"),
        (&["connect", "ws+unix:/tmp/x", "--bind", "127.0.0.1"], "--bind"),
        (&["connect", "ws+unix:/tmp/x", "--keepalive", "1m"], "--keepalive"),
        (&["connect", "tcp://[::1]:9", "--bind", "127.0.0.1"], "--bind"),
        (&["connect", "tcp://localhost:9", "--bind", "127.0.0.1", "-6"], "--bind"),
    ] {
        let said = refused(arguments);
        assert!(said.contains(&format!("{flag} cannot be used with")), "{arguments:?}: {said}");
    }
    assert!(refused(&["connect", "tcp://localhost:9", "-4", "-6"]).contains("cannot be used with"));
    // At one of several addresses is enough.
    let folder = tempfile::tempdir().expect("a folder");
    let unix = format!("unix:{}", folder.path().join("echo").display());
    let arguments = ["serve", "echo", &unix, "tcp://127.0.0.1:0", "--keepalive", "1m"];
    let server = Running::start(&arguments);
    assert_eq!(server.address(), unix);
    assert_eq!(server.stop().code, Some(0));
}

#[test]
fn a_value_that_is_none_gets_one_shown() {
    let said = refused(&["connect", "tcp://localhost:9", "--keepalive", "1s"]);
    assert!(said.contains("'1s'") && said.contains("at least 4 seconds"), "{said}");
    let said = refused(&["connect", "tcp://localhost:9", "--bind", "localhost"]);
    assert!(said.contains("'localhost'") && said.contains("192.0.2.1:5000"), "{said}");
    let said = refused(&["--lang", "es", "connect", "tcp://localhost:9", "--bind", "x"]);
    assert!(said.contains("se espera una dirección IP"), "{said}");
}

#[test]
#[cfg(target_os = "linux")]
fn what_the_system_clips_or_does_not_have_is_said() {
    let server = Running::start(&[
        "--lang",
        "es",
        "serve",
        "echo",
        "tcp://127.0.0.1:0",
        "--backlog",
        "4000000000",
        "--receive-buffer",
        "1G",
    ]);
    let said = [server.notice(), server.notice()].join("\n");
    assert!(said.contains("backlog de 4000000000") && said.contains("somaxconn"), "{said}");
    assert!(said.contains("recepción de 1073741824") && said.contains("rmem_max"), "{said}");
    assert_eq!(server.stop().code, Some(0));

    let ended = run(&["serve", "echo", "tcp://127.0.0.1:0", "--interface", "nosuchlink"], b"");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("no network interface \"nosuchlink\""), "{}", ended.stderr);
    let ended = run(&["connect", "tcp://127.0.0.1:9", "--bind", "203.0.113.1"], b"");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("from 203.0.113.1: "), "{}", ended.stderr);
}

#[test]
fn the_options_reach_the_sockets() {
    let server = Running::start(&["serve", "echo", "tcp://localhost:0", "-4", "--keepalive", "1m"]);
    let address = server.address();
    assert!(address.starts_with("tcp://127.0.0.1:"), "{address}");
    let port = address.rsplit(':').next().expect("a port");
    let named = format!("tcp://localhost:{port}");
    let reply = run(&["connect", &named, "-4", "--bind", "127.0.0.1", "--delay"], b"hola");
    assert_eq!((reply.success(), reply.stderr.as_str()), ("hola", ""));
    let reply = run(&["connect", &named, "-6", "--timeout", "5s"], b"hola");
    assert_eq!(reply.code, Some(1), "{reply:?}");
    assert!(reply.stderr.contains("refused"), "{}", reply.stderr);
    assert_eq!(server.stop().code, Some(0));
}

#[test]
#[cfg(unix)]
fn websocket_is_served_and_reached_over_a_unix_socket() {
    let folder = tempfile::tempdir().expect("a folder");
    let address = format!("ws+unix:{}:/echo", folder.path().join("socket").display());
    let server = Running::start(&["serve", "echo", &address]);
    assert_eq!(server.address(), address);
    let reply = run(&["connect", &address, "--count", "2"], b"one\ntwo\n");
    assert_eq!((reply.success(), reply.stderr.as_str()), ("one\ntwo\n", ""));
    assert_eq!(server.line(), "Connected by unnamed");
    assert_eq!(server.stop().code, Some(0));
    assert!(!folder.path().join("socket").exists(), "the socket file is removed");
}

/// The number of descriptors that a server of these tests may have: its own and a few clients.
const DESCRIPTORS: usize = 40;

fn echoes(mut client: &TcpStream) -> bool {
    let mut answer = [0; 4];
    client.write_all(b"hola").is_ok()
        && client.read_exact(&mut answer).is_ok()
        && &answer == b"hola"
}

#[test]
#[cfg(target_os = "linux")]
fn a_server_without_descriptors_says_so_once_goes_on_and_recovers() {
    for service in ["tcp://127.0.0.1:0", "ws://127.0.0.1:0"] {
        let program = enchufe(&["serve", "echo", service, "--quiet"]);
        let mut limited = Command::new("sh");
        limited.args(["-c", &format!("ulimit -n {DESCRIPTORS}; exec \"$0\" \"$@\"")]);
        limited.arg(program.get_program()).args(program.get_args()).env_remove("ENCHUFE_LOG");
        let server = Running::start_command(limited);
        let address = server.address();
        let endpoint = address.split_once("://").expect("a scheme").1;
        let open = || TcpStream::connect(endpoint).expect("it listens, or the kernel does");
        let mut clients: Vec<TcpStream> = (0..2 * DESCRIPTORS).map(|_| open()).collect();
        let said = server.notice();
        assert!(said.contains("cannot accept connections"), "{said}");
        assert!(said.contains("os error 24"), "{said}");
        if service.starts_with("tcp") {
            // Those that are there are served on.
            assert!(echoes(&clients[0]));
            // When they leave, those that waited have their turn.
            clients.drain(..2 * DESCRIPTORS - 1);
            assert!(echoes(&clients[0]));
        }
        drop(clients);
        let said = server.notice();
        assert!(said.contains("accepted again"), "{said}");
        assert_eq!(run(&["connect", &address, "--count", "1"], b"hola\n").success(), "hola\n");
        let rest = server.stop();
        assert_eq!(
            (rest.code, rest.stderr.contains("cannot accept")),
            (Some(0), false),
            "{rest:?}"
        );
    }
}
