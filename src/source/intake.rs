//! What comes over a connection, as messages.

use bytes::Bytes;
use enchufe_core::Message;

use crate::{
    limits,
    transport::{Connection, CutError, Cutter, Framing, Nature, Preface, Verdict},
};

/// Makes messages of what one connection receives. Transports that have messages of their own keep
/// them.
pub(super) enum Intake {
    Stream {
        cutter: Cutter,
        preface: Preface,
    },
    /// They do not say what is text.
    Datagrams,
    WebSocket,
}

/// Why nothing more is taken from a connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    /// A page in a browser may have made it do so.
    #[error("it speaks HTTP, as pages in a browser do: nothing of it is published")]
    SpeaksHttp,
    /// Where the next message begins is not known.
    #[error(transparent)]
    Cut(#[from] CutError),
}

impl Intake {
    /// For a server that we have chosen.
    pub(super) fn of_server(connection: &Connection, framing: Framing) -> Self {
        Self::new(connection, framing, Preface::none())
    }

    /// For whoever connects: a stream that begins with a request in HTTP is refused.
    pub(super) fn of_client(connection: &Connection, framing: Framing) -> Self {
        Self::new(connection, framing, Preface::default())
    }

    fn new(connection: &Connection, framing: Framing, preface: Preface) -> Self {
        match connection.nature() {
            Nature::Stream => {
                let cutter = Cutter::splitting(framing, limits::MESSAGE_BYTES_MAX);
                Self::Stream { cutter, preface }
            }
            Nature::Datagram => Self::Datagrams,
            Nature::Ws => Self::WebSocket,
        }
    }

    /// The messages that are whole with what has come.
    pub(super) fn take(&mut self, message: Message) -> Taken {
        let (cutter, preface) = match self {
            Self::Stream { cutter, preface } => (cutter, preface),
            Self::Datagrams => return Taken::of(Message::detect(message.payload)),
            Self::WebSocket => return Taken::of(message),
        };
        match preface.judge(message.payload) {
            Verdict::Wait => return Taken::default(),
            Verdict::Http => {
                return Taken { refused: Some(Refused::SpeaksHttp), ..Taken::default() };
            }
            Verdict::Pass(chunk) => cutter.push(chunk),
        }
        Taken::cut(|| cutter.next())
    }

    /// What is left once the peer has said that nothing more comes: the last line needs no end.
    pub(super) fn rest(&mut self) -> Taken {
        let Self::Stream { cutter, preface } = self else { return Taken::default() };
        cutter.push(preface.rest());
        Taken::cut(|| match cutter.next() {
            Ok(None) => cutter.rest(),
            cut => cut,
        })
    }

    /// How much has come of a message of which the rest will not, in bytes.
    pub(super) fn unfinished_bytes(&mut self) -> usize {
        match self {
            Self::Stream { cutter, preface } => cutter.unfinished_bytes() + preface.rest().len(),
            Self::Datagrams | Self::WebSocket => 0,
        }
    }
}

/// What was taken.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) messages: Vec<Message>,
    /// Why nothing comes after them.
    pub(super) refused: Option<Refused>,
}

impl Taken {
    fn of(message: Message) -> Self {
        Self { messages: vec![message], refused: None }
    }

    fn cut(mut next: impl FnMut() -> Result<Option<Bytes>, CutError>) -> Self {
        let mut taken = Self::default();
        loop {
            match next() {
                Ok(Some(message)) => taken.messages.push(Message::detect(message)),
                Ok(None) => return taken,
                Err(error) => {
                    taken.refused = Some(error.into());
                    return taken;
                }
            }
        }
    }
}
