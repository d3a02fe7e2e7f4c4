//! The library's errors in Spanish.

use std::io;
use std::net::SocketAddr;

use super::{
    Words, refusal, service,
    system::{ended, io},
    tls,
};
use crate::{
    resolve::ResolveError,
    transport::{
        BindError, BindWarning, Buffer, InterfaceError, OpenError, RecvError, SendError, families,
        shown_local, tls::Distrust, without_tls,
    },
};

pub(super) fn bind(error: &BindError) -> Words {
    let cannot = |address: &str, why: &str| format!("no se puede escuchar en {address}: {why}");
    let (message, hint) = match error {
        BindError::InUse { address } => (
            cannot(address, "la dirección está en uso"),
            if address.starts_with("unix") {
                "otro servidor responde ahí: detenlo o usa otra ruta"
            } else {
                "detén el programa que escucha ahí o usa otro puerto"
            },
        ),
        BindError::PermissionDenied { address, privileged_port } => (
            cannot(address, "permiso denegado"),
            if *privileged_port {
                "los puertos por debajo de 1024 exigen privilegios: usa uno más alto"
            } else {
                "usa una dirección en la que este usuario pueda escuchar"
            },
        ),
        BindError::NotLocal { address } => (
            cannot(address, "esta máquina no tiene esa dirección"),
            "usa localhost, una dirección de esta máquina, o * para todas las interfaces",
        ),
        BindError::Unresolved { address, error } => {
            let (why, hint) = resolve(error);
            return (cannot(address, &why), hint);
        }
        BindError::NoFreePort { address } => {
            (cannot(address, "ningún puerto está libre a la vez en IPv4 y en IPv6"), "da un puerto")
        }
        BindError::NotASocket { address, found } => (
            cannot(address, &format!("ya hay {} ahí, y no es un socket", what_stands(found))),
            "usa otra ruta; solo se borran los sockets abandonados",
        ),
        BindError::NoFolder { address } => {
            (cannot(address, "su carpeta no existe"), "crea antes la carpeta")
        }
        BindError::Locked { address } => (
            cannot(address, "otro programa tiene bloqueada su carpeta"),
            "inténtalo de nuevo o usa una carpeta tuya",
        ),
        BindError::NameTooLong { address, bytes, bytes_max } => {
            (cannot(address, &too_long(*bytes, *bytes_max)), SHORTER)
        }
        BindError::Unsupported { address, what } => (
            cannot(address, &format!("este sistema no tiene {what}")),
            "usa una dirección tcp:// de localhost",
        ),
        BindError::NoScope { address } => (cannot(address, NO_SCOPE), NAME_SCOPE),
        BindError::Interface { address, error } => {
            let (why, hint) = interface(error);
            return (cannot(address, &why), hint);
        }
        BindError::NoCertificate { address } => {
            (cannot(address, "TLS necesita un certificado"), tls::NO_CERTIFICATE)
        }
        BindError::Io { address, error } => return (cannot(address, &io(error)), None),
    };
    (message, Some(hint.into()))
}

pub(super) fn bind_warning(warning: &BindWarning) -> String {
    match warning {
        BindWarning::BacklogClipped { asked, somaxconn } => {
            format!("el núcleo recorta el backlog de {asked} a {somaxconn} (net.core.somaxconn)")
        }
        BindWarning::BufferClipped { buffer: Buffer::Send, asked, given } => {
            format!(
                "el núcleo recorta el búfer de envío de {asked} a {given} bytes (net.core.wmem_max)"
            )
        }
        BindWarning::BufferClipped { buffer: Buffer::Receive, asked, given } => {
            format!(
                "el núcleo recorta el búfer de recepción de {asked} a {given} bytes (net.core.rmem_max)"
            )
        }
        BindWarning::NoIpv6 { address } => {
            format!("{address} se sirve solo en IPv4: esta máquina no tiene IPv6")
        }
        BindWarning::TooManyAddresses { address, found, served } => {
            format!("{address} tiene {found} direcciones; se sirven las {served} primeras")
        }
        BindWarning::EveryInterface { address } => {
            format!("{address} escucha en todas las interfaces: otras máquinas pueden conectarse")
        }
    }
}

