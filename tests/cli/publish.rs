//! `enchufe publish`: what it publishes, what it says of what it has not, and how it ends.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::mpsc::{self, Receiver},
    thread,
};

use crate::{
    feeds::{Feed, restart},
    harness::{Ended, Running, enchufe, run, run_command, signal},
    screen::{Terminal, Wiring},
};

/// What the channel has, as NDJSON lines without their positions and times.
fn contents(feed: &Feed, count: u32) -> Vec<String> {
    let count = count.to_string();
    let ended = run(&["follow", &feed.url, "--since=all", "--json", "--count", &count], b"");
    let lines = ended.success().lines().skip(1);
    let value = |line: &str| -> serde_json::Value { serde_json::from_str(line).expect(line) };
    lines
        .map(|line| {
            let line = value(line);
            let binary = line["base64"].as_str().map(|base64| format!("base64 {base64}"));
            binary.or(line["data"].as_str().map(str::to_owned)).expect("a message")
        })
        .collect()
}

#[test]
fn what_is_given_is_one_message_and_its_position_is_printed_when_asked_for() {
    let feed = Feed::start(&[]);
    let ended = run(&["publish", &feed.url, "hola\nmundo"], b"not read");
    assert_eq!((ended.success(), ended.stderr.as_str()), ("", ""));
    let ended = run(&["publish", &feed.url, "-5", "--positions"], b"");
    let position = ended.success().trim_end().to_owned();
    assert!(position.ends_with("-2"), "{position}");
    let ended = run(&["publish", &feed.url, "ñ", "--binary", "--json"], b"");
    let line: serde_json::Value = serde_json::from_str(ended.success()).expect("JSON");
    assert_eq!((&line["messages"], &line["duplicate"]), (&1.into(), &false.into()));
    assert_eq!(line["first"], line["last"]);
    assert_eq!(contents(&feed, 3), ["hola\nmundo", "-5", "base64 w7E="]);
    let after = run(&["follow", &feed.url, "--since", &position, "--count=1"], b"");
    assert_eq!(after.success(), "ñ\n");
}

#[test]
fn each_line_of_the_input_is_a_message_unless_it_is_framed_otherwise_or_whole() {
    let feed = Feed::start(&[]);
    let publish = |more: &[&str], input: &[u8]| {
        let ended = run(&[&["publish", &feed.url], more].concat(), input);
        assert_eq!(ended.success(), "", "{more:?}");
    };
    publish(&[], b"uno\n\n\xff\r\n{\"tres\":3}");
    publish(&["-", "--framing=nul"], b"cuatro\n\0cinco");
    publish(&["--framing=length"], b"\0\0\0\x04seis\0\0\0\0");
    publish(&["--whole"], b"ocho\nnueve\n");
    publish(&["--whole", "--binary"], b"");
    publish(&[], b"");
    let expected = [
        "uno",
        "",
        "base64 /w0=",
        "{\"tres\":3}",
        "cuatro\n",
        "cinco",
        "seis",
        "",
        "ocho\nnueve\n",
        "base64 ",
    ];
    assert_eq!(contents(&feed, 10), expected);
}

#[test]
fn a_message_of_a_slow_input_is_there_before_the_next_one_comes() {
    let feed = Feed::start(&[]);
    let mut publisher = Running::start(&["publish", &feed.url, "--positions"]);
    for number in 1..=3 {
        publisher.write(format!("{number}\n").as_bytes());
        assert!(publisher.line().ends_with(&format!("-{number}")));
    }
    assert_eq!(publisher.end().code, Some(0));
}

#[test]
fn a_hundred_thousand_numbers_pass_from_one_end_to_the_other() {
    const COUNT: u64 = 100_000;
    let feed = Feed::start(&["--history", "200000"]);
    let count = COUNT.to_string();
    let follower = Running::start(&["follow", &feed.url, "--since=all", "--count", &count]);
    let numbers: String = (1..=COUNT).map(|number| format!("{number}\n")).collect();
    let published = run(&["publish", &feed.url, "--json"], numbers.as_bytes());
    let acknowledged: u64 = published
        .success()
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect(line))
        .map(|line| line["messages"].as_u64().expect("a count"))
        .sum();
    assert_eq!(acknowledged, COUNT);
    assert!(published.text().lines().count() < 1_000, "they went together");
    let followed = follower.end();
    assert_eq!(followed.code, Some(0));
    assert!(followed.text() == numbers, "{} lines", followed.text().lines().count());
}

