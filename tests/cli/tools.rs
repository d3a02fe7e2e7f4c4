//! What installers ask for: completions, pages of the manual, facts of the build.

use std::{io::Write as _, process::Command};

use crate::harness::{enchufe, run, run_command};

/// What bash completes after these words, the last of which is begun.
fn bash(words: &[&str]) -> Vec<String> {
    let script = r#"
        source <("$ENCHUFE" completions bash)
        COMP_WORDS=(enchufe "$@")
        COMP_CWORD=$#
        _enchufe enchufe "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let mut command = Command::new("bash");
    command.args(["--noprofile", "--norc", "-eu", "-c", script, "bash"]).args(words);
    command.env("ENCHUFE", env!("CARGO_BIN_EXE_enchufe"));
    let ended = run_command(command, b"");
    assert_eq!(ended.stderr, "", "{words:?}");
    ended.success().lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_flags_and_values() {
    assert_eq!(bash(&["conn"]), ["connect"]);
    assert_eq!(bash(&["connect", "--exp"]), ["--expect"]);
    assert_eq!(bash(&["connect", "--framing", "b"]), ["base64"]);
    assert_eq!(bash(&["serve", "gr"]), ["greet"]);
    let flags = bash(&["connect", "--re"]);
    assert!(flags.contains(&"--reconnect".into()) && flags.contains(&"--replay".into()));
}

/// Whether there is such a program here.
fn is_there(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

#[test]
fn fish_completes_them_too_where_it_is_installed() {
    let script = r#""$ENCHUFE" completions fish | source; complete -C "enchufe $argv""#;
    for (line, completed) in [
        ("conn", "connect\tConnect: send standard input and print what comes back\n"),
        ("connect --framing b", "base64\n"),
        ("serve gr", "greet\n"),
    ] {
        if !is_there("fish") {
            return;
        }
        let home = tempfile::tempdir().expect("a folder");
        let mut fish = Command::new("fish");
        fish.args(["--no-config", "-c", script, line]).env("HOME", home.path());
        fish.env("ENCHUFE", env!("CARGO_BIN_EXE_enchufe"));
        for name in ["LC_ALL", "LC_MESSAGES", "LANG", "ENCHUFE_LANG"] {
            fish.env_remove(name);
        }
        assert_eq!(run_command(fish, b"").success(), completed);
    }
}

/// What the line of an interactive zsh is after a tab. It is ready once its editor says so.
fn zsh(line: &str) -> String {
    let script = r#"
        zmodload zsh/zpty
        mkfifo $HOME/ready $HOME/told
        zpty shell zsh -f -i
        zpty -w shell 'tell() { print -r -- "$BUFFER" >$HOME/told }; zle -N tell; bindkey "^X" tell'
        zpty -w shell 'fpath=($HOME $fpath); autoload -Uz compinit; compinit -u -d $HOME/dump'
        zpty -w shell 'zle-line-init() { : >$HOME/ready }; zle -N zle-line-init'
        : <$HOME/ready
        zpty -w -n shell "enchufe $1"$'\t\x18'
        read -r line <$HOME/told
        print -r -- $line
        zpty -d shell
    "#;
    let home = tempfile::tempdir().expect("a folder");
    let file = run(&["completions", "zsh"], b"");
    std::fs::write(home.path().join("_enchufe"), file.success()).expect("written");
    let mut zsh = Command::new("zsh");
    zsh.args(["-f", "-c", script, "zsh", line]).env("HOME", home.path()).env("TERM", "xterm");
    let ended = run_command(zsh, b"");
    assert_eq!(ended.stderr, "", "{line}");
    ended.success().to_owned()
}

#[test]
fn zsh_completes_them_too_where_it_is_installed() {
    for (line, completed) in [
        ("conn", "enchufe connect\n"),
        ("connect --framing b", "enchufe connect --framing base64\n"),
        ("serve gr", "enchufe serve greet\n"),
        ("connect --expe", "enchufe connect --expect=\n"),
    ] {
        if is_there("zsh") {
            assert_eq!(zsh(line), completed, "{line}");
        }
    }
}

#[test]
fn other_shells_get_a_file_that_they_understand() {
    let file = run(&["completions", "zsh"], b"");
    assert!(file.success().starts_with("#compdef enchufe\n"), "{file:?}");
    if is_there("zsh") {
        let mut path = tempfile::NamedTempFile::new().expect("a file");
        path.write_all(&file.stdout).expect("written");
        let mut zsh = Command::new("zsh");
        zsh.arg("-n").arg(path.path());
        let checked = run_command(zsh, b"");
        assert_eq!((checked.success(), checked.stderr.as_str()), ("", ""));
    }
    let file = run(&["completions", "powershell"], b"");
    assert!(file.success().contains("Register-ArgumentCompleter"), "{file:?}");
    let ended = run(&["completions", "bahs"], b"");
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.ends_with("hint: did you mean 'bash'?\n"), "{ended:?}");
    // It is another shell, and no slip of the finger.
    let ended = run(&["completions", "tcsh"], b"");
    assert_eq!(ended.code, Some(2));
    assert_eq!(
        ended.stderr,
        "error: 'tcsh' is not a value of <SHELL>\nhint: use bash, elvish, fish, powershell or zsh\n"
    );
}

#[test]
fn completions_speak_the_users_language() {
    let zsh = run(&["--lang=es", "completions", "zsh"], b"");
    assert!(zsh.success().contains("Se conecta"), "{zsh:?}");
}

#[test]
fn pages_of_the_manual_are_set_without_a_warning() {
    for language in ["en", "es"] {
        for words in [&["man"][..], &["man", "connect"], &["man", "serve"], &["man", "man"]] {
            let page = run(&[&["--lang", language], words].concat(), b"");
            assert!(page.success().contains(".TH enchufe"), "{page:?}");
            if !is_there("groff") {
                continue;
            }
            let mut groff = Command::new("groff");
            groff.args(["-man", "-Kutf8", "-Tutf8", "-ww", "-P-c", "-P-b", "-P-u"]);
            let set = run_command(groff, &page.stdout);
            assert_eq!(set.stderr, "", "{words:?}");
            let heading = if language == "en" { "EXIT STATUS" } else { "CÓDIGOS DE SALIDA" };
            assert!(set.success().contains(heading), "{set:?}");
        }
    }
    let ended = run(&["man", "conect"], b"");
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.ends_with("hint: did you mean 'connect'?\n"), "{ended:?}");
}

