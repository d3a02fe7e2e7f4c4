//! The client's side: whom to trust, and what to say when somebody is not to be trusted.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, IpAddr, ServerName, UnixTime};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, HandshakeType,
    InvalidMessage, SignatureScheme,
};
use rustls_platform_verifier::Verifier;

use super::{Inside, PemError, Session, pem, provider, timestamp};
use crate::address::Host;

/// Whom a client trusts.
///
/// By default whoever this machine trusts: the system's list of issuers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientTls {
    /// PEM files with further certificates to trust: of issuers, or of servers themselves.
    pub ca: Vec<PathBuf>,
    /// Trust anybody. The connection is then encrypted, but to whom nobody knows.
    pub insecure: bool,
}

impl ClientTls {
    /// The client's side of one connection to `host`. It blocks while files are read.
    pub(super) fn session(&self, host: &Host, inside: Inside) -> Result<Box<Session>, Distrust> {
        let name = server_name(host)?;
        let other = |error: rustls::Error| Distrust::Other(error.to_string());
        let provider = provider();
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(other)?
            .dangerous();
        let verifier: Arc<dyn ServerCertVerifier> = match self.insecure {
            true => Arc::new(Anybody(provider)),
            false => self.verifier(provider)?,
        };
        let mut config = builder.with_custom_certificate_verifier(verifier).with_no_client_auth();
        config.alpn_protocols = inside.alpn();
        Session::client(Arc::new(config), name).map_err(other)
    }

    fn verifier(
        &self,
        provider: Arc<CryptoProvider>,
    ) -> Result<Arc<dyn ServerCertVerifier>, Distrust> {
        let mut extra = Vec::new();
        for path in &self.ca {
            extra.extend(pem::certificates(path)?);
        }
        match Verifier::new_with_extra_roots(extra, provider) {
            Ok(verifier) => Ok(Arc::new(verifier)),
            Err(error) if self.ca.is_empty() => Err(Distrust::NoRoots(error.to_string())),
            Err(error) => {
                let path = self.ca.iter().map(|path| pem::shown(path)).collect::<Vec<_>>();
                Err(Distrust::UnusableCa { path: path.join(", "), reason: error.to_string() })
            }
        }
    }
}

fn server_name(host: &Host) -> Result<ServerName<'static>, Distrust> {
    Ok(match host {
        Host::V4(address) => ServerName::IpAddress(IpAddr::from(std::net::IpAddr::from(*address))),
        Host::V6 { address, .. } => {
            ServerName::IpAddress(IpAddr::from(std::net::IpAddr::from(*address)))
        }
        // Where every interface is served, loopback is what is connected to.
        Host::Any => {
            ServerName::try_from("localhost").map_err(|_| Distrust::BadName(String::new()))?
        }
        Host::Name(name) => ServerName::try_from(name.strip_suffix('.').unwrap_or(name).to_owned())
            .map_err(|_| Distrust::BadName(name.clone()))?,
    })
}

/// Why no TLS connection came to stand with a server. The message goes on from `cannot connect to
/// ADDRESS: `.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Distrust {
    /// A file of further certificates cannot be used.
    #[error(transparent)]
    Ca(#[from] PemError),
    /// What is in such a file is no certificate to trust.
    #[error("'{path}' cannot be trusted: {reason}")]
    UnusableCa {
        /// The files.
        path: String,
        /// What is wrong with one of them.
        reason: String,
    },
    /// The system trusts nobody.
    #[error("this machine's list of trusted issuers cannot be used: {0}")]
    NoRoots(String),
    /// A host that no certificate can name.
    #[error("no certificate can be for the host {0:?}")]
    BadName(String),
    /// The server speaks something else.
    #[error("the server does not speak TLS")]
    NoTls,
    /// The certificate comes from nobody who is trusted here.
    #[error("the server's certificate was issued by nobody who is trusted here")]
    UnknownIssuer,
    /// The certificate is too old.
    #[error("the server's certificate expired at {not_after}")]
    Expired {
        /// When, in ISO 8601.
        not_after: String,
    },
    /// The certificate is too new, or a clock is wrong.
    #[error("the server's certificate is valid only from {not_before} on")]
    NotYetValid {
        /// When, in ISO 8601.
        not_before: String,
    },
    /// The certificate is somebody else's.
    #[error("the server's certificate is not for {expected}, but for {}", listed(.presented))]
    WrongName {
        /// The host that was asked for.
        expected: String,
        /// The hosts that it is for.
        presented: Vec<String>,
    },
    /// The certificate is one to issue others with, which no server may show for itself (RFC 5280
    /// §4.2.1.9). `openssl req -x509` makes such unless it is told not to.
    #[error("the server's certificate is an issuer's (CA:TRUE), not a server's")]
    Issuers,
    /// Anything else about the certificate.
    #[error("the server's certificate cannot be used: {0}")]
    BadCertificate(String),
    /// The server gave the reason, in the words of RFC 8446 §6.
    #[error("the server broke off the TLS handshake ({0})")]
    Alert(String),
    /// The server left.
    #[error("the server closed the connection during the TLS handshake")]
    Closed,
    /// Anything else about TLS.
    #[error("the TLS handshake failed: {0}")]
    Other(String),
}

