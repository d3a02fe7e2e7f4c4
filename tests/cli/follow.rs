//! `enchufe follow`: what it prints, what it says of breaks and gaps, and how it ends.

use std::{
    fs,
    process::{Command, Stdio},
};

use crate::{
    feeds::{Feed, restart},
    harness::{Running, enchufe, run, run_command, signal, wait},
    screen::{Terminal, Wiring},
};

#[test]
fn a_channel_is_followed_to_its_end_as_it_is() {
    let mut feed = Feed::start(&[]);
    feed.server.write(b"uno\n\xff dos\r\n\ntres");
    feed.server.end_input();
    let ended = run(&["follow", &feed.url, "--since", "all"], b"");
    assert_eq!((ended.code, &ended.stdout[..]), (Some(0), &b"uno\n\xff dos\n\ntres\n"[..]));
    assert_eq!(ended.stderr, "'feed' has ended (end of input)\n");
    let framed = ["follow", &feed.url, "--since=all", "--framing=length"];
    let framed = run(&framed, b"");
    assert!(framed.stdout.starts_with(b"\0\0\0\x03uno\0\0\0\x05\xff dos"), "{framed:?}");
}

#[test]
fn a_bare_name_is_a_channel_at_the_server_of_the_flag_or_the_environment() {
    let mut feed = Feed::start(&["--channel", "logs/web"]);
    feed.server.write(b"uno\n");
    let flag =
        run(&["follow", "logs/web", "--server", &feed.site, "--since=all", "--count=1"], b"");
    assert_eq!(flag.success(), "uno\n");
    let mut command = enchufe(&["follow", "logs/web", "--since=all", "--count=1"]);
    command.env("ENCHUFE_SERVER", &feed.site);
    assert_eq!(run_command(command, b"").success(), "uno\n");
    let socket = feed.url.replace("http:", "ws:");
    assert_eq!(run(&["follow", &socket, "--since=all", "--count=1"], b"").success(), "uno\n");
}

#[test]
fn lines_of_json_have_the_channel_the_position_and_the_time() {
    let mut feed = Feed::start(&["--history", "2"]);
    feed.server.write(b"uno\n\xff\n\"tres\"\n");
    feed.server.end_input();
    // Of another log, so that there is a gap.
    let ended = run(&["follow", &feed.url, "--since", "a-1", "--json"], b"");
    assert_eq!(ended.code, Some(7), "{ended:?}");
    let lines: Vec<serde_json::Value> =
        ended.text().lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let [begin, gap, binary, text, end] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!((&begin["channel"], &begin["position"]), (&"feed".into(), &"a-1".into()));
    assert_eq!((&gap["gap"]["after"], &gap["gap"]["reason"]), (&"a-1".into(), &"reset".into()));
    assert_eq!(gap["gap"]["next"], binary["position"]);
    assert_eq!((&binary["base64"], &text["data"]), (&"/w==".into(), &"\"tres\"".into()));
    assert!(text["time"].as_str().is_some_and(|time| time.ends_with('Z')), "{text}");
    assert_eq!(end["end"]["position"], text["position"]);
    assert_eq!(end["end"]["status"], "end of input");
    let stamped = run(&["follow", &feed.url, "--since=last:1", "--timestamps"], b"");
    let expected = format!("{} \"tres\"\n", text["time"].as_str().expect("a time"));
    assert_eq!(stamped.success(), expected);
}

#[test]
fn a_gap_is_told_on_standard_error_and_by_the_exit_code() {
    let mut feed = Feed::start(&["--history", "2"]);
    feed.server.write(b"1\n");
    let begin = run(&["follow", &feed.url, "--since=all", "--count=1", "--json"], b"");
    let line = begin.success().lines().nth(1).expect("a message").to_owned();
    let line: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    let position = line["position"].as_str().expect("a position").to_owned();
    feed.server.write(b"2\n3\n4\n5\n");
    feed.server.end_input();
    feed.has_ended();
    let ended = run(&["follow", &feed.url, "--since", &position], b"");
    assert_eq!((ended.code, ended.text()), (Some(7), "4\n5\n"));
    let told = "warning: 'feed': 2 messages are missing after ";
    assert!(ended.stderr.starts_with(told), "{ended:?}");
    assert!(ended.stderr.contains(": they are no longer kept (expired)\n"), "{ended:?}");
    let ended = run(&["follow", &feed.url, "--since", &position, "--exit-on-gap"], b"");
    assert_eq!((ended.code, ended.text()), (Some(7), ""));
    let mut spanish = enchufe(&["follow", &feed.url, "--since", &position]);
    spanish.env("LANG", "es");
    let ended = run_command(spanish, b"");
    assert!(ended.stderr.starts_with("aviso: 'feed': faltan 2 mensajes tras "), "{ended:?}");
}