pub(in crate::cli::catalogue) fn open(error: &OpenError) -> Words {
    let cannot = |address: &str, why: &str| format!("no se puede conectar a {address}: {why}");
    let (message, hint) = match error {
        OpenError::Refused { address } => (
            cannot(address, "conexión rechazada"),
            "¿está en marcha el servidor, y en esa dirección?",
        ),
        OpenError::TimedOut { address, timeout } => (
            cannot(address, &format!("nadie contestó en {} s", timeout.as_secs_f64())),
            "¿es correcta la dirección, y la deja pasar el cortafuegos?",
        ),
        OpenError::Unreachable { address, error } => (
            cannot(address, &io(error)),
            "¿está esta máquina en una red que llega a esa dirección?",
        ),
        OpenError::Unresolved { address, error } => {
            let (why, hint) = resolve(error);
            return (cannot(address, &why), hint);
        }
        OpenError::PermissionDenied { address } => (
            cannot(address, "permiso denegado"),
            "pídeselo a quien tiene el socket; los servidores crean los suyos privados",
        ),
        OpenError::NotASocket { address } => (
            cannot(address, "no es un socket"),
            "¿está en marcha el servidor, y es correcta la ruta?",
        ),
        OpenError::NotFound { address } => (
            cannot(address, "no existe ese socket"),
            "¿está en marcha el servidor, y es correcta la ruta?",
        ),
        // The hint is the address to type instead.
        OpenError::WrongKind { address } => {
            return (cannot(address, "es un socket de otra clase"), error.hint());
        }
        OpenError::NameTooLong { address, bytes, bytes_max } => {
            (cannot(address, &too_long(*bytes, *bytes_max)), SHORTER)
        }
        OpenError::Unsupported { address, what } => {
            (cannot(address, &format!("este sistema no tiene {what}")), "usa una dirección tcp://")
        }
        OpenError::NoScope { address } => (cannot(address, NO_SCOPE), NAME_SCOPE),
        OpenError::Interface { address, error } => {
            let (why, hint) = interface(error);
            return (cannot(address, &why), hint);
        }
        OpenError::Local { address, local, error } => {
            let hint = match error.kind() {
                io::ErrorKind::AddrInUse => "no des puerto, y el sistema elige uno libre",
                io::ErrorKind::PermissionDenied => {
                    "los puertos por debajo de 1024 exigen privilegios: usa uno más alto"
                }
                io::ErrorKind::AddrNotAvailable => {
                    "conéctate desde una dirección que tenga esta máquina"
                }
                _ => return (from(address, local, error), None),
            };
            (from(address, local, error), hint)
        }
        OpenError::OtherFamily { address, local } => {
            let ([own, other], local) = (families(local), shown_local(local));
            return (
                format!(
                    "no se puede conectar a {address} desde {local}: eso es {own}, y el servidor \
                     solo tiene direcciones {other}"
                ),
                Some(format!("conéctate desde una dirección {other} de esta máquina")),
            );
        }
        OpenError::NoDescriptors { address } => (
            cannot(address, "este programa tiene ya tantos archivos y sockets como puede"),
            "'ulimit -n' dice cuántos son, y 'ulimit -n NÚMERO' permite más",
        ),
        OpenError::Refusal { address, refusal } => return refusal::in_spanish(address, refusal),
        OpenError::NoAnswer { address } => (
            cannot(address, "el servidor cerró la conexión sin contestar"),
            "¿es un servidor WebSocket, y es correcta la ruta?",
        ),
        OpenError::Handshake { address, status: Some(status), .. } => (
            cannot(address, &format!("el servidor respondió {status}, pero no como WebSocket")),
            "¿es un servidor WebSocket, y es correcta la ruta?",
        ),
        OpenError::Handshake { address, status: None, reason } => {
            (cannot(address, reason), "¿es un servidor WebSocket, y es correcta la ruta?")
        }
        OpenError::NotHttp { address } => (
            cannot(address, "lo que contesta ahí no habla HTTP"),
            "un WebSocket empieza en HTTP: sin él sería tcp://HOST:PUERTO",
        ),
        OpenError::Tls { address, error: error @ Distrust::NoTls } => {
            let hint = format!("{} sería sin TLS", without_tls(address));
            return (cannot(address, &tls::distrust(error).0), Some(hint));
        }
        OpenError::Tls { address, error } => {
            let (why, hint) = tls::distrust(error);
            return (cannot(address, &why), hint);
        }
        OpenError::Start { error, .. } => return service::start_in_spanish(error),
        OpenError::File { address, error } => {
            (format!("no se puede abrir {address}: {}", io(error)), "¿es correcta la ruta?")
        }
        OpenError::Io { address, error } if error.kind() == io::ErrorKind::ConnectionReset => (
            cannot(address, &io(error)),
            "puede que tenga ya todos los clientes que admite: inténtalo más tarde",
        ),
        OpenError::Io { address, error } => return (cannot(address, &io(error)), None),
    };
    (message, Some(hint.into()))
}

fn from(address: &str, local: &SocketAddr, error: &io::Error) -> String {
    let local = shown_local(local);
    format!("no se puede conectar a {address} desde {local}: {}", io(error))
}

const NO_SCOPE: &str = "no está claro a cuál de los enlaces de esta máquina se refiere";
const NAME_SCOPE: &str = "da la interfaz, como en [fe80::1%eth0]:65432";

