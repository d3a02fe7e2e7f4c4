//! Every key of a configuration: its section, its name, its default.
//!
//! The name is the same in a file (`viewers_max`), as a flag (`--viewers-max`) and in the
//! environment (`ENCHUFE_VIEWERS_MAX`). What a key means is said by the catalogue, in every
//! language.

use crate::limits;

/// A part of a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// What stands before every table.
    Root,
    /// `[[listen]]`: one for each address that is listened on.
    Listen,
    /// `[auth]`.
    Auth,
    /// `[limits]`.
    Limits,
    /// `[channels."NAME"]`.
    Channel,
    /// `source` of a channel.
    Source,
}

impl Section {
    /// All of them, in the order in which a file has them.
    pub const ALL: [Self; 6] =
        [Self::Root, Self::Listen, Self::Auth, Self::Limits, Self::Channel, Self::Source];

    /// How a file names it.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Root => "",
            Self::Listen => "[[listen]]",
            Self::Auth => "[auth]",
            Self::Limits => "[limits]",
            Self::Channel => "[channels.\"NAME\"]",
            Self::Source => "source",
        }
    }

    /// Its keys, in the order in which a file has them.
    pub fn keys(self) -> impl Iterator<Item = Key> {
        Key::ALL.into_iter().filter(move |key| key.section() == self)
    }
}

/// A key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the catalogue says what each means, in every language")]
pub enum Key {
    Log,
    DefaultChannel,
    Page,

    Address,
    TlsCert,
    TlsKey,
    TlsDev,
    AllowOrigin,
    HostName,

    PublishTokenFile,
    ReadTokenFile,

    ViewersMax,
    ConnectionsMax,
    ConnectionsPerAddressMax,
    ChannelsMax,
    HeadTimeout,
    BodyTimeout,
    DeadAfter,

    History,
    HistoryBytes,
    HistoryAge,
    Slow,
    SlowAllowed,
    FlushWindow,
    Publish,
    Patience,
    IdleExpiry,
    Generated,
    Source,

    From,
    Interval,
    Range,
    Pty,
    Restart,
    Framing,
    Check,
}

impl Key {
    /// All of them, in the order in which a file has them.
    pub const ALL: [Self; 36] = [
        Self::Log,
        Self::DefaultChannel,
        Self::Page,
        Self::Address,
        Self::TlsCert,
        Self::TlsKey,
        Self::TlsDev,
        Self::AllowOrigin,
        Self::HostName,
        Self::PublishTokenFile,
        Self::ReadTokenFile,
        Self::ViewersMax,
        Self::ConnectionsMax,
        Self::ConnectionsPerAddressMax,
        Self::ChannelsMax,
        Self::HeadTimeout,
        Self::BodyTimeout,
        Self::DeadAfter,
        Self::History,
        Self::HistoryBytes,
        Self::HistoryAge,
        Self::Slow,
        Self::SlowAllowed,
        Self::FlushWindow,
        Self::Publish,
        Self::Patience,
        Self::IdleExpiry,
        Self::Generated,
        Self::Source,
        Self::From,
        Self::Interval,
        Self::Range,
        Self::Pty,
        Self::Restart,
        Self::Framing,
        Self::Check,
    ];

    /// Where it stands.
    pub fn section(self) -> Section {
        match self {
            key if key < Self::Address => Section::Root,
            key if key < Self::PublishTokenFile => Section::Listen,
            key if key < Self::ViewersMax => Section::Auth,
            key if key < Self::History => Section::Limits,
            key if key < Self::From => Section::Channel,
            _ => Section::Source,
        }
    }

