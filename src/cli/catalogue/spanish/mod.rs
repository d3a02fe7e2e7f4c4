//! Spanish.

mod address;
mod channel;
mod help;
mod network;
mod relay;
mod sockets;
mod system;
mod tls;
pub(super) mod usage;

use super::{
    Phrase, Report, bench, close, config, connect, is_too_long, live, refusal, service, top,
};
use crate::cli::{connect::FramingError, failure::Failure, language::Language};

pub(super) use {
    address::words as address,
    help::{help, value_name},
    network::{open, recv},
    system::{ended, io},
};

/// A message and a hint.
type Words = (String, Option<String>);

pub(super) fn say(phrase: Phrase<'_>) -> String {
    match phrase {
        Phrase::Error => "error".into(),
        Phrase::Hint => "sugerencia".into(),
        Phrase::Warning => "aviso".into(),
        Phrase::ConnectedBy(peer) => format!("Conectado IP: {peer}"),
        Phrase::ListeningOn(address) => format!("escuchando en {address}"),
        Phrase::ConnectedTo(address) => format!("conectado a {address}; Ctrl-D termina"),
        Phrase::PeerClosed => "el otro extremo ha cerrado la conexión".into(),
        Phrase::Retrying { why, pause } => {
            format!("{why}; nuevo intento en {:.1} s", pause.as_secs_f64())
        }
        Phrase::Reconnected(address) => format!("conectado de nuevo a {address}"),
        Phrase::Unanswered(messages) => match messages {
            1 => "puede que no haya llegado el último mensaje enviado".into(),
            _ => {
                format!("puede que no hayan llegado los últimos {messages} mensajes enviados")
            }
        },
        Phrase::Progress { sent, received, time } => {
            format!("enviado {sent}, recibido {received}, {time}")
        }
        Phrase::CutShort { path, line } => {
            format!("'{path}' se corta en la línea {line}; se reproduce lo que hay antes")
        }
        Phrase::FileCutShort { path } => {
            format!("'{path}' fue recortado: falta lo que tenía y no se había leído")
        }
        Phrase::CutOff { bytes } => {
            format!("un mensaje de {bytes} bytes quedó cortado y se enviará de nuevo")
        }
        Phrase::PositionUnknown => {
            "el canal no dijo dónde se quedó: puede que se repitan o que falten mensajes".into()
        }
        Phrase::ResumeAfter(position) => close::resume_in_spanish(position),
        Phrase::TurnedAway { peer, connections_max } => {
            format!("{peer} rechazado: ya se atiende a {connections_max} clientes")
        }
        Phrase::Dropped(clients) => format!("{clients} clientes no se fueron a tiempo"),
        Phrase::LinesMissed(lines) => {
            format!("{lines} líneas sin imprimir: nadie las leyó a tiempo")
        }
        Phrase::Bind(warning) => network::bind_warning(warning),
        Phrase::Tls(phrase) => tls::say(phrase),
        Phrase::Live(phrase) => live::spanish(phrase),
        Phrase::Channel(phrase) => channel::say(phrase),
        Phrase::Config(phrase) => config::spanish(phrase),
        Phrase::Bench(phrase) => bench::spanish(phrase),
        Phrase::Top(phrase) => top::spanish(phrase),
        Phrase::Relay(phrase) => relay::say(phrase),
        Phrase::Service(phrase) => service::spanish(phrase),
    }
}

pub(super) fn report(failure: &Failure) -> Option<Report> {
    let (message, hint) = match failure {
        // Each of several is reported alone.
        Failure::Shown | Failure::Several(_) => return None,
        Failure::Usage(found) => return Some(usage::report(found)),
        Failure::Address(error) => address::words(error),
        Failure::Bind(error) => network::bind(error),
        Failure::Open(error) => network::open(error),
        Failure::Resolve(error) => network::resolve(error),
        Failure::Recv(error) => (
            network::recv(error),
            is_too_long(error).then(|| "--max-message TAMAÑO los acepta más largos".into()),
        ),
        Failure::Send(error) => (network::send(error), None),
        Failure::Closed(reason) => close::in_spanish(reason),
        Failure::NoReply { wait } => (
            format!("no llegó ninguna respuesta en {} s", wait.as_secs_f64()),
            Some("--wait TIEMPO espera más; --keep-open, hasta que cierre el otro extremo".into()),
        ),
        Failure::Log(filter) => (
            format!("'{filter}' no es un filtro para el registro"),
            Some("usa error, warn, info, debug, trace, o por ejemplo enchufe::live=debug".into()),
        ),
        Failure::Framing(FramingError::TooLong { bytes_max }) => (
            format!("un mensaje de la entrada supera los {bytes_max} bytes"),
            Some(
                "--max-message admite más por WebSocket; --framing raw envía los bytes tal cual"
                    .into(),
            ),
        ),
        Failure::Framing(FramingError::Unfinished { missing }) => (
            format!("la entrada acaba {missing} bytes antes de la longitud que anunció"),
            Some("--framing length: antes de cada mensaje, su longitud en cuatro bytes".into()),
        ),
        Failure::Framing(FramingError::NotBase64) => (
            "una línea de la entrada no es Base64".into(),
            Some("--framing base64: cada línea es un mensaje en Base64".into()),
        ),
        Failure::ConnectToStdio => (
            "no hay adónde conectarse en '-'".into(),
            Some("la entrada estándar es lo que se envía; da la dirección del otro extremo".into()),
        ),
        Failure::Input(error) => {
            (format!("no se puede leer la entrada estándar: {}", io(error)), None)
        }
        Failure::Output(error) => {
            (format!("no se puede escribir en la salida estándar: {}", io(error)), None)
        }
        Failure::Tls(error) => tls::failure(error),
        Failure::Unmet(unmet) => return Some(connect::unmet_in_spanish(unmet)),
        Failure::Replay(error) => return Some(connect::replay_in_spanish(error)),
        Failure::Live(error) => return Some(live::report_in_spanish(error)),
        Failure::Channel(error) => return Some(channel::report(error)),
        Failure::Config(problem) => return Some(config::report(problem, Language::Spanish)),
        Failure::Bench(error) => return Some(bench::report_in_spanish(error)),
        Failure::Top(error) => return Some(top::report_in_spanish(error)),
        Failure::Relay(error) => relay::report(error),
        Failure::Service(error) => return Some(service::report_in_spanish(error)),
        Failure::System(error) => (format!("el sistema se niega: {}", io(error)), None),
    };
    Some(Report { message, hint })
}
