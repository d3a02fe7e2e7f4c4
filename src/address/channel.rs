//! Addresses of channels: a URL, or a name at a server.
//!
//! One URL stands for a channel in every wire form, so that what a browser shows in its address bar
//! is what a program publishes to or follows. `http:` and `ws:` name the same place.

use std::fmt;

use enchufe_core::{
    ChannelName, Since, SlowPolicy, channel::ParseChannelNameError, since::ParseSinceError,
};
use percent_encoding::percent_decode_str;

use super::{Address, Host, ParseAddressError, WsAddress, WsEndpoint, endpoint::Text};
use crate::resolve::SocketType;

/// What stands between a server and the name of a channel.
const CHANNELS: &str = "/channels/";

/// A server that has channels: where it is, and below which path they are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ServerAddress {
    endpoint: WsEndpoint,
    is_secure: bool,
    /// What stands before `/channels/`, without a slash at its end.
    base: String,
}

/// A channel at a server, and how its URL asks to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelAddress {
    /// The server.
    pub server: ServerAddress,
    /// The channel's name there.
    pub channel: ChannelName,
    /// Where to begin, if the URL says so.
    pub since: Option<Since>,
    /// What to do about a reader that is too slow, if the URL says so.
    pub slow: Option<SlowPolicy>,
}

/// Why a text is not the address of a channel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseChannelAddressError {
    /// The server's address is none.
    #[error(transparent)]
    Address(#[from] ParseAddressError),
    /// The channel's name is none.
    #[error(transparent)]
    Name(#[from] ParseChannelNameError),
    /// The URL names a place where no channels are.
    #[error("'{0}' is not on the web: channels are reached by http://, https://, ws:// or wss://")]
    NotWeb(String),
    /// The URL names no channel.
    #[error("'{0}' is a server's URL, and names no channel")]
    NoChannel(String),
    /// The name in the URL is not UTF-8.
    #[error("the channel's name in '{0}' is not UTF-8")]
    Encoding(String),
    /// A field of the query that says nothing about a channel.
    #[error("'{field}' in a channel's URL says nothing here")]
    Field {
        /// The name of the field.
        field: String,
    },
    /// `since` is none.
    #[error(transparent)]
    Since(#[from] ParseSinceError),
    /// `slow` is none.
    #[error("{0}")]
    Slow(String),
}

impl ParseChannelAddressError {
    /// What can be done about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Address(error) => return error.hint(),
            Self::Name(_) => {
                "a name has segments between slashes, such as news or logs/web".to_owned()
            }
            Self::NotWeb(_) | Self::Encoding(_) => {
                "a channel's URL is like http://127.0.0.1:5678/channels/NAME".to_owned()
            }
            Self::NoChannel(text) => format!("{}{CHANNELS}NAME", text.trim_end_matches('/')),
            Self::Field { field } if field == "token" => "--token-file FILE shows one".to_owned(),
            Self::Field { .. } => "since and slow are what can be asked for".to_owned(),
            Self::Since(_) | Self::Slow(_) => return None,
        })
    }
}

impl ServerAddress {
    /// Parses where a server is: `http://HOST[:PORT]`, or with `https`, `ws`, `wss`, `ws+unix` or
    /// `wss+unix`, and the path below which it has its channels, if that is not `/`.
    ///
    /// # Errors
    ///
    /// When the text is no such URL.
    pub fn parse(text: &str) -> Result<Self, ParseChannelAddressError> {
        let (server, path) = split(text)?;
        let path = path.split('?').next().unwrap_or_default();
        let base = path.trim_end_matches('/');
        Ok(Self { base: base.strip_suffix("/channels").unwrap_or(base).to_owned(), ..server })
    }

    /// Where a WebSocket to the channel is opened.
    pub fn web_socket(&self, channel: &ChannelName) -> WsAddress {
        WsAddress {
            endpoint: self.endpoint.clone(),
            path: Some(format!("{}{}", self.base, channel_path(channel))),
            is_secure: self.is_secure,
        }
    }

