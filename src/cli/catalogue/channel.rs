//! What `publish` and `follow` say, and in English what goes wrong with them.

use super::{Report, close};
use crate::{
    cli::{failure::ChannelFailure, follow::PositionsError},
    client::{AttemptError, FollowError, PublishError},
    core::{Gap, GapReason, Position},
    transport::{OpenError, ws::Refusal},
};

/// What `publish` and `follow` say, apart from failures.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ChannelPhrase<'a> {
    /// follow: messages may be missing.
    Gap { channel: &'a str, gap: &'a Gap },
    /// follow: a channel has ended.
    Ended { channel: &'a str, status: &'a str },
    /// follow: where to go on.
    ResumeAfter { channel: &'a str, position: Position },
    /// publish: why an attempt failed.
    Attempt { channel: &'a str, error: &'a AttemptError },
    /// publish: the log is another one; so many messages were acknowledged before, and so many of
    /// the last ones may have been in it, too.
    Reset { channel: &'a str, before: u64, doubled: u64 },
    /// publish: it is over before everything was published.
    Stopped { channel: &'a str, acknowledged: u64, in_doubt: u64 },
}

pub(super) fn english(phrase: ChannelPhrase<'_>) -> String {
    match phrase {
        ChannelPhrase::Gap { channel, gap: Gap { after, next, reason, missing } } => {
            let which = match missing {
                Some(1) => "1 message is missing".to_owned(),
                Some(count) => format!("{count} messages are missing"),
                None => "messages may be missing".to_owned(),
            };
            let why = match reason {
                GapReason::Slow => "they were not read in time",
                GapReason::Expired => "they are no longer kept",
                GapReason::Reset => "the log they were in is gone",
                GapReason::Lost => "a crash has lost them",
                GapReason::Corrupt => "the log is damaged",
                GapReason::Conflated => "only the newest was asked for",
                other => other.as_str(),
            };
            format!("'{channel}': {which} after {after} and before {next}: {why} ({reason})")
        }
        ChannelPhrase::Ended { channel, status } => format!("'{channel}' has ended ({status})"),
        ChannelPhrase::ResumeAfter { channel, position } => {
            format!("'{channel}' goes on with --since {position}")
        }
        ChannelPhrase::Attempt { channel, error } => cannot_publish(channel, error),
        ChannelPhrase::Reset { channel, before, doubled } => {
            let gone = match before {
                1 => "the message that was acknowledged before may be gone".to_owned(),
                _ => format!("the {before} messages that were acknowledged before may be gone"),
            };
            let twice = match doubled {
                0 => String::new(),
                1 => "; the last one may have been published before, too".to_owned(),
                _ => format!("; the last {doubled} may have been published before, too"),
            };
            format!("{channel} has another log now: {gone}{twice}")
        }
        ChannelPhrase::Stopped { channel, acknowledged, in_doubt } => {
            format!("{channel}: {}", account(acknowledged, in_doubt))
        }
    }
}

/// What became of the messages.
fn account(acknowledged: u64, in_doubt: u64) -> String {
    let were = match acknowledged {
        0 => "no message was acknowledged".to_owned(),
        1 => "1 message was acknowledged".to_owned(),
        count => format!("{count} messages were acknowledged"),
    };
    match in_doubt {
        0 => format!("{were}, and nothing after was published"),
        1 => format!("{were}, 1 more may have been published, and nothing after"),
        count => format!("{were}, {count} more may have been published, and nothing after"),
    }
}

fn cannot_publish(channel: &str, error: &AttemptError) -> String {
    match error {
        AttemptError::Open(error) => error.to_string(),
        AttemptError::Refused(refusal) => {
            format!("cannot publish to {channel}: the server answered {}", status(refusal))
        }
        error => format!("cannot publish to {channel}: {error}"),
    }
}

/// The status and its name.
pub(super) fn status(refusal: &Refusal) -> String {
    format!("{} {}", refusal.status, refusal.reason).trim_end().to_owned()
}

pub(super) fn report_in_english(failure: &ChannelFailure) -> Report {
    let (message, hint) = match failure {
        ChannelFailure::Address(error) => (error.to_string(), error.hint()),
        ChannelFailure::OtherServer { one, other } => (
            format!("{one} and {other} are two servers"),
            Some("follow the channels of each on its own".to_owned()),
        ),
        ChannelFailure::QueryToPublish => (
            "a URL to publish to says nothing about reading".to_owned(),
            Some("leave out what begins with the ?".to_owned()),
        ),
        ChannelFailure::NothingToPublish => (
            "there is nothing to publish, and standard input is a terminal".to_owned(),
            Some("give the message, pipe messages in, or type them with -".to_owned()),
        ),
        ChannelFailure::Positions(error) => {
            (error.to_string(), Some(positions(error, ENGLISH_POSITIONS)))
        }
        ChannelFailure::Follow { server, error } => follow(server, error),
        ChannelFailure::Publish { channel, error, acknowledged, in_doubt } => {
            let account = account(*acknowledged, *in_doubt);
            let why = cannot_publish(channel, &error.error);
            let tried = match error.gave_up_after {
                Some(time) => format!(", tried for {:.0} s", time.as_secs_f64()),
                None => String::new(),
            };
            (format!("{why}{tried}; {account}"), publish_hint(error))
        }
    };
    Report { message, hint }
}

const ENGLISH_POSITIONS: [&str; 2] = [
    "--position-file is where follow keeps where to go on; without the file it begins at --since",
    "its folder must be there, and yours to write to",
];

/// What to do about a file of positions: whether it is not one, or cannot be one.
pub(super) fn positions(error: &PositionsError, hints: [&str; 2]) -> String {
    let hint = match error {
        PositionsError::Read { .. } | PositionsError::Unusable { .. } => hints[0],
        PositionsError::Write { .. } => hints[1],
    };
    hint.to_owned()
}

fn follow(server: &str, error: &FollowError) -> (String, Option<String>) {
    match error {
        FollowError::Open(OpenError::Refusal { refusal, .. }) => (
            format!("cannot follow at {server}: the server answered {}", status(refusal)),
            Some(refusal_hint(refusal)),
        ),
        FollowError::Open(error @ OpenError::Handshake { .. }) => {
            (error.to_string(), Some("is it an enchufe, and the path right?".to_owned()))
        }
        FollowError::Open(error) => (error.to_string(), error.hint()),
        FollowError::Closed(reason) => (close::in_english(reason).0, None),
        FollowError::Left => (format!("{server} closed the connection"), None),
        FollowError::Refused { code, message, .. } => {
            let hint = match code.as_str() {
                "unknown_channel" => Some(format!("{server}/channels lists the channels")),
                _ => None,
            };
            (format!("{server} refuses: {message} ({code})"), hint)
        }
        FollowError::Nonsense { why } => (
            format!("what {server} says cannot be: {why}"),
            Some("is it an enchufe, and no older than this one?".to_owned()),
        ),
        FollowError::Recv(error) if super::is_too_long(error) => {
            (error.to_string(), Some("--max-message SIZE takes longer ones".to_owned()))
        }
        error => (error.to_string(), None),
    }
}

fn publish_hint(error: &PublishError) -> Option<String> {
    match &error.error {
        AttemptError::Open(error) => error.hint(),
        AttemptError::Refused(refusal) => Some(refusal_hint(refusal)),
        AttemptError::Request(_) => Some("look at --header and --token-file".to_owned()),
        AttemptError::NotHttp | AttemptError::Nonsense(_) => {
            Some("is it an enchufe, and the path right?".to_owned())
        }
        AttemptError::Lost | AttemptError::Late(_) => {
            Some("--timeout TIME tries for longer".to_owned())
        }
    }
}

fn refusal_hint(refusal: &Refusal) -> String {
    match (refusal.status, &refusal.location, refusal.retry_after) {
        (300..=399, Some(location), _) => format!("it sends you to {location}"),
        (401, ..) => "--token-file FILE shows the token in FILE".to_owned(),
        (403, ..) => "does it want a token? --token-file FILE shows the one in FILE".to_owned(),
        (429 | 500..=599, _, Some(after)) => {
            format!("it asks to be left alone for {} s", after.as_secs())
        }
        (404, ..) => "/channels of the same server lists the channels".to_owned(),
        (410, ..) => "the channel has ended and takes no more".to_owned(),
        (413, ..) => "publish shorter messages".to_owned(),
        _ => "is it an enchufe, and the path right?".to_owned(),
    }
}
