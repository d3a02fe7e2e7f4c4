//! `publish` and `follow` in Spanish.

use super::{
    super::{ChannelPhrase, Report, channel, close, is_too_long, live},
    Words, address, io, network,
};
use crate::{
    address::ParseChannelAddressError,
    cli::{
        failure::{ChannelFailure, LiveFailure},
        follow::PositionsError,
    },
    client::{AttemptError, FollowError, PublishError},
    core::{Gap, GapReason},
    transport::{OpenError, ws::Refusal},
};

pub(super) fn say(phrase: ChannelPhrase<'_>) -> String {
    match phrase {
        ChannelPhrase::Gap { channel, gap: Gap { after, next, reason, missing } } => {
            let which = match missing {
                Some(1) => "falta 1 mensaje".to_owned(),
                Some(count) => format!("faltan {count} mensajes"),
                None => "pueden faltar mensajes".to_owned(),
            };
            let why = match reason {
                GapReason::Slow => "no se leyeron a tiempo",
                GapReason::Expired => "ya no se guardan",
                GapReason::Reset => "el registro en que estaban ya no existe",
                GapReason::Lost => "una caída los perdió",
                GapReason::Corrupt => "el registro está dañado",
                GapReason::Conflated => "solo se pidió el más nuevo",
                other => other.as_str(),
            };
            format!("'{channel}': {which} tras {after} y antes de {next}: {why} ({reason})")
        }
        ChannelPhrase::Ended { channel, status } => format!("'{channel}' ha terminado ({status})"),
        ChannelPhrase::ResumeAfter { channel, position } => {
            format!("'{channel}' sigue con --since {position}")
        }
        ChannelPhrase::Attempt { channel, error } => cannot_publish(channel, error),
        ChannelPhrase::Reset { channel, before, doubled } => {
            let gone = match before {
                1 => "el mensaje confirmado antes puede haberse perdido".to_owned(),
                _ => format!("los {before} mensajes confirmados antes pueden haberse perdido"),
            };
            let twice = match doubled {
                0 => String::new(),
                1 => "; el último puede haberse publicado también antes".to_owned(),
                _ => format!("; los últimos {doubled} pueden haberse publicado también antes"),
            };
            format!("{channel} tiene ahora otro registro: {gone}{twice}")
        }
        ChannelPhrase::Stopped { channel, acknowledged, in_doubt } => {
            format!("{channel}: {}", account(acknowledged, in_doubt))
        }
    }
}

fn account(acknowledged: u64, in_doubt: u64) -> String {
    let were = match acknowledged {
        0 => "no se confirmó ningún mensaje".to_owned(),
        1 => "se confirmó 1 mensaje".to_owned(),
        count => format!("se confirmaron {count} mensajes"),
    };
    match in_doubt {
        0 => format!("{were}, y nada se publicó después"),
        1 => format!("{were}, 1 más puede haberse publicado, y nada después"),
        count => format!("{were}, {count} más pueden haberse publicado, y nada después"),
    }
}

fn cannot_publish(channel: &str, error: &AttemptError) -> String {
    let why = match error {
        AttemptError::Open(error) => return network::open(error).0,
        AttemptError::Request(why) => format!("la petición no puede hacerse: {why}"),
        AttemptError::Lost => "la conexión se perdió antes de la respuesta".to_owned(),
        AttemptError::NotHttp => "lo que contesta ahí no habla HTTP".to_owned(),
        AttemptError::Late(time) => {
            format!("no llegó respuesta en {:.0} s", time.as_secs_f64())
        }
        AttemptError::Refused(refusal) => {
            format!("el servidor respondió {}", channel::status(refusal))
        }
        AttemptError::Nonsense(why) => format!("lo que respondió el servidor no puede ser: {why}"),
    };
    format!("no se puede publicar en {channel}: {why}")
}

pub(super) fn report(failure: &ChannelFailure) -> Report {
    let (message, hint) = match failure {
        ChannelFailure::Address(error) => parse(error),
        ChannelFailure::OtherServer { one, other } => (
            format!("{one} y {other} son dos servidores"),
            Some("sigue los canales de cada uno por separado".to_owned()),
        ),
        ChannelFailure::QueryToPublish => (
            "una URL en que publicar no dice nada sobre leer".to_owned(),
            Some("quita lo que empieza con el ?".to_owned()),
        ),
        ChannelFailure::NothingToPublish => (
            "no hay nada que publicar, y la entrada estándar es una terminal".to_owned(),
            Some("da el mensaje, conecta algo que los escriba, o tecléalos con -".to_owned()),
        ),
        ChannelFailure::Positions(error) => {
            let message = match error {
                PositionsError::Read { path, error } => {
                    format!("no se pueden leer las posiciones de '{path}': {}", io(error))
                }
                PositionsError::Unusable { path, why } => {
                    format!("'{path}' no tiene posiciones: {why}")
                }
                PositionsError::Write { path, error } => {
                    format!("no se pueden guardar las posiciones en '{path}': {}", io(error))
                }
            };
            let hints = [
                "en --position-file guarda follow por dónde seguir; sin el archivo empieza en --since",
                "su carpeta debe existir, y dejarte escribir",
            ];
            (message, Some(channel::positions(error, hints)))
        }
        ChannelFailure::Follow { server, error } => follow(server, error),
        ChannelFailure::Publish { channel, error, acknowledged, in_doubt } => {
            let account = account(*acknowledged, *in_doubt);
            let why = cannot_publish(channel, &error.error);
            let tried = match error.gave_up_after {
                Some(time) => format!(", tras {:.0} s de intentos", time.as_secs_f64()),
                None => String::new(),
            };
            (format!("{why}{tried}; {account}"), publish_hint(error))
        }
    };
    Report { message, hint }
}