/// Every number is with the follower, or acknowledged of a log that is gone, and none is twice but
/// those that were said to be in doubt.
#[test]
fn what_a_killed_server_had_acknowledged_is_said_to_be_gone_and_the_rest_is_there_once() {
    let feed = Feed::start(&["--history", "1000000"]);
    let arguments = ["publish", &feed.url, "--json"];
    let mut publisher = Running::start(&arguments);
    let mut input = publisher.take_stdin();
    const LAST: u64 = 200_000;
    let writer = thread::spawn(move || {
        for number in 1..=LAST {
            writeln!(input, "{number}").expect("it reads");
        }
    });
    let first = publisher.line();
    signal(feed.server.id(), "KILL");
    let feed = restart(feed, &["--history", "1000000"]);
    let ended = publisher.end();
    writer.join().expect("no panic");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let acknowledged: Vec<(String, u64)> = std::iter::once(first.as_str())
        .chain(ended.text().lines())
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let last = line["last"].as_str().expect("a position");
            let (epoch, _) = last.split_once('-').expect("a position");
            (epoch.to_owned(), line["messages"].as_u64().expect("a count"))
        })
        .collect();
    let all: u64 = acknowledged.iter().map(|(_, count)| count).sum();
    assert_eq!(all, LAST);
    let (new, _) = acknowledged.last().expect("there are some").clone();
    let before: u64 =
        acknowledged.iter().filter(|(epoch, _)| *epoch != new).map(|(_, count)| count).sum();
    let told = format!("the {before} messages that were acknowledged before may be gone");
    assert!(ended.stderr.contains(&told), "{told}: {ended:?}");
    let left = LAST - before;
    let count = left.to_string();
    let had = run(&["follow", &feed.url, "--since=all", "--count", &count], b"");
    let expected: String = (before + 1..=LAST).map(|number| format!("{number}\n")).collect();
    assert!(had.success() == expected, "{} of {left} lines", had.text().lines().count());
}

#[test]
fn what_is_refused_is_an_error_a_hint_and_an_exit_code_and_the_account_is_exact() {
    let folder = tempfile::tempdir().expect("a folder");
    let token = folder.path().join("token");
    fs::write(&token, "0123456789abcdef").expect("written");
    let token = token.to_str().expect("text");
    let feed = Feed::start(&["--publish-token-file", token]);
    let unknown = format!("{}/channels/none", feed.site);
    // Who comes from this machine itself needs no token.
    let proxied = "Via: 1.1 proxy";
    let none = "no message was acknowledged, and nothing after was published";
    for (arguments, code, said) in [
        (
            vec![feed.url.as_str(), "--header", proxied],
            3,
            format!("the server answered 401 Unauthorized; {none}"),
        ),
        (
            vec![unknown.as_str(), "--token-file", token],
            3,
            format!("the server answered 404 Not Found; {none}"),
        ),
        (
            vec!["http://127.0.0.1:1/channels/a"],
            1,
            format!("cannot connect to 127.0.0.1:1: connection refused; {none}"),
        ),
        (vec!["tcp://a:1"], 2, "'tcp://a:1' is not on the web".to_owned()),
        (
            vec!["http://a/channels/b?since=all"],
            2,
            "a URL to publish to says nothing about reading".to_owned(),
        ),
    ] {
        let ended = run(&[&["publish"], &arguments[..]].concat(), b"uno\ndos\n");
        assert_eq!((ended.code, ended.text()), (Some(code), ""), "{arguments:?}: {ended:?}");
        assert!(ended.stderr.contains(&said), "{said}: {ended:?}");
        assert!(ended.stderr.contains("\nhint: "), "{ended:?}");
    }
    let known = ["--header", proxied, "--token-file", token, "--positions"];
    let let_in = run(&[&["publish", &feed.url, "uno"], &known[..]].concat(), b"");
    assert!(let_in.success().ends_with("-1\n"));
}