    /// What it is called in a file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::DefaultChannel => "default_channel",
            Self::Page => "page",
            Self::Address => "address",
            Self::TlsCert => "tls_cert",
            Self::TlsKey => "tls_key",
            Self::TlsDev => "tls_dev",
            Self::AllowOrigin => "allow_origin",
            Self::HostName => "host_name",
            Self::PublishTokenFile => "publish_token_file",
            Self::ReadTokenFile => "read_token_file",
            Self::ViewersMax => "viewers_max",
            Self::ConnectionsMax => "connections_max",
            Self::ConnectionsPerAddressMax => "connections_per_address_max",
            Self::ChannelsMax => "channels_max",
            Self::HeadTimeout => "head_timeout",
            Self::BodyTimeout => "body_timeout",
            Self::DeadAfter => "dead_after",
            Self::History => "history",
            Self::HistoryBytes => "history_bytes",
            Self::HistoryAge => "history_age",
            Self::Slow => "slow",
            Self::SlowAllowed => "slow_allowed",
            Self::FlushWindow => "flush_window",
            Self::Publish => "publish",
            Self::Patience => "patience",
            Self::IdleExpiry => "idle_expiry",
            Self::Generated => "generated",
            Self::Source => "source",
            Self::From => "from",
            Self::Interval => "interval",
            Self::Range => "range",
            Self::Pty => "pty",
            Self::Restart => "restart",
            Self::Framing => "framing",
            Self::Check => "check",
        }
    }

    /// What its flag is called, without the dashes before it, if there is one: what is said of each
    /// channel has none, and what is said of a listener is then said of all.
    pub fn flag(self) -> Option<&'static str> {
        Some(match self {
            Self::Log => "log",
            Self::DefaultChannel => "default-channel",
            Self::Page => "page",
            Self::Address => "listen",
            Self::TlsCert => "tls-cert",
            Self::TlsKey => "tls-key",
            Self::TlsDev => "tls-dev",
            Self::AllowOrigin => "allow-origin",
            Self::HostName => "host-name",
            Self::PublishTokenFile => "publish-token-file",
            Self::ReadTokenFile => "read-token-file",
            Self::ViewersMax => "viewers-max",
            Self::ConnectionsMax => "connections-max",
            Self::ConnectionsPerAddressMax => "connections-per-address-max",
            Self::ChannelsMax => "channels-max",
            Self::HeadTimeout => "head-timeout",
            Self::BodyTimeout => "body-timeout",
            Self::DeadAfter => "dead-after",
            _ => return None,
        })
    }

    /// What its variable in the environment is called, if it has a flag.
    pub fn variable(self) -> Option<String> {
        let flag = self.flag()?;
        Some(format!("ENCHUFE_{}", flag.replace('-', "_").to_uppercase()))
    }

    /// Whether it takes several values.
    pub fn is_list(self) -> bool {
        matches!(self, Self::Address | Self::AllowOrigin | Self::HostName | Self::SlowAllowed)
    }

    /// What holds where nobody says otherwise, as a file would say it; nothing where that is that
    /// there is none.
    pub fn default(self) -> Option<String> {
        let time = |time: std::time::Duration| format!("\"{}\"", shown_time(time));
        Some(match self {
            Self::Log => "\"warn\"".into(),
            Self::Address => "\"http://127.0.0.1:5678\"".into(),
            Self::TlsDev | Self::Generated | Self::Pty => "false".into(),
            Self::AllowOrigin | Self::HostName => "[]".into(),
            Self::ViewersMax => limits::VIEWERS_MAX.to_string(),
            Self::ConnectionsMax => limits::HTTP_CONNECTIONS_MAX.to_string(),
            Self::ChannelsMax => limits::CHANNELS_MAX.to_string(),
            Self::HeadTimeout => time(limits::HANDSHAKE_TIMEOUT),
            Self::BodyTimeout => time(limits::BODY_TIMEOUT),
            Self::DeadAfter => time(limits::DEAD_AFTER),
            Self::History => limits::HISTORY_LEN_MAX.to_string(),
            Self::HistoryBytes => format!("\"{}\"", shown_bytes(limits::HISTORY_BYTES_MAX)),
            Self::Slow => "\"skip\"".into(),
            Self::SlowAllowed => "[\"skip\", \"latest\", \"cut\"]".into(),
            Self::FlushWindow | Self::Patience => "\"0s\"".into(),
            Self::Publish => "\"authorised\"".into(),
            Self::IdleExpiry => time(limits::CHANNEL_IDLE_EXPIRY),
            Self::Restart => "\"never\"".into(),
            Self::Framing => "\"lines\"".into(),
            Self::Check => "\"none\"".into(),
            Self::DefaultChannel
            | Self::Page
            | Self::TlsCert
            | Self::TlsKey
            | Self::PublishTokenFile
            | Self::ReadTokenFile
            | Self::ConnectionsPerAddressMax
            | Self::HistoryAge
            | Self::Source
            | Self::From
            | Self::Interval
            | Self::Range => return None,
        })
    }

    /// A value for who looks at what could stand there, as a file would say it.
    pub fn example(self) -> &'static str {
        match self {
            Self::DefaultChannel => "\"time\"",
            Self::Page => "\"page\"",
            Self::TlsCert => "\"certificate.pem\"",
            Self::TlsKey => "\"key.pem\"",
            Self::PublishTokenFile => "\"publish.token\"",
            Self::ReadTokenFile => "\"read.token\"",
            Self::ConnectionsPerAddressMax => "1000",
            Self::HistoryAge => "\"1h\"",
            Self::Source => "{ from = \"clock\" }",
            Self::From => "\"clock\"",
            Self::Interval => "\"0..3s\"",
            Self::Range => "\"0..9\"",
            _ => "",
        }
    }
}

