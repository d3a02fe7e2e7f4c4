//! Greets whoever says a name: the tutorial's greet server.

use std::{str::FromStr, sync::Arc};

use bytes::Bytes;
use enchufe_core::{Message, MessageRef};

use super::{Event, Flow, Handler, Observer, Replies, Service, ServiceError, part};
use crate::{
    limits,
    shutdown::Shutdown,
    transport::{Connection, Framing, Peer},
};

/// Answers each message, a name, with a greeting; on streams, each line.
#[derive(Debug, Clone, Default)]
pub struct Greet {
    greeting: Arc<Greeting>,
    observer: Observer,
}

impl Greet {
    /// A service that says `greeting` and tells `observer` each name and each answer.
    pub fn new(greeting: Greeting, observer: Observer) -> Self {
        Self { greeting: Arc::new(greeting), observer }
    }
}

impl Service for Greet {
    async fn serve(&self, connection: Connection, shutdown: Shutdown) -> Result<(), ServiceError> {
        let mut connection = connection.with_framing(Framing::Lines);
        let peer = connection.peer().clone();
        while let Some(name) = shutdown.or(connection.recv()).await? {
            self.observer.tell(&Event::Received { peer: &peer, message: &name });
            let answer = self.greeting.to(&name);
            connection.send(answer.clone()).await?;
            self.observer.tell(&Event::Sent { peer: &peer, message: &answer });
        }
        part(connection, &shutdown).await
    }

    fn handler(&self, peer: &Peer) -> Option<Box<dyn Handler>> {
        let Self { greeting, observer } = self.clone();
        Some(Box::new(Greeter { greeting, observer, peer: peer.clone() }))
    }
}

/// Greets one client.
struct Greeter {
    greeting: Arc<Greeting>,
    observer: Observer,
    peer: Peer,
}

impl Handler for Greeter {
    fn on_message(&mut self, name: MessageRef<'_>, replies: &mut Replies<'_>) -> Flow {
        let (peer, name) = (&self.peer, name.to_owned());
        self.observer.tell(&Event::Received { peer, message: &name });
        let answer = self.greeting.to(&name);
        replies.send(answer.as_ref());
        self.observer.tell(&Event::Sent { peer, message: &answer });
        Flow::Continue
    }
}

/// What is said to a name: a text in which `{name}` stands for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Greeting {
    before: String,
    after: String,
}

impl Greeting {
    const PLACE: &str = "{name}";

    /// The greeting of `name`, whose bytes are kept as they came.
    ///
    /// A line break at its end, which programs send along in a datagram, is not part of a name.
    fn to(&self, name: &Message) -> Message {
        let Message { kind, payload } = name;
        let bare = payload.strip_suffix(b"\n").unwrap_or(payload);
        let bare = bare.strip_suffix(b"\r").unwrap_or(bare);
        let answer = [self.before.as_bytes(), bare, self.after.as_bytes()].concat();
        Message { kind: *kind, payload: Bytes::from(answer) }
    }
}

/// The tutorial's: `Hola {name}!`
impl Default for Greeting {
    fn default() -> Self {
        Self { before: "Hola ".to_owned(), after: "!".to_owned() }
    }
}

/// The text is not a greeting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseGreetingError {
    /// It has no place for the name.
    #[error("the greeting '{0}' has no place for the name: write {{name}} there")]
    NoPlace(String),
    /// It would be more than one line, or too long a one.
    #[error("the greeting '{0}' is not one line of at most {max} bytes", max = limits::GREETING_BYTES_MAX)]
    NotOneLine(String),
}

impl FromStr for Greeting {
    type Err = ParseGreetingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let excerpt = || text.chars().take(limits::EXCERPT_CHARS_MAX).collect();
        if text.contains(['\n', '\r']) || text.len() > limits::GREETING_BYTES_MAX {
            return Err(ParseGreetingError::NotOneLine(excerpt()));
        }
        let (before, after) =
            text.split_once(Self::PLACE).ok_or_else(|| ParseGreetingError::NoPlace(excerpt()))?;
        Ok(Self { before: before.to_owned(), after: after.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_the_tutorials() {
        assert_eq!("Hola {name}!".parse(), Ok(Greeting::default()));
        assert_eq!(Greeting::default().to(&Message::text("Ana")), Message::text("Hola Ana!"));
    }

    #[test]
    fn a_name_is_data_whatever_is_in_it() {
        let greeting: Greeting = "<{name}>".parse().expect("a greeting");
        assert_eq!(
            greeting.to(&Message::text("{name}\u{1b}[2J")),
            Message::text("<{name}\u{1b}[2J>")
        );
        assert_eq!(greeting.to(&Message::binary(vec![0xff])), Message::binary(&b"<\xff>"[..]));
        assert_eq!(greeting.to(&Message::text("")), Message::text("<>"));
    }

    #[test]
    fn one_line_break_at_the_end_is_not_part_of_the_name() {
        let greeting = Greeting::default();
        assert_eq!(greeting.to(&Message::text("Ana\n")), Message::text("Hola Ana!"));
        assert_eq!(greeting.to(&Message::text("Ana\r\n")), Message::text("Hola Ana!"));
        assert_eq!(greeting.to(&Message::text("Ana\n\n")), Message::text("Hola Ana\n!"));
    }

    #[test]
    fn what_is_not_a_greeting_is_refused_with_the_value() {
        for text in ["", "Hola", "Hola {nombre}!", "{name", "a\n{name}"] {
            let error = text.parse::<Greeting>().expect_err(text);
            assert!(error.to_string().contains(&format!("'{text}'")), "{error}");
        }
        let long = format!("{{name}}{}", "x".repeat(limits::GREETING_BYTES_MAX));
        assert!(matches!(long.parse::<Greeting>(), Err(ParseGreetingError::NotOneLine(_))));
    }
}
