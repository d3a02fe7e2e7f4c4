//! The certificate that `serve` and `feed` show, from flags.

use super::{
    args,
    catalogue::{Phrase, TlsPhrase},
    failure::{Failure, TlsFailure},
    language::Language,
    output,
    usage::{Usage, UsageError, misplaced},
};
use crate::{
    address::Host,
    transport::tls::{ServerTls, development},
};

/// What is served: as it was typed, and the host when it is served with TLS.
pub(super) struct Served {
    pub(super) address: String,
    pub(super) secure_host: Option<Host>,
}

/// The certificate for those of the addresses that are served with TLS, if any are.
///
/// # Errors
///
/// When there is none for them, or one for nobody, or it cannot be used.
pub(super) async fn certificate(
    flags: &args::Tls,
    served: &[Served],
    command: &str,
    language: Language,
) -> Result<Option<ServerTls>, Failure> {
    let first = served.iter().find(|served| served.secure_host.is_some());
    match (flags.given(), first) {
        (Some(_), Some(_)) => {}
        (None, None) => return Ok(None),
        (Some(flag), None) => {
            let all: Vec<&str> = served.iter().map(|served| served.address.as_str()).collect();
            return Err(misplaced(flag, &all.join(" "), command));
        }
        (None, Some(Served { address, .. })) => {
            let error = UsageError::NoCertificate { address: address.clone() };
            return Err(Failure::Usage(Usage { error, command: command.into() }));
        }
    }
    let hosts = served.iter().filter_map(|served| served.secure_host.clone()).collect();
    let flags = flags.clone();
    let read = tokio::task::spawn_blocking(move || read(&flags, hosts));
    let (tls, made) = read.await.map_err(|error| Failure::System(error.into()))??;
    if let Some((path, fingerprint)) = made {
        for phrase in [TlsPhrase::Development(&path), TlsPhrase::Fingerprint(&fingerprint)] {
            output::notice(&language.say(Phrase::Tls(phrase)));
        }
    }
    if let Some(warning) = tls.warning() {
        output::warn(language, Phrase::Tls(TlsPhrase::Warning(warning)));
    }
    Ok(Some(tls))
}

/// The certificate, and when it was made here its file and fingerprint. It blocks.
fn read(
    flags: &args::Tls,
    hosts: Vec<Host>,
) -> Result<(ServerTls, Option<(String, String)>), TlsFailure> {
    if let (Some(certificate), Some(key)) = (&flags.tls_cert, &flags.tls_key) {
        let tls = ServerTls::from_files(certificate, key).map_err(TlsFailure::Pem)?;
        return Ok((tls, None));
    }
    let folder = development::default_folder(|name| std::env::var(name).ok());
    let folder = folder.ok_or(TlsFailure::NoFolder)?;
    let made = development::certificate(&folder, &hosts).map_err(TlsFailure::Development)?;
    Ok((made.tls, Some((made.path.display().to_string(), made.fingerprint))))
}

impl args::Tls {
    /// The first of the flags that was given.
    fn given(&self) -> Option<&'static str> {
        let flags = [
            (self.tls_cert.is_some(), "--tls-cert"),
            (self.tls_key.is_some(), "--tls-key"),
            (self.tls_dev, "--tls-dev"),
        ];
        flags.iter().find(|(is_given, _)| *is_given).map(|(_, flag)| *flag)
    }
}
