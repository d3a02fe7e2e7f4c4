//! The help texts of the flags that all who serve or open sockets share.

/// By the argument alone (`backlog`), whatever the command.
pub(super) fn help(argument: &str) -> Option<&'static str> {
    Some(match argument {
        "ipv4" => "Usa solo IPv4",
        "ipv6" => "Usa solo IPv6",
        "interface" => "tcp, tls, udp, ws, wss: usa solo esta interfaz de red (Linux)",
        "keepalive" => {
            "tcp: averigua en este tiempo que un extremo callado ya no está [por omisión: no pregunta]"
        }
        "no_delay" => "tcp: envía en el acto lo que se escribe; es lo habitual",
        "delay" => "tcp: retiene lo pequeño mientras hay algo en camino (Nagle)",
        "send_buffer" => "Deja que el sistema guarde tanto enviado que aún no ha llegado",
        "receive_buffer" => "Deja que el sistema guarde tanto llegado que aún no se ha leído",
        "backlog" => "Conexiones que pueden esperar a ser aceptadas",
        "reuse_port" => "tcp, tls, udp, ws, wss: comparte el puerto con quien también lo pida",
        "ca" => {
            "tls, wss: confía también en los certificados de este archivo (PEM); puede repetirse"
        }
        "insecure" => "tls, wss: se conecta con cualquier certificado",
        "header" => "Envía este campo de cabecera con la petición (ws://); puede repetirse",
        "origin" => "Envía este Origin (ws://)",
        "timeout" => "Renuncia a conectarse pasado este tiempo",
        "bind" => {
            "tcp, tls, udp, ws, wss: se conecta desde esta dirección de esta máquina, y quizá desde este puerto"
        }
        _ => return None,
    })
}
