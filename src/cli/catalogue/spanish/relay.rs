//! `relay` in Spanish.

use super::{Words, network, system::io};
use crate::{
    cli::{
        catalogue::relay::{RelayPhrase, moved},
        failure::RelayFailure,
    },
    recording::CreateError,
    relay::Relayed,
};

/// The help text of an argument of `relay`, or of the command itself.
pub(super) fn help(id: &str) -> Option<&'static str> {
    Some(match id {
        "relay" => "Une dos direcciones: por cada cliente de la primera, se conecta a la segunda",
        "relay.near" => "Dónde se escucha; - se abre una sola vez",
        "relay.far" => "Adónde conectarse por cada cliente",
        "relay.connect_both" => {
            "Se conecta también a la primera dirección, una vez: une dos servidores"
        }
        "relay.listen_both" => {
            "Escucha también en la segunda dirección: une clientes por parejas, según llegan"
        }
        "relay.framing" => {
            "Cómo se corta un flujo en mensajes [por omisión: raw; lines donde hay mensajes y -]"
        }
        "relay.binary" => "Envía mensajes binarios, aunque sean texto (ws://)",
        "relay.max_message" => "El mensaje más largo, en cualquier sentido [por omisión: 1MiB]",
        "relay.wait" => {
            "Acabado un flujo, deja abierto el otro lado hasta que calle durante este tiempo"
        }
        "relay.idle_timeout" => "Cierra ambos lados cuando nada se ha movido en este tiempo",
        "relay.once" => "Termina después del primer cliente",
        "relay.max_connections" => "Clientes atendidos a la vez",
        "relay.tap" => "Muestra lo que pasa, en la salida de errores",
        "relay.record" => "Graba lo que pasa, con sus tiempos, para reproducirlo",
        "relay.force" => "Sustituye el archivo de --record si ya existe",
        "relay.json" => "Imprime cada conexión y la suma en JSON",
        "relay.quiet" => "No dice nada de lo que se ha pasado",
        "relay.allow_origin" => "Deja conectarse a las páginas de este origen; puede repetirse",
        "relay.host_name" => "En loopback, responde también a este nombre; puede repetirse",
        "relay.tls_cert" => {
            "https, wss, tls: el certificado del servidor (PEM), y los que llevan a su emisor"
        }
        "relay.tls_key" => "https, wss, tls: la clave privada del certificado (PEM)",
        "relay.tls_dev" => {
            "https, wss, tls: un certificado de desarrollo, el mismo en cada ejecución"
        }
        "relay.protocol" => "Habla este subprotocolo, en ambos lados (ws://); puede repetirse",
        _ => return None,
    })
}

pub(super) fn say(phrase: RelayPhrase<'_>) -> String {
    match phrase {
        RelayPhrase::Sum(relayed) => {
            let Relayed { connections, failed, refused, forth, back, .. } = relayed;
            let connections = match connections {
                1 => "1 conexión".to_owned(),
                count => format!("{count} conexiones"),
            };
            let mut words = format!(
                "{connections} en {:.1} s, {} de ida, {} de vuelta",
                relayed.duration.as_secs_f64(),
                moved(forth, "mensaje"),
                moved(back, "mensaje")
            );
            for (count, what) in [
                (*failed, "con fallos"),
                (*refused, "rechazadas"),
                (forth.lost + back.lost, "datagramas perdidos"),
            ] {
                if count > 0 {
                    words.push_str(&format!(", {count} {what}"));
                }
            }
            words
        }
        RelayPhrase::Trouble { number, peer, why } => {
            format!("conexión {number}, de {peer}: {why}")
        }
        RelayPhrase::Withheld(count) => {
            format!("otros {count} avisos así no se mostraron; --log info muestra cada uno")
        }
        RelayPhrase::Idle(time) => format!("no llegó nada en {} s", time.as_secs_f64()),
        RelayPhrase::Open(error) => network::open(error).0,
        RelayPhrase::Recv(error) => network::recv(error),
        RelayPhrase::Send(error) => network::send(error),
    }
}

pub(super) fn report(failure: &RelayFailure) -> Words {
    let (message, hint) = match failure {
        RelayFailure::Create(CreateError::Exists { path }) => (
            format!("no se puede grabar en {}: el archivo ya existe", path.display()),
            Some("--force lo sustituye"),
        ),
        RelayFailure::Create(CreateError::NotAFile { path }) => (
            format!("no se puede grabar en {}: lo que hay ahí no es un archivo", path.display()),
            Some("da la ruta de un archivo"),
        ),
        RelayFailure::Create(CreateError::Io { path, error }) => {
            (format!("no se puede grabar en {}: {}", path.display(), io(error)), None)
        }
        RelayFailure::Write(error) => (
            format!("no se escribió todo lo que pasó: {}", io(error)),
            Some("¿está lleno el disco?"),
        ),
        RelayFailure::Unwritten => (
            "no se escribió todo lo que pasó: quien lo lee ha dejado de leer".to_owned(),
            Some("--record ARCHIVO lo guarda en un archivo"),
        ),
        RelayFailure::Idle(time) => (
            format!("no llegó nada en {} s", time.as_secs_f64()),
            Some("--idle-timeout TIEMPO espera más"),
        ),
    };
    (message, hint.map(str::to_owned))
}
