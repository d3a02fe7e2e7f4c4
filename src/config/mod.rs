//! What a server is configured with: from flags, the environment, a file and defaults.
//!
//! All four say a value in the same words and under the same name; a flag counts more than the
//! environment, that more than a file, and a file more than the default. What is wrong is said all
//! at once, each thing with its place, and then nothing of it holds.

mod channel;
mod document;
mod key;
mod listen;
mod problem;
mod settings;
mod source;
pub(crate) mod values;

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
    time::Duration,
};

use toml::de::DeTable;

pub use channel::Channel;
use document::{Table, Text};
pub use key::{Key, Section, shown_bytes, shown_time};
pub use listen::{Certificate, Listen};
pub use problem::{Cause, Place, Problem};
use settings::Settings;
pub use settings::{Given, Layers, Origin, Setting};
pub use values::Expected;

use crate::{core::ChannelName, limits};

/// What a server is configured with.
#[derive(Debug, Clone)]
pub struct Config {
    /// What is logged.
    pub log: String,
    /// The channel that `/` stands for.
    pub default_channel: Option<ChannelName>,
    /// One's own page.
    pub page: Option<PathBuf>,
    /// Where it listens.
    pub listen: Vec<Listen>,
    /// The file with the token for publishing.
    pub publish_token_file: Option<PathBuf>,
    /// The file with the token for reading.
    pub read_token_file: Option<PathBuf>,
    /// Its bounds.
    pub limits: Limits,
    /// Its channels, and the rules for those that are made on first use, in the order of the file.
    pub channels: Vec<Channel>,
    /// Each value as it was said, and by whom.
    pub settings: Vec<Setting>,
}

/// The bounds of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Viewers at the same time.
    pub viewers_max: usize,
    /// HTTP connections of one listener at the same time, viewers aside.
    pub connections_max: usize,
    /// Connections of one address at the same time, viewers included. None: as many as
    /// [`limits::CONNECTIONS_PER_ADDRESS_MAX`], and without a bound from this machine.
    pub connections_per_address_max: Option<usize>,
    /// Channels at the same time.
    pub channels_max: usize,
    /// How long the head of a request may take.
    pub head_timeout: Duration,
    /// How long the body of a publish may take.
    pub body_timeout: Duration,
    /// How long a client may take nothing of its answer.
    pub dead_after: Duration,
}

impl Config {
    /// Reads a file, if there is one, beside flags and the environment. It blocks.
    ///
    /// # Errors
    ///
    /// All that is wrong.
    pub fn load(file: Option<&Path>, layers: &Layers) -> Result<Self, Vec<Problem>> {
        let Some(path) = file else {
            return Self::parse("", "", Path::new(""), layers);
        };
        let shown = path.display().to_string();
        let text = read(path).map_err(|cause| vec![Problem { place: None, cause: *cause }])?;
        // What a file names is looked for beside it, wherever the server was started.
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::parse(&text, &shown, folder, layers)
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    ///
    /// All that is wrong.
    pub fn parse(
        text: &str,
        path: &str,
        folder: &Path,
        layers: &Layers,
    ) -> Result<Self, Vec<Problem>> {
        let text = Text { path, text };
        let (document, errors) = DeTable::parse_recoverable(text.text);
        if !errors.is_empty() {
            // One that begins where another does says no more.
            let mut problems: Vec<Problem> = Vec::new();
            for error in errors {
                let place = text.place(error.span().unwrap_or_default());
                if problems.iter().all(|problem| problem.place.as_ref() != Some(&place)) {
                    let cause = Cause::Syntax(error.message().to_owned());
                    problems.push(Problem { place: Some(place), cause });
                }
            }
            return Err(problems);
        }
        let root = Table::new(text, Section::Root, 0..0, document.get_ref());
        let mut settings = Settings::new(layers, folder);
        let config = read_root(root, &mut settings);
        let Settings { problems, shown, .. } = settings;
        match config {
            Some(config) if problems.is_empty() => Ok(Self { settings: shown, ..config }),
            _ => Err(problems),
        }
    }
}

/// The text of a file of bounded length.
fn read(path: &Path) -> Result<String, Box<Cause>> {
    let shown = || path.display().to_string();
    let unreadable = |error| Box::new(Cause::Unreadable { path: shown(), error });
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(limits::CONFIG_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > limits::CONFIG_BYTES_MAX {
        return Err(Box::new(Cause::TooLong { path: shown() }));
    }
    String::from_utf8(bytes).map_err(|_| {
        let error = std::io::Error::new(std::io::ErrorKind::InvalidData, "it is not UTF-8");
        Box::new(Cause::Unreadable { path: shown(), error })
    })
}

fn read_root(mut root: Table<'_>, settings: &mut Settings<'_>) -> Option<Config> {
    let problems = &mut settings.problems;
    let listeners = root.take_tables("listen", Section::Listen, problems);
    let auth = root.take_table("auth", Section::Auth, problems);
    let bounds = root.take_table("limits", Section::Limits, problems);
    let channels = root.take_table("channels", Section::Channel, problems);

    let log = settings.pick(&mut root, Key::Log, |text| {
        let is_filter = text.parse::<tracing_subscriber::filter::Targets>().is_ok();
        is_filter.then(|| text.to_owned()).ok_or(Expected::Filter)
    });
    let default_channel = settings.pick(&mut root, Key::DefaultChannel, |text| {
        text.parse::<ChannelName>().map_err(Expected::Channel)
    });
    let page = settings.pick_path(&mut root, Key::Page);
    root.finish(&mut settings.problems);

    let listen = listen::read(listeners, settings);
    let (publish_token_file, read_token_file) = settings.section(auth, |table, settings| {
        let publish = settings.pick_path(table, Key::PublishTokenFile);
        (publish, settings.pick_path(table, Key::ReadTokenFile))
    });
    let limits = settings.section(bounds, read_limits);
    let channels = channels.map(|table| channel::read(table, settings)).unwrap_or_default();
    Some(Config {
        log: log.unwrap_or_else(|| "warn".to_owned()),
        default_channel,
        page,
        listen: listen?,
        publish_token_file,
        read_token_file,
        limits,
        channels,
        settings: Vec::new(),
    })
}

fn read_limits(table: &mut Table<'_>, settings: &mut Settings<'_>) -> Limits {
    let mut amount = |key, default| settings.pick(table, key, values::amount).unwrap_or(default);
    let viewers_max = amount(Key::ViewersMax, limits::VIEWERS_MAX);
    let connections_max = amount(Key::ConnectionsMax, limits::HTTP_CONNECTIONS_MAX);
    let channels_max = amount(Key::ChannelsMax, limits::CHANNELS_MAX);
    let connections_per_address_max =
        settings.pick(table, Key::ConnectionsPerAddressMax, values::amount);
    let mut time = |key, default| settings.pick(table, key, values::some_time).unwrap_or(default);
    Limits {
        viewers_max,
        connections_max,
        connections_per_address_max,
        channels_max,
        head_timeout: time(Key::HeadTimeout, limits::HANDSHAKE_TIMEOUT),
        body_timeout: time(Key::BodyTimeout, limits::BODY_TIMEOUT),
        dead_after: time(Key::DeadAfter, limits::DEAD_AFTER),
    }
}

#[cfg(test)]
mod tests;
