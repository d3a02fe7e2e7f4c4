//! The server's side: a certificate from files, taken anew when they change.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use std::{fmt, fs, io};

use rustls::ServerConfig;
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, RootCertStore};

use super::pem::{self, PemContent, PemError};
use super::{Inside, Session, provider, timestamp};
use crate::limits;

/// What a server needs for TLS: a certificate and its key, in files that may change while it runs.
/// Clones share them.
#[derive(Debug, Clone)]
pub struct ServerTls {
    /// For HTTP.
    http: Arc<ServerConfig>,
    /// For streams of anything.
    stream: Arc<ServerConfig>,
    warning: Option<TlsWarning>,
}

/// What is not as it should be, though it works. The message is one line and names the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsWarning {
    /// Clients will refuse it.
    #[error("the certificate in '{path}' expired at {not_after}: clients will refuse it")]
    Expired {
        /// The file.
        path: String,
        /// When, in ISO 8601.
        not_after: String,
    },
    /// Clients will refuse it for now.
    #[error("the certificate in '{path}' is valid from {not_before} on: clients will refuse it")]
    NotYetValid {
        /// The file.
        path: String,
        /// When, in ISO 8601.
        not_before: String,
    },
}

impl ServerTls {
    /// Takes the certificate, with those that lead to its issuer behind it, from one PEM file and
    /// its key from another, or from the same one. It blocks.
    ///
    /// When a file changes, or another takes its place, handshakes from then on use the new
    /// certificate, and connections that stand stay. While the new files cannot be used, that is
    /// logged and the old certificate stays.
    ///
    /// # Errors
    ///
    /// When the files cannot be used.
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Self, PemError> {
        Self::checked_every(certificate, key, limits::CERTIFICATE_CHECK_INTERVAL)
    }

    fn checked_every(certificate: &Path, key: &Path, interval: Duration) -> Result<Self, PemError> {
        let provider = provider();
        let files = Files { certificate: certificate.to_owned(), key: key.to_owned() };
        let stamps = files.stamps();
        let certified = Arc::new(files.load(&provider)?);
        let warning = files.warning(&certified, &provider, SystemTime::now());
        let current = Current { certified, stamps, checked_at: Instant::now() };
        let resolver =
            Reloading { files, provider: Arc::clone(&provider), interval, current: current.into() };
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| pem::unusable(PemContent::Certificate, certificate, &error))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(resolver));
        // Whoever comes back, and many do at once after the network was gone, skips the costly half
        // of the handshake. Without tickets it would be the latest few hundred of them.
        if let Ok(ticketer) = rustls::crypto::ring::Ticketer::new() {
            config.ticketer = ticketer;
        }
        let [http, stream] = [Inside::Http, Inside::Stream].map(|inside| {
            let mut config = config.clone();
            config.alpn_protocols = inside.alpn();
            Arc::new(config)
        });
        Ok(Self { http, stream, warning })
    }

    /// What the user should know about the certificate as it was when it was first taken.
    pub fn warning(&self) -> Option<&TlsWarning> {
        self.warning.as_ref()
    }

    /// The server's side of one connection.
    pub(super) fn session(&self, inside: Inside) -> io::Result<Box<Session>> {
        let config = match inside {
            Inside::Http => &self.http,
            Inside::Stream => &self.stream,
        };
        Session::server(Arc::clone(config)).map_err(io::Error::other)
    }
}

/// The files a certificate comes from.
#[derive(Debug)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

/// By what a file is known to be the same as before. Links are followed, so that one that points
/// elsewhere is another file (as certbot and Kubernetes replace certificates).
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
    #[cfg(unix)]
    inode: (u64, u64, i64, i64),
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt as _;
        Some(Self {
            modified: metadata.modified().ok(),
            length: metadata.len(),
            #[cfg(unix)]
            inode: (metadata.dev(), metadata.ino(), metadata.ctime(), metadata.ctime_nsec()),
        })
    }
}

type Stamps = [Option<Stamp>; 2];

impl Files {
    fn stamps(&self) -> Stamps {
        [Stamp::of(&self.certificate), Stamp::of(&self.key)]
    }

    fn load(&self, provider: &CryptoProvider) -> Result<CertifiedKey, PemError> {
        let certificates = pem::certificates(&self.certificate)?;
        let key = pem::key(&self.key)?;
        let what = PemContent::Certificate;
        ParsedCertificate::try_from(&certificates[0])
            .map_err(|error| pem::unusable(what, &self.certificate, &error))?;
        CertifiedKey::from_der(certificates, key, provider).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => PemError::Mismatch {
                certificate: pem::shown(&self.certificate),
                key: pem::shown(&self.key),
            },
            error => pem::unusable(PemContent::Key, &self.key, &error),
        })
    }

    fn warning(
        &self,
        certified: &CertifiedKey,
        provider: &CryptoProvider,
        now: SystemTime,
    ) -> Option<TlsWarning> {
        let path = pem::shown(&self.certificate);
        match validity(certified.cert.first()?, provider, now)? {
            CertificateError::ExpiredContext { not_after, .. } => {
                Some(TlsWarning::Expired { path, not_after: timestamp(not_after) })
            }
            CertificateError::NotValidYetContext { not_before, .. } => {
                Some(TlsWarning::NotYetValid { path, not_before: timestamp(not_before) })
            }
            _ => None,
        }
    }
}

/// What is wrong with a certificate at a time. Here its issuer is nobody's business, and without
/// one the time is the first thing that is looked at.
pub(super) fn validity(
    certificate: &CertificateDer<'_>,
    provider: &CryptoProvider,
    at: SystemTime,
) -> Option<CertificateError> {
    let at = UnixTime::since_unix_epoch(at.duration_since(SystemTime::UNIX_EPOCH).ok()?);
    let parsed = ParsedCertificate::try_from(certificate).ok()?;
    let algorithms = provider.signature_verification_algorithms.all;
    let nobody = RootCertStore::empty();
    match verify_server_cert_signed_by_trust_anchor(&parsed, &nobody, &[], at, algorithms) {
        Err(rustls::Error::InvalidCertificate(error)) => Some(error),
        _ => None,
    }
}

/// Gives each handshake the certificate as it is in the files.
struct Reloading {
    files: Files,
    provider: Arc<CryptoProvider>,
    /// How often the files are looked at.
    interval: Duration,
    current: Mutex<Current>,
}

struct Current {
    certified: Arc<CertifiedKey>,
    /// Of the files when they were last read, whether that was any use or not.
    stamps: Stamps,
    checked_at: Instant,
}

impl fmt::Debug for Reloading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reloading").field("files", &self.files).finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Reloading {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // What it guards is whole whenever the lock is let go.
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.checked_at.elapsed() >= self.interval {
            self.check(&mut current);
        }
        Some(Arc::clone(&current.certified))
    }
}

impl Reloading {
    fn check(&self, current: &mut Current) {
        // Before they are read: what changes meanwhile is seen the next time.
        let stamps = self.files.stamps();
        current.checked_at = Instant::now();
        if stamps == current.stamps {
            return;
        }
        current.stamps = stamps;
        let Files { certificate, key } = &self.files;
        match self.files.load(&self.provider) {
            Ok(certified) => {
                tracing::info!(?certificate, "the certificate was replaced");
                if let Some(warning) =
                    self.files.warning(&certified, &self.provider, SystemTime::now())
                {
                    tracing::warn!("{warning}");
                }
                current.certified = Arc::new(certified);
            }
            Err(error) => {
                tracing::warn!(?certificate, ?key, %error, "the certificate stays as it was");
            }
        }
    }
}

#[cfg(all(test, unix))]
mod tests;