#[test]
fn a_server_that_is_killed_and_comes_back_is_followed_on_and_its_lost_log_is_a_gap() {
    let mut feed = Feed::start(&[]);
    feed.server.write(b"uno\n");
    let follower = Running::start(&["follow", &feed.url, "--since", "all"]);
    assert_eq!(follower.line(), "uno");
    signal(feed.server.id(), "KILL");
    let lost = follower.notice();
    assert!(lost.contains("; trying again in "), "{lost}");
    let mut feed = restart(feed, &[]);
    feed.server.write(b"dos\n");
    assert_eq!(follower.line(), "dos");
    feed.server.end_input();
    let ended = follower.end();
    assert_eq!(ended.code, Some(7), "{ended:?}");
    assert!(ended.stderr.contains("connected again to "), "{ended:?}");
    let gap = "the log they were in is gone (reset)";
    assert_eq!(ended.stderr.matches(gap).count(), 1, "{ended:?}");
}

#[test]
fn without_reconnecting_a_break_is_the_end_and_says_where_to_go_on() {
    let mut feed = Feed::start(&[]);
    feed.server.write(b"uno\n");
    let follower = Running::start(&["follow", &feed.url, "--since", "all", "--no-reconnect"]);
    assert_eq!(follower.line(), "uno");
    signal(feed.server.id(), "KILL");
    let ended = follower.end();
    assert!(matches!(ended.code, Some(1 | 4)), "{ended:?}");
    assert!(ended.stderr.starts_with("'feed' goes on with --since "), "{ended:?}");
}

#[test]
fn who_is_killed_goes_on_at_the_positions_of_the_file_and_misses_nothing() {
    const LAST: u64 = 3_000;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("feed.position");
    let path = path.to_str().expect("text");
    let mut feed = Feed::start(&["--history", "100000"]);
    let mut stdin = feed.server.take_stdin();
    let writer = std::thread::spawn(move || {
        use std::io::Write as _;
        for number in 1..=LAST {
            writeln!(stdin, "{number}").expect("it reads");
        }
    });
    let arguments = ["follow", &feed.url, "--since", "all", "--position-file", path];
    let mut had: Vec<u64> = Vec::new();
    let mut kills = 0;
    loop {
        let follower = Running::start(&arguments);
        // Each is killed a bit later than the one before.
        let mut ended = None;
        for count in 0.. {
            match follower.try_line() {
                Some(line) => had.push(line.parse().expect("a number")),
                None => ended = Some(()),
            }
            if ended.is_some() || count == 200 * (kills + 1) {
                break;
            }
        }
        if ended.is_some() {
            assert_eq!(follower.end().code, Some(0));
            break;
        }
        signal(follower.id(), "KILL");
        let rest = follower.end();
        // What was printed when it was killed was printed; only whole lines are messages.
        let whole = rest.text().rsplit_once('\n').map_or("", |(whole, _)| whole);
        had.extend(whole.lines().filter_map(|line| line.parse::<u64>().ok()));
        kills += 1;
        assert!(kills < 1_000, "it does not get on");
    }
    writer.join().expect("no panic");
    assert!(kills > 0, "it was never killed");
    let mut distinct = had.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct, (1..=LAST).collect::<Vec<_>>(), "after {kills} kills");
    let kept = fs::read_to_string(path).expect("there");
    assert!(
        kept.starts_with("{\"feed\":\"") && kept.ends_with(&format!("-{LAST}\"}}\n")),
        "{kept}"
    );
    // From there on there is nothing but the end.
    let ended = run(&arguments, b"");
    assert_eq!(ended.success(), "");
}

#[test]
fn a_file_that_has_no_positions_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("notes.txt");
    fs::write(&path, "do not lose me").expect("written");
    let path = path.to_str().expect("text");
    let ended = run(&["follow", "feed", "--position-file", path], b"");
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("notes.txt' has no positions: "), "{ended:?}");
    assert_eq!(fs::read_to_string(path).expect("there"), "do not lose me");
}