#[test]
fn an_input_that_cannot_be_cut_ends_after_what_could_be_and_says_how_much_that_was() {
    let feed = Feed::start(&[]);
    let input = b"uno\ndos\nthis one is too long\ncuatro\n";
    let ended = run(&["publish", &feed.url, "--max-message", "10"], input);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    let account = "2 messages were acknowledged, and nothing after was published";
    assert!(ended.stderr.contains(account), "{ended:?}");
    assert!(ended.stderr.contains("a message of the input is longer than 10 bytes"), "{ended:?}");
    assert_eq!(contents(&feed, 2), ["uno", "dos"]);
    let ended = run(&["publish", &feed.url, "--whole", "--max-message", "10"], input);
    assert_eq!(ended.code, Some(2), "{ended:?}");
}

/// A server that takes the head of a request and says this, or nothing; where it is, and what tells
/// of each request.
fn saying(answer: &'static str) -> (String, Receiver<()>) {
    let (tell, asked) = mpsc::channel();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming() {
            let mut stream: TcpStream = stream.expect("a client");
            let mut head = Vec::new();
            while !head.windows(4).any(|four| four == b"\r\n\r\n") {
                let mut byte = [0];
                if stream.read(&mut byte).expect("open") == 0 {
                    break;
                }
                head.push(byte[0]);
            }
            // Not every test listens.
            tell.send(()).ok();
            stream.write_all(answer.as_bytes()).expect("open");
            kept.push(stream);
        }
    });
    (format!("http://{address}/channels/a"), asked)
}

#[test]
fn a_server_that_answers_nonsense_or_nothing_leaves_a_doubt_that_is_told() {
    let doubt = "no message was acknowledged, 1 more may have been published, and nothing after";
    for (answer, code) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhola", 4),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 4),
        ("SSH-2.0-OpenSSH_9.9\r\n", 1),
        ("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n", 3),
        ("", 5),
    ] {
        let (url, _) = saying(answer);
        let ended = run(&["publish", &url, "hola", "--timeout", "400ms"], b"");
        assert_eq!((ended.code, ended.text()), (Some(code), ""), "{answer:?}: {ended:?}");
        assert!(ended.stderr.contains(doubt), "{answer:?}: {ended:?}");
        let mut spanish = enchufe(&["publish", &url, "hola", "--timeout", "400ms"]);
        spanish.env("LANG", "es");
        let ended = run_command(spanish, b"");
        let doubt = "no se confirmó ningún mensaje, 1 más puede haberse publicado, y nada después";
        assert!(ended.stderr.contains(doubt), "{answer:?}: {ended:?}");
    }
}

#[test]
fn a_publisher_that_is_stopped_says_what_is_in_doubt() {
    let (url, asked) = saying("");
    let mut publisher = Running::start(&["publish", &url]);
    publisher.write(b"uno\n");
    asked.recv().expect("it asks");
    signal(publisher.id(), "INT");
    let Ended { code, stderr, .. } = publisher.end();
    assert_eq!(code, Some(130), "{stderr}");
    let doubt = "no message was acknowledged, 1 more may have been published, and nothing after";
    assert!(stderr.contains(doubt), "{stderr}");
}

#[test]
fn nobody_who_reads_the_positions_is_no_reason_not_to_publish() {
    let feed = Feed::start(&[]);
    let program = env!("CARGO_BIN_EXE_enchufe");
    let pipeline = format!("seq 20000 | {program} publish {} --json | head -n 1", feed.url);
    let mut command = std::process::Command::new("bash");
    command.args(["-c", &format!("set -o pipefail; {pipeline}")]);
    command.env_remove("ENCHUFE_LANG");
    let ended = run_command(command, b"");
    assert_eq!(ended.success().lines().count(), 1);
    let last = run(&["follow", &feed.url, "--since=last:1", "--count=1"], b"");
    assert_eq!(last.success(), "20000\n");
}

#[test]
fn a_terminal_without_a_message_is_a_usage_error() {
    let mut terminal = Terminal::start(enchufe(&["publish", "feed"]), Wiring::All);
    terminal.sees("error: there is nothing to publish, and standard input is a terminal");
    assert_eq!(terminal.end(), Some(2));
}