impl Distrust {
    /// What can be done about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Ca(error) => return error.hint(),
            Self::UnusableCa { .. } => "it must be an X.509 certificate in PEM".to_owned(),
            Self::NoRoots(_) => "--ca FILE says whom to trust".to_owned(),
            Self::BadName(_) => "a name has letters, digits and hyphens; write others in Punycode, or use the IP address".to_owned(),
            Self::NoTls => "an address of tcp:// or ws:// means a server without TLS".to_owned(),
            Self::UnknownIssuer => "--ca FILE trusts the certificate in FILE; --insecure trusts anybody".to_owned(),
            Self::Expired { .. } => "the server needs a new one; --insecure connects all the same".to_owned(),
            Self::NotYetValid { .. } => "is this machine's clock right? --insecure connects all the same".to_owned(),
            Self::WrongName { .. } => "use a name that it is for; --insecure connects all the same".to_owned(),
            Self::Issuers => "make it with basicConstraints=critical,CA:FALSE; --insecure connects all the same".to_owned(),
            Self::BadCertificate(_) => "--insecure connects all the same".to_owned(),
            Self::Alert(_) | Self::Closed | Self::Other(_) => {
                "does it serve TLS there, and for this name?".to_owned()
            }
        })
    }

    /// What went wrong during a handshake.
    pub(super) fn from_io(error: &io::Error) -> Self {
        use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        let Some(inner) = inner else {
            return match error.kind() {
                UnexpectedEof | ConnectionReset | BrokenPipe => Self::Closed,
                _ => Self::Other(error.to_string()),
            };
        };
        match inner {
            rustls::Error::InvalidCertificate(error) => Self::from_certificate(error),
            // The beginning of an answer in another protocol is not even a record of TLS.
            rustls::Error::InvalidMessage(
                InvalidMessage::InvalidContentType
                | InvalidMessage::UnknownProtocolVersion
                | InvalidMessage::MessageTooLarge
                | InvalidMessage::InvalidEmptyPayload,
            ) => Self::NoTls,
            // An echo of what we said ourselves.
            rustls::Error::InappropriateHandshakeMessage {
                got_type: HandshakeType::ClientHello,
                ..
            } => Self::NoTls,
            rustls::Error::AlertReceived(AlertDescription::CloseNotify) => Self::Closed,
            rustls::Error::AlertReceived(alert) => Self::Alert(in_words_of_rfc(*alert)),
            error => Self::Other(error.to_string()),
        }
    }

    fn from_certificate(error: &CertificateError) -> Self {
        match error {
            // A signature is bad when the issuer is known by name alone.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::UnknownIssuer,
            CertificateError::ExpiredContext { not_after, .. } => {
                Self::Expired { not_after: timestamp(*not_after) }
            }
            CertificateError::NotValidYetContext { not_before, .. } => {
                Self::NotYetValid { not_before: timestamp(*not_before) }
            }
            CertificateError::NotValidForNameContext { expected, presented } => Self::WrongName {
                expected: expected.to_str().into_owned(),
                presented: presented.iter().map(|name| bare(name)).collect(),
            },
            CertificateError::Expired => Self::BadCertificate("it has expired".to_owned()),
            // The verifier has no other name for it.
            CertificateError::Other(error)
                if format!("{error:?}").contains("CaUsedAsEndEntity") =>
            {
                Self::Issuers
            }
            error => Self::BadCertificate(error.to_string()),
        }
    }
}

/// `NoApplicationProtocol` as `no_application_protocol`.
fn in_words_of_rfc(alert: AlertDescription) -> String {
    let mut words = String::new();
    for character in format!("{alert:?}").chars() {
        if character.is_ascii_uppercase() && !words.is_empty() {
            words.push('_');
        }
        words.push(character.to_ascii_lowercase());
    }
    words
}

/// A name as people write it, out of `DnsName("localhost")` or `IpAddress(127.0.0.1)`. A stranger
/// has chosen it.
fn bare(name: &str) -> String {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(name);
    inner.trim_matches('"').chars().flat_map(char::escape_debug).collect()
}

fn listed(names: &[String]) -> String {
    match names {
        [] => "nobody".to_owned(),
        names => names.join(", "),
    }
}

/// Trusts anybody, but wants proof that the server has the key of the certificate it shows.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_named_as_certificates_name_it() {
        let named = |host: Host| server_name(&host).map(|name| name.to_str().into_owned());
        let name = |name: &str| Host::Name(name.to_owned());
        assert_eq!(named(name("feed.example.")).expect("a name"), "feed.example");
        assert_eq!(named(Host::V4([192, 0, 2, 7].into())).expect("an address"), "192.0.2.7");
        let scope = Some("eth0".to_owned());
        let local = Host::V6 { address: "fe80::1".parse().expect("an address"), scope };
        assert_eq!(named(local).expect("an address"), "fe80::1");
        assert_eq!(named(Host::Any).expect("a name"), "localhost");
        for impossible in ["ñ.example", "a..b", "."] {
            let error = named(name(impossible)).expect_err(impossible);
            assert!(matches!(error, Distrust::BadName(_)), "{error:?}");
            assert!(error.hint().expect("a hint").contains("Punycode"));
        }
    }

    #[test]
    fn a_strangers_names_are_shown_without_their_wrapping_and_cannot_drive_a_terminal() {
        assert_eq!(bare("DnsName(\"*.example\")"), "*.example");
        assert_eq!(bare("IpAddress(192.0.2.7)"), "192.0.2.7");
        assert_eq!(bare("DnsName(\"a\u{1b}[2J\")"), "a\\u{1b}[2J");
        assert_eq!(bare("DirectoryName"), "DirectoryName");
    }

    #[test]
    fn an_alert_has_the_words_of_its_specification() {
        assert_eq!(in_words_of_rfc(AlertDescription::HandshakeFailure), "handshake_failure");
        let alert = AlertDescription::NoApplicationProtocol;
        assert_eq!(in_words_of_rfc(alert), "no_application_protocol");
    }
}
