//! From what a configuration says to what a server is given: files are opened, and read.

use std::path::Path;

use crate::{
    cli::{
        args,
        failure::{Failure, LiveFailure, TlsFailure},
        language::Language,
        tls,
    },
    config::{Certificate, Config, Listen},
    core::ChannelName,
    crowd::Crowd,
    http::{self, Folder, Token},
    live::broker::{ChannelOptions, Rule, Rules},
    source::Spec,
    transport::tls::ServerTls,
};

/// What a server is given.
pub(super) struct Prepared {
    /// What holds for each listener, in the order of the configuration.
    pub(super) sites: Vec<http::Options>,
    /// The channels that are there from the beginning.
    pub(super) channels: Vec<(ChannelName, ChannelOptions, Option<Spec>)>,
    /// Those that are made on first use.
    pub(super) rules: Rules,
}

impl Prepared {
    /// Opens and reads the files that a configuration names. It blocks.
    ///
    /// # Errors
    ///
    /// Everything that cannot be used.
    pub(super) fn new(config: &Config, crowd: &Crowd) -> Result<Self, Failure> {
        let mut failures = Vec::new();
        let mut token = |path: Option<&Path>| match path.map(Token::read).transpose() {
            Ok(token) => token,
            Err(error) => {
                failures.push(LiveFailure::Token(error).into());
                None
            }
        };
        let publish_token = token(config.publish_token_file.as_deref());
        let read_token = token(config.read_token_file.as_deref());
        let page = match config.page.as_deref().map(Folder::open).transpose() {
            Ok(page) => page,
            Err(error) => {
                failures.push(LiveFailure::Page(error).into());
                None
            }
        };
        for listen in &config.listen {
            if let Some(Certificate::Files { certificate, key }) = &listen.certificate
                && let Err(error) = ServerTls::from_files(certificate, key)
            {
                failures.push(TlsFailure::Pem(error).into());
            }
        }
        if !failures.is_empty() {
            return Err(Failure::Several(failures));
        }
        let common = http::Options {
            default_channel: config.default_channel.clone().or_else(|| only_channel(config)),
            publish_token,
            read_token,
            page,
            connections_max: config.limits.connections_max,
            head_timeout: config.limits.head_timeout,
            body_timeout: config.limits.body_timeout,
            dead_after: config.limits.dead_after,
            crowd: crowd.clone(),
            ..http::Options::default()
        };
        let site = |listen: &Listen| http::Options {
            allowed_origins: listen.allow_origin.clone(),
            host_names: listen.host_name.clone(),
            ..common.clone()
        };
        let rules = config.channels.iter().map(|channel| Rule {
            pattern: channel.pattern.clone(),
            options: channel.options.clone(),
        });
        let declared = config.channels.iter().filter_map(|channel| {
            Some((channel.name()?, channel.options.clone(), channel.source.clone()))
        });
        Ok(Self {
            sites: config.listen.iter().map(site).collect(),
            channels: declared.collect(),
            rules: rules.collect::<Rules>().with_channels_max(config.limits.channels_max),
        })
    }
}

/// The one channel of a server that has no other, which is what its `/` must mean.
fn only_channel(config: &Config) -> Option<ChannelName> {
    match config.channels.as_slice() {
        [only] => only.name(),
        _ => None,
    }
}

/// The certificate of a listener, if it is to have one; says where one for development is.
///
/// # Errors
///
/// When it cannot be used.
pub(super) async fn certificate(
    listen: &Listen,
    language: Language,
) -> Result<Option<ServerTls>, Failure> {
    let mut flags = args::Tls { tls_cert: None, tls_key: None, tls_dev: false };
    match &listen.certificate {
        None => return Ok(None),
        Some(Certificate::Development) => flags.tls_dev = true,
        Some(Certificate::Files { certificate, key }) => {
            flags.tls_cert = Some(certificate.clone());
            flags.tls_key = Some(key.clone());
        }
    }
    let secure_host = Some(listen.address.endpoint.host.clone());
    let served = [tls::Served { address: listen.text.clone(), secure_host }];
    tls::certificate(&flags, &served, "enchufe run", language).await
}
