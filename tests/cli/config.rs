//! `enchufe config`: checking, showing, and a file to begin with.

use std::path::PathBuf;

use crate::harness::{Ended, enchufe, run, run_command};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).expect("written");
        path
    }

    /// Runs in the folder, so that messages name the file alone.
    fn config(&self, arguments: &[&str]) -> Ended {
        let mut command = enchufe(&[&["config"], arguments].concat());
        command.current_dir(self.0.path());
        run_command(command, b"")
    }
}

#[test]
fn a_mistake_is_said_with_its_line_what_is_meant_and_what_to_do() {
    let folder = Folder::new();
    folder.write("enchufe.toml", "[channels.\"chat/*\"]\nhistroy = 100\nhistory_age = \"soon\"\n");
    let ended = folder.config(&["check"]);
    assert_eq!((ended.code, ended.text()), (Some(2), ""));
    assert_eq!(
        ended.stderr,
        "error: enchufe.toml:3: 'soon' is not a value of history_age\n  \
           3 | history_age = \"soon\"\n    \
             |               ^^^^^^\n\
         hint: expected a time above 0, such as 500ms, 30s, 5m or 1h\n\
         error: enchufe.toml:2: there is no key 'histroy' in [channels.\"NAME\"]\n  \
           2 | histroy = 100\n    \
             | ^^^^^^^\n\
         hint: did you mean 'history'?\n"
    );
    let ended = folder.config(&["check", "--lang", "es"]);
    assert_eq!(
        ended.stderr,
        "error: enchufe.toml:3: 'soon' no es un valor de history_age\n  \
           3 | history_age = \"soon\"\n    \
             |               ^^^^^^\n\
         sugerencia: se espera un tiempo mayor que 0, por ejemplo 500ms, 30s, 5m o 1h\n\
         error: enchufe.toml:2: no existe la clave 'histroy' en [channels.\"NAME\"]\n  \
           2 | histroy = 100\n    \
             | ^^^^^^^\n\
         sugerencia: ¿quisiste decir 'history'?\n"
    );
}

#[test]
fn what_is_sound_is_said_and_ends_well() {
    let folder = Folder::new();
    folder.write("enchufe.toml", "[channels.a]\nsource = \"clock\"\n[channels.\"b/*\"]\n");
    let ended = folder.config(&["check"]);
    assert_eq!((ended.code, ended.text()), (Some(0), ""));
    assert_eq!(ended.stderr, "enchufe.toml is sound: 1 listeners, 2 channels and rules\n");
}

#[test]
fn files_that_are_named_are_tried_too_all_of_them() {
    let folder = Folder::new();
    folder.write("short", "x\n");
    let file = folder.write(
        "enchufe.toml",
        "page = \"none\"\n[auth]\npublish_token_file = \"short\"\nread_token_file = \"gone\"\n",
    );
    let ended = run(&["config", "check", file.to_str().expect("text")], b"");
    assert_eq!(ended.code, Some(2));
    for said in
        ["short' has no usable token", "cannot read the token file", "cannot serve the page"]
    {
        assert!(ended.stderr.contains(said), "{said} in {}", ended.stderr);
    }
}

#[test]
fn a_flag_that_is_wrong_is_named_as_a_flag() {
    let folder = Folder::new();
    folder.write("enchufe.toml", "");
    let ended = folder.config(&["check", "--viewers-max", "0"]);
    assert_eq!(ended.code, Some(2));
    assert_eq!(
        ended.stderr,
        "error: '0' is not a value of --viewers-max\nhint: expected a whole number above 0\n"
    );
}

#[test]
fn what_holds_is_shown_with_who_says_so() {
    let folder = Folder::new();
    folder.write("enchufe.toml", "[limits]\nviewers_max = 1\nchannels_max = 5\n");
    let mut command = enchufe(&["config", "show", "--viewers-max", "3"]);
    command.current_dir(folder.0.path());
    command.env("ENCHUFE_VIEWERS_MAX", "2").env("ENCHUFE_HEAD_TIMEOUT", "3s");
    let ended = run_command(command, b"");
    let shown = ended.success();
    for line in [
        "log = \"warn\"  # default",
        "address = \"http://127.0.0.1:5678\"  # default",
        "viewers_max = 3  # --viewers-max",
        "channels_max = 5  # enchufe.toml:3",
        "head_timeout = \"3s\"  # ENCHUFE_HEAD_TIMEOUT",
        "# read_token_file = (none)  # default",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line} in\n{shown}");
    }
    // What is shown is a configuration.
    folder.write("shown.toml", shown);
    assert_eq!(folder.config(&["check", "shown.toml"]).code, Some(0));
}

#[test]
fn the_flag_of_the_log_counts_more_than_the_file_and_its_default_does_not() {
    let folder = Folder::new();
    folder.write("enchufe.toml", "log = \"info\"\n");
    let shown = |arguments: &[&str]| {
        let ended = folder.config(arguments);
        ended.success().lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!(shown(&["show"]), "log = \"info\"  # enchufe.toml:1");
    assert_eq!(shown(&["show", "--log", "debug"]), "log = \"debug\"  # --log");
}

#[test]
fn the_file_of_defaults_is_sound_in_every_language() {
    let folder = Folder::new();
    for (language, words) in [
        ("en", "# WebSocket viewers at the same time"),
        ("es", "# Cuántos miran a la vez por WebSocket"),
    ] {
        let ended = folder.config(&["default", "--lang", language]);
        assert!(ended.success().contains(words), "{ended:?}");
        folder.write("enchufe.toml", ended.text());
        let checked = folder.config(&["check", "--lang", language]);
        assert_eq!(checked.code, Some(0), "{checked:?}");
    }
}