fn parse(error: &ParseChannelAddressError) -> Words {
    use ParseChannelAddressError as Error;
    let url =
        || Some("la URL de un canal es como http://127.0.0.1:5678/channels/NOMBRE".to_owned());
    match error {
        Error::Address(error) => address::words(error),
        Error::Name(error) => {
            let report = live::report_in_spanish(&LiveFailure::Channel(error.clone()));
            (report.message, report.hint)
        }
        Error::NotWeb(text) => (
            format!(
                "'{text}' no está en la web: a los canales se llega por http://, https://, ws:// o wss://"
            ),
            url(),
        ),
        Error::NoChannel(text) => (
            format!("'{text}' es la URL de un servidor, y no nombra ningún canal"),
            Some(format!("{}/channels/NOMBRE", text.trim_end_matches('/'))),
        ),
        Error::Encoding(text) => (format!("el nombre del canal en '{text}' no es UTF-8"), url()),
        Error::Field { field } => (
            format!("'{field}' en la URL de un canal no dice nada aquí"),
            Some(match field.as_str() {
                "token" => "--token-file ARCHIVO muestra uno".to_owned(),
                _ => "since y slow son lo que se puede pedir".to_owned(),
            }),
        ),
        Error::Since(error) => (
            format!("'{}' no es un sitio por el que empezar", error.0),
            Some("una posición, all, now, last:N o una antigüedad como -10m".to_owned()),
        ),
        Error::Slow(_) => (
            "la URL pide lo que no hay para quien lee despacio".to_owned(),
            Some("usa skip, latest o cut".to_owned()),
        ),
    }
}

fn follow(server: &str, error: &FollowError) -> Words {
    match error {
        FollowError::Open(OpenError::Refusal { refusal, .. }) => (
            format!(
                "no se puede seguir nada en {server}: el servidor respondió {}",
                channel::status(refusal)
            ),
            Some(refusal_hint(refusal)),
        ),
        FollowError::Open(OpenError::Handshake { .. }) => (
            format!("no se puede seguir nada en {server}: no habla enchufe.v1"),
            Some("¿es un enchufe, y es correcta la ruta?".to_owned()),
        ),
        FollowError::Open(error) => network::open(error),
        FollowError::Recv(error) => (
            network::recv(error),
            is_too_long(error).then(|| "--max-message TAMAÑO los acepta más largos".to_owned()),
        ),
        FollowError::Send(error) => (network::send(error), None),
        FollowError::Closed(reason) => (close::in_spanish(reason).0, None),
        FollowError::Left => (format!("{server} cerró la conexión"), None),
        FollowError::Refused { code, message, .. } => {
            let hint = match code.as_str() {
                "unknown_channel" => Some(format!("{server}/channels enumera los canales")),
                _ => None,
            };
            (format!("{server} se niega: {message} ({code})"), hint)
        }
        FollowError::Nonsense { why } => (
            format!("lo que dice {server} no puede ser: {why}"),
            Some("¿es un enchufe, y no más viejo que este?".to_owned()),
        ),
        FollowError::TooMany(count) => (
            format!(
                "{count} canales son demasiados para una conexión, que tiene {} como mucho",
                crate::limits::SUBSCRIPTIONS_MAX
            ),
            None,
        ),
    }
}

fn publish_hint(error: &PublishError) -> Option<String> {
    match &error.error {
        AttemptError::Open(error) => network::open(error).1,
        AttemptError::Refused(refusal) => Some(refusal_hint(refusal)),
        AttemptError::Request(_) => Some("mira --header y --token-file".to_owned()),
        AttemptError::NotHttp | AttemptError::Nonsense(_) => {
            Some("¿es un enchufe, y es correcta la ruta?".to_owned())
        }
        AttemptError::Lost | AttemptError::Late(_) => {
            Some("--timeout TIEMPO lo intenta más tiempo".to_owned())
        }
    }
}

fn refusal_hint(refusal: &Refusal) -> String {
    match (refusal.status, &refusal.location, refusal.retry_after) {
        (300..=399, Some(location), _) => format!("te envía a {location}"),
        (401, ..) => "--token-file ARCHIVO muestra el token del ARCHIVO".to_owned(),
        (403, ..) => "¿quiere un token? --token-file ARCHIVO muestra el del ARCHIVO".to_owned(),
        (429 | 500..=599, _, Some(after)) => {
            format!("pide que se le deje en paz {} s", after.as_secs())
        }
        (404, ..) => "/channels del mismo servidor enumera los canales".to_owned(),
        (410, ..) => "el canal ha terminado y no acepta más".to_owned(),
        (413, ..) => "publica mensajes más cortos".to_owned(),
        _ => "¿es un enchufe, y es correcta la ruta?".to_owned(),
    }
}
