//! What is wrong with the text of an address, in Spanish.

use super::Words;
use crate::{
    address::{ParseAddressError, redacted},
    limits::EXCERPT_CHARS_MAX,
};

pub(in crate::cli::catalogue) fn words(error: &ParseAddressError) -> Words {
    (message(error), Some(hint(error)))
}

fn message(error: &ParseAddressError) -> String {
    match error {
        ParseAddressError::Empty => "la dirección está vacía".into(),
        ParseAddressError::UnknownScheme { text, scheme, .. } => {
            format!("{} empieza por un esquema desconocido: {}", shown(text), shown(scheme))
        }
        ParseAddressError::Http { text, .. } => {
            format!("{} es la dirección de una página, no de un socket", shown(text))
        }
        ParseAddressError::NotHttp { text } => {
            format!("{} no es una dirección para un servidor HTTP", shown(text))
        }
        ParseAddressError::NoSlashes { text, .. } => {
            format!("a {} le falta // tras el esquema", shown(text))
        }
        ParseAddressError::NoPort { text, .. } => format!("{} no tiene puerto", shown(text)),
        ParseAddressError::BadPort { text, port } => {
            format!("{} tiene un puerto imposible: {}", shown(text), shown(port))
        }
        ParseAddressError::NoHost { port } => {
            format!("{} es un puerto: falta la máquina a la que conectarse", shown(port))
        }
        ParseAddressError::EveryInterface { text, .. } => {
            format!("{} son todas las interfaces: se puede servir ahí, no conectarse", shown(text))
        }
        ParseAddressError::PortZero { text } => {
            format!("{}: en el puerto 0 se puede servir, no conectarse", shown(text))
        }
        ParseAddressError::BadHost { text, host } => {
            format!("{} tiene un nombre de máquina imposible: {}", shown(text), shown(host))
        }
        ParseAddressError::NoBrackets { text, .. } => {
            format!("{} tiene varios dos puntos: no se sabe dónde empieza el puerto", shown(text))
        }
        ParseAddressError::OpenBracket { text, .. } => {
            format!("a {} le falta el ] tras la dirección IPv6", shown(text))
        }
        ParseAddressError::BadIpv6 { text } => {
            format!("{} no tiene una dirección IPv6 entre sus corchetes", shown(text))
        }
        ParseAddressError::Credentials => "una dirección no lleva usuario ni contraseña".into(),
        ParseAddressError::UnexpectedPath { text, .. } => {
            format!("{} tiene una ruta, que esta clase de dirección no puede llevar", shown(text))
        }
        ParseAddressError::NoPath { text } => {
            format!("a {} le falta la ruta tras los dos puntos", shown(text))
        }
        ParseAddressError::NoProgram { text } => {
            format!("a {} le falta el programa tras los dos puntos", shown(text))
        }
        ParseAddressError::BadCommand { text, character } => {
            let character = if *character == '\0' { r"\0" } else { &character.to_string() };
            format!("{} tiene {character} donde no cabe", shown(text))
        }
        ParseAddressError::BadPath { text, character } => {
            format!("{} tiene una ruta que contiene {}", shown(text), character.escape_debug())
        }
    }
}

fn hint(error: &ParseAddressError) -> String {
    match error {
        ParseAddressError::UnknownScheme { suggestion: Some(suggestion), .. } => {
            format!("¿quisiste decir {}?", shortened(suggestion))
        }
        ParseAddressError::UnknownScheme { suggestion: None, .. } => {
            "hay tcp://HOST:PUERTO, tls://HOST:PUERTO, udp://HOST:PUERTO, ws://HOST:PUERTO/RUTA, wss://HOST:PUERTO/RUTA, ws+unix:RUTA:/URL, unix:RUTA, unixgram:RUTA, exec:PROGRAMA, file:RUTA y -"
                .into()
        }
        ParseAddressError::NoProgram { .. } => {
            "una orden es como exec:PROGRAMA o 'exec:PROGRAMA ARGUMENTO'".into()
        }
        ParseAddressError::BadCommand { character: '\0', .. } => {
            "ninguna palabra de una orden puede llevarlo".into()
        }
        ParseAddressError::BadCommand { .. } => {
            "cierra todas las comillas; una comilla o barra invertida que va tal cual lleva otra barra invertida delante".into()
        }
        ParseAddressError::NoPath { .. } => {
            "una ruta es como unix:/tmp/socket o file:datos.txt".into()
        }
        ParseAddressError::Empty => {
            "una dirección es como tcp://localhost:65432, ws://localhost:8765 o unix:/tmp/socket"
                .into()
        }
        ParseAddressError::Http { suggestion, .. } if suggestion.contains("/channels/") => {
            let suggestion = shortened(suggestion).replace("/channels/NAME", "/channels/NOMBRE");
            let page = suggestion.replacen("ws", "http", 1);
            format!("prueba {suggestion}, o enchufe follow {page}, que se reanuda solo")
        }
        ParseAddressError::Http { suggestion, .. }
        | ParseAddressError::NoSlashes { suggestion, .. }
        | ParseAddressError::NoPort { suggestion, .. }
        | ParseAddressError::EveryInterface { suggestion, .. }
        | ParseAddressError::UnexpectedPath { suggestion, .. }
        | ParseAddressError::NoBrackets { suggestion: Some(suggestion), .. }
        | ParseAddressError::OpenBracket { suggestion: Some(suggestion), .. } => {
            format!("prueba {}", shortened(suggestion).replace("/channels/NAME", "/channels/NOMBRE"))
        }
        ParseAddressError::NotHttp { .. } => "prueba http://127.0.0.1:5678".into(),
        ParseAddressError::BadPort { .. } => {
            "un puerto es un número de 1 a 65535, o el nombre de un servicio que esta máquina conoce"
                .into()
        }
        ParseAddressError::NoHost { port } => format!("prueba tcp://localhost:{}", shortened(port)),
        ParseAddressError::PortZero { .. } => "el servidor imprime el puerto que eligió".into(),
        ParseAddressError::BadHost { .. } => {
            "una máquina es un nombre, una dirección IPv4, o una dirección IPv6 entre corchetes".into()
        }
        ParseAddressError::NoBrackets { suggestion: None, .. } => {
            "una dirección es como HOST:PUERTO, y con IPv6 como [::1]:65432".into()
        }
        ParseAddressError::BadIpv6 { .. }
        | ParseAddressError::OpenBracket { suggestion: None, .. } => {
            "los corchetes son para IPv6, como en [::1]:65432 o [fe80::1%eth0]:65432".into()
        }
        ParseAddressError::Credentials => "quita todo lo que hay hasta la @".into(),
        ParseAddressError::BadPath { character: '#', .. } => {
            "escríbelo %23; un fragmento no se envía nunca".into()
        }
        ParseAddressError::BadPath { character: '\0', .. } => {
            "un nombre abstracto se escribe unix:@NOMBRE".into()
        }
        ParseAddressError::BadPath { .. } => "escríbelo con codificación porcentual".into(),
    }
}

fn shown(text: &str) -> String {
    format!("{:?}", shortened(text))
}

fn shortened(text: &str) -> String {
    let text = redacted(text);
    match text.char_indices().nth(EXCERPT_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}
