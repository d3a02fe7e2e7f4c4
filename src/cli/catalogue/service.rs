//! What `serve` says of the programs that it runs, in every language.

use super::{Report, spanish::io};
use crate::{cli::failure::ServiceFailure, transport::child::StartError};

/// What `serve` says of programs, apart from failures.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ServicePhrase<'a> {
    /// A program did not end well.
    Ended { peer: &'a str, status: &'a str },
    /// A client was not served to its end.
    Failed { peer: &'a str, error: &'a str },
}

pub(super) fn english(phrase: ServicePhrase<'_>) -> String {
    match phrase {
        ServicePhrase::Ended { peer, status } => {
            format!("{peer}: the program has ended with {status}")
        }
        ServicePhrase::Failed { peer, error } => format!("{peer}: {error}"),
    }
}

pub(super) fn spanish(phrase: ServicePhrase<'_>) -> String {
    match phrase {
        ServicePhrase::Ended { peer, status } => {
            format!("{peer}: el programa ha terminado con {status}")
        }
        ServicePhrase::Failed { peer, error } => format!("{peer}: {error}"),
    }
}

pub(super) fn report_in_english(failure: &ServiceFailure) -> Report {
    let (message, hint) = match failure {
        ServiceFailure::NoProgram => (
            "there is no program to serve".to_owned(),
            "enchufe serve exec ADDRESS -- PROGRAM ARGUMENTS",
        ),
        ServiceFailure::RemoteExec { address } => (
            format!("at {address} other machines could run the program"),
            "--allow-remote-exec lets them; localhost and unix: are for this machine",
        ),
        ServiceFailure::Start(error) => (error.to_string(), FIND),
        ServiceFailure::NotServed { address } => (
            format!("nobody can listen on {address}: it is there to be connected to"),
            "enchufe serve exec ADDRESS -- PROGRAM serves a program",
        ),
    };
    Report { message, hint: Some(hint.to_owned()) }
}

pub(super) fn report_in_spanish(failure: &ServiceFailure) -> Report {
    let (message, hint) = match failure {
        ServiceFailure::NoProgram => (
            "no hay programa que servir".to_owned(),
            "enchufe serve exec DIRECCIÓN -- PROGRAMA ARGUMENTOS",
        ),
        ServiceFailure::RemoteExec { address } => (
            format!("en {address} otras máquinas podrían ejecutar el programa"),
            "--allow-remote-exec lo permite; localhost y unix: son para esta máquina",
        ),
        ServiceFailure::Start(error) => (start_in_spanish(error), FIND_IN_SPANISH),
        ServiceFailure::NotServed { address } => (
            format!("nadie puede escuchar en {address}: está para conectarse a ella"),
            "enchufe serve exec DIRECCIÓN -- PROGRAMA sirve un programa",
        ),
    };
    Report { message, hint: Some(hint.to_owned()) }
}

/// What to do when a program does not run.
pub(super) const FIND: &str = "give its path, or a name on the PATH";
pub(super) const FIND_IN_SPANISH: &str = "da su ruta, o un nombre que esté en el PATH";

/// Why a program does not run.
pub(super) fn start_in_spanish(error: &StartError) -> String {
    match error {
        StartError::NotFound(program) => {
            format!("no se puede ejecutar '{program}': no existe ese programa")
        }
        StartError::Io { program, error } => {
            format!("no se puede ejecutar '{program}': {}", io(error))
        }
        StartError::Dir { program, dir, error } => {
            format!("no se puede ejecutar '{program}' en '{dir}': {}", io(error))
        }
        StartError::Pty { program, error } => {
            format!("no se puede dar una terminal a '{program}': {}", io(error))
        }
    }
}
