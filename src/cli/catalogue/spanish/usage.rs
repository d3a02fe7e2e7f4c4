//! What is wrong with a command line, in Spanish.

use super::tls::NO_CERTIFICATE;
use crate::{
    cli::{
        catalogue::{Report, one_of},
        usage::{Usage, UsageError},
        values::ValueError,
    },
    transport::ws::HeaderError,
};

pub(super) fn report(Usage { error, command }: &Usage) -> Report {
    let similar =
        |word: &Option<String>| word.as_ref().map(|word| format!("¿quisiste decir '{word}'?"));
    let help = || Some(format!("{command} --help muestra cómo, con un ejemplo"));
    match error {
        UsageError::UnknownArgument { argument, similar: word, in_command } => Report {
            message: format!("argumento inesperado: '{argument}'"),
            hint: match in_command {
                Some(other) => Some(format!("pertenece a 'enchufe {other}'")),
                None => similar(word).or_else(help),
            },
        },
        UsageError::UnknownCommand { name, similar: word } => Report {
            message: format!("no existe la orden '{name}'"),
            hint: similar(word).or_else(help),
        },
        UsageError::NotPossible { argument, value, possible, similar: word } => Report {
            message: format!("'{value}' no es un valor de {argument}"),
            hint: similar(word).or_else(|| Some(format!("usa {}", one_of(possible, "o")))),
        },
        UsageError::BadValue { argument, value, why } => Report {
            message: format!("'{value}' no es un valor de {argument}"),
            hint: why.map(|why| expected(why).to_owned()),
        },
        UsageError::NoValue { argument } => {
            Report { message: format!("falta el valor de {argument}"), hint: help() }
        }
        UsageError::Missing { arguments } => {
            Report { message: format!("falta: {}", arguments.join(", ")), hint: help() }
        }
        UsageError::Conflict { argument, with } if with.is_empty() => {
            Report { message: format!("{argument} aparece dos veces"), hint: help() }
        }
        UsageError::Conflict { argument, with } => Report {
            message: format!("{argument} no se puede usar con {}", one_of(with, "o")),
            hint: help(),
        },
        UsageError::TwoWords { host, port } => Report {
            message: format!("'{host} {port}' son dos palabras, una dirección es una"),
            hint: Some(format!("tcp://{host}:{port}")),
        },
        UsageError::NoCertificate { address } => Report {
            message: format!("{address} necesita un certificado"),
            hint: Some(NO_CERTIFICATE.into()),
        },
        UsageError::Other(message) => Report { message: message.clone(), hint: help() },
    }
}

pub(in crate::cli::catalogue) fn expected(why: ValueError) -> &'static str {
    match why {
        ValueError::Time => {
            "se espera un tiempo como 1, 0.5, 500ms, 30s, 5m o 1h, un año como mucho"
        }
        ValueError::Interval => {
            "se espera un tiempo o un intervalo, de hasta un día, por ejemplo 500ms o 0..3s"
        }
        ValueError::Range => {
            "se esperan números enteros como DESDE..HASTA, con ambos extremos, por ejemplo 0..9"
        }
        ValueError::Bytes => {
            "se espera una cantidad de bytes mayor que 0, por ejemplo 65536, 64K, 64KiB, 1M o 1G"
        }
        ValueError::Count => "se espera un número entero mayor que 0",
        ValueError::Since => "se espera una posición, all, now, last:N o una antigüedad como -10m",
        ValueError::Rate => {
            "se espera una cantidad de mensajes por segundo, de 0.001 a 1e9, por ejemplo 500 o 0.5"
        }
        ValueError::Origin => "se espera ESQUEMA://HOST[:PUERTO], null o *",
        ValueError::Greeting => "se espera una línea corta con {name} donde va el nombre",
        ValueError::PortBase => {
            "se espera un puerto de hasta 65533, el primero de tres, o 0 para puertos libres"
        }
        ValueError::Header(HeaderError::NotAField) => {
            "se espera NOMBRE: VALOR, el nombre en letras, cifras y guiones"
        }
        ValueError::Header(HeaderError::Control) => {
            "el valor de un campo no puede tener un salto de línea ni otro carácter de control"
        }
        ValueError::Header(HeaderError::Own) => {
            "Host, Upgrade, Connection, Sec-WebSocket-* y la longitud los pone el propio protocolo"
        }
        ValueError::Header(HeaderError::HasOption) => {
            "usa --origin para Origin y --protocol para Sec-WebSocket-Protocol"
        }
        ValueError::PingInterval => {
            "se espera un tiempo como 500ms, 20s o 5m, un día como mucho, o never"
        }
        ValueError::FlushWindow => {
            "se espera un tiempo como 5ms o 0.1s, un segundo como mucho, o 0"
        }
        ValueError::Pattern => {
            "se espera una expresión regular, por ejemplo 'Hola .*!' o '^[0-9]+$'"
        }
        ValueError::Speed => "se espera un número mayor que 0, por ejemplo 2 o 0.5, o max",
        ValueError::Variable => "se espera NOMBRE=VALOR; el valor puede ir vacío",
        ValueError::Keepalive => {
            "se espera un tiempo como 30s, 5m o 2h, de 4 segundos como poco y de 12 horas como mucho"
        }
        ValueError::LocalAddress => {
            "se espera una dirección IP y quizá un puerto, como 192.0.2.1, 192.0.2.1:5000 o [::1]:5000"
        }
        ValueError::Ip => "se espera una dirección IP de esta máquina, por ejemplo 127.0.0.2 o ::1",
        ValueError::Language => "usa en o es",
        ValueError::Protocol => {
            "se espera un solo nombre de letras, cifras y cualquiera de !#$%&'*+-.^_`|~"
        }
        ValueError::Close => {
            "se espera CÓDIGO o CÓDIGO:MOTIVO, con un código de 1000–1003, 1007–1014 o 3000–4999 \
             y como mucho 123 bytes de motivo"
        }
    }
}
