use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn host(name: &str) -> Host {
    Host::Name(name.to_owned())
}

fn is_for(made: &Development, name: &str) -> bool {
    let certificate = &pem::certificates(&made.path).expect("a file")[0];
    let parsed = ParsedCertificate::try_from(certificate).expect("a certificate");
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    verify_server_name(&parsed, &name).is_ok()
}

#[test]
fn the_certificate_stays_the_same_from_run_to_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = certificate(folder.path(), &[host("localhost")]).expect("a certificate");
    let second = certificate(folder.path(), &[Host::Any]).expect("a certificate");
    assert_eq!((&first.fingerprint, &first.path), (&second.fingerprint, &second.path));
    assert_eq!(first.fingerprint.len(), 32 * 3 - 1);
    for name in ["localhost", "127.0.0.1", "::1"] {
        assert!(is_for(&first, name), "{name}");
    }
    assert!(!is_for(&first, "a.example"));
}

#[test]
fn a_host_of_its_own_has_a_certificate_of_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let plain = certificate(folder.path(), &[]).expect("a certificate");
    let hosts = [host("Dev.Example."), Host::V4([192, 0, 2, 7].into()), host("a.localhost")];
    let other = certificate(folder.path(), &hosts).expect("a certificate");
    for name in ["localhost", "dev.example", "192.0.2.7", "a.localhost"] {
        assert!(is_for(&other, name), "{name}");
    }
    let again = certificate(folder.path(), &[]).expect("a certificate");
    assert_eq!(plain.fingerprint, again.fingerprint);
}

#[test]
fn only_this_user_may_read_the_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let inner = folder.path().join("a").join("enchufe");
    certificate(&inner, &[]).expect("a certificate");
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&inner.join("development-key.pem")), 0o600);
    assert_eq!(mode(&inner), 0o700);
}

#[test]
fn a_certificate_that_is_broken_or_will_soon_expire_is_made_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = certificate(folder.path(), &[]).expect("a certificate");
    fs::write(folder.path().join("development-key.pem"), "broken").expect("a file");
    let second = certificate(folder.path(), &[]).expect("a certificate");
    assert_ne!(first.fingerprint, second.fingerprint);
    let mut params = CertificateParams::new(NAMES.map(str::to_owned).to_vec()).expect("names");
    let left = limits::DEVELOPMENT_CERTIFICATE_LEFT_MIN - std::time::Duration::from_secs(60);
    params.not_after = (SystemTime::now() + left).into();
    let key = KeyPair::generate().expect("a key");
    let old = params.self_signed(&key).expect("a certificate").pem();
    fs::write(folder.path().join("development-key.pem"), key.serialize_pem()).expect("a file");
    fs::write(folder.path().join("development.pem"), old).expect("a file");
    let third = certificate(folder.path(), &[]).expect("a certificate");
    let parsed = &pem::certificates(&third.path).expect("a file")[0];
    let later = SystemTime::now() + 2 * limits::DEVELOPMENT_CERTIFICATE_LEFT_MIN;
    let wrong = server::validity(parsed, &provider(), later);
    assert!(!matches!(wrong, Some(rustls::CertificateError::ExpiredContext { .. })), "{wrong:?}");
}

#[test]
fn a_folder_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    fs::write(&file, "").expect("a file");
    let error = certificate(&file, &[]).expect_err("no folder");
    assert!(error.to_string().contains(&file.display().to_string()), "{error}");
}

#[test]
fn the_folder_is_where_the_users_state_is() {
    let folder = |set: &'static [(&str, &str)]| {
        default_folder(|name| {
            set.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string())
        })
    };
    let path = |text: &str| Some(PathBuf::from(text));
    assert_eq!(folder(&[("XDG_STATE_HOME", "/s"), ("HOME", "/h")]), path("/s/enchufe"));
    assert_eq!(folder(&[("HOME", "/h")]), path("/h/.local/state/enchufe"));
    assert_eq!(folder(&[("XDG_STATE_HOME", "s"), ("HOME", "")]), None);
}