/// A time as a configuration says it: in the largest unit that needs no fraction.
pub fn shown_time(time: std::time::Duration) -> String {
    let millis = time.as_millis();
    match millis {
        0 => "0s".to_owned(),
        millis if millis % 3_600_000 == 0 => format!("{}h", millis / 3_600_000),
        millis if millis % 60_000 == 0 => format!("{}m", millis / 60_000),
        millis if millis % 1_000 == 0 => format!("{}s", millis / 1_000),
        millis => format!("{millis}ms"),
    }
}

/// A number of bytes as a configuration says it: in the largest unit that needs no fraction.
pub fn shown_bytes(bytes: usize) -> String {
    for (shift, unit) in [(30, "GiB"), (20, "MiB"), (10, "KiB")] {
        if bytes > 0 && bytes.is_multiple_of(1 << shift) {
            return format!("{}{unit}", bytes >> shift);
        }
    }
    bytes.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_and_a_variable_have_the_name_of_their_key() {
        for key in Key::ALL {
            let is_global = !matches!(key.section(), Section::Channel | Section::Source);
            assert_eq!(key.flag().is_some(), is_global, "{}", key.name());
            if let Some(flag) = key.flag().filter(|_| key != Key::Address) {
                assert_eq!(flag.replace('-', "_"), key.name());
            }
        }
        assert_eq!(Key::ViewersMax.variable().as_deref(), Some("ENCHUFE_VIEWERS_MAX"));
        assert_eq!(Key::Address.variable().as_deref(), Some("ENCHUFE_LISTEN"));
        assert_eq!(Key::History.variable(), None);
    }

    #[test]
    fn each_key_stands_in_a_section_and_has_a_default_or_an_example() {
        let of_sections: Vec<Key> = Section::ALL.into_iter().flat_map(Section::keys).collect();
        assert_eq!(of_sections, Key::ALL);
        for key in Key::ALL {
            assert_eq!(key.default().is_some(), key.example().is_empty(), "{}", key.name());
        }
    }

    #[test]
    fn times_and_bytes_are_said_in_the_unit_that_fits() {
        use std::time::Duration;
        let times = [0, 250, 10_000, 90_000, 120_000, 7_200_000];
        let shown = times.map(|millis| shown_time(Duration::from_millis(millis)));
        assert_eq!(shown, ["0s", "250ms", "10s", "90s", "2m", "2h"]);
        assert_eq!([1000, 2048, 64 << 20].map(shown_bytes), ["1000", "2KiB", "64MiB"]);
    }
}
