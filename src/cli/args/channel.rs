//! The words that `publish` and `follow` share: which server, and who one is there.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueHint};

use super::Client;
use crate::{
    address::ServerAddress,
    cli::{
        failure::{ChannelFailure, Failure, LiveFailure},
        values,
    },
    http::Token,
    transport::OpenOptions,
};

/// Where channels are, and how to get in.
#[derive(Debug, Clone, Args)]
pub(crate) struct Server {
    /// Where the channels are that are given by name
    #[arg(long, value_name = "URL", env = "ENCHUFE_SERVER", hide_env = true)]
    #[arg(default_value = "http://127.0.0.1:5678", value_hint = ValueHint::Url)]
    pub(crate) server: String,

    /// Show the token in this file
    #[arg(long, value_name = "FILE", env = "ENCHUFE_TOKEN_FILE", hide_env = true)]
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) token_file: Option<PathBuf>,

    /// Give up connecting after this long
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = values::time)]
    pub(crate) connect_timeout: Duration,

    #[command(flatten)]
    pub(crate) client: Client,
}

impl Server {
    /// The server of channels that are given by name.
    pub(crate) fn address(&self) -> Result<ServerAddress, Failure> {
        ServerAddress::parse(&self.server).map_err(|error| ChannelFailure::Address(error).into())
    }

    /// How to connect, and what to show.
    pub(crate) fn open_options(&self) -> Result<OpenOptions, Failure> {
        let mut options = OpenOptions { timeout: self.connect_timeout, ..OpenOptions::default() };
        self.client.apply(&mut options);
        if let Some(path) = &self.token_file {
            let token = Token::read(path).map_err(LiveFailure::Token)?;
            options.ws.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
            options.ws.headers.push(("Authorization".to_owned(), token.bearer()));
        }
        Ok(options)
    }
}