#[test]
fn the_short_version_is_one_line_and_the_long_one_says_what_was_built() {
    let first = concat!("enchufe ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(run(&["-V"], b"").success(), first);
    let mut command = enchufe(&["--version"]);
    command.env("LANG", "es_ES.UTF-8");
    let long = run_command(command, b"");
    let lines: Vec<&str> = long.success().lines().collect();
    assert_eq!(lines[0], first.trim_end());
    let keys: Vec<&str> = lines[1..].iter().filter_map(|line| line.split(": ").next()).collect();
    assert_eq!(keys, ["commit", "target", "profile", "built with", "tls"]);
}

#[test]
fn they_are_not_in_the_way_of_the_commands_for_people() {
    let help = run(&["--help"], b"");
    let commands = help.success().split("Commands:\n").nth(1).expect("a list");
    let commands = commands.split("\n\n").next().expect("the list alone");
    assert!(!commands.contains("completions") && !commands.contains("man "), "{commands}");
    assert!(commands.lines().count() <= 8, "{commands}");
}

#[test]
fn they_are_in_the_help_all_the_same_under_a_heading_of_their_own() {
    for (language, heading, of_top) in [
        (
            "en",
            "\nTo run a server, to measure it, and to install the program:\n",
            "Watch a server: its channels, their rates, readers and lag",
        ),
        (
            "es",
            "\nPara llevar un servidor, medirlo e instalar el programa:\n",
            "Mira un servidor: sus canales, sus ritmos, quién lee y con cuánto retraso",
        ),
    ] {
        let help = run(&["--lang", language, "--help"], b"");
        let listed = help.success().split(heading).nth(1).expect("the heading");
        let names: Vec<_> =
            listed.lines().filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(names, ["run", "config", "top", "bench", "completions", "man"]);
        assert!(listed.contains(&format!("  top          {of_top}\n")), "{listed}");
    }
}
