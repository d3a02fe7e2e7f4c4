//! What a server grants, what a client offers, and what comes of the two (RFC 7692 §7.1).

use std::fmt;

use super::{Agreed, Direction, NAME, WindowBits};
use crate::ws::handshake::Extension;

const SERVER_NO_CONTEXT_TAKEOVER: &str = "server_no_context_takeover";
const CLIENT_NO_CONTEXT_TAKEOVER: &str = "client_no_context_takeover";
const SERVER_MAX_WINDOW_BITS: &str = "server_max_window_bits";
const CLIENT_MAX_WINDOW_BITS: &str = "client_max_window_bits";

/// What a server grants at most; a client may ask for less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// How we compress.
    pub server: Direction,
    /// How clients may compress. One that cannot keep to fewer than 15 window bits is not granted
    /// compression where fewer are wanted.
    pub client: Direction,
}

impl Default for Policy {
    /// No context takeover either way, so that nothing is kept while a connection is idle, and
    /// windows of 15 bits, which then cost nothing more.
    fn default() -> Self {
        let stateless = Direction { context_takeover: false, window_bits: WindowBits::MAX };
        Self { server: stateless, client: stateless }
    }
}

impl Policy {
    /// What to agree on for the first offer that can be accepted, and the answer that says so.
    /// Offers of other extensions, and offers that are not as RFC 7692 §7.1 has them, are declined
    /// by silence.
    pub(in crate::ws) fn accept(&self, offers: &[Extension<'_>]) -> Option<(Agreed, String)> {
        offers.iter().find_map(|offer| self.grant(&Parameters::parse(offer).ok()?))
    }

    fn grant(&self, offered: &Parameters) -> Option<(Agreed, String)> {
        let server_bits = offered.server_bits.unwrap_or_default().min(self.server.window_bits);
        // Whoever does not say that it could keep to fewer bits must not be told to.
        let client_bits = match offered.client_bits {
            None if self.client.window_bits < WindowBits::MAX => return None,
            None => WindowBits::MAX,
            Some(bits) => bits.unwrap_or_default().min(self.client.window_bits),
        };
        let server_takeover = self.server.context_takeover && !offered.server_no_takeover;
        let client_takeover = self.client.context_takeover && !offered.client_no_takeover;
        let answer = Parameters {
            server_no_takeover: !server_takeover,
            client_no_takeover: !client_takeover,
            server_bits: offered.server_bits.map(|_| server_bits).or(below_max(server_bits)),
            client_bits: below_max(client_bits).map(Some),
        };
        let agreed = Agreed {
            server: Direction { context_takeover: server_takeover, window_bits: server_bits },
            client: Direction { context_takeover: client_takeover, window_bits: client_bits },
        };
        Some((agreed, answer.to_string()))
    }
}

/// What a client offers. Its text is the value of `Sec-WebSocket-Extensions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// How the server may compress: without context takeover, or with fewer bits, it must agree to
    /// that or decline.
    pub server: Direction,
    /// Whether we refer back into earlier messages, unless the server does not want that.
    pub client_context_takeover: bool,
    /// The window we use at most, which the server may make smaller. `None` does not let it: our
    /// window has 15 bits then.
    pub client_window_bits: Option<WindowBits>,
}

impl Default for Offer {
    /// `permessage-deflate; client_max_window_bits`: whatever the server wants.
    fn default() -> Self {
        Self {
            server: Direction { context_takeover: true, window_bits: WindowBits::MAX },
            client_context_takeover: true,
            client_window_bits: Some(WindowBits::MAX),
        }
    }
}

impl fmt::Display for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parameters = Parameters {
            server_no_takeover: !self.server.context_takeover,
            client_no_takeover: !self.client_context_takeover,
            server_bits: below_max(self.server.window_bits),
            client_bits: self.client_window_bits.map(below_max),
        };
        parameters.fmt(f)
    }
}

