//! Why a name has no address.

use std::io;

use dns_lookup::{LookupError, LookupErrorKind};

/// Why a host or a service could not be resolved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// Neither host nor service was given.
    #[error("there is neither a host nor a service to resolve")]
    Nothing,
    /// The text cannot be a name.
    #[error("{name:?} cannot be the name of a host or a service")]
    NotAName {
        /// The text.
        name: String,
    },
    /// The host has no address: the name is unknown, or has none of the family asked for.
    #[error("{host:?} does not resolve: the name is unknown or has no address of this kind")]
    NoAddress {
        /// The host.
        host: String,
    },
    /// The service is unknown, or unknown for that type of socket or protocol.
    #[error("{service:?} is not a known service of this kind")]
    UnknownService {
        /// The service.
        service: String,
    },
    /// The scope of an IPv6 address is none of this machine's interfaces.
    #[error("this machine has no network interface {interface:?}")]
    NoInterface {
        /// The scope.
        interface: String,
    },
    /// The name servers do not answer now.
    #[error("{host:?} does not resolve: the name servers do not answer")]
    Unavailable {
        /// The host.
        host: String,
    },
    /// Family, socket type and protocol do not go together.
    #[error("the address family, socket type and protocol asked for do not go together")]
    Contradiction,
    /// Anything else the system said.
    #[error("{name:?} does not resolve: {error}")]
    Io {
        /// The host, or the service when there is no host.
        name: String,
        /// What the system said.
        error: io::Error,
    },
}

impl ResolveError {
    /// What can be done about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Nothing => "name a host, such as localhost".to_owned(),
            Self::NotAName { .. } | Self::NoAddress { .. } => {
                "is the name spelled right? an address such as 127.0.0.1 needs no name server"
                    .to_owned()
            }
            Self::UnknownService { .. } => "use a port, or a name from /etc/services".to_owned(),
            Self::NoInterface { .. } => "'ip link' lists the interfaces of this machine".to_owned(),
            Self::Unavailable { .. } => "is this machine on a network? try again".to_owned(),
            Self::Contradiction => "tcp goes with streams, udp with datagrams".to_owned(),
            Self::Io { .. } => return None,
        })
    }

    pub(super) fn check(host: Option<&str>, service: Option<&str>) -> Result<(), Self> {
        if host.is_none() && service.is_none() {
            return Err(Self::Nothing);
        }
        if let Some(name) = [host, service]
            .into_iter()
            .flatten()
            .find(|name| name.is_empty() || name.contains('\0'))
        {
            return Err(Self::NotAName { name: name.to_owned() });
        }
        match service {
            Some(service) if !is_service(service) => {
                Err(Self::UnknownService { service: service.to_owned() })
            }
            _ => Ok(()),
        }
    }

    pub(super) fn from_lookup(
        host: Option<&str>,
        service: Option<&str>,
        error: &LookupError,
    ) -> Self {
        let name = host.or(service).unwrap_or_default().to_owned();
        let service = service.unwrap_or_default().to_owned();
        match (error.kind(), host) {
            (LookupErrorKind::Service, _) => Self::UnknownService { service },
            (LookupErrorKind::NoName | LookupErrorKind::NoData, None) => {
                Self::UnknownService { service }
            }
            (LookupErrorKind::NoName | LookupErrorKind::NoData, Some(_)) => {
                Self::NoAddress { host: name }
            }
            (LookupErrorKind::Again, _) => Self::Unavailable { host: name },
            (LookupErrorKind::Family | LookupErrorKind::Socktype, _) => Self::Contradiction,
            _ if is_address_family(error) => Self::NoAddress { host: name },
            _ => Self::Io { name, error: io::Error::other(error.to_string()) },
        }
    }
}

/// A port, or something that may be a service's name (RFC 6335 §5.1). glibc takes 70000 for the
/// port 4464, and -1 for another.
fn is_service(text: &str) -> bool {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse::<u16>().is_ok();
    }
    text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.contains(|character: char| character.is_ascii_alphabetic())
}

/// EAI_ADDRFAMILY, glibc's word for "the host has addresses, but none of that family", is not
/// among the kinds.
fn is_address_family(error: &LookupError) -> bool {
    cfg!(target_os = "linux") && error.error_num() == -9
}
