//! Whom our client trusts, and certificates that change while they are served.

use std::net::TcpListener;

use enchufe::Message;
use enchufe::transport::tls::Distrust;
use enchufe::transport::{OpenError, OpenOptions};

use crate::support::{LONG, Made, echo, foreign_server, open};

/// What keeps a client from connecting to `localhost` with this certificate.
async fn distrust(made: &Made, options: &OpenOptions) -> (Distrust, String) {
    let server = echo(&made.server()).await;
    let error = open("localhost", server, options).await.expect_err("not to be trusted");
    let text = error.to_string();
    assert!(text.starts_with("cannot connect to wss://localhost:"), "{text}");
    assert!(error.hint().expect("a hint").contains("--insecure"), "{error:?}");
    match error {
        OpenError::Tls { error, .. } => (error, text),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_known_has_issued_is_refused() {
    let made = Made::localhost();
    let (error, _) = distrust(&made, &OpenOptions::default()).await;
    assert!(matches!(error, Distrust::UnknownIssuer), "{error:?}");
    let (error, _) = distrust(&made, &Made::localhost().client()).await;
    assert!(matches!(error, Distrust::UnknownIssuer), "{error:?}");
}

#[tokio::test]
async fn a_certificate_that_has_expired_or_is_somebody_elses_is_refused_with_the_reason() {
    let old = Made::new(&["localhost"], -9..-1);
    let (error, text) = distrust(&old, &old.client()).await;
    assert!(matches!(error, Distrust::Expired { .. }) && text.contains("expired at 20"), "{text}");
    let other = Made::new(&["a.example"], -1..9);
    let (_, text) = distrust(&other, &other.client()).await;
    assert!(text.ends_with("is not for localhost, but for a.example"), "{text}");
}

#[tokio::test]
async fn an_authoritys_own_certificate_is_no_servers() {
    let made = Made::authority();
    let (error, text) = distrust(&made, &made.client()).await;
    assert!(matches!(error, Distrust::Issuers), "{error:?}");
    assert!(text.contains("is an issuer's (CA:TRUE)"), "{text}");
}

#[tokio::test]
async fn a_server_that_gives_a_reason_is_quoted() {
    let made = Made::localhost();
    let server = foreign_server(&made, b"h2").await;
    let error = open("localhost", server, &made.client()).await.expect_err("another protocol");
    assert!(error.to_string().contains("(no_application_protocol)"), "{error}");
}

#[tokio::test]
async fn whoever_trusts_anybody_is_connected_all_the_same() {
    let mut options = OpenOptions::default();
    options.tls.insecure = true;
    for made in
        [Made::localhost(), Made::new(&["localhost"], -9..-1), Made::new(&["a.example"], -1..9)]
    {
        let server = echo(&made.server()).await;
        let mut client = open("localhost", server, &options).await.expect("anybody will do");
        client.send(Message::text("here")).await.expect("it goes out");
        assert_eq!(client.recv().await.expect("it comes"), Some(Message::text("here")));
    }
}

#[tokio::test]
async fn a_bundle_has_many_to_trust_and_a_missing_one_is_named() {
    let (first, second) = (Made::localhost(), Made::localhost());
    let read = |made: &Made| std::fs::read_to_string(made.certificate()).expect("a file");
    let bundle = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(bundle.path(), read(&first) + "\n# the second\n" + &read(&second))
        .expect("room");
    let mut options = OpenOptions::default();
    options.tls.ca = vec![bundle.path().to_owned()];
    for made in [&first, &second] {
        let server = echo(&made.server()).await;
        open("localhost", server, &options).await.expect("it is trusted");
    }
    options.tls.ca = vec!["/nowhere/ca.pem".into()];
    let server = echo(&first.server()).await;
    let error = open("localhost", server, &options).await.expect_err("no such file");
    assert!(error.to_string().contains("'/nowhere/ca.pem'"), "{error}");
    let text = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    std::fs::write(bundle.path(), text).expect("room");
    options.tls.ca = vec![bundle.path().to_owned()];
    let server = echo(&first.server()).await;
    let error = open("localhost", server, &options).await.expect_err("no certificate");
    let shown = bundle.path().display().to_string();
    assert!(error.to_string().contains(&format!("'{shown}' cannot be trusted")), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_replaced_while_clients_come_and_go_and_none_of_them_notices() {
    let made = Made::localhost();
    let server = echo(&made.server()).await;
    let before = made.client();
    let mut lasting = Vec::new();
    for _ in 0..4 {
        let mut client = open("localhost", server, &before).await.expect("a connection");
        let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            let mut rounds = 0_u64;
            while stopped.try_recv().is_err() {
                client.send(Message::text("round")).await.expect("it is open");
                assert!(client.recv().await.expect("it is open").is_some());
                rounds += 1;
                tokio::task::yield_now().await;
            }
            rounds
        });
        lasting.push((stop, task));
    }
    // The old one is still trusted by those who come, until there is a new one.
    let old = tempfile::NamedTempFile::new().expect("a file");
    std::fs::copy(made.certificate(), old.path()).expect("room");
    made.renew(&["localhost"], -1..9);
    let mut both = made.client();
    both.tls.ca.push(old.path().to_owned());
    let replaced = async {
        // Whoever comes is let in, and sooner or later by the new certificate.
        while open("localhost", server, &made.client()).await.is_err() {
            open("localhost", server, &both).await.expect("one of the two");
        }
    };
    tokio::time::timeout(LONG, replaced).await.expect("the new one is taken");
    for (stop, task) in lasting {
        stop.send(()).expect("it goes on");
        assert!(task.await.expect("no connection broke") > 0);
    }
}

#[tokio::test]
async fn a_file_of_issuers_that_is_not_there_is_found_out_before_anybody_is_connected_to() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("no waiting");
    let server = listener.local_addr().expect("its address");
    let mut options = OpenOptions::default();
    options.tls.ca = vec!["there-is-no-such-file.pem".into()];
    let error = open("localhost", server, &options).await.expect_err("no such file");
    assert!(error.to_string().contains("there-is-no-such-file.pem"), "{error}");
    let nobody = listener.accept().expect_err("nobody was connected to");
    assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
}
