//! The words of a command line → the source that `feed` opens.

use std::io::IsTerminal as _;

use super::{
    args::{self, CheckKind, ProgramFraming, RestartWhen},
    catalogue::{LivePhrase, Phrase},
    failure::{Failure, LiveFailure},
    language::Language,
    output, program, tls,
    usage::misplaced,
};
use crate::{
    address::Address,
    source::{AnySource, Check, FileStart, OpenSourceError, Origin, Restart, Spec, Surroundings},
    transport::Framing,
};

const COMMAND: &str = "enchufe feed";

impl args::Source {
    /// The source that is meant.
    ///
    /// # Errors
    ///
    /// When there is none, or a flag means nothing to it.
    pub(super) fn spec(&self) -> Result<Spec, Failure> {
        let origin = self.origin()?;
        let name = match &self.source {
            _ if self.exec => "--exec",
            Some(text) => text,
            None => "-",
        };
        if let Some(flag) = self.misplaced(&origin) {
            return Err(misplaced(flag, name, COMMAND));
        }
        let mut spec = Spec::new(self.tuned(origin));
        spec.framing = self.framing.map_or(spec.framing, ProgramFraming::of_source);
        spec.check = match self.check {
            None => Check::None,
            Some(CheckKind::Json) => Check::Json,
            Some(CheckKind::Number) => Check::Number,
        };
        Ok(spec)
    }

    /// What sources are opened with.
    #[expect(clippy::field_reassign_with_default, reason = "most of it is as it is by default")]
    pub(super) fn surroundings(&self) -> Surroundings {
        let mut surroundings = Surroundings::default();
        surroundings.exec = program::options();
        self.client.apply(&mut surroundings.open);
        surroundings
    }

    fn origin(&self) -> Result<Origin, Failure> {
        if let Some((program, arguments)) = self.program.split_first().filter(|_| self.exec) {
            let (program, arguments) = (program.clone(), arguments.to_vec());
            let restart = Restart::Never;
            return Ok(Origin::Exec { program, arguments, pty: false, restart });
        }
        match &self.source {
            Some(text) => Ok(Origin::parse(text).map_err(LiveFailure::Source)?),
            None if std::io::stdin().is_terminal() => Err(LiveFailure::NoSource.into()),
            None => Ok(Origin::StandardInput),
        }
    }

    /// The first flag given that means nothing to the source.
    fn misplaced(&self, origin: &Origin) -> Option<&'static str> {
        let name = match origin {
            Origin::Clock { .. } => "clock",
            Origin::Random { .. } => "random",
            _ => "",
        };
        let is_program = matches!(origin, Origin::Exec { .. });
        let server = match origin {
            Origin::Connect { address } => Some(address),
            _ => None,
        };
        let is_secure = server.is_some_and(Address::is_secure);
        let is_ws = server.is_some_and(Address::is_ws);
        let is_file = matches!(origin, Origin::File { .. });
        let flags = [
            (self.pty, "--pty", is_program),
            (self.restart.is_some(), "--restart", is_program),
            (self.from_beginning, "--from-beginning", is_file),
            (self.framing.is_some(), "--framing", origin.is_stream()),
            (!self.client.ca.is_empty(), "--ca", is_secure),
            (self.client.insecure, "--insecure", is_secure),
            (!self.client.header.is_empty(), "--header", is_ws),
            (self.client.origin.is_some(), "--origin", is_ws),
            (self.check.is_some(), "--check", name.is_empty()),
        ];
        let idle =
            flags.iter().find(|(is_given, _, means_something)| *is_given && !means_something);
        self.generator.misplaced(name).or(idle.map(|(_, flag, _)| *flag))
    }

    /// The same source, as the flags want it.
    fn tuned(&self, mut origin: Origin) -> Origin {
        match &mut origin {
            Origin::Clock { interval } => {
                *interval = self.generator.interval.unwrap_or(*interval);
            }
            Origin::Random { numbers, interval } => {
                *interval = self.generator.interval.unwrap_or(*interval);
                *numbers = self.generator.numbers();
            }
            Origin::Exec { pty, restart, .. } => {
                *pty = self.pty;
                *restart = self.restart.map_or(*restart, RestartWhen::of_program);
            }
            Origin::File { start, .. } if self.from_beginning => *start = FileStart::Beginning,
            _ => {}
        }
        origin
    }
}

impl RestartWhen {
    fn of_program(self) -> Restart {
        match self {
            Self::Never => Restart::Never,
            Self::OnFailure => Restart::OnFailure,
            Self::Always => Restart::Always,
        }
    }
}

impl ProgramFraming {
    /// Of what is only read: lines as people and their programs write them.
    fn of_source(self) -> Framing {
        match self {
            Self::Lines => Framing::Lines,
            Self::Nul => Framing::Nul,
            Self::Length => Framing::Length,
            Self::Raw => Framing::Raw,
        }
    }
}

/// Why a source was not opened, as a failure of the command.
pub(super) fn failure(error: OpenSourceError) -> Failure {
    match error {
        OpenSourceError::Bind(error) => error.into(),
        OpenSourceError::Start(error) => LiveFailure::Start(error).into(),
        OpenSourceError::File { path, error } => LiveFailure::Follow { path, error }.into(),
    }
}

/// What a source serves that listens for producers, whom a certificate is shown to if there is TLS.
pub(super) fn served(spec: &Spec) -> Option<tls::Served> {
    let Origin::Listen { address } = &spec.origin else { return None };
    let secure_host = match address {
        Address::Tls(endpoint) => Some(endpoint.host.clone()),
        Address::Ws(ws) if ws.is_secure => Some(ws.endpoint.host()),
        _ => None,
    };
    Some(tls::Served { address: spec.origin.to_string(), secure_host })
}

/// What the user should know of a source that others connect to: where, and what is not as asked.
pub(super) fn announce(source: &AnySource, language: Language) {
    for warning in source.warnings() {
        output::warn(language, Phrase::Bind(warning));
    }
    for address in source.local_addresses() {
        let shown = address.to_string();
        output::notice(&language.say(Phrase::ListeningOn(&shown)));
        if address.host_port().is_some_and(|endpoint| !endpoint.host.is_loopback()) {
            output::warn(language, Phrase::Live(LivePhrase::AnybodyPublishes(&shown)));
        }
    }
}
