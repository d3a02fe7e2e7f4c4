//! Spanish.

mod address;
mod feed;
mod help;
mod network;
mod usage;

use super::{Part, Phrase, Report, things_to_try, ways_to_read};
use crate::cli::failure::Failure;
use crate::transport::BindError;

pub(super) use help::{help, value_name};

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
        Phrase::FeedOn { address, path } => format!(
            "escuchando en {address} (ábrelo en un navegador){}",
            ways_to_read(address, path)
        ),
        Phrase::SourceEnded(status) => {
            let status = if status == "end of input" { "fin de la entrada" } else { status };
            format!("la fuente ha terminado ({status}); sus mensajes siguen ahí hasta Ctrl-C")
        }
        Phrase::PublishingRefused => {
            "otras máquinas pueden leer pero no publicar: eso exige --publish-token-file".into()
        }
        Phrase::Serving { address, part } => format!("escuchando en {address} ({})", name(part)),
        Phrase::Taken { address, part, other_base } => format!(
            "{address} está en uso, así que falta: {}; puede que esté en marcha el programa del \
             tutorial; enchufe demo --port-base {other_base} usa otros puertos",
            name(part)
        ),
        Phrase::TryNext { page, greet, echo } => {
            let open = page.map(|url| format!("\n  abre {url} en dos navegadores"));
            let rest = things_to_try(page, greet, echo);
            format!("\nPrueba ahora:{}{rest}\nCtrl-C termina.", open.unwrap_or_default())
        }
        Phrase::Text(text) => text.into(),
        Phrase::Bind(warning) => network::bind_warning(warning),
    }
}

fn name(part: Part) -> &'static str {
    match part {
        Part::Page => "página con los canales time y numbers",
        Part::Greet => "saludo",
        Part::Echo => "eco",
    }
}

pub(super) fn bind_error(error: &BindError) -> Report {
    let (message, hint) = network::bind(error);
    Report { message, hint }
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
        Failure::NoSource => (
            "no hay de dónde sacar los mensajes".into(),
            Some(
                "vmstat 1 | enchufe feed, o enchufe feed --exec -- PROGRAMA, o enchufe feed clock"
                    .into(),
            ),
        ),
        Failure::Start(error) => (feed::start(error), None),
        Failure::Channel(error) => {
            (feed::channel(error), Some("por ejemplo --channel sensores/puerta".into()))
        }
        Failure::Token(error) => {
            (feed::token(error), Some("head -c 32 /dev/urandom | base64 > ARCHIVO crea uno".into()))
        }
        Failure::Page(error) => {
            (feed::page(error), Some("da un archivo, o una carpeta con un index.html".into()))
        }
        Failure::NothingStarted => (
            "no se pudo arrancar nada".into(),
            Some("enchufe demo --port-base 15678 usa otros puertos".into()),
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
        Failure::System(error) => (format!("el sistema se niega: {}", network::io(error)), None),
    };
    Some(Report { message, hint })
}
