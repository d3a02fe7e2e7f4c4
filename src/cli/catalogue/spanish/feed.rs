//! What can be wrong with a feed, in Spanish.

use enchufe_core::channel::{NAME_BYTES_MAX, ParseChannelNameError};

use super::network::io;
use crate::{
    http::{OpenFolderError, ReadTokenError},
    limits::{TOKEN_BYTES_MAX, TOKEN_BYTES_MIN},
    source::StartError,
};

pub(super) fn start(error: &StartError) -> String {
    match error {
        StartError::NotFound(program) => format!("no se puede ejecutar '{program}': no existe"),
        StartError::Io { program, error } => {
            format!("no se puede ejecutar '{program}': {}", io(error))
        }
        StartError::Pty { program, error } => {
            format!("no se puede dar un terminal a '{program}': {}", io(error))
        }
    }
}

/// The core is another crate, where new variants may come: they are English until they are here,
/// and the test below says which.
pub(super) fn channel(error: &ParseChannelNameError) -> String {
    match error {
        ParseChannelNameError::Empty => "un canal necesita un nombre".into(),
        ParseChannelNameError::TooLong(name) => {
            format!("el nombre de canal '{name}…' supera los {NAME_BYTES_MAX} bytes")
        }
        ParseChannelNameError::Segment(name) => {
            format!("el nombre de canal '{name}' tiene un tramo vacío, '.' o '..'")
        }
        ParseChannelNameError::Control(name) => {
            format!("el nombre de canal {name:?} tiene un carácter de control")
        }
        other => other.to_string(),
    }
}

pub(super) fn token(error: &ReadTokenError) -> String {
    match error {
        ReadTokenError::Io { path, error } => {
            format!("no se puede leer el archivo del token '{path}': {}", io(error))
        }
        ReadTokenError::Unusable(path) => format!(
            "el archivo '{path}' no contiene un token: su primera línea debe tener de \
             {TOKEN_BYTES_MIN} a {TOKEN_BYTES_MAX} caracteres ASCII visibles"
        ),
    }
}

pub(super) fn page(error: &OpenFolderError) -> String {
    let OpenFolderError { path, error } = error;
    format!("no se puede servir la página '{path}': {}", io(error))
}
