use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;

use rcgen::{CertificateParams, KeyPair};

use super::*;
use crate::transport::tls::{ClientTls, Distrust};

/// A self-signed certificate for `localhost` and its key, as PEM.
fn made(days: std::ops::Range<i64>) -> (String, String) {
    let mut params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
    let at = |days: i64| {
        let distance = Duration::from_secs(days.unsigned_abs() * 86_400);
        let now = SystemTime::now();
        if days < 0 { now - distance } else { now + distance }
    };
    (params.not_before, params.not_after) = (at(days.start).into(), at(days.end).into());
    let key = KeyPair::generate().expect("a key");
    (params.self_signed(&key).expect("a certificate").pem(), key.serialize_pem())
}

fn write(folder: &Path, (certificate, key): &(String, String)) {
    fs::write(folder.join("cert.pem"), certificate).expect("a file");
    fs::write(folder.join("key.pem"), key).expect("a file");
}

/// What is in the folder, looked at for every handshake.
fn tls(folder: &Path) -> Result<ServerTls, PemError> {
    let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    ServerTls::checked_every(&certificate, &key, Duration::ZERO)
}

/// Shakes hands with one who trusts only this certificate.
fn shake_hands(server: &ServerTls, trusted: &(String, String)) -> Result<(), Distrust> {
    let folder = tempfile::tempdir().expect("a folder");
    let ca = folder.path().join("ca.pem");
    fs::write(&ca, &trusted.0).expect("a file");
    let client = ClientTls { ca: vec![ca], insecure: false };
    let host = crate::address::Host::Name("localhost".to_owned());
    let mut client = client.session(&host, Inside::Http)?;
    let mut server = server.session(Inside::Http).expect("a session");
    let (mut near, mut far) = UnixStream::pair().expect("a pair");
    near.set_nonblocking(true).expect("a socket");
    far.set_nonblocking(true).expect("a socket");
    loop {
        let server_done = server.handshake(&mut far);
        match client.handshake(&mut near) {
            Ok(()) if server_done.is_ok() => return Ok(()),
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
                return Err(Distrust::from_io(&error));
            }
            _ => {}
        }
    }
}

#[test]
fn a_certificate_that_takes_the_place_of_another_is_used_from_then_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let (first, second) = (made(-1..9), made(-1..9));
    write(folder.path(), &first);
    let server = tls(folder.path()).expect("a certificate");
    assert_eq!(server.warning(), None);
    shake_hands(&server, &first).expect("the first");
    write(folder.path(), &second);
    shake_hands(&server, &second).expect("the second");
    assert!(shake_hands(&server, &first).is_err());
}

#[test]
fn a_link_that_points_elsewhere_is_another_certificate() {
    // As Kubernetes does it: the files are links through a folder that is a link itself, and that
    // is renamed over.
    let folder = tempfile::tempdir().expect("a folder");
    let (first, second) = (made(-1..9), made(-1..9));
    for (name, pair) in [("..1", &first), ("..2", &second)] {
        fs::create_dir(folder.path().join(name)).expect("a folder");
        write(&folder.path().join(name), pair);
    }
    symlink("..1", folder.path().join("..data")).expect("a link");
    for file in ["cert.pem", "key.pem"] {
        symlink(format!("..data/{file}"), folder.path().join(file)).expect("a link");
    }
    let server = tls(folder.path()).expect("a certificate");
    shake_hands(&server, &first).expect("the first");
    symlink("..2", folder.path().join("..new")).expect("a link");
    fs::rename(folder.path().join("..new"), folder.path().join("..data")).expect("in one step");
    shake_hands(&server, &second).expect("the second");
}

#[test]
fn new_files_that_cannot_be_used_leave_the_certificate_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let (first, second) = (made(-1..9), made(-1..9));
    write(folder.path(), &first);
    let server = tls(folder.path()).expect("a certificate");
    for broken in [
        ("nothing".to_owned(), "at all".to_owned()),
        // The certificate has been replaced, and its key not yet.
        (second.0.clone(), first.1.clone()),
    ] {
        write(folder.path(), &broken);
        shake_hands(&server, &first).expect("as it was");
    }
    fs::remove_file(folder.path().join("cert.pem")).expect("it is there");
    shake_hands(&server, &first).expect("as it was");
    write(folder.path(), &second);
    shake_hands(&server, &second).expect("whole again");
}

