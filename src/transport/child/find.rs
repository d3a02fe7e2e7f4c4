//! Whether there is such a program, before anybody needs it.

use std::{
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
};

use super::{Command, StartError};

impl Command {
    /// Looks for the program as it will be looked for when it is run: on the `PATH` that it is
    /// given, or, if its name has a slash, from the folder it runs in. It blocks.
    ///
    /// # Errors
    ///
    /// When it is not there or cannot be run, or the folder is not there.
    pub fn check(&self) -> Result<(), StartError> {
        if let Some(dir) = &self.options.dir {
            let found = std::fs::read_dir(dir);
            found.map_err(|error| StartError::Dir {
                program: self.name(),
                dir: dir.display().to_string(),
                error,
            })?;
        }
        let mut why = io::Error::from(io::ErrorKind::NotFound);
        for path in self.places() {
            match is_program(&path) {
                Ok(()) => return Ok(()),
                // One that may not be run says more than all the folders without one.
                Err(error) if error.kind() != io::ErrorKind::NotFound => why = error,
                Err(_) => {}
            }
        }
        Err(self.failed(why))
    }

    /// Why it was not run.
    pub(super) fn failed(&self, error: io::Error) -> StartError {
        match error.kind() {
            io::ErrorKind::NotFound => StartError::NotFound(self.name()),
            _ => StartError::Io { program: self.name(), error },
        }
    }

    /// Where it may be.
    fn places(&self) -> Vec<PathBuf> {
        let dir = self.options.dir.as_deref().unwrap_or(Path::new(""));
        let program = Path::new(&self.program);
        if self.program.as_encoded_bytes().contains(&b'/') {
            return vec![dir.join(program)];
        }
        let given = self.options.env.iter().rev().find(|(name, _)| name == OsStr::new("PATH"));
        let path = given.map(|(_, value)| value.clone()).or_else(|| std::env::var_os("PATH"));
        let path = path.unwrap_or_default();
        std::env::split_paths(&path).map(|folder| dir.join(folder).join(program)).collect()
    }
}

fn is_program(path: &Path) -> io::Result<()> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    #[cfg(unix)]
    rustix::fs::access(path, rustix::fs::Access::EXEC_OK)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(program: &str, change: impl FnOnce(&mut Command)) -> Result<(), String> {
        let mut command = Command::new(program, Vec::new());
        change(&mut command);
        command.check().map_err(|error| error.to_string())
    }

    #[cfg(unix)]
    #[test]
    fn a_program_is_found_as_it_will_be_run() {
        assert_eq!(check("sh", |_| ()), Ok(()));
        assert_eq!(check("/bin/sh", |_| ()), Ok(()));
        assert_eq!(check("./sh", |command| command.options.dir = Some("/bin".into())), Ok(()));
        let path = ("PATH".into(), "/nowhere".into());
        let missing = check("sh", |command| command.options.env = vec![path]);
        assert_eq!(missing, Err("cannot run 'sh': there is no such program".into()));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_program_is_named() {
        let missing = check("./sh-that-is-not-there", |_| ());
        assert_eq!(
            missing,
            Err("cannot run './sh-that-is-not-there': there is no such program".into())
        );
        for path in ["/", "/etc/passwd"] {
            let refused = check(path, |_| ()).expect_err("it cannot be run");
            assert!(refused.starts_with(&format!("cannot run '{path}': ")), "{refused}");
        }
        let nowhere = check("sh", |command| command.options.dir = Some("/no/folder".into()));
        let nowhere = nowhere.expect_err("there is no such folder");
        assert!(nowhere.starts_with("cannot run 'sh' in '/no/folder': "), "{nowhere}");
    }
}
