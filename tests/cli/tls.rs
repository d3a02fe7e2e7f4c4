//! `serve`, `feed` and `connect` with TLS.

use std::path::Path;

use crate::harness::{Ended, Running, enchufe, run, run_command};

/// Serves with a development certificate that is kept in the folder.
fn serve(folder: &Path, arguments: &[&str]) -> Running {
    let mut command = enchufe(arguments);
    command.env("XDG_STATE_HOME", folder);
    Running::start_command(command)
}

fn refused(arguments: &[&str]) -> Ended {
    let ended = run(arguments, b"");
    assert_eq!(ended.code, Some(2), "{ended:?}");
    ended
}

#[test]
fn an_address_with_tls_needs_a_certificate_and_both_ways_to_one_are_named() {
    for arguments in [
        &["serve", "echo", "tcp://127.0.0.1:0", "wss://127.0.0.1:0"][..],
        &["feed", "clock", "--listen", "https://127.0.0.1:0"],
    ] {
        let said = refused(arguments).stderr;
        assert!(said.contains("://127.0.0.1:0 needs a certificate"), "{said}");
        for flag in ["--tls-cert FILE", "--tls-key FILE", "--tls-dev"] {
            assert!(said.contains(flag), "{said}");
        }
    }
    let said = refused(&["--lang", "es", "serve", "echo", "wss://127.0.0.1:0"]).stderr;
    assert!(said.contains("necesita un certificado"), "{said}");
}

#[test]
fn the_flags_of_tls_without_an_address_that_has_it_are_misplaced() {
    for (arguments, flag) in [
        (&["serve", "echo", "ws://127.0.0.1:0", "--tls-dev"][..], "--tls-dev"),
        (&["feed", "clock", "--tls-cert", "a", "--tls-key", "b"], "--tls-cert"),
        (&["connect", "ws://127.0.0.1:1", "--insecure"], "--insecure"),
        (&["connect", "tcp://127.0.0.1:1", "--ca", "a"], "--ca"),
    ] {
        let said = refused(arguments).stderr;
        assert!(said.contains(&format!("{flag} cannot be used with")), "{said}");
    }
    let said = refused(&["serve", "echo", "wss://127.0.0.1:0", "--tls-cert", "a"]).stderr;
    assert!(said.contains("missing: --tls-key"), "{said}");
    let both = ["serve", "echo", "wss://:0", "--tls-dev", "--tls-cert", "a", "--tls-key", "b"];
    assert!(refused(&both).stderr.contains("cannot be used with"));
}

#[test]
fn files_that_cannot_be_served_with_are_named() {
    let arguments = ["serve", "echo", "wss://127.0.0.1:0", "--tls-cert", "/no", "--tls-key", "/no"];
    let said = refused(&arguments).stderr;
    assert!(said.contains("cannot read the certificate in '/no'"), "{said}");
    let said = refused(&[&["--lang", "es"], &arguments[..]].concat()).stderr;
    assert!(said.contains("no se puede leer el certificado en '/no': no existe"), "{said}");
}

#[test]
fn a_development_certificate_is_told_of_and_stays_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut fingerprints = Vec::new();
    for _ in 0..2 {
        let arguments = ["serve", "greet", "wss://127.0.0.1:0", "--tls-dev"];
        let server = serve(folder.path(), &arguments);
        let said = server.notice();
        let path = folder.path().join("enchufe").join("development.pem");
        let path = path.to_str().expect("text");
        assert!(said.contains(path) && said.contains("--ca"), "{said}");
        fingerprints.push(server.notice());
        let reply = run(&["connect", "--ca", path, &server.address()], b"Ana\n");
        assert_eq!(reply.success(), "Hola Ana!\n");
        assert!(reply.stderr.is_empty(), "{}", reply.stderr);
        assert_eq!(server.stop().code, Some(0));
    }
    assert_eq!(fingerprints[0], fingerprints[1]);
    assert!(fingerprints[0].contains("SHA-256"), "{}", fingerprints[0]);
}

#[test]
fn a_stream_over_tls_is_half_closed_and_ends_well() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = serve(folder.path(), &["serve", "echo", "tls://127.0.0.1:0", "--tls-dev"]);
    let address = server.address();
    assert!(address.starts_with("tls://127.0.0.1:"), "{address}");
    let path = folder.path().join("enchufe/development.pem");
    let path = path.to_str().expect("text");
    let bytes: Vec<u8> = (0..=255).cycle().take(3_000_000).collect();
    let reply = run(&["connect", "--ca", path, &address], &bytes);
    assert_eq!((reply.code, reply.stderr.as_str()), (Some(0), ""));
    assert!(reply.stdout == bytes);
    let reply = run(&["connect", &address], b"hola");
    assert_eq!(reply.code, Some(1), "{reply:?}");
    assert!(reply.stderr.contains("nobody who is trusted"), "{}", reply.stderr);
    let reply = run(&["connect", "--insecure", &address], b"hola");
    assert_eq!(reply.success(), "hola");
    let said = refused(&["serve", "echo", "tls://127.0.0.1:0"]).stderr;
    assert!(said.contains("tls://127.0.0.1:0 needs a certificate"), "{said}");
    assert_eq!(server.stop().code, Some(0));
}

