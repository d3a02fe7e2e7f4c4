//! A certificate for development: made here, trusted by nobody until told so, and the same from
//! run to run.
//!
//! It is a server's own certificate and no authority: whoever trusts it trusts this server on this
//! machine and nobody else, even if the key should get into other hands.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;

use super::{PemError, ServerTls, pem, provider, server};
use crate::address::Host;
use crate::limits;

/// What such a certificate is always for.
const NAMES: [&str; 4] = ["localhost", "*.localhost", "127.0.0.1", "::1"];

/// A certificate for development, and where it is.
#[derive(Debug)]
pub struct Development {
    /// What to serve with.
    pub tls: ServerTls,
    /// The file with the certificate, for those who are to trust it.
    pub path: PathBuf,
    /// The SHA-256 of the certificate, as browsers and OpenSSL show it.
    pub fingerprint: String,
}

/// Why there is no certificate for development.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DevelopmentError {
    /// The folder it is kept in cannot be used.
    #[error("cannot keep a development certificate in '{folder}': {error}")]
    Folder {
        /// The folder.
        folder: String,
        /// What the system said.
        error: io::Error,
    },
    /// No certificate can be made for these names.
    #[error("cannot make a development certificate for {names}: {reason}")]
    Names {
        /// The names.
        names: String,
        /// Why.
        reason: String,
    },
    /// What was just written cannot be used.
    #[error(transparent)]
    Pem(#[from] PemError),
}

/// The certificate for `localhost`, the names under it, the loopback addresses and `hosts`. The one
/// in `folder` is taken when there is one that will be valid for a while; else one is made and kept
/// there, its key for this user alone. It blocks.
///
/// # Errors
///
/// When the folder cannot be used, or a host cannot be in a certificate.
pub fn certificate(folder: &Path, hosts: &[Host]) -> Result<Development, DevelopmentError> {
    let names = names(hosts);
    let unusable = |error| DevelopmentError::Folder { folder: folder.display().to_string(), error };
    make_folder(folder).map_err(unusable)?;
    // Those who start at the same time get the same one. The lock goes with the file.
    let lock = private(&folder.join("lock"), false).map_err(unusable)?;
    lock.lock().map_err(unusable)?;

    let stem = stem(&names);
    let (path, key) = (folder.join(format!("{stem}.pem")), folder.join(format!("{stem}-key.pem")));
    if !is_good(&path, &key, &names) {
        let (certificate_pem, key_pem) = make(&names)?;
        replace(&key, key_pem.as_bytes()).map_err(unusable)?;
        replace(&path, certificate_pem.as_bytes()).map_err(unusable)?;
    }
    drop(lock);
    let tls = ServerTls::from_files(&path, &key)?;
    let fingerprint = fingerprint(&pem::certificates(&path)?[0]);
    Ok(Development { tls, path, fingerprint })
}

/// The folder for certificates under this user's state, by the XDG base directory specification:
/// `$XDG_STATE_HOME/enchufe`, or `~/.local/state/enchufe`. `None` when neither is known.
pub fn default_folder(variable: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let absolute = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local").join("state")))?;
    Some(state.join("enchufe"))
}

fn names(hosts: &[Host]) -> Vec<String> {
    let mut names = NAMES.map(str::to_owned).to_vec();
    for host in hosts {
        let name = match host {
            // Which interfaces there are may change while we listen.
            host if host.is_every_interface() => continue,
            Host::V6 { address, .. } => address.to_string(),
            Host::Name(name) => name.trim_end_matches('.').to_ascii_lowercase(),
            host => host.to_string(),
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names[NAMES.len()..].sort();
    names
}

/// The name of the files: other hosts have a certificate of their own, so that changing the address
/// now and then does not change a certificate that is trusted.
fn stem(names: &[String]) -> String {
    let mut stem = String::from("development");
    for name in &names[NAMES.len()..] {
        stem.push('-');
        stem.extend(name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }));
    }
    // File systems have bounds, too.
    stem.chars().take(200).collect()
}

fn is_good(path: &Path, key: &Path, names: &[String]) -> bool {
    let (Ok(certificates), Ok(key)) = (pem::certificates(path), pem::key(key)) else {
        return false;
    };
    let provider = provider();
    let Ok(parsed) = ParsedCertificate::try_from(&certificates[0]) else { return false };
    // A `*` directly under a top-level domain is not believed by everybody; rustls does not.
    let is_for = |name: &String| {
        name.starts_with('*')
            || ServerName::try_from(name.as_str())
                .is_ok_and(|name| verify_server_name(&parsed, &name).is_ok())
    };
    let lasts = [SystemTime::now(), SystemTime::now() + limits::DEVELOPMENT_CERTIFICATE_LEFT_MIN]
        .into_iter()
        .all(|at| {
            use rustls::CertificateError as Error;
            let wrong = server::validity(&certificates[0], &provider, at);
            !matches!(wrong, Some(Error::ExpiredContext { .. } | Error::NotValidYetContext { .. }))
        });
    names.iter().all(is_for)
        && lasts
        && CertifiedKey::from_der(certificates.clone(), key, &provider).is_ok()
}

/// Certificate and key, as PEM.
fn make(names: &[String]) -> Result<(String, String), DevelopmentError> {
    let refused = |error: rcgen::Error| DevelopmentError::Names {
        names: names.join(", "),
        reason: error.to_string(),
    };
    let mut params = CertificateParams::new(names.to_vec()).map_err(refused)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Enchufe development certificate");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let now = SystemTime::now();
    // Clocks of other machines may be a little behind.
    params.not_before = (now - limits::DEVELOPMENT_CERTIFICATE_LEEWAY).into();
    params.not_after = (now + limits::DEVELOPMENT_CERTIFICATE_LIFETIME).into();
    let key = KeyPair::generate().map_err(refused)?;
    let certificate = params.self_signed(&key).map_err(refused)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// A file that this user alone may read.
fn private(path: &Path, is_new: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(!is_new).create_new(is_new).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Puts a file in the place of another in one step.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    // Of a run that was cut off.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = private(&beside, true)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

/// `AB:CD:…`, the SHA-256 of a certificate.
fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    // The hash of a cipher suite is all the hashing that rustls offers.
    let suite = rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
    let Some(suite) = suite.tls13() else { return String::new() };
    let hash = suite.common.hash_provider.hash(certificate);
    let bytes: Vec<String> = hash.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    bytes.join(":")
}

#[cfg(all(test, unix))]
mod tests;
