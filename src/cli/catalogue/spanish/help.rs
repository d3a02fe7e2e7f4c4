//! The help pages in Spanish.

use super::{relay, sockets};
use crate::{
    cli::{catalogue::meaning, language::Language},
    config::Key,
};

/// The help text of a command (`serve`) or an argument (`serve.backlog`).
pub(in crate::cli::catalogue) fn help(id: &str) -> Option<&'static str> {
    let of_key = id.strip_prefix("run.").or_else(|| id.strip_prefix("config."));
    let key = of_key.and_then(|name| Key::ALL.into_iter().find(|key| key.name() == name));
    if let Some(key) = key {
        return Some(meaning(key, Language::Spanish));
    }
    Some(match id {
        "run" => {
            "Ejecuta el servidor que describe un archivo: dónde escucha, canales, fuentes, límites"
        }
        "config" => "Comprueba una configuración, muestra qué rige o imprime una con cada clave",
        "config.action" => {
            "Qué se hace con ella: decir qué está mal (check), mostrar qué rige y quién lo dice (show) o imprimir una con cada clave (default)"
        }
        "run.file" | "config.file" => "La configuración",

        "enchufe" => {
            "Convierte cualquier cosa que hable en un canal en vivo que nunca pierde datos en silencio"
        }
        "lang" => "Idioma de los mensajes: en o es",
        "log" => {
            "Qué se registra en la salida de errores: error, warn, info, debug o trace, o un filtro"
        }
        "log_format" => "Cómo se escribe el registro: como texto, o una línea de JSON por suceso",
        "help" => "Muestra la ayuda",
        "version" => "Muestra la versión, y con --version qué se construyó y cómo",

        "demo" => {
            "Arranca el tutorial entero: eco, saludo, un reloj y números con una página en vivo"
        }
        "demo.port_base" => "Usa los puertos N (página), N+1 (saludo) y N+2 (eco)",

        "feed" => "Hace de una fuente un canal con página, que comparten todos los que miran",
        "feed.source" => {
            "De dónde vienen los mensajes: - (líneas de la entrada estándar), clock, random, exec:PROGRAMA, file:RUTA (lo que se le añade), la DIRECCIÓN de un servidor o listen:DIRECCIÓN (quien se conecte ahí)"
        }
        "feed.exec" => {
            "Toma las líneas del programa que sigue a --, que se ejecuta una sola vez para todos"
        }
        "feed.pty" => "exec: da al programa una terminal, para que imprima cada línea en el acto",
        "feed.restart" => {
            "exec: cuando el programa termina, lo ejecuta de nuevo, tras pausas que crecen hasta 30 s [por omisión: never]"
        }
        "feed.from_beginning" => "file: empieza con lo que hay, no con lo que se añada desde ahora",
        "feed.framing" => "Cómo se suceden los mensajes allí de donde vienen [por omisión: lines]",
        "feed.check" => {
            "Qué debe ser cada mensaje; el que no lo es se omite, se cuenta y se anota en el registro"
        }
        "feed.channel" => "Nombre del canal",
        "feed.listen" => "Dónde se sirven la página y el canal; puede repetirse",
        "feed.history" => "Guarda como mucho tantos mensajes para quien llega tarde",
        "feed.history_bytes" => "Guarda como mucho tantos bytes de mensajes",
        "feed.exit_on_end" => {
            "Termina cuando la fuente ha acabado y quien mira lo tiene todo, como mucho TIEMPO después"
        }
        "feed.page" => "Sirve este archivo, o esta carpeta, en lugar de la página incluida",
        "feed.slow" => {
            "Qué recibe quien lee demasiado despacio: un hueco, solo el último mensaje o el fin"
        }
        "feed.flush_window" => {
            "Deja que un mensaje espere tanto a otros, para que vayan juntos a cada espectador"
        }
        "feed.allow_origin" => "Deja leer y publicar a las páginas de este origen; puede repetirse",
        "feed.host_name" => HOST_NAME,
        "feed.tls_cert" | "serve.tls_cert" => {
            "https, wss, tls: el certificado del servidor (PEM), y los que llevan a su emisor"
        }
        "feed.tls_key" | "serve.tls_key" => {
            "https, wss, tls: la clave privada del certificado (PEM)"
        }
        "feed.tls_dev" | "serve.tls_dev" => {
            "https, wss, tls: un certificado de desarrollo, el mismo en cada ejecución"
        }
        "feed.publish_token_file" => "Publicar exige el token de este archivo",
        "feed.read_token_file" => "Leer exige el token de este archivo",
        "feed.metrics" => {
            "Quién puede leer /metrics cuando leer no exige token: esta máquina (loopback), todos (on) o nadie (off)"
        }
        "feed.interval" => INTERVAL,
        "feed.range" => RANGE,
        "feed.value" => VALUE,
        "feed.program" => "El programa cuyas líneas son los mensajes, y sus argumentos",

        "serve" => "Atiende a cada cliente que se conecta",
        "serve.service" => {
            "Qué recibe cada cliente: sus propias palabras (echo, RFC 862), nada (discard, RFC 863), un saludo, la hora una y otra vez (con --count 1, una sola, como en RFC 867), números, un programa para él solo, o lo que dicen todos"
        }
        "serve.addresses" => {
            "Dónde se escucha: tcp://, tls://, udp://, unix:, unixgram:, ws://, wss://, ws+unix: o -"
        }
        "serve.once" => "Termina después del primer cliente",
        "serve.max_connections" => "Clientes atendidos a la vez",
        "serve.quiet" => {
            "No dice quién viene ni qué hace, ni dónde escucha, salvo que el sistema haya elegido el puerto"
        }
        "serve.greeting" => "greet: la respuesta a un nombre [por omisión: Hola {name}!]",
        "serve.interval" => INTERVAL,
        "serve.range" => RANGE,
        "serve.value" => VALUE,
        "serve.count" => "clock, random: cierra tras tantos mensajes",
        "serve.dir" => "exec: la carpeta en la que se ejecuta el programa",
        "serve.env" => "exec: pone esto en el entorno del programa; puede repetirse",
        "serve.pty" => "exec: da al programa una terminal, para que imprima cada línea en el acto",
        "serve.framing" => {
            "exec: cómo se suceden los mensajes para el programa (ws://, udp://) [por omisión: lines]"
        }
        "serve.allow_remote_exec" => "exec: deja que otras máquinas ejecuten el programa",
        "serve.allow_http" => {
            "exec: deja que los clientes de tcp:// y tls:// hablen HTTP, como puede hacerlo cualquier página de un navegador"
        }
        "serve.program" => "exec: el programa que se ejecuta para cada cliente, y sus argumentos",
        "serve.allow_origin" => "Deja conectarse a las páginas de este origen; puede repetirse",
        "serve.host_name" => HOST_NAME,
        "serve.page" => {
            "Sirve este archivo, o esta carpeta, a los navegadores que visitan una dirección ws://"
        }
        "serve.max_message" => "El mensaje más largo que se acepta (ws://) [por omisión: 1MiB]",

        "connect" => "Se conecta: envía la entrada estándar e imprime lo que vuelve",
        "connect.address" => {
            "Adónde conectarse: tcp://, tls://, udp://, unix:, unixgram:, ws://, wss://, ws+unix:, wss+unix:, exec: o file:"
        }
        "connect.prompt" => "En una terminal, pide cada mensaje con este texto",
        "connect.open" => {
            "Envía primero este mensaje, antes de la entrada y tras cada reconexión; puede repetirse"
        }
        "connect.framing" => {
            "Cómo se suceden los mensajes en la entrada y la salida [por omisión: lines; en flujos, raw]"
        }
        "connect.binary" => "Envía mensajes binarios, aunque sean texto (ws://)",
        "connect.max_message" => "El mensaje más largo, enviado o recibido [por omisión: 1MiB]",
        "connect.reconnect" => {
            "Si se pierde la conexión, vuelve a conectarse, tras pausas que crecen hasta 30 s (ws://)"
        }
        "connect.reconnect_max" => "Renuncia tras tantos intentos seguidos",
        "connect.compress" => "Ofrece comprimir los mensajes, con permessage-deflate (ws://)",
        "connect.ping_interval" => {
            "Cada cuánto hace ping al servidor; lo da por perdido tras el triple; 0, nunca (ws://) [por omisión: 20s]"
        }
        "connect.close" => {
            "Cierra con este código y motivo cuando acaba la entrada (ws://) [por omisión: 1000]"
        }
        "connect.wait" => {
            "Acabada la entrada, sigue leyendo este tiempo tras el último mensaje [por omisión: 1s; 10s para la primera respuesta en ws://; en flujos, hasta que cierre el otro extremo]"
        }
        "connect.timestamps" => {
            "Imprime la hora delante de cada mensaje (en flujos, línea) recibido"
        }
        "connect.hex" => "Imprime los bytes recibidos en hexadecimal, con sus posiciones",
        "connect.json" => {
            "Imprime cada mensaje recibido, y cómo lo termina el otro extremo, como una línea de JSON"
        }
        "connect.expect" => {
            "Termina bien cuando un mensaje (en flujos, línea) recibido casa con esta expresión regular; si no, con el código 6; puede repetirse, y se esperan por orden"
        }
        "connect.within" => {
            "Lo que se espera debe haber llegado este tiempo después de conectarse [por omisión: 10s]"
        }
        "connect.replay" => {
            "Envía lo que enviaron los clientes en esta grabación de `relay --record`, cuando lo enviaron"
        }
        "connect.replay_conn" => "Reproduce solo esta conexión",
        "connect.speed" => "Reproduce tantas veces más deprisa; max, sin pausas",
        "connect.count" => "Termina tras recibir tantos mensajes",
        "connect.follow" => {
            "file: sigue leyendo lo que se añada, también en el archivo que ocupe su lugar"
        }
        "connect.pty" => {
            "exec: da al programa una terminal, para que imprima cada línea en el acto"
        }
        "connect.keep_open" => "Sigue leyendo hasta que cierre el otro extremo",
        "connect.protocol" => "Ofrece este subprotocolo (ws://); puede repetirse",

        "publish" => "Publica en un canal: cada mensaje una vez, o dice cuáles quedan en duda",
        "publish.channel" => "El canal: su URL, o su nombre en --server",
        "publish.data" => {
            "El mensaje; con - o sin nada, los mensajes de la entrada estándar, uno por línea"
        }
        "publish.whole" => "Publica toda la entrada estándar como un solo mensaje",
        "publish.framing" => "Cómo se suceden los mensajes en la entrada",
        "publish.binary" => "Publica mensajes binarios, aunque sean texto",
        "publish.max_message" | "follow.max_message" => "El mensaje más largo",
        "publish.positions" => {
            "Imprime de cada petición su posición, o la primera y la última de varias"
        }
        "publish.json" => {
            "Imprime de cada petición lo que confirmó el servidor, como una línea de JSON"
        }
        "publish.timeout" => "Desiste tras intentar durante este tiempo que se confirme un mensaje",
        "publish.server" | "follow.server" => "Dónde están los canales que se dan por su nombre",
        "publish.token_file" | "follow.token_file" => "Muestra el token de este archivo",
        "publish.connect_timeout" | "follow.connect_timeout" => {
            "Desiste de conectarse tras este tiempo"
        }

        "follow" => {
            "Sigue canales: imprime cada mensaje, se reanuda tras cualquier corte y cuenta cada hueco"
        }
        "follow.channels" => "Los canales: cada uno una URL, o un nombre en --server",
        "follow.since" => {
            "Dónde empezar: una posición, all, now, last:N, o una antigüedad como -10m [por omisión: now]"
        }
        "follow.slow" => {
            "Qué recibir si se lee demasiado despacio [por omisión: lo que diga el canal]"
        }
        "follow.count" => "Termina tras tantos mensajes",
        "follow.exit_on_gap" => "Termina con el primer hueco",
        "follow.position_file" => {
            "Sigue por donde dicen las posiciones de este archivo, y las guarda en él"
        }
        "follow.timestamps" => "Imprime la hora de cada mensaje delante de él",
        "follow.json" => {
            "Imprime cada mensaje, hueco y final como una línea de JSON, con su canal y su posición"
        }
        "follow.framing" => "Cómo se suceden los mensajes en la salida",
        "follow.no_reconnect" => "Termina cuando se corta la conexión",

        "bench" => {
            "Carga un servidor que responde, o un canal con espectadores, y mide cuánto tarda"
        }
        "top" => "Mira un servidor: sus canales, sus ritmos, quién lee y con cuánto retraso",
        "top.server" => "El servidor: http:// o https://",
        "top.token_file" => "Muestra el token de este archivo",
        "top.interval" => "Cada cuánto se mira, y sobre cuánto tiempo se miden los ritmos",
        "top.sort" => "Ordena los canales por esto",
        "top.filter" => "Solo los canales con esto en su nombre",
        "top.once" => "Imprime una tabla y termina, como se hace donde no hay terminal",
        "top.json" => "Imprime una tabla como JSON y termina",
        "top.ca" => {
            "https: se fía también de los certificados de este archivo (PEM); puede repetirse"
        }
        "top.insecure" => "https: se conecta sea cual sea el certificado",
        "bench.address" => {
            "El servidor, que devuelve lo que recibe (tcp://, tls://, unix:, ws:// o wss://), o la \
             URL de un canal para --viewers"
        }
        "bench.connections" => "Cuántas conexiones",
        "bench.viewers" => {
            "Cuántos espectadores leen un canal, cada uno de los cuales debe tener cada mensaje"
        }
        "bench.publish" => "Publica tantos mensajes por segundo en el canal que leen los --viewers",
        "bench.in_flight" => "Cuántos mensajes tiene en camino cada conexión",
        "bench.rate" => {
            "Mensajes por segundo, entre todas las conexiones, a horas fijas haga lo que haga el servidor"
        }
        "bench.size" => "Lo que mide cada mensaje",
        "bench.duration" => "Durante cuánto tiempo se envían mensajes",
        "bench.count" => "Cuántos mensajes se envían, si no se acaba antes el tiempo",
        "bench.warmup" => "Deja fuera del informe lo que ocurre antes de que pase este tiempo",
        "bench.source" => {
            "Se conecta desde esta dirección de la máquina; varias, por turnos, para más de 28 000 conexiones"
        }
        "bench.pid" => {
            "Informa del tiempo de procesador de este proceso, el del servidor, por cada mensaje, y \
             de su memoria por cada espectador"
        }
        "bench.binary" => "Envía mensajes binarios (ws://)",
        "bench.json" => "Imprime el informe como JSON",
        "bench.timeout" => "Desiste de conectar pasado este tiempo",
        "completions" => "Escribe lo que hace que una shell complete las órdenes y sus opciones",
        "completions.shell" => "La shell",
        "man" => "Escribe una página de manual",
        "man.command" => "La orden de la que trata; sin ella, el programa entero",

        "resolve" => {
            "Muestra todas las direcciones de un nombre, tal como las reciben los programas de esta máquina"
        }
        "resolve.host" => "Un nombre o una dirección",
        "resolve.service" => "El nombre de un servicio o un puerto",
        "resolve.family" => "Solo direcciones de esta familia",
        "resolve.proto" => "Solo respuestas de este protocolo",
        "resolve.json" => "Imprime JSON",
        _ => return relay::help(id).or_else(|| sockets::help(id.split_once('.')?.1)),
    })
}

