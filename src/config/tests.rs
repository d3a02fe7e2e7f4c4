use std::path::Path;

use super::*;

fn layers(flags: &[(Key, &str)], environment: &[(&str, &str)]) -> Layers {
    let flags = flags.iter().map(|(key, text)| Given { key: *key, texts: vec![(*text).into()] });
    Layers::new(flags.collect(), |name| {
        let found = environment.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    })
}

fn parse(text: &str) -> Result<Config, Vec<Problem>> {
    Config::parse(text, "a.toml", Path::new("folder"), &Layers::default())
}

/// What is wrong, each with its line.
fn wrong(text: &str) -> Vec<String> {
    let problems = parse(text).expect_err(text);
    let shown = problems.iter().map(|problem| {
        let line = problem.place.as_ref().map_or(0, |place| place.line);
        format!("{line} {:?}", problem.cause)
    });
    shown.collect()
}

#[test]
fn nothing_said_is_a_server_on_loopback_without_channels() {
    let config = parse("").expect("it is enough");
    assert_eq!(config.listen.len(), 1);
    assert_eq!(config.listen[0].address.to_string(), "http://127.0.0.1:5678");
    assert!(config.channels.is_empty());
    assert_eq!(config.limits.viewers_max, limits::VIEWERS_MAX);
    assert!(config.settings.iter().all(|setting| setting.origin == Origin::Default));
}

#[test]
fn a_flag_counts_more_than_the_environment_that_more_than_the_file() {
    let file = "[limits]\nviewers_max = 1\nchannels_max = 1\nconnections_max = 1\n";
    let layers = layers(
        &[(Key::ViewersMax, "3")],
        &[("ENCHUFE_VIEWERS_MAX", "2"), ("ENCHUFE_CHANNELS_MAX", "2"), ("ENCHUFE_LOG", "")],
    );
    let config = Config::parse(file, "a.toml", Path::new(""), &layers).expect("sound");
    let limits = config.limits;
    assert_eq!((limits.viewers_max, limits.channels_max, limits.connections_max), (3, 2, 1));
    let origin = |key| {
        let found = config.settings.iter().find(|setting| setting.key == key);
        found.map(|setting| setting.origin)
    };
    assert_eq!(origin(Key::ViewersMax), Some(super::Origin::Flag));
    assert_eq!(origin(Key::ChannelsMax), Some(super::Origin::Environment));
    assert_eq!(origin(Key::ConnectionsMax), Some(super::Origin::File(4)));
    assert_eq!(origin(Key::Log), Some(super::Origin::Default));
}

