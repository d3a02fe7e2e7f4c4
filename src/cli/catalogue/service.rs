//! What `serve` says of the programs that it runs, in every language.

use super::{
    Report,
    spanish::{ended, io},
};
use crate::{
    cli::failure::ServiceFailure,
    transport::child::{StartError, StartRemedy, Status},
};

/// What `serve` says of programs, apart from failures.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ServicePhrase<'a> {
    /// A program did not end well.
    Ended { peer: &'a str, status: &'a Status },
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
            format!("{peer}: el programa ha terminado con {}", ended(status))
        }
        ServicePhrase::Failed { peer, error } => format!("{peer}: {error}"),
    }
}

pub(super) fn report_in_english(failure: &ServiceFailure) -> Report {
    let (message, hint) = match failure {
        ServiceFailure::Start(error) => {
            return Report { message: error.to_string(), hint: error.hint() };
        }
        ServiceFailure::NoProgram => (
            "there is no program to serve".to_owned(),
            "enchufe serve exec ADDRESS -- PROGRAM ARGUMENTS",
        ),
        ServiceFailure::RemoteExec { address } => (
            format!("at {address} other machines could run the program"),
            "--allow-remote-exec lets them; localhost and unix: are for this machine",
        ),
        ServiceFailure::NotServed { address } => (
            format!("nobody can listen on {address}: it is there to be connected to"),
            "enchufe serve exec ADDRESS -- PROGRAM serves a program",
        ),
    };
    Report { message, hint: Some(hint.to_owned()) }
}

pub(super) fn report_in_spanish(failure: &ServiceFailure) -> Report {
    let (message, hint) = match failure {
        ServiceFailure::Start(error) => {
            let (message, hint) = start_in_spanish(error);
            return Report { message, hint };
        }
        ServiceFailure::NoProgram => (
            "no hay programa que servir".to_owned(),
            "enchufe serve exec DIRECCIÓN -- PROGRAMA ARGUMENTOS",
        ),
        ServiceFailure::RemoteExec { address } => (
            format!("en {address} otras máquinas podrían ejecutar el programa"),
            "--allow-remote-exec lo permite; localhost y unix: son para esta máquina",
        ),
        ServiceFailure::NotServed { address } => (
            format!("nadie puede escuchar en {address}: está para conectarse a ella"),
            "enchufe serve exec DIRECCIÓN -- PROGRAMA sirve un programa",
        ),
    };
    Report { message, hint: Some(hint.to_owned()) }
}

/// Why a program does not run, and what to do about it.
pub(super) fn start_in_spanish(error: &StartError) -> (String, Option<String>) {
    let message = match error {
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
    };
    let hint = error.remedy().map(|remedy| match remedy {
        StartRemedy::Find => "da su ruta, o un nombre que esté en el PATH",
        StartRemedy::Permit => {
            "da un programa: un archivo que este usuario pueda ejecutar (chmod +x)"
        }
        StartRemedy::Dir => "--dir da la carpeta en la que se ejecuta",
    });
    (message, hint.map(str::to_owned))
}
