//! What each key of a configuration means, in every language.

use crate::{cli::language::Language, config::Key};

/// What a key means: one sentence, for a help page and for a file.
pub(crate) fn meaning(key: Key, language: Language) -> &'static str {
    match language {
        Language::English => english(key),
        Language::Spanish => spanish(key),
    }
}

fn english(key: Key) -> &'static str {
    match key {
        Key::Log => "What to log: error, warn, info, debug or trace, or a filter",
        Key::DefaultChannel => "The channel that / stands for",
        Key::Page => "Serve this file, or this folder, instead of the built-in page",
        Key::Address => "Where the page and the channels are served; may be repeated",
        Key::TlsCert => "https: the server's certificate (PEM), and those that lead to its issuer",
        Key::TlsKey => "https: the private key of the certificate (PEM)",
        Key::TlsDev => "https: a certificate for development, the same in every run",
        Key::AllowOrigin => "Let pages of this origin read and publish; may be repeated",
        Key::HostName => "On loopback, answer to this name too; may be repeated",
        Key::PublishTokenFile => "Publishing from elsewhere needs the token in this file",
        Key::ReadTokenFile => "Reading needs the token in this file",
        Key::ViewersMax => "WebSocket viewers at the same time",
        Key::ConnectionsMax => {
            "Other connections of one listener at the same time; further ones wait"
        }
        Key::ConnectionsPerAddressMax => {
            "Connections of one address at the same time; 1000 unless given, and then none for \
             this machine itself"
        }
        Key::ChannelsMax => "Channels at the same time; no more are made on first use",
        Key::HeadTimeout => "How long the head of a request may take",
        Key::BodyTimeout => "How long the body of a publish may take",
        Key::DeadAfter => "How long a client may take nothing of its answer",
        Key::History => "Keep at most this many messages for those who come late",
        Key::HistoryBytes => "Keep at most this many bytes of messages",
        Key::HistoryAge => "Keep messages no longer than this",
        Key::Slow => {
            "What a reader who is too slow gets: a gap (skip), the latest message only, or the \
             end (cut)"
        }
        Key::SlowAllowed => "What a reader may choose instead",
        Key::FlushWindow => "How long messages may wait for others, to be sent together",
        Key::Publish => {
            "Who may publish: who has the authority, or the readers too, over a raw WebSocket"
        }
        Key::Patience => "How long publishers wait for readers before these miss something",
        Key::IdleExpiry => {
            "Channels made on first use go when nobody has used them for so long; 0s: never"
        }
        Key::Generated => {
            "The messages are made up here, such as a clock's: pages of any origin may read them"
        }
        Key::Source => {
            "Where messages come from: clock, random, -, exec:PROGRAM or an address; more about \
             it in a table, below"
        }
        Key::From => "Where messages come from: clock, random, -, exec:PROGRAM or an address",
        Key::Interval => "clock, random: seconds between messages, drawn anew each time",
        Key::Range => "random: the numbers, both ends included",
        Key::Pty => "exec: give the program a terminal, so that it prints each line at once",
        Key::Restart => "exec: run the program again: never, on-failure or always",
        Key::Framing => "How messages are told apart in a stream: lines, nul, length or raw",
        Key::Check => "What a message must be, or it is left out: none, json or number",
    }
}

fn spanish(key: Key) -> &'static str {
    match key {
        Key::Log => "Qué se registra: error, warn, info, debug o trace, o un filtro",
        Key::DefaultChannel => "El canal que se lee en /",
        Key::Page => "Sirve este archivo, o esta carpeta, en lugar de la página incluida",
        Key::Address => "Dónde se sirven la página y los canales; puede repetirse",
        Key::TlsCert => "https: el certificado del servidor (PEM), y los que llevan a su emisor",
        Key::TlsKey => "https: la clave privada del certificado (PEM)",
        Key::TlsDev => "https: un certificado de desarrollo, el mismo en cada ejecución",
        Key::AllowOrigin => "Deja leer y publicar a las páginas de este origen; puede repetirse",
        Key::HostName => "En loopback, responde también a este nombre; puede repetirse",
        Key::PublishTokenFile => "Publicar desde otro lugar exige el token de este archivo",
        Key::ReadTokenFile => "Leer exige el token de este archivo",
        Key::ViewersMax => "Cuántos miran a la vez por WebSocket",
        Key::ConnectionsMax => {
            "Otras conexiones a la vez en cada dirección en que se escucha; las demás esperan"
        }
        Key::ConnectionsPerAddressMax => {
            "Conexiones a la vez de una misma dirección; si no se indica, 1000, y sin límite para \
             esta misma máquina"
        }
        Key::ChannelsMax => "Canales a la vez; no se crean más al usarlos por primera vez",
        Key::HeadTimeout => "Cuánto puede tardar la cabecera de una petición",
        Key::BodyTimeout => "Cuánto puede tardar el cuerpo de una publicación",
        Key::DeadAfter => "Cuánto puede un cliente no recoger nada de su respuesta",
        Key::History => "Guarda como mucho tantos mensajes para quien llega tarde",
        Key::HistoryBytes => "Guarda como mucho tantos bytes de mensajes",
        Key::HistoryAge => "No guarda los mensajes más tiempo que este",
        Key::Slow => {
            "Qué recibe quien lee demasiado despacio: un hueco (skip), solo el último mensaje \
             (latest) o el fin (cut)"
        }
        Key::SlowAllowed => "Qué puede elegir en su lugar quien lee",
        Key::FlushWindow => "Cuánto pueden esperar los mensajes a otros, para enviarse juntos",
        Key::Publish => {
            "Quién puede publicar: quien está autorizado (authorised), o también quien lee \
             (readers), por un WebSocket simple"
        }
        Key::Patience => "Cuánto espera quien publica a quien lee, antes de que este pierda algo",
        Key::IdleExpiry => {
            "Los canales creados al usarlos desaparecen cuando nadie los usa en este tiempo; 0s: \
             nunca"
        }
        Key::Generated => {
            "Los mensajes se inventan aquí, como los de un reloj: los puede leer una página de \
             cualquier origen"
        }
        Key::Source => {
            "De dónde vienen los mensajes: clock, random, -, exec:PROGRAMA o una dirección; en \
             una tabla se dice más, abajo"
        }
        Key::From => {
            "De dónde vienen los mensajes: clock, random, -, exec:PROGRAMA o una dirección"
        }
        Key::Interval => "clock, random: segundos entre mensajes, al azar cada vez",
        Key::Range => "random: los números, con ambos extremos",
        Key::Pty => "exec: da al programa una terminal, para que imprima cada línea en el acto",
        Key::Restart => {
            "exec: ejecuta el programa de nuevo: never (nunca), on-failure (si falla) o always \
             (siempre)"
        }
        Key::Framing => "Cómo se separan los mensajes en un flujo: lines, nul, length o raw",
        Key::Check => {
            "Qué debe ser un mensaje, o se descarta: none (cualquier cosa), json o number"
        }
    }
}