fn interface(error: &InterfaceError) -> Words {
    let (message, hint) = match error {
        InterfaceError::Missing { name } => (
            format!("esta máquina no tiene la interfaz de red {name:?}"),
            "'ip link' muestra las interfaces de esta máquina",
        ),
        InterfaceError::Forbidden { name } => (
            format!("este usuario no puede usar la interfaz de red {name:?}"),
            "exige la capacidad CAP_NET_RAW; o da una dirección de la interfaz",
        ),
        InterfaceError::Unsupported { name } => (
            format!("este sistema no puede atarse a la interfaz de red {name:?}"),
            "solo Linux puede: en otros, da una dirección de la interfaz",
        ),
        InterfaceError::Io { name, error } => {
            return (format!("no se puede usar la interfaz de red {name:?}: {}", io(error)), None);
        }
    };
    (message, Some(hint.into()))
}

pub(super) fn resolve(error: &ResolveError) -> Words {
    let spelled =
        "¿está bien escrito? una dirección como 127.0.0.1 no necesita servidor de nombres";
    let (message, hint) = match error {
        ResolveError::Nothing => {
            ("no hay nombre ni servicio que resolver".into(), "da un nombre, por ejemplo localhost")
        }
        ResolveError::NotAName { name } => {
            (format!("{name:?} no puede ser el nombre de una máquina ni de un servicio"), spelled)
        }
        ResolveError::NoAddress { host } => (
            format!("{host:?} no se resuelve: nombre desconocido, o sin direcciones de esta clase"),
            spelled,
        ),
        ResolveError::UnknownService { service } => (
            format!("{service:?} no es un servicio conocido de esta clase"),
            "usa un puerto, o un nombre de /etc/services",
        ),
        ResolveError::NoInterface { interface } => (
            format!("esta máquina no tiene la interfaz de red {interface:?}"),
            "'ip link' muestra las interfaces de esta máquina",
        ),
        ResolveError::Unavailable { host } => (
            format!("{host:?} no se resuelve: los servidores de nombres no contestan"),
            "¿está esta máquina en una red? inténtalo de nuevo",
        ),
        ResolveError::Contradiction => (
            "la familia, el tipo de socket y el protocolo pedidos no casan".into(),
            "tcp va con flujos, udp con datagramas",
        ),
        ResolveError::Io { name, error } => {
            return (format!("{name:?} no se resuelve: {}", io(error)), None);
        }
    };
    (message, Some(hint.into()))
}

pub(in crate::cli::catalogue) fn recv(error: &RecvError) -> String {
    match error {
        RecvError::Reset { peer } => format!("{} cortó la conexión", peer),
        RecvError::Refused { peer } => {
            format!("{} rechazó el datagrama: nadie escucha ahí", peer)
        }
        RecvError::TooLong { peer, bytes_max } => {
            format!("{} envió un mensaje de más de {bytes_max} bytes", peer)
        }
        RecvError::Unfinished { peer, missing } => {
            format!("{} terminó {missing} bytes antes de lo que anunció", peer)
        }
        RecvError::DatagramTooLong { peer, bytes_max } => {
            format!("{} envió un datagrama de más de {bytes_max} bytes", peer)
        }
        RecvError::Abnormal { peer } => {
            format!("{} cortó la conexión sin cerrarla", peer)
        }
        RecvError::Violation { peer, code, reason } => format!(
            "{} infringió el protocolo WebSocket o un límite: {} (código de cierre {code})",
            peer, reason
        ),
        RecvError::Exited { peer, status } => format!("{peer} ha terminado con {}", ended(status)),
        RecvError::Silent { peer, silence } => {
            format!("{} lleva {} s sin dar señales", peer, silence.as_secs_f64())
        }
        RecvError::Io { peer, error } => {
            format!("no se puede recibir de {}: {}", peer, io(error))
        }
    }
}

pub(super) fn send(error: &SendError) -> String {
    match error {
        SendError::Closed { peer } => format!("{} ha cerrado la conexión", peer),
        SendError::Refused { peer } => {
            format!("{peer} rechazó el datagrama: nadie escucha ahí")
        }
        SendError::TooLong { peer, bytes } => {
            format!("un mensaje de {bytes} bytes no cabe en un datagrama para {}", peer)
        }
        SendError::Unnamed => "el socket del otro extremo no tiene nombre al que responder".into(),
        SendError::TimedOut { peer, timeout } => {
            format!("{} no aceptó nada en {} s", peer, timeout.as_secs_f64())
        }
        SendError::Io { peer, error } => {
            format!("no se puede enviar a {}: {}", peer, io(error))
        }
    }
}

const SHORTER: &str = "usa una ruta más corta, por ejemplo relativa";

fn too_long(bytes: usize, bytes_max: usize) -> String {
    format!("sus {bytes} bytes superan los {bytes_max} que puede tener el nombre de un socket")
}

fn what_stands(found: &str) -> &str {
    match found {
        "a file" => "un archivo",
        "a symbolic link" => "un enlace simbólico",
        "a directory" => "una carpeta",
        other => other,
    }
}
