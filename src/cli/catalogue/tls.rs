//! What is said about certificates, and in English what is wrong with them.

use super::Report;
use crate::{
    cli::failure::TlsFailure,
    transport::tls::{PemError, TlsWarning, development::DevelopmentError},
};

/// What is said about certificates, apart from failures.
#[derive(Debug, Clone, Copy)]
pub(crate) enum TlsPhrase<'a> {
    /// A development certificate is shown, which is in this file.
    Development(&'a str),
    /// Its SHA-256.
    Fingerprint(&'a str),
    /// The certificate is not as it should be.
    Warning(&'a TlsWarning),
    /// connect: nobody looks at whom this address belongs to.
    Insecure(&'a str),
}

pub(super) fn english(phrase: TlsPhrase<'_>) -> String {
    match phrase {
        TlsPhrase::Development(path) => format!(
            "development certificate: {path}; trust it with enchufe connect --ca, curl --cacert, or in the browser"
        ),
        TlsPhrase::Fingerprint(fingerprint) => format!("its SHA-256 fingerprint: {fingerprint}"),
        TlsPhrase::Warning(warning) => warning.to_string(),
        TlsPhrase::Insecure(address) => {
            format!("--insecure: whoever answers at {address} is taken for the server")
        }
    }
}

pub(super) fn report_in_english(failure: &TlsFailure) -> Report {
    let of_pem = |error: &PemError| (error.to_string(), error.hint());
    let (message, hint) = match failure {
        TlsFailure::Pem(error) | TlsFailure::Development(DevelopmentError::Pem(error)) => {
            of_pem(error)
        }
        TlsFailure::Development(error @ DevelopmentError::Folder { .. }) => (
            error.to_string(),
            Some("XDG_STATE_HOME=FOLDER keeps it elsewhere; --tls-cert and --tls-key name one of your own".into()),
        ),
        TlsFailure::Development(error @ DevelopmentError::Names { .. }) => (
            error.to_string(),
            Some("listen on a name of letters, digits and hyphens, or on an IP address".into()),
        ),
        TlsFailure::NoFolder => (
            "there is no folder to keep a development certificate in: HOME is not set".into(),
            Some("set HOME, or XDG_STATE_HOME".into()),
        ),
    };
    Report { message, hint }
}