    /// Whether TLS lies between.
    pub fn is_secure(&self) -> bool {
        self.is_secure
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = if self.is_secure { "s" } else { "" };
        match &self.endpoint {
            WsEndpoint::Inet(endpoint) => write!(f, "http{s}://{endpoint}{}", self.base),
            WsEndpoint::Unix(path) if self.base.is_empty() => write!(f, "ws{s}+unix:{path}"),
            WsEndpoint::Unix(path) => write!(f, "ws{s}+unix:{path}:{}", self.base),
        }
    }
}

impl ChannelAddress {
    /// Parses a channel's URL, or its bare name at `server`.
    ///
    /// # Errors
    ///
    /// When the text is neither.
    pub fn parse(text: &str, server: &ServerAddress) -> Result<Self, ParseChannelAddressError> {
        if !is_url(text) {
            let channel = text.parse()?;
            return Ok(Self { server: server.clone(), channel, since: None, slow: None });
        }
        let (server, rest) = split(text)?;
        let (path, query) = rest.split_once('?').unwrap_or((&rest, ""));
        let named = path.split_once(CHANNELS).filter(|(_, name)| !name.is_empty());
        let Some((base, name)) = named else {
            let base = path.trim_end_matches('/');
            let base = base.strip_suffix("/channels").unwrap_or(base);
            let server = ServerAddress { base: base.to_owned(), ..server };
            return Err(ParseChannelAddressError::NoChannel(server.to_string()));
        };
        let name = percent_decode_str(name)
            .decode_utf8()
            .map_err(|_| ParseChannelAddressError::Encoding(super::redacted(text).into_owned()))?;
        let server = ServerAddress { base: base.to_owned(), ..server };
        let mut address = Self { server, channel: name.parse()?, since: None, slow: None };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (field, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = percent_decode_str(value).decode_utf8_lossy();
            match field {
                "since" => address.since = Some(value.parse()?),
                "slow" => {
                    let slow: Result<SlowPolicy, _> = value.parse();
                    let slow = slow.map_err(|error| error.to_string());
                    address.slow = Some(slow.map_err(ParseChannelAddressError::Slow)?);
                }
                _ => return Err(ParseChannelAddressError::Field { field: field.to_owned() }),
            }
        }
        Ok(address)
    }
}

/// A channel's path: everything but unreserved characters and the slash is encoded.
pub fn channel_path(channel: &ChannelName) -> String {
    const PATH: percent_encoding::AsciiSet = percent_encoding::NON_ALPHANUMERIC
        .remove(b'/')
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    let encoded = percent_encoding::utf8_percent_encode(channel.as_str(), &PATH);
    format!("{CHANNELS}{encoded}")
}

/// No name of a channel is taken for a URL, unless it looks just like one.
fn is_url(text: &str) -> bool {
    text.contains("://") || ["ws+unix:", "wss+unix:"].iter().any(|scheme| text.starts_with(scheme))
}

