//! The addresses on a command line, with a hint for who types one as two words.

use super::{
    failure::Failure,
    usage::{self, Usage, UsageError},
};
use crate::address::Address;

/// Parses the addresses to serve.
///
/// # Errors
///
/// When one of the words is no address; a host with a port as the next word gets its own hint.
pub(super) fn parse(words: &[String]) -> Result<Vec<Address>, Failure> {
    let parsed = words.iter().enumerate().map(|(at, word)| {
        Address::parse_serve(word).map_err(|error| {
            let port = words.get(at + 1).and_then(|next| usage::port(next));
            match port.filter(|_| usage::is_host(word)) {
                Some(port) => Failure::Usage(Usage {
                    error: UsageError::TwoWords { host: word.clone(), port },
                    command: "enchufe serve".into(),
                }),
                None => Failure::Address(error),
            }
        })
    });
    parsed.collect()
}