#[test]
fn files_that_cannot_be_used_are_named_with_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let (first, second) = (made(-1..9), made(-1..9));
    let refused = |what: &str, name: &str, hint: &str| {
        let error = tls(folder.path()).expect_err(what);
        let message = error.to_string();
        assert!(message.contains(what) && message.contains(name), "{message}");
        assert!(!message.contains('\n'), "{message}");
        let told = error.hint().expect("a hint");
        assert!(told.contains(hint), "{told}");
    };
    refused("cannot read the certificate", "cert.pem", "path");
    write(folder.path(), &(first.1.clone(), first.1.clone()));
    refused("no certificate", "cert.pem", "BEGIN CERTIFICATE");
    write(folder.path(), &(first.0.clone(), first.0.clone()));
    refused("no private key", "key.pem", "BEGIN PRIVATE KEY");
    write(folder.path(), &(first.0.clone(), first.1.replace("PRIVATE", "ENCRYPTED PRIVATE")));
    refused("encrypted", "key.pem", "openssl pkey");
    write(folder.path(), &(first.0.clone(), second.1.clone()));
    refused("does not belong", "key.pem", "made together");
    let empty = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    write(folder.path(), &(empty.to_owned(), first.1.clone()));
    refused("cannot be used", "cert.pem", "X.509");
    let empty = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    write(folder.path(), &(first.0.clone(), empty.to_owned()));
    refused("cannot be used", "key.pem", "ECDSA");
    let long = "x".repeat(usize::try_from(limits::PEM_FILE_BYTES_MAX).expect("small") + 1);
    write(folder.path(), &(long, first.1));
    refused("longer than", "cert.pem", "BEGIN CERTIFICATE");
}

#[test]
fn a_certificate_that_is_too_old_or_too_new_is_used_and_warned_of() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), &made(-9..-1));
    let server = tls(folder.path()).expect("it works");
    let warning = server.warning().expect("a warning").to_string();
    assert!(warning.contains("expired at 20") && warning.contains("cert.pem"), "{warning}");
    write(folder.path(), &made(1..9));
    let server = tls(folder.path()).expect("it works");
    let warning = server.warning().expect("a warning").to_string();
    assert!(warning.contains("valid from 20"), "{warning}");
}

#[test]
fn what_is_wrong_with_a_certificate_is_said_in_plain_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let wrong = |shown: &(String, String), trusted: &(String, String)| {
        write(folder.path(), shown);
        let server = tls(folder.path()).expect("a certificate");
        let error = shake_hands(&server, trusted).expect_err("not to be trusted");
        (error.to_string(), error.hint().expect("a hint"))
    };
    let (good, old, new) = (made(-1..9), made(-9..-1), made(1..9));
    let (message, hint) = wrong(&good, &made(-1..9));
    assert!(message.contains("nobody who is trusted"), "{message}");
    assert!(hint.contains("--ca") && hint.contains("--insecure"), "{hint}");
    let (message, hint) = wrong(&old, &old);
    assert!(message.contains("expired at 20") && hint.contains("--insecure"), "{message} {hint}");
    let (message, hint) = wrong(&new, &new);
    assert!(message.contains("valid only from 20") && hint.contains("clock"), "{message} {hint}");
    let mut params =
        CertificateParams::new(["a.example".to_owned(), "192.0.2.7".to_owned()]).expect("names");
    params.not_after = (SystemTime::now() + Duration::from_secs(86_400)).into();
    let key = KeyPair::generate().expect("a key");
    let other = (params.self_signed(&key).expect("a certificate").pem(), key.serialize_pem());
    let (message, hint) = wrong(&other, &other);
    assert!(message.contains("not for localhost, but for a.example, 192.0.2.7"), "{message}");
    assert!(hint.contains("a name that it is for"), "{hint}");
}
