//! What can be wrong with the text of an address.

use super::redacted;
use crate::limits::EXCERPT_CHARS_MAX;

/// Text that is no address. The message is one line and names the value; [`hint`] is the remedy.
///
/// [`hint`]: ParseAddressError::hint
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseAddressError {
    /// There is no text.
    #[error("the address is empty")]
    Empty,
    /// The word before `://` names no transport.
    #[error("{} begins with an unknown scheme: {}", shown(.text), shown(.scheme))]
    UnknownScheme {
        /// The whole text.
        text: String,
        /// The word.
        scheme: String,
        /// The text with the nearest known scheme, when one is near.
        suggestion: Option<String>,
    },
    /// A URL of the web where a socket is meant.
    #[error("{} is a page's address, not a socket's", shown(.text))]
    Http {
        /// The whole text.
        text: String,
        /// The same place as a WebSocket address.
        suggestion: String,
    },
    /// Anything but HTTP where an HTTP server is to listen.
    #[error("{} is not an address for an HTTP server", shown(.text))]
    NotHttp {
        /// The whole text.
        text: String,
    },
    /// A scheme without its `//`.
    #[error("{} lacks the // after its scheme", shown(.text))]
    NoSlashes {
        /// The whole text.
        text: String,
        /// The text with them.
        suggestion: String,
    },
    /// No port.
    #[error("{} has no port", shown(.text))]
    NoPort {
        /// The whole text.
        text: String,
        /// The text with a port.
        suggestion: String,
    },
    /// Something that is no port.
    #[error("{} has an impossible port: {}", shown(.text), shown(.port))]
    BadPort {
        /// The whole text.
        text: String,
        /// What stands where the port should.
        port: String,
    },
    /// A port alone, to connect to.
    #[error("{} is a port: the host to connect to is missing", shown(.port))]
    NoHost {
        /// The port.
        port: String,
    },
    /// Every interface, to connect to.
    #[error("{} means every interface: it can be served, not connected to", shown(.text))]
    EveryInterface {
        /// The whole text.
        text: String,
        /// The text with a host.
        suggestion: String,
    },
    /// Port 0, to connect to.
    #[error("{}: port 0 can be served, not connected to", shown(.text))]
    PortZero {
        /// The whole text.
        text: String,
    },
    /// A host that cannot be a name.
    #[error("{} has an impossible host: {}", shown(.text), shown(.host))]
    BadHost {
        /// The whole text.
        text: String,
        /// What stands where the host should.
        host: String,
    },
    /// An IPv6 address without its brackets, or something else with several colons.
    #[error("{} has several colons: where the port begins is not clear", shown(.text))]
    NoBrackets {
        /// The whole text.
        text: String,
        /// The text with brackets, when it is an IPv6 address.
        suggestion: Option<String>,
    },
    /// A bracket that nothing closes.
    #[error("{} lacks the ] after its IPv6 address", shown(.text))]
    OpenBracket {
        /// The whole text.
        text: String,
        /// The text with it, when what follows the bracket is an IPv6 address.
        suggestion: Option<String>,
    },
    /// Brackets around something that is no IPv6 address.
    #[error("{} has no IPv6 address in its brackets", shown(.text))]
    BadIpv6 {
        /// The whole text.
        text: String,
    },
    /// A user or a password.
    #[error("an address takes no user or password")]
    Credentials,
    /// A path where there can be none.
    #[error("{} has a path, which this kind of address cannot have", shown(.text))]
    UnexpectedPath {
        /// The whole text.
        text: String,
        /// The text without it.
        suggestion: String,
    },
    /// The path of a Unix-domain socket or a file is missing.
    #[error("{} lacks the path after its colon", shown(.text))]
    NoPath {
        /// The whole text.
        text: String,
    },
    /// No program to run.
    #[error("{} lacks the program after its colon", shown(.text))]
    NoProgram {
        /// The whole text.
        text: String,
    },
    /// A command whose words cannot be told apart, or cannot be handed to a program.
    #[error("{} has a {} that does not belong there", shown(.text), quote(*.character))]
    BadCommand {
        /// The whole text.
        text: String,
        /// The quote that nothing closes, the backslash with nothing behind it, or a NUL.
        character: char,
    },
    /// A path that cannot be one.
    #[error("{} has a path that holds {}", shown(.text), .character.escape_debug())]
    BadPath {
        /// The whole text.
        text: String,
        /// The character that cannot be in it.
        character: char,
    },
}

