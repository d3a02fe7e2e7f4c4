//! Certificates, in Spanish.

use std::io::ErrorKind;

use super::{Words, system::io};
use crate::{
    cli::{catalogue::TlsPhrase, failure::TlsFailure},
    transport::tls::{Distrust, PemContent, PemError, TlsWarning, development::DevelopmentError},
};

pub(super) const NO_CERTIFICATE: &str =
    "--tls-cert ARCHIVO --tls-key ARCHIVO da uno; --tls-dev crea uno de desarrollo";

pub(super) fn say(phrase: TlsPhrase<'_>) -> String {
    match phrase {
        TlsPhrase::Development(path) => format!(
            "certificado de desarrollo: {path}; se confía en él con enchufe connect --ca, curl --cacert o en el navegador"
        ),
        TlsPhrase::Fingerprint(fingerprint) => format!("su huella SHA-256: {fingerprint}"),
        TlsPhrase::Warning(TlsWarning::Expired { path, not_after }) => {
            format!("el certificado de '{path}' caducó en {not_after}: los clientes lo rechazarán")
        }
        TlsPhrase::Warning(TlsWarning::NotYetValid { path, not_before }) => format!(
            "el certificado de '{path}' vale a partir de {not_before}: los clientes lo rechazarán"
        ),
        TlsPhrase::Insecure(address) => {
            format!("--insecure: quien conteste en {address} pasa por ser el servidor")
        }
    }
}

pub(super) fn failure(failure: &TlsFailure) -> Words {
    let (message, hint) = match failure {
        TlsFailure::Pem(error) | TlsFailure::Development(DevelopmentError::Pem(error)) => {
            return pem(error);
        }
        TlsFailure::Development(DevelopmentError::Folder { folder, error }) => (
            format!(
                "no se puede guardar un certificado de desarrollo en '{folder}': {}",
                io(error)
            ),
            "XDG_STATE_HOME=CARPETA lo guarda en otro sitio; --tls-cert y --tls-key dan uno propio",
        ),
        TlsFailure::Development(DevelopmentError::Names { names, reason }) => (
            format!("no se puede crear un certificado de desarrollo para {names}: {reason}"),
            "escucha en un nombre de letras, cifras y guiones, o en una dirección IP",
        ),
        TlsFailure::NoFolder => (
            "no hay carpeta donde guardar un certificado de desarrollo: falta HOME".into(),
            "define HOME, o XDG_STATE_HOME",
        ),
    };
    (message, Some(hint.into()))
}

pub(super) fn pem(error: &PemError) -> Words {
    let (message, hint) = match error {
        PemError::Unreadable { what, path, error } => (
            format!("no se puede leer {} en '{path}': {}", content(*what), io(error)),
            match error.kind() {
                ErrorKind::PermissionDenied => {
                    "deja que este usuario lea el archivo, o usa uno que pueda"
                }
                _ => "¿es correcta la ruta?",
            },
        ),
        PemError::TooLong { what, path, bytes_max } => (
            format!("'{path}' supera los {bytes_max} bytes que puede tener {}", content(*what)),
            BEGINS_CERTIFICATE,
        ),
        PemError::Missing { what: PemContent::Certificate, path } => {
            (format!("no hay ningún certificado en '{path}'"), BEGINS_CERTIFICATE)
        }
        PemError::Missing { what: PemContent::Key, path } => (
            format!("no hay ninguna clave privada en '{path}'"),
            "un archivo PEM tiene líneas como -----BEGIN PRIVATE KEY-----",
        ),
        PemError::Encrypted { path } => {
            let hint = format!("descífrala: openssl pkey -in {path} -out clave.pem");
            return (format!("la clave privada de '{path}' está cifrada"), Some(hint));
        }
        PemError::Unusable { what, path, reason } => (
            format!("{} de '{path}' no sirve: {reason}", content(*what)),
            match what {
                PemContent::Certificate => "debe ser un certificado X.509 en PEM",
                PemContent::Key => {
                    "debe ser una clave RSA (de 2048 bits o más), ECDSA (P-256, P-384) o Ed25519 en PEM"
                }
            },
        ),
        PemError::Mismatch { certificate, key } => (
            format!("la clave privada de '{key}' no es la del certificado de '{certificate}'"),
            "da los archivos que se crearon juntos; el certificado del servidor va el primero",
        ),
    };
    (message, Some(hint.into()))
}

const BEGINS_CERTIFICATE: &str = "un archivo PEM tiene líneas como -----BEGIN CERTIFICATE-----";

fn content(what: PemContent) -> &'static str {
    match what {
        PemContent::Certificate => "el certificado",
        PemContent::Key => "la clave privada",
    }
}

/// What goes on from `no se puede conectar a DIRECCIÓN: `.
pub(super) fn distrust(error: &Distrust) -> Words {
    let (message, hint) = match error {
        Distrust::Ca(error) => return pem(error),
        Distrust::UnusableCa { path, reason } => (
            format!("no se puede confiar en '{path}': {reason}"),
            "debe ser un certificado X.509 en PEM",
        ),
        Distrust::NoRoots(reason) => (
            format!("la lista de emisores de confianza de esta máquina no sirve: {reason}"),
            "--ca ARCHIVO dice en quién confiar",
        ),
        Distrust::BadName(host) => (
            format!("ningún certificado puede ser de la máquina {host:?}"),
            "un nombre tiene letras, cifras y guiones; escribe otros en Punycode, o usa la dirección IP",
        ),
        Distrust::NoTls => (
            "el servidor no habla TLS".into(),
            "una dirección tcp:// o ws:// es la de un servidor sin TLS",
        ),
        Distrust::UnknownIssuer => (
            "el certificado del servidor no lo emitió nadie en quien se confíe aquí".into(),
            "--ca ARCHIVO confía en el certificado de ARCHIVO; --insecure, en cualquiera",
        ),
        Distrust::Expired { not_after } => (
            format!("el certificado del servidor caducó en {not_after}"),
            "el servidor necesita uno nuevo; --insecure se conecta de todos modos",
        ),
        Distrust::NotYetValid { not_before } => (
            format!("el certificado del servidor solo vale a partir de {not_before}"),
            "¿va bien el reloj de esta máquina? --insecure se conecta de todos modos",
        ),
        Distrust::WrongName { expected, presented } => {
            let whose = match presented.as_slice() {
                [] => "nadie".to_owned(),
                names => names.join(", "),
            };
            (
                format!("el certificado del servidor no es de {expected}, sino de {whose}"),
                "usa un nombre que figure en él; --insecure se conecta de todos modos",
            )
        }
        Distrust::Issuers => (
            "el certificado del servidor es de un emisor (CA:TRUE), no de un servidor".into(),
            "hazlo con basicConstraints=critical,CA:FALSE; --insecure se conecta de todos modos",
        ),
        Distrust::BadCertificate(reason) => (
            format!("el certificado del servidor no sirve: {reason}"),
            "--insecure se conecta de todos modos",
        ),
        Distrust::Alert(reason) => (
            format!("el servidor interrumpió la negociación de TLS ({reason})"),
            "¿sirve TLS ahí, y para ese nombre?",
        ),
        Distrust::Closed => (
            "el servidor cerró la conexión durante la negociación de TLS".into(),
            "¿sirve TLS ahí, y para ese nombre?",
        ),
        Distrust::Other(reason) => {
            (format!("la negociación de TLS falló: {reason}"), "¿sirve TLS ahí, y para ese nombre?")
        }
    };
    (message, Some(hint.into()))
}