#[test]
fn a_token_that_is_missing_or_wrong_is_refused_and_the_right_one_lets_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, token: &str| {
        let path = folder.path().join(name);
        fs::write(&path, token).expect("written");
        path.to_str().expect("text").to_owned()
    };
    let right = file("right", "0123456789abcdef\n");
    let wrong = file("wrong", "fedcba9876543210\n");
    let mut feed = Feed::start(&["--read-token-file", &right]);
    feed.server.write(b"uno\n");
    let arguments = ["follow", &feed.url, "--since=all", "--count=1"];
    for more in [&[][..], &["--token-file", &wrong]] {
        let ended = run(&[&arguments, more].concat(), b"");
        assert_eq!((ended.code, ended.text()), (Some(3), ""), "{ended:?}");
        assert!(ended.stderr.contains("the server answered 401 Unauthorized\n"), "{ended:?}");
        assert!(ended.stderr.contains("hint: --token-file FILE shows the token"), "{ended:?}");
        assert!(!ended.stderr.contains("fedcba"), "{ended:?}");
    }
    let ended = run(&[&arguments[..], &["--token-file", &right]].concat(), b"");
    assert_eq!(ended.success(), "uno\n");
    let mut command = enchufe(&arguments);
    command.env("ENCHUFE_TOKEN_FILE", &right);
    assert_eq!(run_command(command, b"").success(), "uno\n");
}

#[test]
fn what_cannot_be_followed_is_an_error_a_hint_and_an_exit_code() {
    let feed = Feed::start(&[]);
    let echo = Running::start(&["serve", "echo", "ws://127.0.0.1:0"]);
    let echo = format!("{}/channels/a", echo_site(&echo));
    let unknown = format!("{}/channels/none", feed.site);
    let many: Vec<String> = (0..65).map(|number| format!("c{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for (arguments, code, said) in [
        (vec!["http://127.0.0.1:1/channels/a"], 1, "connection refused"),
        (vec![&unknown], 3, "there is no channel 'none' (unknown_channel)"),
        (vec![&feed.site], 2, "is a server's URL, and names no channel"),
        (vec!["tcp://127.0.0.1:1"], 2, "is not on the web"),
        (vec!["a//b"], 2, "the channel name 'a//b'"),
        (vec![&feed.url, "http://127.0.0.1:1/channels/a"], 2, "are two servers"),
        (vec![&echo], 1, "the server does not speak enchufe.v1"),
        (vec![&feed.url, "--since", "42"], 2, "'42' is not a value of --since"),
        (vec!["a", "--server", "nowhere"], 2, "'nowhere' is not on the web"),
        (many, 2, "65 channels are too many for one connection"),
    ] {
        let ended = run(&[&["follow"], &arguments[..]].concat(), b"");
        assert_eq!((ended.code, ended.text()), (Some(code), ""), "{arguments:?}: {ended:?}");
        assert!(ended.stderr.contains(said), "{arguments:?}: {ended:?}");
    }
}

fn echo_site(echo: &Running) -> String {
    echo.address().replace("ws://", "http://")
}

#[test]
fn a_reader_that_has_had_enough_is_a_success_also_when_nothing_more_comes() {
    let mut feed = Feed::start(&[]);
    feed.server.write(b"uno\n");
    let pipeline =
        format!("{} follow {} --since all | head -n 1", env!("CARGO_BIN_EXE_enchufe"), feed.url);
    let mut command = Command::new("bash");
    command.args(["-c", &format!("set -o pipefail; {pipeline}")]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let ended = wait(command.spawn().expect("bash"));
    assert_eq!(ended.success(), "uno\n");
}

#[test]
fn a_follower_that_is_stopped_says_so_with_its_exit_code() {
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let mut feed = Feed::start(&[]);
        feed.server.write(b"uno\n");
        let follower = Running::start(&["follow", &feed.url, "--since", "all"]);
        assert_eq!(follower.line(), "uno");
        signal(follower.id(), name);
        assert_eq!(follower.end().code, Some(code));
    }
}

#[test]
fn a_terminal_is_not_driven_by_what_a_channel_says() {
    let mut feed = Feed::start(&[]);
    feed.server.write(b"a\x1b[2Jb\n");
    let follow = enchufe(&["follow", &feed.url, "--since=all", "--count=1"]);
    let mut terminal = Terminal::start(follow, Wiring::All);
    terminal.sees("a\\x1b[2Jb");
    assert_eq!(terminal.end(), Some(0));
}
