//! Close codes by name, and what a client can do about them, in every language.
//!
//! What each code asks of a client stands beside it in `core/src/ws/codes.rs`. From 4000 on codes
//! belong to whoever serves: ours are named as ours, since another server may mean something else.

use crate::{cli::connect::position, core::Position, transport::CloseReason};

pub(super) fn in_english(reason: &CloseReason) -> (String, Option<String>) {
    let name = match reason.code.number() {
        1000 => "normal",
        1001 => "going away",
        1002 => "protocol error",
        1003 => "unsupported kind of message",
        1007 => "invalid contents",
        1008 => "against the rules",
        1009 => "message too big",
        1010 => "extension missing",
        1011 => "internal error",
        1012 => "restarting",
        1013 => "try again later",
        1014 => "bad gateway",
        4000 => "enchufe: the channel has ended",
        4001 => "enchufe: reading too slowly",
        4002 => "enchufe: messages are missing",
        4003 => "enchufe: this channel is only read",
        4004 => "enchufe: bad request",
        4005 => "enchufe: unknown channel",
        _ => "",
    };
    let hint = match (reason.code.number(), position(reason)) {
        (1003, _) => "send the other kind of message; --binary sends binary ones".to_owned(),
        (1008, _) => "does it want a --header, an --origin or a --protocol?".to_owned(),
        (1009, _) => "send shorter messages".to_owned(),
        (1011..=1014, _) => "--reconnect tries again until it works".to_owned(),
        (4000, _) => "what was said can still be read: ?since=all".to_owned(),
        (4001, Some(position)) => {
            format!(
                "go on where it stopped with ?since={position}; --reconnect does that by itself"
            )
        }
        (4002, Some(position)) => format!(
            "what had not come of the messages through {position} is gone; go on after it with \
             ?since={position}; --reconnect does that by itself"
        ),
        (4003, _) => "publish with a POST to the channel's URL".to_owned(),
        (4005, _) => "/channels of the same server lists the channels".to_owned(),
        _ => return (closed("the peer closed with code", name, reason), None),
    };
    (closed("the peer closed with code", name, reason), Some(hint))
}

pub(super) fn in_spanish(reason: &CloseReason) -> (String, Option<String>) {
    let name = match reason.code.number() {
        1000 => "normal",
        1001 => "se va",
        1002 => "error de protocolo",
        1003 => "clase de mensaje no admitida",
        1007 => "contenido no válido",
        1008 => "contra las reglas",
        1009 => "mensaje demasiado grande",
        1010 => "falta una extensión",
        1011 => "error interno",
        1012 => "se reinicia",
        1013 => "inténtalo más tarde",
        1014 => "mala pasarela",
        4000 => "enchufe: el canal ha terminado",
        4001 => "enchufe: se leía demasiado despacio",
        4002 => "enchufe: faltan mensajes",
        4003 => "enchufe: este canal solo se lee",
        4004 => "enchufe: petición incorrecta",
        4005 => "enchufe: canal desconocido",
        _ => "",
    };
    let hint = match (reason.code.number(), position(reason)) {
        (1003, _) => "envía mensajes de la otra clase; --binary los envía binarios".to_owned(),
        (1008, _) => "¿quiere un --header, un --origin o un --protocol?".to_owned(),
        (1009, _) => "envía mensajes más cortos".to_owned(),
        (1011..=1014, _) => "--reconnect lo intenta hasta que funcione".to_owned(),
        (4000, _) => "lo que se dijo aún puede leerse: ?since=all".to_owned(),
        (4001, Some(position)) => {
            format!("sigue donde se quedó con ?since={position}; --reconnect lo hace solo")
        }
        (4002, Some(position)) => format!(
            "lo que no había llegado de los mensajes hasta {position} ya no está; sigue tras esa \
             posición con ?since={position}; --reconnect lo hace solo"
        ),
        (4003, _) => "publica con un POST a la URL del canal".to_owned(),
        (4005, _) => "/channels del mismo servidor da la lista de canales".to_owned(),
        _ => return (closed("el otro extremo cerró con el código", name, reason), None),
    };
    (closed("el otro extremo cerró con el código", name, reason), Some(hint))
}

fn closed(with: &str, name: &str, CloseReason { code, reason }: &CloseReason) -> String {
    let name = if name.is_empty() { String::new() } else { format!(" ({name})") };
    let colon = if reason.is_empty() { "" } else { ": " };
    format!("{with} {code}{name}{colon}{reason}")
}

pub(super) fn resume_in_english(position: &Position) -> String {
    format!("the feed goes on after {position}: ?since={position}")
}

pub(super) fn resume_in_spanish(position: &Position) -> String {
    format!("el canal sigue después de {position}: ?since={position}")
}