/// The server of a URL, still without its base, and the path and query.
fn split(text: &str) -> Result<(ServerAddress, String), ParseChannelAddressError> {
    let not_web = || ParseChannelAddressError::NotWeb(super::redacted(text).into_owned());
    let (scheme, rest) = text.split_once(':').ok_or_else(not_web)?;
    let is_secure = match scheme.to_ascii_lowercase().as_str() {
        "http" | "ws" => false,
        "https" | "wss" => true,
        "ws+unix" | "wss+unix" => {
            let Address::Ws(WsAddress { endpoint, path, is_secure }) =
                Address::parse_connect(text)?
            else {
                return Err(not_web());
            };
            let server = ServerAddress { endpoint, is_secure, base: String::new() };
            return Ok((server, path.unwrap_or_default()));
        }
        _ => return Err(not_web()),
    };
    let rest = rest.strip_prefix("//").ok_or_else(not_web)?;
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if let Some(character) = path.chars().find(|c| matches!(c, '#' | ' ') || c.is_control()) {
        let text = text.to_owned();
        return Err(ParseAddressError::BadPath { text, character }.into());
    }
    let whole = Text { whole: text, socket_type: SocketType::STREAM };
    let endpoint = whole.endpoint(authority, Some(if is_secure { 443 } else { 80 }))?;
    if endpoint.host == Host::Any {
        let suggestion = text.replacen(authority, &authority.replacen('*', "localhost", 1), 1);
        let text = text.to_owned();
        return Err(ParseAddressError::EveryInterface { text, suggestion }.into());
    }
    if endpoint.port == 0 {
        return Err(ParseAddressError::PortZero { text: text.to_owned() }.into());
    }
    let endpoint = WsEndpoint::Inet(endpoint);
    Ok((ServerAddress { endpoint, is_secure, base: String::new() }, path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<ChannelAddress, ParseChannelAddressError> {
        let server = ServerAddress::parse("http://127.0.0.1:5678").expect("a server");
        ChannelAddress::parse(text, &server)
    }

    #[test]
    fn a_channel_is_a_url_or_a_name_at_the_server() {
        for (text, server, name, path) in [
            ("news", "http://127.0.0.1:5678", "news", "/channels/news"),
            ("logs/web:80", "http://127.0.0.1:5678", "logs/web:80", "/channels/logs/web%3A80"),
            ("http://h/channels/a", "http://h:80", "a", "/channels/a"),
            ("wss://h:8/channels/a%20b", "https://h:8", "a b", "/channels/a%20b"),
            ("https://h/live/channels/ñ", "https://h:443/live", "ñ", "/live/channels/%C3%B1"),
            ("ws+unix:/s:/channels/a", "ws+unix:/s", "a", "/channels/a"),
        ] {
            let address = parsed(text).expect(text);
            assert_eq!(address.server.to_string(), server);
            assert_eq!(address.channel.as_str(), name);
            let socket = address.server.web_socket(&address.channel);
            assert_eq!(socket.path.as_deref(), Some(path));
        }
    }

    #[test]
    fn the_url_may_say_how_it_is_to_be_read() {
        let address = parsed("http://h/channels/a?since=last:3&slow=cut").expect("a channel");
        assert_eq!((address.since, address.slow), (Some(Since::Last(3)), Some(SlowPolicy::Cut)));
        let aged = parsed("http://h/channels/a?since=-10m").expect("a channel");
        assert_eq!(aged.since.map(|since| since.to_string()).as_deref(), Some("-600s"));
    }

    #[test]
    fn a_server_is_the_same_with_its_list_of_channels_and_without() {
        for text in ["http://h", "http://h/", "ws://h:80/channels", "http://h/channels/"] {
            assert_eq!(ServerAddress::parse(text).expect(text).to_string(), "http://h:80");
        }
        let below = ServerAddress::parse("https://h/a/b/").expect("a server");
        assert_eq!(below.to_string(), "https://h:443/a/b");
    }

    #[test]
    fn what_is_no_channel_says_why_and_what_to_do() {
        for (text, why) in [
            ("", "a channel needs a name"),
            ("a//b", "the channel name 'a//b'"),
            ("tcp://h:1", "'tcp://h:1' is not on the web"),
            ("http://h", "'http://h:80' is a server's URL"),
            ("http://h/channels/", "'http://h:80' is a server's URL"),
            ("http://h/channels/%ff", "the channel's name in 'http://h/channels/%ff'"),
            ("http://h:0/channels/a", "\"http://h:0/channels/a\": port 0"),
            ("http://h/channels/a?token=secret", "'token' in a channel's URL"),
            ("http://user:secret@h/channels/a", "user"),
            ("http://h/channels/a#b", "\"http://h/channels/a#b\""),
        ] {
            let error = parsed(text).expect_err(text);
            assert!(error.to_string().contains(why), "{text}: {error}");
            assert!(!error.to_string().contains("secret"), "{error}");
            assert!(error.hint().is_some(), "{text}");
        }
        assert!(parsed("http://h/channels/a?since=42").is_err());
    }
}