const INTERVAL: &str =
    "clock, random: segundos entre mensajes, sorteados cada vez [por omisión: 0..3, 0..1]";
const HOST_NAME: &str = "En loopback, responde también a este nombre; puede repetirse";
const RANGE: &str = "random: los números, con ambos extremos [por omisión: 0..9]";
const VALUE: &str = "random: siempre este número";

/// The name of a value in a usage line.
pub(in crate::cli::catalogue) fn value_name(name: &str) -> Option<&'static str> {
    Some(match name {
        "ACTION" => "ACCIÓN",
        "ADDRESS" => "DIRECCIÓN",
        "BYTES" => "BYTES",
        "CHANNEL" => "CANAL",
        "CODE[:REASON]" => "CÓDIGO[:MOTIVO]",
        "COLUMN" => "COLUMNA",
        "COUNT" => "CANTIDAD",
        "COMMAND" => "ORDEN",
        "DATA" => "DATOS",
        "FACTOR" => "FACTOR",
        "FAMILY" => "FAMILIA",
        "FILE" => "ARCHIVO",
        "FILTER" => "FILTRO",
        "FORMAT" => "FORMATO",
        "FORM" => "FORMA",
        "FRAMING" => "FORMATO",
        "FROM..TO" => "DESDE..HASTA",
        "HOST" => "HOST",
        "IP" => "IP",
        "IP[:PORT]" => "IP[:PUERTO]",
        "KIND" => "TIPO",
        "LANGUAGE" => "IDIOMA",
        "MESSAGE" => "MENSAJE",
        "N" => "N",
        "WHO" => "QUIÉN",
        "SERVER" => "SERVIDOR",
        "NAME" => "NOMBRE",
        "NAME: VALUE" => "NOMBRE: VALOR",
        "NAME=VALUE" => "NOMBRE=VALOR",
        "NUMBER" => "NÚMERO",
        "ORIGIN" => "ORIGEN",
        "OTHER" => "OTRA",
        "PATH" => "RUTA",
        "PID" => "PID",
        "PATTERN" => "PATRÓN",
        "POLICY" => "POLÍTICA",
        "PROGRAM" => "PROGRAMA",
        "PROTOCOL" => "PROTOCOLO",
        "SERVICE" => "SERVICIO",
        "SHELL" => "SHELL",
        "SINCE" => "DESDE",
        "SIZE" => "TAMAÑO",
        "SOURCE" => "FUENTE",
        "TEXT" => "TEXTO",
        "TIME" => "TIEMPO",
        "URL" => "URL",
        "WHEN" => "CUÁNDO",
        _ => return None,
    })
}
