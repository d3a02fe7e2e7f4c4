//! Spanish.

mod address;
mod help;
mod network;
mod tls;
mod usage;

use super::{Phrase, Report, live, refusal};
use crate::cli::failure::Failure;

pub(super) use {
    help::{help, value_name},
    network::io,
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
    }
}

pub(super) fn report(failure: &Failure) -> Option<Report> {
    let (message, hint) = match failure {
        Failure::Shown => return None,
        Failure::Usage(found) => return Some(usage::report(found)),
        Failure::Address(error) => address::words(error),
        Failure::Bind(error) => network::bind(error),
        Failure::Open(error) => network::open(error),
        Failure::Resolve(error) => network::resolve(error),
        Failure::Recv(error) => (network::recv(error), None),
        Failure::Send(error) => (network::send(error), None),
        Failure::Closed(reason) => (
            match reason.reason.as_str() {
                "" => format!("el otro extremo cerró con el código {}", reason.code),
                text => format!("el otro extremo cerró con el código {}: {}", reason.code, text),
            },
            None,
        ),
        Failure::NoReply { wait } => (
            format!("no llegó ninguna respuesta en {} s", wait.as_secs_f64()),
            Some("--wait TIEMPO espera más; --keep-open, hasta que cierre el otro extremo".into()),
        ),
        Failure::Log(filter) => (
            format!("'{filter}' no es un filtro para el registro"),
            Some("usa error, warn, info, debug, trace, o por ejemplo enchufe::live=debug".into()),
        ),
        Failure::LineTooLong { bytes_max } => (
            format!("una línea de la entrada supera los {bytes_max} bytes de un mensaje"),
            Some("a tcp:// los bytes se envían tal cual".into()),
        ),
        Failure::ConnectToStdio => (
            "no hay adónde conectarse en '-'".into(),
            Some("la entrada estándar es lo que se envía; da la dirección del otro extremo".into()),
        ),
        Failure::Input(error) => {
            (format!("no se puede leer la entrada estándar: {}", network::io(error)), None)
        }
        Failure::Output(error) => {
            (format!("no se puede escribir en la salida estándar: {}", network::io(error)), None)
        }
        Failure::Tls(error) => tls::failure(error),
        Failure::Live(error) => return Some(live::report_in_spanish(error)),
        Failure::System(error) => (format!("el sistema se niega: {}", network::io(error)), None),
    };
    Some(Report { message, hint })
}
