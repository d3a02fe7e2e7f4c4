//! `enchufe resolve`: every answer of getaddrinfo(3), in its order.

use super::{
    args,
    exit_code::Exit,
    failure::Failure,
    output::{self, OutputError},
};
use crate::resolve::{self, Answer, Family, Hints, Protocol};

/// Asks, and prints one tuple a line, or a JSON array.
pub(super) fn run(args: &args::Resolve) -> Result<Exit, Failure> {
    let hints = Hints {
        family: args.family.map(|family| match family {
            args::Family::V4 => Family::V4,
            args::Family::V6 => Family::V6,
        }),
        protocol: args.proto.map(|protocol| match protocol {
            args::Protocol::Tcp => Protocol::TCP,
            args::Protocol::Udp => Protocol::UDP,
        }),
        canonical_name: true,
        ..Hints::default()
    };
    let answers = resolve::resolve(Some(&args.host), args.service.as_deref(), hints);
    let answers = answers.map_err(Failure::Resolve)?;
    let printed = if args.json { json(&answers) } else { tuples(&answers) };
    printed.map(|()| Exit::Success).or_else(OutputError::into_result)
}

fn tuples(answers: &[Answer]) -> Result<(), OutputError> {
    answers.iter().try_for_each(|answer| output::line(&answer.to_string()))
}

fn json(answers: &[Answer]) -> Result<(), OutputError> {
    let text = serde_json::to_string_pretty(answers).expect("names and numbers are JSON");
    output::line(&text)
}
