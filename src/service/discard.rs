//! Takes everything and answers nothing (RFC 863).

use enchufe_core::MessageRef;

use super::{Flow, Handler, Replies, Service, ServiceError, StreamHandler, part};
use crate::{
    shutdown::Shutdown,
    transport::{Connection, Peer},
};

/// Throws away whatever comes, until the client leaves.
#[derive(Debug, Clone, Copy, Default)]
pub struct Discard;

impl Service for Discard {
    async fn serve(
        &self,
        mut connection: Connection,
        shutdown: Shutdown,
    ) -> Result<(), ServiceError> {
        while shutdown.or(connection.recv()).await?.is_some() {}
        part(connection, &shutdown).await
    }

    fn handler(&self, _: &Peer) -> Option<Box<dyn Handler>> {
        Some(Box::new(Self))
    }

    fn stream_handler(&self, _: &Peer) -> Option<Box<dyn StreamHandler>> {
        Some(Box::new(Self))
    }
}

impl StreamHandler for Discard {
    fn on_bytes(&mut self, _: &mut [u8]) -> usize {
        0
    }
}

impl Handler for Discard {
    fn on_message(&mut self, _: MessageRef<'_>, _: &mut Replies<'_>) -> Flow {
        Flow::Continue
    }
}
