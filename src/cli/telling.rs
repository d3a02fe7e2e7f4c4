//! What happens on a server, in the words of the tutorial.
//!
//! On standard output stands what the tutorial's servers print, on standard error the rest.

use super::{
    args::ServiceName,
    catalogue::{Phrase, ServicePhrase},
    escape,
    language::Language,
    output::{self, Lines},
};
use crate::service::{Event, Observer, ServiceError};

/// Tells what happens on a server of this service; without `lines`, warnings only.
pub(super) fn observer(service: ServiceName, lines: Option<Lines>, language: Language) -> Observer {
    let print = move |line: String| {
        if let Some(lines) = &lines {
            lines.print(line);
        }
    };
    Observer::new(move |event| match (service, event) {
        (ServiceName::Echo | ServiceName::Discard | ServiceName::Exec, Event::Connected(peer)) => {
            print(language.say(Phrase::ConnectedBy(&peer.escaped())));
        }
        (ServiceName::Greet, Event::Received { message, .. }) => {
            print(format!("< {}", escape::line(&message.payload)));
        }
        (ServiceName::Greet, Event::Sent { message, .. }) => {
            print(format!("> {}", escape::line(&message.payload)));
        }
        (ServiceName::Random, Event::Sent { message, .. }) => {
            print(escape::line(&message.payload));
        }
        (_, Event::Refused { peer, connections_max }) => {
            let (peer, connections_max) = (&peer.escaped(), *connections_max);
            output::warn(language, Phrase::TurnedAway { peer, connections_max });
        }
        (_, Event::Ended { peer, status }) if !status.is_success() => {
            let peer = &peer.escaped();
            output::warn(language, Phrase::Service(ServicePhrase::Ended { peer, status }));
        }
        (
            ServiceName::Exec | ServiceName::Broadcast,
            Event::Closed { peer, error: Some(ServiceError::Failed(error)) },
        ) => {
            let (peer, error) = (&peer.escaped(), &error.to_string());
            output::warn(language, Phrase::Service(ServicePhrase::Failed { peer, error }));
        }
        (_, Event::Dropped(clients)) => output::warn(language, Phrase::Dropped(*clients)),
        (_, Event::Closed { peer, error: Some(error) }) => {
            tracing::info!(peer = %peer.escaped(), %error, "a client was not served to its end");
        }
        _ => {}
    })
}
