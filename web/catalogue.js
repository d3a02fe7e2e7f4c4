// Every text that the pages show, in every language they speak.
// `{name}` is a value; an entry with plural forms is chosen by `{n}`.

/** @typedef {string | {one: string, other: string}} Text */
/** @typedef {{en: Text, es: Text}} Entry */

export const catalogue = /** @satisfies {Record<string, Entry>} */ ({
  // The frame of the page
  skip: { en: "Skip to the messages", es: "Ir a los mensajes" },
  channels: { en: "Channels", es: "Canales" },
  no_channels: { en: "No channels yet", es: "Todavía no hay canales" },
  channel_ended: { en: "ended", es: "terminado" },
  language_other: { en: "Español", es: "English" },
  home: { en: "Enchufe, the default channel", es: "Enchufe, el canal predeterminado" },

  // The state of the connection and of the channel
  state_connecting: { en: "Connecting…", es: "Conectando…" },
  state_live: { en: "Live", es: "En directo" },
  state_reconnecting: { en: "Reconnecting…", es: "Reconectando…" },
  state_waiting: { en: "Reconnecting in {n} s", es: "Reconexión en {n} s" },
  state_gone: { en: "Server gone", es: "Servidor ausente" },
  state_gone_waiting: {
    en: "Server gone, next try in {n} s",
    es: "Servidor ausente, nuevo intento en {n} s",
  },
  state_ended: { en: "Ended: {status}", es: "Terminado: {status}" },
  state_refused: { en: "Not available: {reason}", es: "No disponible: {reason}" },
  state_unknown_channel: { en: "There is no channel “{name}”", es: "No existe el canal «{name}»" },
  retry: { en: "Try now", es: "Intentar ahora" },

  // How a source ended
  exit_input: { en: "end of input", es: "fin de la entrada" },
  exit_ok: { en: "exit status 0", es: "estado de salida 0" },
  exit_status: { en: "failed with exit status {status}", es: "falló con estado de salida {status}" },
  exit_signal: { en: "stopped by signal {status}", es: "detenido por la señal {status}" },

  // The heading of a channel
  received: { en: { one: "{n} message", other: "{n} messages" }, es: { one: "{n} mensaje", other: "{n} mensajes" } },
  missed: { en: "{n} missed", es: { one: "{n} perdido", other: "{n} perdidos" } },
  missed_least: { en: "at least {n} missed", es: { one: "al menos {n} perdido", other: "al menos {n} perdidos" } },
  missed_unknown: { en: "some may be missing", es: "pueden faltar algunos" },
  rate: { en: "{rate} per second", es: "{rate} por segundo" },
  pause: { en: "Pause", es: "Pausar" },
  continue: { en: "Continue", es: "Continuar" },
  announce: { en: "Announce messages", es: "Anunciar mensajes" },
  announce_title: {
    en: "Reads a summary aloud, at most every 5 seconds, with a screen reader",
    es: "Lee un resumen en voz alta, como mucho cada 5 segundos, con un lector de pantalla",
  },
  elsewhere: { en: "Read it elsewhere", es: "Leer en otro sitio" },
  elsewhere_shell: { en: "In a shell", es: "En un terminal" },
  elsewhere_history: { en: "The history as JSON", es: "El historial en JSON" },
  elsewhere_page: { en: "In a page of yours", es: "En una página propia" },

  // The messages
  messages: { en: "Messages of {name}", es: "Mensajes de {name}" },
  waiting_first: { en: "Nothing here yet: the first message will appear by itself.", es: "Aún no hay nada: el primer mensaje aparecerá solo." },
  earlier: { en: "Show earlier messages", es: "Mostrar mensajes anteriores" },
  before_nothing: { en: "The history begins here", es: "Aquí empieza el historial" },
  before_dropped: { en: "The latest {n} messages are shown", es: "Se muestran los últimos {n} mensajes" },
  before_missed: {
    en: { one: "before them {n} was missed", other: "before them {n} were missed" },
    es: { one: "antes se perdió {n}", other: "antes se perdieron {n}" },
  },
  back: {
    en: { one: "{n} new message · back to live", other: "{n} new messages · back to live" },
    es: { one: "{n} mensaje nuevo · volver al directo", other: "{n} mensajes nuevos · volver al directo" },
  },
  back_none: { en: "Paused · back to live", es: "En pausa · volver al directo" },
  position_title: { en: "{time} · position {position}", es: "{time} · posición {position}" },
  cut: {
    en: { one: "… and {n} more character", other: "… and {n} more characters" },
    es: { one: "… y {n} carácter más", other: "… y {n} caracteres más" },
  },
  binary: { en: { one: "binary, {n} byte", other: "binary, {n} bytes" }, es: { one: "binario, {n} byte", other: "binario, {n} bytes" } },

  // Rows between the messages
  resumed: { en: "Connection resumed", es: "Conexión reanudada" },
  resumed_whole: { en: "Resumed, nothing missed", es: "Reanudado, no se ha perdido nada" },
  gap_known: {
    en: { one: "{n} message missed: {reason}", other: "{n} messages missed: {reason}" },
    es: { one: "{n} mensaje perdido: {reason}", other: "{n} mensajes perdidos: {reason}" },
  },
  gap_unknown: { en: "Messages may be missing: {reason}", es: "Pueden faltar mensajes: {reason}" },
  gap_title: { en: "between positions {after} and {next}", es: "entre las posiciones {after} y {next}" },
  reason_slow: { en: "slow reader", es: "lector lento" },
  reason_expired: { en: "no longer kept in the history", es: "ya no están en el historial" },
  reason_reset: { en: "the server began a new log", es: "el servidor empezó un registro nuevo" },
  reason_lost: { en: "lost in a crash", es: "perdidos en una caída" },
  reason_corrupt: { en: "damaged on disk", es: "dañados en el disco" },
  reason_conflated: { en: "only the newest was asked for", es: "solo se pidió el más reciente" },
  ended: { en: "The source ended: {status}", es: "La fuente terminó: {status}" },

  // The plots
  plots: { en: "Plot", es: "Gráfica" },
  plot_of: { en: "Plot of {name}", es: "Gráfica de {name}" },
  column: { en: "Column {n}", es: "Columna {n}" },
  columns: { en: "Columns", es: "Columnas" },
  columns_limit: { en: "Up to {n} at once", es: "Hasta {n} a la vez" },
  no_plotter: {
    en: "This build of Enchufe draws no plots; here are their figures.",
    es: "Esta compilación de Enchufe no dibuja gráficas; estas son sus cifras.",
  },
  stat_last: { en: "Last", es: "Último" },
  stat_minimum: { en: "Minimum", es: "Mínimo" },
  stat_maximum: { en: "Maximum", es: "Máximo" },
  stat_mean: { en: "Mean", es: "Media" },
  stat_count: { en: "Count", es: "Cantidad" },

  // What is announced to screen readers
  showing: { en: "Channel {name}", es: "Canal {name}" },
  earlier_shown: {
    en: { one: "{n} earlier message shown", other: "{n} earlier messages shown" },
    es: { one: "{n} mensaje anterior mostrado", other: "{n} mensajes anteriores mostrados" },
  },
  earlier_failed: { en: "Earlier messages could not be read", es: "No se pudieron leer los mensajes anteriores" },
  announce_on: { en: "Messages will be announced", es: "Se anunciarán los mensajes" },
  announce_off: { en: "Messages will not be announced", es: "No se anunciarán los mensajes" },
  summary: {
    en: { one: "{n} new message: {last}", other: "{n} new messages, the last: {last}" },
    es: { one: "{n} mensaje nuevo: {last}", other: "{n} mensajes nuevos, el último: {last}" },
  },

  // The small page of a service
  service_echo: { en: "Echo: what you send comes back", es: "Eco: lo que envíes vuelve" },
  service_greet: { en: "Greet: send a name", es: "Saludo: envía un nombre" },
  service_clock: { en: "Clock", es: "Reloj" },
  service_random: { en: "Random numbers", es: "Números aleatorios" },
  service_other: { en: "Messages", es: "Mensajes" },
  box_greet: { en: "Your name", es: "Tu nombre" },
  box_echo: { en: "Message", es: "Mensaje" },
  send: { en: "Send", es: "Enviar" },
  sent: { en: "sent", es: "enviado" },
  got: { en: "received", es: "recibido" },
  small_closed: { en: "Connection closed ({code})", es: "Conexión cerrada ({code})" },
  reconnect: { en: "Connect again", es: "Conectar de nuevo" },
});

/** @typedef {keyof typeof catalogue} Key */