impl ParseAddressError {
    /// What to type instead.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::UnknownScheme { suggestion: Some(suggestion), .. } => {
                format!("did you mean {}?", shortened(suggestion))
            }
            Self::UnknownScheme { .. } => {
                "there are tcp://HOST:PORT, tls://HOST:PORT, udp://HOST:PORT, ws://HOST:PORT/PATH, wss://HOST:PORT/PATH, ws+unix:PATH:/URL, unix:PATH, unixgram:PATH, exec:PROGRAM, file:PATH and -"
                    .to_owned()
            }
            Self::NoProgram { .. } => "a command looks like exec:PROGRAM or 'exec:PROGRAM ARGUMENT'".to_owned(),
            Self::BadCommand { character: '\0', .. } => "no word of a command can have one".to_owned(),
            Self::BadCommand { .. } => {
                "close every quote; a quote or a backslash that is meant itself needs a backslash before it".to_owned()
            }
            Self::NoPath { .. } => "a path looks like unix:/tmp/socket or file:data.txt".to_owned(),
            Self::Empty => {
                "an address looks like tcp://localhost:65432, ws://localhost:8765 or unix:/tmp/socket".to_owned()
            }
            Self::Http { suggestion, .. } if suggestion.contains("/channels/") => {
                let suggestion = shortened(suggestion);
                let page = suggestion.replacen("ws", "http", 1);
                format!("try {suggestion}, or enchufe follow {page}, which resumes by itself")
            }
            Self::Http { suggestion, .. }
            | Self::NoSlashes { suggestion, .. }
            | Self::NoPort { suggestion, .. }
            | Self::EveryInterface { suggestion, .. }
            | Self::UnexpectedPath { suggestion, .. }
            | Self::NoBrackets { suggestion: Some(suggestion), .. }
            | Self::OpenBracket { suggestion: Some(suggestion), .. } => {
                format!("try {}", shortened(suggestion))
            }
            Self::NotHttp { .. } => "try http://127.0.0.1:5678".to_owned(),
            Self::BadPort { .. } => {
                "a port is a number from 1 to 65535, or the name of a service this machine knows".to_owned()
            }
            Self::NoHost { port } => format!("try tcp://localhost:{}", shortened(port)),
            Self::PortZero { .. } => "the server prints the port that it chose".to_owned(),
            Self::BadHost { .. } => "a host is a name, an IPv4 address, or an IPv6 address in brackets".to_owned(),
            Self::NoBrackets { suggestion: None, .. } => {
                "an address looks like HOST:PORT, and with IPv6 like [::1]:65432".to_owned()
            }
            Self::BadIpv6 { .. } | Self::OpenBracket { suggestion: None, .. } => {
                "brackets are for IPv6, as in [::1]:65432 or [fe80::1%eth0]:65432".to_owned()
            }
            Self::Credentials => "leave out everything up to the @".to_owned(),
            Self::BadPath { character: '#', .. } => "write it as %23; a fragment is never sent".to_owned(),
            Self::BadPath { character: '\0', .. } => "an abstract name is written unix:@NAME".to_owned(),
            Self::BadPath { .. } => "percent-encode it".to_owned(),
        })
    }
}

/// A user's text, quoted, with control characters escaped, and cut when it is long.
fn shown(text: &str) -> String {
    format!("{:?}", shortened(text))
}

/// A quote or a backslash is shown as it is typed.
fn quote(character: char) -> String {
    if character.is_control() { character.escape_debug().to_string() } else { character.into() }
}

fn shortened(text: &str) -> String {
    let text = redacted(text);
    match text.char_indices().nth(EXCERPT_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}
