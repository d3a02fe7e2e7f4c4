//! Programs that commands run: who keeps them, and where their complaints go.

use std::ffi::OsString;
use std::process::ExitCode;

use tokio::{io::AsyncWriteExt as _, sync::mpsc};

use super::{args, escape, output};
use crate::{
    limits,
    service::{Complaint, Exec, ExecRules, Observer},
    transport::{
        Framing,
        child::{Command, ExecOptions, Keeper},
    },
};

/// The word by which this program becomes a keeper: see [`Keeper`].
const KEEPER_WORD: &str = "__keep";

/// How programs are run: each with a keeper, which is this very program, even if its file was
/// replaced since.
pub(super) fn options() -> ExecOptions {
    let mut options = ExecOptions::default();
    if cfg!(target_os = "linux") {
        let (program, arguments) = ("/proc/self/exe".into(), vec![KEEPER_WORD.into()]);
        options.keeper = Some(Keeper { program, arguments });
    }
    options
}

/// Is the keeper, if that is what this process was started as.
pub(super) fn keep(arguments: &[OsString]) -> Option<ExitCode> {
    let words = arguments.get(1..)?.split_first().filter(|(word, _)| *word == KEEPER_WORD)?.1;
    #[cfg(target_os = "linux")]
    let kept = crate::transport::child::keep(words);
    #[cfg(not(target_os = "linux"))]
    let kept = Err::<(), _>(std::io::Error::other(format!("{words:?} cannot be kept here")));
    Some(match kept {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::notice(&format!("enchufe {KEEPER_WORD}: {error}"));
            ExitCode::FAILURE
        }
    })
}

impl args::Program {
    /// What `serve exec` runs; nothing, if no program was named.
    pub(super) fn command(&self) -> Option<Command> {
        let (program, arguments) = self.program.split_first()?;
        let mut command = Command::new(program, arguments.to_vec());
        command.options = options();
        command.options.pty = self.pty;
        command.options.dir.clone_from(&self.dir);
        let env = self.env.iter().map(|(name, value)| (name.into(), value.into()));
        command.options.env = env.collect();
        Some(command)
    }

    /// The service that runs it, whose programs complain on our standard error.
    pub(super) fn service(&self, command: Command, observer: Observer) -> Exec {
        let (sender, complaints) = mpsc::channel(limits::COMPLAINTS_LEN_MAX);
        tokio::spawn(write_down(complaints));
        let mut rules = ExecRules::default();
        rules.framing = self.framing.map_or(rules.framing, args::ProgramFraming::of_program);
        rules.allow_http = self.allow_http;
        Exec::new(command, rules, sender, observer)
    }
}

impl args::ProgramFraming {
    fn of_program(self) -> Framing {
        match self {
            Self::Lines => Framing::LineFeed,
            Self::Nul => Framing::Nul,
            Self::Length => Framing::Length,
            Self::Raw => Framing::Raw,
        }
    }
}

/// Writes to standard error what programs complain, each line with the client it was about. While
/// nobody reads it there, the programs wait, and nobody else does.
async fn write_down(mut complaints: mpsc::Receiver<Complaint>) {
    let mut stderr = tokio::io::stderr();
    while let Some(Complaint { peer, line }) = complaints.recv().await {
        let text = format!("{}: {}\n", peer.escaped(), escape::line(&line));
        // Nobody is left to be told that nobody is listening.
        let _ = stderr.write_all(text.as_bytes()).await;
        let _ = stderr.flush().await;
    }
}
