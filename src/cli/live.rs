//! What `feed` and `demo` have in common: addresses as a user would type them.

use super::{
    catalogue::{LivePhrase, Phrase},
    escape,
    language::Language,
    output,
};
use crate::{
    address::{Host, HostPort, HttpAddress},
    http::Listener,
};

/// How this program was called, for commands that can be copied.
pub(super) fn program() -> String {
    let called = std::env::args().next().filter(|name| !name.is_empty());
    called.unwrap_or_else(|| "enchufe".to_owned())
}

/// Where a browser on this machine reaches the listener.
pub(super) fn authority(endpoint: &HostPort) -> String {
    let host = match &endpoint.host {
        host if host.is_every_interface() => Host::V4(std::net::Ipv4Addr::LOCALHOST),
        host => host.clone(),
    };
    HostPort { host, port: endpoint.port }.to_string()
}

/// Says something on standard error.
pub(super) fn say(language: Language, phrase: LivePhrase<'_>) {
    output::notice(&escape::line(language.say(Phrase::Live(phrase)).as_bytes()));
}

/// Says a label and what it stands for, in two columns.
pub(super) fn entry(language: Language, label: LivePhrase<'_>, value: &str) {
    let label = language.say(Phrase::Live(label));
    output::notice(&format!("  {label:<10} {}", escape::line(value.as_bytes())));
}

/// Says what the user should know about a listener.
pub(super) fn warn_of(language: Language, listener: &Listener, has_token: bool) {
    for warning in listener.warnings() {
        output::warn(language, Phrase::Bind(warning));
    }
    if !listener.is_loopback()
        && !has_token
        && let Some(endpoint) = listener.local_addresses().next()
    {
        let is_secure = listener.is_secure();
        let address = HttpAddress { endpoint, is_secure }.to_string();
        output::warn(language, Phrase::Live(LivePhrase::ReadOnlyFromElsewhere(&address)));
    }
}
