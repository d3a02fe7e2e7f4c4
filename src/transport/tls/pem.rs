//! Certificates and keys in files, as PEM (RFC 7468).

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::limits;

/// Why a file with a certificate or a key cannot be used. The message is one line and names the
/// file; [`hint`](Self::hint) is the remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PemError {
    /// The file cannot be read.
    #[error("cannot read {what} in '{path}': {error}")]
    Unreadable {
        /// What was looked for in it.
        what: PemContent,
        /// The file.
        path: String,
        /// What the system said.
        error: io::Error,
    },
    /// The file is far too long to be what it should be.
    #[error("'{path}' is longer than the {bytes_max} bytes that {what} may have")]
    TooLong {
        /// What was looked for in it.
        what: PemContent,
        /// The file.
        path: String,
        /// The longest file, in bytes.
        bytes_max: u64,
    },
    /// There is none in the file.
    #[error("there is no {} in '{path}'", .what.bare())]
    Missing {
        /// What was looked for in it.
        what: PemContent,
        /// The file.
        path: String,
    },
    /// The key is there, but only with a password.
    #[error("the private key in '{path}' is encrypted")]
    Encrypted {
        /// The file.
        path: String,
    },
    /// What is in the file is damaged, or of a kind that is not supported.
    #[error("{what} in '{path}' cannot be used: {reason}")]
    Unusable {
        /// What was looked for in it.
        what: PemContent,
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The key is another certificate's.
    #[error("the private key in '{key}' does not belong to the certificate in '{certificate}'")]
    Mismatch {
        /// The certificate's file.
        certificate: String,
        /// The key's file.
        key: String,
    },
}

/// What is looked for in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PemContent {
    /// A server's certificate, and those that lead from it to a known issuer.
    Certificate,
    /// The private key of a certificate.
    Key,
}

impl PemContent {
    fn bare(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Key => "private key",
        }
    }
}

impl fmt::Display for PemContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {}", self.bare())
    }
}

impl PemError {
    /// What can be done about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unreadable { error, .. } if error.kind() == io::ErrorKind::PermissionDenied => {
                "let this user read the file, or run as one who may".to_owned()
            }
            Self::Unreadable { .. } => "is the path right?".to_owned(),
            Self::Missing { what: PemContent::Certificate, .. } | Self::TooLong { .. } => {
                "a PEM file has lines such as -----BEGIN CERTIFICATE-----".to_owned()
            }
            Self::Missing { what: PemContent::Key, .. } => {
                "a PEM file has lines such as -----BEGIN PRIVATE KEY-----".to_owned()
            }
            Self::Encrypted { path } => {
                format!("decrypt it: openssl pkey -in {path} -out key.pem")
            }
            Self::Unusable { what: PemContent::Certificate, .. } => {
                "it must be an X.509 certificate in PEM".to_owned()
            }
            Self::Unusable { what: PemContent::Key, .. } => {
                "it must be an RSA (2048 bits or more), ECDSA (P-256, P-384) or Ed25519 key in PEM"
                    .to_owned()
            }
            Self::Mismatch { .. } => {
                "give the files that were made together; the server's certificate comes first in its file"
                    .to_owned()
            }
        })
    }
}

/// Every certificate in a file, in its order; at least one.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, PemError> {
    let what = PemContent::Certificate;
    let text = read(path, what)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match found {
        Ok(certificates) if certificates.is_empty() => {
            Err(PemError::Missing { what, path: shown(path) })
        }
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(unusable(what, path, &error)),
    }
}

/// The first private key in a file.
pub(super) fn key(path: &Path) -> Result<PrivateKeyDer<'static>, PemError> {
    let what = PemContent::Key;
    let text = read(path, what)?;
    match PrivateKeyDer::from_pem_slice(&text) {
        Ok(key) => Ok(key),
        Err(pem::Error::NoItemsFound) => {
            let is_encrypted = memchr::memmem::find(&text, b"BEGIN ENCRYPTED PRIVATE KEY");
            let path = shown(path);
            Err(match is_encrypted {
                Some(_) => PemError::Encrypted { path },
                None => PemError::Missing { what, path },
            })
        }
        Err(error) => Err(unusable(what, path, &error)),
    }
}

fn read(path: &Path, what: PemContent) -> Result<Vec<u8>, PemError> {
    let unreadable = |error| PemError::Unreadable { what, path: shown(path), error };
    let bytes_max = limits::PEM_FILE_BYTES_MAX;
    let mut text = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(bytes_max + 1).read_to_end(&mut text).map_err(unreadable)?;
    if u64::try_from(text.len()).is_ok_and(|length| length > bytes_max) {
        return Err(PemError::TooLong { what, path: shown(path), bytes_max });
    }
    Ok(text)
}

pub(super) fn unusable(what: PemContent, path: &Path, reason: &dyn fmt::Display) -> PemError {
    PemError::Unusable { what, path: shown(path), reason: reason.to_string() }
}

pub(super) fn shown(path: &Path) -> String {
    path.display().to_string()
}
