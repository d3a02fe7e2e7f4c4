//! Sends back whatever comes: the tutorial's echo server.

use enchufe_core::MessageRef;

use super::{Flow, Handler, Replies, Service, ServiceError, StreamHandler, part};
use crate::{
    shutdown::Shutdown,
    transport::{Connection, Peer},
};

/// Sends back each message as it came, of the same kind; of a stream, the bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Echo;

impl Service for Echo {
    async fn serve(
        &self,
        mut connection: Connection,
        shutdown: Shutdown,
    ) -> Result<(), ServiceError> {
        while let Some(message) = shutdown.or(connection.recv()).await? {
            connection.send(message).await?;
        }
        part(connection, &shutdown).await
    }

    fn handler(&self, _: &Peer) -> Option<Box<dyn Handler>> {
        Some(Box::new(Self))
    }

    fn stream_handler(&self, _: &Peer) -> Option<Box<dyn StreamHandler>> {
        Some(Box::new(Self))
    }
}

impl StreamHandler for Echo {
    fn on_bytes(&mut self, bytes: &mut [u8]) -> usize {
        bytes.len()
    }
}

impl Handler for Echo {
    fn on_message(&mut self, message: MessageRef<'_>, replies: &mut Replies<'_>) -> Flow {
        replies.send(message);
        Flow::Continue
    }
}
