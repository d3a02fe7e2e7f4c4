//! The words that all who connect over WebSocket or TLS share.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::transport::{OpenOptions, ws};

/// What is said to servers, and which of them are trusted.
#[derive(Debug, Clone, Args)]
pub(crate) struct Client {
    /// tls, wss: trust the certificates in this file, too (PEM); may be repeated
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) ca: Vec<PathBuf>,

    /// tls, wss: connect whatever certificate is shown
    #[arg(long)]
    pub(crate) insecure: bool,

    /// Send this header field with the handshake (ws://); may be repeated
    #[arg(long, value_name = "NAME: VALUE", value_parser = ws::parse_header)]
    pub(crate) header: Vec<(String, String)>,

    /// Send this Origin (ws://)
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) origin: Option<String>,
}

impl Client {
    /// Puts it into the options to connect with.
    pub(crate) fn apply(&self, options: &mut OpenOptions) {
        options.tls.ca.clone_from(&self.ca);
        options.tls.insecure = self.insecure;
        options.ws.headers.clone_from(&self.header);
        options.ws.origin.clone_from(&self.origin);
    }
}