#[test]
fn a_flag_and_a_variable_are_named_when_they_are_wrong() {
    let layers = layers(&[(Key::ViewersMax, "many")], &[("ENCHUFE_HEAD_TIMEOUT", "0s")]);
    let problems = Config::parse("", "", Path::new(""), &layers).expect_err("both are wrong");
    let named: Vec<_> = problems
        .iter()
        .map(|problem| match &problem.cause {
            Cause::BadValue { name, value, .. } => format!("{name} {value}"),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(named, ["--viewers-max many", "ENCHUFE_HEAD_TIMEOUT 0s"]);
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let found = wrong(
        "histroy = 1\n[limits]\nviewers_max = \"x\"\n[channels.\"chat*\"]\nslow = \"stop\"\n\
         [channels.b]\nhistory = 0\nsource = \"clok\"\n",
    );
    let places: Vec<_> = found.iter().map(|text| text.split(' ').next()).collect();
    assert_eq!(found.len(), 6, "{found:#?}");
    for line in ["1", "3", "4", "5", "7", "8"] {
        assert!(places.contains(&Some(line)), "line {line} in {found:#?}");
    }
}

#[test]
fn an_unknown_key_is_like_one_or_belongs_elsewhere() {
    let cause = |text: &str| match parse(text).expect_err(text).remove(0).cause {
        Cause::UnknownKey { similar, elsewhere, .. } => (similar, elsewhere),
        other => panic!("{other:?}"),
    };
    assert_eq!(cause("[channels.a]\nhistroy = 1"), (Some(Key::History), None));
    assert_eq!(cause("viewers_max = 1"), (None, Some(Key::ViewersMax)));
    assert_eq!(cause("[limits]\nviewer_max = 1"), (Some(Key::ViewersMax), None));
    assert_eq!(cause("[auth]\nzzz = 1"), (None, None));
    assert_eq!(
        cause("[channels.a]\nsource = { from = \"clock\", intervall = 1 }").0,
        Some(Key::Interval)
    );
}

#[test]
fn values_of_another_kind_are_refused_where_they_stand() {
    for text in [
        "[limits]\nviewers_max = [1]",
        "[limits]\nviewers_max = -1",
        "limits = 7",
        "listen = 7",
        "listen = [7]",
        "channels = 7",
        "[channels]\na = 7",
        "log = \"what=\\\"\"",
        "[[listen]]\naddress = \"ftp://127.0.0.1:1\"",
        "[[listen]]\naddress = \"http://127.0.0.1:0\"\nallow_origin = \"nowhere\"",
        "[channels.a]\ngenerated = \"yes\"",
        "[channels.a]\npublish = \"all\"",
        "[channels.a]\nhistory_bytes = \"1X\"",
        "[channels.a]\nhistory_age = \"0s\"",
        "[channels.a]\nflush_window = \"1h\"",
        "[channels.a]\nsource = { from = \"random\", range = \"9..0\" }",
        "[channels.a]\nsource = { from = \"clock\", interval = \"x\" }",
        "[channels.a]\nsource = { from = \"exec:x\", restart = \"often\" }",
        "[channels.a]\nsource = { from = \"-\", framing = \"words\" }",
        "[channels.a]\nsource = { from = \"-\", check = \"xml\" }",
        "default_channel = \"a//b\"",
    ] {
        let found = wrong(text);
        assert!(found.len() == 1 && found[0].contains("BadValue"), "{text}: {found:?}");
    }
}

#[test]
fn what_is_no_toml_is_said_with_its_line() {
    let found = wrong("log = \"info\"\n[limits\nviewers_max = 1\n");
    assert!(found[0].starts_with("2 Syntax"), "{found:?}");
    let found = wrong("log = \"info\"\nlog = \"warn\"\n");
    assert!(found[0].starts_with("2 Syntax"), "{found:?}");
}

#[test]
fn channels_keep_the_order_of_the_file_because_the_first_that_matches_counts() {
    let text = "[channels.\"z/admin\"]\nhistory = 1\n[channels.\"z/*\"]\n[channels.\"a\"]\n";
    let config = parse(text).expect("sound");
    let names: Vec<_> = config.channels.iter().map(|channel| channel.pattern.to_string()).collect();
    assert_eq!(names, ["z/admin", "z/*", "a"]);
    let of: Vec<_> = config.channels.iter().map(|channel| channel.name().is_some()).collect();
    assert_eq!(of, [true, false, true]);
}

#[test]
fn a_channel_is_made_with_all_that_is_said_of_it() {
    let text = "[channels.a]\nhistory = 5\nhistory_bytes = \"1MiB\"\nhistory_age = \"1h\"\n\
                slow = \"latest\"\nslow_allowed = [\"cut\"]\nflush_window = \"5ms\"\n\
                publish = \"readers\"\npatience = \"2s\"\nidle_expiry = \"0s\"\ngenerated = true\n\
                source = { from = \"exec:./job a\", pty = true, restart = \"always\", \
                framing = \"nul\", check = \"json\" }\n";
    let config = parse(text).expect("sound");
    let options = &config.channels[0].options;
    assert_eq!((options.history_len_max, options.history_bytes_max), (5, 1 << 20));
    assert_eq!(options.history_age_max, Some(Duration::from_secs(3600)));
    assert_eq!(options.slow, crate::core::SlowPolicy::Latest);
    assert!(options.slow_allowed.contains(crate::core::SlowPolicy::Cut));
    assert!(!options.slow_allowed.contains(crate::core::SlowPolicy::Skip));
    assert_eq!(options.flush_window, Duration::from_millis(5));
    assert_eq!(options.publish, crate::live::broker::Publishers::Readers);
    assert_eq!(options.patience, Duration::from_secs(2));
    assert_eq!((options.idle_expiry, options.generated), (None, true));
    let spec = config.channels[0].source.as_ref().expect("a source");
    assert_eq!(spec.check, crate::source::Check::Json);
    assert_eq!(spec.framing, crate::transport::Framing::Nul);
    let crate::source::Origin::Exec { pty, restart, arguments, .. } = &spec.origin else {
        panic!("{spec:?}")
    };
    assert_eq!((*pty, *restart), (true, crate::source::Restart::Always));
    assert_eq!(arguments, &["a"]);
}

#[test]
fn what_means_nothing_where_it_stands_is_refused() {
    for text in [
        "[channels.a]\nsource = { from = \"clock\", pty = true }",
        "[channels.a]\nsource = { from = \"clock\", range = \"0..9\" }",
        "[channels.a]\nsource = { from = \"-\", interval = \"1s\" }",
        "[[listen]]\naddress = \"http://127.0.0.1:0\"\ntls_dev = true",
        "[[listen]]\naddress = \"https://127.0.0.1:0\"\ntls_dev = true\ntls_key = \"k\"",
    ] {
        let found = wrong(text);
        assert!(found.len() == 1 && found[0].contains("Misplaced"), "{text}: {found:?}");
    }
    for (text, cause) in [
        ("[channels.a]\nsource = { interval = \"1s\" }", "Missing"),
        ("[[listen]]\nhost_name = \"a\"", "Missing"),
        ("[[listen]]\naddress = \"https://127.0.0.1:0\"\ntls_cert = \"c\"", "Missing"),
        ("[[listen]]\naddress = \"https://127.0.0.1:0\"", "NoCertificate"),
        ("[channels.\"a/*\"]\nsource = \"clock\"", "SourceOfPattern"),
        ("[channels.a]\nsource = \"-\"\n[channels.b]\nsource = \"-\"", "SharedInput"),
    ] {
        let found = wrong(text);
        assert!(found.len() == 1 && found[0].contains(cause), "{text}: {found:?}");
    }
}

#[test]
fn files_are_looked_for_beside_the_one_that_names_them() {
    let text =
        "page = \"page\"\n[auth]\npublish_token_file = \"t\"\nread_token_file = \"/etc/t\"\n";
    let layers = layers(&[(Key::Page, "own")], &[]);
    let config = Config::parse(text, "", Path::new("folder"), &layers).expect("sound");
    assert_eq!(config.publish_token_file.as_deref(), Some(Path::new("folder/t")));
    assert_eq!(config.read_token_file.as_deref(), Some(Path::new("/etc/t")));
    assert_eq!(config.page.as_deref(), Some(Path::new("own")));
}

#[test]
fn listeners_of_flags_or_the_environment_take_the_place_of_those_of_the_file() {
    let file = "[[listen]]\naddress = \"http://127.0.0.1:1\"\nhost_name = \"a\"\n";
    let layers = layers(
        &[],
        &[
            ("ENCHUFE_LISTEN", "http://127.0.0.1:2, http://127.0.0.1:3"),
            ("ENCHUFE_HOST_NAME", "b c"),
        ],
    );
    let config = Config::parse(file, "", Path::new(""), &layers).expect("sound");
    let listen: Vec<_> = config.listen.iter().map(|listen| listen.text.as_str()).collect();
    assert_eq!(listen, ["http://127.0.0.1:2", "http://127.0.0.1:3"]);
    assert_eq!(config.listen[1].host_name, ["b", "c"]);
}

#[test]
fn a_file_that_is_too_long_is_not_read_to_its_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.toml");
    let long = "#".repeat(usize::try_from(limits::CONFIG_BYTES_MAX).expect("small") + 1);
    std::fs::write(&path, long).expect("written");
    let problems = Config::load(Some(&path), &Layers::default()).expect_err("too long");
    assert!(matches!(problems[0].cause, Cause::TooLong { .. }), "{problems:?}");
}

#[test]
fn a_file_that_is_no_text_or_is_not_there_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.toml");
    for bytes in [None, Some(&[0xff, 0xfe][..])] {
        if let Some(bytes) = bytes {
            std::fs::write(&path, bytes).expect("written");
        }
        let problems = Config::load(Some(&path), &Layers::default()).expect_err("unreadable");
        let Cause::Unreadable { path: named, .. } = &problems[0].cause else {
            panic!("{problems:?}")
        };
        assert!(named.ends_with("a.toml"));
    }
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(\\[|\\]|=|\"|\n|[a-z_.]|limits|channels|listen|source|[0-9]|\u{e1}){0,60}") {
        let _ = parse(&text);
    }
}