/// What the server's answer to an offer means. Its one extension is `answer`.
///
/// # Errors
///
/// Why the connection must be given up (RFC 7692 §7.1).
pub(in crate::ws) fn settle(offer: &Offer, answer: &Extension<'_>) -> Result<Agreed, Unacceptable> {
    let answer_has_bare_bits = |answer: &Parameters| answer.client_bits == Some(None);
    let answer = Parameters::parse(answer)?;
    if answer_has_bare_bits(&answer) {
        return Err(Unacceptable::Value(CLIENT_MAX_WINDOW_BITS));
    }
    if !offer.server.context_takeover && !answer.server_no_takeover {
        return Err(Unacceptable::Ignored(SERVER_NO_CONTEXT_TAKEOVER));
    }
    let server_bits = answer.server_bits.unwrap_or_default();
    if server_bits > offer.server.window_bits {
        return Err(Unacceptable::Ignored(SERVER_MAX_WINDOW_BITS));
    }
    let client_bits = match (offer.client_window_bits, answer.client_bits.flatten()) {
        (None, Some(_)) => return Err(Unacceptable::NotOffered(CLIENT_MAX_WINDOW_BITS)),
        (None, None) => WindowBits::MAX,
        (Some(ours), theirs) => ours.min(theirs.unwrap_or_default()),
    };
    let client_takeover = offer.client_context_takeover && !answer.client_no_takeover;
    Ok(Agreed {
        server: Direction {
            context_takeover: !answer.server_no_takeover,
            window_bits: server_bits,
        },
        client: Direction { context_takeover: client_takeover, window_bits: client_bits },
    })
}

/// Why parameters cannot be accepted. Names that are not ours are for the caller to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(in crate::ws) enum Unacceptable {
    #[error("it is another extension")]
    Name,
    #[error("a parameter is not known")]
    Unknown,
    #[error("{0} comes twice")]
    Twice(&'static str),
    #[error("{0} has a value it cannot have")]
    Value(&'static str),
    #[error("{0} was not offered")]
    NotOffered(&'static str),
    #[error("{0} was asked for and not granted")]
    Ignored(&'static str),
}

/// The four parameters, as they stand in an offer or an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Parameters {
    server_no_takeover: bool,
    client_no_takeover: bool,
    server_bits: Option<WindowBits>,
    /// In an offer it may stand without a value.
    client_bits: Option<Option<WindowBits>>,
}

impl Parameters {
    fn parse(extension: &Extension<'_>) -> Result<Self, Unacceptable> {
        if extension.name != NAME {
            return Err(Unacceptable::Name);
        }
        let mut parsed = Self::default();
        for (name, value) in &extension.parameters {
            let value = value.as_deref();
            let bits = |name| {
                let bits = value.map(WindowBits::parse);
                bits.map(|bits| bits.ok_or(Unacceptable::Value(name))).transpose()
            };
            let (name, is_twice) = match *name {
                SERVER_NO_CONTEXT_TAKEOVER if value.is_none() => {
                    let before = std::mem::replace(&mut parsed.server_no_takeover, true);
                    (SERVER_NO_CONTEXT_TAKEOVER, before)
                }
                CLIENT_NO_CONTEXT_TAKEOVER if value.is_none() => {
                    let before = std::mem::replace(&mut parsed.client_no_takeover, true);
                    (CLIENT_NO_CONTEXT_TAKEOVER, before)
                }
                SERVER_NO_CONTEXT_TAKEOVER => {
                    return Err(Unacceptable::Value(SERVER_NO_CONTEXT_TAKEOVER));
                }
                CLIENT_NO_CONTEXT_TAKEOVER => {
                    return Err(Unacceptable::Value(CLIENT_NO_CONTEXT_TAKEOVER));
                }
                SERVER_MAX_WINDOW_BITS => {
                    let name = SERVER_MAX_WINDOW_BITS;
                    let bits = bits(name)?.ok_or(Unacceptable::Value(name))?;
                    (name, parsed.server_bits.replace(bits).is_some())
                }
                CLIENT_MAX_WINDOW_BITS => {
                    let name = CLIENT_MAX_WINDOW_BITS;
                    (name, parsed.client_bits.replace(bits(name)?).is_some())
                }
                _ => return Err(Unacceptable::Unknown),
            };
            if is_twice {
                return Err(Unacceptable::Twice(name));
            }
        }
        Ok(parsed)
    }
}

impl fmt::Display for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)?;
        if self.server_no_takeover {
            write!(f, "; {SERVER_NO_CONTEXT_TAKEOVER}")?;
        }
        if self.client_no_takeover {
            write!(f, "; {CLIENT_NO_CONTEXT_TAKEOVER}")?;
        }
        if let Some(bits) = self.server_bits {
            write!(f, "; {SERVER_MAX_WINDOW_BITS}={bits}")?;
        }
        match self.client_bits {
            None => Ok(()),
            Some(None) => write!(f, "; {CLIENT_MAX_WINDOW_BITS}"),
            Some(Some(bits)) => write!(f, "; {CLIENT_MAX_WINDOW_BITS}={bits}"),
        }
    }
}

fn below_max(bits: WindowBits) -> Option<WindowBits> {
    (bits < WindowBits::MAX).then_some(bits)
}
