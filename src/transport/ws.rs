//! A place for the WebSocket transport.

use super::{
    BindError, BindOptions, BindWarning, CloseReason, OpenError, OpenOptions, Peer, RecvError,
    SendError,
};
use crate::address::{Address, WsAddress};
use crate::core::Message;

/// What concerns serving WebSocket alone.
#[derive(Debug, Clone, Default)]
pub struct ServerOptions {}

/// What concerns opening WebSocket alone.
#[derive(Debug, Clone, Default)]
pub struct ClientOptions {}

#[derive(Debug)]
pub(super) struct Listener {}

impl Listener {
    pub(super) async fn bind(
        address: &WsAddress,
        _options: &BindOptions,
    ) -> Result<(Self, Vec<BindWarning>), BindError> {
        Err(BindError::Unsupported { address: address.to_string(), what: "WebSocket yet" })
    }

    pub(super) fn local_addresses(&self) -> Vec<Address> {
        Vec::new()
    }

    pub(super) async fn accept(&mut self) -> (Incoming, Outgoing, Peer) {
        std::future::pending().await
    }
}

pub(super) async fn open(
    address: &WsAddress,
    _options: &OpenOptions,
) -> Result<(Incoming, Outgoing, Peer), OpenError> {
    Err(OpenError::Unsupported { address: address.to_string(), what: "WebSocket yet" })
}

#[derive(Debug)]
pub(super) struct Incoming {}

impl Incoming {
    pub(super) async fn recv(&mut self) -> Result<Option<Message>, RecvError> {
        Ok(None)
    }

    pub(super) fn closed_with(&self) -> Option<&CloseReason> {
        None
    }
}

#[derive(Debug)]
pub(super) struct Outgoing {}

impl Outgoing {
    pub(super) async fn send(&mut self, _message: Message) -> Result<(), SendError> {
        Ok(())
    }

    pub(super) async fn close(self, _reason: CloseReason) -> Result<(), SendError> {
        Ok(())
    }
}
