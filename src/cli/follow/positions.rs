//! The file that has a follower's positions, so that the next one goes on where it stopped.
//!
//! It is one JSON object, `{"CHANNEL":"POSITION"}`, replaced as a whole by renaming another one to
//! it: whenever the follower is killed, one or the other is there. What is in it was printed before.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use enchufe_core::{ChannelName, Position, position::ParsePositionError};
use tokio::time::Instant;

use crate::limits;

/// The positions of a follower, and the file that has them.
#[derive(Debug)]
pub(crate) struct Positions {
    path: PathBuf,
    known: BTreeMap<String, Position>,
    /// When the file was written last.
    saved: Option<Instant>,
    is_changed: bool,
}

/// Why a file of positions cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PositionsError {
    /// It cannot be read.
    #[error("cannot read the positions in '{path}': {error}")]
    Read { path: String, error: io::Error },
    /// What is in it is something else.
    #[error("'{path}' has no positions: {why}")]
    Unusable { path: String, why: String },
    /// It cannot be written.
    #[error("cannot keep the positions in '{path}': {error}")]
    Write { path: String, error: io::Error },
}

impl Positions {
    /// Reads the file; one that is not there has no positions.
    pub(crate) fn read(path: &Path) -> Result<Self, PositionsError> {
        let shown = || path.display().to_string();
        let unusable = |why: String| PositionsError::Unusable { path: shown(), why };
        let mut text = String::new();
        match File::open(path) {
            Ok(file) => {
                // What is longer is not read as if it ended there.
                let read = file.take(limits::POSITION_FILE_BYTES_MAX + 1).read_to_string(&mut text);
                read.map_err(|error| PositionsError::Read { path: shown(), error })?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => text.push_str("{}"),
            Err(error) => return Err(PositionsError::Read { path: shown(), error }),
        }
        if text.len() as u64 > limits::POSITION_FILE_BYTES_MAX {
            let max = limits::POSITION_FILE_BYTES_MAX;
            return Err(unusable(format!("it has more than {max} bytes")));
        }
        let entries: BTreeMap<String, String> =
            serde_json::from_str(&text).map_err(|error| unusable(error.to_string()))?;
        let mut known = BTreeMap::new();
        for (channel, position) in entries {
            let position: Result<Position, ParsePositionError> = position.parse();
            known.insert(channel, position.map_err(|error| unusable(error.to_string()))?);
        }
        Ok(Self { path: path.to_owned(), known, saved: None, is_changed: false })
    }

    /// Where to go on with a channel.
    pub(crate) fn position(&self, channel: &ChannelName) -> Option<Position> {
        self.known.get(channel.as_str()).copied()
    }

    /// Takes what everything was printed through.
    pub(crate) fn note<'a>(
        &mut self,
        positions: impl Iterator<Item = (&'a ChannelName, Position)>,
    ) {
        for (channel, position) in positions {
            match self.known.get_mut(channel.as_str()) {
                Some(known) if *known == position => continue,
                Some(known) => *known = position,
                None => drop(self.known.insert(channel.as_str().to_owned(), position)),
            }
            self.is_changed = true;
        }
    }

    /// When the file is to be written, if it is.
    pub(crate) fn due(&self) -> Option<Instant> {
        let due = self.saved.map_or_else(Instant::now, |at| at + limits::POSITION_FILE_INTERVAL);
        self.is_changed.then_some(due)
    }

    /// Writes what has changed.
    pub(crate) fn save(&mut self) -> Result<(), PositionsError> {
        if !self.is_changed {
            return Ok(());
        }
        self.write().map_err(|error| {
            let path = self.path.display().to_string();
            PositionsError::Write { path, error }
        })?;
        (self.saved, self.is_changed) = (Some(Instant::now()), false);
        Ok(())
    }

    fn write(&self) -> io::Result<()> {
        let entries: BTreeMap<&str, String> =
            self.known.iter().map(|(name, at)| (name.as_str(), at.to_string())).collect();
        let mut name = self.path.clone().into_os_string();
        name.push(".new");
        let mut file = File::create(&name)?;
        file.write_all(&serde_json::to_vec(&entries)?)?;
        file.write_all(b"\n")?;
        // Else the name could outlive a machine that loses its power, and the contents not.
        file.sync_data()?;
        fs::rename(&name, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use enchufe_core::Epoch;

    use super::*;

    #[tokio::test]
    async fn what_was_kept_is_there_again_with_what_other_followers_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("positions");
        fs::write(&path, r#"{"other":"a-1"}"#).expect("written");
        let mut positions = Positions::read(&path).expect("usable");
        assert_eq!(positions.due(), None);
        let news: ChannelName = "news".parse().expect("a name");
        let at = Position::new(Epoch(0xb), 2);
        positions.note([(&news, at)].into_iter());
        assert!(positions.due().is_some());
        positions.save().expect("written");
        assert_eq!(positions.due(), None);
        let text = fs::read_to_string(&path).expect("there");
        assert_eq!(text, "{\"news\":\"b-2\",\"other\":\"a-1\"}\n");
        assert_eq!(Positions::read(&path).expect("usable").position(&news), Some(at));
        positions.note([(&news, at)].into_iter());
        assert_eq!(positions.due(), None, "nothing has changed");
        let files = fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(files, 1, "nothing else is left behind");
    }

    #[test]
    fn a_file_of_something_else_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("positions");
        let long = format!("{{\"a\":\"{}\"}}", "b".repeat(1 << 17));
        for text in ["", "[]", "a-1\n", r#"{"a":7}"#, r#"{"a":"7"}"#, &long] {
            fs::write(&path, text).expect("written");
            let error = Positions::read(&path).expect_err(text);
            assert!(matches!(error, PositionsError::Unusable { .. }), "{error}");
            assert_eq!(fs::read_to_string(&path).expect("there"), text);
        }
        assert!(Positions::read(folder.path()).is_err(), "a folder is no file");
    }
}
