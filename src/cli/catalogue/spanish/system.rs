//! What the system says, in Spanish.

use std::io::{Error, ErrorKind};

use rustix::io::Errno;

use crate::transport::child::Status;

/// What the system says, in Spanish where we know it; its own words name the rest.
pub(in crate::cli::catalogue) fn io(error: &Error) -> String {
    let known = by_number(error).or_else(|| by_kind(error));
    known.map_or_else(|| error.to_string(), str::to_owned)
}

/// How a program ended, behind "ha terminado con".
pub(in crate::cli::catalogue) fn ended(status: &Status) -> String {
    match status {
        Status::Exit(code) => format!("el código de salida {code}"),
        Status::Signal(number) => format!("la señal {number}"),
        Status::NotRun(number) => {
            format!("un error, sin empezar: {}", io(&Error::from_raw_os_error(*number)))
        }
        Status::Unknown => "un código de salida desconocido".to_owned(),
    }
}

fn by_kind(error: &Error) -> Option<&'static str> {
    Some(match error.kind() {
        ErrorKind::NotFound => "no existe",
        ErrorKind::PermissionDenied => "permiso denegado",
        ErrorKind::ConnectionRefused => "conexión rechazada",
        ErrorKind::ConnectionReset => "el otro extremo cortó la conexión",
        ErrorKind::ConnectionAborted => "la conexión se interrumpió",
        ErrorKind::NotConnected => "no hay conexión",
        ErrorKind::AddrInUse => "la dirección está en uso",
        ErrorKind::AddrNotAvailable => "esta máquina no tiene esa dirección",
        ErrorKind::HostUnreachable => "no se llega a esa máquina",
        ErrorKind::NetworkUnreachable => "no se llega a esa red",
        ErrorKind::NetworkDown => "la red está caída",
        ErrorKind::BrokenPipe => "nadie lee al otro lado",
        ErrorKind::AlreadyExists => "ya existe",
        ErrorKind::TimedOut => "se agotó el tiempo",
        ErrorKind::StorageFull => "no queda espacio",
        ErrorKind::QuotaExceeded => "la cuota de disco está agotada",
        ErrorKind::FileTooLarge => "el archivo sería demasiado grande",
        ErrorKind::ReadOnlyFilesystem => "ahí solo se puede leer",
        ErrorKind::IsADirectory => "es una carpeta",
        ErrorKind::NotADirectory => "no es una carpeta",
        ErrorKind::InvalidFilename => "el nombre es demasiado largo",
        ErrorKind::ArgumentListTooLong => "los argumentos son demasiado largos",
        ErrorKind::ExecutableFileBusy => "otro programa está escribiendo en ese archivo",
        ErrorKind::ResourceBusy => "está ocupado",
        // A library says what is wrong with it.
        ErrorKind::InvalidInput if error.get_ref().is_none() => "el sistema no admite ese valor",
        ErrorKind::Unsupported => "este sistema no puede hacerlo",
        ErrorKind::OutOfMemory => "no queda memoria",
        _ => return None,
    })
}

/// What the standard library has no name for.
fn by_number(error: &Error) -> Option<&'static str> {
    Some(match Errno::from_io_error(error)? {
        Errno::MFILE => "este programa tiene ya tantos archivos y sockets como puede",
        Errno::NFILE => "no caben más archivos y sockets en esta máquina",
        Errno::NOBUFS => "no queda sitio en los búferes de la red",
        Errno::IO => "el aparato da un error",
        Errno::NXIO | Errno::NODEV => "no existe ese aparato",
        Errno::LOOP => "los enlaces simbólicos dan vueltas",
        #[cfg(unix)]
        Errno::NOEXEC => "no es un programa que esta máquina sepa ejecutar",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_has_spanish_words_and_no_number() {
        for number in [
            Errno::NOENT,
            Errno::ACCESS,
            Errno::MFILE,
            Errno::NFILE,
            Errno::NAMETOOLONG,
            Errno::INVAL,
            Errno::ROFS,
            Errno::NOSPC,
            Errno::IO,
            Errno::LOOP,
            Errno::ADDRNOTAVAIL,
            Errno::NETUNREACH,
        ] {
            let words = io(&number.into());
            assert!(!words.contains("os error"), "{words}");
        }
        #[cfg(unix)]
        assert_eq!(io(&Errno::NOEXEC.into()), "no es un programa que esta máquina sepa ejecutar");
    }

    #[test]
    fn what_a_library_says_is_left_as_it_is() {
        let error = Error::new(ErrorKind::InvalidInput, "nul byte found in provided data");
        assert_eq!(io(&error), "nul byte found in provided data");
        assert_eq!(io(&ErrorKind::NotFound.into()), "no existe");
    }
}