#[test]
#[cfg(unix)]
fn websocket_over_tls_over_a_unix_socket_has_the_certificate_of_localhost() {
    let folder = tempfile::tempdir().expect("a folder");
    let address = format!("wss+unix:{}:/echo", folder.path().join("socket").display());
    let server = serve(folder.path(), &["serve", "echo", &address, "--tls-dev"]);
    assert_eq!(server.address(), address);
    let path = folder.path().join("enchufe/development.pem");
    let path = path.to_str().expect("text");
    let reply = run(&["connect", "--ca", path, "--count", "2", &address], b"one\ntwo\n");
    assert_eq!((reply.success(), reply.stderr.as_str()), ("one\ntwo\n", ""));
    assert_eq!(server.stop().code, Some(0));
}

#[test]
fn who_is_not_trusted_is_said_and_insecure_warns() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = serve(folder.path(), &["serve", "greet", "wss://127.0.0.1:0", "--tls-dev"]);
    let address = server.address();
    let reply = run(&["connect", &address], b"Ana\n");
    assert_eq!(reply.code, Some(1), "{reply:?}");
    assert!(reply.stderr.contains("nobody who is trusted"), "{}", reply.stderr);
    assert!(reply.stderr.contains("--ca FILE"), "{}", reply.stderr);
    let reply = run(&["connect", "--insecure", &address], b"Ana\n");
    assert_eq!(reply.success(), "Hola Ana!\n");
    assert!(reply.stderr.contains(&format!("whoever answers at {address}")), "{}", reply.stderr);
    let reply = run(&["--lang", "es", "connect", &address], b"Ana\n");
    assert!(reply.stderr.contains("no lo emitió nadie"), "{}", reply.stderr);
    let reply = run(&["connect", "--ca", "/no", &address], b"Ana\n");
    assert_eq!(reply.code, Some(2), "{reply:?}");
    // A machine that trusts nobody.
    let mut command = enchufe(&["connect", &address]);
    command.env("SSL_CERT_FILE", folder.path().join("none")).env_remove("SSL_CERT_DIR");
    let reply = run_command(command, b"Ana\n");
    assert!(reply.stderr.contains("list of trusted issuers"), "{}", reply.stderr);
    assert!(reply.stderr.contains("--ca FILE says whom to trust"), "{}", reply.stderr);
}

#[test]
fn a_feed_says_where_it_is_over_tls_and_curl_trusts_its_certificate() {
    let folder = tempfile::tempdir().expect("a folder");
    let arguments =
        ["feed", "clock", "--interval", "10ms", "--listen", "https://127.0.0.1:0", "--tls-dev"];
    let feed = serve(folder.path(), &arguments);
    let said: Vec<String> = (0..6).map(|_| feed.notice()).collect();
    let address = said.iter().find_map(|line| line.trim().strip_prefix("WebSocket"));
    let address = address.expect("its WebSocket").trim();
    assert!(address.starts_with("wss://127.0.0.1:"), "{address}");
    assert!(said.iter().any(|line| line.contains("curl -N https://")), "{said:?}");
    let path = folder.path().join("enchufe/development.pem");
    let path = path.to_str().expect("text");
    let got = run(&["connect", "--ca", path, "--count", "3", address], b"");
    assert_eq!(got.success().lines().count(), 3);

    let url = address.replacen("wss", "https", 1) + "?since=last:1";
    let mut curl = std::process::Command::new("curl");
    curl.args(["--silent", "--show-error", "--noproxy", "*", "--cacert", path]);
    curl.args(["-H", "Accept: application/json", &url]);
    match curl.output() {
        Ok(_) => {
            let page = run_command(curl, b"");
            assert!(page.success().contains("\"data\":\"20"), "{page:?}");
        }
        // Not every machine has it.
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound),
    }
}

#[test]
fn a_server_without_tls_is_said_to_have_none_whatever_it_answers() {
    for (service, secure) in [("echo", "tls"), ("echo", "wss"), ("clock", "tls")] {
        let plain = secure.replace("tls", "tcp").replace("wss", "ws");
        let more: &[&str] = if service == "clock" { &["--interval", "1ms"] } else { &[] };
        let listen = format!("{plain}://127.0.0.1:0");
        let server = Running::start(&[&["serve", service, &listen, "--quiet"], more].concat());
        let plain = server.address();
        let (_, endpoint) = plain.split_once("://").expect("a scheme");
        let address = format!("{secure}://{endpoint}");
        for (language, said) in [
            (
                "en",
                format!(": the server does not speak TLS\nhint: {plain} would be without TLS\n"),
            ),
            ("es", format!(": el servidor no habla TLS\nsugerencia: {plain} sería sin TLS\n")),
        ] {
            let ended = run(&["--lang", language, "connect", &address], b"");
            assert_eq!(ended.code, Some(1), "{ended:?}");
            assert!(ended.stderr.ends_with(&said), "{service}: {ended:?}");
        }
    }
}
